//===- Normalization.cpp - softmax and normalisations ---------------------===//
#include "Axes.h"
#include "Contraction.h"
#include "dsc/Dialect/IR/Decomposer.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Softmax and its logarithm
//===----------------------------------------------------------------------===//

/// The input's type, for ops with an axis.
template <typename OpTy> static LogicalResult inferAlongAxis(OpTy op, TypeInference &inference) {
  if (!isa<FloatType>(getElementType(op.getInput())))
    return inference.error() << "is computed on floats, not "
                             << shortTypeName(op.getInput().getType());
  if (failed(inference.normalizeAxis(op.getAxis(), getRank(op.getInput()))))
    return failure();
  inference.addResult(getElementType(op.getInput()), getDims(op.getInput()));
  return success();
}

LogicalResult SoftmaxOp::inferTypes(TypeInference &inference) {
  return inferAlongAxis(*this, inference);
}

LogicalResult SoftmaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type element = getElementType(getInput());
  int64_t axis = positiveAxis(getAxis(), getRank(getInput()));
  Value x = d.cast(getInput(), wideType(element));
  Value e = d.op("dsc.exp", {d.op("dsc.sub", {x, d.reduce("dsc.reduce_max", x, axis)})});
  // One quotient for each row: a division takes longer than all else.
  Value scale = d.op("dsc.reciprocal", {d.reduce("dsc.reduce_sum", e, axis)});
  values.push_back(d.cast(d.op("dsc.mul", {e, scale}), element));
  return success(values.back() != nullptr);
}

LogicalResult LogSoftmaxOp::inferTypes(TypeInference &inference) {
  return inferAlongAxis(*this, inference);
}

LogicalResult LogSoftmaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type element = getElementType(getInput());
  int64_t axis = positiveAxis(getAxis(), getRank(getInput()));
  Value x = d.cast(getInput(), wideType(element));
  Value shifted = d.op("dsc.sub", {x, d.reduce("dsc.reduce_max", x, axis)});
  Value sum = d.reduce("dsc.reduce_sum", d.op("dsc.exp", {shifted}), axis);
  Value y = d.op("dsc.sub", {shifted, d.op("dsc.log", {sum})});
  values.push_back(d.cast(y, element));
  return success(values.back() != nullptr);
}

LogicalResult LpNormalizationOp::inferTypes(TypeInference &inference) {
  if (getP() != 1 && getP() != 2)
    return inference.error() << "p must be 1 or 2, not " << getP();
  return inferAlongAxis(*this, inference);
}

LogicalResult LpNormalizationOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type element = getElementType(getInput()), wide = wideType(element);
  Value x = d.cast(getInput(), wide);
  Value norm = d.reduce(getP() == 1 ? "dsc.reduce_l1" : "dsc.reduce_l2", x,
                        positiveAxis(getAxis(), getRank(getInput())));
  Value zero = d.scalar(wide, 0);
  // Where all elements are 0, so is the result.
  Value y = d.op("dsc.where", {d.op("dsc.equal", {norm, zero}), zero, d.op("dsc.div", {x, norm})});
  values.push_back(d.cast(y, element));
  return success(values.back() != nullptr);
}

//===----------------------------------------------------------------------===//
// Mean and deviation over axes
//===----------------------------------------------------------------------===//

namespace {

struct Normalized {
  Value value, mean, inverseDeviation;
};

} // namespace

/// (x - mean) / sqrt(variance + epsilon), over `axes`.
static Normalized normalize(Decomposer &d, Value x, ArrayRef<int64_t> axes, double epsilon) {
  Normalized result;
  result.mean = d.reduce("dsc.reduce_mean", x, axes);
  Value difference = d.op("dsc.sub", {x, result.mean});
  Value variance = d.reduce("dsc.reduce_mean", d.op("dsc.mul", {difference, difference}), axes);
  Value shifted = d.op("dsc.add", {variance, d.scalar(getElementType(x), epsilon)});
  result.inverseDeviation = d.op("dsc.reciprocal", {d.op("dsc.sqrt", {shifted})});
  result.value = d.op("dsc.mul", {difference, result.inverseDeviation});
  return result;
}

/// y * scale + b in y's type (b may be absent), rounded to `element`.
static Value scaleAndShift(Decomposer &d, Value y, Value scale, Value b, Type element) {
  Type wide = y ? getElementType(y) : element;
  y = d.op("dsc.mul", {y, d.cast(scale, wide)});
  if (b && !isAbsent(b))
    y = d.op("dsc.add", {y, d.cast(b, wide)});
  return d.cast(y, element);
}

