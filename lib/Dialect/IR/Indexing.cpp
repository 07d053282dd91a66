//===- Indexing.cpp - gather and scatter ----------------------------------===//
#include "Axes.h"
#include "dsc/Dialect/IR/Decomposer.h"
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

using Args = LoopSpecBuilder::Args;

/// An index read from a tensor of `type`: negative ones count from the end.
static Value wrapIndex(ScalarBuilder &s, Value stored, Type type, Dim size) {
  ScalarBuilder onIndex = s.with(s.builder.getIndexType());
  Value index = s.with(type).toIndex(stored);
  Value isNegative = onIndex.lt(index, s.index(0));
  return s.select(isNegative, s.indexAdd(index, s.size(size)), index);
}

static LogicalResult requireIndices(TypeInference &inference, Value indices) {
  Type type = getElementType(indices);
  if (type.isInteger(64) || type.isInteger(32))
    return success();
  return inference.error() << "needs int32 or int64 indices, not "
                           << shortTypeName(indices.getType());
}

static LogicalResult requireSameElements(TypeInference &inference, Value data, Value updates) {
  if (getElementType(data) == getElementType(updates))
    return success();
  return inference.error() << "updates are " << shortTypeName(updates.getType())
                           << " for data of type " << shortTypeName(data.getType());
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

LogicalResult GatherOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getData()), indices = getDims(getIndices());
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), shape.size());
  if (failed(axis) || failed(requireIndices(inference, getIndices())))
    return failure();
  shape.erase(shape.begin() + *axis);
  shape.insert(shape.begin() + *axis, indices.begin(), indices.end());
  inference.addResult(getElementType(getData()), shape);
  return success();
}

/// The index of a gather at one place that is known and inside of the axis.
static std::optional<int64_t> constantIndex(Value indices, Dim size) {
  auto constant = indices.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseIntElementsAttr>(constant.getValue()) : nullptr;
  if (!elements || elements.getNumElements() != 1 || !size.isConstant())
    return std::nullopt;
  int64_t index = (*elements.begin()).getSExtValue();
  if (index < 0)
    index += size.getConstant();
  return index >= 0 && index < size.getConstant() ? std::optional(index) : std::nullopt;
}

