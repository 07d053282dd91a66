//===- Rows.cpp - softmax, normalisations and other work on rows ----------===//
//
// For groups whose reductions all go along the same axes. A row stays in the L1 cache
// while all passes over it run; what is dear to compute is computed once:
//
//   for each row
//     pass 0   for i in row:  largest = max(largest, x[i])
//     pass 1   for i in row:  e = exp(x[i] - largest); kept[i] = e; sum += e
//     pass 2   for i in row:  y[i] = kept[i] / sum
//
// Where neighbours in memory belong to different rows, a block of rows is computed at
// a time, and the innermost loop goes across them:
//
//     pass 0   for i in row:  for c in block:  largest[c] = max(largest[c], x[i, c])
//
// The innermost loops are LLVM's to vectorise. Parts, blocks and lanes depend on the
// sizes alone.
//
//===----------------------------------------------------------------------===//
#include "RowPlan.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/VectorCode.h"

using namespace mlir;

namespace dsc {

namespace {

class RowsTemplate : public Template {
public:
  StringRef getName() const override { return "rows"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &) const override {
    return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
  }
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// One loop for each: several axes of the plan that lie behind each other, or one.
struct RowLoop {
  unsigned axis; ///< the last of the plan's axes
  Dim extent;
};

class RowsKernel {
public:
  RowsKernel(KernelEmitter &kernel, const RowPlan &plan)
      : kernel(kernel), plan(plan), code(kernel, kernel.builder.getF32Type()),
        at(plan.getAxes().size(), kernel.index(0)) {}

  void emit();

private:
  // Where elements are kept: of a row or block of rows, or one for each row of a block.
  struct Kept {
    Value tensor;
    BufferView view;
    std::optional<unsigned> result; ///< it is kept in a result instead
  };

  void makeLoops();
  void makeBuffers();
  void emitRow();
  void emitPass(unsigned pass);
  SmallVector<Value> emitElement(unsigned pass, ArrayRef<Operation *> reductions,
                                 ValueRange carried);
  void finishReductions(ArrayRef<Operation *> reductions, ValueRange sums);
  void emitRowValues(unsigned level);

  // A block of rows.
  void forBlock(function_ref<void()> body);
  void emitBlockPass(unsigned pass);
  void storeBlockValues(unsigned level);
  void provideBlockValues(unsigned level);

  SmallVector<Value> forRow(size_t depth, ValueRange carried,
                            function_ref<SmallVector<Value>(ValueRange)> body);
  SmallVector<Value> pointOf(Operation *op) const;
  SmallVector<Value> indicesOf(Operation *op) const;
  SmallVector<Operation *> reductionsOf(unsigned pass) const;
  bool isStoredBy(Operation *op, unsigned pass) const;
  Kept keep(Value tensor, Dim elements);
  void storeKept(const Kept &kept, Value address, Value value);
  void provideKept(const Kept &kept, Value address);
  Value addressOf(const Kept &kept);
  Value inBlock() const { return arith::SubIOp::create(kernel.builder, kernel.loc, column, start); }
  auto ops() const { return kernel.group.getBody().without_terminator(); }

