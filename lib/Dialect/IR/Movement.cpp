//===- Movement.cpp - operators that move elements ------------------------===//
#include "Axes.h"
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

using Args = LoopSpecBuilder::Args;

/// A body that passes on the element of the only read.
static SmallVector<Value> copyElement(ScalarBuilder &, Args args) { return {args.operands[0]}; }

//===----------------------------------------------------------------------===//
// Transpose
//===----------------------------------------------------------------------===//

static SmallVector<int64_t> permutation(TransposeOp op) {
  if (std::optional<ArrayRef<int64_t>> perm = op.getPerm())
    return SmallVector<int64_t>(*perm);
  int64_t rank = getRank(op.getData());
  return llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, rank)));
}

LogicalResult TransposeOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getData());
  SmallVector<int64_t> perm = permutation(*this);
  SmallVector<int64_t> sorted(perm);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, input.size())))
    return inference.error() << "perm is not a permutation of the " << input.size() << " axes";
  SmallVector<Dim> shape = llvm::map_to_vector(perm, [&](int64_t axis) { return input[axis]; });
  inference.addResult(getElementType(getData()), shape);
  return success();
}

FailureOr<Spec> TransposeOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult())), indices(loops.size());
  for (auto [loop, axis] : llvm::zip(loops, permutation(*this)))
    indices[axis] = loop;
  spec.read(0, indices);
  spec.body(getElementType(getData()), copyElement);
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Concat, Split
//===----------------------------------------------------------------------===//

LogicalResult ConcatOp::inferTypes(TypeInference &inference) {
  if (getInputs().empty())
    return inference.error() << "needs at least one input";
  Value first = getInputs().front();
  SmallVector<Dim> shape = getDims(first);
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), shape.size());
  if (failed(axis))
    return failure();
  for (auto [i, input] : llvm::enumerate(getInputs().drop_front())) {
    SmallVector<Dim> dims = getDims(input);
    if (dims.size() != shape.size() || getElementType(input) != getElementType(first))
      return inference.error() << "cannot put " << shortTypeName(input.getType()) << " behind "
                               << shortTypeName(first.getType());
    for (auto [j, dim] : llvm::enumerate(dims)) {
      if (static_cast<int64_t>(j) == *axis) {
        shape[j] = shape[j] + dim;
        continue;
      }
      if (failed(inference.requireEqual(shape[j], dim,
                                        "inputs 0 and " + Twine(i + 1) +
                                            " have different sizes on axis " + Twine(j))))
        return failure();
      // A constant is worth more than a symbol that must be equal to it.
      if (dim.isConstant())
        shape[j] = dim;
    }
  }
  inference.addResult(getElementType(first), shape);
  return success();
}

FailureOr<Spec> ConcatOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  int64_t axis = positiveAxis(getAxis(), loops.size());
  for (size_t i = 0; i < getInputs().size(); ++i)
    spec.readAnywhere(i);
  spec.body(getElementType(getResult()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    Dim begin = Dim::constant(getContext(), 0);
    SmallVector<Dim> begins;
    for (Value input : getInputs()) {
      begins.push_back(begin);
      begin = begin + getDims(input)[axis];
    }
    // Outside of the last input is the one before it, and so on.
    Value element = s.round(s.constant(0));
    for (size_t i = 0; i < begins.size(); ++i) {
      SmallVector<Value> indices(args.indices);
      indices[axis] = s.indexSub(indices[axis], s.size(begins[i]));
      element = s.stored(args.operands[i], indices, AtMode::OrElse, element);
    }
    return {element};
  });
  return spec.take();
}

ArrayRef<ContentOperand> SplitOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "split"}};
  return operands;
}

unsigned SplitOp::getResultCount(unsigned numOutputs) { return numOutputs; }

/// Sizes of the parts.
static FailureOr<SmallVector<Dim>> partSizes(SplitOp op, TypeInference &inference, Dim total) {
  size_t numResults = op->getNumResults();
  if (std::optional<DimsAttr> split = op.getSplit()) {
    if (split->size() != numResults)
      return inference.error() << "split has " << split->size() << " sizes for " << numResults
                               << " results",
             failure();
    SmallVector<Dim> sizes = split->getDims();
    Dim sum = inference.constant(0);
    for (Dim size : sizes) {
      sum = sum + size;
      if (failed(inference.require(Dim::le(inference.constant(0), size),
                                   "split has the size " + size.str())))
        return failure();
    }
    if (failed(
            inference.requireEqual(sum, total, "split's sizes do not add up to the axis's size")))
      return failure();
    return sizes;
  }
  int64_t parts = op.getNumOutputs().value_or(numResults);
  if (parts != static_cast<int64_t>(numResults) || parts == 0)
    return inference.error() << "num_outputs is " << parts << ", but the op has " << numResults
                             << " results",
           failure();
  // The last part is what is left.
  Dim chunk = total.ceilDiv(parts);
  SmallVector<Dim> sizes(parts, chunk);
  sizes.back() = total - chunk * (parts - 1);
  if (failed(inference.require(Dim::le(inference.constant(0), sizes.back()),
                               "axis of size " + total.str() + " is too short for " + Twine(parts) +
                                   " parts")))
    return failure();
  return sizes;
}

