//===- RunTimeAxes.cpp - operators whose axes are known when running --------===//
//
// Made of the same operators with constant axes in branches, one for each axis, or of
// shapes, starts and pads of all axes.
//
//===----------------------------------------------------------------------===//
#include "BodyWriter.h"

namespace dsc::import {

using onnx::FunctionProto;

/// Defines "axes_in_range", without negative axes of a tensor of `rank`.
static void normalizeAxes(BodyWriter &writer, int64_t rank) {
  writer.set("rank", rank);
  writer.add(R"(
      no_axis = Constant<value_int = 0>()
      rank_number = Constant<value_int = $rank>()
      axes_long = Cast<to = 7>(axes)
      counts_back = Less(axes_long, no_axis)
      axes_from_end = Add(axes_long, rank_number)
      axes_in_range = Where(counts_back, axes_from_end, axes_long))");
}

/// Defines "is_axis": 1 for each of `rank` axes that is listed, 0 for others.
static void findAxes(BodyWriter &writer, int64_t rank) {
  normalizeAxes(writer, rank);
  writer.set("all", iota(rank));
  writer.add(R"(
      all_axes = Constant<value_ints = $all>()
      inner_axis = Constant<value_ints = [1]>()
      axis_column = Unsqueeze(all_axes, inner_axis)
      matches = Equal(axis_column, axes_in_range)
      match_numbers = Cast<to = 7>(matches)
      is_axis = ReduceMax<keepdims = 0>(match_numbers, inner_axis))");
}

void branchOverAxes(BodyWriter &writer, int64_t rank, int64_t count, llvm::StringRef node) {
  normalizeAxes(writer, rank);
  writer.add("axis = ReduceSum<keepdims = 0>(axes_in_range)  part_0 = Identity(x)");
  for (int64_t i = 0; i < count; ++i) {
    writer.set("i", i);
    writer.set("next", i + 1);
    writer.add(R"(
      number_$i = Constant<value_int = $i>()
      is_here_$i = Equal(axis, number_$i)
      part_$next = If<
        then_branch = this_axis() => (done_$i) { done_$i = )" +
               node.str() + R"( },
        else_branch = other_axis() => (same_$i) { same_$i = Identity(part_$i) }>(is_here_$i))");
  }
  writer.set("last", count);
  writer.add("y = Identity(part_$last)");
}

std::optional<FunctionProto> squeezeBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0), count = writer.length(1);
  if (!rank || !count || *count == 0 || *count > *rank || writer.isConstant(1))
    return std::nullopt;
  findAxes(writer, *rank);
  writer.set("kept", std::vector<int64_t>{*rank - *count});
  writer.add(R"(
      one = Constant<value_int = 1>()
      is_kept = Sub(one, is_axis)
      kept_count = Constant<value_ints = $kept>()
      unused, kept_axes = TopK(is_kept, kept_count)
      shape = Shape(x)
      kept_shape = Gather(shape, kept_axes)
      y = Reshape<allowzero = 1>(x, kept_shape))");
  return writer.take({"x", "axes"}, {"y"});
}

std::optional<FunctionProto> unsqueezeBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0), count = writer.length(1);
  if (!rank || !count || *count == 0 || writer.isConstant(1))
    return std::nullopt;
  findAxes(writer, *rank + *count);
  writer.add(R"(
      shape = Shape(x)
      one = Constant<value_ints = [1]>()
      some_sizes = Concat<axis = 0>(shape, one)
      is_kept = Sub(one, is_axis)
      kept_before = CumSum<exclusive = 1>(is_kept, no_axis)
      sizes = Gather(some_sizes, kept_before)
      is_new = Equal(is_axis, one)
      new_shape = Where(is_new, one, sizes)
      y = Reshape<allowzero = 1>(x, new_shape))");
  return writer.take({"x", "axes"}, {"y"});
}

/// CumSum, CumProd: one branch for each axis.
std::optional<FunctionProto> cumulativeBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0);
  if (!rank || *rank == 0 || writer.isConstant(1))
    return std::nullopt;
  writer.set("scan", writer.type());
  writer.set("exclusive", writer.integer("exclusive", 0));
  writer.set("reverse", writer.integer("reverse", 0));
  branchOverAxes(writer, *rank, *rank,
                 "$scan<exclusive = $exclusive, reverse = $reverse>(x, number_$i)");
  return writer.take({"x", "axes"}, {"y"});
}