  KernelEmitter &kernel;
  const RowPlan &plan;
  VectorCode code;
  SmallVector<RowLoop> rowLoops, outerLoops;
  std::optional<RowLoop> columns; ///< set where a block of rows is computed at a time
  int64_t blockSize = 1;
  SmallVector<Value> at; ///< the index along each axis of the plan
  Value column, start, end;
  llvm::MapVector<Value, Kept> kept;        ///< elements of rows
  llvm::MapVector<Value, Kept> blockValues; ///< values of rows, in a block of them
  /// Accumulators of the current pass for the rows of a block.
  llvm::DenseMap<Operation *, SmallVector<Kept>> accumulators;
};

} // namespace

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

/// Indices of all loops of an op at the current place.
SmallVector<Value> RowsKernel::pointOf(Operation *op) const {
  return llvm::map_to_vector(plan.get(op).axes, [&](std::optional<unsigned> axis) -> Value {
    return axis ? at[*axis] : kernel.index(0);
  });
}

/// Indices of an op's results at the current place.
SmallVector<Value> RowsKernel::indicesOf(Operation *op) const {
  SmallVector<Value> indices;
  for (auto [index, iterator] : llvm::zip(pointOf(op), plan.get(op).loops->iterators))
    if (iterator == Iterator::Parallel)
      indices.push_back(index);
  return indices;
}

SmallVector<Operation *> RowsKernel::reductionsOf(unsigned pass) const {
  SmallVector<Operation *> found;
  for (Operation &op : ops())
    if (plan.get(&op).isReduction && plan.get(&op).level == pass + 1)
      found.push_back(&op);
  return found;
}

/// Whether the pass stores elements of the op: those it keeps, and results.
bool RowsKernel::isStoredBy(Operation *op, unsigned pass) const {
  const RowPlan::OpPlan &mine = plan.get(op);
  if (!mine.isFull || mine.uses == 0 || mine.firstUse() != pass)
    return false;
  return mine.isKept || llvm::any_of(kernel.group.getYielded(),
                                     [&](Value result) { return result.getDefiningOp() == op; });
}

//===----------------------------------------------------------------------===//
// Kept values
//===----------------------------------------------------------------------===//

/// Memory holds bool as a byte and index as int64.
static Type heldType(OpBuilder &builder, Type type) {
  if (type.isIndex())
    return builder.getI64Type();
  return type.isInteger(1) ? Type(builder.getI8Type()) : type;
}

RowsKernel::Kept RowsKernel::keep(Value tensor, Dim elements) {
  Kept made{tensor, {}, std::nullopt};
  Type type = heldType(kernel.builder, storageType(getElementType(tensor)));
  made.view = code.scratch(type, elements, kernel.constant(1));
  kernel.markScratch(made.view);
  return made;
}

void RowsKernel::storeKept(const Kept &kept, Value address, Value value) {
  if (value.getType().isIndex())
    value = arith::IndexCastOp::create(kernel.builder, kernel.loc, kept.view.element, value);
  kernel.storeAt(kept.view, address, value);
}

/// Makes the kept element that of the tensor at the current place.
void RowsKernel::provideKept(const Kept &kept, Value address) {
  Value value = kernel.loadAt(kept.view, address);
  if (getElementType(kept.tensor).isInteger(1))
    value = arith::TruncIOp::create(kernel.builder, kernel.loc, kernel.builder.getI1Type(), value);
  kernel.provide(kept.tensor, indicesOf(kept.tensor.getDefiningOp()), value);
}

/// Where the element of a row is kept.
Value RowsKernel::addressOf(const Kept &kept) {
  if (kept.result)
    return kernel.address(kept.view, indicesOf(kept.tensor.getDefiningOp()));
  Value position = kernel.index(0);
  for (const RowLoop &loop : rowLoops)
    position = kernel.add(kernel.mul(position, kernel.size(loop.extent)), at[loop.axis]);
  if (columns)
    position = kernel.add(kernel.mul(position, kernel.index(blockSize)), inBlock());
  return kernel.address(kept.view, position);
}

void RowsKernel::makeBuffers() {
  Dim elements = plan.getRowLength() * blockSize;
  for (Operation &op : ops()) {
    const RowPlan::OpPlan &mine = plan.get(&op);
    for (Value value : op.getResults()) {
      if (mine.isKept) {
        auto yielded = kernel.group.getYielded();
        auto found = llvm::find(yielded, value);
        if (found == yielded.end()) {
          kept[value] = keep(value, elements);
        } else {
          unsigned number = found - yielded.begin();
          kept[value] = {value, kernel.resultView(number), number};
        }
      }
      if (columns && !mine.isFull)
        blockValues[value] = keep(value, kernel.constant(blockSize));
    }
    if (!columns || !mine.isReduction)
      continue;
    for (TypedAttr init : mine.loops->init) {
      Kept made{{}, {}, std::nullopt};
      Type type = heldType(kernel.builder, init.getType());
      made.view = code.scratch(type, kernel.constant(blockSize), kernel.constant(1));
      kernel.markScratch(made.view);
      accumulators[&op].push_back(made);
    }
  }
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// Elements of a block of rows that stay in the L1 cache, and bounds of its width.
static constexpr int64_t kBlockElements = 4096, kLeastBlock = 32, kMostBlock = 512;

void RowsKernel::makeLoops() {
  ArrayRef<RowPlan::Axis> axes = plan.getAxes();
  unsigned flat = plan.getNumFlat(), last = axes.size() - 1;
  auto add = [&](unsigned axis, Dim extent) {
    (axes[axis].isReduced ? rowLoops : outerLoops).push_back({axis, extent});
  };
  for (unsigned axis = 0; axis < axes.size() - flat; ++axis)
    add(axis, axes[axis].extent);
  SmallVector<Dim> trailing;
  for (const RowPlan::Axis &axis : axes.take_back(flat))
    trailing.push_back(axis.extent);
  Dim extent = product(kernel.builder.getContext(), trailing);
  if (!plan.areColumns())
    return add(last, extent);
  columns = RowLoop{last, extent};
  int64_t length = plan.getRowLength().tryConstant().value_or(64);
  int64_t width = kBlockElements / std::max<int64_t>(length, 1) / kLeastBlock * kLeastBlock;
  blockSize = std::clamp(width, kLeastBlock, kMostBlock);
}

/// Runs `body` at each element of a row.
SmallVector<Value> RowsKernel::forRow(size_t depth, ValueRange carried,
                                      function_ref<SmallVector<Value>(ValueRange)> body) {
  if (depth == rowLoops.size())
    return body(carried);
  const RowLoop &loop = rowLoops[depth];
  SmallVector<Value> results =
      kernel.loop(kernel.index(0), kernel.size(loop.extent), kernel.index(1), carried,
                  [&](Value i, ValueRange inner) {
                    at[loop.axis] = i;
                    return forRow(depth + 1, inner, body);
                  });
  at[loop.axis] = kernel.index(0);
  return results;
}

/// Stores what the pass stores, then returns the next accumulators of its reductions.
SmallVector<Value> RowsKernel::emitElement(unsigned pass, ArrayRef<Operation *> reductions,
                                           ValueRange carried) {
  for (auto &[tensor, mine] : kept)
    if (plan.get(tensor.getDefiningOp()).firstUse() < pass)
      provideKept(mine, addressOf(mine));
  for (Operation &op : ops()) {
    if (!isStoredBy(&op, pass))
      continue;
    SmallVector<Value> indices = indicesOf(&op);
    for (Value result : op.getResults()) {
      Value value = kernel.element(result, indices);
      if (auto found = kept.find(result); found != kept.end() && !found->second.result)
        storeKept(found->second, addressOf(found->second), value);
      for (auto [number, yielded] : llvm::enumerate(kernel.group.getYielded()))
        if (yielded == result)
          kernel.store(number, indices, value);
    }
  }
  SmallVector<Value> next;
  for (Operation *op : reductions) {
    const LoopSpec &loops = *plan.get(op).loops;
    ValueRange mine = carried.slice(next.size(), loops.init.size());
    llvm::append_range(next, kernel.reductionStep(op, loops, pointOf(op), mine));
  }
  return next;
}

/// Makes the results of reductions known from here on.
void RowsKernel::finishReductions(ArrayRef<Operation *> reductions, ValueRange sums) {
  for (Operation *op : reductions) {
    const LoopSpec &loops = *plan.get(op).loops;
    SmallVector<Value> values =
        kernel.finishPoint(op, loops, pointOf(op), sums.take_front(loops.init.size()));
    sums = sums.drop_front(loops.init.size());
    for (auto [result, value] : llvm::zip(op->getResults(), values))
      kernel.provide(result, indicesOf(op), value);
  }
}

//===----------------------------------------------------------------------===//
// One row
//===----------------------------------------------------------------------===//

/// Computes the values of the row that `level` passes have made known, in front of the
/// loops that use them, and stores those that are results.
void RowsKernel::emitRowValues(unsigned level) {
  for (Operation &op : ops()) {
    const RowPlan::OpPlan &mine = plan.get(&op);
    if (mine.isFull || mine.level != level)
      continue;
    for (Value result : op.getResults()) {
      Value value = kernel.element(result, indicesOf(&op));
      for (auto [number, yielded] : llvm::enumerate(kernel.group.getYielded()))
        if (yielded == result)
          kernel.store(number, indicesOf(&op), value);
    }
  }
}

void RowsKernel::emitPass(unsigned pass) {
  SmallVector<Operation *> reductions = reductionsOf(pass);
  SmallVector<Value> initial;
  for (Operation *op : reductions)
    for (TypedAttr init : plan.get(op).loops->init)
      initial.push_back(arith::ConstantOp::create(kernel.builder, kernel.loc, init));
  SmallVector<Value> sums = forRow(
      0, initial, [&](ValueRange carried) { return emitElement(pass, reductions, carried); });
  finishReductions(reductions, sums);
}

void RowsKernel::emitRow() {
  for (unsigned pass = 0; pass < plan.getNumPasses(); ++pass) {
    emitRowValues(pass);
    emitPass(pass);
  }
  emitRowValues(plan.getNumPasses());
}

//===----------------------------------------------------------------------===//
// A block of rows
//===----------------------------------------------------------------------===//

void RowsKernel::forBlock(function_ref<void()> body) {
  kernel.loop(start, end, [&](Value i) {
    column = at[columns->axis] = i;
    body();
  });
}

/// Makes the values of rows known that `level` passes give.
void RowsKernel::provideBlockValues(unsigned level) {
  for (auto &[tensor, mine] : blockValues)
    if (plan.get(tensor.getDefiningOp()).level <= level)
      provideKept(mine, kernel.address(mine.view, inBlock()));
}

/// Computes the values of rows that the reductions behind `level` passes give.
void RowsKernel::storeBlockValues(unsigned level) {
  SmallVector<Operation *> reductions =
      level == 0 ? SmallVector<Operation *>() : reductionsOf(level - 1);
  bool hasWork = llvm::any_of(blockValues, [&](auto &value) {
    return plan.get(value.first.getDefiningOp()).level == level;
  });
  if (!hasWork)
    return;
  forBlock([&] {
    if (level > 0)
      provideBlockValues(level - 1);
    SmallVector<Value> sums;
    for (Operation *op : reductions)
      for (auto [mine, init] : llvm::zip(accumulators[op], plan.get(op).loops->init)) {
        Value value = kernel.loadAt(mine.view, kernel.address(mine.view, inBlock()));
        if (init.getType().isIndex())
          value = arith::IndexCastOp::create(kernel.builder, kernel.loc, init.getType(), value);
        else if (init.getType().isInteger(1))
          value = arith::TruncIOp::create(kernel.builder, kernel.loc, init.getType(), value);
        sums.push_back(value);
      }
    finishReductions(reductions, sums);
    for (auto &[tensor, mine] : blockValues) {
      Operation *op = tensor.getDefiningOp();
      if (plan.get(op).level != level)
        continue;
      Value value = kernel.element(tensor, indicesOf(op));
      storeKept(mine, kernel.address(mine.view, inBlock()), value);
      for (auto [number, yielded] : llvm::enumerate(kernel.group.getYielded()))
        if (yielded == tensor)
          kernel.store(number, indicesOf(op), value);
    }
  });
}

void RowsKernel::emitBlockPass(unsigned pass) {
  SmallVector<Operation *> reductions = reductionsOf(pass);
  forBlock([&] {
    for (Operation *op : reductions)
      for (auto [mine, init] : llvm::zip(accumulators[op], plan.get(op).loops->init))
        storeKept(mine, kernel.address(mine.view, inBlock()),
                  arith::ConstantOp::create(kernel.builder, kernel.loc, init));
  });
  forRow(0, {}, [&](ValueRange) {
    forBlock([&] {
      provideBlockValues(pass);
      SmallVector<Value> carried, addresses;
      SmallVector<const Kept *> places;
      for (Operation *op : reductions)
        for (auto [mine, init] : llvm::zip(accumulators[op], plan.get(op).loops->init)) {
          places.push_back(&mine);
          addresses.push_back(kernel.address(mine.view, inBlock()));
          Value value = kernel.loadAt(mine.view, addresses.back());
          if (init.getType().isIndex())
            value = arith::IndexCastOp::create(kernel.builder, kernel.loc, init.getType(), value);
          else if (init.getType().isInteger(1))
            value = arith::TruncIOp::create(kernel.builder, kernel.loc, init.getType(), value);
          carried.push_back(value);
        }
      SmallVector<Value> next = emitElement(pass, reductions, carried);
      for (auto [place, address, value] : llvm::zip(places, addresses, next))
        storeKept(*place, address, value);
    });
    return SmallVector<Value>();
  });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void RowsKernel::emit() {
  makeLoops();
  makeBuffers();
  SmallVector<Dim> sizes, dims;
  for (const RowPlan::Axis &axis : plan.getAxes())
    dims.push_back(axis.extent);
  for (const RowLoop &loop : outerLoops)
    sizes.push_back(loop.extent);
  if (columns)
    sizes.push_back(columns->extent.ceilDiv(blockSize));
  Dim total = product(kernel.builder.getContext(), sizes);
  kernel.partCount = countParts(kernel.group, dims, total);
  auto [first, last] = kernel.share(kernel.size(total));
  kernel.loop(first, last, [&](Value linear) {
    SmallVector<Value> indices = kernel.delinearize(linear, sizes);
    for (auto [loop, i] : llvm::zip(outerLoops, indices))
      at[loop.axis] = i;
    if (!columns)
      return emitRow();
    Value size = kernel.index(blockSize);
    start = kernel.mul(indices.back(), size);
    end = arith::MinSIOp::create(kernel.builder, kernel.loc, kernel.add(start, size),
                                 kernel.size(columns->extent));
    storeBlockValues(0);
    for (unsigned pass = 0; pass < plan.getNumPasses(); ++pass) {
      emitBlockPass(pass);
      storeBlockValues(pass + 1);
    }
  });
}

//===----------------------------------------------------------------------===//
// Template
//===----------------------------------------------------------------------===//

Match RowsTemplate::match(const GroupInfo &group, const Target &target) const {
  RowPlan plan;
  if (Match match = RowPlan::make(group, target, plan); !match)
    return match;
  Operation *anchor = nullptr;
  if (plan.areColumns() && findReduction(group, anchor))
    return Match::no("one reduction over columns, made by another template");
  return Match::yes();
}

Cost RowsTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  RowPlan plan;
  (void)RowPlan::make(group, target, plan);
  Cost cost = estimateWork(group);
  // Accumulators of blocks are read and written at each step.
  double steps = plan.areColumns() ? cost.flops : 0;
  double cycles = (cost.flops + steps) / static_cast<double>(target.lanes(32));
  cost.ns = overlappedTime(cycles / (2 * target.gigahertz), cost.bytes / target.l3GBs);
  return cost;
}

LogicalResult RowsTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  RowPlan plan;
  (void)RowPlan::make(kernel.group, kernel.target, plan);
  RowsKernel(kernel, plan).emit();
  return success();
}

const Template &rowsTemplate() {
  static const RowsTemplate instance;
  return instance;
}

} // namespace dsc
