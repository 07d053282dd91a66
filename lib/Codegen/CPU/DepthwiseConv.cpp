//===- DepthwiseConv.cpp - convolutions of one channel each, in float32 ---===//
//
// Vectors run over the output pixels of a line. Vectors whose taps are all inside of
// the input are read plainly, at the borders masks leave out the pixels outside. Lines
// come several at a time, which share what they read: four where all of their taps are
// inside, else two, and one that is left over; lines of taps outside are skipped. Where a
// line of the run is one vector, its masks are found once for all planes. The epilogue
// computes the results from the vectors of sums or, where its code exists for elements only,
// through a buffer in scratch.
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
  bool laysOutRegisters() const override { return true; }
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
  /// Vectors of columns that are computed together. `masks`: for each tap of the line,
  /// the lanes that are inside; empty: all lanes of all taps are, and of the result.
  /// `areOnly`: of one vector, which is the whole line.
  struct Columns {
    SmallVector<Value> firsts;
    SmallVector<Value> masks;
    bool areOnly = false;
  };
  /// From `first` to before `end`.
  struct Range {
    Value first, end;
  };
  void emitPlanes(Range numbers);
  void emitPlane(Value image, Value channel);
  void emitLine(Value number, const Columns &columns);
  void forColumns(int64_t together, function_ref<void(const Columns &)> body);
  void emitInside(Range lines, const Columns &columns);
  void emitBorder(Range lines, const Columns &columns);
  Range findInsideColumns();
  Range findInsideLines();
  Range findGroupedLines();
  Columns maskedColumns(Value first);
  SmallVector<Value> sumLines(Value firstLine, int64_t count, const Columns &columns,
                              bool areInside);
  SmallVector<Value> sumLine(Value number, const Columns &columns);
  using UseTap = function_ref<void(int64_t tap, ArrayRef<Value> loaded)>;
  void forTaps(Value lineStart, const Columns &columns, UseTap use);
  SmallVector<Value> loadTaps(Value lineStart, const Columns &columns, size_t number,
                              int64_t firstTap, int64_t count);
  void storeColumns(Value number, const Columns &columns, ArrayRef<Value> sums);
  Value weight(Value tap);
  SmallVector<Value> allWeights();
  Value sumTaps(ArrayRef<Value> starts, Value column, ArrayRef<Value> masks, bool areLinesInside);
  Value start(const Axis &axis, Value output);
  Value isInside(const Axis &axis, Value first, int64_t count);
  void storeVector(ArrayRef<Value> outer, const Columns &columns, size_t number, Value sums);
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
  /// Lines that are computed together where all of their taps are inside, else lines and
  /// vectors of columns.
  static constexpr int64_t kLines = 4, kBorderLines = 2, kBorderColumns = 2;
  // Of all planes alike: what findInsideColumns() and findGroupedLines() return, and the
  // one vector of short lines.
  Range insideColumns, groupedLines;
  std::optional<Columns> onlyColumns;
  // The plane that is being computed; addresses of its input and its weights.
  Value image, channel, input, kernelOfChannel;
  SmallVector<Value> weights; // splats of all taps, where they are reused
};

} // namespace

