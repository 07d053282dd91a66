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

/// Address of the group's first channel in the image.
Value FewPixels::firstChannel(Value image, Value group) {
  SmallVector<Value> corner(shape.axes.size() + 2, kernel.index(0));
  corner[0] = image;
  corner[1] = kernel.mul(group, kernel.size(shape.groupInputs));
  return kernel.address(kernel.view(shape.input()), corner);
}

/// i1: there is one pixel, and its channels lie behind each other.
Value FewPixels::isRowInPlace() {
  auto isOne = [&](Value value) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, value, kernel.index(1));
  };
  return arith::AndIOp::create(builder, loc, isOne(kernel.size(shape.pixels())),
                               isOne(kernel.view(shape.input()).strides[1]));
}

/// The pixels of an image and group as rows of channels.
void FewPixels::gather(Value image, Value group) {
  const BufferView &x = kernel.view(shape.input());
  Value channel0 = firstChannel(image, group);
  Value exist = code.maskBelow(kernel.index(0), kernel.size(shape.pixels()), kFewPixels);
  auto load = [&](Value channel) {
    Value line = code.advance(x, channel0, kernel.mul(channel, x.strides[1]));
    return code.load(x, line, kFewPixels, exist);
  };
  // Squares of channels and pixels, then channels one by one.
  code.forVectors(
      kernel.index(0), kernel.index(depth), kFewPixels, [&](Value first, int64_t count) {
        SmallVector<Value> rows;
        for (int64_t i = 0; i < count; ++i)
          rows.push_back(load(kernel.add(first, kernel.index(i))));
        if (count == kFewPixels)
          code.transposeSquare(rows);
        for (int64_t pixel = 0; pixel < kFewPixels; ++pixel) {
          Value row =
              count == kFewPixels
                  ? rows[pixel]
                  : vector::ExtractOp::create(builder, loc, rows.front(), pixel).getResult();
          code.store(pixels, kernel.address(pixels, {kernel.index(pixel), first}), row);
        }
      });
}

/// The results of a row of the kernel: those of kFewPixels pixels, or a scalar of one.
void FewPixels::storeRow(Value image, Value row, Value sums) {
  SmallVector<Value> place(shape.axes.size() + 2, kernel.index(0));
  place[0] = image;
  place[1] = row;
  if (!isa<VectorType>(sums.getType()))
    return epilogue.emitPoint(place, sums);
  SmallVector<int64_t> widened(code.lanes, kFewPixels);
  std::iota(widened.begin(), widened.begin() + kFewPixels, 0);
  Value zeros = code.constant(0, kFewPixels);
  Value wide = vector::ShuffleOp::create(builder, loc, sums, zeros, widened);
  Value exist = code.maskBelow(kernel.index(0), kernel.size(shape.pixels()), code.lanes);
  epilogue.emitVector(code, 2, place, wide, exist);
}

/// The rows of the kernel of a task with the pixels, `right`.
void FewPixels::emitTask(ArrayRef<Value> task, const VectorCode::Rows &right) {
  const BufferView &w = kernel.view(shape.kernel());
  Value first = kernel.mul(task[2], kernel.index(rowsOfTask)), count = kernel.index(rowsOfTask);
  if (shape.groupOutputs.getConstant() % rowsOfTask != 0) {
    Value left = arith::SubIOp::create(builder, loc, kernel.size(shape.groupOutputs), first);
    count = arith::MinSIOp::create(builder, loc, left, count);
  }
  Value from = kernel.add(kernel.mul(task[1], kernel.size(shape.groupOutputs)), first);
  Value end = kernel.add(from, count);
  kernel.loop(from, end, kernel.index(rowsAtOnce), {}, [&](Value row, ValueRange) {
    auto numbers = llvm::map_to_vector(llvm::seq(rowsAtOnce),
                                       [&](int64_t i) { return kernel.add(row, kernel.index(i)); });
    VectorCode::Rows left{&w, {}};
    SmallVector<Value> place(shape.axes.size() + 2, kernel.index(0));
    for (Value number : numbers) {
      place[0] = number;
      left.addresses.push_back(kernel.address(w, place));
    }
    SmallVector<Value> sums = code.dotProducts(right, left, kernel.index(depth));
    for (auto [number, sum] : llvm::zip(numbers, sums))
      storeRow(task[0], number, sum);
    return SmallVector<Value>();
  });
}

void FewPixels::emit() {
  SmallVector<Dim> tasks = this->tasks();
  auto [begin, end] = kernel.share(kernel.size(product(builder.getContext(), tasks)));
  Value start = begin, zero = kernel.index(0), inPlace = isRowInPlace();
  kernel.loop(begin, end, [&](Value number) {
    SmallVector<Value> task = kernel.delinearize(number, tasks);
    auto one = [&] {
      emitTask(task, {&kernel.view(shape.input()), {firstChannel(task[0], task[1])}});
      return SmallVector<Value>();
    };
    auto few = [&] {
      // What is gathered serves all tasks of an image and group.
      auto equals = [&](Value a, Value b) -> Value {
        return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, a, b);
      };
      Value isNew =
          arith::OrIOp::create(builder, loc, equals(number, start), equals(task[2], zero));
      auto fill = [&] { return gather(task[0], task[1]), SmallVector<Value>(); };
      kernel.branch(isNew, {}, fill, [] { return SmallVector<Value>(); });
      VectorCode::Rows right{&pixels, {}};
      for (int64_t pixel = 0; pixel < kFewPixels; ++pixel)
        right.addresses.push_back(kernel.address(pixels, {kernel.index(pixel), zero}));
      emitTask(task, right);
      return SmallVector<Value>();
    };
    kernel.branch(inPlace, {}, one, few);
  });
}

} // namespace dsc