FailureOr<Spec> GatherOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  int64_t axis = positiveAxis(getAxis(), getRank(getData())), depth = getRank(getIndices());
  if (std::optional<int64_t> index = constantIndex(getIndices(), getDims(getData())[axis])) {
    SmallVector<AffineExpr> position(ArrayRef(loops).take_front(axis));
    position.push_back(spec.number(*index));
    llvm::append_range(position, ArrayRef(loops).drop_front(axis + depth));
    spec.read(0, position);
    spec.body(getElementType(getData()),
              [](ScalarBuilder &, Args args) -> SmallVector<Value> { return {args.operands[0]}; });
    return spec.take();
  }
  spec.readAnywhere(0);
  spec.read(1, ArrayRef(loops).slice(axis, depth));
  spec.body(getElementType(getData()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    SmallVector<Value> indices(args.indices.take_front(axis));
    indices.push_back(
        wrapIndex(s, args.operands[1], getElementType(getIndices()), getDims(getData())[axis]));
    llvm::append_range(indices, args.indices.drop_front(axis + depth));
    return {s.stored(args.operands[0], indices, AtMode::Checked)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// GatherElements
//===----------------------------------------------------------------------===//

/// Indices must not be longer than the data on any axis but `axis`.
static LogicalResult requireInside(TypeInference &inference, Value data, Value indices,
                                   int64_t axis) {
  SmallVector<Dim> outer = getDims(data), inner = getDims(indices);
  if (outer.size() != inner.size())
    return inference.error() << "needs indices of rank " << outer.size() << ", not "
                             << shortTypeName(indices.getType());
  for (auto [i, size, limit] : llvm::enumerate(inner, outer))
    if (static_cast<int64_t>(i) != axis &&
        failed(inference.require(Dim::le(size, limit), "indices have size " + size.str() +
                                                           " on axis " + Twine(i) +
                                                           ", where data has " + limit.str())))
      return failure();
  return success();
}

LogicalResult GatherElementsOp::inferTypes(TypeInference &inference) {
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), getRank(getData()));
  if (failed(axis) || failed(requireIndices(inference, getIndices())) ||
      failed(requireInside(inference, getData(), getIndices(), *axis)))
    return failure();
  inference.addResult(getElementType(getData()), getDims(getIndices()));
  return success();
}

FailureOr<Spec> GatherElementsOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  int64_t axis = positiveAxis(getAxis(), loops.size());
  spec.readAnywhere(0);
  spec.read(1, loops);
  spec.body(getElementType(getData()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    SmallVector<Value> indices(args.indices);
    indices[axis] =
        wrapIndex(s, args.operands[1], getElementType(getIndices()), getDims(getData())[axis]);
    return {s.stored(args.operands[0], indices, AtMode::Checked)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// GatherND
//===----------------------------------------------------------------------===//

/// How many axes an index of GatherND or ScatterND names: the constant size of the
/// last axis of the indices.
static FailureOr<int64_t> indexDepth(TypeInference &inference, Value indices, int64_t most) {
  SmallVector<Dim> dims = getDims(indices);
  if (dims.empty())
    return inference.error() << "needs indices of rank 1 or more", failure();
  std::optional<int64_t> depth = dims.back().tryConstant();
  if (!depth)
    return inference.error() << "the last axis of the indices, " << dims.back().str()
                             << ", is not known when compiling",
           failure();
  if (*depth < 1 || *depth > most)
    return inference.error() << "indices name " << *depth << " axes of " << most, failure();
  return *depth;
}

/// Adds a read of each component of the index at `loops`.
static void readIndex(LoopSpecBuilder &spec, unsigned operand, ArrayRef<AffineExpr> loops,
                      int64_t depth) {
  for (int64_t i = 0; i < depth; ++i) {
    SmallVector<AffineExpr> component(loops);
    component.push_back(spec.number(i));
    spec.read(operand, component);
  }
}

LogicalResult GatherNDOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> data = getDims(getData()), indices = getDims(getIndices());
  int64_t batch = getBatchDims(), rank = data.size();
  if (batch < 0 || batch >= rank || batch >= static_cast<int64_t>(indices.size()))
    return inference.error() << "batch_dims is " << batch << " for "
                             << shortTypeName(getData().getType()) << " and "
                             << shortTypeName(getIndices().getType());
  FailureOr<int64_t> depth = indexDepth(inference, getIndices(), rank - batch);
  if (failed(depth) || failed(requireIndices(inference, getIndices())))
    return failure();
  for (int64_t i = 0; i < batch; ++i)
    if (failed(inference.requireEqual(data[i], indices[i],
                                      "data and indices have different sizes on axis " + Twine(i))))
      return failure();
  SmallVector<Dim> shape(ArrayRef(indices).drop_back());
  llvm::append_range(shape, ArrayRef(data).drop_front(batch + *depth));
  inference.addResult(getElementType(getData()), shape);
  return success();
}

FailureOr<Spec> GatherNDOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  SmallVector<Dim> data = getDims(getData());
  int64_t batch = getBatchDims(), outer = getRank(getIndices()) - 1;
  int64_t depth = getDims(getIndices()).back().getConstant();
  spec.readAnywhere(0);
  readIndex(spec, 1, ArrayRef(loops).take_front(outer), depth);
  spec.body(getElementType(getData()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    SmallVector<Value> indices(args.indices.take_front(batch));
    for (int64_t i = 0; i < depth; ++i)
      indices.push_back(
          wrapIndex(s, args.operands[1 + i], getElementType(getIndices()), data[batch + i]));
    llvm::append_range(indices, args.indices.drop_front(outer));
    return {s.stored(args.operands[0], indices, AtMode::Checked)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// ScatterElements, ScatterND
//===----------------------------------------------------------------------===//

static LogicalResult checkReduction(TypeInference &inference, StringRef reduction) {
  if (llvm::is_contained({"none", "add", "mul", "max", "min"}, reduction))
    return success();
  return inference.error() << "reduction is '" << reduction
                           << "', expected none, add, mul, max or min";
}

/// The updates become a Scatter with one of ONNX's reductions. Sums and products
/// of bools are or and and.
static Spec takeScatter(LoopSpecBuilder &spec, StringRef reduction) {
  if (reduction == "none")
    return spec.takeScatter();
  return spec.takeScatter([&](ScalarBuilder &s, Value old, Value update) -> Value {
    if (reduction == "max" || (reduction == "add" && s.isBool()))
      return s.max(old, update);
    if (reduction == "min")
      return s.min(old, update);
    return reduction == "add" ? s.add(old, update) : s.mul(old, update);
  });
}

LogicalResult ScatterElementsOp::inferTypes(TypeInference &inference) {
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), getRank(getData()));
  if (failed(axis) || failed(checkReduction(inference, getReduction())) ||
      failed(requireIndices(inference, getIndices())) ||
      failed(requireSameElements(inference, getData(), getUpdates())) ||
      failed(requireInside(inference, getData(), getIndices(), *axis)))
    return failure();
  SmallVector<Dim> indices = getDims(getIndices()), updates = getDims(getUpdates());
  if (indices.size() != updates.size())
    return inference.error() << "needs an index for each update, not "
                             << shortTypeName(getIndices().getType()) << " for "
                             << shortTypeName(getUpdates().getType());
  for (auto [i, index, update] : llvm::enumerate(indices, updates))
    if (failed(inference.requireEqual(
            index, update, "indices and updates have different sizes on axis " + Twine(i))))
      return failure();
  inference.addResult(getElementType(getData()), getDims(getData()));
  return success();
}

/// Indices that were repeated along all other axes name rows:
///   scatter_elements(data, expand(i : [E, 1]), updates) {axis = 0} = scatter_nd(data, i, updates)
LogicalResult ScatterElementsOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  auto expand = getIndices().getDefiningOp<ExpandOp>();
  SmallVector<Dim> data = getDims(getData()), updates = getDims(getUpdates());
  if (!expand || data.size() < 2 || positiveAxis(getAxis(), data.size()) != 0 ||
      ArrayRef(data).drop_front() != ArrayRef(updates).drop_front())
    return failure();
  SmallVector<Dim> rows = getDims(expand->getOperand(0));
  auto isOne = [](Dim dim) { return dim.isConstant(1); };
  if (rows.size() != data.size() || rows[0] != updates[0] ||
      !llvm::all_of(ArrayRef(rows).drop_front(), isOne))
    return failure();
  Decomposer d(builder, getLoc());
  Value indices = d.reshape(expand->getOperand(0), ArrayRef(rows).take_front(2));
  values.push_back(d.op("dsc.scatter_nd", {getData(), indices, getUpdates()},
                        {{"reduction", getReductionAttr()}}));
  return success(values.back() != nullptr);
}

FailureOr<Spec> ScatterElementsOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Scatter);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getIndices()));
  int64_t axis = positiveAxis(getAxis(), loops.size());
  spec.read(1, loops);
  spec.read(2, loops);
  spec.body(getElementType(getData()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    SmallVector<Value> results(args.indices);
    results[axis] =
        wrapIndex(s, args.operands[0], getElementType(getIndices()), getDims(getData())[axis]);
    results.push_back(args.operands[1]);
    return results;
  });
  return takeScatter(spec, getReduction());
}

