//===- ConvPanels.cpp - convolutions in float32 over panels of pixels -----===//
//
// For each group of channels a matrix product: rows are output channels (the kernel,
// in place), columns are output pixels, depth is input channels times taps. What a
// panel's pixels read is copied into scratch once, and all output channels pass over
// it: either what each tap reads (PixelPanel), or, where panels do not reach over the
// end of an image's line, the lines that all taps read (PixelStrips). Where only the run
// knows how long lines are, there is code for both; where it may have few pixels, for
// that as well (FewPixels).
//
//===----------------------------------------------------------------------===//
#include "ConvolutionShape.h"
#include "FewPixels.h"
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
  bool laysOutRegisters() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// Cycles in which a panel is filled, for each of its vectors and beside that.
struct FillCycles {
  double ofVector, ofPanel;
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
  /// Strips, unless the lines of the run are too short for them.
  bool isDecidedInRun() const {
    return hasStrips && shape.axes.size() > 1 && !shape.axes.back().output.isConstant();
  }
  PanelBlocks choose(const Target &target, int64_t vectors) const {
    return choosePanelBlocks(target, sizes(), vectors, false, shape.taps(), rowsOfB(target));
  }
  FillCycles fillCycles(const Target &target) const;
};

/// Where the run decides: a line of strips has at least so many vectors, and panels of
/// taps have so many.
constexpr int64_t kLeastOfLine = 2, kVectorsOfTaps = 2;

class ConvEmitter {
public:
  ConvEmitter(KernelEmitter &kernel, const ConvPlan &plan, const PanelBlocks &blocks)
      : kernel(kernel), plan(plan), shape(plan.shape),
        code(kernel, getElementType(plan.shape.input())),
        engine(code, plan.sizes(), blocks, plan.rowsOfB(kernel.target)),
        epilogue(kernel, shape.op) {}

  Dim countParts() const;
  /// Emits this part's share.
  void emit();

private:
  struct Place {
    Value image, group;
  };
  SmallVector<Dim> tasks() const;
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
          product(shape.op->getContext(), outer), isDecidedInRun() ? kLeastOfLine : 1};
}

