//===- DepthwiseConv.cpp - convolutions of one channel each, in float32 ---===//
//
// Vectors run over the output pixels of a line, taps are unrolled. Vectors whose
// taps are all inside of the input are read plainly, several lines at a time, which
// share what they read; at the borders masks leave out the pixels outside, and lines
// outside are skipped. The epilogue computes the results from the vectors of sums or,
// where its code exists for elements only, through a buffer in scratch.
//
//===----------------------------------------------------------------------===//
#include "ConvolutionShape.h"
#include "PixelVectors.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/Epilogue.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

namespace {

class DepthwiseConvTemplate : public Template {
public:
  StringRef getName() const override { return "depthwise-conv"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

class DepthwiseEmitter {
public:
  DepthwiseEmitter(KernelEmitter &kernel, const ConvolutionShape &shape)
      : kernel(kernel), builder(kernel.builder), loc(kernel.loc), shape(shape),
        code(kernel, kernel.builder.getF32Type()), epilogue(kernel, shape.op),
        line(shape.axes.back()), pixels(code, kernel.view(shape.input()), line.stride),
        hasVectors(hasVectorEpilogue(kernel.group, shape.op, shape.axes.size() + 1)) {}

  void emit();

private:
  using Axis = ConvolutionShape::Axis;
  ArrayRef<Axis> outerAxes() const { return ArrayRef(shape.axes).drop_back(); }
  void emitPlane(Value image, Value channel);
  void emitColumn(Value column, bool isInside);
  void emitLine(Value number, Value column, ArrayRef<Value> masks);
  void emitLines(Value first, Value column, ArrayRef<Value> masks);
  std::pair<Value, Value> insideLines();
  SmallVector<Value> sumLines(Value firstLine, Value column, ArrayRef<Value> masks);
  Value sumTaps(ArrayRef<Value> starts, Value column, ArrayRef<Value> masks, bool areLinesInside);
  Value start(const Axis &axis, Value output);
  Value isInside(const Axis &axis, Value first, int64_t count);
  void storeVector(ArrayRef<Value> outer, Value column, Value sums);
  void storeLanes(ArrayRef<Value> indices, Value count, Value sums);
  Value conjunction(Value a, Value b) {
    return a && b ? arith::AndIOp::create(builder, loc, a, b).getResult() : a ? a : b;
  }

  KernelEmitter &kernel;
  OpBuilder &builder;
  Location loc;
  const ConvolutionShape &shape;
  VectorCode code;
  Epilogue epilogue;
  const Axis &line;
  PixelVectors pixels;
  bool hasVectors;
  BufferView tile;
  /// Lines that are computed together.
  static constexpr int64_t kLines = 4;
  // The plane that is being computed.
  Value image, channel, input;
  SmallVector<Value> weights; // a splat for each tap
};

} // namespace

static Match matchDepthwise(const GroupInfo &group, ConvolutionShape &found) {
  Operation *anchor = nullptr;
  Match match = findAnchor(group, {SpecKind::Window}, anchor);
  if (match)
    match = findConvolution(group, anchor, found);
  if (!match)
    return match;
  if (!found.isDepthwise())
    return Match::no("several channels are summed, or one is read for several");
  // All taps are unrolled.
  if (found.taps() > 64)
    return Match::no("more than 64 taps");
  return Match::yes();
}

Match DepthwiseConvTemplate::match(const GroupInfo &group, const Target &) const {
  ConvolutionShape found;
  return matchDepthwise(group, found);
}

SmallVector<ScheduleAttr> DepthwiseConvTemplate::candidates(const GroupInfo &group,
                                                            const Target &target) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {target.lanes(32)}, {}, 1,
                            {}, 1, {})};
}

