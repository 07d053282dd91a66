//===- FourierBody.cpp - DFT as products with matrices of sines -------------===//
//
// X[k] = sum over j of x[j] exp(-2 pi i jk / N). What follows of a signal after its
// first N elements does not count; missing elements are zeros, which need no product.
//
//===----------------------------------------------------------------------===//
#include "BodyWriter.h"

#include <numeric>

namespace dsc::import {

using onnx::FunctionProto;

/// Along an axis that only a run knows; the last one is that of real and imaginary parts.
static FunctionProto branchesOverAxes(BodyWriter &writer, int64_t rank) {
  writer.set("inverse", writer.integer("inverse", 0));
  writer.set("onesided", writer.integer("onesided", 0));
  writer.set("length", writer.has(1) ? "dft_length" : "");
  branchOverAxes(writer, rank, rank - 1,
                 "DFT<inverse = $inverse, onesided = $onesided>(x, $length, number_$i)");
  return writer.take({"x", "dft_length", "axes"}, {"y"});
}

/// Defines "cosines" and "sines", whose rows are the input's elements. Of a real
/// result's spectrum one half is given: the other half doubles all but its ends.
static void addMatrices(BodyWriter &writer, bool isOneSided, bool isInverse) {
  writer.add(R"(
      zero = Constant<value_int = 0>()
      one = Constant<value_int = 1>()
      two = Constant<value_int = 2>()
      circle = Constant<value = double {6.283185307179586}>()
      column = Constant<value_ints = [1]>()
      given_shape = Shape(moved)
      place = Constant<value_int = -2>()
      given = Gather(given_shape, place))");
  if (writer.has(1))
    writer.add("length = ReduceSum<keepdims = 0>(dft_length)");
  else if (isOneSided && isInverse) // A single element is a signal of one, too.
    writer.add("steps = Sub(given, one)  doubled = Mul(steps, two)  length = Max(doubled, one)");
  else
    writer.add("length = Identity(given)");
  if (isOneSided)
    writer.add("halves = Div(length, two)  half = Add(halves, one)");
  else
    writer.add("half = Identity(length)");
  writer.add(isInverse ? "wanted = Identity(length)  most = Identity(half)"
                       : "wanted = Identity(half)  most = Identity(length)");
  writer.add(R"(
      used = Min(given, most)
      from = Range(zero, used, one)
      to = Range(zero, wanted, one)
      rows = Unsqueeze(from, column)
      products = Mul(rows, to)
      turns = Mod(products, length)
      turns_double = Cast<to = 11>(turns)
      length_double = Cast<to = 11>(length)
      parts = Div(turns_double, length_double)
      angles = Mul(parts, circle)
      plain_cosines = Cos(angles)
      plain_sines = Sin(angles))");
  if (isInverse && isOneSided)
    writer.add(R"(
      twice = Mul(rows, two)
      row_ends = Mod(twice, length)
      is_end = Equal(row_ends, zero)
      times = Where(is_end, one, two)
      times_double = Cast<to = 11>(times)
      weights = Div(times_double, length_double))");
  else if (isInverse)
    writer.add("unit = Cast<to = 11>(one)  weights = Div(unit, length_double)");
  else
    writer.add("weights = Cast<to = 11>(one)");
  writer.add(R"(
      cosines_double = Mul(plain_cosines, weights)
      sines_double = Mul(plain_sines, weights)
      cosines = CastLike(cosines_double, x)
      sines = CastLike(sines_double, x))");
}

std::optional<FunctionProto> fourierBody(BodyWriter &writer) {
  std::optional<int64_t> rank = writer.rank(0), parts = writer.size(0, -1);
  if (!rank || *rank < 2 || !parts)
    return std::nullopt;
  std::optional<int64_t> axis = writer.has(2) ? writer.constant(2) : -2;
  if (!axis)
    return branchesOverAxes(writer, *rank);
  if (*axis < -*rank || *axis >= *rank)
    return std::nullopt;
  bool isComplex = *parts == 2, isInverse = writer.integer("inverse", 0) != 0;
  bool isOneSided = writer.integer("onesided", 0) != 0;
  std::vector<int64_t> order = iota(*rank);
  std::swap(order[*axis < 0 ? *axis + *rank : *axis], order[*rank - 2]);
  writer.set("order", order);
  writer.add("moved = Transpose<perm = $order>(x)");
  addMatrices(writer, isOneSided, isInverse);
  writer.add(R"(
      first = Constant<value_ints = [0]>()
      before_last = Constant<value_ints = [-2]>()
      last = Constant<value_ints = [-1]>()
      used_list = Unsqueeze(used, first)
      signal = Slice(moved, first, used_list, before_last)
      re = Gather<axis = -1>(signal, zero)
      re_cos = MatMul(re, cosines)
      re_sin = MatMul(re, sines))");
  if (isComplex)
    writer.add(R"(
      im = Gather<axis = -1>(signal, one)
      im_cos = MatMul(im, cosines)
      im_sin = MatMul(im, sines))");
  writer.set("real", isInverse ? "Sub" : "Add");
  writer.set("imaginary", isInverse ? "Add" : "Sub");
  if (isComplex)
    writer.add("y_re = $real(re_cos, im_sin)  y_im = $imaginary(im_cos, re_sin)");
  else
    writer.add(isInverse ? "y_re = Identity(re_cos)  y_im = Identity(re_sin)"
                         : "y_re = Identity(re_cos)  y_im = Neg(re_sin)");
  writer.add("re_part = Unsqueeze(y_re, last)");
  if (isInverse && isOneSided)
    writer.add("result = Identity(re_part)");
  else
    writer.add("im_part = Unsqueeze(y_im, last)  result = Concat<axis = -1>(re_part, im_part)");
  writer.add("y = Transpose<perm = $order>(result)");
  return writer.take({"x", "dft_length", "axis"}, {"y"});
}

} // namespace dsc::import
