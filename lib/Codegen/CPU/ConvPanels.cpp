//===- ConvPanels.cpp - convolutions in float32 over panels of pixels -----===//
//
// For each group of channels a matrix product: rows are output channels (the kernel,
// in place), columns are output pixels, depth is input channels times taps. The
// pixels that a panel's columns read are gathered into scratch once, and all output
// channels pass over them.
//
//===----------------------------------------------------------------------===//
#include "Anchor.h"
#include "ConvolutionShape.h"
#include "PanelEngine.h"
#include "PixelPanel.h"
#include "Templates.h"

using namespace mlir;

namespace dsc {

namespace {

class ConvPanelsTemplate : public Template {
public:
  StringRef getName() const override { return "conv-panels"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

class ConvEmitter {
public:
  ConvEmitter(KernelEmitter &kernel, const ConvolutionShape &shape, const PanelBlocks &blocks)
      : kernel(kernel), shape(shape), code(kernel, kernel.builder.getF32Type()),
        engine(code, sizesOf(shape), blocks), epilogue(kernel, shape.op) {}

  static PanelSizes sizesOf(const ConvolutionShape &shape) {
    return {shape.groupOutputs, shape.pixels(), shape.groupInputs * shape.taps()};
  }
  void emit();

private:
  struct Place {
    Value image, group;
  };
  void emitBlock(Place place, Value rowBlock, Value columnBlock);
  PanelOperands::Point beginRow(Place place, Value row);

  KernelEmitter &kernel;
  const ConvolutionShape &shape;
  VectorCode code;
  PanelEngine engine;
  Epilogue epilogue;
};

} // namespace

static Match matchConvolution(const GroupInfo &group, ConvolutionShape &found) {
  Operation *anchor = nullptr;
  Match match = findAnchor(group, {SpecKind::Window}, anchor);
  if (match)
    match = findConvolution(group, anchor, found);
  if (match && found.isDepthwise())
    return Match::no("one input channel for each output channel");
  return match;
}

Match ConvPanelsTemplate::match(const GroupInfo &group, const Target &) const {
  ConvolutionShape found;
  return matchConvolution(group, found);
}

SmallVector<ScheduleAttr> ConvPanelsTemplate::candidates(const GroupInfo &group,
                                                         const Target &target) const {
  ConvolutionShape found;
  matchConvolution(group, found);
  SmallVector<ScheduleAttr> schedules;
  for (int64_t vectors = 1; vectors <= 4; ++vectors)
    schedules.push_back(
        choosePanelBlocks(target, ConvEmitter::sizesOf(found), vectors, false, found.taps())
            .write(group.getGroup()->getContext(), getName()));
  return schedules;
}

Cost ConvPanelsTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                              const Target &target) const {
  ConvolutionShape found;
  matchConvolution(group, found);
  PanelBlocks blocks = PanelBlocks::read(schedule);
  PanelSizes sizes = ConvEmitter::sizesOf(found);
  Cost cost = estimateWork(group);
  double rows = estimateSize(sizes.rows), columns = estimateSize(sizes.columns);
  double depth = estimateSize(sizes.depth);
  double repeats = estimateSize(found.batch) * estimateSize(found.outChannels) / rows;
  double lanes = static_cast<double>(target.lanes(32));
  double rowBlocks = std::ceil(rows / static_cast<double>(blocks.blockRows));
  double cycles = depth * panelCycles(target, rows, columns, blocks, false);
  cycles += depth * columns * rowBlocks * (found.axes.back().stride == 1 ? 2.5 / lanes : 1.25);
  cycles += rows * columns * 3 / lanes + 200;
  cost.ns = overlappedTime(repeats * cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

PanelOperands::Point ConvEmitter::beginRow(Place place, Value row) {
  Value first = kernel.mul(place.group, kernel.size(shape.groupOutputs));
  SmallVector<Value> indices = {place.image, kernel.add(first, row)};
  bool isFlat = epilogue.isFlatFrom(2);
  return [this, indices, isFlat](Value column, Value sum) {
    SmallVector<Value> at = indices;
    if (isFlat) {
      at.append(shape.axes.size() - 1, kernel.index(0));
      at.push_back(column);
    } else {
      auto sizes = llvm::map_to_vector(shape.axes, [](auto &axis) { return axis.output; });
      llvm::append_range(at, kernel.delinearize(column, sizes));
    }
    epilogue.emitPoint(at, sum);
  };
}

void ConvEmitter::emitBlock(Place place, Value rowBlock, Value columnBlock) {
  Value zero = kernel.index(0);
  SmallVector<Value> xStart(shape.axes.size() + 2, zero), wStart(shape.axes.size() + 2, zero);
  xStart[0] = place.image;
  xStart[1] = kernel.mul(place.group, kernel.size(shape.groupInputs));
  wStart[0] = kernel.mul(place.group, kernel.size(shape.groupOutputs));
  const BufferView &x = kernel.view(shape.input());
  PixelPanel pixels(code, shape, x, kernel.address(x, xStart));

  PanelOperands operands;
  operands.aView = kernel.view(shape.kernel());
  operands.a = kernel.address(operands.aView, wStart);
  operands.aRow = kernel.size(shape.groupInputs * shape.taps());
  operands.aDepth = kernel.index(1);
  operands.pack = [&](const BufferView &panel, int64_t vectors, Value column, Value depth,
                      Value count) { pixels.emit(panel, vectors, column, depth, count); };
  operands.epilogue = [&](Value row) { return beginRow(place, row); };
  engine.emitBlock(rowBlock, columnBlock, operands);
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 16;

void ConvEmitter::emit() {
  SmallVector<Dim> tasks = {shape.batch, shape.outChannels.floorDiv(shape.groupOutputs),
                            engine.countRowBlocks(), engine.countColumnBlocks()};
  PanelSizes sizes = sizesOf(shape);
  double perTask = estimateSize({sizes.rows, sizes.columns, sizes.depth}) /
                   estimateSize(ArrayRef(tasks).take_back(2));
  auto tasksPerPart = static_cast<int64_t>(std::max(1.0, kWorkPerPart / perTask));
  Dim total = product(kernel.builder.getContext(), tasks);
  kernel.partCount =
      Dim::max(kernel.constant(1), Dim::min(total.ceilDiv(tasksPerPart), kernel.constant(64)));
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value task) {
    SmallVector<Value> indices = kernel.delinearize(task, tasks);
    emitBlock({indices[0], indices[1]}, indices[2], indices[3]);
  });
}

LogicalResult ConvPanelsTemplate::emit(KernelEmitter &kernel, ScheduleAttr schedule) const {
  ConvolutionShape found;
  if (Match match = matchConvolution(kernel.group, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  ConvEmitter(kernel, found, PanelBlocks::read(schedule)).emit();
  return success();
}

const Template &convPanelsTemplate() {
  static const ConvPanelsTemplate instance;
  return instance;
}

} // namespace dsc