Cost DepthwiseConvTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  ConvolutionShape found;
  matchDepthwise(group, found);
  Cost cost = estimateWork(group);
  double lanes = static_cast<double>(target.lanes(32));
  double lines = estimateSize(found.pixels()) / estimateSize(found.axes.back().output);
  double vectors = lines * std::ceil(estimateSize(found.axes.back().output) / lanes);
  double perTap = found.axes.back().stride == 1 ? 1 : found.axes.back().stride == 2 ? 2 : lanes;
  double cycles = vectors * (perTap * static_cast<double>(found.taps()) + 6);
  cycles *= estimateSize({found.batch, found.outChannels});
  cost.ns = overlappedTime(cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// Input position of the first tap.
Value DepthwiseEmitter::start(const Axis &axis, Value output) {
  Value begin = kernel.apply(axis.begin, {}, shape.loops->symbols);
  return kernel.add(kernel.mul(output, kernel.index(axis.stride)), begin);
}

/// i1: positions first ... first + count - 1 are inside of the input.
Value DepthwiseEmitter::isInside(const Axis &axis, Value first, int64_t count) {
  Value last = kernel.add(first, kernel.index(count - 1));
  Value above =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, first, kernel.index(0));
  Value below =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, last, kernel.size(axis.input));
  return conjunction(above, below);
}

static int64_t reach(const ConvolutionShape::Axis &axis) {
  return (axis.kernel - 1) * axis.dilation + 1;
}

/// The sums of a vector. `starts`: input position of the first tap on the outer axes;
/// `masks`: for each tap of the line, empty for none.
Value DepthwiseEmitter::sumTaps(ArrayRef<Value> starts, Value column, ArrayRef<Value> masks,
                                bool areLinesInside) {
  const BufferView &x = kernel.view(shape.input());
  Value first = start(line, column), sum = code.constant(0, code.lanes);
  int64_t outerTaps = shape.taps() / line.kernel;
  for (int64_t number = 0; number < outerTaps; ++number) {
    int64_t left = number;
    Value offset = kernel.index(0), fits;
    for (size_t i = starts.size(); i-- > 0;) {
      const Axis &axis = shape.axes[i];
      Value position = kernel.add(starts[i], kernel.index(left % axis.kernel * axis.dilation));
      left /= axis.kernel;
      offset = kernel.add(offset, kernel.mul(position, x.strides[2 + i]));
      if (!areLinesInside)
        fits = conjunction(fits, isInside(axis, position, 1));
    }
    auto addLine = [&] {
      Value next = sum;
      for (int64_t tap = 0; tap < line.kernel; ++tap) {
        Value position = kernel.add(first, kernel.index(tap * line.dilation));
        Value at = code.advance(x, input, kernel.add(offset, position));
        Value mask = masks.empty() ? Value() : masks[tap];
        Value weight = weights[number * line.kernel + tap];
        next = code.fma(pixels.load(at, position, kernel.size(line.input), mask), weight, next);
      }
      return SmallVector<Value>{next};
    };
    sum = fits
              ? kernel.branch(fits, sum.getType(), addLine, [&] { return SmallVector<Value>{sum}; })
                    .front()
              : addLine().front();
  }
  return sum;
}

/// The results of the first `count` lanes.
void DepthwiseEmitter::storeLanes(ArrayRef<Value> indices, Value count, Value sums) {
  if (hasVectors) {
    bool areAll = isConstantIntValue(count, code.lanes);
    Value mask = areAll ? Value() : code.maskBelow(kernel.index(0), count, code.lanes);
    epilogue.emitVector(code, indices.size() - 1, indices, sums, mask);
    return;
  }
  code.store(tile, tile.ptr, sums);
  kernel.loop(kernel.index(0), count, [&](Value i) {
    SmallVector<Value> at(indices);
    at.back() = kernel.add(indices.back(), i);
    epilogue.emitPoint(at, code.load(tile, code.advance(tile, tile.ptr, i), 1));
  });
  annotateVectorLoop(kernel, code.lanes);
}

