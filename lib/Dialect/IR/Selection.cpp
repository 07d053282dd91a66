//===- Selection.cpp - elements chosen by their values --------------------===//
//
// NonZero, Compress, ArgMax, Hardmax, TopK.
//
//===----------------------------------------------------------------------===//
#include "Axes.h"
#include "dsc/Dialect/IR/Decomposer.h"
#include "dsc/Dialect/IR/DscDialect.h"

#include <limits>

using namespace mlir;

namespace dsc {

using Args = LoopSpecBuilder::Args;

static Type indexElement(MLIRContext *context) { return IntegerType::get(context, 64); }

/// Whether an element counts as true, for any type.
static Value isNonZero(ScalarBuilder &s, Value stored) {
  return s.ne(s.compute(stored), s.constant(0));
}

//===----------------------------------------------------------------------===//
// NonZero, Compress
//===----------------------------------------------------------------------===//

LogicalResult CountNonZeroOp::inferTypes(TypeInference &inference) {
  inference.addResult(indexElement(getContext()), inference.constant(1));
  return success();
}

FailureOr<Spec> CountNonZeroOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  spec.parallel(Dim::constant(getContext(), 1));
  SmallVector<AffineExpr> loops =
      llvm::map_to_vector(getDims(getX()), [&](Dim extent) { return spec.reduction(extent); });
  if (loops.empty())
    spec.reduction(Dim::constant(getContext(), 1));
  spec.read(0, loops);
  spec.accumulator(Builder(getContext()).getI64IntegerAttr(0));
  spec.body(getElementType(getX()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder count = s.with(s.builder.getI64Type());
    Value one = count.select(isNonZero(s, args.operands[0]), count.integer(1), count.integer(0));
    return {count.add(args.accumulators[0], one)};
  });
  return spec.take();
}

std::optional<unsigned> NonZeroOp::getCountedOperand() { return 0; }

LogicalResult NonZeroOp::inferTypes(TypeInference &inference) {
  inference.addResult(indexElement(getContext()),
                      {inference.constant(getRank(getX())), Dim(getCount())});
  return success();
}

FailureOr<Spec> NonZeroOp::getSpec() {
  // The innermost loop writes a column of the result; the accumulator is the
  // column's number.
  LoopSpecBuilder spec(*this, SpecKind::Scatter);
  int64_t rank = getRank(getX());
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getX()));
  spec.parallel(Dim::constant(getContext(), rank));
  spec.read(0, loops);
  spec.accumulator(Builder(getContext()).getIndexAttr(0));
  spec.body(getElementType(getX()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value writes = isNonZero(s, args.operands[0]), row = args.indices.back();
    Value position = s.index(0);
    for (int64_t axis = 0; axis < rank; ++axis)
      position = s.select(onIndex.eq(row, s.index(axis)), args.indices[axis], position);
    Value column = args.accumulators[0];
    Value isLast = s.logicalAnd(writes, onIndex.eq(row, s.index(rank - 1)));
    Value next = s.select(isLast, s.indexAdd(column, s.index(1)), column);
    return {writes, row, column, s.with(s.builder.getI64Type()).fromIndex(position), next};
  });
  Spec result = spec.takeScatter();
  result.scatter->conditional = true;
  result.scatter->fill = Builder(getContext()).getI64IntegerAttr(0);
  return result;
}

std::optional<unsigned> CompressOp::getCountedOperand() { return 1; }

LogicalResult CompressOp::inferTypes(TypeInference &inference) {
  if (getRank(getCondition()) != 1)
    return inference.error() << "condition must have one axis, not "
                             << shortTypeName(getCondition().getType());
  SmallVector<Dim> shape = getDims(getInput());
  Dim count = getCount();
  if (!getAxis()) {
    inference.addResult(getElementType(getInput()), count);
    return success();
  }
  FailureOr<int64_t> axis = inference.normalizeAxis(*getAxis(), shape.size());
  if (failed(axis))
    return failure();
  shape[*axis] = count;
  inference.addResult(getElementType(getInput()), shape);
  return success();
}

/// Builds a step of a decomposition with one result; null after a failure.
static Value buildStep(OpBuilder &builder, Location loc, StringRef name, ValueRange operands,
                       ArrayRef<NamedAttribute> attributes) {
  FailureOr<Operation *> op = buildOp(builder, loc, name, operands, attributes);
  return failed(op) ? Value() : (*op)->getResult(0);
}

