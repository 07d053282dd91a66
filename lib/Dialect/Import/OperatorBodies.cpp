//===- OperatorBodies.cpp - definitions of operators that ONNX gives none ---===//
//
// Which operators have bodies here, and the bodies that are alone of their kind.
//
//===----------------------------------------------------------------------===//
#include "OperatorBodies.h"

#include "BodyWriter.h"

#include "llvm/ADT/STLExtras.h"

namespace dsc::import {

using llvm::StringRef;
using onnx::FunctionProto;
using onnx::NodeProto;

//===----------------------------------------------------------------------===//
// NonMaxSuppression
//===----------------------------------------------------------------------===//

/// One iteration takes the best box that is left of each batch and class, and
/// removes those that overlap it. As in ONNX Runtime, a box whose overlap is the
/// threshold stays, and so does the first of equal scores.
static std::optional<FunctionProto> nonMaxSuppression(BodyWriter &writer) {
  if (!writer.has(2)) // no box is asked for
    writer.add("max_boxes = Constant<value_int = 0>()");
  else
    writer.add("max_boxes = ReduceSum<keepdims = 0>(max_output_boxes_per_class)");
  if (!writer.has(3))
    writer.add("iou_limit = Constant<value_float = 0.0>()");
  else
    writer.add("iou_limit = ReduceSum<keepdims = 0>(iou_threshold)");
  writer.add(R"(
      zero = Constant<value_int = 0>()
      one = Constant<value_int = 1>()
      two = Constant<value_int = 2>()
      three = Constant<value_int = 3>()
      axis1 = Constant<value_ints = [1]>()
      axis2 = Constant<value_ints = [2]>()
      b0 = Gather<axis = 2>(boxes, zero)
      b1 = Gather<axis = 2>(boxes, one)
      b2 = Gather<axis = 2>(boxes, two)
      b3 = Gather<axis = 2>(boxes, three))");
  if (writer.integer("center_point_box", 0) == 0)
    writer.add(R"(
      top = Min(b0, b2)
      bottom = Max(b0, b2)
      left = Min(b1, b3)
      right = Max(b1, b3))");
  else
    writer.add(R"(
      half = Constant<value_float = 0.5>()
      half_width = Mul(b2, half)
      half_height = Mul(b3, half)
      top = Sub(b1, half_height)
      bottom = Add(b1, half_height)
      left = Sub(b0, half_width)
      right = Add(b0, half_width))");
  writer.add("shape = Shape(scores)");
  if (writer.has(4))
    writer.add("candidates = Greater(scores, score_threshold)");
  else
    writer.add(R"(
      yes = Equal(zero, zero)
      candidates = Expand(yes, shape))");
  writer.add(R"(
      height = Sub(bottom, top)
      width = Sub(right, left)
      area = Mul(height, width)
      tops = Unsqueeze(top, axis1)
      bottoms = Unsqueeze(bottom, axis1)
      lefts = Unsqueeze(left, axis1)
      rights = Unsqueeze(right, axis1)
      areas = Unsqueeze(area, axis1)
      none = Constant<value_float = 0.0>()
      lowest = Constant<value_float = -3.4028234e38>()
      boxes_left = Gather(shape, two)
      numbers = Range(zero, boxes_left, one)
      trips = Min(max_boxes, boxes_left)
      last, picks, valids = Loop<body = pick_boxes(iteration, goes_on, candidates_in)
          => (any_left, candidates_out, picked, valid) {
        left_scores = Where(candidates_in, scores, lowest)
        picked = ArgMax<axis = 2, keepdims = 0>(left_scores)
        pick = Unsqueeze(picked, axis2)
        valid_pick = GatherElements<axis = 2>(candidates_in, pick)
        valid = Squeeze(valid_pick, axis2)
        top_1 = GatherElements<axis = 1>(top, picked)
        bottom_1 = GatherElements<axis = 1>(bottom, picked)
        left_1 = GatherElements<axis = 1>(left, picked)
        right_1 = GatherElements<axis = 1>(right, picked)
        area_1 = GatherElements<axis = 1>(area, picked)
        top_2 = Unsqueeze(top_1, axis2)
        bottom_2 = Unsqueeze(bottom_1, axis2)
        left_2 = Unsqueeze(left_1, axis2)
        right_2 = Unsqueeze(right_1, axis2)
        area_2 = Unsqueeze(area_1, axis2)
        inner_top = Max(tops, top_2)
        inner_bottom = Min(bottoms, bottom_2)
        inner_left = Max(lefts, left_2)
        inner_right = Min(rights, right_2)
        difference_y = Sub(inner_bottom, inner_top)
        difference_x = Sub(inner_right, inner_left)
        inner_height = Max(difference_y, none)
        inner_width = Max(difference_x, none)
        intersection = Mul(inner_height, inner_width)
        both = Add(areas, area_2)
        union = Sub(both, intersection)
        iou = Div(intersection, union)
        overlaps = Greater(iou, iou_limit)
        is_pick = Equal(numbers, pick)
        removed = Or(overlaps, is_pick)
        stays = Not(removed)
        candidates_out = And(candidates_in, stays)
        as_numbers = Cast<to = 7>(candidates_out)
        most = ReduceMax<keepdims = 0>(as_numbers)
        any_left = Greater(most, zero)
      }>(trips, , candidates)
      picks_of_class = Transpose<perm = [1, 2, 0]>(picks)
      valids_of_class = Transpose<perm = [1, 2, 0]>(valids)
      places_by_axis = NonZero(valids_of_class)
      places = Transpose<perm = [1, 0]>(places_by_axis)
      box = GatherND(picks_of_class, places)
      box_column = Unsqueeze(box, axis1)
      first = Constant<value_ints = [0]>()
      batch_and_class = Slice(places, first, axis2, axis1)
      selected_indices = Concat<axis = 1>(batch_and_class, box_column))");
  return writer.take(
      {"boxes", "scores", "max_output_boxes_per_class", "iou_threshold", "score_threshold"},
      {"selected_indices"});
}

//===----------------------------------------------------------------------===//
// BatchNormalization that updates its statistics
//===----------------------------------------------------------------------===//

static std::optional<FunctionProto> batchNormalization(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0);
  if (!rank || *rank < 2 || writer.integer("training_mode", 0) == 0)
    return std::nullopt;
  std::vector<int64_t> axes = iota(*rank);
  axes.erase(axes.begin() + 1);
  writer.set("axes", axes);
  float momentum = writer.number("momentum", 0.9F);
  writer.set("kept", floatText(momentum));
  writer.set("taken", floatText(1 - momentum));
  writer.set("epsilon", floatText(writer.number("epsilon", 1e-5F)));
  writer.add(R"(
      axes = Constant<value_ints = $axes>()
      epsilon_float = Constant<value_float = $epsilon>()
      kept_float = Constant<value_float = $kept>()
      taken_float = Constant<value_float = $taken>()
      epsilon = CastLike(epsilon_float, x)
      kept = CastLike(kept_float, mean)
      taken = CastLike(taken_float, mean)
      batch_mean = ReduceMean(x, axes)
      centered = Sub(x, batch_mean)
      squares = Mul(centered, centered)
      batch_var = ReduceMean(squares, axes)
      positive_var = Add(batch_var, epsilon)
      deviation = Sqrt(positive_var)
      normal = Div(centered, deviation)
      scales_own = Unsqueeze(scale, axes)
      biases_own = Unsqueeze(bias, axes)
      scales = CastLike(scales_own, x)
      biases = CastLike(biases_own, x)
      scaled = Mul(normal, scales)
      y = Add(scaled, biases)
      mean_list = Squeeze(batch_mean, axes)
      var_list = Squeeze(batch_var, axes)
      new_mean = CastLike(mean_list, mean)
      new_var = CastLike(var_list, mean)
      mean_kept = Mul(mean, kept)
      mean_taken = Mul(new_mean, taken)
      running_mean = Add(mean_kept, mean_taken)
      var_kept = Mul(var, kept)
      var_taken = Mul(new_var, taken)
      running_var = Add(var_kept, var_taken))");
  return writer.take({"x", "scale", "bias", "mean", "var"}, {"y", "running_mean", "running_var"});
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

static constexpr const char *kOperators[] = {"BatchNormalization",
                                             "CumProd",
                                             "CumSum",
                                             "DFT",
                                             "NonMaxSuppression",
                                             "Pad",
                                             "Resize",
                                             "Slice",
                                             "Squeeze",
                                             "Unsqueeze"};

bool hasOwnBody(const NodeProto &node) {
  return node.domain().empty() && llvm::is_contained(kOperators, node.op_type());
}

std::optional<FunctionProto> ownBody(const NodeProto &node, const TypeScope &types) {
  if (!hasOwnBody(node))
    return std::nullopt;
  BodyWriter writer(node, types);
  StringRef type = node.op_type();
  if (type == "NonMaxSuppression")
    return nonMaxSuppression(writer);
  if (type == "BatchNormalization")
    return batchNormalization(writer);
  if (type == "Squeeze")
    return squeezeBody(writer);
  if (type == "CumSum" || type == "CumProd")
    return cumulativeBody(writer);
  if (type == "Pad")
    return padBody(writer);
  if (type == "DFT")
    return fourierBody(writer);
  if (type == "Resize")
    return resizeBody(writer);
  if (type == "Slice")
    return sliceBody(writer);
  return unsqueezeBody(writer);
}

} // namespace dsc::import
