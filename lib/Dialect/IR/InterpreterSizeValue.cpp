//===- InterpreterSizeValue.cpp - scalar code on the domain of sizes ------===//
#include "InterpreterSizeValue.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;

namespace dsc::interpreter {

//===----------------------------------------------------------------------===//
// SizeValue
//===----------------------------------------------------------------------===//

SizeValue SizeValue::integer(Dim dim) { return {Integer, dim, 0}; }

SizeValue SizeValue::floating(double number) { return {Float, Dim(), number}; }

SizeValue SizeValue::floating(Dim dim) {
  if (dim.isConstant())
    return floating(static_cast<double>(dim.getConstant()));
  return {Float, dim, 0};
}

SizeValue SizeValue::ofConstant(Attribute value) {
  if (auto number = dyn_cast_or_null<IntegerAttr>(value)) {
    APInt bits = number.getValue();
    int64_t extended = bits.getBitWidth() == 1 ? bits.getZExtValue() : bits.getSExtValue();
    return integer(Dim::constant(value.getContext(), extended));
  }
  if (auto number = dyn_cast_or_null<FloatAttr>(value))
    return floating(number.getValueAsDouble());
  return {};
}

SizeValue SizeValue::ofElement(Dim element, Type elementType) {
  if (!element)
    return {};
  return isa<FloatType>(elementType) ? floating(element) : integer(element);
}

std::optional<int64_t> SizeValue::constantInteger() const {
  return kind == Integer ? dim.tryConstant() : std::nullopt;
}

TypedAttr SizeValue::constant(Type type) const {
  if (kind == Float && !dim)
    return FloatAttr::get(type, number);
  std::optional<int64_t> value = constantInteger();
  if (!value)
    return {};
  unsigned width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  return IntegerAttr::get(type, APInt(64, *value, true).trunc(width));
}

Dim SizeValue::asSize(MLIRContext *context) const {
  if (kind == Unknown || dim)
    return dim;
  bool isInteger = std::trunc(number) == number && std::fabs(number) < 0x1p53;
  return isInteger ? Dim::constant(context, static_cast<int64_t>(number)) : Dim();
}

int64_t evaluateAffine(AffineExpr expr, ArrayRef<int64_t> dims, ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t a = evaluateAffine(binary.getLHS(), dims, symbols);
  int64_t b = evaluateAffine(binary.getRHS(), dims, symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  // By zero, which no operand that has elements needs: any value.
  case AffineExprKind::Mod:
    return b > 0 ? llvm::mod(a, b) : 0;
  case AffineExprKind::FloorDiv:
    return b != 0 ? llvm::divideFloorSigned(a, b) : 0;
  case AffineExprKind::CeilDiv:
    return b != 0 ? llvm::divideCeilSigned(a, b) : 0;
  default:
    llvm_unreachable("leaves are handled above");
  }
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

static SizeValue truth(MLIRContext *context, bool value) {
  return SizeValue::integer(Dim::constant(context, value));
}

/// Scalar code guards divisors: select(b == 0, 1, b). A size by zero is an error
/// at run time anyway, so that the guard only hides the expression.
static Dim withoutGuard(Dim divisor) {
  if (divisor.getKind() != DimKind::Select)
    return divisor;
  SmallVector<Dim, 3> operands = divisor.getOperands();
  Dim zero = Dim::constant(divisor.getContext(), 0);
  bool isGuard = operands[1].isConstant(1) && operands[0] == Dim::eq(operands[2], zero);
  return isGuard ? operands[2] : divisor;
}

/// Division and remainder where rounding down and rounding towards zero agree.
static SizeValue divide(DimKind kind, Dim a, Dim b) {
  b = withoutGuard(b);
  if (b.isConstant(0) || !b.isKnownNonNegative())
    return {};
  bool isFloor = kind == DimKind::FloorDiv || kind == DimKind::Mod;
  if (isFloor && !a.isKnownNonNegative())
    return {};
  return SizeValue::integer(Dim::build(a.getContext(), kind, {a, b}));
}

static Dim equal(Dim a, Dim b) {
  // The smallest integer, of overflow checks, is no size (and has no negative).
  if (a.isConstant(INT64_MIN) || b.isConstant(INT64_MIN))
    return Dim::constant(a.getContext(), a == b);
  return Dim::eq(a, b);
}

static SizeValue compare(arith::CmpIPredicate predicate, Dim a, Dim b) {
  bool isUnsigned = predicate >= arith::CmpIPredicate::ult;
  if (isUnsigned && !(a.isKnownNonNegative() && b.isKnownNonNegative()))
    return {};
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return SizeValue::integer(equal(a, b));
  case arith::CmpIPredicate::ne:
    return SizeValue::integer(Dim::logicalNot(equal(a, b)));
  case arith::CmpIPredicate::slt:
  case arith::CmpIPredicate::ult:
    return SizeValue::integer(Dim::lt(a, b));
  case arith::CmpIPredicate::sle:
  case arith::CmpIPredicate::ule:
    return SizeValue::integer(Dim::le(a, b));
  case arith::CmpIPredicate::sgt:
  case arith::CmpIPredicate::ugt:
    return SizeValue::integer(Dim::lt(b, a));
  case arith::CmpIPredicate::sge:
  case arith::CmpIPredicate::uge:
    return SizeValue::integer(Dim::le(b, a));
  }
  llvm_unreachable("covered");
}

/// And, or, xor of truth values; one operand may be unknown.
static SizeValue evaluateLogic(Operation &op, const SizeValue &a, const SizeValue &b) {
  if (!op.getResult(0).getType().isInteger(1))
    return {};
  for (const SizeValue &operand : {a, b}) {
    if (isa<arith::AndIOp>(op) && operand.constantInteger() == 0)
      return operand;
    if (isa<arith::OrIOp>(op) && operand.constantInteger() == 1)
      return operand;
  }
  if (!a.isKnown() || !b.isKnown())
    return {};
  if (isa<arith::AndIOp>(op))
    return SizeValue::integer(Dim::logicalAnd(a.dim, b.dim));
  if (isa<arith::OrIOp>(op))
    return SizeValue::integer(Dim::logicalOr(a.dim, b.dim));
  if (b.constantInteger() == 1)
    return SizeValue::integer(Dim::logicalNot(a.dim));
  return SizeValue::integer(Dim::logicalNot(Dim::eq(a.dim, b.dim)));
}

static SizeValue evaluateIntegers(Operation &op, Dim a, Dim b) {
  bool nonNegative = a.isKnownNonNegative() && b.isKnownNonNegative();
  return TypeSwitch<Operation &, SizeValue>(op)
      .Case([&](arith::AddIOp) { return SizeValue::integer(a + b); })
      .Case([&](arith::SubIOp) { return SizeValue::integer(a - b); })
      .Case([&](arith::MulIOp) { return SizeValue::integer(a * b); })
      .Case<arith::DivSIOp>([&](auto) { return divide(DimKind::FloorDiv, a, b); })
      .Case<arith::RemSIOp>([&](auto) { return divide(DimKind::Mod, a, b); })
      .Case([&](arith::CeilDivSIOp) { return divide(DimKind::CeilDiv, a, b); })
      .Case([&](arith::FloorDivSIOp) {
        Dim divisor = withoutGuard(b);
        return divisor.isKnownNonNegative() && !divisor.isConstant(0)
                   ? SizeValue::integer(a.floorDiv(divisor))
                   : SizeValue();
      })
      .Case([&](arith::DivUIOp) {
        return nonNegative ? divide(DimKind::FloorDiv, a, b) : SizeValue();
      })
      .Case([&](arith::RemUIOp) { return nonNegative ? divide(DimKind::Mod, a, b) : SizeValue(); })
      .Case([&](arith::MaxSIOp) { return SizeValue::integer(Dim::max(a, b)); })
      .Case([&](arith::MinSIOp) { return SizeValue::integer(Dim::min(a, b)); })
      .Case([&](arith::MaxUIOp) {
        return nonNegative ? SizeValue::integer(Dim::max(a, b)) : SizeValue();
      })
      .Case([&](arith::MinUIOp) {
        return nonNegative ? SizeValue::integer(Dim::min(a, b)) : SizeValue();
      })
      .Case([&](arith::CmpIOp cmp) { return compare(cmp.getPredicate(), a, b); })
      .Default([](Operation &) { return SizeValue(); });
}

//===----------------------------------------------------------------------===//
// Floats that are sizes
//===----------------------------------------------------------------------===//

static SizeValue compare(arith::CmpFPredicate predicate, Dim a, Dim b) {
  using arith::CmpIPredicate;
  MLIRContext *context = a.getContext();
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
  case arith::CmpFPredicate::UNO:
    return truth(context, false);
  case arith::CmpFPredicate::AlwaysTrue:
  case arith::CmpFPredicate::ORD:
    return truth(context, true);
  case arith::CmpFPredicate::OEQ:
  case arith::CmpFPredicate::UEQ:
    return compare(CmpIPredicate::eq, a, b);
  case arith::CmpFPredicate::ONE:
  case arith::CmpFPredicate::UNE:
    return compare(CmpIPredicate::ne, a, b);
  case arith::CmpFPredicate::OLT:
  case arith::CmpFPredicate::ULT:
    return compare(CmpIPredicate::slt, a, b);
  case arith::CmpFPredicate::OLE:
  case arith::CmpFPredicate::ULE:
    return compare(CmpIPredicate::sle, a, b);
  case arith::CmpFPredicate::OGT:
  case arith::CmpFPredicate::UGT:
    return compare(CmpIPredicate::sgt, a, b);
  case arith::CmpFPredicate::OGE:
  case arith::CmpFPredicate::UGE:
    return compare(CmpIPredicate::sge, a, b);
  }
  llvm_unreachable("covered");
}

