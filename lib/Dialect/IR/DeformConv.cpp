//===- DeformConv.cpp - convolutions at positions that are not a grid -----===//
//
// DeformConv reads between elements; Col2Im adds up overlapping windows.
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"
#include "Sampling.h"
#include "Window.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// DeformConv
//===----------------------------------------------------------------------===//

static FailureOr<Window> deformWindow(DeformConvOp op, TypeInference &inference) {
  SmallVector<Dim> x = getDims(op.getX()), w = getDims(op.getW());
  if (x.size() != 4 || w.size() != 4)
    return inference.error() << "is computed on images: input and kernel of rank 4, not "
                             << shortTypeName(op.getX().getType()) << " and "
                             << shortTypeName(op.getW().getType()),
           failure();
  return slideWindow(inference, windowAttributes(op), ArrayRef(x).drop_front(2),
                     ArrayRef(w).drop_front(2));
}

LogicalResult DeformConvOp::inferTypes(TypeInference &inference) {
  FailureOr<Window> window = deformWindow(*this, inference);
  if (failed(window))
    return failure();
  SmallVector<Dim> x = getDims(getX()), w = getDims(getW());
  int64_t group = getGroup(), offsetGroup = getOffsetGroup();
  if (group < 1 || offsetGroup < 1)
    return inference.error() << "group and offset_group must be positive, not " << group << " and "
                             << offsetGroup;
  Dim points = product(getContext(), window->kernel) * offsetGroup;
  auto checkField = [&](Value field, Dim channels, StringRef name) -> LogicalResult {
    if (getRank(field) != 4)
      return inference.error() << name << " must have rank 4, not "
                               << shortTypeName(field.getType());
    SmallVector<Dim> dims = getDims(field);
    SmallVector<Dim> expected = {x[0], channels, window->output[0], window->output[1]};
    for (auto [axis, pair] : llvm::enumerate(llvm::zip(dims, expected)))
      if (failed(inference.requireEqual(std::get<0>(pair), std::get<1>(pair),
                                        name + " has another size on axis " + Twine(axis) +
                                            " than expected")))
        return failure();
    return success();
  };
  if (failed(inference.requireEqual(x[1], w[1] * group,
                                    "input has another number of channels than the kernel")) ||
      failed(checkField(getOffset(), points * 2, "offset")) ||
      (!isAbsent(getMask()) && failed(checkField(getMask(), points, "mask"))))
    return failure();
  inference.addResult(getElementType(getX()), {x[0], w[0], window->output[0], window->output[1]});
  return success();
}

FailureOr<Spec> DeformConvOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<Window> window = deformWindow(*this, inference);
  if (failed(window))
    return failure();
  SmallVector<Dim> x = getDims(getX()), w = getDims(getW());
  int64_t group = getGroup();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  AffineExpr n = spec.parallel(x[0]), co = spec.parallel(w[0]);
  SmallVector<AffineExpr> o = spec.parallel(ArrayRef<Dim>(window->output));
  AffineExpr ci = spec.reduction(w[1]);
  AffineExpr kh = spec.reduction(w[2]), kw = spec.reduction(w[3]);
  AffineExpr channel = ci;
  if (group != 1)
    channel = co.floorDiv(spec.size(w[0].floorDiv(group))) * spec.size(w[1]) + ci;
  // Number of the point in the offsets: group, then row and column of the kernel.
  AffineExpr offsetGroup = channel.floorDiv(spec.size(x[1].floorDiv(getOffsetGroup())));
  AffineExpr point = (offsetGroup * spec.size(w[2]) + kh) * spec.size(w[3]) + kw;
  spec.readAnywhere(0);
  spec.read(1, {co, ci, kh, kw});
  spec.read(2, {n, point * 2, o[0], o[1]});
  spec.read(2, {n, point * 2 + 1, o[0], o[1]});
  bool hasMask = !isAbsent(getMask());
  if (hasMask)
    spec.read(4, {n, point, o[0], o[1]});
  Type element = getElementType(getX());
  accumulateFromZero(spec, element);
  Dim groupInputs = w[1], groupOutputs = w[0].floorDiv(group);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    SmallVector<AxisTaps> taps;
    for (unsigned i = 0; i < 2; ++i) {
      Value position = window->position(s, i, args.indices[2 + i], args.indices[5 + i]);
      taps.push_back(linearTaps(s, s.add(s.fromIndex(position), s.compute(args.operands[2 + i]))));
    }
    Value source = args.indices[4];
    if (group != 1)
      source = s.indexAdd(
          s.indexMul(s.indexDiv(args.indices[1], s.size(groupOutputs)), s.size(groupInputs)),
          source);
    Value sample = interpolate(s, taps, [&](ValueRange at) {
      return s.atOrElse(args.operands[0], {args.indices[0], source, at[0], at[1]}, s.constant(0));
    });
    if (hasMask)
      sample = s.mul(sample, s.compute(args.operands[4]));
    return {s.add(args.accumulators[0], s.mul(sample, s.compute(args.operands[1])))};
  });
  if (isAbsent(getB())) {
    finishRounded(spec, element);
    return spec.take();
  }
  spec.readInFinish(3, {co});
  spec.finish(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {s.round(s.add(args.accumulators[0], s.compute(args.operands[0])))};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Col2Im
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> Col2ImOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "image_shape"}, {2, "block_shape"}};
  return operands;
}

