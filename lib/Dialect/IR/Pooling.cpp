//===- Pooling.cpp - largest, average and norm of windows -----------------===//
#include "Contraction.h"
#include "Window.h"
#include "dsc/Dialect/IR/Decomposer.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Shared by all
//===----------------------------------------------------------------------===//

template <typename OpTy> static FailureOr<Window> poolWindow(OpTy op, TypeInference &inference) {
  SmallVector<Dim> x = getDims(op.getX());
  if (x.size() < 3)
    return inference.error() << "needs an input of rank 3 or more, not "
                             << shortTypeName(op.getX().getType()),
           failure();
  SmallVector<Dim> kernel = llvm::map_to_vector(
      op.getKernelShape(), [&](int64_t size) { return inference.constant(size); });
  return slideWindow(inference, windowAttributes(op), ArrayRef(x).drop_front(2), kernel);
}

static SmallVector<Dim> poolShape(Value x, const Window &window) {
  SmallVector<Dim> shape(ArrayRef(getDims(x)).take_front(2));
  llvm::append_range(shape, window.output);
  return shape;
}

template <typename OpTy> static LogicalResult inferPool(OpTy op, TypeInference &inference) {
  FailureOr<Window> window = poolWindow(op, inference);
  if (failed(window))
    return failure();
  inference.addResult(getElementType(op.getX()), poolShape(op.getX(), *window));
  return success();
}

/// Adds the loops over windows and the read of x.
static void addPoolLoops(LoopSpecBuilder &spec, Value x, const Window &window) {
  SmallVector<AffineExpr> loops = spec.parallel(ArrayRef<Dim>(poolShape(x, window)));
  SmallVector<AffineExpr> indices = {loops[0], loops[1]}, k;
  for (Dim size : window.kernel)
    k.push_back(spec.reduction(size));
  for (unsigned i = 0; i < window.rank(); ++i)
    indices.push_back(window.position(spec, i, loops[2 + i], k[i]));
  spec.read(0, indices, window.bounds());
}

/// Adds the loops over all elements of x behind its first two axes.
static void addGlobalLoops(LoopSpecBuilder &spec, Value x, Value y) {
  SmallVector<AffineExpr> loops = spec.parallel(ArrayRef<Dim>(getDims(y)));
  SmallVector<AffineExpr> indices = {loops[0], loops[1]};
  for (Dim size : llvm::drop_begin(getDims(x), 2))
    indices.push_back(spec.reduction(size));
  spec.read(0, indices);
}

static LogicalResult inferGlobal(Value x, TypeInference &inference) {
  SmallVector<Dim> shape = getDims(x);
  if (shape.size() < 2)
    return inference.error() << "needs an input of rank 2 or more, not "
                             << shortTypeName(x.getType());
  std::fill(shape.begin() + 2, shape.end(), inference.constant(1));
  inference.addResult(getElementType(x), shape);
  return success();
}

//===----------------------------------------------------------------------===//
// Scalar code
//===----------------------------------------------------------------------===//

/// What any element is at least as large as, in compute form.
static TypedAttr lowest(Type element) {
  Builder builder(element.getContext());
  if (auto type = dyn_cast<FloatType>(element)) {
    FloatType compute = type.getWidth() < 32 ? FloatType(builder.getF32Type()) : type;
    return FloatAttr::get(compute, APFloat::getInf(compute.getFloatSemantics(), /*Negative=*/true));
  }
  unsigned width = element.getIntOrFloatBitWidth();
  APInt value =
      element.isUnsignedInteger() ? APInt::getZero(width) : APInt::getSignedMinValue(width);
  return IntegerAttr::get(storageType(element), value);
}

static Value larger(ScalarBuilder &s, LoopSpecBuilder::Args args) {
  return s.max(args.accumulators[0], s.compute(args.operands[0]));
}

static Value added(ScalarBuilder &s, LoopSpecBuilder::Args args) {
  return s.add(args.accumulators[0], s.compute(args.operands[0]));
}

/// accumulator + |x|^p.
static Value sumOfPowers(ScalarBuilder &s, LoopSpecBuilder::Args args, int64_t p) {
  Value x = s.compute(args.operands[0]), power;
  if (p == 2)
    power = s.mul(x, x);
  else if (p == 1)
    power = s.abs(x);
  else
    power = s.math<math::PowFOp>(s.abs(x), s.constant(p));
  return s.add(args.accumulators[0], power);
}

/// The p-th root.
static Value root(ScalarBuilder &s, Value value, int64_t p) {
  if (p == 1)
    return value;
  if (p == 2)
    return s.math<math::SqrtOp>(value);
  return s.math<math::PowFOp>(value, s.constant(1.0 / p));
}

static LogicalResult checkPower(TypeInference &inference, int64_t p) {
  if (p < 1)
    return inference.error() << "p must be positive, not " << p;
  return success();
}

//===----------------------------------------------------------------------===//
// MaxPool
//===----------------------------------------------------------------------===//

unsigned MaxPoolOp::getResultCount(unsigned numOutputs) { return numOutputs; }