LogicalResult CompressOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  auto reshape = [&](Value value, Dim size) {
    auto shape = builder.getNamedAttr("shape", DimsAttr::get(getContext(), size));
    // A size of 0 is meant as such.
    auto allowzero = builder.getNamedAttr("allowzero", builder.getI64IntegerAttr(1));
    return buildStep(builder, getLoc(), "dsc.reshape", value, {shape, allowzero});
  };
  auto count = builder.getNamedAttr("count", getCountAttr());
  Value positions = buildStep(builder, getLoc(), "dsc.nonzero", getCondition(), count);
  Value indices = positions ? reshape(positions, Dim(getCount())) : Value();
  Value data = getInput();
  if (!getAxis())
    data = reshape(data, product(getContext(), getDims(data)));
  if (!indices || !data)
    return failure();
  auto axis = builder.getNamedAttr("axis", builder.getI64IntegerAttr(getAxis().value_or(0)));
  Value result = buildStep(builder, getLoc(), "dsc.gather", {data, indices}, axis);
  values.push_back(result);
  return success(static_cast<bool>(result));
}

//===----------------------------------------------------------------------===//
// The order of elements: NaN is larger than any number
//===----------------------------------------------------------------------===//

static Value isLarger(ScalarBuilder &s, Value a, Value b) {
  if (!s.isFloat())
    return s.gt(a, b);
  return s.logicalOr(s.gt(a, b), s.logicalAnd(s.isNan(a), s.logicalNot(s.isNan(b))));
}

static Value isSame(ScalarBuilder &s, Value a, Value b) {
  if (!s.isFloat())
    return s.eq(a, b);
  return s.logicalOr(s.eq(a, b), s.logicalAnd(s.isNan(a), s.isNan(b)));
}

/// Whether `a` comes before `b`, not counting ties.
static Value precedes(ScalarBuilder &s, Value a, Value b, bool largest) {
  return largest ? isLarger(s, a, b) : isLarger(s, b, a);
}

//===----------------------------------------------------------------------===//
// ArgMax, ArgMin, Hardmax
//===----------------------------------------------------------------------===//

template <typename Op> static LogicalResult inferArgExtremum(Op op, TypeInference &inference) {
  SmallVector<Dim> shape = getDims(op.getData());
  FailureOr<int64_t> axis = inference.normalizeAxis(op.getAxis(), shape.size());
  if (failed(axis))
    return failure();
  if (failed(inference.require(Dim::lt(inference.constant(0), shape[*axis]),
                               "axis " + Twine(*axis) + " has no elements to choose from")))
    return failure();
  if (op.getKeepdims() != 0)
    shape[*axis] = inference.constant(1);
  else
    shape.erase(shape.begin() + *axis);
  inference.addResult(indexElement(op.getContext()), shape);
  return success();
}

/// Accumulators: the best element so far and its index; no index yet is -1.
template <typename Op> static FailureOr<Spec> argExtremumSpec(Op op, bool largest) {
  LoopSpecBuilder spec(op, SpecKind::Reduce);
  SmallVector<Dim> dims = getDims(op.getData());
  int64_t rank = dims.size(), axis = positiveAxis(op.getAxis(), rank);
  SmallVector<AffineExpr> loops(rank);
  for (int64_t i = 0; i < rank; ++i) {
    if (i != axis)
      loops[i] = spec.parallel(dims[i]);
    else if (op.getKeepdims() != 0)
      spec.parallel(Dim::constant(op.getContext(), 1));
  }
  loops[axis] = spec.reduction(dims[axis]);
  spec.read(0, loops);
  Type element = getElementType(op.getData());
  spec.accumulator(identityValue(largest ? Reduction::Lowest : Reduction::Highest, element));
  spec.accumulator(Builder(op.getContext()).getI64IntegerAttr(-1));
  spec.body(element, [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder count = s.with(s.builder.getI64Type());
    Value x = s.compute(args.operands[0]), best = args.accumulators[0];
    Value wins = largest ? s.gt(x, best) : s.lt(x, best);
    if (s.isFloat())
      wins = s.logicalOr(wins, s.logicalAnd(s.isNan(x), s.logicalNot(s.isNan(best))));
    if (op.getSelectLastIndex() != 0)
      wins = s.logicalOr(wins, isSame(s, x, best));
    wins = s.logicalOr(wins, count.lt(args.accumulators[1], count.integer(0)));
    Value position = count.fromIndex(args.indices.back());
    return {s.select(wins, x, best), s.select(wins, position, args.accumulators[1])};
  });
  spec.finish(element, [&](ScalarBuilder &, Args args) -> SmallVector<Value> {
    return {args.accumulators[1]};
  });
  return spec.take();
}

