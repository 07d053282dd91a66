//===- Reduction.cpp - reductions and scans along axes --------------------===//
#include "dsc/Dialect/IR/DscDialect.h"

#include <limits>

using namespace mlir;

namespace dsc {

/// The type that `element` is computed in.
static Type computeTypeOf(Type element) {
  if (element.isF16() || element.isBF16())
    return Float32Type::get(element.getContext());
  return storageType(element);
}

TypedAttr identityValue(Reduction::Identity identity, Type element) {
  Builder builder(element.getContext());
  Type type = computeTypeOf(element);
  if (auto floatType = dyn_cast<FloatType>(type)) {
    static constexpr double kInfinity = std::numeric_limits<double>::infinity();
    static constexpr double kValues[] = {0, 1, -kInfinity, kInfinity};
    return builder.getFloatAttr(floatType, kValues[identity]);
  }
  unsigned width = type.getIntOrFloatBitWidth();
  bool isUnsigned = element.isUnsignedInteger() || width == 1;
  APInt value(width, identity == Reduction::One ? 1 : 0);
  if (identity == Reduction::Lowest)
    value = isUnsigned ? APInt::getMinValue(width) : APInt::getSignedMinValue(width);
  if (identity == Reduction::Highest)
    value = isUnsigned ? APInt::getMaxValue(width) : APInt::getSignedMaxValue(width);
  return builder.getIntegerAttr(type, value);
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

static int64_t integerAttribute(Operation *op, StringRef name) {
  auto attr = op->getAttrOfType<IntegerAttr>(name);
  return attr ? attr.getInt() : 0;
}

/// For each axis of the operand, whether it is reduced.
static FailureOr<SmallVector<bool>> reducedAxes(Operation *op, TypeInference &inference) {
  int64_t rank = getRank(op->getOperand(0));
  SmallVector<Dim> axes;
  if (auto attr = op->getAttrOfType<DimsAttr>("axes"))
    axes = attr.getDims();
  if (axes.empty())
    return SmallVector<bool>(rank, integerAttribute(op, "noop_with_empty_axes") == 0);
  FailureOr<SmallVector<int64_t>> normalized = inference.normalizeAxes(axes, rank);
  if (failed(normalized))
    return failure();
  SmallVector<bool> reduced(rank, false);
  for (int64_t axis : *normalized)
    reduced[axis] = true;
  return reduced;
}

LogicalResult inferReduction(Operation *op, TypeInference &inference) {
  FailureOr<SmallVector<bool>> reduced = reducedAxes(op, inference);
  if (failed(reduced))
    return failure();
  bool keep = integerAttribute(op, "keepdims") != 0;
  SmallVector<Dim> shape;
  for (auto [axis, dim] : llvm::enumerate(getDims(op->getOperand(0)))) {
    if (!(*reduced)[axis])
      shape.push_back(dim);
    else if (keep)
      shape.push_back(inference.constant(1));
  }
  inference.addResult(getElementType(op->getOperand(0)), shape);
  return success();
}

/// Adds the loops of a reduction and the read of its operand. Returns the number
/// of elements that are reduced to one.
static FailureOr<Dim> addLoops(Operation *op, LoopSpecBuilder &spec) {
  TypeInference inference(op);
  FailureOr<SmallVector<bool>> reduced = reducedAxes(op, inference);
  if (failed(reduced))
    return failure();
  bool keep = integerAttribute(op, "keepdims") != 0;
  SmallVector<Dim> dims = getDims(op->getOperand(0));
  SmallVector<AffineExpr> indices(dims.size());
  Dim one = inference.constant(1), count = one;
  // The result's axes come first, in order; a kept axis is a loop of one step.
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (!(*reduced)[axis])
      indices[axis] = spec.parallel(dim);
    else if (keep)
      spec.parallel(one);
  }
  bool hasReduction = false;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if (!(*reduced)[axis])
      continue;
    indices[axis] = spec.reduction(dim);
    count = count * dim;
    hasReduction = true;
  }
  if (!hasReduction)
    spec.reduction(one);
  spec.read(0, indices);
  return count;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

FailureOr<Spec> reductionSpec(Operation *op, const Reduction &reduction) {
  LoopSpecBuilder spec(op, SpecKind::Reduce);
  FailureOr<Dim> count = addLoops(op, spec);
  if (failed(count))
    return failure();
  Type element = getElementType(op->getOperand(0));
  bool widen = reduction.wide && isa<IntegerType>(element);
  Type accumulated = widen ? Float64Type::get(op->getContext()) : element;
  spec.accumulator(identityValue(reduction.identity, accumulated));
  spec.body(accumulated, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value x = s.cast(s.compute(args.operands[0]), element, accumulated);
    return {reduction.combine(s, args.accumulators[0], reduction.element(s, x))};
  });
  spec.finish(accumulated, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value result = reduction.finish(s, args.accumulators[0], s.size(*count));
    return {s.with(element).round(s.cast(result, accumulated, element))};
  });
  return spec.take();
}

