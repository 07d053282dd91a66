//===- ScalarBuilder.cpp - scalar code with ONNX semantics ----------------===//
#include "dsc/Dialect/IR/DscDialect.h"

#include <cmath>

using namespace mlir;

namespace dsc {

Type storageType(Type type) {
  auto integer = dyn_cast<IntegerType>(type);
  return integer ? IntegerType::get(type.getContext(), integer.getWidth()) : type;
}

ScalarBuilder::ScalarBuilder(OpBuilder &builder, Location loc, Type elementType)
    : builder(builder), loc(loc), type(elementType) {}

bool ScalarBuilder::isFloat() const { return isa<FloatType>(type); }
bool ScalarBuilder::isBool() const { return type.isInteger(1); }
bool ScalarBuilder::isUnsigned() const { return type.isUnsignedInteger() || isBool(); }

static bool isShortFloat(Type type) { return type.isF16() || type.isBF16(); }

Type ScalarBuilder::computeType() const {
  return isShortFloat(type) ? builder.getF32Type() : storageType(type);
}

//===----------------------------------------------------------------------===//
// Constants and conversions
//===----------------------------------------------------------------------===//

Value ScalarBuilder::constant(double value) const {
  Type compute = computeType();
  if (isa<FloatType>(compute))
    return arith::ConstantOp::create(builder, loc, builder.getFloatAttr(compute, value));
  return integer(static_cast<int64_t>(value));
}

Value ScalarBuilder::integer(int64_t value) const {
  Type compute = computeType();
  if (isa<FloatType>(compute))
    return constant(static_cast<double>(value));
  return arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(compute, value));
}

Value ScalarBuilder::index(int64_t value) const {
  return arith::ConstantIndexOp::create(builder, loc, value);
}

Value ScalarBuilder::boolean(bool value) const {
  return arith::ConstantOp::create(builder, loc, builder.getBoolAttr(value));
}

Value ScalarBuilder::size(Dim dim) const {
  if (dim.isConstant())
    return index(dim.getConstant());
  return SizeOp::create(builder, loc, builder.getIndexType(), dim.getAttr());
}

Value ScalarBuilder::compute(Value stored) const {
  if (!isShortFloat(stored.getType()))
    return stored;
  return arith::ExtFOp::create(builder, loc, builder.getF32Type(), stored);
}

Value ScalarBuilder::round(Value computed) const {
  if (!isShortFloat(type) || computed.getType() == type)
    return computed;
  return arith::TruncFOp::create(builder, loc, type, computed);
}

/// Float to integer: clamped to what the integer holds, NaN gives 0, so that the
/// conversion is defined for every value.
static Value floatToInteger(const ScalarBuilder &s, Value value, IntegerType to) {
  bool isUnsigned = to.isUnsigned();
  unsigned width = to.getWidth();
  double low = isUnsigned ? 0.0 : -std::ldexp(1.0, width - 1);
  double high = std::ldexp(1.0, isUnsigned ? width : width - 1);
  OpBuilder &b = s.builder;
  Type floatType = value.getType();
  // The largest float below `high`: one ULP under a power of two.
  unsigned precision = cast<FloatType>(floatType).getFPMantissaWidth();
  double largest =
      width > precision ? high - std::ldexp(high, -static_cast<int>(precision)) : high - 1;
  auto number = [&](double v) -> Value {
    return arith::ConstantOp::create(b, s.loc, b.getFloatAttr(floatType, v));
  };
  // Of NaN and 0, maxnum gives 0 by itself.
  if (!isUnsigned) {
    Value isNan = arith::CmpFOp::create(b, s.loc, arith::CmpFPredicate::UNO, value, value);
    value = arith::SelectOp::create(b, s.loc, isNan, number(0), value);
  }
  value = arith::MaxNumFOp::create(b, s.loc, value, number(low));
  value = arith::MinNumFOp::create(b, s.loc, value, number(largest));
  Type target = storageType(to);
  if (isUnsigned)
    return arith::FPToUIOp::create(b, s.loc, target, value);
  return arith::FPToSIOp::create(b, s.loc, target, value);
}