/// Along the innermost axis two passes are faster, since both go on vectors: the extremum,
/// then where it is.
template <typename Op>
static LogicalResult decomposeArgExtremum(Op op, StringRef extremum, OpBuilder &builder,
                                          SmallVectorImpl<Value> &values) {
  constexpr int64_t leastLength = 32;
  SmallVector<Dim> dims = getDims(op.getData());
  int64_t axis = positiveAxis(op.getAxis(), dims.size());
  bool isInnermost = areAllOne(ArrayRef(dims).drop_front(axis + 1));
  if (!isInnermost || dims[axis].tryConstant().value_or(leastLength) < leastLength)
    return failure();
  Decomposer d(builder, op.getLoc());
  Value best = d.reduce(extremum, op.getData(), {axis});
  values.push_back(d.op("dsc.index_of", {op.getData(), best},
                        {{"axis", d.number(axis)},
                         {"keepdims", op.getKeepdimsAttr()},
                         {"select_last_index", op.getSelectLastIndexAttr()}}));
  return success(static_cast<bool>(values.back()));
}

LogicalResult ArgMaxOp::inferTypes(TypeInference &inference) {
  return inferArgExtremum(*this, inference);
}
FailureOr<Spec> ArgMaxOp::getSpec() { return argExtremumSpec(*this, /*largest=*/true); }
LogicalResult ArgMaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  return decomposeArgExtremum(*this, "dsc.reduce_max", builder, values);
}

LogicalResult ArgMinOp::inferTypes(TypeInference &inference) {
  return inferArgExtremum(*this, inference);
}
FailureOr<Spec> ArgMinOp::getSpec() { return argExtremumSpec(*this, /*largest=*/false); }
LogicalResult ArgMinOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  return decomposeArgExtremum(*this, "dsc.reduce_min", builder, values);
}

LogicalResult IndexOfOp::inferTypes(TypeInference &inference) {
  if (failed(inferArgExtremum(*this, inference)))
    return failure();
  SmallVector<Dim> shape = getDims(getData());
  shape[positiveAxis(getAxis(), shape.size())] = inference.constant(1);
  if (getDims(getWanted()) != shape || getElementType(getWanted()) != getElementType(getData()))
    return inference.error() << "wanted " << shortTypeName(getWanted().getType())
                             << " does not fit " << shortTypeName(getData().getType());
  return success();
}

/// The accumulator is the index so far, beyond all others if there is none.
FailureOr<Spec> IndexOfOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  SmallVector<Dim> dims = getDims(getData());
  int64_t rank = dims.size(), axis = positiveAxis(getAxis(), rank);
  SmallVector<AffineExpr> loops(rank);
  for (int64_t i = 0; i < rank; ++i) {
    if (i != axis)
      loops[i] = spec.parallel(dims[i]);
    else if (getKeepdims() != 0)
      spec.parallel(Dim::constant(getContext(), 1));
  }
  SmallVector<AffineExpr> wanted(loops);
  loops[axis] = spec.reduction(dims[axis]);
  wanted[axis] = spec.number(0);
  spec.read(0, loops);
  spec.read(1, wanted);
  bool isLast = getSelectLastIndex() != 0;
  IntegerAttr none =
      Builder(getContext()).getI64IntegerAttr(isLast ? -1 : std::numeric_limits<int64_t>::max());
  spec.accumulator(none);
  spec.body(getElementType(getData()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder count = s.with(s.builder.getI64Type());
    Value isHere = isSame(s, s.compute(args.operands[0]), s.compute(args.operands[1]));
    Value position =
        count.select(isHere, count.fromIndex(args.indices.back()), count.integer(none.getInt()));
    Value best = args.accumulators[0];
    return {isLast ? count.max(best, position) : count.min(best, position)};
  });
  return spec.take();
}

LogicalResult HardmaxOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getInput());
  if (failed(inference.normalizeAxis(getAxis(), shape.size())))
    return failure();
  if (!isa<FloatType>(getElementType(getInput())))
    return inference.error() << "computes floats, not " << shortTypeName(getInput().getType());
  inference.addResult(getElementType(getInput()), shape);
  return success();
}

LogicalResult HardmaxOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  SmallVector<Dim> dims = getDims(getInput());
  int64_t position = positiveAxis(getAxis(), dims.size());
  auto axis = builder.getNamedAttr("axis", builder.getI64IntegerAttr(position));
  auto keepdims = builder.getNamedAttr("keepdims", builder.getI64IntegerAttr(0));
  Value largest = buildStep(builder, getLoc(), "dsc.argmax", getInput(), {axis, keepdims});
  if (!largest)
    return failure();
  auto type = cast<FloatType>(getElementType(getInput()));
  Attribute numbers[] = {builder.getFloatAttr(type, 0), builder.getFloatAttr(type, 1)};
  auto contents = DenseElementsAttr::get(RankedTensorType::get({2}, type), ArrayRef(numbers));
  Value offOn = ConstantOp::create(builder, getLoc(), contents);
  auto depth = builder.getNamedAttr("depth", DimsAttr::get(getContext(), dims[position]));
  values.push_back(buildStep(builder, getLoc(), "dsc.one_hot", {largest, offOn}, {depth, axis}));
  return success(static_cast<bool>(values.back()));
}

