//===- FewPixels.cpp - pointwise convolutions of at most four pixels ------===//
#include "FewPixels.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

#include <numeric>

using namespace mlir;

namespace dsc {

static constexpr int64_t kFewPixels = 4;
/// Multiply-adds that a part should have at least.
static constexpr int64_t kWorkPerPart = 1 << 17;
/// Smaller kernels are not worth more code: they are of early layers, whose pixels are
/// few where the last layers' are fewer still.
static constexpr int64_t kLeastWeights = 1 << 15;

bool FewPixels::canCompute(const GroupInfo &group, const ConvolutionShape &shape) {
  bool isFloat = getElementType(shape.input()).isF32() && getElementType(shape.kernel()).isF32();
  Dim weights = shape.groupInputs * shape.groupOutputs;
  return isFloat && shape.isPointwise() && !shape.pixels().isConstant() && weights.isConstant() &&
         weights.getConstant() >= kLeastWeights && hasVectorEpilogue(group, shape.op, 2);
}

Dim FewPixels::areFew(const ConvolutionShape &shape) {
  Dim pixels = shape.pixels();
  return Dim::le(pixels, Dim::constant(pixels.getContext(), kFewPixels));
}

FewPixels::FewPixels(KernelEmitter &kernel, const ConvolutionShape &shape)
    : kernel(kernel), builder(kernel.builder), loc(kernel.loc), shape(shape),
      code(kernel, kernel.builder.getF32Type()), epilogue(kernel, shape.op),
      depth(shape.groupInputs.getConstant()) {
  int64_t rows = shape.groupOutputs.getConstant();
  // Rows of the kernel that share what is read of the pixels: as many as there are
  // registers for, and of one size, so that there is code for no other.
  rowsAtOnce = rows % 3 == 0 ? 3 : rows % 2 == 0 ? 2 : 1;
  int64_t most = kWorkPerPart / (kFewPixels * depth * rowsAtOnce);
  rowsOfTask = std::max<int64_t>(1, std::min(most, rows / rowsAtOnce)) * rowsAtOnce;
  pixels = code.scratch(kernel.constant(kFewPixels * depth),
                        {kernel.constant(depth), kernel.constant(1)});
  kernel.markScratch(pixels);
}

SmallVector<Dim> FewPixels::tasks() const {
  return {shape.batch, shape.outChannels.floorDiv(shape.groupOutputs),
          shape.groupOutputs.ceilDiv(rowsOfTask)};
}

Dim FewPixels::countParts() const {
  int64_t work = kFewPixels * depth * rowsOfTask;
  Dim total = product(builder.getContext(), tasks());
  Dim parts = total.ceilDiv(std::max<int64_t>(1, kWorkPerPart / work));
  return Dim::max(kernel.constant(1), Dim::min(parts, kernel.constant(64)));
}

/// The pixels of an image and group as rows of channels.
void FewPixels::gather(Value image, Value group) {
  const BufferView &x = kernel.view(shape.input());
  SmallVector<Value> corner(shape.axes.size() + 2, kernel.index(0));
  corner[0] = image;
  corner[1] = kernel.mul(group, kernel.size(shape.groupInputs));
  Value channel0 = kernel.address(x, corner);
  Value exist = code.maskBelow(kernel.index(0), kernel.size(shape.pixels()), kFewPixels);
  kernel.loop(kernel.index(0), kernel.index(depth), [&](Value channel) {
    Value line = code.advance(x, channel0, kernel.mul(channel, x.strides[1]));
    Value values = code.load(x, line, kFewPixels, exist);
    for (int64_t pixel = 0; pixel < kFewPixels; ++pixel) {
      Value value = vector::ExtractOp::create(builder, loc, values, pixel);
      code.store(pixels, kernel.address(pixels, {kernel.index(pixel), channel}), value);
    }
  });
}

/// Rows [first, first + count) of the kernel of a group with all pixels.
void FewPixels::emitRows(Value image, Value group, Value first, Value count) {
  const BufferView &w = kernel.view(shape.kernel());
  Value zero = kernel.index(0);
  VectorCode::Rows right{&pixels, {}};
  for (int64_t pixel = 0; pixel < kFewPixels; ++pixel)
    right.addresses.push_back(kernel.address(pixels, {kernel.index(pixel), zero}));
  Value exist = code.maskBelow(zero, kernel.size(shape.pixels()), code.lanes);
  Value zeros = code.constant(0, kFewPixels);
  SmallVector<int64_t> widened(code.lanes, kFewPixels);
  std::iota(widened.begin(), widened.begin() + kFewPixels, 0);
  Value from = kernel.add(kernel.mul(group, kernel.size(shape.groupOutputs)), first);
  Value end = kernel.add(from, count);
  kernel.loop(from, end, kernel.index(rowsAtOnce), {}, [&](Value row, ValueRange) {
    VectorCode::Rows left{&w, {}};
    SmallVector<Value> place(shape.axes.size() + 2, zero);
    for (int64_t i = 0; i < rowsAtOnce; ++i) {
      place[0] = kernel.add(row, kernel.index(i));
      left.addresses.push_back(kernel.address(w, place));
    }
    SmallVector<Value> sums = code.dotProducts(right, left, kernel.index(depth));
    for (int64_t i = 0; i < rowsAtOnce; ++i) {
      place[0] = image;
      place[1] = kernel.add(row, kernel.index(i));
      Value sum = vector::ShuffleOp::create(builder, loc, sums[i], zeros, widened);
      epilogue.emitVector(code, 2, place, sum, exist);
    }
    return SmallVector<Value>();
  });
}

void FewPixels::emit() {
  SmallVector<Dim> tasks = this->tasks();
  auto [begin, end] = kernel.share(kernel.size(product(builder.getContext(), tasks)));
  Value start = begin;
  kernel.loop(begin, end, [&](Value task) {
    SmallVector<Value> indices = kernel.delinearize(task, tasks);
    Value zero = kernel.index(0);
    // What is gathered serves all tasks of an image and group.
    auto equals = [&](Value a, Value b) -> Value {
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a, b);
    };
    Value isNew = arith::OrIOp::create(builder, loc, equals(task, start), equals(indices[2], zero));
    auto fill = [&] { return gather(indices[0], indices[1]), SmallVector<Value>(); };
    kernel.branch(isNew, {}, fill, [] { return SmallVector<Value>(); });
    Value first = kernel.mul(indices[2], kernel.index(rowsOfTask));
    Value left = arith::SubIOp::create(builder, loc, kernel.size(shape.groupOutputs), first);
    Value count = kernel.index(rowsOfTask);
    if (shape.groupOutputs.getConstant() % rowsOfTask != 0)
      count = arith::MinSIOp::create(builder, loc, left, count);
    emitRows(indices[0], indices[1], first, count);
  });
}

} // namespace dsc