/// Float64 to float32, rounded to odd: where the result is not exact, its last
/// bit is 1, so that rounding it again to 16 bits gives what rounding once would.
static Value roundToOdd(const ScalarBuilder &s, Value value) {
  OpBuilder &b = s.builder;
  ScalarBuilder f64 = s.with(b.getF64Type()), i32 = s.with(b.getI32Type());
  Value nearest = arith::TruncFOp::create(b, s.loc, b.getF32Type(), value);
  Value back = arith::ExtFOp::create(b, s.loc, b.getF64Type(), nearest);
  Value bits = arith::BitcastOp::create(b, s.loc, b.getI32Type(), nearest);
  // The other neighbour of an even one is odd. NaN compares neither way.
  Value tooLarge = f64.gt(f64.abs(back), f64.abs(value));
  Value tooSmall = f64.lt(f64.abs(back), f64.abs(value));
  Value step = s.select(tooLarge, i32.integer(-1), i32.integer(0));
  step = s.select(tooSmall, i32.integer(1), step);
  Value isEven = i32.eq(i32.bitAnd(bits, i32.integer(1)), i32.integer(0));
  Value odd = i32.add(bits, s.select(isEven, step, i32.integer(0)));
  return arith::BitcastOp::create(b, s.loc, b.getF32Type(), odd);
}

static Value floatToFloat(const ScalarBuilder &s, Value value, Type to) {
  unsigned from = value.getType().getIntOrFloatBitWidth(), width = to.getIntOrFloatBitWidth();
  if (from < width)
    return arith::ExtFOp::create(s.builder, s.loc, to, value);
  if (from > width)
    return arith::TruncFOp::create(s.builder, s.loc, to, value);
  return value;
}

static Value integerToInteger(const ScalarBuilder &s, Value value, bool fromUnsigned, Type to) {
  unsigned from = value.getType().getIntOrFloatBitWidth(), width = to.getIntOrFloatBitWidth();
  if (from > width)
    return arith::TruncIOp::create(s.builder, s.loc, to, value);
  if (from == width)
    return value;
  if (fromUnsigned)
    return arith::ExtUIOp::create(s.builder, s.loc, to, value);
  return arith::ExtSIOp::create(s.builder, s.loc, to, value);
}

Value ScalarBuilder::cast(Value value, Type from, Type to) const {
  ScalarBuilder source = with(from), target = with(to);
  if (from == to)
    return value;
  if (target.isBool())
    return source.ne(value, source.constant(0));
  if (source.isFloat() && target.isFloat()) {
    // Rounding to a 16-bit type happens here, so that Cast is exact about it.
    Value result = isShortFloat(to) && from.isF64()
                       ? roundToOdd(*this, value)
                       : floatToFloat(*this, value, target.computeType());
    return isShortFloat(to) ? target.compute(target.round(result)) : result;
  }
  if (source.isFloat())
    return floatToInteger(*this, value, mlir::cast<IntegerType>(to));
  if (target.isFloat()) {
    Value result;
    if (source.isUnsigned())
      result = arith::UIToFPOp::create(builder, loc, target.computeType(), value);
    else
      result = arith::SIToFPOp::create(builder, loc, target.computeType(), value);
    return isShortFloat(to) ? target.compute(target.round(result)) : result;
  }
  return integerToInteger(*this, value, source.isUnsigned(), storageType(to));
}

Value ScalarBuilder::toIndex(Value value) const {
  if (isUnsigned())
    return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), value);
  return arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
}

Value ScalarBuilder::fromIndex(Value value) const {
  Type compute = computeType();
  if (!isa<FloatType>(compute))
    return arith::IndexCastOp::create(builder, loc, compute, value);
  Value wide = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), value);
  return arith::SIToFPOp::create(builder, loc, compute, wide);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// Creates FloatOp or IntegerOp by the builder's type.
template <typename FloatOp, typename IntegerOp>
static Value binary(const ScalarBuilder &s, Value a, Value b) {
  if (s.isFloat())
    return FloatOp::create(s.builder, s.loc, a, b).getResult();
  return IntegerOp::create(s.builder, s.loc, a, b).getResult();
}

Value ScalarBuilder::add(Value a, Value b) const {
  return binary<arith::AddFOp, arith::AddIOp>(*this, a, b);
}
Value ScalarBuilder::sub(Value a, Value b) const {
  return binary<arith::SubFOp, arith::SubIOp>(*this, a, b);
}
Value ScalarBuilder::mul(Value a, Value b) const {
  return binary<arith::MulFOp, arith::MulIOp>(*this, a, b);
}