//===----------------------------------------------------------------------===//
// TopK
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> TopKOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "k"}};
  return operands;
}

unsigned TopKOp::getResultCount(unsigned) { return 2; }

LogicalResult TopKOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getX()), count = getK().getDims();
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), shape.size());
  if (failed(axis))
    return failure();
  if (count.size() != 1)
    return inference.error() << "needs one number as k, got " << count.size();
  Dim fits =
      Dim::logicalAnd(Dim::le(inference.constant(0), count[0]), Dim::le(count[0], shape[*axis]));
  if (failed(inference.require(fits, "k is " + count[0].str() + " for the " + shape[*axis].str() +
                                         " elements of axis " + Twine(*axis))))
    return failure();
  shape[*axis] = count[0];
  inference.addResult(getElementType(getX()), shape);
  inference.addResult(indexElement(getContext()), shape);
  return success();
}

FailureOr<Spec> TopKOp::getSpec() {
  Spec spec;
  spec.kind = SpecKind::Sort;
  spec.sort = std::make_shared<SortSpec>();
  SmallVector<Dim> dims = getDims(getX());
  spec.sort->axis = positiveAxis(getAxis(), dims.size());
  spec.sort->largest = getLargest() != 0;
  spec.sort->length = dims[spec.sort->axis];
  spec.sort->count = getK().getDims().front();
  return spec;
}

LogicalResult TopKOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  int64_t position = positiveAxis(getAxis(), getRank(getX()));
  auto axis = builder.getNamedAttr("axis", builder.getI64IntegerAttr(position));
  auto largest = builder.getNamedAttr("largest", getLargestAttr());
  auto count = builder.getNamedAttr("count", getK().getDims().front().getAttr());
  Value ranks = buildStep(builder, getLoc(), "dsc.sort_rank", getX(), {axis, largest});
  Value order =
      ranks ? buildStep(builder, getLoc(), "dsc.sort_order", ranks, {axis, count}) : Value();
  if (!order)
    return failure();
  Value elements = buildStep(builder, getLoc(), "dsc.gather_elements", {getX(), order}, axis);
  values.append({elements, order});
  return success(static_cast<bool>(elements));
}

LogicalResult SortRankOp::inferTypes(TypeInference &inference) {
  if (failed(inference.normalizeAxis(getAxis(), getRank(getX()))))
    return failure();
  inference.addResult(indexElement(getContext()), getDims(getX()));
  return success();
}

FailureOr<Spec> SortRankOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  SmallVector<Dim> dims = getDims(getX());
  int64_t axis = positiveAxis(getAxis(), dims.size());
  SmallVector<AffineExpr> element = spec.parallel(dims), other(element);
  other[axis] = spec.reduction(dims[axis]);
  spec.read(0, element);
  spec.read(0, other);
  spec.accumulator(Builder(getContext()).getI64IntegerAttr(0));
  spec.body(getElementType(getX()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder count = s.with(s.builder.getI64Type());
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value mine = s.compute(args.operands[0]), its = s.compute(args.operands[1]);
    Value isEarlier = onIndex.lt(args.indices.back(), args.indices[axis]);
    Value tie = s.logicalAnd(isSame(s, its, mine), isEarlier);
    Value before = s.logicalOr(precedes(s, its, mine, getLargest() != 0), tie);
    return {count.add(args.accumulators[0], s.select(before, count.integer(1), count.integer(0)))};
  });
  return spec.take();
}

LogicalResult SortOrderOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getRanks());
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), shape.size());
  if (failed(axis))
    return failure();
  if (!getElementType(getRanks()).isInteger(64))
    return inference.error() << "needs int64 ranks, not " << shortTypeName(getRanks().getType());
  shape[*axis] = getCount();
  inference.addResult(indexElement(getContext()), shape);
  return success();
}

FailureOr<Spec> SortOrderOp::getSpec() {
  // Exactly one element has each rank: the sum over all that have it.
  LoopSpecBuilder spec(*this, SpecKind::Reduce);
  SmallVector<Dim> dims = getDims(getRanks());
  int64_t axis = positiveAxis(getAxis(), dims.size());
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  loops[axis] = spec.reduction(dims[axis]);
  spec.read(0, loops);
  spec.accumulator(Builder(getContext()).getI64IntegerAttr(0));
  spec.body(getElementType(getRanks()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    Value isHere = s.eq(args.operands[0], s.fromIndex(args.indices[axis]));
    Value position = s.select(isHere, s.fromIndex(args.indices.back()), s.integer(0));
    return {s.add(args.accumulators[0], position)};
  });
  return spec.take();
}

} // namespace dsc
