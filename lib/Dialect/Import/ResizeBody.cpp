//===- ResizeBody.cpp - Resize as gathers and weighted sums -----------------===//
//
// For scales that are known when running, and antialiasing: one axis after the other,
// by an index, or a row of taps and their weights, for each of its positions.
//
//===----------------------------------------------------------------------===//
#include "BodyWriter.h"

#include "llvm/ADT/STLExtras.h"

namespace dsc::import {

using llvm::StringRef;
using onnx::FunctionProto;

/// Defines "`to`_$j": "`from`_$j" with `count` more axes of size 1 from `first` on.
static void broadcast(BodyWriter &writer, const char *from, const char *to, int64_t count,
                      int64_t first) {
  writer.set("from", from);
  writer.set("to", to);
  writer.set("dash", "_");
  writer.set("rest", iota(count, first));
  if (count == 0)
    writer.add("$to$dash$j = Identity($from$dash$j)");
  else
    writer.add(R"(
      axes_of_$to$dash$j = Constant<value_ints = $rest>()
      $to$dash$j = Unsqueeze($from$dash$j, axes_of_$to$dash$j))");
}

/// Defines "x_$j": where the positions "o_$j" of an axis come from. "scale_$j" is the
/// scale, "width_$j" the length before it was rounded down.
static bool addCoordinates(BodyWriter &writer, StringRef mode) {
  writer.add(R"(
      shifted_$j = Add(o_$j, half)
      scaled_$j = Div(shifted_$j, scale_$j)
      half_pixel_$j = Sub(scaled_$j, half)
      is_single_$j = Equal(width_$j, one)
      last_$j = Sub(input_$j, one)
      steps_$j = Sub(width_$j, one))");
  if (mode == "half_pixel")
    writer.add("x_$j = Identity(half_pixel_$j)");
  else if (mode == "asymmetric")
    writer.add("x_$j = Div(o_$j, scale_$j)");
  else if (mode == "pytorch_half_pixel")
    writer.add("x_$j = Where(is_single_$j, none, half_pixel_$j)");
  else if (mode == "align_corners")
    writer.add(R"(
      spread_$j = Mul(o_$j, last_$j)
      corner_$j = Div(spread_$j, steps_$j)
      x_$j = Where(is_single_$j, none, corner_$j))");
  else if (mode == "half_pixel_symmetric")
    writer.add(R"(
      output_$j = Floor(width_$j)
      adjustment_$j = Div(output_$j, width_$j)
      lost_$j = Sub(one, adjustment_$j)
      center_$j = Mul(input_$j, half)
      offset_$j = Mul(center_$j, lost_$j)
      x_$j = Add(offset_$j, half_pixel_$j))");
  else if (mode == "tf_crop_and_resize")
    writer.add(R"(
      middle_1_$j = Add(begin_$j, end_$j)
      middle_2_$j = Mul(middle_1_$j, half)
      middle_$j = Mul(middle_2_$j, last_$j)
      steps_1_$j = Mul(o_$j, part_of_$j)
      steps_2_$j = Mul(steps_1_$j, last_$j)
      steps_3_$j = Div(steps_2_$j, steps_$j)
      origin_$j = Mul(begin_$j, last_$j)
      place_$j = Add(origin_$j, steps_3_$j)
      x_$j = Where(is_single_$j, middle_$j, place_$j))");
  else
    return false;
  return true;
}

/// The positions outside of the input have the value that is extrapolated.
static void extrapolate(BodyWriter &writer, int64_t axis, int64_t rank) {
  writer.set("extrapolation", floatText(writer.number("extrapolation_value", 0)));
  writer.add(R"(
      is_before_$j = Less(x_$j, none)
      is_after_$j = Greater(x_$j, last_$j)
      outside_$j = Or(is_before_$j, is_after_$j))");
  broadcast(writer, "outside", "replaced", rank - axis - 1, 1);
  writer.add(R"(
      value_$j = Constant<value_float = $extrapolation>()
      value_like_$j = CastLike(value_$j, result_$j)
      part_$next = Where(replaced_$j, value_like_$j, result_$j))");
}

/// Defines "index_$j": the nearest position to "x_$j".
static void addNearest(BodyWriter &writer, StringRef mode) {
  if (mode == "round_prefer_floor")
    writer.add("lower_$j = Sub(x_$j, half)  near_$j = Ceil(lower_$j)");
  else if (mode == "round_prefer_ceil")
    writer.add("upper_$j = Add(x_$j, half)  near_$j = Floor(upper_$j)");
  else if (mode == "ceil")
    writer.add("near_$j = Ceil(x_$j)");
  else
    writer.add("near_$j = Floor(x_$j)");
  writer.add(R"(
      above_$j = Max(near_$j, none)
      inside_$j = Min(above_$j, last_$j)
      index_$j = Cast<to = 7>(inside_$j)
      result_$j = Gather<axis = $axis>(part_$j, index_$j))");
}

/// Weighs taps around "x_$j". A filter that is stretched when an axis shrinks has as
/// many taps as it covers.
static void addFilter(BodyWriter &writer, int64_t axis, int64_t rank) {
  bool isCubic = writer.text("mode", "nearest") == "cubic";
  writer.set("reach", isCubic ? "2.0" : "1.0");
  if (writer.integer("antialias", 0) != 0)
    writer.add("stretch_$j = Min(scale_$j, one)");
  else
    writer.add("stretch_$j = Identity(one)");
  writer.set("tap_axis", std::vector<int64_t>{axis + 1});
  writer.add(R"(
      reach_$j = Constant<value_float = $reach>()
      covered_$j = Div(reach_$j, stretch_$j)
      before_$j = Neg(covered_$j)
      below_$j = Floor(before_$j)
      first_$j = Add(below_$j, one)
      end_$j = Sub(two, first_$j)
      first_tap_$j = Cast<to = 7>(first_$j)
      end_tap_$j = Cast<to = 7>(end_$j)
      tap_numbers_$j = Range(first_tap_$j, end_tap_$j, step_number)
      taps_$j = Cast<to = 1>(tap_numbers_$j)
      floor_$j = Floor(x_$j)
      ratio_$j = Sub(x_$j, floor_$j)
      column_$j = Unsqueeze(ratio_$j, tap_column)
      places_$j = Unsqueeze(floor_$j, tap_column)
      distances_$j = Sub(taps_$j, column_$j)
      stretched_$j = Mul(distances_$j, stretch_$j)
      d_$j = Abs(stretched_$j)
      at_$j = Add(places_$j, taps_$j)
      above_$j = Max(at_$j, none)
      inside_$j = Min(above_$j, last_$j)
      index_$j = Cast<to = 7>(inside_$j))");
  if (isCubic)
    writer.add(R"(
      c_$j = Constant<value_float = $coefficient>()
      c2_$j = Add(c_$j, two)
      c3_$j = Add(c2_$j, one)
      inner1_$j = Mul(c2_$j, d_$j)
      inner2_$j = Sub(inner1_$j, c3_$j)
      inner3_$j = Mul(inner2_$j, d_$j)
      inner4_$j = Mul(inner3_$j, d_$j)
      inner_$j = Add(inner4_$j, one)
      outer1_$j = Sub(d_$j, five)
      outer2_$j = Mul(outer1_$j, d_$j)
      outer3_$j = Add(outer2_$j, eight)
      outer4_$j = Mul(outer3_$j, d_$j)
      outer5_$j = Sub(outer4_$j, four)
      outer_$j = Mul(outer5_$j, c_$j)
      is_inner_$j = LessOrEqual(d_$j, one)
      is_outer_$j = Less(d_$j, two)
      tail_$j = Where(is_outer_$j, outer_$j, none)
      filter_$j = Where(is_inner_$j, inner_$j, tail_$j))");
  else
    writer.add("near_$j = Sub(one, d_$j)  filter_$j = Max(near_$j, none)");
  if (writer.integer("exclude_outside", 0) != 0)
    writer.add(
        "is_inside_$j = Equal(at_$j, inside_$j)  used_$j = Where(is_inside_$j, filter_$j, none)");
  else
    writer.add("used_$j = Identity(filter_$j)");
  writer.add(R"(
      sum_$j = ReduceSum<keepdims = 1>(used_$j, tap_column)
      weights_$j = Div(used_$j, sum_$j)
      gathered_$j = Gather<axis = $axis>(part_$j, index_$j))");
  broadcast(writer, "weights", "own", rank - axis - 1, 2);
  writer.add(R"(      weighed_$j = Mul(gathered_$j, own_$j)
      tap_axis_$j = Constant<value_ints = $tap_axis>()
      result_$j = ReduceSum<keepdims = 0>(weighed_$j, tap_axis_$j))");
}

/// One axis after the other.
std::optional<FunctionProto> resizeBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0);
  bool bySizes = writer.has(3), isNearest = writer.text("mode", "nearest") == "nearest";
  int list = bySizes ? 3 : 2;
  std::string policy = writer.text("keep_aspect_ratio_policy", "stretch");
  std::string mode = writer.text("coordinate_transformation_mode", "half_pixel");
  bool isCrop = mode == "tf_crop_and_resize";
  bool isNeeded = bySizes ? policy != "stretch" : !writer.isConstant(2);
  isNeeded |= isCrop && !writer.isConstant(1);
  if (!rank || writer.length(list).value_or(0) == 0 || (isCrop && !writer.has(1)) ||
      !(isNeeded || writer.integer("antialias", 0) != 0))
    return std::nullopt;
  std::vector<int64_t> axes = writer.integers("axes", iota(*rank));
  for (int64_t &axis : axes)
    axis += axis < 0 ? *rank : 0;
  if (*writer.length(list) != static_cast<int64_t>(axes.size()))
    return std::nullopt;
  writer.set("axes", axes);
  writer.set("coefficient", floatText(writer.number("cubic_coeff_a", -0.75F)));
  writer.add(R"(
      none = Constant<value_float = 0.0>()
      half = Constant<value_float = 0.5>()
      one = Constant<value_float = 1.0>()
      two = Constant<value_float = 2.0>()
      four = Constant<value_float = 4.0>()
      five = Constant<value_float = 5.0>()
      eight = Constant<value_float = 8.0>()
      first_number = Constant<value_int = 0>()
      step_number = Constant<value_int = 1>()
      tap_column = Constant<value_ints = [1]>()
      axes = Constant<value_ints = $axes>()
      shape = Shape(x)
      axis_sizes = Gather(shape, axes)
      inputs = Cast<to = 1>(axis_sizes))");
  if (!bySizes)
    writer.add("factors = Identity(scales)  widths = Mul(inputs, factors)");
  else
    writer.add("asked = Cast<to = 1>(sizes)  ratios = Div(asked, inputs)");
  if (bySizes && policy == "stretch")
    writer.add("factors = Identity(ratios)  widths = Identity(asked)");
  if (bySizes && policy != "stretch") {
    writer.set("choose", policy == "not_larger" ? "ReduceMin" : "ReduceMax");
    writer.add(R"(
      axes_shape = Shape(inputs)
      factor = $choose<keepdims = 0>(ratios)
      factors = Expand(factor, axes_shape)
      fitting = Mul(inputs, factors)
      rounded = Add(fitting, half)
      widths = Floor(rounded))");
  }
  writer.add(isNearest ? "part_0 = Identity(x)" : "part_0 = Cast<to = 1>(x)");
  for (auto [j, axis] : llvm::enumerate(axes)) {
    writer.set("j", static_cast<int64_t>(j));
    writer.set("next", static_cast<int64_t>(j) + 1);
    writer.set("end", static_cast<int64_t>(j + axes.size()));
    writer.set("axis", axis);
    writer.add(R"(
      number_$j = Constant<value_int = $j>()
      scale_$j = Gather(factors, number_$j)
      width_$j = Gather(widths, number_$j)
      input_$j = Gather(inputs, number_$j))");
    if (isCrop)
      writer.add(R"(
      begin_$j = Gather(roi, number_$j)
      end_number_$j = Constant<value_int = $end>()
      end_$j = Gather(roi, end_number_$j)
      part_of_$j = Sub(end_$j, begin_$j))");
    if (isCrop && !bySizes)
      writer.add("cropped_$j = Mul(width_$j, part_of_$j)  length_$j = Floor(cropped_$j)");
    else
      writer.add("length_$j = Floor(width_$j)");
    writer.add(R"(
      length_number_$j = Cast<to = 7>(length_$j)
      positions_$j = Range(first_number, length_number_$j, step_number)
      o_$j = Cast<to = 1>(positions_$j))");
    if (!addCoordinates(writer, mode))
      return std::nullopt;
    if (isNearest)
      addNearest(writer, writer.text("nearest_mode", "round_prefer_floor"));
    else
      addFilter(writer, axis, *rank);
    if (isCrop)
      extrapolate(writer, axis, *rank);
    else
      writer.add("part_$next = Identity(result_$j)");
  }
  writer.set("last", static_cast<int64_t>(axes.size()));
  writer.add("y = CastLike(part_$last, x)");
  return writer.take({"x", "roi", "scales", "sizes"}, {"y"});
}

} // namespace dsc::import