/// The type in which a normalisation of `element` with this stash_type is computed:
/// the wider of both, at least float32. Null: not a float type.
static Type statisticsType(Type element, int64_t stashType) {
  auto stash = dyn_cast_or_null<FloatType>(elementTypeOfOnnx(element.getContext(), stashType));
  auto type = dyn_cast<FloatType>(element);
  if (!stash || !type)
    return {};
  return wideType(stash.getWidth() > type.getWidth() ? stash : type);
}

static LogicalResult checkStash(TypeInference &inference, Value x, int64_t stashType) {
  if (statisticsType(getElementType(x), stashType))
    return success();
  return inference.error() << "is computed on floats, not " << shortTypeName(x.getType())
                           << " with stash_type " << stashType;
}

static SmallVector<int64_t> axesFrom(int64_t first, Value value) {
  return llvm::to_vector(llvm::seq<int64_t>(positiveAxis(first, getRank(value)), getRank(value)));
}

/// A scale or bias must broadcast to the normalised value, without changing its shape.
static LogicalResult checkBroadcasts(TypeInference &inference, Value x, Value parameter,
                                     StringRef what) {
  if (isAbsent(parameter))
    return success();
  SmallVector<Dim> dims = getDims(x), own = getDims(parameter);
  if (own.size() > dims.size())
    return inference.error() << what << " " << shortTypeName(parameter.getType())
                             << " has more axes than the input " << shortTypeName(x.getType());
  for (auto [axis, dim] : llvm::enumerate(own)) {
    Dim size = dims[dims.size() - own.size() + axis];
    Dim fits = Dim::logicalOr(Dim::eq(dim, size), Dim::eq(dim, inference.constant(1)));
    if (failed(inference.require(fits, what + " of size " + dim.str() + " does not broadcast to " +
                                           size.str())))
      return failure();
  }
  return success();
}

LogicalResult LayerNormalizationOp::inferTypes(TypeInference &inference) {
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), getRank(getX()));
  if (failed(axis) || failed(checkStash(inference, getX(), getStashType())) ||
      failed(checkBroadcasts(inference, getX(), getScale(), "scale")) ||
      failed(checkBroadcasts(inference, getX(), getB(), "bias")))
    return failure();
  SmallVector<Dim> shape = getDims(getX());
  inference.addResult(getElementType(getX()), shape);
  std::fill(shape.begin() + *axis, shape.end(), inference.constant(1));
  for (unsigned i = 1; i < getNumResults(); ++i)
    inference.addResult(elementTypeOfOnnx(getContext(), getStashType()), shape);
  return success();
}

unsigned LayerNormalizationOp::getResultCount(unsigned numOutputs) { return numOutputs; }

LogicalResult LayerNormalizationOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type element = getElementType(getX());
  Value x = d.cast(getX(), statisticsType(element, getStashType()));
  Normalized normal = normalize(d, x, axesFrom(getAxis(), getX()), getEpsilon().convertToDouble());
  Type stash = elementTypeOfOnnx(getContext(), getStashType());
  Value all[] = {scaleAndShift(d, normal.value, getScale(), getB(), element),
                 d.cast(normal.mean, stash), d.cast(normal.inverseDeviation, stash)};
  llvm::append_range(values, ArrayRef(all).take_front(getNumResults()));
  return success(all[0] != nullptr);
}

LogicalResult RMSNormalizationOp::inferTypes(TypeInference &inference) {
  if (failed(inference.normalizeAxis(getAxis(), getRank(getX()))) ||
      failed(checkStash(inference, getX(), getStashType())) ||
      failed(checkBroadcasts(inference, getX(), getScale(), "scale")))
    return failure();
  inference.addResult(getElementType(getScale()), getDims(getX()));
  return success();
}

LogicalResult RMSNormalizationOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type wide = statisticsType(getElementType(getX()), getStashType());
  Value x = d.cast(getX(), wide);
  Value mean = d.reduce("dsc.reduce_mean", d.op("dsc.mul", {x, x}), axesFrom(getAxis(), getX()));
  Value shifted = d.op("dsc.add", {mean, d.scalar(wide, getEpsilon().convertToDouble())});
  Value y = d.op("dsc.div", {x, d.op("dsc.sqrt", {shifted})});
  values.push_back(scaleAndShift(d, y, getScale(), {}, getElementType(getScale())));
  return success(values.back() != nullptr);
}

//===----------------------------------------------------------------------===//
// Normalisation of channels
//===----------------------------------------------------------------------===//