LogicalResult ScatterNDOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> data = getDims(getData()), indices = getDims(getIndices()),
                   updates = getDims(getUpdates());
  FailureOr<int64_t> depth = indexDepth(inference, getIndices(), data.size());
  if (failed(depth) || failed(checkReduction(inference, getReduction())) ||
      failed(requireIndices(inference, getIndices())) ||
      failed(requireSameElements(inference, getData(), getUpdates())))
    return failure();
  SmallVector<Dim> expected(ArrayRef(indices).drop_back());
  llvm::append_range(expected, ArrayRef(data).drop_front(*depth));
  if (expected.size() != updates.size())
    return inference.error() << "needs updates of rank " << expected.size() << ", not "
                             << shortTypeName(getUpdates().getType());
  for (auto [i, want, got] : llvm::enumerate(expected, updates))
    if (failed(
            inference.requireEqual(got, want, "updates have the wrong size on axis " + Twine(i))))
      return failure();
  inference.addResult(getElementType(getData()), data);
  return success();
}

FailureOr<Spec> ScatterNDOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Scatter);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getUpdates()));
  SmallVector<Dim> data = getDims(getData());
  int64_t outer = getRank(getIndices()) - 1;
  int64_t depth = getDims(getIndices()).back().getConstant();
  spec.read(2, loops);
  readIndex(spec, 1, ArrayRef(loops).take_front(outer), depth);
  spec.body(getElementType(getData()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    SmallVector<Value> results;
    for (int64_t i = 0; i < depth; ++i)
      results.push_back(wrapIndex(s, args.operands[1 + i], getElementType(getIndices()), data[i]));
    llvm::append_range(results, args.indices.drop_front(outer));
    results.push_back(args.operands[0]);
    return results;
  });
  return takeScatter(spec, getReduction());
}