static Match matchDepthwise(const GroupInfo &group, ConvolutionShape &found) {
  if (Match match = findConvolution(group, found); !match)
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

/// A splat of the weight of tap number `tap`.
Value DepthwiseEmitter::weight(Value tap) {
  const BufferView &w = kernel.view(shape.kernel());
  return code.splat(code.load(w, code.advance(w, kernelOfChannel, tap), 1), code.lanes);
}

SmallVector<Value> DepthwiseEmitter::allWeights() {
  return llvm::map_to_vector(llvm::seq(shape.taps()),
                             [&](int64_t tap) { return weight(kernel.index(tap)); });
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

/// The results of vector `number` of the columns.
void DepthwiseEmitter::storeVector(ArrayRef<Value> outer, const Columns &columns, size_t number,
                                   Value sums) {
  Value column = columns.firsts[number];
  SmallVector<Value> indices = {image, channel};
  llvm::append_range(indices, outer);
  indices.push_back(column);
  auto emitLanes = [&](Value count) { storeLanes(indices, count, sums); };
  if (columns.areOnly) {
    emitLanes(kernel.size(line.output));
    return;
  }
  Value full = kernel.index(code.lanes);
  bool isWhole = line.output.isConstant() && line.output.getConstant() % code.lanes == 0;
  if (columns.masks.empty() || isWhole) {
    emitLanes(full);
    return;
  }
  Value left = arith::SubIOp::create(builder, loc, kernel.size(line.output), column);
  Value areAll = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, left, full);
  kernel.branch(areAll, [&] { return emitLanes(full); }, [&] { return emitLanes(left); });
}

/// One vector of line `number`, wherever it lies.
void DepthwiseEmitter::emitLine(Value number, const Columns &columns) {
  auto sizes = llvm::map_to_vector(outerAxes(), [](const Axis &axis) { return axis.output; });
  SmallVector<Value> outer = kernel.delinearize(number, sizes), starts;
  Value fits, column = columns.firsts.front();
  for (auto [axis, position] : llvm::zip(outerAxes(), outer)) {
    starts.push_back(start(axis, position));
    fits = conjunction(fits, isInside(axis, starts.back(), reach(axis)));
  }
  auto inside = [&] { return SmallVector<Value>{sumTaps(starts, column, columns.masks, true)}; };
  auto border = [&] { return SmallVector<Value>{sumTaps(starts, column, columns.masks, false)}; };
  Value sums = fits ? kernel.branch(fits, code.typeOf(code.lanes), inside, border).front()
                    : inside().front();
  storeVector(outer, columns, 0, sums);
}

//===----------------------------------------------------------------------===//
// Planes: lines and columns
//===----------------------------------------------------------------------===//

/// What `count` taps of vector `number` of the columns read in the line of the input that
/// starts at `lineStart`.
SmallVector<Value> DepthwiseEmitter::loadTaps(Value lineStart, const Columns &columns,
                                              size_t number, int64_t firstTap, int64_t count) {
  const BufferView &x = kernel.view(shape.input());
  Value position =
      kernel.add(start(line, columns.firsts[number]), kernel.index(firstTap * line.dilation));
  Value at = code.advance(x, input, kernel.add(lineStart, position));
  if (count > 1)
    return pixels.loadPhases(at, position, kernel.size(line.input), columns.masks.empty());
  Value mask = columns.masks.empty() ? Value() : columns.masks[firstTap];
  return {pixels.load(at, position, kernel.size(line.input), mask)};
}

/// Calls `use` for all taps of a line with what they read, one vector for each of the columns.
void DepthwiseEmitter::forTaps(Value lineStart, const Columns &columns, UseTap use) {
  // Of stride 2, a tap reads what lies between the elements of the tap before it.
  int64_t most = line.stride == 2 && line.dilation == 1 ? 2 : 1;
  for (int64_t first = 0; first < line.kernel; first += most) {
    int64_t count = std::min(most, line.kernel - first);
    SmallVector<SmallVector<Value>> loaded(count);
    for (size_t column = 0; column < columns.firsts.size(); ++column)
      for (auto [i, value] : llvm::enumerate(loadTaps(lineStart, columns, column, first, count)))
        loaded[i].push_back(value);
    for (int64_t i = 0; i < count; ++i)
      use(first + i, loaded[i]);
  }
}

void DepthwiseEmitter::storeColumns(Value number, const Columns &columns, ArrayRef<Value> sums) {
  for (auto [i, sum] : llvm::enumerate(sums))
    storeVector(number, columns, i, sum);
}

/// The sums of `count` lines, line by line: what is read serves all of them. Lines of the
/// input that are not known to be inside are skipped where they are not.
SmallVector<Value> DepthwiseEmitter::sumLines(Value firstLine, int64_t count,
                                              const Columns &columns, bool areInside) {
  const BufferView &x = kernel.view(shape.input());
  const Axis &outer = shape.axes.front();
  Value top = start(outer, firstLine);
  size_t width = columns.firsts.size();
  SmallVector<Value> sums(count * width, code.constant(0, code.lanes));
  SmallVector<Type> types(sums.size(), code.typeOf(code.lanes));
  for (int64_t row = 0; row < (count - 1) * outer.stride + reach(outer); ++row) {
    Value number = kernel.add(top, kernel.index(row));
    // The lines that read this one, and with which line of taps.
    SmallVector<std::pair<int64_t, int64_t>> readers;
    for (int64_t i = 0; i < count; ++i) {
      int64_t distance = row - i * outer.stride;
      if (distance >= 0 && distance < reach(outer) && distance % outer.dilation == 0)
        readers.push_back({i, distance / outer.dilation});
    }
    if (readers.empty())
      continue;
    auto addRow = [&] {
      SmallVector<Value> next = sums;
      Value lineStart = kernel.mul(number, x.strides[2]);
      forTaps(lineStart, columns, [&](int64_t tap, ArrayRef<Value> loaded) {
        for (auto [i, tapLine] : readers) {
          int64_t ofKernel = tapLine * line.kernel + tap;
          Value factor = areInside ? weights[ofKernel] : weight(kernel.index(ofKernel));
          for (size_t column = 0; column < width; ++column) {
            Value &sum = next[i * width + column];
            sum = code.fma(loaded[column], factor, sum);
          }
        }
      });
      return next;
    };
    if (areInside) {
      sums = addRow();
      continue;
    }
    // Unsigned: what is before the first line is above any size.
    Value fits = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, number,
                                       kernel.size(outer.input));
    sums = kernel.branch(fits, types, addRow, [&] { return sums; });
  }
  return sums;
}

