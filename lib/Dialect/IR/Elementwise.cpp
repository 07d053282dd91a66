//===- Elementwise.cpp - elementwise operators that take more than a line --===//
#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Dialect/IR/ScalarFunctions.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

/// The Spec of an op that only reads operand 0: from its stored element to those
/// of the results.
static FailureOr<Spec> mapFirst(Operation *op,
                                function_ref<SmallVector<Value>(ScalarBuilder &, Value)> scalar) {
  LoopSpecBuilder spec(op, SpecKind::Map);
  spec.read(0, spec.parallel(getDims(op->getResult(0))));
  spec.body(getElementType(op->getOperand(0)), [&](ScalarBuilder &s, LoopSpecBuilder::Args args) {
    return scalar(s, args.operands[0]);
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// CastLikeOp, BitCastOp, IdentityOp
//===----------------------------------------------------------------------===//

LogicalResult CastLikeOp::inferTypes(TypeInference &inference) {
  inference.addResult(getElementType(getTargetType()), getDims(getInput()));
  return success();
}

FailureOr<Spec> CastLikeOp::getSpec() {
  Type to = getElementType(getResult());
  return mapFirst(*this, [&](ScalarBuilder &s, Value x) -> SmallVector<Value> {
    return {s.with(to).round(s.cast(s.compute(x), s.type, to))};
  });
}

/// Bits that an element takes in memory: a bool has a byte.
static unsigned storedBits(Type type) {
  return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth();
}

LogicalResult BitCastOp::inferTypes(TypeInference &inference) {
  Type from = getElementType(getInput()), to = conversionTarget(inference, getTo());
  if (!to)
    return failure();
  if (storedBits(from) != storedBits(to))
    return inference.error() << "types have different widths: " << from << " and " << to;
  inference.addResult(to, getDims(getInput()));
  return success();
}

FailureOr<Spec> BitCastOp::getSpec() {
  Type to = getElementType(getResult()), stored = storageType(to);
  return mapFirst(*this, [&](ScalarBuilder &s, Value x) -> SmallVector<Value> {
    if (x.getType() == stored)
      return {x};
    if (s.isBool() || to.isInteger(1))
      return {s.cast(x, s.type, to)};
    return {arith::BitcastOp::create(s.builder, s.loc, stored, x)};
  });
}

LogicalResult IdentityOp::inferTypes(TypeInference &inference) {
  inference.addResult(getInput().getType());
  return success();
}

Value IdentityOp::getViewSource() { return getInput(); }

//===----------------------------------------------------------------------===//
// DropoutOp
//===----------------------------------------------------------------------===//

unsigned DropoutOp::getResultCount(unsigned numOutputs) { return numOutputs; }

LogicalResult DropoutOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> dims = getDims(getData());
  inference.addResult(getElementType(getData()), dims);
  if ((*this)->getNumResults() > 1)
    inference.addResult(IntegerType::get(getContext(), 1), dims);
  return success();
}

/// True for a constant tensor whose elements are all zero (false).
static bool isZeroConstant(Value value) {
  return matchPattern(value, m_AnyZeroFloat()) || matchPattern(value, m_Zero());
}

FailureOr<Spec> DropoutOp::getSpec() {
  bool trains = !isAbsent(getTrainingMode()) && !isZeroConstant(getTrainingMode());
  if (trains && (isAbsent(getRatio()) || !isZeroConstant(getRatio())))
    return emitOpError("drops elements at random only in training, which is not supported: "
                       "training_mode must be left out or a constant false"),
           failure();
  return mapFirst(*this, [&](ScalarBuilder &s, Value x) -> SmallVector<Value> {
    SmallVector<Value> results = {x};
    if (getMask())
      results.push_back(s.boolean(true));
    return results;
  });
}

//===----------------------------------------------------------------------===//
// BatchNormalizationOp
//===----------------------------------------------------------------------===//

LogicalResult BatchNormalizationOp::inferTypes(TypeInference &inference) {
  if (getTrainingMode())
    return inference.error() << "is in training mode, which is not supported";
  SmallVector<Dim> dims = getDims(getX());
  if (dims.empty())
    return inference.error() << "needs an input with a batch axis";
  Dim channels = dims.size() > 1 ? dims[1] : inference.constant(1);
  for (Value operand : (*this)->getOperands().drop_front()) {
    SmallVector<Dim> operandDims = getDims(operand);
    if (operandDims.size() != 1)
      return inference.error() << "expected a vector with an element for each channel, got "
                               << shortTypeName(operand.getType());
    if (failed(inference.requireEqual(operandDims[0], channels, "number of channels differs")))
      return failure();
  }
  inference.addResult(getElementType(getX()), dims);
  return success();
}

FailureOr<Spec> BatchNormalizationOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getY()));
  AffineExpr channel = loops.size() > 1 ? loops[1] : spec.number(0);
  spec.read(0, loops);
  for (unsigned operand = 1; operand < (*this)->getNumOperands(); ++operand)
    spec.read(operand, {channel});

  // All in the widest of the operands' compute types.
  Builder b(getContext());
  bool isDouble = llvm::any_of((*this)->getOperands(),
                               [](Value operand) { return getElementType(operand).isF64(); });
  Type type = isDouble ? b.getF64Type() : Type(b.getF32Type());
  spec.body(type, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    SmallVector<Value> x = llvm::map_to_vector(args.operands, [&](Value stored) {
      Value value = s.compute(stored);
      return s.cast(value, value.getType(), type);
    });
    Value scale = x[1], bias = x[2], mean = x[3], variance = x[4];
    Value deviation = s.math<math::SqrtOp>(s.add(variance, s.constant(getEpsilon())));
    Value result = s.fma(s.sub(x[0], mean), s.div(scale, deviation), bias);
    ScalarBuilder y = s.with(getElementType(getY()));
    return {y.round(s.cast(result, type, y.computeType()))};
  });
  return spec.take();
}

} // namespace dsc