LogicalResult MaxPoolOp::inferTypes(TypeInference &inference) {
  if (failed(inferPool(*this, inference)))
    return failure();
  if (getNumResults() > 1)
    inference.addResult(IntegerType::get(getContext(), 64), getDims(inference.getResults()[0]));
  return success();
}

/// The position in x, as one number, of the element that the window reads.
static Value flatPosition(ScalarBuilder &s, const Window &window, Dim channels, ValueRange indices,
                          bool columnMajor) {
  unsigned rank = window.rank();
  Value plane = s.indexAdd(s.indexMul(indices[0], s.size(channels)), indices[1]);
  Value inPlane = s.index(0), size = s.index(1);
  for (unsigned step = 0; step < rank; ++step) {
    // Row-major: the last axis varies fastest.
    unsigned axis = columnMajor ? step : rank - 1 - step;
    Value position = window.position(s, axis, indices[2 + axis], indices[2 + rank + axis]);
    inPlane = s.indexAdd(inPlane, s.indexMul(position, size));
    size = s.indexMul(size, s.size(window.input[axis]));
  }
  return s.indexAdd(s.indexMul(plane, size), inPlane);
}

FailureOr<Spec> MaxPoolOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<Window> window = poolWindow(*this, inference);
  if (failed(window))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  addPoolLoops(spec, getX(), *window);
  Type element = getElementType(getX());
  spec.accumulator(lowest(element));
  bool withIndices = getNumResults() > 1;
  if (!withIndices) {
    spec.body(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
      return {larger(s, args)};
    });
    finishRounded(spec, element);
    return spec.take();
  }
  Type wide = IntegerType::get(getContext(), 64);
  spec.accumulator(IntegerAttr::get(wide, 0));
  Dim channels = getDims(getX())[1];
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value x = s.compute(args.operands[0]), best = args.accumulators[0];
    // The first of equal elements stays; NaN is the largest.
    Value isBetter = s.gt(x, best);
    if (s.isFloat())
      isBetter = s.logicalOr(isBetter, s.logicalAnd(s.isNan(x), s.logicalNot(s.isNan(best))));
    Value position = s.with(wide).fromIndex(
        flatPosition(s, *window, channels, args.indices, getStorageOrder() != 0));
    return {s.select(isBetter, x, best), s.select(isBetter, position, args.accumulators[1])};
  });
  if (element.isF16() || element.isBF16())
    spec.finish(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
      return {s.round(args.accumulators[0]), args.accumulators[1]};
    });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// AveragePool
//===----------------------------------------------------------------------===//

LogicalResult AveragePoolOp::inferTypes(TypeInference &inference) {
  return inferPool(*this, inference);
}

/// How many positions of the window at `o` lie in the input or, with `padded`, in
/// the padded input, on one axis.
static Value countInside(ScalarBuilder &s, const Window &window, unsigned axis, Value o,
                         bool padded) {
  ScalarBuilder onIndex = s.with(s.builder.getIndexType());
  Value start =
      s.indexSub(s.indexMul(o, s.index(window.strides[axis])), s.size(window.padBegin[axis]));
  Value dilation = s.index(window.dilations[axis]);
  Dim limit = padded ? window.input[axis] + window.padEnd[axis] : window.input[axis];
  Value last = s.indexDiv(s.indexSub(s.indexSub(s.size(limit), s.index(1)), start), dilation);
  Value end = onIndex.min(s.size(window.kernel[axis]), s.indexAdd(last, s.index(1)));
  if (padded)
    return end;
  // The first that is not before the input: -start / dilation, rounded up.
  Value first = onIndex.sub(s.index(0), s.indexDiv(start, dilation));
  return onIndex.sub(end, onIndex.max(first, s.index(0)));
}

FailureOr<Spec> AveragePoolOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<Window> window = poolWindow(*this, inference);
  if (failed(window))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  addPoolLoops(spec, getX(), *window);
  Type element = getElementType(getX());
  accumulateFromZero(spec, element);
  spec.body(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {added(s, args)};
  });
  bool padded = getCountIncludePad() != 0;
  bool isFull = window->bounds() == Bounds::Inside || (padded && !getCeilMode());
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value count = s.index(1);
    for (unsigned i = 0; i < window->rank(); ++i)
      count = s.indexMul(count, isFull ? s.size(window->kernel[i])
                                       : countInside(s, *window, i, args.indices[2 + i], padded));
    return {s.round(s.div(args.accumulators[0], s.fromIndex(count)))};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// LpPool
//===----------------------------------------------------------------------===//

LogicalResult LpPoolOp::inferTypes(TypeInference &inference) {
  if (failed(checkPower(inference, getP())))
    return failure();
  return inferPool(*this, inference);
}

/// Sums of powers and their root, over loops that are there already.
static Spec normSpec(LoopSpecBuilder &spec, Type element, int64_t p) {
  accumulateFromZero(spec, element);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {sumOfPowers(s, args, p)};
  });
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {s.round(root(s, args.accumulators[0], p))};
  });
  return spec.take();
}