FailureOr<Spec> ReduceLogSumExpOp::getSpec() {
  Type element = getElementType(getData());
  if (!isa<FloatType>(element))
    return emitOpError() << "computes floats, not " << shortTypeName(getData().getType()),
           failure();
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  if (failed(addLoops(*this, spec)))
    return failure();
  spec.accumulator(identityValue(Reduction::Lowest, element));
  spec.accumulator(identityValue(Reduction::Zero, element));
  // Infinities cannot be subtracted from each other: relative to them is 0.
  auto shiftFor = [](ScalarBuilder &s, Value largest) {
    Value infinity = s.constant(std::numeric_limits<double>::infinity());
    Value isFinite = s.lt(s.abs(largest), infinity);
    return s.select(isFinite, largest, s.constant(0));
  };
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value x = s.compute(args.operands[0]);
    Value largest = args.accumulators[0], sum = args.accumulators[1];
    Value newLargest = s.max(largest, x);
    Value shift = shiftFor(s, newLargest);
    Value rescale = s.math<math::ExpOp>(s.sub(largest, shift));
    // The first element finds no sum yet, and exp(-inf - shift) is 0.
    Value newSum = s.fma(sum, rescale, s.math<math::ExpOp>(s.sub(x, shift)));
    return {newLargest, newSum};
  });
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value shift = shiftFor(s, args.accumulators[0]);
    return {s.round(s.add(s.math<math::LogOp>(args.accumulators[1]), shift))};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

static FailureOr<int64_t> scanAxis(Operation *op, TypeInference &inference) {
  SmallVector<Dim> axis = op->getAttrOfType<DimsAttr>("axis").getDims();
  if (axis.size() != 1)
    return inference.error() << "needs one axis, got " << axis.size(), failure();
  FailureOr<SmallVector<int64_t>> normalized =
      inference.normalizeAxes(axis, getRank(op->getOperand(0)));
  if (failed(normalized))
    return failure();
  return normalized->front();
}

LogicalResult inferCumulative(Operation *op, TypeInference &inference) {
  if (failed(scanAxis(op, inference)))
    return failure();
  inference.addResult(getElementType(op->getOperand(0)), getDims(op->getOperand(0)));
  return success();
}

FailureOr<Spec> cumulativeSpec(Operation *op, const Reduction &reduction, bool exclusive,
                               bool reverse) {
  TypeInference inference(op);
  FailureOr<int64_t> scanned = scanAxis(op, inference);
  if (failed(scanned))
    return failure();
  LoopSpecBuilder spec(op, SpecKind::Scan);
  SmallVector<AffineExpr> loops;
  for (auto [axis, dim] : llvm::enumerate(getDims(op->getOperand(0))))
    loops.push_back(static_cast<int64_t>(axis) == *scanned ? spec.scan(dim) : spec.parallel(dim));
  spec.read(0, loops);
  spec.exclusive(exclusive);
  spec.reverse(reverse);
  Type element = getElementType(op->getOperand(0));
  spec.accumulator(identityValue(reduction.identity, element));
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {reduction.combine(s, args.accumulators[0], s.compute(args.operands[0]))};
  });
  // Only what is stored is rounded, not what the scan carries on.
  if (computeTypeOf(element) != storageType(element))
    spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
      return {s.round(args.accumulators[0])};
    });
  return spec.take();
}

} // namespace dsc
