//===- GemmFma.cpp - matrix products in float32 by multiply-add -----------===//
//
// A contraction and its epilogue over PanelEngine. Where B is a constant it is packed
// into panels when the weights are written, else in the thread's scratch, each panel
// by whoever needs it. 16-bit floats stay what they are in memory: few rows extend them
// in registers, many rows share panels that are extended into scratch.
//
//===----------------------------------------------------------------------===//
#include "MatrixProduct.h"
#include "PanelEngine.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/Epilogue.h"

#include "dsc/Dialect/IR/Weights.h"

using namespace mlir;

namespace dsc {

namespace {

class GemmFmaTemplate : public Template {
public:
  StringRef getName() const override { return "gemm-fma"; }
  bool laysOutRegisters() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  void prepare(GroupOp group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// A constant B in panels: its axes but depth and column, then [group][k][columns of a
/// group]. A panel is some whole groups.
struct PackedForm {
  AffineMap map; ///< to B's own axes
  RankedTensorType type;
  SmallVector<unsigned> outerAxes; ///< of B
  int64_t groupColumns() const { return type.getShape().back(); }
  int64_t groupElements() const { return groupColumns() * type.getShape().end()[-2]; }
};

/// Emits the kernel of one product.
class GemmEmitter {
public:
  GemmEmitter(KernelEmitter &kernel, const MatrixProduct &product, const PanelBlocks &blocks)
      : kernel(kernel), product(product), code(kernel, getElementType(product.operandB())),
        engine(code, sizesOf(product), blocks), epilogue(kernel, product.op) {}

  static PanelSizes sizesOf(const MatrixProduct &product) {
    return {product.rows(), product.columns(), product.depths()};
  }
  /// Reads B from panels that lie in `tensor` already; `extends`: not in place.
  void usePacked(Value tensor, const PackedForm &form, bool extends) {
    packed = tensor;
    packedForm = form;
    extendsPanels = extends;
  }
  void emit();

private:
  Value packedPanels(ArrayRef<Value> batch);
  SmallVector<Value> pointOf(ArrayRef<Value> batch) const;
  void emitBlock(ArrayRef<Value> batch, Value rowBlock, Value columnBlock);
  void extendPanel(Value start, const BufferView &panel, int64_t vectors, Value column, Value depth,
                   Value count);
  void pack(ArrayRef<Value> batch, const BufferView &panel, int64_t vectors, Value column,
            Value depth, Value count);
  Value elementB(ArrayRef<Value> batch, Value depth, Value column);
  SmallVector<Value> rowPoint(ArrayRef<Value> batch, Value row);
  SmallVector<Value> resultIndices(ArrayRef<Value> point, Value column) const;

  KernelEmitter &kernel;
  const MatrixProduct &product;
  VectorCode code;
  PanelEngine engine;
  Epilogue epilogue;
  Value packed;
  PackedForm packedForm;
  bool extendsPanels = false;
};

} // namespace

static bool isShortFloat(Value tensor) {
  Type element = getElementType(tensor);
  return element.isF16() || element.isBF16();
}

static Match matchProduct(const GroupInfo &group, MatrixProduct &found) {
  Operation *anchor = nullptr;
  Match match =
      findAnchor(group, {SpecKind::Contract}, anchor, /*mayWiden=*/true, /*mayPair=*/true);
  if (match)
    match = findMatrixProduct(group, anchor, found);
  if (match && isShortFloat(found.operandA()))
    return Match::no("the rows' operand is not float32");
  return match;
}

/// Empty where B is not a constant or not read plainly.
static std::optional<PackedForm> findPackedForm(const MatrixProduct &product,
                                                int64_t panelColumns) {
  Value b = product.operandB();
  if (!isa_and_nonnull<ConstantOp, WeightOp>(b.getDefiningOp()) || !product.column ||
      product.depth.size() != 1)
    return std::nullopt;
  MLIRContext *context = b.getContext();
  SmallVector<int64_t> shape;
  SmallVector<AffineExpr> exprs;
  PackedForm form;
  std::optional<int64_t> depth, columns;
  for (auto [axis, expr] : llvm::enumerate(product.loops->accesses[product.b].map->getResults())) {
    int64_t size = cast<RankedTensorType>(b.getType()).getDimSize(axis);
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (ShapedType::isDynamic(size))
      return std::nullopt;
    if (dim && dim.getPosition() == product.depth.front()) {
      depth = size;
    } else if (dim && dim.getPosition() == *product.column) {
      columns = size;
    } else {
      form.outerAxes.push_back(axis);
      shape.push_back(size);
    }
  }
  if (!depth || !columns || form.outerAxes.size() + 2 != size_t(getRank(b)))
    return std::nullopt;
  unsigned outer = shape.size();
  int64_t width = packedColumns(panelColumns);
  AffineExpr group = getAffineDimExpr(outer, context), k = getAffineDimExpr(outer + 1, context);
  AffineExpr inGroup = getAffineDimExpr(outer + 2, context);
  unsigned next = 0;
  for (auto [axis, expr] : llvm::enumerate(product.loops->accesses[product.b].map->getResults())) {
    if (llvm::is_contained(form.outerAxes, axis))
      exprs.push_back(getAffineDimExpr(next++, context));
    else if (expr.isFunctionOfDim(*product.column))
      exprs.push_back(group * width + inGroup);
    else
      exprs.push_back(k);
  }
  int64_t panels = llvm::divideCeilSigned(*columns, panelColumns);
  shape.append({panels * (panelColumns / width), *depth, width});
  form.map = AffineMap::get(shape.size(), 0, exprs, context);
  form.type = RankedTensorType::get(shape, getElementType(b));
  return form;
}

/// How a product gets panels of B.
enum class PanelSource {
  Packed,   // in place, as the weights hold them
  Extended, // from there, as float32 in scratch
  Gathered, // from rows or columns, in scratch
};

static PanelSource findPanelSource(const MatrixProduct &product, int64_t panelColumns) {
  if (!findPackedForm(product, panelColumns))
    return PanelSource::Gathered;
  // Each row tile that extends an element again takes a fraction of what storing
  // and loading it once takes.
  constexpr double manyRows = 32;
  return isShortFloat(product.operandB()) && estimateSize(product.rows()) >= manyRows
             ? PanelSource::Extended
             : PanelSource::Packed;
}

static int64_t panelWidth(ScheduleAttr schedule, const Target &target) {
  return PanelBlocks::read(schedule).vectors * target.lanes(32);
}

void GemmFmaTemplate::prepare(GroupOp group, ScheduleAttr schedule, const Target &target) const {
  MatrixProduct found;
  matchProduct(GroupInfo(group), found);
  std::optional<PackedForm> form = findPackedForm(found, panelWidth(schedule, target));
  if (!form || findRepacked(found.operandB(), form->map, form->type))
    return;
  OpBuilder builder(group.getContext());
  builder.setInsertionPointAfterValue(found.operandB());
  RepackOp::create(builder, group.getLoc(), form->type, found.operandB(), form->map);
}

Match GemmFmaTemplate::match(const GroupInfo &group, const Target &) const {
  MatrixProduct found;
  return matchProduct(group, found);
}

SmallVector<ScheduleAttr> GemmFmaTemplate::candidates(const GroupInfo &group,
                                                      const Target &target) const {
  MatrixProduct found;
  matchProduct(group, found);
  SmallVector<ScheduleAttr> schedules;
  MLIRContext *context = group.getGroup()->getContext();
  PanelSizes sizes = GemmEmitter::sizesOf(found);
  int64_t most = target.vectorRegisters * 3 / 4;
  for (int64_t vectors = 1; vectors <= most; vectors += vectors < 4 ? 1 : 2) {
    bool isWide = (vectors - 1) * target.lanes(32) >= estimateSize(sizes.columns);
    // Tiles of few rows are for matrices of few rows.
    bool isFlat = vectors > 4 && estimateSize(sizes.rows) >= 4;
    if (vectors > 1 && (isWide || isFlat))
      continue;
    bool arePacked = findPanelSource(found, vectors * target.lanes(32)) == PanelSource::Packed;
    schedules.push_back(
        choosePanelBlocks(target, sizes, vectors, arePacked).write(context, getName()));
  }
  return schedules;
}

/// Cycles in which one element of B is packed: rows of B as vectors, columns of B
/// one by one.
static double packCycles(const MatrixProduct &product) {
  return product.bColumn.isConstant(1) ? 0.25 : 1.25;
}

Cost GemmFmaTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                           const Target &target) const {
  MatrixProduct found;
  matchProduct(group, found);
  PanelBlocks blocks = PanelBlocks::read(schedule);
  Cost cost = estimateWork(group);
  double rows = estimateSize(found.rows()), columns = estimateSize(found.columns());
  double depth = estimateSize(found.depths()), batch = estimateSize(found.extents(found.batch));
  double rowBlocks = std::ceil(rows / static_cast<double>(blocks.blockRows));
  PanelSource source = findPanelSource(found, panelWidth(schedule, target));
  double cycles = depth * panelCycles(target, rows, columns, blocks, source == PanelSource::Packed);
  if (source == PanelSource::Gathered)
    cycles += packCycles(found) * depth * columns * rowBlocks;
  if (source == PanelSource::Extended)
    cycles += 2 * depth * columns * rowBlocks / static_cast<double>(target.lanes(32));
  // The epilogue, and starting the tiles.
  double lanes = static_cast<double>(target.lanes(32));
  cycles += rows * columns * 3 / lanes + 100;
  cost.ns = overlappedTime(batch * cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

/// A point of the loops: the batch's indices, 0 for all others.
SmallVector<Value> GemmEmitter::pointOf(ArrayRef<Value> batch) const {
  SmallVector<Value> point(product.loops->numLoops(), kernel.index(0));
  for (auto [loop, i] : llvm::zip(product.batch, batch))
    point[loop] = i;
  return point;
}

Value GemmEmitter::elementB(ArrayRef<Value> batch, Value depth, Value column) {
  SmallVector<Value> point = pointOf(batch);
  for (auto [loop, i] :
       llvm::zip(product.depth, kernel.delinearize(depth, product.extents(product.depth))))
    point[loop] = i;
  if (product.column)
    point[*product.column] = column;
  SmallVector<Value> indices =
      kernel.accessIndices(product.op, *product.loops, product.loops->accesses[product.b], point);
  return code.extend(kernel.element(product.operandB(), indices));
}

void GemmEmitter::pack(ArrayRef<Value> batch, const BufferView &panel, int64_t vectors,
                       Value column, Value depth, Value count) {
  int64_t width = vectors * code.lanes;
  OpBuilder &b = kernel.builder;
  Value left = arith::SubIOp::create(b, kernel.loc, kernel.size(product.columns()), column);
  Value most = kernel.index(width);
  // Only the last vector of columns is clipped where their number is known.
  bool isAlwaysFull =
      product.columns().isConstant() && product.columns().getConstant() % code.lanes == 0;
  Value valid = isAlwaysFull ? most : arith::MinSIOp::create(b, kernel.loc, left, most).getResult();
  auto copy = [&](Value k, Value j) {
    Value value = elementB(batch, kernel.add(depth, k), kernel.add(column, j));
    code.store(panel, kernel.address(panel, {k, j}), value);
  };
  auto clear = [&](Value k) {
    if (isAlwaysFull)
      return;
    kernel.loop(valid, most, [&](Value j) {
      code.store(panel, kernel.address(panel, {k, j}), code.constant(0, 1));
    });
  };
  if (product.bColumn.isConstant(1)) {
    kernel.loop(kernel.index(0), count, [&](Value k) {
      kernel.loop(kernel.index(0), valid, [&](Value j) { copy(k, j); });
      annotateVectorLoop(kernel, code.lanes);
      clear(k);
    });
    return;
  }
  kernel.loop(kernel.index(0), valid,
              [&](Value j) { kernel.loop(kernel.index(0), count, [&](Value k) { copy(k, j); }); });
  if (!isAlwaysFull)
    kernel.loop(kernel.index(0), count, clear);
}

/// Copies from the packed panels at `start`, as float32.
void GemmEmitter::extendPanel(Value start, const BufferView &panel, int64_t vectors, Value column,
                              Value depth, Value count) {
  const BufferView &from = kernel.view(packed);
  int64_t width = packedForm.groupColumns();
  // Vectors do not reach from one group into the next.
  SmallVector<Value> sources;
  for (int64_t v = 0; v < vectors; ++v) {
    Value first = kernel.add(column, kernel.index(v * code.lanes));
    Value group = arith::DivUIOp::create(kernel.builder, kernel.loc, first, kernel.index(width));
    Value inGroup = arith::RemUIOp::create(kernel.builder, kernel.loc, first, kernel.index(width));
    Value offset = kernel.add(kernel.mul(group, kernel.index(packedForm.groupElements())),
                              kernel.add(kernel.mul(depth, kernel.index(width)), inGroup));
    sources.push_back(code.advance(from, start, offset));
  }
  kernel.loop(kernel.index(0), count, [&](Value k) {
    for (auto [v, source] : llvm::enumerate(sources)) {
      Value at = code.advance(from, source, kernel.mul(k, kernel.index(width)));
      Value to = kernel.address(panel, {k, kernel.index(v * code.lanes)});
      code.store(panel, to, code.load(from, at, code.lanes));
    }
  });
}

/// Where the panels of a matrix of the batch start.
Value GemmEmitter::packedPanels(ArrayRef<Value> batch) {
  SmallVector<Value> ofB = kernel.accessIndices(product.op, *product.loops,
                                                product.loops->accesses[product.b], pointOf(batch));
  SmallVector<Value> at;
  for (unsigned axis : packedForm.outerAxes)
    at.push_back(ofB[axis]);
  at.append(3, kernel.index(0));
  return kernel.address(kernel.view(packed), at);
}

/// The point of the loops where a row starts.
SmallVector<Value> GemmEmitter::rowPoint(ArrayRef<Value> batch, Value row) {
  SmallVector<Value> point = pointOf(batch);
  for (auto [loop, i] :
       llvm::zip(product.row, kernel.delinearize(row, product.extents(product.row))))
    point[loop] = i;
  return point;
}

/// The indices of a column's result.
SmallVector<Value> GemmEmitter::resultIndices(ArrayRef<Value> point, Value column) const {
  SmallVector<Value> indices;
  for (unsigned i = 0; i < point.size(); ++i)
    if (product.loops->iterators[i] != Iterator::Reduction)
      indices.push_back(product.column == i ? column : point[i]);
  return indices;
}

void GemmEmitter::emitBlock(ArrayRef<Value> batch, Value rowBlock, Value columnBlock) {
  PanelOperands operands;
  const Access &access = product.loops->accesses[product.a];
  operands.aView = kernel.view(product.operandA());
  operands.a = kernel.address(
      operands.aView, kernel.accessIndices(product.op, *product.loops, access, pointOf(batch)));
  operands.aRow = kernel.size(product.aRow);
  operands.aDepth = kernel.size(product.aDepth);
  if (packed && extendsPanels) {
    operands.pack = [this, start = packedPanels(batch)](const BufferView &panel, int64_t vectors,
                                                        PanelColumn first, Value depth,
                                                        Value count) {
      extendPanel(start, panel, vectors, first.column, depth, count);
    };
  } else if (packed) {
    Value start = packedPanels(batch);
    // Columns before the panel, times the depth.
    operands.packed = [this, start](Value column) {
      Value before = kernel.mul(column, kernel.size(product.depths()));
      return code.advance(kernel.view(packed), start, before);
    };
    operands.groupColumns = packedForm.groupColumns();
    operands.groupPitch = packedForm.groupElements();
    operands.packedView = kernel.view(packed);
  } else {
    operands.pack = [&](const BufferView &panel, int64_t vectors, PanelColumn first, Value depth,
                        Value count) { pack(batch, panel, vectors, first.column, depth, count); };
  }
  operands.epilogue = [&](Value row) {
    return [this, point = rowPoint(batch, row)](Value column, Value sum) {
      epilogue.emitPoint(resultIndices(point, column), sum);
    };
  };
  unsigned lastAxis = getRank(product.op->getResult(0)) - 1;
  if (product.column && hasVectorEpilogue(kernel.group, product.op, lastAxis))
    operands.vectorEpilogue = [&, lastAxis](Value row) {
      return [this, lastAxis, point = rowPoint(batch, row)](PanelColumn first, Value sums,
                                                            Value mask) {
        epilogue.emitVector(code, lastAxis, resultIndices(point, first.column), sums, mask);
      };
    };
  operands.isLongEpilogue = isLongEpilogue(kernel.group, product.op);
  engine.emitBlock(rowBlock, columnBlock, operands);
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 16;

void GemmEmitter::emit() {
  SmallVector<Dim> tasks = product.extents(product.batch);
  double work = estimateSize({product.rows(), product.columns(), product.depths()});
  tasks.push_back(engine.countRowBlocks());
  tasks.push_back(engine.countColumnBlocks());
  double perTask = work / estimateSize(ArrayRef(tasks).take_back(2));
  Dim total = dsc::product(kernel.builder.getContext(), tasks);
  kernel.partCount = countParts(total, perTask, kWorkPerPart);
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value task) {
    SmallVector<Value> indices = kernel.delinearize(task, tasks);
    ArrayRef<Value> batch = ArrayRef(indices).drop_back(2);
    emitBlock(batch, indices[batch.size()], indices.back());
  });
}

LogicalResult GemmFmaTemplate::emit(KernelEmitter &kernel, ScheduleAttr schedule) const {
  MatrixProduct found;
  if (Match match = matchProduct(kernel.group, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  GemmEmitter emitter(kernel, found, PanelBlocks::read(schedule));
  if (auto form = findPackedForm(found, panelWidth(schedule, kernel.target)))
    if (Value packed = findRepacked(found.operandB(), form->map, form->type))
      emitter.usePacked(packed, *form,
                        findPanelSource(found, panelWidth(schedule, kernel.target)) ==
                            PanelSource::Extended);
  emitter.emit();
  return success();
}

const Template &gemmFmaTemplate() {
  static const GemmFmaTemplate instance;
  return instance;
}

} // namespace dsc