/// The windows that were taken from the image.
static FailureOr<Window> blocks(Col2ImOp op, TypeInference &inference) {
  return slideWindow(inference, windowAttributes(op), op.getImageShape().getDims(),
                     op.getBlockShape().getDims());
}

LogicalResult Col2ImOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getInput());
  if (input.size() != 3)
    return inference.error() << "needs an input of rank 3, not "
                             << shortTypeName(getInput().getType());
  FailureOr<Window> window = blocks(*this, inference);
  if (failed(window))
    return failure();
  Dim blockSize = product(getContext(), window->kernel);
  if (failed(inference.requireEqual(input[1].mod(blockSize), inference.constant(0),
                                    "axis 1 is not a multiple of the block's size")) ||
      failed(inference.requireEqual(input[2], product(getContext(), window->output),
                                    "axis 2 is not the number of blocks")))
    return failure();
  SmallVector<Dim> shape = {input[0], input[1].floorDiv(blockSize)};
  llvm::append_range(shape, window->input);
  inference.addResult(getElementType(getInput()), shape);
  return success();
}

FailureOr<Spec> Col2ImOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<Window> window = blocks(*this, inference);
  if (failed(window))
    return failure();
  unsigned rank = window->rank();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  SmallVector<Dim> shape = getDims(getOutput());
  spec.parallel(ArrayRef<Dim>(shape));
  for (Dim size : window->kernel)
    spec.reduction(size);
  spec.readAnywhere(0);
  Type element = getElementType(getInput());
  accumulateFromZero(spec, element);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value row = args.indices[1], column = s.index(0), isBlock = s.boolean(true);
    for (unsigned i = 0; i < rank; ++i) {
      Value k = args.indices[2 + rank + i];
      row = s.indexAdd(s.indexMul(row, s.size(window->kernel[i])), k);
      Value moved = s.indexSub(s.indexAdd(args.indices[2 + i], s.size(window->padBegin[i])),
                               s.indexMul(k, s.index(window->dilations[i])));
      Value stride = s.index(window->strides[i]), count = s.size(window->output[i]);
      Value block = s.indexDiv(moved, stride);
      Value fits = s.logicalAnd(
          onIndex.eq(s.indexMod(moved, stride), s.index(0)),
          s.logicalAnd(s.logicalNot(onIndex.lt(moved, s.index(0))), onIndex.lt(block, count)));
      isBlock = s.logicalAnd(isBlock, fits);
      column = s.indexAdd(s.indexMul(column, count), block);
    }
    // No block has this element at this position: outside, that is 0.
    column = s.select(isBlock, column, s.index(-1));
    Value value = s.atOrElse(args.operands[0], {args.indices[0], row, column}, s.constant(0));
    return {s.add(args.accumulators[0], value)};
  });
  finishRounded(spec, element);
  return spec.take();
}

} // namespace dsc