/// The sums of one line, over those of its lines of taps that are inside.
SmallVector<Value> DepthwiseEmitter::sumLine(Value number, const Columns &columns) {
  const BufferView &x = kernel.view(shape.input());
  const Axis &outer = shape.axes.front();
  Value top = start(outer, number);
  Value zero = kernel.index(0), step = kernel.index(outer.dilation);
  auto bound = [&](Value distance) -> Value {
    Value taps = arith::CeilDivSIOp::create(builder, loc, distance, step);
    taps = arith::MaxSIOp::create(builder, loc, taps, zero);
    return arith::MinSIOp::create(builder, loc, taps, kernel.index(outer.kernel));
  };
  Value from = bound(arith::SubIOp::create(builder, loc, zero, top));
  Value end = bound(arith::SubIOp::create(builder, loc, kernel.size(outer.input), top));
  auto addRow = [&](Value row, ValueRange carried) {
    SmallVector<Value> sums(carried);
    Value lineStart = kernel.mul(kernel.add(top, kernel.mul(row, step)), x.strides[2]);
    forTaps(lineStart, columns, [&](int64_t tap, ArrayRef<Value> loaded) {
      Value ofKernel = kernel.add(kernel.mul(row, kernel.index(line.kernel)), kernel.index(tap));
      Value factor = weight(ofKernel);
      for (auto [sum, x] : llvm::zip(sums, loaded))
        sum = code.fma(x, factor, sum);
    });
    return sums;
  };
  SmallVector<Value> zeros(columns.firsts.size(), code.constant(0, code.lanes));
  return kernel.loop(from, end, kernel.index(1), zeros, addRow);
}

/// Lines all of whose taps are inside, in groups of kLines.
void DepthwiseEmitter::emitInside(Range lines, const Columns &columns) {
  size_t width = columns.firsts.size();
  kernel.loop(lines.first, lines.end, kernel.index(kLines), [&](Value number) {
    SmallVector<Value> sums = sumLines(number, kLines, columns, true);
    for (int64_t i = 0; i < kLines; ++i)
      storeColumns(kernel.add(number, kernel.index(i)), columns,
                   ArrayRef(sums).slice(i * width, width));
  });
}

