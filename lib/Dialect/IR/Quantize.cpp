//===- Quantize.cpp - quantized tensors: QuantizeLinear and its relatives --===//
#include "Contraction.h"
#include "dsc/Dialect/IR/ScalarFunctions.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Scales and zero points
//===----------------------------------------------------------------------===//

/// How scale and zero point (operands 1 and 2) belong to the elements of x
/// (operand 0).
namespace {
struct Granularity {
  enum Kind { Tensor, Axis, Blocks };
  Kind kind = Tensor;
  int64_t axis = 0;
  int64_t blockSize = 0;
};
} // namespace

static FailureOr<Granularity> findGranularity(const TypeInference *inference, Operation *op,
                                              int64_t axis, int64_t blockSize) {
  SmallVector<Dim> x = getDims(op->getOperand(0)), scale = getDims(op->getOperand(1));
  Granularity result;
  result.blockSize = blockSize;
  if (areAllOne(scale))
    return result;
  int64_t rank = x.size(), scaleRank = scale.size();
  if (blockSize < 0 || scaleRank != (blockSize > 0 ? rank : 1)) {
    if (inference)
      inference->error() << "scale " << shortTypeName(op->getOperand(1).getType())
                         << " does not fit input " << shortTypeName(op->getOperand(0).getType())
                         << " and block_size " << blockSize;
    return failure();
  }
  result.kind = blockSize > 0 ? Granularity::Blocks : Granularity::Axis;
  // A vector has only one axis, whatever `axis` (1 by default) says.
  if (rank == 1)
    return result;
  if (axis < -rank || axis >= rank) {
    if (inference)
      inference->error() << "axis " << axis << " is outside [" << -rank << ", " << rank << ")";
    return failure();
  }
  result.axis = axis < 0 ? axis + rank : axis;
  return result;
}

/// Checks the shapes of scale and zero point.
static LogicalResult checkParameters(Operation *op, TypeInference &inference, int64_t axis,
                                     int64_t blockSize) {
  FailureOr<Granularity> granularity = findGranularity(&inference, op, axis, blockSize);
  if (failed(granularity))
    return failure();
  SmallVector<Dim> x = getDims(op->getOperand(0)), scale = getDims(op->getOperand(1));
  if (granularity->kind == Granularity::Axis &&
      failed(inference.requireEqual(scale[0], x[granularity->axis],
                                    "scale does not have an element for each index of the axis")))
    return failure();
  if (granularity->kind == Granularity::Blocks)
    for (auto [i, size] : llvm::enumerate(x)) {
      bool isBlocked = static_cast<int64_t>(i) == granularity->axis;
      Dim expected = isBlocked ? size.ceilDiv(blockSize) : size;
      if (failed(inference.requireEqual(scale[i], expected,
                                        "scale does not have an element for each block")))
        return failure();
    }

  Value zeroPoint = op->getOperand(2);
  if (isAbsent(zeroPoint))
    return success();
  SmallVector<Dim> zero = getDims(zeroPoint);
  if (areAllOne(zero) && areAllOne(scale))
    return success();
  if (zero.size() != scale.size())
    return inference.error() << "zero point " << shortTypeName(zeroPoint.getType()) << " and scale "
                             << shortTypeName(op->getOperand(1).getType())
                             << " have different shapes";
  for (auto [a, b] : llvm::zip(zero, scale))
    if (failed(inference.requireEqual(a, b, "zero point and scale have different shapes")))
      return failure();
  return success();
}

/// Begins the Spec: loops over x, which is read, and so are scale and zero point
/// where there is one.
static FailureOr<LoopSpecBuilder> beginSpec(Operation *op, int64_t axis, int64_t blockSize) {
  FailureOr<Granularity> granularity = findGranularity(nullptr, op, axis, blockSize);
  if (failed(granularity))
    return failure();
  LoopSpecBuilder spec(op, SpecKind::Map);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(op->getResult(0)));
  spec.read(0, loops);
  for (unsigned operand : {1u, 2u}) {
    if (isAbsent(op->getOperand(operand)))
      continue;
    SmallVector<AffineExpr> indices(getRank(op->getOperand(operand)), spec.number(0));
    if (granularity->kind == Granularity::Axis)
      indices[0] = loops[granularity->axis];
    if (granularity->kind == Granularity::Blocks) {
      indices = loops;
      indices[granularity->axis] = loops[granularity->axis].floorDiv(blockSize);
    }
    spec.read(operand, indices);
  }
  return spec;
}

//===----------------------------------------------------------------------===//
// QuantizeLinearOp
//===----------------------------------------------------------------------===//