FailureOr<Spec> LpPoolOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<Window> window = poolWindow(*this, inference);
  if (failed(window))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  addPoolLoops(spec, getX(), *window);
  return normSpec(spec, getElementType(getX()), getP());
}

//===----------------------------------------------------------------------===//
// Global pooling
//===----------------------------------------------------------------------===//

LogicalResult GlobalAveragePoolOp::inferTypes(TypeInference &inference) {
  return inferGlobal(getX(), inference);
}

FailureOr<Spec> GlobalAveragePoolOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  addGlobalLoops(spec, getX(), getY());
  Type element = getElementType(getX());
  accumulateFromZero(spec, element);
  spec.body(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {added(s, args)};
  });
  Dim count = product(getContext(), ArrayRef(getDims(getX())).drop_front(2));
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {s.round(s.div(args.accumulators[0], s.fromIndex(s.size(count))))};
  });
  return spec.take();
}

LogicalResult GlobalMaxPoolOp::inferTypes(TypeInference &inference) {
  return inferGlobal(getX(), inference);
}

FailureOr<Spec> GlobalMaxPoolOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  addGlobalLoops(spec, getX(), getY());
  Type element = getElementType(getX());
  spec.accumulator(lowest(element));
  spec.body(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {larger(s, args)};
  });
  finishRounded(spec, element);
  return spec.take();
}

LogicalResult GlobalLpPoolOp::inferTypes(TypeInference &inference) {
  if (failed(checkPower(inference, getP())))
    return failure();
  return inferGlobal(getX(), inference);
}

FailureOr<Spec> GlobalLpPoolOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  addGlobalLoops(spec, getX(), getY());
  return normSpec(spec, getElementType(getX()), getP());
}

//===----------------------------------------------------------------------===//
// MaxUnpool
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> MaxUnpoolOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{2, "output_shape"}};
  return operands;
}

/// The shape that the positions are counted in: what pooling made x from.
static FailureOr<SmallVector<Dim>> unpooledShape(MaxUnpoolOp op, TypeInference &inference) {
  SmallVector<Dim> shape = getDims(op.getX());
  if (shape.size() < 3)
    return inference.error() << "needs an input of rank 3 or more, not "
                             << shortTypeName(op.getX().getType()),
           failure();
  WindowAttributes attributes;
  attributes.strides = op.getStrides();
  attributes.pads = op.getPads();
  SmallVector<Dim> kernel = llvm::map_to_vector(
      op.getKernelShape(), [&](int64_t size) { return inference.constant(size); });
  FailureOr<Window> window =
      makeWindow(inference, attributes, ArrayRef(shape).drop_front(2), kernel);
  if (failed(window))
    return failure();
  for (unsigned i = 0; i < window->rank(); ++i)
    shape[2 + i] = (window->input[i] - 1) * window->strides[i] + window->kernel[i] -
                   window->padBegin[i] - window->padEnd[i];
  return shape;
}

LogicalResult MaxUnpoolOp::inferTypes(TypeInference &inference) {
  FailureOr<SmallVector<Dim>> shape = unpooledShape(*this, inference);
  if (failed(shape))
    return failure();
  SmallVector<Dim> x = getDims(getX()), indices = getDims(getI());
  if (x.size() != indices.size())
    return inference.error() << "indices " << shortTypeName(getI().getType())
                             << " have another shape than the input "
                             << shortTypeName(getX().getType());
  for (auto [axis, size, have] : llvm::enumerate(x, indices))
    if (failed(inference.requireEqual(
            size, have, "input and indices have different sizes on axis " + Twine(axis))))
      return failure();
  if (std::optional<DimsAttr> given = getOutputShape()) {
    if (given->size() != shape->size())
      return inference.error() << "output_shape has " << given->size() << " entries for "
                               << shape->size() << " axes";
    shape = given->getDims();
  }
  inference.addResult(getElementType(getX()), *shape);
  return success();
}

LogicalResult MaxUnpoolOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  TypeInference inference(*this);
  FailureOr<SmallVector<Dim>> shape = unpooledShape(*this, inference);
  if (failed(shape))
    return failure();
  Decomposer d(builder, getLoc());
  Dim count = product(getContext(), getDims(getX())), total = product(getContext(), *shape);
  Type element = getElementType(getX());
  auto zero =
      DenseElementsAttr::get(RankedTensorType::get({1}, element), builder.getZeroAttr(element));
  Value zeros = d.op("dsc.constant_of_shape", {}, {{"shape", d.dims({total})}, {"value", zero}});
  Value result =
      d.op("dsc.scatter_elements", {zeros, d.reshape(getI(), {count}), d.reshape(getX(), {count})});
  result = d.reshape(result, *shape);
  SmallVector<Dim> wanted = getDims(getOutput());
  if (wanted != *shape) {
    SmallVector<Dim> pads(shape->size(), inference.constant(0));
    for (auto [want, have] : llvm::zip(wanted, *shape))
      pads.push_back(want - have);
    result = d.op("dsc.pad", {result, d.none()}, {{"pads", d.dims(pads)}});
  }
  values.push_back(result);
  return success(result != nullptr);
}

} // namespace dsc
