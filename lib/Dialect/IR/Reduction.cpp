//===- Reduction.cpp - reductions and scans along axes --------------------===//
#include "dsc/Dialect/IR/Decomposer.h"
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

/// For each axis of the operand, whether it is reduced: 1 or 0, or an expression
/// where only the run knows the axes.
static FailureOr<SmallVector<Dim>> reducedAxes(Operation *op, TypeInference &inference) {
  int64_t rank = getRank(op->getOperand(0));
  SmallVector<Dim> axes;
  if (auto attr = op->getAttrOfType<DimsAttr>("axes"))
    axes = attr.getDims();
  if (axes.empty())
    return SmallVector<Dim>(rank,
                            inference.constant(integerAttribute(op, "noop_with_empty_axes") == 0));
  SmallVector<Dim> reduced(rank, inference.constant(0));
  if (llvm::all_of(axes, [](Dim axis) { return axis.isConstant(); })) {
    FailureOr<SmallVector<int64_t>> normalized = inference.normalizeAxes(axes, rank);
    if (failed(normalized))
      return failure();
    for (int64_t axis : *normalized)
      reduced[axis] = inference.constant(1);
    return reduced;
  }
  Dim low = inference.constant(-rank), high = inference.constant(rank);
  for (Dim axis : axes) {
    if (failed(inference.require(Dim::logicalAnd(Dim::le(low, axis), Dim::lt(axis, high)),
                                 "an axis is outside [" + Twine(-rank) + ", " + Twine(rank) + ")")))
      return failure();
    for (auto [i, flag] : llvm::enumerate(reduced)) {
      auto index = static_cast<int64_t>(i);
      flag = Dim::logicalOr(flag, Dim::logicalOr(Dim::eq(axis, inference.constant(index)),
                                                 Dim::eq(axis, inference.constant(index - rank))));
    }
  }
  return reduced;
}

static bool areKnown(ArrayRef<Dim> reduced) {
  return llvm::all_of(reduced, [](Dim flag) { return flag.isConstant(); });
}

/// Where only the run knows which axes are reduced: whether axis `result` of the
/// result is axis `axis` of the operand.
static Dim isKept(ArrayRef<Dim> reduced, size_t axis, size_t result) {
  MLIRContext *context = reduced.front().getContext();
  Dim position = Dim::constant(context, static_cast<int64_t>(axis));
  for (Dim before : reduced.take_front(axis))
    position = position - before;
  return Dim::logicalAnd(Dim::logicalNot(reduced[axis]),
                         Dim::eq(position, Dim::constant(context, static_cast<int64_t>(result))));
}

LogicalResult inferReduction(Operation *op, TypeInference &inference) {
  FailureOr<SmallVector<Dim>> reduced = reducedAxes(op, inference);
  if (failed(reduced))
    return failure();
  bool keep = integerAttribute(op, "keepdims") != 0;
  SmallVector<Dim> dims = getDims(op->getOperand(0)), shape;
  Dim one = inference.constant(1), zero = inference.constant(0);
  if (keep || areKnown(*reduced)) {
    for (auto [flag, dim] : llvm::zip(*reduced, dims))
      if (keep || flag.isConstant(0))
        shape.push_back(Dim::select(flag, one, dim));
    inference.addResult(getElementType(op->getOperand(0)), shape);
    return success();
  }
  size_t numReduced = op->getAttrOfType<DimsAttr>("axes").size();
  Dim count = zero;
  for (Dim flag : *reduced)
    count = count + flag;
  if (numReduced > dims.size() ||
      failed(inference.requireEqual(count, inference.constant(static_cast<int64_t>(numReduced)),
                                    "an axis is named twice")))
    return numReduced > dims.size() ? inference.error() << "reduces more axes than there are"
                                    : failure();
  for (size_t result = 0; result < dims.size() - numReduced; ++result) {
    Dim size = zero;
    for (auto [axis, dim] : llvm::enumerate(dims))
      size = size + Dim::select(isKept(*reduced, axis, result), dim, zero);
    shape.push_back(size);
  }
  inference.addResult(getElementType(op->getOperand(0)), shape);
  return success();
}

/// The loops where only the run knows which axes are reduced: each axis of the
/// operand has a reduction loop, of one step where it is kept.
static Dim addUnknownLoops(Operation *op, LoopSpecBuilder &spec, ArrayRef<Dim> reduced) {
  bool keep = integerAttribute(op, "keepdims") != 0;
  SmallVector<Dim> dims = getDims(op->getOperand(0));
  SmallVector<AffineExpr> loops = spec.parallel(getDims(op->getResult(0))), indices;
  Dim one = Dim::constant(op->getContext(), 1), count = one;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    AffineExpr index = spec.number(0);
    for (auto [result, loop] : llvm::enumerate(loops))
      if (!keep)
        index = index + loop * spec.size(isKept(reduced, axis, result));
      else if (result == axis)
        index = loop;
    Dim extent = Dim::select(reduced[axis], dim, one);
    indices.push_back(index + spec.reduction(extent));
    count = count * extent;
  }
  spec.read(0, indices);
  return count;
}

