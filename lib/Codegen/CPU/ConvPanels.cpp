//===- ConvPanels.cpp - convolutions in float32 over panels of pixels -----===//
//
// For each group of channels a matrix product: rows are output channels (the kernel,
// in place), columns are output pixels, depth is input channels times taps. What a
// panel's pixels read is copied into scratch once, and all output channels pass over
// it: either what each tap reads (PixelPanel), or, where panels do not reach over the
// end of an image's line, the lines that all taps read (PixelStrips).
//
//===----------------------------------------------------------------------===//
#include "ConvolutionShape.h"
#include "PanelEngine.h"
#include "PixelPanel.h"
#include "PixelStrips.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/Epilogue.h"

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

/// A convolution as products over panels, and how panels get their pixels.
struct ConvPlan {
  const ConvolutionShape &shape;
  bool hasStrips;

  PanelSizes sizes() const;
  PanelRows rowsOfB(const Target &target) const {
    return hasStrips ? PixelStrips::rowsOf(shape, target.lanes(32)) : PanelRows();
  }
  /// First axis of those that columns count.
  unsigned columnAxis() const { return hasStrips ? getRank(shape.op->getResult(0)) - 1 : 2; }
};

class ConvEmitter {
public:
  ConvEmitter(KernelEmitter &kernel, const ConvPlan &plan, const PanelBlocks &blocks)
      : kernel(kernel), plan(plan), shape(plan.shape),
        code(kernel, getElementType(plan.shape.input())),
        engine(code, plan.sizes(), blocks, plan.rowsOfB(kernel.target)),
        epilogue(kernel, shape.op) {}

  void emit();

private:
  struct Place {
    Value image, group;
  };
  void emitBlock(Place place, Value rowBlock, Value columnBlock);
  SmallVector<Value> rowIndices(Place place, Value row);
  PanelOperands::Point beginRow(Place place, Value row);
  PanelOperands::Vectors beginVectors(Place place, Value row);

  KernelEmitter &kernel;
  const ConvPlan &plan;
  const ConvolutionShape &shape;
  VectorCode code;
  PanelEngine engine;
  Epilogue epilogue;
};

} // namespace

PanelSizes ConvPlan::sizes() const {
  Dim depth = shape.groupInputs * shape.taps();
  if (!hasStrips)
    return {shape.groupOutputs, shape.pixels(), depth};
  auto outer = llvm::map_to_vector(ArrayRef(shape.axes).drop_back(),
                                   [](const auto &axis) { return axis.output; });
  return {shape.groupOutputs, shape.axes.back().output, depth,
          product(shape.op->getContext(), outer)};
}

