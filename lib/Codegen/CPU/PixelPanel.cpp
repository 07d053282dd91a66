//===- PixelPanel.cpp - gathers the input of a panel of output pixels -----===//
#include "PixelPanel.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

using arith::CmpIPredicate;

PixelPanel::PixelPanel(VectorCode &code, const ConvolutionShape &shape, const BufferView &x,
                       Value channel0)
    : code(code), kernel(code.kernel), builder(code.builder), loc(code.loc), shape(shape), x(x),
      channel0(channel0), plane(x.strides[1]), pixels(code, x, shape.axes.back().stride) {
  if (shape.isPointwise()) {
    axes.push_back(
        {shape.inputPixels(), shape.pixels(), 1, 1, 1, shape.axes[0].begin, kernel.index(1)});
    return;
  }
  for (auto [axis, stride] : llvm::zip(shape.axes, ArrayRef(x.strides).drop_front(2)))
    axes.push_back(
        {axis.input, axis.output, axis.kernel, axis.stride, axis.dilation, axis.begin, stride});
}

//===----------------------------------------------------------------------===//
// Small steps
//===----------------------------------------------------------------------===//

Value PixelPanel::compare(CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(builder, loc, predicate, a, b);
}

Value PixelPanel::narrow(Value index) {
  return arith::IndexCastOp::create(builder, loc, builder.getI32Type(), index);
}

/// first + 0, 1, 2 ... as 32-bit integers.
Value PixelPanel::lanesFrom(Value first) {
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, code.lanes));
  Value lane = arith::ConstantOp::create(builder, loc, builder.getI32VectorAttr(numbers));
  if (isConstantIntValue(first, 0))
    return lane;
  return arith::AddIOp::create(builder, loc, lane, code.splat(narrow(first), code.lanes));
}

Value PixelPanel::constantSize(AffineExpr expr) {
  return kernel.apply(expr, {}, shape.loops->symbols);
}

/// Loops over the taps. What is done for one is a lot of code, and run once for all
/// channels: to unroll these loops would make it no faster.
void PixelPanel::forTaps(TapBody body) {
  SmallVector<Value> tap;
  auto nest = [&](auto &nest, Value number) -> void {
    if (tap.size() == axes.size())
      return body(number, tap);
    Value count = kernel.index(axes[tap.size()].kernel);
    auto at = [&](Value position) {
      tap.push_back(position);
      nest(nest, kernel.add(kernel.mul(number, count), position));
      tap.pop_back();
    };
    if (isConstantIntValue(count, 1))
      return at(kernel.index(0));
    kernel.loop(kernel.index(0), count, at);
  };
  nest(nest, kernel.index(0));
}

/// Stores what `read` gives for a tap of all channels, in the vectors [first, end).
void PixelPanel::copyChannels(const BufferView &panel, Value tap, int64_t first, int64_t end,
                              function_ref<Value(Value channel, int64_t vector)> read) {
  kernel.loop(kernel.index(0), channels, [&](Value channel) {
    Value row = kernel.add(kernel.mul(channel, kernel.index(shape.taps())), tap);
    Value line = kernel.address(panel, {row, kernel.index(0)});
    Value offset = kernel.mul(kernel.add(firstChannel, channel), plane);
    for (int64_t v = first; v < end; ++v)
      code.store(panel, code.advance(panel, line, kernel.index(v * code.lanes)), read(offset, v));
  });
}

void PixelPanel::emit(const BufferView &panel, int64_t vectorCount, Value column, Value depth,
                      Value count) {
  vectors = vectorCount;
  std::tie(firstChannel, channels) = shape.channelsOf(kernel, depth, count);
  const Axis &last = axes.back();
  if (last.stride > 2) {
    emitGathers(panel, column);
    return;
  }
  // A vector's pixels lie in at most two lines of the image.
  int64_t shortest = code.lanes - 1;
  if (axes.size() == 1 || (last.output.isConstant() && last.output.getConstant() >= shortest)) {
    emitRuns(panel, column);
    return;
  }
  if (last.output.isConstant()) {
    emitGathers(panel, column);
    return;
  }
  Value isLong = compare(CmpIPredicate::sge, kernel.size(last.output), kernel.index(shortest));
  kernel.branch(isLong, [&] { emitRuns(panel, column); }, [&] { emitGathers(panel, column); });
}

//===----------------------------------------------------------------------===//
// Runs: windows that move by one or two
//===----------------------------------------------------------------------===//