/// x [N, C, ...], scale and bias [C].
static LogicalResult inferChannels(TypeInference &inference, Value x, Value scale, Value b) {
  SmallVector<Dim> dims = getDims(x);
  if (dims.size() < 3)
    return inference.error() << "needs an input of rank 3 or more, not "
                             << shortTypeName(x.getType());
  if (getRank(scale) != 1 || getRank(b) != 1)
    return inference.error() << "scale and bias must have one axis, not "
                             << shortTypeName(scale.getType()) << " and "
                             << shortTypeName(b.getType());
  if (failed(inference.requireEqual(getDims(scale)[0], dims[1],
                                    "scale has another size than there are channels")) ||
      failed(inference.requireEqual(getDims(b)[0], dims[1],
                                    "bias has another size than there are channels")))
    return failure();
  inference.addResult(getElementType(x), dims);
  return success();
}

/// [C] as [C, 1, ...], to broadcast to `x`.
static Value perChannel(Decomposer &d, Value parameter, Value x) {
  SmallVector<Dim> shape(getRank(x) - 1, Dim::constant(x.getContext(), 1));
  shape[0] = getDims(parameter)[0];
  return d.reshape(parameter, shape);
}

LogicalResult InstanceNormalizationOp::inferTypes(TypeInference &inference) {
  return inferChannels(inference, getX(), getScale(), getB());
}

LogicalResult InstanceNormalizationOp::decompose(OpBuilder &builder,
                                                 SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type element = getElementType(getX());
  Value x = d.cast(getX(), wideType(element));
  Value y = normalize(d, x, axesFrom(2, getX()), getEpsilon().convertToDouble()).value;
  values.push_back(scaleAndShift(d, y, perChannel(d, getScale(), getX()),
                                 perChannel(d, getB(), getX()), element));
  return success(values.back() != nullptr);
}

LogicalResult GroupNormalizationOp::inferTypes(TypeInference &inference) {
  if (failed(checkStash(inference, getX(), getStashType())) ||
      failed(inferChannels(inference, getX(), getScale(), getB())))
    return failure();
  int64_t groups = getNumGroups();
  if (groups < 1)
    return inference.error() << "num_groups must be positive, not " << groups;
  Dim channels = getDims(getX())[1];
  return inference.require(Dim::eq(channels.mod(inference.constant(groups)), inference.constant(0)),
                           channels.str() + " channels cannot be divided into " + Twine(groups) +
                               " groups");
}

LogicalResult GroupNormalizationOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  Type element = getElementType(getX());
  SmallVector<Dim> shape = getDims(getX());
  Dim groups = Dim::constant(getContext(), getNumGroups());
  Dim groupSize = shape[1].floorDiv(groups) * product(getContext(), ArrayRef(shape).drop_front(2));
  Value x = d.cast(getX(), statisticsType(element, getStashType()));
  Value grouped = d.reshape(x, {shape[0], groups, groupSize});
  Value y = normalize(d, grouped, {2}, getEpsilon().convertToDouble()).value;
  values.push_back(scaleAndShift(d, d.reshape(y, shape), perChannel(d, getScale(), getX()),
                                 perChannel(d, getB(), getX()), element));
  return success(values.back() != nullptr);
}

//===----------------------------------------------------------------------===//
// LRN
//===----------------------------------------------------------------------===//

LogicalResult LRNOp::inferTypes(TypeInference &inference) {
  if (getRank(getX()) < 2)
    return inference.error() << "needs an input of rank 2 or more, not "
                             << shortTypeName(getX().getType());
  if (static_cast<int64_t>(getSize()) < 1)
    return inference.error() << "size must be positive, not " << getSize();
  inference.addResult(getElementType(getX()), getDims(getX()));
  return success();
}

FailureOr<Spec> LRNOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Window);
  SmallVector<AffineExpr> loops = spec.parallel(ArrayRef<Dim>(getDims(getX())));
  AffineExpr j = spec.reduction(Dim::constant(getContext(), getSize()));
  SmallVector<AffineExpr> shifted = loops;
  shifted[1] = loops[1] + j - (getSize() - 1) / 2;
  spec.read(0, shifted, Bounds::Skip);
  spec.readInFinish(0, loops);
  Type element = getElementType(getX());
  accumulateFromZero(spec, element);
  spec.body(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {multiplyAdd(s, args.operands[0], args.operands[0], args.accumulators[0])};
  });
  float alpha = getAlpha().convertToFloat() / static_cast<float>(getSize());
  float beta = getBeta().convertToFloat(), bias = getBias().convertToFloat();
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value base = s.add(s.constant(bias), s.mul(s.constant(alpha), args.accumulators[0]));
    Value divisor = s.math<math::PowFOp>(base, s.constant(beta));
    return {s.round(s.div(s.compute(args.operands[0]), divisor))};
  });
  return spec.take();
}

} // namespace dsc