void DepthwiseEmitter::storeVector(ArrayRef<Value> outer, Value column, Value sums) {
  SmallVector<Value> indices = {image, channel};
  llvm::append_range(indices, outer);
  indices.push_back(column);
  auto emitLanes = [&](Value count) {
    storeLanes(indices, count, sums);
    return SmallVector<Value>();
  };
  Value full = kernel.index(code.lanes);
  if (line.output.isConstant() && line.output.getConstant() % code.lanes == 0) {
    emitLanes(full);
    return;
  }
  Value left = arith::SubIOp::create(builder, loc, kernel.size(line.output), column);
  Value isFull = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, left, full);
  kernel.branch(isFull, {}, [&] { return emitLanes(full); }, [&] { return emitLanes(left); });
}

/// One vector of line `number`, wherever it lies.
void DepthwiseEmitter::emitLine(Value number, Value column, ArrayRef<Value> masks) {
  auto sizes = llvm::map_to_vector(outerAxes(), [](const Axis &axis) { return axis.output; });
  SmallVector<Value> outer = kernel.delinearize(number, sizes), starts;
  Value fits;
  for (auto [axis, position] : llvm::zip(outerAxes(), outer)) {
    starts.push_back(start(axis, position));
    fits = conjunction(fits, isInside(axis, starts.back(), reach(axis)));
  }
  auto inside = [&] { return SmallVector<Value>{sumTaps(starts, column, masks, true)}; };
  auto border = [&] { return SmallVector<Value>{sumTaps(starts, column, masks, false)}; };
  Value sums = fits ? kernel.branch(fits, code.typeOf(code.lanes), inside, border).front()
                    : inside().front();
  storeVector(outer, column, sums);
}

/// The sums of kLines lines, all inside: each vector of the input is read once.
SmallVector<Value> DepthwiseEmitter::sumLines(Value firstLine, Value column,
                                              ArrayRef<Value> masks) {
  const BufferView &x = kernel.view(shape.input());
  const Axis &outer = shape.axes.front();
  Value top = start(outer, firstLine), left = start(line, column);
  SmallVector<Value> sums(kLines, code.constant(0, code.lanes));
  for (int64_t row = 0; row < (kLines - 1) * outer.stride + reach(outer); ++row) {
    Value lineStart = kernel.mul(kernel.add(top, kernel.index(row)), x.strides[2]);
    for (int64_t tap = 0; tap < line.kernel; ++tap) {
      Value loaded;
      for (int64_t i = 0; i < kLines; ++i) {
        int64_t distance = row - i * outer.stride;
        if (distance < 0 || distance >= reach(outer) || distance % outer.dilation != 0)
          continue;
        if (!loaded) {
          Value position = kernel.add(left, kernel.index(tap * line.dilation));
          Value at = code.advance(x, input, kernel.add(lineStart, position));
          Value mask = masks.empty() ? Value() : masks[tap];
          loaded = pixels.load(at, position, kernel.size(line.input), mask);
        }
        Value weight = weights[distance / outer.dilation * line.kernel + tap];
        sums[i] = code.fma(loaded, weight, sums[i]);
      }
    }
  }
  return sums;
}

void DepthwiseEmitter::emitLines(Value first, Value column, ArrayRef<Value> masks) {
  for (auto [i, sum] : llvm::enumerate(sumLines(first, column, masks)))
    storeVector(kernel.add(first, kernel.index(i)), column, sum);
}

/// First and end of the lines all of whose taps are inside of the input.
std::pair<Value, Value> DepthwiseEmitter::insideLines() {
  const Axis &outer = shape.axes.front();
  Value zero = kernel.index(0), lines = kernel.size(outer.output);
  Value begin = kernel.apply(outer.begin, {}, shape.loops->symbols);
  Value stride = kernel.index(outer.stride);
  auto clamp = [&](Value value, Value least) -> Value {
    value = arith::MaxSIOp::create(builder, loc, value, least);
    return arith::MinSIOp::create(builder, loc, value, lines);
  };
  Value above = arith::SubIOp::create(builder, loc, zero, begin);
  Value first = clamp(arith::CeilDivSIOp::create(builder, loc, above, stride), zero);
  Value below = arith::SubIOp::create(builder, loc, kernel.size(outer.input),
                                      kernel.add(begin, kernel.index(reach(outer) - 1)));
  Value end = clamp(arith::CeilDivSIOp::create(builder, loc, below, stride), first);
  return {first, end};
}