/// The bounds of a saturating conversion, which no size reaches, do nothing.
static std::optional<SizeValue> withoutSaturation(Operation &op, const SizeValue &size,
                                                  const SizeValue &bound) {
  constexpr double kLargestSize = 0x1p30;
  if (!size.dim || bound.dim)
    return std::nullopt;
  bool isMin = isa<arith::MinNumFOp, arith::MinimumFOp>(op);
  bool isMax = isa<arith::MaxNumFOp, arith::MaximumFOp>(op);
  if ((isMin && bound.number > kLargestSize) || (isMax && bound.number < -kLargestSize) ||
      (isMax && bound.number <= 0 && size.dim.isKnownNonNegative()))
    return size;
  return std::nullopt;
}

static SizeValue evaluateFloats(Operation &op, Dim a, Dim b) {
  return TypeSwitch<Operation &, SizeValue>(op)
      .Case([&](arith::AddFOp) { return SizeValue::floating(a + b); })
      .Case([&](arith::SubFOp) { return SizeValue::floating(a - b); })
      .Case([&](arith::MulFOp) { return SizeValue::floating(a * b); })
      .Case([&](arith::DivFOp) {
        // Only where nothing remains.
        bool isExact = b.isKnownPositive() && a.mod(b).isConstant(0);
        return isExact ? SizeValue::floating(a.floorDiv(b)) : SizeValue();
      })
      .Case<arith::MinNumFOp, arith::MinimumFOp>(
          [&](auto) { return SizeValue::floating(Dim::min(a, b)); })
      .Case<arith::MaxNumFOp, arith::MaximumFOp>(
          [&](auto) { return SizeValue::floating(Dim::max(a, b)); })
      .Case([&](arith::CmpFOp cmp) { return compare(cmp.getPredicate(), a, b); })
      .Default([](Operation &) { return SizeValue(); });
}

