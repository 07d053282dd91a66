//===- Sampling.cpp - scalar code that reads between elements -------------===//
#include "Sampling.h"

using namespace mlir;

namespace dsc {

static Value interpolateFrom(ScalarBuilder &s, ArrayRef<AxisTaps> taps,
                             SmallVectorImpl<Value> &indices,
                             function_ref<Value(ValueRange)> read) {
  if (indices.size() == taps.size())
    return read(indices);
  const AxisTaps &axis = taps[indices.size()];
  Value sum;
  for (auto [i, index] : llvm::enumerate(axis.indices)) {
    indices.push_back(index);
    Value value = interpolateFrom(s, taps, indices, read);
    indices.pop_back();
    if (!axis.weights.empty())
      value = s.mul(value, axis.weights[i]);
    sum = sum ? s.add(sum, value) : value;
  }
  return sum;
}

Value interpolate(ScalarBuilder &s, ArrayRef<AxisTaps> taps, function_ref<Value(ValueRange)> read) {
  SmallVector<Value> indices;
  return interpolateFrom(s, taps, indices, read);
}

Value floorIndex(ScalarBuilder &s, Value x, Value *fraction) {
  Value floor = s.math<math::FloorOp>(x);
  if (fraction)
    *fraction = s.sub(x, floor);
  Type wide = s.builder.getI64Type();
  return s.with(wide).toIndex(s.cast(floor, s.type, wide));
}

AxisTaps linearTaps(ScalarBuilder &s, Value x) {
  Value fraction;
  Value first = floorIndex(s, x, &fraction);
  AxisTaps taps;
  taps.indices = {first, s.indexAdd(first, s.index(1))};
  taps.weights = {s.sub(s.constant(1), fraction), fraction};
  return taps;
}

/// The cubic convolution kernel at distance t: below 1, and from 1 to 2.
static Value cubicNear(ScalarBuilder &s, Value t, double a) {
  Value v = s.sub(s.mul(s.constant(a + 2), t), s.constant(a + 3));
  return s.add(s.mul(s.mul(v, t), t), s.constant(1));
}
static Value cubicFar(ScalarBuilder &s, Value t, double a) {
  Value v = s.sub(s.mul(s.constant(a), t), s.constant(5 * a));
  v = s.add(s.mul(v, t), s.constant(8 * a));
  return s.sub(s.mul(v, t), s.constant(4 * a));
}

AxisTaps cubicTaps(ScalarBuilder &s, Value x, double a) {
  Value fraction;
  Value first = floorIndex(s, x, &fraction);
  Value rest = s.sub(s.constant(1), fraction);
  AxisTaps taps;
  for (int64_t offset = -1; offset <= 2; ++offset)
    taps.indices.push_back(s.indexAdd(first, s.index(offset)));
  taps.weights = {cubicFar(s, s.add(fraction, s.constant(1)), a), cubicNear(s, fraction, a),
                  cubicNear(s, rest, a), cubicFar(s, s.add(rest, s.constant(1)), a)};
  return taps;
}

Value clampIndex(ScalarBuilder &s, Value index, Dim size) {
  ScalarBuilder onIndex = s.with(s.builder.getIndexType());
  Value last = s.indexSub(s.size(size), s.index(1));
  return onIndex.max(onIndex.min(index, last), s.index(0));
}

Value floatSize(ScalarBuilder &s, Dim size) {
  if (size.isConstant())
    return s.constant(static_cast<double>(size.getConstant()));
  return s.fromIndex(s.size(size));
}

} // namespace dsc