LogicalResult SplitOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getInput());
  FailureOr<int64_t> axis = inference.normalizeAxis(getAxis(), shape.size());
  if (failed(axis))
    return failure();
  FailureOr<SmallVector<Dim>> sizes = partSizes(*this, inference, shape[*axis]);
  if (failed(sizes))
    return failure();
  for (Dim size : *sizes) {
    shape[*axis] = size;
    inference.addResult(getElementType(getInput()), shape);
  }
  return success();
}

LogicalResult SplitOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  TypeInference inference(*this);
  int64_t axis = positiveAxis(getAxis(), getRank(getInput()));
  FailureOr<SmallVector<Dim>> sizes = partSizes(*this, inference, getDims(getInput())[axis]);
  if (failed(sizes))
    return failure();
  auto dims = [&](StringRef name, Dim dim) {
    return builder.getNamedAttr(name, DimsAttr::get(getContext(), dim));
  };
  Dim begin = inference.constant(0);
  for (Dim size : *sizes) {
    NamedAttribute attributes[] = {dims("starts", begin), dims("ends", begin + size),
                                   dims("axes", inference.constant(axis))};
    FailureOr<Operation *> slice = buildOp(builder, getLoc(), "dsc.slice", getInput(), attributes);
    if (failed(slice))
      return failure();
    values.push_back((*slice)->getResult(0));
    begin = begin + size;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> SliceOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {
      {1, "starts"}, {2, "ends"}, {3, "axes"}, {4, "steps"}};
  return operands;
}

namespace {
/// What is taken of one axis: elements start, start + step, ...
struct AxisSlice {
  Dim start, step, length;
};
} // namespace

/// Exporters write "to the end" as some large number.
static bool isEndless(Dim dim) {
  return dim.isConstant() && std::abs(static_cast<double>(dim.getConstant())) >= INT32_MAX;
}

static AxisSlice sliceAxis(Dim size, Dim start, Dim end, Dim step) {
  Dim zero = start * 0, one = zero + 1;
  auto fromEnd = [&](Dim position) {
    return Dim::select(Dim::lt(position, zero), position + size, position);
  };
  // The bound that is not clamped here makes the length negative, thus 0.
  auto forward = [&](Dim by) -> AxisSlice {
    auto bound = [&](Dim position) {
      if (!isEndless(position))
        return fromEnd(position);
      return position.getConstant() > 0 ? size : zero;
    };
    Dim first = Dim::max(bound(start), zero), last = Dim::min(bound(end), size);
    // The last elements: as many as there are, at most.
    if (by == one && last == size && start.isConstant() && start.getConstant() < 0 &&
        !isEndless(start))
      return {first, by, Dim::min(size, start * -1)};
    return {first, by, Dim::max((last - first).ceilDiv(by), zero)};
  };
  auto backward = [&](Dim by) -> AxisSlice {
    auto bound = [&](Dim position) {
      if (!isEndless(position))
        return fromEnd(position);
      return position.getConstant() > 0 ? size - 1 : zero - 1;
    };
    Dim first = Dim::min(bound(start), size - 1), last = Dim::max(bound(end), zero - 1);
    return {first, by, Dim::max((first - last).ceilDiv(by * -1), zero)};
  };
  if (step.isKnownPositive())
    return forward(step);
  if (step.isConstant())
    return backward(step);
  // Each branch is computed with a step of its own sign.
  AxisSlice ahead = forward(Dim::max(step, one)), back = backward(Dim::min(step, zero - 1));
  Dim isBack = Dim::lt(step, zero);
  return {Dim::select(isBack, back.start, ahead.start), step,
          Dim::select(isBack, back.length, ahead.length)};
}