/// Pads of all axes from those of the listed ones.
std::optional<FunctionProto> padBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0);
  if (!rank || !writer.has(3) || writer.isConstant(3))
    return std::nullopt;
  normalizeAxes(writer, *rank);
  writer.set("zeros", std::vector<int64_t>(2 * *rank, 0));
  writer.set("mode", writer.text("mode", "constant"));
  writer.set("value", writer.has(2) ? "constant_value" : "");
  writer.add(R"(
      no_pads = Constant<value_ints = $zeros>()
      ends = Add(axes_in_range, rank_number)
      places = Concat<axis = 0>(axes_in_range, ends)
      all_pads = ScatterElements<axis = 0>(no_pads, places, pads)
      y = Pad<mode = "$mode">(x, all_pads, $value))");
  return writer.take({"x", "pads", "constant_value", "axes"}, {"y"});
}

/// Slices all axes, each by gathering its indices.
std::optional<FunctionProto> sliceBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0), count = writer.length(1);
  bool isKnown =
      (!writer.has(3) || writer.isConstant(3)) && (!writer.has(4) || writer.isConstant(4));
  if (!rank || !count || isKnown)
    return std::nullopt;
  writer.set("ones", std::vector<int64_t>(*rank, 1));
  writer.set("some_ones", std::vector<int64_t>(*count, 1));
  writer.set("zeros", std::vector<int64_t>(*rank, 0));
  writer.set("some_axes", iota(*count));
  writer.add(writer.has(3) ? "axes = Identity(given_axes)"
                           : "axes = Constant<value_ints = $some_axes>()");
  writer.add(writer.has(4) ? "steps = Identity(given_steps)"
                           : "steps = Constant<value_ints = $some_ones>()");
  normalizeAxes(writer, *rank);
  writer.add(R"(
      zero = Constant<value_int = 0>()
      one = Constant<value_int = 1>()
      zeros = Constant<value_ints = $zeros>()
      ones = Constant<value_ints = $ones>()
      starts_long = Cast<to = 7>(starts)
      ends_long = Cast<to = 7>(ends)
      steps_long = Cast<to = 7>(steps)
      shape = Shape(x)
      last = Sub(shape, ones)
      all_starts = ScatterElements<axis = 0>(zeros, axes_in_range, starts_long)
      all_ends = ScatterElements<axis = 0>(shape, axes_in_range, ends_long)
      all_steps = ScatterElements<axis = 0>(ones, axes_in_range, steps_long)
      start_is_negative = Less(all_starts, zero)
      starts_back = Add(all_starts, shape)
      plain_starts = Where(start_is_negative, starts_back, all_starts)
      end_is_negative = Less(all_ends, zero)
      ends_back = Add(all_ends, shape)
      plain_ends = Where(end_is_negative, ends_back, all_ends)
      goes_back = Less(all_steps, zero)
      back_number = Cast<to = 7>(goes_back)
      lower_end = Neg(back_number)
      upper = Where(goes_back, last, shape)
      starts_above = Max(plain_starts, zero)
      from = Min(starts_above, upper)
      ends_above = Max(plain_ends, lower_end)
      to = Min(ends_above, upper)
      part_0 = Identity(x))");
  for (int64_t i = 0; i < *rank; ++i) {
    writer.set("i", i);
    writer.set("next", i + 1);
    writer.add(R"(
      number_$i = Constant<value_int = $i>()
      from_$i = Gather(from, number_$i)
      to_$i = Gather(to, number_$i)
      step_$i = Gather(all_steps, number_$i)
      indices_$i = Range(from_$i, to_$i, step_$i)
      part_$next = Gather<axis = $i>(part_$i, indices_$i))");
  }
  writer.add("y = Identity(part_$rank)");
  return writer.take({"x", "starts", "ends", "given_axes", "given_steps"}, {"y"});
}

} // namespace dsc::import