LogicalResult QuantizeLinearOp::inferTypes(TypeInference &inference) {
  MLIRContext *context = getContext();
  Type output = IntegerType::get(context, 8, IntegerType::Unsigned);
  if (getOutputDtype()) {
    output = conversionTarget(inference, getOutputDtype());
    if (!output)
      return failure();
  }
  if (!isAbsent(getYZeroPoint())) {
    Type zeroType = getElementType(getYZeroPoint());
    if (getOutputDtype() && output != zeroType)
      return inference.error() << "output_dtype and the zero point have different types (" << output
                               << " and " << zeroType << ")";
    output = zeroType;
  }
  if (!output.isInteger() || !llvm::is_contained({8u, 16u}, output.getIntOrFloatBitWidth()))
    return inference.error() << "quantizes to integers of 8 or 16 bits, not to " << output;
  if (getPrecision()) {
    Type precision = conversionTarget(inference, getPrecision());
    if (!precision)
      return failure();
    if (!isa<FloatType>(precision))
      return inference.error() << "divides in floats, not in " << precision;
  }
  if (failed(checkParameters(*this, inference, getAxis(), getBlockSize())))
    return failure();
  inference.addResult(output, getDims(getX()));
  return success();
}

FailureOr<Spec> QuantizeLinearOp::getSpec() {
  FailureOr<LoopSpecBuilder> spec = beginSpec(*this, getAxis(), getBlockSize());
  if (failed(spec))
    return failure();
  Type xType = getElementType(getX()), scaleType = getElementType(getYScale());
  Type output = getElementType(getY());
  Type precision = getPrecision() ? elementTypeOfOnnx(getContext(), getPrecision()) : scaleType;
  if (!isa<FloatType>(precision)) // an integer scale: no bit of either is lost
    precision = Float64Type::get(getContext());
  spec->body(xType, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    ScalarBuilder p = s.with(precision);
    Value x = s.cast(s.compute(args.operands[0]), xType, precision);
    Value scale = s.cast(s.with(scaleType).compute(args.operands[1]), scaleType, precision);
    Value quotient = p.compute(p.round(p.div(x, scale)));
    Value result = s.math<math::RoundEvenOp>(quotient);
    // Exact: what float32 cannot hold saturates anyway.
    if (!isAbsent(getYZeroPoint()))
      result = p.add(result, s.cast(args.operands[2], output, p.computeType()));
    return {s.cast(result, p.computeType(), output)};
  });
  return spec->take();
}

//===----------------------------------------------------------------------===//
// DequantizeLinearOp
//===----------------------------------------------------------------------===//

LogicalResult DequantizeLinearOp::inferTypes(TypeInference &inference) {
  Type xType = getElementType(getX()), output = getElementType(getXScale());
  if (getOutputDtype()) {
    output = conversionTarget(inference, getOutputDtype());
    if (!output)
      return failure();
    if (!isa<FloatType>(output))
      return inference.error() << "dequantizes to floats, not to " << output;
  }
  if (!isAbsent(getXZeroPoint()) && getElementType(getXZeroPoint()) != xType)
    return inference.error() << "input and zero point have different types (" << xType << " and "
                             << getElementType(getXZeroPoint()) << ")";
  if (failed(checkParameters(*this, inference, getAxis(), getBlockSize())))
    return failure();
  inference.addResult(output, getDims(getX()));
  return success();
}

FailureOr<Spec> DequantizeLinearOp::getSpec() {
  FailureOr<LoopSpecBuilder> spec = beginSpec(*this, getAxis(), getBlockSize());
  if (failed(spec))
    return failure();
  Type xType = getElementType(getX()), scaleType = getElementType(getXScale());
  bool hasZeroPoint = !isAbsent(getXZeroPoint());
  spec->body(getElementType(getY()),
             [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
               Value difference = args.operands[0];
               Type differenceType = xType;
               if (hasZeroPoint) {
                 // Wide enough for any difference.
                 differenceType =
                     xType.isInteger(32) ? s.builder.getI64Type() : s.builder.getI32Type();
                 difference = s.with(differenceType)
                                  .sub(s.cast(difference, xType, differenceType),
                                       s.cast(args.operands[2], xType, differenceType));
               }
               // 16-bit results are rounded once, at the end.
               Value value = s.cast(difference, differenceType, s.computeType());
               Value scale = s.with(scaleType).compute(args.operands[1]);
               scale = s.cast(scale, scale.getType(), s.computeType());
               return {s.round(s.mul(value, scale))};
             });
  return spec->take();
}

//===----------------------------------------------------------------------===//
// Integer products as quantized tensors
//===----------------------------------------------------------------------===//

LogicalResult RequantizeOp::inferTypes(TypeInference &inference) {
  Type output = getElementType(getYZeroPoint());
  return inferElementwise(*this, inference, [&](Type) { return output; }, /*allowMixed=*/true);
}

FailureOr<Spec> RequantizeOp::getSpec() {
  Type output = getElementType(getY());
  return elementwiseSpec(*this, [&](ScalarBuilder &s, ValueRange x) {
    ScalarBuilder f = s.with(s.builder.getF32Type());
    Value scaled = f.mul(s.cast(x[0], s.type, f.type), x[1]);
    Value shifted = f.add(f.math<math::RoundEvenOp>(scaled), s.cast(x[2], output, f.type));
    // The cast saturates.
    return s.cast(shifted, f.type, output);
  });
}