/// Where the lanes of a run read a tap.
PixelPanel::Source PixelPanel::sourceOf(const Run &run, ArrayRef<Value> tap) {
  Value from = run.from, to = run.to;
  Value offset = kernel.index(0), isInside, lineStart;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    Value position = kernel.mul(run.position[i], kernel.index(axis.stride));
    position = kernel.add(position, kernel.mul(tap[i], kernel.index(axis.dilation)));
    position = kernel.add(position, constantSize(axis.begin));
    if (i + 1 < axes.size()) {
      Value fits = compare(CmpIPredicate::ult, position, kernel.size(axis.input));
      isInside = isInside ? arith::AndIOp::create(builder, loc, isInside, fits).getResult() : fits;
    } else {
      // The position of lane 0; from it follow the lanes that are inside.
      Value stride = kernel.index(axis.stride);
      position = arith::SubIOp::create(builder, loc, position, kernel.mul(run.from, stride));
      Value before = arith::SubIOp::create(builder, loc, kernel.index(0), position);
      Value behind = arith::SubIOp::create(builder, loc, kernel.size(axis.input), position);
      if (axis.stride != 1) {
        before = arith::CeilDivSIOp::create(builder, loc, before, stride);
        behind = arith::CeilDivSIOp::create(builder, loc, behind, stride);
      }
      from = arith::MaxSIOp::create(builder, loc, from, before);
      to = arith::MinSIOp::create(builder, loc, to, behind);
      lineStart = position;
    }
    offset = kernel.add(offset, kernel.mul(position, axis.inputStride));
  }
  if (isInside) {
    to = arith::SelectOp::create(builder, loc, isInside, to, kernel.index(0));
    // Nothing of a line that does not exist is read.
    lineStart =
        arith::SelectOp::create(builder, loc, isInside, lineStart, kernel.size(axes.back().input));
  }
  Value lane = lanesFrom(kernel.index(0));
  Value above = compare(CmpIPredicate::sge, lane, code.splat(narrow(from), code.lanes));
  Value below = compare(CmpIPredicate::slt, lane, code.splat(narrow(to), code.lanes));
  Source source;
  source.mask = arith::AndIOp::create(builder, loc, above, below);
  Value length = arith::SubIOp::create(builder, loc, to, from);
  source.isFull = compare(CmpIPredicate::eq, length, kernel.index(code.lanes));
  Value end = kernel.add(lineStart, kernel.index(pixels.span()));
  Value isRead = compare(CmpIPredicate::sle, end, kernel.size(axes.back().input));
  source.isFull = arith::AndIOp::create(builder, loc, source.isFull, isRead);
  source.position = lineStart;
  source.address = code.advance(x, channel0, offset);
  return source;
}

Value PixelPanel::loadMasked(const Source &source, Value offset, Value otherwise) {
  Value at = code.advance(x, source.address, offset);
  Value loaded = pixels.load(at, source.position, kernel.size(axes.back().input), source.mask);
  if (!otherwise && axes.back().stride == 1)
    return loaded;
  if (!otherwise)
    otherwise = code.constant(0, code.lanes);
  return arith::SelectOp::create(builder, loc, source.mask, loaded, otherwise);
}

/// Each vector's pixels lie in a line of the image, or in two: one run for each.
void PixelPanel::emitRuns(const BufferView &panel, Value column) {
  auto sizes = llvm::map_to_vector(axes, [](const Axis &axis) { return axis.output; });
  Value lanes = kernel.index(code.lanes), zero = kernel.index(0);
  Value total = kernel.size(shape.pixels());
  SmallVector<Run> first(vectors), second(vectors);
  for (int64_t v = 0; v < vectors; ++v) {
    Value start = kernel.add(column, kernel.index(v * code.lanes));
    Value left = arith::SubIOp::create(builder, loc, total, start);
    Value valid = arith::MaxSIOp::create(builder, loc, zero,
                                         arith::MinSIOp::create(builder, loc, lanes, left));
    first[v].position = kernel.delinearize(start, sizes);
    first[v].from = zero;
    first[v].to = valid;
    if (axes.size() == 1)
      continue;
    Value rest = arith::SubIOp::create(builder, loc, kernel.size(axes.back().output),
                                       first[v].position.back());
    first[v].to = arith::MinSIOp::create(builder, loc, valid, rest);
    second[v].position = kernel.delinearize(kernel.add(start, first[v].to), sizes);
    second[v].from = first[v].to;
    second[v].to = valid;
  }
  // With lines each vector has loops of its own: most lie in one line.
  int64_t together = axes.size() == 1 ? vectors : 1;
  forTaps([&](Value number, ArrayRef<Value> tap) {
    for (int64_t v = 0; v < vectors; v += together)
      copyRuns(panel, number, tap, v, ArrayRef(first).slice(v, together),
               ArrayRef(second).slice(v, together));
  });
}