/// Lines anywhere, in groups of kBorderLines, then one by one.
void DepthwiseEmitter::emitBorder(Range lines, const Columns &columns) {
  size_t width = columns.firsts.size();
  Value step = kernel.index(kBorderLines);
  Value count = arith::SubIOp::create(builder, loc, lines.end, lines.first);
  Value groups = arith::DivUIOp::create(builder, loc, count, step);
  Value rest = kernel.add(lines.first, kernel.mul(groups, step));
  kernel.loop(lines.first, rest, step, [&](Value number) {
    SmallVector<Value> sums = sumLines(number, kBorderLines, columns, false);
    for (int64_t i = 0; i < kBorderLines; ++i)
      storeColumns(kernel.add(number, kernel.index(i)), columns,
                   ArrayRef(sums).slice(i * width, width));
  });
  kernel.loop(rest, lines.end,
              [&](Value number) { storeColumns(number, columns, sumLine(number, columns)); });
}

/// The lines all of whose taps are inside of the input.
DepthwiseEmitter::Range DepthwiseEmitter::findInsideLines() {
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

/// The lines that come in groups of kLines: groups of kBorderLines are before them, anything
/// behind them. None: they begin and end behind the last line.
DepthwiseEmitter::Range DepthwiseEmitter::findGroupedLines() {
  auto [first, end] = findInsideLines();
  Value lines = kernel.size(shape.axes.front().output), zero = kernel.index(0);
  Value before = kernel.index(kBorderLines), step = kernel.index(kLines);
  first = kernel.mul(arith::CeilDivUIOp::create(builder, loc, first, before), before);
  Value count =
      arith::MaxSIOp::create(builder, loc, zero, arith::SubIOp::create(builder, loc, end, first));
  Value groups = arith::DivUIOp::create(builder, loc, count, step);
  Value isNone = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, groups, zero);
  first = arith::SelectOp::create(builder, loc, isNone, lines, first);
  return {first, kernel.add(first, kernel.mul(groups, step))};
}

/// The numbers of the vectors of a line all of whose lanes and taps are inside, of both the
/// result and the input.
DepthwiseEmitter::Range DepthwiseEmitter::findInsideColumns() {
  Value zero = kernel.index(0), lanes = kernel.index(code.lanes);
  Value whole = arith::DivUIOp::create(builder, loc, kernel.size(line.output), lanes);
  Value begin = kernel.apply(line.begin, {}, shape.loops->symbols);
  Value step = kernel.index(code.lanes * line.stride);
  auto clamp = [&](Value value, Value least) -> Value {
    value = arith::MaxSIOp::create(builder, loc, value, least);
    return arith::MinSIOp::create(builder, loc, value, whole);
  };
  Value above = arith::SubIOp::create(builder, loc, zero, begin);
  Value first = clamp(arith::CeilDivSIOp::create(builder, loc, above, step), zero);
  // The last one starts at least this far before the end of the input.
  Value span = kernel.add(begin, kernel.index(pixels.span() + reach(line) - 1));
  Value room = arith::SubIOp::create(builder, loc, kernel.size(line.input), span);
  Value last = arith::FloorDivSIOp::create(builder, loc, room, step);
  return {first, clamp(kernel.add(last, kernel.index(1)), first)};
}

/// The vector of columns from `first` on, wherever it lies.
DepthwiseEmitter::Columns DepthwiseEmitter::maskedColumns(Value first) {
  Columns columns{{first}, {}};
  for (int64_t tap = 0; tap < line.kernel; ++tap) {
    Value position = kernel.add(start(line, first), kernel.index(tap * line.dilation));
    columns.masks.push_back(pixels.mask(position, kernel.size(line.input)));
  }
  return columns;
}