/// A divisor for which integer division is defined: 0 becomes 1, and so does -1
/// under the smallest dividend (which is then the result, as in two's complement).
static Value safeDivisor(const ScalarBuilder &s, Value a, Value b) {
  Value bad = s.eq(b, s.integer(0));
  if (!s.isUnsigned() && a.getType().isIntOrIndex() && !a.getType().isIndex()) {
    unsigned width = a.getType().getIntOrFloatBitWidth();
    int64_t smallest = width == 64 ? INT64_MIN : -(int64_t(1) << (width - 1));
    Value overflow = s.logicalAnd(s.eq(a, s.integer(smallest)), s.eq(b, s.integer(-1)));
    bad = s.logicalOr(bad, overflow);
  }
  return s.select(bad, s.integer(1), b);
}

Value ScalarBuilder::div(Value a, Value b) const {
  if (isFloat())
    return arith::DivFOp::create(builder, loc, a, b);
  Value divisor = safeDivisor(*this, a, b);
  if (isUnsigned())
    return arith::DivUIOp::create(builder, loc, a, divisor);
  return arith::DivSIOp::create(builder, loc, a, divisor);
}

Value ScalarBuilder::rem(Value a, Value b) const {
  if (isFloat())
    return arith::RemFOp::create(builder, loc, a, b);
  Value divisor = safeDivisor(*this, a, b);
  if (isUnsigned())
    return arith::RemUIOp::create(builder, loc, a, divisor);
  return arith::RemSIOp::create(builder, loc, a, divisor);
}

Value ScalarBuilder::mod(Value a, Value b) const {
  Value remainder = rem(a, b);
  if (isUnsigned())
    return remainder;
  // The remainder has the dividend's sign; where it differs from the divisor's,
  // one divisor more.
  Value zero = constant(0);
  Value differs = logicalXor(lt(remainder, zero), lt(b, zero));
  Value fix = logicalAnd(ne(remainder, zero), differs);
  return select(fix, add(remainder, b), remainder);
}

Value ScalarBuilder::neg(Value a) const {
  if (isFloat())
    return arith::NegFOp::create(builder, loc, a);
  return sub(integer(0), a);
}

Value ScalarBuilder::abs(Value a) const {
  if (isFloat())
    return math::AbsFOp::create(builder, loc, a);
  if (isUnsigned())
    return a;
  return select(lt(a, integer(0)), neg(a), a);
}

Value ScalarBuilder::min(Value a, Value b) const {
  if (isFloat())
    return arith::MinimumFOp::create(builder, loc, a, b);
  if (isUnsigned())
    return arith::MinUIOp::create(builder, loc, a, b);
  return arith::MinSIOp::create(builder, loc, a, b);
}

Value ScalarBuilder::max(Value a, Value b) const {
  if (isFloat())
    return arith::MaximumFOp::create(builder, loc, a, b);
  if (isUnsigned())
    return arith::MaxUIOp::create(builder, loc, a, b);
  return arith::MaxSIOp::create(builder, loc, a, b);
}