static Match matchConvolution(const GroupInfo &group, ConvolutionShape &found) {
  Operation *anchor = nullptr;
  Match match = findAnchor(group, {SpecKind::Window}, anchor, /*mayWiden=*/false, /*mayPair=*/true);
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

/// Of a schedule's parameters: panels are filled by PixelStrips.
static constexpr StringLiteral kStrips = "strips";

static bool hasStrips(ScheduleAttr schedule) {
  return schedule.getParams() && schedule.getParams().contains(kStrips);
}

SmallVector<ScheduleAttr> ConvPanelsTemplate::candidates(const GroupInfo &group,
                                                         const Target &target) const {
  ConvolutionShape found;
  matchConvolution(group, found);
  MLIRContext *context = group.getGroup()->getContext();
  SmallVector<ScheduleAttr> schedules;
  auto add = [&](const ConvPlan &plan, DictionaryAttr params) {
    for (int64_t vectors = 1; vectors <= 4; ++vectors)
      schedules.push_back(choosePanelBlocks(target, plan.sizes(), vectors, false, found.taps(),
                                            plan.rowsOfB(target))
                              .write(context, getName(), params));
  };
  add({found, false}, {});
  ConvPlan strips{found, true};
  if (PixelStrips::canRead(found) && hasVectorEpilogue(group, found.op, strips.columnAxis()))
    add(strips, DictionaryAttr::get(context, NamedAttribute(StringAttr::get(context, kStrips),
                                                            UnitAttr::get(context))));
  return schedules;
}

/// Cycles in which the panels of one image and group are filled once.
static double fillCycles(const ConvPlan &plan, const PanelSizes &sizes, const PanelBlocks &blocks,
                         const Target &target) {
  double columns = estimateSize(sizes.columns), depth = estimateSize(sizes.depth);
  auto lanes = static_cast<double>(target.lanes(32));
  bool isDense = plan.shape.axes.back().stride == 1;
  if (!plan.hasStrips) {
    double perVector = plan.shape.isPointwise() ? 1.25 : isDense ? 2.5 : 8;
    return depth * columns * perVector / lanes;
  }
  PanelRows rows = plan.rowsOfB(target);
  double panels = std::ceil(columns / (static_cast<double>(blocks.vectors) * lanes));
  double panelRows = depth / static_cast<double>(rows.steps.size());
  double vectors = std::ceil(columns / lanes) + panels * static_cast<double>(rows.extraVectors);
  double cycles = panelRows * vectors * static_cast<double>(rows.parts) * (isDense ? 1.25 : 2);
  constexpr double startOfPanel = 60;
  return estimateSize(sizes.lines) * (cycles + panels * startOfPanel);
}

Cost ConvPanelsTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                              const Target &target) const {
  ConvolutionShape found;
  matchConvolution(group, found);
  ConvPlan plan{found, hasStrips(schedule)};
  PanelBlocks blocks = PanelBlocks::read(schedule);
  PanelSizes sizes = plan.sizes();
  Cost cost = estimateWork(group);
  double rows = estimateSize(sizes.rows), columns = estimateSize(sizes.columns);
  double lines = sizes.lines ? estimateSize(sizes.lines) : 1;
  double repeats = estimateSize(found.batch) * estimateSize(found.outChannels) / rows;
  double lanes = static_cast<double>(target.lanes(32));
  double rowBlocks = std::ceil(rows / static_cast<double>(blocks.blockRows));
  double cycles =
      estimateSize(sizes.depth) * lines * panelCycles(target, rows, columns, blocks, false);
  cycles += rowBlocks * fillCycles(plan, sizes, blocks, target);
  bool hasVectors = hasVectorEpilogue(group, found.op, plan.columnAxis());
  cycles += rows * columns * lines * (hasVectors ? 1.5 : 3) / lanes + 200;
  cost.ns = overlappedTime(repeats * cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// The place of a row in the result, without the spatial axes.
SmallVector<Value> ConvEmitter::rowIndices(Place place, Value row) {
  Value first = kernel.mul(place.group, kernel.size(shape.groupOutputs));
  return {place.image, kernel.add(first, row)};
}

PanelOperands::Point ConvEmitter::beginRow(Place place, Value row) {
  bool isFlat = isFlatEpilogue(kernel.group, shape.op, 2);
  return [this, indices = rowIndices(place, row), isFlat](Value column, Value sum) {
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

PanelOperands::Vectors ConvEmitter::beginVectors(Place place, Value row) {
  return [this, indices = rowIndices(place, row)](PanelColumn first, Value sums, Value mask) {
    SmallVector<Value> at = indices;
    // Without lines, the column counts positions on all axes.
    auto sizes = llvm::map_to_vector(ArrayRef(shape.axes).drop_back(),
                                     [](const auto &axis) { return axis.output; });
    if (plan.hasStrips)
      llvm::append_range(at, kernel.delinearize(first.line, sizes));
    else
      at.append(sizes.size(), kernel.index(0));
    at.push_back(first.column);
    epilogue.emitVector(code, plan.columnAxis(), at, sums, mask);
  };
}

void ConvEmitter::emitBlock(Place place, Value rowBlock, Value columnBlock) {
  Value zero = kernel.index(0);
  SmallVector<Value> xStart(shape.axes.size() + 2, zero), wStart(shape.axes.size() + 2, zero);
  xStart[0] = place.image;
  xStart[1] = kernel.mul(place.group, kernel.size(shape.groupInputs));
  wStart[0] = kernel.mul(place.group, kernel.size(shape.groupOutputs));
  const BufferView &x = kernel.view(shape.input());
  Value channel0 = kernel.address(x, xStart);

  PanelOperands operands;
  operands.aView = kernel.view(shape.kernel());
  operands.a = kernel.address(operands.aView, wStart);
  operands.aRow = kernel.size(shape.groupInputs * shape.taps());
  operands.aDepth = kernel.index(1);
  PixelStrips strips(code, shape, x, channel0);
  PixelPanel pixels(code, shape, x, channel0);
  operands.pack = [&](const BufferView &panel, int64_t vectors, PanelColumn first, Value depth,
                      Value count) {
    if (plan.hasStrips)
      strips.emit(panel, vectors, first, depth, count);
    else
      pixels.emit(panel, vectors, first.column, depth, count);
  };
  operands.epilogue = [&](Value row) { return beginRow(place, row); };
  if (hasVectorEpilogue(kernel.group, shape.op, plan.columnAxis()))
    operands.vectorEpilogue = [&](Value row) { return beginVectors(place, row); };
  engine.emitBlock(rowBlock, columnBlock, operands);
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 16;

void ConvEmitter::emit() {
  SmallVector<Dim> tasks = {shape.batch, shape.outChannels.floorDiv(shape.groupOutputs),
                            engine.countRowBlocks(), engine.countColumnBlocks()};
  double work = estimateSize(shape.groupOutputs) * estimateSize(shape.pixels()) *
                estimateSize(plan.sizes().depth);
  double perTask = work / estimateSize(ArrayRef(tasks).take_back(2));
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
  ConvPlan plan{found, hasStrips(schedule)};
  ConvEmitter(kernel, plan, PanelBlocks::read(schedule)).emit();
  return success();
}

const Template &convPanelsTemplate() {
  static const ConvPanelsTemplate instance;
  return instance;
}

} // namespace dsc
