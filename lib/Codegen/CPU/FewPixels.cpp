//===- FewPixels.cpp - pointwise convolutions of at most seven pixels -----===//
#include "FewPixels.h"

#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace dsc {

/// Pixels that are computed together, and as many as are few.
static constexpr int64_t kTogether = 4, kFewPixels = 2 * kTogether - 1;
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
  int64_t most = kWorkPerPart / (kTogether * depth * rowsAtOnce);
  rowsOfTask = std::max<int64_t>(1, std::min(most, rows / rowsAtOnce)) * rowsAtOnce;
  pixels = code.scratch(kernel.constant(2 * kTogether * depth),
                        {kernel.constant(depth), kernel.constant(1)});
  kernel.markScratch(pixels);
}

SmallVector<Dim> FewPixels::tasks() const {
  return {shape.batch, shape.outChannels.floorDiv(shape.groupOutputs),
          shape.groupOutputs.ceilDiv(rowsOfTask)};
}

Dim FewPixels::countParts() const {
  auto work = static_cast<double>(kTogether * depth * rowsOfTask);
  return dsc::countParts(product(builder.getContext(), tasks()), work, kWorkPerPart);
}

/// The pixels of an image and group as rows of channels.
void FewPixels::gather(Value image, Value group) {
  const BufferView &x = kernel.view(shape.input());
  Value channel0 = shape.firstChannel(kernel, image, group), count = kernel.size(shape.pixels());
  kernel.loop(kernel.index(0), count, kernel.index(kTogether), [&](Value first) {
    Value exist = code.maskBelow(first, count, kTogether);
    Value start = code.advance(x, channel0, first);
    auto load = [&](Value channel) {
      Value line = code.advance(x, start, kernel.mul(channel, x.strides[1]));
      return code.load(x, line, kTogether, exist);
    };
    // Squares of channels and pixels, then channels one by one.
    auto store = [&](Value channel, int64_t channels) {
      SmallVector<Value> rows;
      for (int64_t i = 0; i < channels; ++i)
        rows.push_back(load(kernel.add(channel, kernel.index(i))));
      if (channels == kTogether)
        code.transposeSquare(rows);
      for (int64_t i = 0; i < kTogether; ++i) {
        Value row = channels == kTogether
                        ? rows[i]
                        : vector::ExtractOp::create(builder, loc, rows.front(), i).getResult();
        Value pixel = kernel.add(first, kernel.index(i));
        code.store(pixels, kernel.address(pixels, {pixel, channel}), row);
      }
    };
    code.forVectors(kernel.index(0), kernel.index(depth), kTogether, store);
  });
}

/// The row of a pixel.
Value FewPixels::findRow(ArrayRef<Value> task, Value pixel) {
  Value gathered = kernel.address(pixels, {pixel, kernel.index(0)});
  Value first = shape.firstChannel(kernel, task[0], task[1]);
  return arith::SelectOp::create(builder, loc, inPlace, first, gathered);
}

/// The results of a row of the kernel at one pixel or, from one on, several.
void FewPixels::storeSums(ArrayRef<Value> place, Value sums) {
  if (isa<VectorType>(sums.getType()))
    epilogue.emitVector(code, 2, place, sums, /*mask=*/{});
  else
    epilogue.emitPoint(place, sums);
}

/// The rows of the kernel of a task with `count` pixels from `first` on.
void FewPixels::emitPixels(ArrayRef<Value> task, Value first, int64_t count) {
  const BufferView &w = kernel.view(shape.kernel());
  VectorCode::Rows right{&pixels, {}};
  if (count == 1)
    right.addresses.push_back(findRow(task, first));
  for (int64_t i = 0; count > 1 && i < count; ++i) {
    Value pixel = kernel.add(first, kernel.index(i));
    right.addresses.push_back(kernel.address(pixels, {pixel, kernel.index(0)}));
  }
  Value start = kernel.mul(task[2], kernel.index(rowsOfTask)), rows = kernel.index(rowsOfTask);
  if (shape.groupOutputs.getConstant() % rowsOfTask != 0) {
    Value left = arith::SubIOp::create(builder, loc, kernel.size(shape.groupOutputs), start);
    rows = arith::MinSIOp::create(builder, loc, left, rows);
  }
  Value from = kernel.add(kernel.mul(task[1], kernel.size(shape.groupOutputs)), start);
  Value end = kernel.add(from, rows);
  kernel.loop(from, end, kernel.index(rowsAtOnce), [&](Value row) {
    SmallVector<Value> numbers;
    VectorCode::Rows left{&w, {}};
    // Few products do not take as long as the next rows, which come from far away.
    if (count < kTogether)
      left.prefetch = kernel.index(rowsAtOnce * depth);
    SmallVector<Value> place(shape.axes.size() + 2, kernel.index(0));
    for (int64_t i = 0; i < rowsAtOnce; ++i) {
      numbers.push_back(kernel.add(row, kernel.index(i)));
      place[0] = numbers.back();
      left.addresses.push_back(kernel.address(w, place));
    }
    SmallVector<Value> sums = code.dotProducts(right, left, kernel.index(depth));
    place[0] = task[0];
    place.back() = first;
    for (auto [number, sum] : llvm::zip(numbers, sums)) {
      place[1] = number;
      storeSums(place, sum);
    }
  });
}

/// All pixels in groups whose sizes are powers of two.
void FewPixels::emitTask(ArrayRef<Value> task) {
  Value count = kernel.size(shape.pixels()), first = kernel.index(0);
  for (int64_t size = kTogether; size > 0; size /= 2) {
    Value bit = arith::AndIOp::create(builder, loc, count, kernel.index(size));
    Value isSet =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, bit, kernel.index(0));
    kernel.branch(isSet, [&] { emitPixels(task, first, size); });
    first = kernel.add(first, bit);
  }
}

void FewPixels::emit() {
  auto isOne = [&](Value value) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value, kernel.index(1));
  };
  inPlace = arith::AndIOp::create(builder, loc, isOne(kernel.size(shape.pixels())),
                                  isOne(kernel.view(shape.input()).strides[1]));
  auto prepare = [&](ArrayRef<Value> task) {
    kernel.branch(inPlace, [] {}, [&] { gather(task[0], task[1]); });
  };
  forTasks(kernel, tasks(), prepare, [&](ArrayRef<Value> task) { emitTask(task); });
}

} // namespace dsc