static Match matchConvolution(const GroupInfo &group, ConvolutionShape &found) {
  Match match = findConvolution(group, found, /*mayPair=*/true);
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

FillCycles ConvPlan::fillCycles(const Target &target) const {
  double depth = estimateSize(sizes().depth);
  bool isDense = shape.axes.back().stride == 1;
  if (!hasStrips)
    return {depth * (shape.isPointwise() ? 1.25 : isDense ? 2.5 : 8), 0};
  PanelRows rows = rowsOfB(target);
  double panelRows = depth / static_cast<double>(rows.steps.size());
  double ofVector = panelRows * static_cast<double>(rows.parts) * (isDense ? 1.25 : 2);
  constexpr double startOfPanel = 60;
  return {ofVector, ofVector * static_cast<double>(rows.extraVectors) + startOfPanel};
}

/// Cycles for all images and groups.
static double planCycles(const GroupInfo &group, const ConvPlan &plan, const PanelBlocks &blocks,
                         const Target &target) {
  PanelSizes sizes = plan.sizes();
  double rows = estimateSize(sizes.rows), columns = estimateSize(sizes.columns);
  double lines = sizes.lines ? estimateSize(sizes.lines) : 1;
  auto lanes = static_cast<double>(target.lanes(32));
  double cycles = estimateSize(sizes.depth) * panelCycles(target, rows, columns, blocks, false);
  FillCycles fill = plan.fillCycles(target);
  double vectors = plan.hasStrips ? std::ceil(columns / lanes) : columns / lanes;
  double panels = std::ceil(columns / lanes / static_cast<double>(blocks.vectors));
  double rowBlocks = std::ceil(rows / static_cast<double>(blocks.blockRows));
  cycles += rowBlocks * (vectors * fill.ofVector + panels * fill.ofPanel);
  bool hasVectors = hasVectorEpilogue(group, plan.shape.op, plan.columnAxis());
  cycles += rows * columns * (hasVectors ? 1.5 : 3) / lanes;
  double repeats = estimateSize(plan.shape.batch) * estimateSize(plan.shape.outChannels) / rows;
  constexpr double start = 200;
  return repeats * (lines * cycles + start);
}

/// Vectors of a panel where the run decides on strips: not known is which width its lines
/// fit, so there is code for several.
static int64_t widthOfStrips(const GroupInfo &group, const ConvPlan &strips, const Target &target) {
  auto cycles = [&](int64_t vectors) {
    return planCycles(group, strips, strips.choose(target, vectors), target);
  };
  return cycles(3) <= cycles(2) ? 3 : 2;
}

SmallVector<ScheduleAttr> ConvPanelsTemplate::candidates(const GroupInfo &group,
                                                         const Target &target) const {
  ConvolutionShape found;
  matchConvolution(group, found);
  MLIRContext *context = group.getGroup()->getContext();
  SmallVector<ScheduleAttr> schedules;
  auto add = [&](const ConvPlan &plan, int64_t vectors, DictionaryAttr params) {
    schedules.push_back(plan.choose(target, vectors).write(context, getName(), params));
  };
  ConvPlan taps{found, false}, strips{found, true};
  bool canRead =
      PixelStrips::canRead(found) && hasVectorEpilogue(group, found.op, strips.columnAxis());
  auto withStrips = DictionaryAttr::get(
      context, NamedAttribute(StringAttr::get(context, kStrips), UnitAttr::get(context)));
  if (canRead && strips.isDecidedInRun()) {
    add(strips, widthOfStrips(group, strips, target), withStrips);
    return schedules;
  }
  constexpr int64_t most = 4;
  for (int64_t vectors = 1; vectors <= most; ++vectors)
    add(taps, vectors, {});
  for (int64_t vectors = 1; canRead && vectors <= most; ++vectors)
    add(strips, vectors, withStrips);
  return schedules;
}

Cost ConvPanelsTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                              const Target &target) const {
  ConvolutionShape found;
  matchConvolution(group, found);
  ConvPlan plan{found, hasStrips(schedule)};
  PanelBlocks blocks = PanelBlocks::read(schedule);
  double cycles = planCycles(group, plan, blocks, target);
  if (plan.isDecidedInRun()) {
    ConvPlan taps{found, false};
    cycles = std::min(cycles, planCycles(group, taps, taps.choose(target, kVectorsOfTaps), target));
  }
  Cost cost = estimateWork(group);
  cost.ns = overlappedTime(cycles / target.gigahertz, cost.bytes / target.l3GBs);
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
  SmallVector<Value> wStart(shape.axes.size() + 2, zero);
  wStart[0] = kernel.mul(place.group, kernel.size(shape.groupOutputs));
  const BufferView &x = kernel.view(shape.input());
  Value channel0 = shape.firstChannel(kernel, place.image, place.group);

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
  operands.isLongEpilogue = isLongEpilogue(kernel.group, shape.op);
  engine.emitBlock(rowBlock, columnBlock, operands);
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 16;

SmallVector<Dim> ConvEmitter::tasks() const {
  return {shape.batch, shape.outChannels.floorDiv(shape.groupOutputs), engine.countRowBlocks(),
          engine.countColumnBlocks()};
}

Dim ConvEmitter::countParts() const {
  SmallVector<Dim> tasks = this->tasks();
  double work = estimateSize(shape.groupOutputs) * estimateSize(shape.pixels()) *
                estimateSize(plan.sizes().depth);
  double perTask = work / estimateSize(ArrayRef(tasks).take_back(2));
  return dsc::countParts(product(kernel.builder.getContext(), tasks), perTask, kWorkPerPart);
}

void ConvEmitter::emit() {
  SmallVector<Dim> tasks = this->tasks();
  auto [first, end] = kernel.share(kernel.size(product(kernel.builder.getContext(), tasks)));
  kernel.loop(first, end, [&](Value task) {
    SmallVector<Value> indices = kernel.delinearize(task, tasks);
    emitBlock({indices[0], indices[1]}, indices[2], indices[3]);
  });
}

/// 1 where the panels of strips take less time than those of taps: fewer copies, but each
/// line's last vector is padded.
static Dim areLinesLong(const ConvPlan &strips, const ConvPlan &taps, const PanelBlocks &blocks,
                        const Target &target) {
  PanelSizes sizes = strips.sizes();
  double rows = estimateSize(sizes.rows);
  double products = rows * estimateSize(sizes.depth) / target.fmaPipes;
  double rowBlocks = std::ceil(rows / static_cast<double>(blocks.blockRows));
  auto whole = [&](double products, double fill) {
    return static_cast<int64_t>(std::min(products + rowBlocks * fill, 1e9));
  };
  FillCycles lines = strips.fillCycles(target), pixels = taps.fillCycles(target);
  int64_t lanes = target.lanes(32);
  Dim ofLine = sizes.columns.ceilDiv(lanes) * whole(products, lines.ofVector) +
               sizes.columns.ceilDiv(lanes * blocks.vectors) * whole(0, lines.ofPanel);
  Dim vectors = taps.sizes().columns.ceilDiv(lanes);
  Dim least = Dim::constant(vectors.getContext(), kLeastOfLine);
  return Dim::logicalAnd(Dim::le(least, sizes.columns.ceilDiv(lanes)),
                         Dim::le(sizes.lines * ofLine, vectors * whole(products, pixels.ofVector)));
}

/// Code for both, of which the run takes the first where `condition` is not 0.
template <typename First, typename Second>
static void chooseInRun(KernelEmitter &kernel, Dim condition, First &first, Second &second) {
  kernel.partCount = Dim::select(condition, first.countParts(), second.countParts());
  kernel.branch(kernel.isNonzero(condition), [&] { first.emit(); }, [&] { second.emit(); });
}

LogicalResult ConvPanelsTemplate::emit(KernelEmitter &kernel, ScheduleAttr schedule) const {
  ConvolutionShape found;
  if (Match match = matchConvolution(kernel.group, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  ConvPlan plan{found, hasStrips(schedule)};
  PanelBlocks blocks = PanelBlocks::read(schedule);
  ConvEmitter emitter(kernel, plan, blocks);
  if (plan.isDecidedInRun()) {
    ConvPlan taps{found, false};
    ConvEmitter byTaps(kernel, taps, taps.choose(kernel.target, kVectorsOfTaps));
    chooseInRun(kernel, areLinesLong(plan, taps, blocks, kernel.target), emitter, byTaps);
  } else if (FewPixels::canCompute(kernel.group, found)) {
    FewPixels fewPixels(kernel, found);
    chooseInRun(kernel, FewPixels::areFew(found), fewPixels, emitter);
  } else {
    kernel.partCount = emitter.countParts();
    emitter.emit();
  }
  return success();
}

const Template &convPanelsTemplate() {
  static const ConvPanelsTemplate instance;
  return instance;
}

} // namespace dsc