//===----------------------------------------------------------------------===//
// TensorScatter
//===----------------------------------------------------------------------===//

LogicalResult TensorScatterOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> cache = getDims(getPastCache()), update = getDims(getUpdate());
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), cache.size());
  if (failed(axis) || failed(requireSameElements(inference, getPastCache(), getUpdate())))
    return failure();
  if (*axis == 0)
    return inference.error() << "axis is 0, which is the batch";
  if (getMode() != "linear" && getMode() != "circular")
    return inference.error() << "mode is '" << getMode() << "', expected linear or circular";
  if (update.size() != cache.size())
    return inference.error() << "needs an update of rank " << cache.size() << ", not "
                             << shortTypeName(getUpdate().getType());
  for (auto [i, have, want] : llvm::enumerate(update, cache)) {
    bool isSequence = static_cast<int64_t>(i) == *axis;
    Dim fits = isSequence ? Dim::le(have, want) : Dim::eq(have, want);
    if (failed(inference.require(fits, "update has size " + have.str() + " on axis " + Twine(i) +
                                           ", where the cache has " + want.str())))
      return failure();
  }
  if (!isAbsent(getWriteIndices())) {
    SmallVector<Dim> starts = getDims(getWriteIndices());
    if (failed(requireIndices(inference, getWriteIndices())))
      return failure();
    if (starts.size() != 1)
      return inference.error() << "write_indices must have one axis, not "
                               << shortTypeName(getWriteIndices().getType());
    if (failed(inference.requireEqual(starts[0], cache[0],
                                      "write_indices needs an index for each sample")))
      return failure();
  }
  inference.addResult(getElementType(getPastCache()), cache);
  return success();
}

FailureOr<Spec> TensorScatterOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Scatter);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getUpdate()));
  int64_t axis = positiveAxis(getAxis(), loops.size());
  spec.read(1, loops);
  bool hasStart = !isAbsent(getWriteIndices());
  if (hasStart)
    spec.read(2, loops[0]);
  spec.body(getElementType(getUpdate()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    SmallVector<Value> results(args.indices);
    if (hasStart) {
      ScalarBuilder start = s.with(getElementType(getWriteIndices()));
      results[axis] = s.indexAdd(results[axis], start.toIndex(args.operands[1]));
    }
    if (getMode() == "circular")
      results[axis] = s.indexMod(results[axis], s.size(getDims(getPastCache())[axis]));
    results.push_back(args.operands[0]);
    return results;
  });
  return spec.takeScatter();
}

//===----------------------------------------------------------------------===//
// OneHot
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> OneHotOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "depth"}};
  return operands;
}

LogicalResult OneHotOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getIndices()), values = getDims(getValues());
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), shape.size() + 1);
  if (failed(axis))
    return failure();
  if (getDepth().size() != 1)
    return inference.error() << "needs one number as depth, got " << getDepth().size();
  if (values.size() != 1)
    return inference.error() << "values must be [off, on], not "
                             << shortTypeName(getValues().getType());
  Dim depth = getDepth().getDims().front();
  if (failed(inference.requireEqual(values[0], inference.constant(2),
                                    "values must have two elements")) ||
      failed(inference.require(Dim::le(inference.constant(0), depth), "depth is " + depth.str())))
    return failure();
  shape.insert(shape.begin() + *axis, depth);
  inference.addResult(getElementType(getValues()), shape);
  return success();
}

FailureOr<Spec> OneHotOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult())), others(loops);
  int64_t axis = positiveAxis(getAxis(), loops.size());
  others.erase(others.begin() + axis);
  spec.read(0, others);
  spec.read(1, spec.number(0));
  spec.read(1, spec.number(1));
  Type type = getElementType(getIndices());
  Type wide = IntegerType::get(getContext(), 64);
  spec.body(type, [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value number = s.cast(s.compute(args.operands[0]), type, wide);
    Value index = wrapIndex(s, number, wide, getDepth().getDims().front());
    Value isOn = onIndex.eq(index, args.indices[axis]);
    return {s.select(isOn, args.operands[2], args.operands[1])};
  });
  return spec.take();
}

} // namespace dsc