LogicalResult QuantizedSumOp::inferTypes(TypeInference &inference) {
  Type output = conversionTarget(inference, getOutputDtype());
  if (!output)
    return failure();
  if (!output.isInteger(8))
    return inference.error() << "quantizes to integers of 8 bits, not to " << output;
  return inferElementwise(*this, inference, [&](Type) { return output; }, /*allowMixed=*/true);
}

FailureOr<Spec> QuantizedSumOp::getSpec() {
  Type a = getElementType(getA()), b = getElementType(getB()), output = getElementType(getY());
  return elementwiseSpec(*this, [&](ScalarBuilder &s, ValueRange x) {
    ScalarBuilder f = s.with(s.builder.getF32Type());
    Value sum = f.fma(s.cast(x[0], a, f.type), x[2], x[4]);
    sum = f.fma(s.cast(x[1], b, f.type), x[3], sum);
    return s.cast(f.math<math::RoundEvenOp>(sum), f.type, output);
  });
}

//===----------------------------------------------------------------------===//
// PairOp
//===----------------------------------------------------------------------===//

LogicalResult PairOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> dims = getDims(getX());
  int64_t rank = dims.size();
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), rank);
  if (failed(axis))
    return failure();
  if (!isAbsent(getZeroPoint())) {
    SmallVector<Dim> zero = getDims(getZeroPoint());
    int64_t missing = rank - static_cast<int64_t>(zero.size());
    if (getElementType(getZeroPoint()) != getElementType(getX()) || missing < 0 ||
        (*axis >= missing && !zero[*axis - missing].isConstant(1)))
      return inference.error() << "zero point " << shortTypeName(getZeroPoint().getType())
                               << " does not fit " << shortTypeName(getX().getType());
    for (auto [mine, all] : llvm::zip(zero, ArrayRef(dims).drop_front(missing)))
      if (!mine.isConstant(1) &&
          failed(inference.requireEqual(mine, all, "zero point and input have different shapes")))
        return failure();
  }
  dims[*axis] = dims[*axis].ceilDiv(2);
  inference.addResult(IntegerType::get(getContext(), 32), dims);
  return success();
}

/// low and high half of a pair.
static Value packPair(ScalarBuilder &s, Value low, Value high) {
  return s.bitOr(s.bitAnd(low, s.integer(0xffff)), s.mul(high, s.integer(0x10000)));
}

FailureOr<Spec> PairOp::getSpec() {
  SmallVector<Dim> dims = getDims(getX());
  int64_t axis = getAxis();
  if (axis < 0)
    axis += static_cast<int64_t>(dims.size());
  Dim size = dims[axis];
  Type type = getElementType(getX());
  LoopSpecBuilder spec(*this, SpecKind::Map);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getY()));
  SmallVector<AffineExpr> low = loops, high = loops;
  low[axis] = loops[axis] * 2;
  high[axis] = loops[axis] * 2 + 1;
  bool isEven = size.isConstant() && size.getConstant() % 2 == 0;
  // Where nothing is behind the end, another element is read instead.
  bool isOdd = size.isConstant() && !isEven;
  if (isOdd)
    high[axis] = high[axis] % size.getConstant();
  spec.read(0, low);
  if (size.isConstant())
    spec.read(0, high);
  else
    spec.readAnywhere(0);
  bool hasZeroPoint = !isAbsent(getZeroPoint());
  if (hasZeroPoint)
    spec.readBroadcast(1, loops);
  Type wide = IntegerType::get(getContext(), 32);
  spec.body(wide, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    ScalarBuilder narrow = s.with(type);
    Value zero = hasZeroPoint ? args.operands[2] : Value();
    Value second = args.operands[1];
    if (!size.isConstant()) {
      SmallVector<Value> at(args.indices);
      at[axis] = s.indexAdd(s.indexMul(at[axis], s.index(2)), s.index(1));
      second = narrow.atOrElse(second, at, zero ? zero : narrow.integer(0));
    }
    Value first = centered(s, args.operands[0], zero, type);
    second = centered(s, second, zero, type);
    if (isOdd) {
      Value last = s.index(size.getConstant() / 2);
      Value exists = arith::CmpIOp::create(s.builder, s.loc, arith::CmpIPredicate::ne,
                                           args.indices[axis], last);
      second = s.select(exists, second, s.integer(0));
    }
    return {packPair(s, first, second)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// JoinPairsOp
//===----------------------------------------------------------------------===//

LogicalResult JoinPairsOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> dims = getDims(getX());
  if (dims.empty() || !dims.back().isConstant() || dims.back().getConstant() % 2 != 0)
    return inference.error() << "needs an even number of elements in the last axis of "
                             << shortTypeName(getX().getType());
  dims.back() = dims.back().floorDiv(2);
  inference.addResult(IntegerType::get(getContext(), 32), dims);
  return success();
}

} // namespace dsc