/// A tap of some vectors from number `at` on; each lies in the runs `first` and `second`.
void PixelPanel::copyRuns(const BufferView &panel, Value number, ArrayRef<Value> tap, int64_t at,
                          ArrayRef<Run> first, ArrayRef<Run> second) {
  SmallVector<Source> a, b;
  Value areFull;
  for (auto [one, other] : llvm::zip(first, second)) {
    a.push_back(sourceOf(one, tap));
    if (axes.size() > 1)
      b.push_back(sourceOf(other, tap));
    Value isFull = a.back().isFull;
    areFull = areFull ? arith::AndIOp::create(builder, loc, areFull, isFull).getResult() : isFull;
  }
  auto copy = [&](function_ref<Value(Value offset, int64_t i)> read) {
    copyChannels(panel, number, at, at + static_cast<int64_t>(first.size()),
                 [&](Value offset, int64_t v) { return read(offset, v - at); });
  };
  auto plain = [&] {
    return copy([&](Value offset, int64_t i) {
      return pixels.load(code.advance(x, a[i].address, offset), {}, {}, {});
    });
  };
  auto masked = [&] {
    return copy([&](Value offset, int64_t i) {
      Value loaded = loadMasked(a[i], offset, {});
      return b.empty() ? loaded : loadMasked(b[i], offset, loaded);
    });
  };
  kernel.branch(areFull, plain, masked);
}

//===----------------------------------------------------------------------===//
// Gathers: everything else
//===----------------------------------------------------------------------===//

/// Each lane has a position of its own.
void PixelPanel::emitGathers(const BufferView &panel, Value column) {
  Type i32 = builder.getI32Type();
  auto splat = [&](Value index) { return code.splat(narrow(index), code.lanes); };
  auto fixed = [&](int64_t value) {
    Value scalar = arith::ConstantOp::create(builder, loc, builder.getIntegerAttr(i32, value));
    return code.splat(scalar, code.lanes);
  };
  auto add = [&](Value a, Value b) -> Value { return arith::AddIOp::create(builder, loc, a, b); };
  auto mul = [&](Value a, Value b) -> Value { return arith::MulIOp::create(builder, loc, a, b); };
  // Input positions of tap 0 for each vector and axis; lanes behind the last pixel
  // are far outside.
  SmallVector<SmallVector<Value>> starts(vectors);
  SmallVector<Value> valid(vectors);
  for (int64_t v = 0; v < vectors; ++v) {
    Value linear = lanesFrom(kernel.add(column, kernel.index(v * code.lanes)));
    valid[v] = compare(CmpIPredicate::slt, linear, splat(kernel.size(shape.pixels())));
    starts[v].resize(axes.size());
    for (size_t i = axes.size(); i-- > 0;) {
      Value position = linear;
      if (i > 0) {
        Value size = splat(kernel.size(axes[i].output));
        position = arith::RemUIOp::create(builder, loc, linear, size);
        linear = arith::DivUIOp::create(builder, loc, linear, size);
      }
      starts[v][i] = add(mul(position, fixed(axes[i].stride)), splat(constantSize(axes[i].begin)));
    }
  }
  forTaps([&](Value number, ArrayRef<Value> tap) {
    SmallVector<Value> offsets(vectors), masks(vectors);
    for (int64_t v = 0; v < vectors; ++v) {
      Value offset = fixed(0), mask = valid[v];
      for (auto [i, axis] : llvm::enumerate(axes)) {
        Value position = add(starts[v][i], splat(kernel.mul(tap[i], kernel.index(axis.dilation))));
        Value fits = compare(CmpIPredicate::ult, position, splat(kernel.size(axis.input)));
        mask = arith::AndIOp::create(builder, loc, mask, fits);
        offset = add(offset, mul(position, splat(axis.inputStride)));
      }
      offsets[v] = offset;
      masks[v] = mask;
    }
    auto pointers = VectorType::get(code.lanes, x.ptr.getType());
    Value nothing = code.constant(0, code.lanes);
    copyChannels(panel, number, 0, vectors, [&](Value offset, int64_t v) {
      Value base = code.advance(x, channel0, offset);
      Value at = LLVM::GEPOp::create(builder, loc, pointers, x.element, base,
                                     ArrayRef<LLVM::GEPArg>{offsets[v]});
      return LLVM::masked_gather::create(builder, loc, nothing.getType(), at, masks[v], nothing,
                                         builder.getI32IntegerAttr(4))
          .getResult();
    });
  });
}

} // namespace dsc