/// All lines of one vector of columns.
void DepthwiseEmitter::emitColumn(Value column, bool isInsideColumn) {
  SmallVector<Value> masks;
  if (!isInsideColumn)
    for (int64_t tap = 0; tap < line.kernel; ++tap) {
      Value position = kernel.add(start(line, column), kernel.index(tap * line.dilation));
      masks.push_back(pixels.mask(position, kernel.size(line.input)));
    }
  auto sizes = llvm::map_to_vector(outerAxes(), [](const Axis &axis) { return axis.output; });
  Value lines = kernel.size(product(builder.getContext(), sizes));
  if (sizes.size() != 1) {
    kernel.loop(kernel.index(0), lines, [&](Value number) { emitLine(number, column, masks); });
    return;
  }
  auto [first, end] = insideLines();
  Value step = kernel.index(kLines);
  Value groups =
      arith::DivUIOp::create(builder, loc, arith::SubIOp::create(builder, loc, end, first), step);
  end = kernel.add(first, kernel.mul(groups, step));
  kernel.loop(first, end, step, {}, [&](Value number, ValueRange) {
    emitLines(number, column, masks);
    return SmallVector<Value>();
  });
  // The lines before and behind.
  Value inside = kernel.mul(groups, step);
  kernel.loop(kernel.index(0), arith::SubIOp::create(builder, loc, lines, inside), [&](Value i) {
    Value isBefore = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, i, first);
    Value number = arith::SelectOp::create(builder, loc, isBefore, i, kernel.add(i, inside));
    emitLine(number, column, masks);
  });
}

void DepthwiseEmitter::emitPlane(Value imageNumber, Value channelNumber) {
  image = imageNumber;
  channel = channelNumber;
  SmallVector<Value> corner(shape.axes.size() + 2, kernel.index(0));
  corner[0] = image;
  corner[1] = channel;
  input = kernel.address(kernel.view(shape.input()), corner);
  const BufferView &w = kernel.view(shape.kernel());
  Value taps = kernel.mul(channel, kernel.index(shape.taps()));
  weights.clear();
  for (int64_t tap = 0; tap < shape.taps(); ++tap) {
    Value at = code.advance(w, w.ptr, kernel.add(taps, kernel.index(tap)));
    weights.push_back(code.splat(code.load(w, at, 1), code.lanes));
  }
  Value lanes = kernel.index(code.lanes);
  kernel.loop(kernel.index(0), kernel.size(line.output), lanes, {}, [&](Value column, ValueRange) {
    int64_t span = pixels.span() + reach(line) - 1;
    Value fits = isInside(line, start(line, column), span);
    kernel.branch(
        fits, {}, [&] { return emitColumn(column, true), SmallVector<Value>(); },
        [&] { return emitColumn(column, false), SmallVector<Value>(); });
    return SmallVector<Value>();
  });
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 15;

void DepthwiseEmitter::emit() {
  if (!hasVectors) {
    tile = code.scratch(kernel.constant(code.lanes), {kernel.constant(1)});
    kernel.markScratch(tile);
  }
  SmallVector<Dim> planes = {shape.batch, shape.outChannels};
  Dim total = product(builder.getContext(), planes);
  double work = estimateSize(shape.pixels()) * static_cast<double>(shape.taps());
  auto planesPerPart = static_cast<int64_t>(std::max(1.0, kWorkPerPart / work));
  kernel.partCount =
      Dim::max(kernel.constant(1), Dim::min(total.ceilDiv(planesPerPart), kernel.constant(64)));
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value number) {
    SmallVector<Value> indices = kernel.delinearize(number, planes);
    emitPlane(indices[0], indices[1]);
  });
}

LogicalResult DepthwiseConvTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  ConvolutionShape found;
  if (Match match = matchDepthwise(kernel.group, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  DepthwiseEmitter(kernel, found).emit();
  return success();
}

const Template &depthwiseConvTemplate() {
  static const DepthwiseConvTemplate instance;
  return instance;
}

} // namespace dsc