/// Calls `body` for all columns: `together` vectors that are inside, one by one the others.
void DepthwiseEmitter::forColumns(int64_t together, function_ref<void(const Columns &)> body) {
  if (onlyColumns)
    return body(*onlyColumns);
  Value lanes = kernel.index(code.lanes), count = kernel.index(together);
  Value vectors = kernel.size(line.output.ceilDiv(code.lanes));
  auto [from, end] = insideColumns;
  Value groups =
      arith::DivUIOp::create(builder, loc, arith::SubIOp::create(builder, loc, end, from), count);
  kernel.loop(kernel.index(0), groups, [&](Value group) {
    Columns columns;
    Value first = kernel.mul(kernel.add(from, kernel.mul(group, count)), lanes);
    for (int64_t i = 0; i < together; ++i)
      columns.firsts.push_back(kernel.add(first, kernel.index(i * code.lanes)));
    body(columns);
  });
  Value inside = kernel.mul(groups, count);
  kernel.loop(kernel.index(0), arith::SubIOp::create(builder, loc, vectors, inside), [&](Value i) {
    Value isBefore = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, i, from);
    Value number = arith::SelectOp::create(builder, loc, isBefore, i, kernel.add(i, inside));
    body(maskedColumns(kernel.mul(number, lanes)));
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
  kernelOfChannel = code.advance(w, w.ptr, kernel.mul(channel, kernel.index(shape.taps())));
  auto sizes = llvm::map_to_vector(outerAxes(), [](const Axis &axis) { return axis.output; });
  Value zero = kernel.index(0), lines = kernel.size(product(builder.getContext(), sizes));
  if (sizes.size() != 1) {
    weights = allWeights();
    forColumns(1, [&](const Columns &columns) {
      kernel.loop(zero, lines, [&](Value number) { emitLine(number, columns); });
    });
    return;
  }
  if (onlyColumns)
    return emitBorder({zero, lines}, *onlyColumns);
  auto [from, end] = groupedLines;
  Value isAny = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, from, end);
  kernel.branch(isAny, [&] {
    weights = allWeights();
    forColumns(1, [&](const Columns &columns) { emitInside(groupedLines, columns); });
  });
  // The lines before and behind.
  forColumns(kBorderColumns, [&](const Columns &columns) {
    kernel.loop(zero, kernel.index(2), [&](Value side) {
      Value isBefore = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, side, zero);
      auto choose = [&](Value before, Value behind) -> Value {
        return arith::SelectOp::create(builder, loc, isBefore, before, behind);
      };
      emitBorder({choose(zero, groupedLines.end), choose(groupedLines.first, lines)}, columns);
    });
  });
}

void DepthwiseEmitter::emitPlanes(Range numbers) {
  kernel.loop(numbers.first, numbers.end, [&](Value number) {
    if (shape.batch.isConstant(1))
      return emitPlane(kernel.index(0), number);
    // Layers often differ in their number of channels alone.
    Value channels = kernel.sizeOfLaunch(shape.outChannels);
    emitPlane(arith::DivUIOp::create(builder, loc, number, channels),
              arith::RemUIOp::create(builder, loc, number, channels));
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
  kernel.partCount = countParts(total, work, kWorkPerPart);
  auto [first, end] = kernel.share(kernel.size(total));
  insideColumns = findInsideColumns();
  if (outerAxes().size() == 1)
    groupedLines = findGroupedLines();
  if (line.output.isConstant())
    return emitPlanes({first, end});
  // Where a line is one vector, its masks serve all planes.
  Value isShort = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ule,
                                        kernel.size(line.output), kernel.index(code.lanes));
  auto oneVector = [&] {
    onlyColumns = maskedColumns(kernel.index(0));
    onlyColumns->areOnly = true;
    emitPlanes({first, end});
    onlyColumns.reset();
  };
  kernel.branch(isShort, oneVector, [&] { emitPlanes({first, end}); });
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