static SizeValue evaluateUnary(Operation &op, const SizeValue &x) {
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtUIOp, arith::ExtFOp, arith::TruncFOp,
          math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp, math::TruncOp>(op))
    return x;
  if (isa<arith::ExtSIOp>(op))
    return op.getOperand(0).getType().isInteger(1) ? SizeValue::integer(x.dim * -1) : x;
  if (isa<arith::TruncIOp>(op))
    return op.getResult(0).getType().isInteger(1) ? SizeValue() : x;
  if (isa<arith::SIToFPOp, arith::UIToFPOp>(op))
    return SizeValue::floating(x.dim);
  if (isa<arith::FPToSIOp, arith::FPToUIOp>(op))
    return SizeValue::integer(x.dim);
  if (isa<arith::NegFOp>(op))
    return SizeValue::floating(x.dim * -1);
  if (isa<math::AbsFOp>(op) && x.dim.isKnownNonNegative())
    return x;
  return {};
}

//===----------------------------------------------------------------------===//
// All ops
//===----------------------------------------------------------------------===//

/// All operands constant: what MLIR folds the op to.
static std::optional<SizeValue> foldConstant(Operation &op, ArrayRef<SizeValue> operands) {
  SmallVector<Attribute> attributes;
  for (auto [value, operand] : llvm::zip_equal(operands, op.getOperands())) {
    attributes.push_back(value.constant(operand.getType()));
    if (!attributes.back())
      return std::nullopt;
  }
  SmallVector<OpFoldResult> results;
  if (failed(op.fold(attributes, results)) || results.size() != 1)
    return std::nullopt;
  if (auto attribute = dyn_cast<Attribute>(results[0]))
    return SizeValue::ofConstant(attribute);
  for (auto [value, operand] : llvm::zip_equal(operands, op.getOperands()))
    if (operand == cast<Value>(results[0]))
      return value;
  return std::nullopt;
}