Value ScalarBuilder::bitAnd(Value a, Value b) const {
  return arith::AndIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::bitOr(Value a, Value b) const {
  return arith::OrIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::bitXor(Value a, Value b) const {
  return arith::XOrIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::bitNot(Value a) const { return bitXor(a, integer(-1)); }

/// Runs `shift` with an amount that is in range and replaces the result where it
/// was not.
static Value boundedShift(const ScalarBuilder &s, Value amount, Value outside,
                          function_ref<Value(Value)> shift) {
  int64_t width = amount.getType().getIntOrFloatBitWidth();
  Value fits =
      arith::CmpIOp::create(s.builder, s.loc, arith::CmpIPredicate::ult, amount, s.integer(width));
  Value bounded = s.select(fits, amount, s.integer(0));
  return s.select(fits, shift(bounded), outside);
}

Value ScalarBuilder::shiftLeft(Value a, Value b) const {
  return boundedShift(*this, b, integer(0), [&](Value amount) -> Value {
    return arith::ShLIOp::create(builder, loc, a, amount);
  });
}

Value ScalarBuilder::shiftRight(Value a, Value b) const {
  if (isUnsigned())
    return boundedShift(*this, b, integer(0), [&](Value amount) -> Value {
      return arith::ShRUIOp::create(builder, loc, a, amount);
    });
  Value sign = select(lt(a, integer(0)), integer(-1), integer(0));
  return boundedShift(*this, b, sign, [&](Value amount) -> Value {
    return arith::ShRSIOp::create(builder, loc, a, amount);
  });
}

//===----------------------------------------------------------------------===//
// Comparisons and logic
//===----------------------------------------------------------------------===//

static Value compare(const ScalarBuilder &s, Value a, Value b, arith::CmpFPredicate onFloat,
                     arith::CmpIPredicate onSigned, arith::CmpIPredicate onUnsigned) {
  if (s.isFloat())
    return arith::CmpFOp::create(s.builder, s.loc, onFloat, a, b);
  return arith::CmpIOp::create(s.builder, s.loc, s.isUnsigned() ? onUnsigned : onSigned, a, b);
}

Value ScalarBuilder::eq(Value a, Value b) const {
  return compare(*this, a, b, arith::CmpFPredicate::OEQ, arith::CmpIPredicate::eq,
                 arith::CmpIPredicate::eq);
}
Value ScalarBuilder::ne(Value a, Value b) const {
  return compare(*this, a, b, arith::CmpFPredicate::UNE, arith::CmpIPredicate::ne,
                 arith::CmpIPredicate::ne);
}
Value ScalarBuilder::lt(Value a, Value b) const {
  return compare(*this, a, b, arith::CmpFPredicate::OLT, arith::CmpIPredicate::slt,
                 arith::CmpIPredicate::ult);
}
Value ScalarBuilder::le(Value a, Value b) const {
  return compare(*this, a, b, arith::CmpFPredicate::OLE, arith::CmpIPredicate::sle,
                 arith::CmpIPredicate::ule);
}

Value ScalarBuilder::isNan(Value a) const {
  return arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNO, a, a);
}
Value ScalarBuilder::select(Value condition, Value a, Value b) const {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}
Value ScalarBuilder::logicalNot(Value a) const {
  return arith::XOrIOp::create(builder, loc, a, boolean(true));
}
Value ScalarBuilder::logicalAnd(Value a, Value b) const {
  return arith::AndIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::logicalOr(Value a, Value b) const {
  return arith::OrIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::logicalXor(Value a, Value b) const {
  return arith::XOrIOp::create(builder, loc, a, b);
}

Value ScalarBuilder::fma(Value a, Value b, Value c) const {
  if (isFloat())
    return math::FmaOp::create(builder, loc, a, b, c);
  return add(mul(a, b), c);
}

//===----------------------------------------------------------------------===//
// Elements and indices
//===----------------------------------------------------------------------===//

static Value makeAt(const ScalarBuilder &s, Value tensor, ValueRange indices, Value otherwise,
                    AtMode mode) {
  Type stored = storageType(getElementType(tensor));
  Value element = AtOp::create(s.builder, s.loc, stored, tensor, indices, otherwise, mode);
  return s.compute(element);
}

Value ScalarBuilder::at(Value tensor, ValueRange indices) const {
  return makeAt(*this, tensor, indices, {}, AtMode::InBounds);
}
Value ScalarBuilder::atChecked(Value tensor, ValueRange indices) const {
  return makeAt(*this, tensor, indices, {}, AtMode::Checked);
}
Value ScalarBuilder::atOrElse(Value tensor, ValueRange indices, Value otherwise) const {
  Value stored = with(getElementType(tensor)).round(otherwise);
  return makeAt(*this, tensor, indices, stored, AtMode::OrElse);
}

Value ScalarBuilder::stored(Value tensor, ValueRange indices, AtMode mode, Value otherwise) const {
  Type type = storageType(getElementType(tensor));
  return AtOp::create(builder, loc, type, tensor, indices, otherwise, mode);
}
Value ScalarBuilder::indexAdd(Value a, Value b) const {
  return arith::AddIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::indexSub(Value a, Value b) const {
  return arith::SubIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::indexMul(Value a, Value b) const {
  return arith::MulIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::indexDiv(Value a, Value b) const {
  return arith::FloorDivSIOp::create(builder, loc, a, b);
}
Value ScalarBuilder::indexMod(Value a, Value b) const {
  return with(builder.getIndexType()).mod(a, b);
}

} // namespace dsc
