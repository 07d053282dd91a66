//===- ConvRows.cpp - convolutions with few output pixels -----------------===//
//
// Images of a few pixels do not fill a vector. Here columns, the lanes of vectors, are
// output channels: for each image and group of channels a matrix product whose rows are
// pixels, whose depth is input channels times taps, and whose B are the constant
// weights, packed when they are written. A row is what a pixel's window reads: in place
// where that lies at equal distances (windows of one pixel, windows of a signal), else
// gathered into scratch.
//
//===----------------------------------------------------------------------===//
#include "ConvolutionShape.h"
#include "PanelEngine.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/Epilogue.h"

#include "dsc/Dialect/IR/Weights.h"

using namespace mlir;

namespace dsc {

using arith::CmpIPredicate;

namespace {

class ConvRowsTemplate : public Template {
public:
  StringRef getName() const override { return "conv-rows"; }
  bool laysOutRegisters() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  void prepare(GroupOp group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// The weights as [group][columns of a panel][input channel][taps...][column].
struct PackedWeights {
  AffineMap map; ///< to the axes of the kernel
  RankedTensorType type;
  int64_t width; ///< columns that lie together
};

class ConvRowsEmitter {
public:
  ConvRowsEmitter(KernelEmitter &kernel, const ConvolutionShape &shape, const PanelBlocks &blocks,
                  Value packed, int64_t width);
  void emit();

private:
  void emitBlock(Value image, Value group, Value columnBlock);
  void gatherRows(Value image, Value group);
  void gatherPixel(Value pixel, Value channel0);
  void copyTaps(Value channel0, Value target, Value position, Value isInside);
  Value compare(CmpIPredicate predicate, Value a, Value b) {
    return arith::CmpIOp::create(kernel.builder, kernel.loc, predicate, a, b);
  }
  Value both(Value a, Value b) { return arith::AndIOp::create(kernel.builder, kernel.loc, a, b); }

  KernelEmitter &kernel;
  const ConvolutionShape &shape;
  VectorCode code;
  PanelEngine engine;
  Epilogue epilogue;
  Value packed;
  int64_t width;
  Dim depth;
  BufferView rows; ///< scratch: [pixels][depth]; none if they are read in place
};

} // namespace

//===----------------------------------------------------------------------===//
// Template
//===----------------------------------------------------------------------===//

static PanelSizes sizesOf(const ConvolutionShape &shape) {
  return {shape.pixels(), shape.groupOutputs, shape.groupInputs * shape.taps()};
}

/// Whether the first window starts with the image, and the last one ends in it.
static bool isUnpadded(const ConvolutionShape::Axis &axis) {
  auto begin = dyn_cast<AffineConstantExpr>(axis.begin);
  int64_t last =
      (axis.output.tryConstant().value_or(0) - 1) * axis.stride + (axis.kernel - 1) * axis.dilation;
  return begin && begin.getValue() == 0 && axis.input.isConstant() &&
         last < axis.input.getConstant();
}

/// Whether pixels, and what a window reads, lie at equal distances.
static bool areRowsInPlace(const ConvolutionShape &shape) {
  bool isSignal = shape.groupInputs.isConstant(1) && shape.axes.size() == 1;
  return shape.isPointwise() || (isSignal && isUnpadded(shape.axes[0]));
}

static Match matchFewPixels(const GroupInfo &group, const Target &target, ConvolutionShape &found) {
  if (Match match = findConvolution(group, found); !match)
    return match;
  if (found.isDepthwise())
    return Match::no("one input channel for each output channel");
  if (!isa_and_nonnull<ConstantOp, WeightOp>(found.kernel().getDefiningOp()))
    return Match::no("the weights are computed");
  Dim pixels = found.pixels();
  if (!pixels.isConstant() || pixels.getConstant() > target.lanes(32))
    return Match::no("more pixels than a vector has lanes, or any number of them");
  if (!found.groupOutputs.isConstant() || !found.groupInputs.isConstant() ||
      pixels.getConstant() == 0)
    return Match::no("a size is not known, or 0");
  int64_t elements = pixels.getConstant() * found.groupInputs.getConstant() * found.taps();
  if (!areRowsInPlace(found) && elements * 4 > target.l2Bytes / 4)
    return Match::no("what the pixels read does not fit into the cache");
  return Match::yes();
}

Match ConvRowsTemplate::match(const GroupInfo &group, const Target &target) const {
  ConvolutionShape found;
  return matchFewPixels(group, target, found);
}

SmallVector<ScheduleAttr> ConvRowsTemplate::candidates(const GroupInfo &group,
                                                       const Target &target) const {
  ConvolutionShape found;
  (void)matchFewPixels(group, target, found);
  PanelSizes sizes = sizesOf(found);
  SmallVector<ScheduleAttr> schedules;
  int64_t lanes = target.lanes(32), most = target.vectorRegisters * 3 / 4;
  for (int64_t vectors = 1; vectors <= most; vectors += vectors < 4 ? 1 : 2) {
    bool isWide = (vectors - 1) * lanes >= sizes.columns.getConstant();
    // Tiles of few rows are for images of few pixels.
    bool isFlat = vectors > 4 && sizes.rows.getConstant() >= 4;
    if (vectors == 1 || (!isWide && !isFlat))
      schedules.push_back(choosePanelBlocks(target, sizes, vectors, /*arePacked=*/true)
                              .write(group.getGroup()->getContext(), getName()));
  }
  return schedules;
}

Cost ConvRowsTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                            const Target &target) const {
  ConvolutionShape found;
  (void)matchFewPixels(group, target, found);
  PanelSizes sizes = sizesOf(found);
  Cost cost = estimateWork(group);
  double rows = estimateSize(sizes.rows), columns = estimateSize(sizes.columns);
  double depth = estimateSize(sizes.depth);
  double repeats = estimateSize(found.batch) * estimateSize(found.outChannels) / columns;
  double cycles = depth * panelCycles(target, rows, columns, PanelBlocks::read(schedule), true);
  constexpr double perGathered = 3, perStored = 2, start = 200;
  cycles += areRowsInPlace(found) ? 0 : rows * depth * perGathered;
  cycles += rows * columns * perStored + start;
  cost.ns = overlappedTime(repeats * cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

static PackedWeights findPackedWeights(const ConvolutionShape &shape, ScheduleAttr schedule,
                                       const Target &target) {
  auto kernel = cast<RankedTensorType>(shape.kernel().getType());
  MLIRContext *context = kernel.getContext();
  int64_t panelColumns = PanelBlocks::read(schedule).vectors * target.lanes(32);
  int64_t width = packedColumns(panelColumns);
  int64_t outputs = shape.groupOutputs.getConstant();
  int64_t panels = llvm::divideCeil(outputs, panelColumns) * (panelColumns / width);
  ArrayRef<int64_t> inner = kernel.getShape().drop_front();
  SmallVector<int64_t> sizes = {kernel.getDimSize(0) / outputs, panels};
  sizes.append(inner.begin(), inner.end());
  sizes.push_back(width);
  AffineExpr lane = getAffineDimExpr(sizes.size() - 1, context);
  SmallVector<AffineExpr> axes = {getAffineDimExpr(0, context) * outputs +
                                  getAffineDimExpr(1, context) * width + lane};
  for (unsigned i = 0; i < inner.size(); ++i)
    axes.push_back(getAffineDimExpr(2 + i, context));
  return {AffineMap::get(sizes.size(), 0, axes, context),
          RankedTensorType::get(sizes, kernel.getElementType()), width};
}

void ConvRowsTemplate::prepare(GroupOp group, ScheduleAttr schedule, const Target &target) const {
  ConvolutionShape found;
  (void)matchFewPixels(GroupInfo(group), target, found);
  PackedWeights form = findPackedWeights(found, schedule, target);
  if (findRepacked(found.kernel(), form.map, form.type))
    return;
  OpBuilder builder(group.getContext());
  builder.setInsertionPointAfterValue(found.kernel());
  RepackOp::create(builder, group.getLoc(), form.type, found.kernel(), form.map);
}

//===----------------------------------------------------------------------===//
// Rows
//===----------------------------------------------------------------------===//

ConvRowsEmitter::ConvRowsEmitter(KernelEmitter &kernel, const ConvolutionShape &shape,
                                 const PanelBlocks &blocks, Value packed, int64_t width)
    : kernel(kernel), shape(shape), code(kernel, kernel.builder.getF32Type()),
      engine(code, sizesOf(shape), blocks), epilogue(kernel, shape.op), packed(packed),
      width(width), depth(shape.groupInputs * shape.taps()) {
  if (areRowsInPlace(shape))
    return;
  rows = code.scratch(shape.pixels() * depth, {depth, kernel.constant(1)});
  kernel.markScratch(rows);
}

void ConvRowsEmitter::gatherRows(Value image, Value group) {
  Value channel0 = shape.firstChannel(kernel, image, group);
  kernel.loop(kernel.index(0), kernel.size(shape.pixels()),
              [&](Value pixel) { gatherPixel(pixel, channel0); });
}

/// Row `pixel`: the taps of all axes but the last one by one.
void ConvRowsEmitter::gatherPixel(Value pixel, Value channel0) {
  const BufferView &x = kernel.view(shape.input());
  auto sizes = llvm::map_to_vector(shape.axes, [](const auto &axis) { return axis.output; });
  SmallVector<Value> starts = kernel.delinearize(pixel, sizes);
  for (auto [start, axis] : llvm::zip(starts, shape.axes))
    start = kernel.add(kernel.mul(start, kernel.index(axis.stride)),
                       kernel.apply(axis.begin, {}, shape.loops->symbols));
  Value row = kernel.address(rows, {pixel, kernel.index(0)});
  auto nest = [&](auto &nest, size_t number, Value offset, Value isInside, Value tap) -> void {
    const ConvolutionShape::Axis &axis = shape.axes[number];
    if (number + 1 == shape.axes.size()) {
      Value target = code.advance(rows, row, kernel.mul(tap, kernel.index(axis.kernel)));
      return copyTaps(code.advance(x, channel0, offset), target, starts[number], isInside);
    }
    kernel.loop(kernel.index(0), kernel.index(axis.kernel), [&](Value i) {
      Value position = kernel.add(starts[number], kernel.mul(i, kernel.index(axis.dilation)));
      Value fits = compare(CmpIPredicate::ult, position, kernel.size(axis.input));
      nest(nest, number + 1, kernel.add(offset, kernel.mul(position, x.strides[2 + number])),
           isInside ? both(isInside, fits) : fits,
           kernel.add(kernel.mul(tap, kernel.index(axis.kernel)), i));
    });
  };
  nest(nest, 0, kernel.index(0), Value(), kernel.index(0));
}

/// The taps of the last axis, for all channels: from `position` on in the line at
/// `channel0`, zeros where that is not inside. Null: the line is.
void ConvRowsEmitter::copyTaps(Value channel0, Value target, Value position, Value isInside) {
  const BufferView &x = kernel.view(shape.input());
  const ConvolutionShape::Axis &axis = shape.axes.back();
  Value zero = kernel.index(0), input = kernel.size(axis.input);
  Value end = kernel.add(position, kernel.index((axis.kernel - 1) * axis.dilation));
  Value isFull =
      both(compare(CmpIPredicate::sge, position, zero), compare(CmpIPredicate::slt, end, input));
  if (isInside)
    isFull = both(isInside, isFull);
  auto copy = [&](function_ref<Value(Value line, Value at)> read) {
    kernel.loop(zero, kernel.size(shape.groupInputs), [&](Value channel) {
      Value line = code.advance(x, channel0, kernel.mul(channel, x.strides[1]));
      Value to = code.advance(rows, target, kernel.mul(channel, kernel.index(shape.taps())));
      kernel.loop(zero, kernel.index(axis.kernel), [&](Value tap) {
        Value at = kernel.add(position, kernel.mul(tap, kernel.index(axis.dilation)));
        code.store(rows, code.advance(rows, to, tap), read(line, at));
      });
    });
  };
  auto load = [&](Value line, Value at) {
    return code.load(x, code.advance(x, line, kernel.mul(at, x.strides.back())), 1);
  };
  auto clipped = [&](Value line, Value at) {
    Value fits = compare(CmpIPredicate::ult, at, input);
    if (isInside)
      fits = both(isInside, fits);
    auto inside = [&] { return SmallVector<Value>{load(line, at)}; };
    auto outside = [&] { return SmallVector<Value>{code.constant(0, 1)}; };
    return kernel.branch(fits, code.typeOf(1), inside, outside).front();
  };
  kernel.branch(isFull, [&] { return copy(load); }, [&] { return copy(clipped); });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void ConvRowsEmitter::emitBlock(Value image, Value group, Value columnBlock) {
  PanelOperands operands;
  if (rows.ptr) {
    operands.aView = rows;
    operands.a = rows.ptr;
    operands.aRow = kernel.size(depth);
    operands.aDepth = kernel.index(1);
  } else {
    operands.aView = kernel.view(shape.input());
    operands.a = shape.firstChannel(kernel, image, group);
    const ConvolutionShape::Axis &axis = shape.axes.back();
    bool isPointwise = shape.isPointwise();
    operands.aRow = kernel.index(isPointwise ? 1 : axis.stride);
    operands.aDepth = isPointwise ? operands.aView.strides[1] : kernel.index(axis.dilation);
  }
  SmallVector<Value> start(cast<RankedTensorType>(packed.getType()).getRank(), kernel.index(0));
  start[0] = group;
  Value weights = kernel.address(kernel.view(packed), start);
  operands.packed = [this, weights](Value column) {
    return code.advance(kernel.view(packed), weights, kernel.mul(column, kernel.size(depth)));
  };
  operands.groupColumns = width;
  operands.groupPitch = width * depth.getConstant();
  auto sizes = llvm::map_to_vector(shape.axes, [](const auto &axis) { return axis.output; });
  Value firstOutput = kernel.mul(group, kernel.size(shape.groupOutputs));
  operands.epilogue = [&, firstOutput](Value pixel) {
    return [this, image, firstOutput, place = kernel.delinearize(pixel, sizes)](Value column,
                                                                                Value sum) {
      SmallVector<Value> at = {image, kernel.add(firstOutput, column)};
      llvm::append_range(at, place);
      epilogue.emitPoint(at, sum);
    };
  };
  engine.emitBlock(kernel.index(0), columnBlock, operands);
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 17;

void ConvRowsEmitter::emit() {
  SmallVector<Dim> tasks = {shape.batch, shape.outChannels.floorDiv(shape.groupOutputs),
                            engine.countColumnBlocks()};
  double perTask =
      estimateSize({shape.pixels(), shape.groupOutputs, depth}) / estimateSize(tasks.back());
  kernel.partCount = countParts(product(kernel.builder.getContext(), tasks), perTask, kWorkPerPart);
  auto gather = [&](ArrayRef<Value> task) {
    if (rows.ptr)
      gatherRows(task[0], task[1]);
  };
  forTasks(kernel, tasks, gather,
           [&](ArrayRef<Value> task) { emitBlock(task[0], task[1], task[2]); });
}

LogicalResult ConvRowsTemplate::emit(KernelEmitter &kernel, ScheduleAttr schedule) const {
  ConvolutionShape found;
  if (Match match = matchFewPixels(kernel.group, kernel.target, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  PackedWeights form = findPackedWeights(found, schedule, kernel.target);
  Value packed = findRepacked(found.kernel(), form.map, form.type);
  if (!packed)
    return kernel.group.getGroup()->emitOpError() << "the weights are not packed";
  ConvRowsEmitter(kernel, found, PanelBlocks::read(schedule), packed, form.width).emit();
  return success();
}

const Template &convRowsTemplate() {
  static const ConvRowsTemplate instance;
  return instance;
}

} // namespace dsc