static SizeValue evaluateSelect(Operation &op, ArrayRef<SizeValue> x) {
  if (std::optional<int64_t> condition = x[0].constantInteger())
    return x[*condition ? 1 : 2];
  Dim a = x[1].asSize(op.getContext()), b = x[2].asSize(op.getContext());
  if (!x[0].isKnown() || !a || !b)
    return {};
  return SizeValue::ofElement(Dim::select(x[0].dim, a, b), op.getResult(0).getType());
}

SizeValue evaluateScalar(Operation &op, ArrayRef<SizeValue> x) {
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return SizeValue::ofConstant(constant.getValue());
  if (auto size = dyn_cast<SizeOp>(op))
    return SizeValue::integer(Dim(size.getSize()));
  if (std::optional<SizeValue> folded = foldConstant(op, x))
    return *folded;
  if (isa<arith::SelectOp>(op))
    return evaluateSelect(op, x);
  if (isa<arith::AndIOp, arith::OrIOp, arith::XOrIOp>(op))
    return evaluateLogic(op, x[0], x[1]);
  if (!llvm::all_of(x, [](const SizeValue &value) { return value.isKnown(); }))
    return {};
  if (x.size() == 1)
    return x[0].dim ? evaluateUnary(op, x[0]) : SizeValue();
  if (x.size() != 2)
    return {};
  if (x[0].kind == SizeValue::Integer)
    return x[1].kind == SizeValue::Integer ? evaluateIntegers(op, x[0].dim, x[1].dim) : SizeValue();
  for (auto [size, bound] : {std::pair(x[0], x[1]), std::pair(x[1], x[0])})
    if (std::optional<SizeValue> result = withoutSaturation(op, size, bound))
      return *result;
  Dim a = x[0].asSize(op.getContext()), b = x[1].asSize(op.getContext());
  return a && b ? evaluateFloats(op, a, b) : SizeValue();
}

} // namespace dsc::interpreter
