//===- ScalarFunctions.cpp - scalar code of elementwise operators ---------===//
#include "dsc/Dialect/IR/ScalarFunctions.h"
#include "dsc/Dialect/IR/DscDialect.h"

#include <limits>

using namespace mlir;

namespace dsc {

Value whereNegative(const ScalarBuilder &s, Value x, Value a, Value b) {
  return s.select(s.lt(x, s.constant(0)), a, b);
}

Value sign(const ScalarBuilder &s, Value x) {
  // Neither positive nor negative: zero or NaN, which is its own sign.
  Value positive = s.select(s.gt(x, s.constant(0)), s.constant(1), x);
  return s.isUnsigned() ? positive : whereNegative(s, x, s.constant(-1), positive);
}

Value isInf(const ScalarBuilder &s, Value x, bool detectNegative, bool detectPositive) {
  Value infinity = s.constant(std::numeric_limits<double>::infinity());
  if (detectNegative && detectPositive)
    return s.eq(s.abs(x), infinity);
  if (detectPositive)
    return s.eq(x, infinity);
  if (detectNegative)
    return s.eq(s.neg(x), infinity);
  return s.boolean(false);
}

Value floorMod(const ScalarBuilder &s, Value a, Value b) {
  Value result = s.mod(a, b);
  if (!s.isFloat())
    return result;
  Value zero = s.math<math::CopySignOp>(s.constant(0), b);
  return s.select(s.eq(result, s.constant(0)), zero, result);
}

//===----------------------------------------------------------------------===//
// Powers
//===----------------------------------------------------------------------===//

/// base ** exponent for exponents that are not negative: square and multiply, a
/// step for each bit.
static Value unsignedPower(const ScalarBuilder &s, const ScalarBuilder &e, Value base,
                           Value exponent, unsigned bits) {
  Value result = s.integer(1);
  for (unsigned bit = 0; bit < bits; ++bit) {
    if (bit > 0) {
      base = s.mul(base, base);
      exponent = e.shiftRight(exponent, e.integer(1));
    }
    Value isOdd = e.ne(e.bitAnd(exponent, e.integer(1)), e.integer(0));
    result = s.select(isOdd, s.mul(result, base), result);
  }
  return result;
}

static Value integerPower(const ScalarBuilder &s, const ScalarBuilder &e, Value base,
                          Value exponent) {
  unsigned width = exponent.getType().getIntOrFloatBitWidth();
  if (e.isUnsigned())
    return unsignedPower(s, e, base, exponent, width);
  Value result = unsignedPower(s, e, base, exponent, width - 1);
  // 1 / base ** -exponent, towards zero: only 1 and -1 leave something.
  Value isOdd = e.ne(e.bitAnd(exponent, e.integer(1)), e.integer(0));
  Value ofMinusOne = s.select(isOdd, s.integer(-1), s.integer(1));
  Value inverse = s.select(s.eq(base, s.integer(-1)), ofMinusOne, s.integer(0));
  inverse = s.select(s.eq(base, s.integer(1)), s.integer(1), inverse);
  return whereNegative(e, exponent, inverse, result);
}

Value power(const ScalarBuilder &s, Value base, Value exponent, Type exponentType) {
  ScalarBuilder e = s.with(exponentType);
  if (!s.isFloat() && !e.isFloat())
    return integerPower(s, e, base, exponent);
  // float64 where float32 could not hold an operand.
  auto isWide = [](Type type) {
    return type.getIntOrFloatBitWidth() > (type.isInteger() ? 16 : 32);
  };
  Type type = isWide(s.type) || isWide(exponentType) ? s.builder.getF64Type()
                                                     : Type(s.builder.getF32Type());
  Value result =
      s.math<math::PowFOp>(s.cast(base, s.isFloat() ? s.computeType() : s.type, type),
                           s.cast(exponent, e.isFloat() ? e.computeType() : e.type, type));
  return s.isFloat() ? s.cast(result, type, s.computeType()) : s.cast(result, type, s.type);
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

Value sigmoid(const ScalarBuilder &s, Value x) {
  Value one = s.constant(1);
  return s.div(one, s.add(one, s.math<math::ExpOp>(s.neg(x))));
}

Value hardSigmoid(const ScalarBuilder &s, Value x, double alpha, double beta) {
  Value line = s.add(s.mul(x, s.constant(alpha)), s.constant(beta));
  return s.max(s.constant(0), s.min(s.constant(1), line));
}

Value softplus(const ScalarBuilder &s, Value x) {
  // log(1 + exp(x)) = max(x, 0) + log(1 + exp(-|x|)).
  Value rest = s.math<math::Log1pOp>(s.math<math::ExpOp>(s.neg(s.abs(x))));
  return s.add(s.max(x, s.constant(0)), rest);
}

Value elu(const ScalarBuilder &s, Value x, const APFloat &alpha) {
  Value below = s.mul(s.constant(alpha), s.math<math::ExpM1Op>(x));
  return whereNegative(s, x, below, x);
}

Value celu(const ScalarBuilder &s, Value x, const APFloat &alpha) {
  Value a = s.constant(alpha), zero = s.constant(0);
  Value below = s.mul(a, s.math<math::ExpM1Op>(s.div(x, a)));
  return s.add(s.max(zero, x), s.min(zero, below));
}

static Value halfTimesOnePlus(const ScalarBuilder &s, Value x, Value y) {
  return s.mul(s.mul(s.constant(0.5), x), s.add(s.constant(1), y));
}

Value gelu(const ScalarBuilder &s, Value x) {
  constexpr double inverseSqrt2 = 0.70710678118654752440;
  return halfTimesOnePlus(s, x, s.math<math::ErfOp>(s.mul(x, s.constant(inverseSqrt2))));
}

Value geluTanh(const ScalarBuilder &s, Value x) {
  constexpr double sqrt2OverPi = 0.79788456080286535588;
  Value cube = s.mul(s.mul(x, x), x);
  Value inner = s.add(x, s.mul(s.constant(0.044715), cube));
  return halfTimesOnePlus(s, x, s.math<math::TanhOp>(s.mul(s.constant(sqrt2OverPi), inner)));
}

Value shrink(const ScalarBuilder &s, Value x, const APFloat &lambda, const APFloat &bias) {
  // Threshold and bias are floats even where x is an integer.
  ScalarBuilder f = s.isFloat() ? s : s.with(s.builder.getF64Type());
  Value value = s.isFloat() ? x : s.cast(x, s.type, f.type);
  Value limit = f.constant(lambda), offset = f.constant(bias);
  Value above = f.select(f.gt(value, limit), f.sub(value, offset), f.constant(0));
  Value result = f.select(f.lt(value, f.neg(limit)), f.add(value, offset), above);
  return s.isFloat() ? result : s.cast(result, f.type, s.type);
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

Type conversionTarget(const TypeInference &inference, int64_t to) {
  Type type = elementTypeOfOnnx(inference.getContext(), to);
  bool supported =
      type && (type.isInteger(1) || type.isF16() || type.isBF16() || type.isF32() || type.isF64() ||
               (type.isInteger() && type.getIntOrFloatBitWidth() >= 8));
  if (supported)
    return type;
  InFlightDiagnostic error = inference.error();
  error << "converts to ";
  if (type)
    error << type;
  else
    error << "ONNX type " << to;
  error << ", which is not supported";
  return {};
}

} // namespace dsc