/// Adds the loops of a reduction and the read of its operand. Returns the number
/// of elements that are reduced to one.
static FailureOr<Dim> addLoops(Operation *op, LoopSpecBuilder &spec) {
  TypeInference inference(op);
  FailureOr<SmallVector<Dim>> reduced = reducedAxes(op, inference);
  if (failed(reduced))
    return failure();
  if (!areKnown(*reduced))
    return addUnknownLoops(op, spec, *reduced);
  bool keep = integerAttribute(op, "keepdims") != 0;
  SmallVector<Dim> dims = getDims(op->getOperand(0));
  SmallVector<AffineExpr> indices(dims.size());
  Dim one = inference.constant(1), count = one;
  // The result's axes come first, in order; a kept axis is a loop of one step.
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if ((*reduced)[axis].isConstant(0))
      indices[axis] = spec.parallel(dim);
    else if (keep)
      spec.parallel(one);
  }
  bool hasReduction = false;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    if ((*reduced)[axis].isConstant(0))
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

/// Accesses are projections where the axes are known.
static SpecKind reductionKind(Operation *op) {
  auto axes = op->getAttrOfType<DimsAttr>("axes");
  bool known = !axes || llvm::all_of(axes.getDims(), [](Dim axis) { return axis.isConstant(); });
  return known ? SpecKind::Reduce : SpecKind::Window;
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

FailureOr<Spec> reductionSpec(Operation *op, const Reduction &reduction) {
  LoopSpecBuilder spec(op, reductionKind(op));
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

/// The axes that are reduced, if the importer knows them.
static std::optional<SmallVector<int64_t>> findReducedAxes(Operation *op) {
  TypeInference inference(op);
  FailureOr<SmallVector<Dim>> reduced = reducedAxes(op, inference);
  if (failed(reduced) || !areKnown(*reduced))
    return std::nullopt;
  SmallVector<int64_t> axes;
  for (auto [axis, flag] : llvm::enumerate(*reduced))
    if (flag.isConstant(1))
      axes.push_back(static_cast<int64_t>(axis));
  return axes;
}

/// The largest divisor of `count` that makes parts for threads, or 1.
static int64_t countEqualParts(int64_t count) {
  for (int64_t parts = 64; parts >= 8; --parts)
    if (count % parts == 0)
      return parts;
  return 1;
}

LogicalResult splitReduction(Operation *op, OpBuilder &builder, SmallVectorImpl<Value> &values) {
  // Below, one thread is as fast.
  constexpr int64_t leastElements = 1 << 16, symbolic = 64;
  Value data = op->getOperand(0);
  SmallVector<Dim> dims = getDims(data), result = getDims(op->getResult(0));
  Type element = getElementType(data);
  std::optional<SmallVector<int64_t>> axes = findReducedAxes(op);
  if (!axes || (!element.isF32() && !element.isF64()) || !areAllOne(result))
    return failure();
  int64_t elements = 1;
  for (Dim dim : dims)
    if (llvm::MulOverflow(elements, dim.tryConstant().value_or(symbolic), elements))
      return failure();
  llvm::erase_if(*axes, [&](int64_t axis) { return dims[axis].isConstant(1); });
  if (elements < leastElements || axes->empty())
    return failure();
  Decomposer d(builder, op->getLoc());
  StringRef name = op->getName().getStringRef();
  if (axes->size() == 1 || dims[axes->front()].tryConstant().value_or(symbolic) < 8) {
    // All elements as rows of equal length.
    int64_t parts = llvm::all_of(dims, [](Dim dim) { return dim.isConstant(); })
                        ? countEqualParts(elements)
                        : 1;
    if (parts == 1)
      return failure();
    MLIRContext *context = op->getContext();
    data =
        d.reshape(data, {Dim::constant(context, parts), Dim::constant(context, elements / parts)});
    axes = {0, 1};
  }
  Value rows = d.reduce(name, data, ArrayRef(*axes).drop_front());
  Value whole = d.reduce(name, rows, axes->front());
  values.push_back(whole ? d.reshape(whole, result) : Value());
  return success(static_cast<bool>(values.back()));
}

LogicalResult ReduceLogSumExpOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Type element = getElementType(getData());
  std::optional<SmallVector<int64_t>> axes = findReducedAxes(*this);
  if (!axes || axes->empty() || !isa<FloatType>(element))
    return failure();
  Decomposer d(builder, getLoc());
  Type wide = wideType(element);
  Value x = d.cast(getData(), wide);
  Value largest = d.reduce("dsc.reduce_max", x, *axes);
  // Infinities cannot be subtracted from each other: relative to them is 0.
  Value magnitude = d.op("dsc.abs", {largest});
  Value isFinite =
      d.op("dsc.less", {magnitude, d.scalar(wide, std::numeric_limits<double>::infinity())});
  Value shift = d.op("dsc.where", {isFinite, largest, d.scalar(wide, 0)});
  Value exponential = d.op("dsc.exp", {d.op("dsc.sub", {x, shift})});
  Value sum = d.reduce("dsc.reduce_sum", exponential, *axes);
  Value sumLog = d.op("dsc.add", {d.op("dsc.log", {sum}), shift});
  Value result = d.cast(sumLog, element);
  values.push_back(result ? d.reshape(result, getDims(getResult())) : Value());
  return success(static_cast<bool>(values.back()));
}

FailureOr<Spec> ReduceLogSumExpOp::getSpec() {
  Type element = getElementType(getData());
  if (!isa<FloatType>(element))
    return emitOpError() << "computes floats, not " << shortTypeName(getData().getType()),
           failure();
  LoopSpecBuilder spec(*this, reductionKind(*this));
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