/// One entry per axis of the operand.
static FailureOr<SmallVector<AxisSlice>> axisSlices(SliceOp op, TypeInference &inference) {
  SmallVector<Dim> dims = getDims(op.getData());
  SmallVector<Dim> starts = op.getStarts().getDims(), ends = op.getEnds().getDims(), axes, steps;
  size_t count = starts.size();
  for (size_t i = 0; i < count; ++i) {
    axes.push_back(inference.constant(i));
    steps.push_back(inference.constant(1));
  }
  if (op.getAxes())
    axes = op.getAxes()->getDims();
  if (op.getSteps())
    steps = op.getSteps()->getDims();
  if (ends.size() != count || axes.size() != count || steps.size() != count)
    return inference.error() << "has " << count << " starts, " << ends.size() << " ends, "
                             << axes.size() << " axes and " << steps.size() << " steps",
           failure();
  FailureOr<SmallVector<int64_t>> normalized = inference.normalizeAxes(axes, dims.size());
  if (failed(normalized))
    return failure();
  Dim zero = inference.constant(0), one = inference.constant(1);
  SmallVector<AxisSlice> slices =
      llvm::map_to_vector(dims, [&](Dim dim) { return AxisSlice{zero, one, dim}; });
  for (size_t i = 0; i < count; ++i) {
    int64_t axis = (*normalized)[i];
    if (failed(inference.require(Dim::logicalNot(Dim::eq(steps[i], zero)),
                                 "step of axis " + Twine(axis) + " is 0")))
      return failure();
    slices[axis] = sliceAxis(dims[axis], starts[i], ends[i], steps[i]);
  }
  return slices;
}

LogicalResult SliceOp::inferTypes(TypeInference &inference) {
  FailureOr<SmallVector<AxisSlice>> slices = axisSlices(*this, inference);
  if (failed(slices))
    return failure();
  SmallVector<Dim> shape =
      llvm::map_to_vector(*slices, [](const AxisSlice &slice) { return slice.length; });
  inference.addResult(getElementType(getData()), shape);
  return success();
}

FailureOr<Spec> SliceOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<SmallVector<AxisSlice>> slices = axisSlices(*this, inference);
  if (failed(slices))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult())), indices;
  for (auto [loop, slice] : llvm::zip(loops, *slices))
    indices.push_back(loop * spec.size(slice.step) + spec.size(slice.start));
  spec.read(0, indices);
  spec.body(getElementType(getData()), copyElement);
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Expand, Tile
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> ExpandOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "shape"}};
  return operands;
}

LogicalResult ExpandOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getInput()), shape = getShape().getDims();
  Dim one = inference.constant(1);
  size_t rank = std::max(input.size(), shape.size());
  input.insert(input.begin(), rank - input.size(), one);
  shape.insert(shape.begin(), rank - shape.size(), one);
  for (auto [axis, from, to] : llvm::enumerate(input, shape)) {
    Dim fits =
        Dim::logicalOr(Dim::eq(from, to), Dim::logicalOr(Dim::eq(from, one), Dim::eq(to, one)));
    if (failed(inference.require(fits, "cannot expand axis " + Twine(axis) + " from " + from.str() +
                                           " to " + to.str())))
      return failure();
    to = broadcast(from, to);
  }
  inference.addResult(getElementType(getInput()), shape);
  return success();
}

FailureOr<Spec> ExpandOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  spec.readBroadcast(0, loops);
  spec.body(getElementType(getInput()), copyElement);
  return spec.take();
}

ArrayRef<ContentOperand> TileOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "repeats"}};
  return operands;
}

LogicalResult TileOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getInput()), repeats = getRepeats().getDims();
  if (repeats.size() != shape.size())
    return inference.error() << "has " << repeats.size() << " repeats for "
                             << shortTypeName(getInput().getType());
  for (auto [axis, dim, repeat] : llvm::enumerate(shape, repeats)) {
    if (failed(inference.require(Dim::le(inference.constant(0), repeat),
                                 "repeats axis " + Twine(axis) + " " + repeat.str() + " times")))
      return failure();
    dim = dim * repeat;
  }
  inference.addResult(getElementType(getInput()), shape);
  return success();
}

FailureOr<Spec> TileOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult())), indices;
  for (auto [loop, dim, repeat] : llvm::zip(loops, getDims(getInput()), getRepeats().getDims())) {
    if (repeat.isConstant(1))
      indices.push_back(loop);
    else
      indices.push_back(dim.isConstant(1) ? spec.number(0) : loop % spec.size(dim));
  }
  spec.read(0, indices);
  spec.body(getElementType(getInput()), copyElement);
  return spec.take();
}

//===----------------------------------------------------------------------===//
// DepthToSpace, SpaceToDepth
//===----------------------------------------------------------------------===//

/// Checks rank, mode and block size of both.
template <typename Op> static LogicalResult checkBlocks(Op op, TypeInference &inference) {
  if (getRank(op.getInput()) != 4)
    return inference.error() << "needs a tensor of rank 4, not "
                             << shortTypeName(op.getInput().getType());
  if (op.getMode() != "DCR" && op.getMode() != "CRD")
    return inference.error() << "mode is '" << op.getMode() << "', expected DCR or CRD";
  if (op.getBlocksize() < 1)
    return inference.error() << "blocksize is " << op.getBlocksize();
  return success();
}

static LogicalResult requireDivisible(TypeInference &inference, Dim dim, int64_t by, int64_t axis) {
  return inference.require(Dim::eq(dim.mod(inference.constant(by)), inference.constant(0)),
                           "size " + dim.str() + " of axis " + Twine(axis) +
                               " is not a multiple of " + Twine(by));
}

LogicalResult DepthToSpaceOp::inferTypes(TypeInference &inference) {
  if (failed(checkBlocks(*this, inference)))
    return failure();
  SmallVector<Dim> dims = getDims(getInput());
  int64_t block = getBlocksize();
  if (failed(requireDivisible(inference, dims[1], block * block, 1)))
    return failure();
  inference.addResult(getElementType(getInput()),
                      {dims[0], dims[1].floorDiv(block * block), dims[2] * block, dims[3] * block});
  return success();
}

FailureOr<Spec> DepthToSpaceOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  int64_t block = getBlocksize();
  AffineExpr inBlock = (loops[2] % block) * block + loops[3] % block;
  AffineExpr depth = getMode() == "DCR" ? inBlock * spec.size(getDims(getResult())[1]) + loops[1]
                                        : loops[1] * (block * block) + inBlock;
  spec.read(0, {loops[0], depth, loops[2].floorDiv(block), loops[3].floorDiv(block)});
  spec.body(getElementType(getInput()), copyElement);
  return spec.take();
}

LogicalResult SpaceToDepthOp::inferTypes(TypeInference &inference) {
  if (failed(checkBlocks(*this, inference)))
    return failure();
  SmallVector<Dim> dims = getDims(getInput());
  int64_t block = getBlocksize();
  for (int64_t axis : {2, 3})
    if (failed(requireDivisible(inference, dims[axis], block, axis)))
      return failure();
  inference.addResult(
      getElementType(getInput()),
      {dims[0], dims[1] * (block * block), dims[2].floorDiv(block), dims[3].floorDiv(block)});
  return success();
}

FailureOr<Spec> SpaceToDepthOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  int64_t block = getBlocksize();
  AffineExpr channels = spec.size(getDims(getInput())[1]);
  bool depthFirst = getMode() == "DCR";
  AffineExpr inBlock = depthFirst ? loops[1].floorDiv(channels) : loops[1] % (block * block);
  AffineExpr depth = depthFirst ? loops[1] % channels : loops[1].floorDiv(block * block);
  spec.read(0, {loops[0], depth, loops[2] * block + inBlock.floorDiv(block),
                loops[3] * block + inBlock % block});
  spec.body(getElementType(getInput()), copyElement);
  return spec.take();
}

//===----------------------------------------------------------------------===//
// ReverseSequence
//===----------------------------------------------------------------------===//

LogicalResult ReverseSequenceOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> shape = getDims(getInput()), lengths = getDims(getSequenceLens());
  FailureOr<int64_t> batch = inference.normalizeAxis(getBatchAxis(), shape.size());
  FailureOr<int64_t> time = inference.normalizeAxis(getTimeAxis(), shape.size());
  if (failed(batch) || failed(time))
    return failure();
  if (*batch == *time)
    return inference.error() << "batch_axis and time_axis are both " << *time;
  if (lengths.size() != 1)
    return inference.error() << "sequence_lens must have one axis, not "
                             << shortTypeName(getSequenceLens().getType());
  if (failed(inference.requireEqual(lengths[0], shape[*batch],
                                    "sequence_lens needs a length for each sequence")))
    return failure();
  inference.addResult(getElementType(getInput()), shape);
  return success();
}

FailureOr<Spec> ReverseSequenceOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Move);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(getResult()));
  int64_t rank = loops.size();
  int64_t batch = getBatchAxis() < 0 ? getBatchAxis() + rank : getBatchAxis();
  int64_t time = getTimeAxis() < 0 ? getTimeAxis() + rank : getTimeAxis();
  spec.readAnywhere(0);
  spec.read(1, loops[batch]);
  spec.body(getElementType(getInput()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value length = s.with(getElementType(getSequenceLens())).toIndex(args.operands[1]);
    SmallVector<Value> indices(args.indices);
    Value last = s.indexSub(length, s.index(1));
    Value reversed = s.indexSub(last, indices[time]);
    indices[time] = s.select(onIndex.lt(indices[time], length), reversed, indices[time]);
    // A length above the axis's leads outside.
    return {s.stored(args.operands[0], indices, AtMode::Checked)};
  });
  return spec.take();
}

} // namespace dsc
