//===- ScatterRows.cpp - the template of scatters of whole rows -----------===//
//
// A scatter whose innermost loop goes along the result's rows: where a row goes is
// found once, then its elements are written as vectors.
//
//   y = x
//   for u in updates:  at = indices[u];  for i in row: y[at, i] = combine(y[at, i], u[i])
//
// Rows may meet, and are written in order, as a whole.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"

#include "dsc/Format/KernelABI.h"

using namespace mlir;

namespace dsc {

namespace {
class ScatterRowsTemplate : public Template {
public:
  StringRef getName() const override { return "scatter-rows"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

class ScatterRowsKernel {
public:
  ScatterRowsKernel(KernelEmitter &kernel, Operation *op, const ScatterSpec &scatter)
      : kernel(kernel), op(op), scatter(scatter), updates(scatter.updates),
        row(updates.numLoops() - 1), point(updates.numLoops()) {}
  void emit();

private:
  void copy();
  void emitUpdate();
  void writeRow(ValueRange indices);
  SmallVector<Value> yieldedAt(Value i);

  KernelEmitter &kernel;
  Operation *op;
  const ScatterSpec &scatter;
  const LoopSpec &updates;
  unsigned row; ///< the loop that goes along the row
  SmallVector<Value> point;
};
} // namespace

//===----------------------------------------------------------------------===//
// Template
//===----------------------------------------------------------------------===//

/// Whether a value of the body changes along the row.
static bool movesAlong(Value value, const LoopSpec &updates, unsigned row) {
  Block &body = updates.body->front();
  if (dependsOn(value, body.getArgument(row)))
    return true;
  return llvm::any_of(llvm::enumerate(updates.accesses), [&](auto item) {
    const Access &access = item.value();
    return access.map && dependsOn(access, row) &&
           dependsOn(value, body.getArgument(updates.numLoops() + item.index()));
  });
}

Match ScatterRowsTemplate::match(const GroupInfo &group, const Target &) const {
  Block &block = group.getBody();
  if (!llvm::hasNItems(block.without_terminator(), 1))
    return Match::no("more than one op");
  Operation *op = &block.front();
  const Spec *spec = group.getSpec(op);
  if (!spec || !spec->scatter)
    return Match::no("not a scatter");
  const LoopSpec &updates = spec->scatter->updates;
  SmallVector<Dim> dims = getDims(op->getResult(0));
  if (!updates.init.empty() || updates.numLoops() == 0 || dims.empty())
    return Match::no("updates pass something on to the next, or are one");
  unsigned row = updates.numLoops() - 1;
  Block &body = updates.body->front();
  ValueRange yielded = body.getTerminator()->getOperands();
  unsigned first = spec->scatter->conditional ? 1 : 0;
  Value last = yielded[first + dims.size() - 1];
  if (last != body.getArgument(row) || updates.extents[row] != dims.back())
    return Match::no("updates are no whole rows");
  for (Value value : yielded.take_front(first + dims.size() - 1))
    if (movesAlong(value, updates, row))
      return Match::no("where an update goes changes along its row");
  for (const Access &access : updates.accesses)
    if (access.map && !isContiguousAlong(access, row))
      return Match::no("an operand is not read along its rows");
  for (AtOp read : body.getOps<AtOp>())
    if (!readsRows(read, body.getArgument(row)))
      return Match::no("elements are read at computed places");
  return Match::yes();
}

SmallVector<ScheduleAttr> ScatterRowsTemplate::candidates(const GroupInfo &group,
                                                          const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

Cost ScatterRowsTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  const ScatterSpec &scatter = *group.getSpec(&group.getBody().front())->scatter;
  Cost cost = estimateWork(group);
  double points = estimateSize(scatter.updates.extents);
  double rows = points / std::max(1.0, estimateSize(scatter.updates.extents.back()));
  constexpr double perRow = 10;
  double cycles = perRow * rows + points / static_cast<double>(target.lanes(32));
  cost.ns = overlappedTime(cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// Runs `body` at each point of some loops, in order.
static void forEachPoint(KernelEmitter &kernel, ArrayRef<Dim> extents, MutableArrayRef<Value> point,
                         function_ref<void()> body) {
  if (extents.empty())
    return body();
  kernel.loop(kernel.index(0), kernel.size(extents.front()), [&](Value i) {
    point.front() = i;
    forEachPoint(kernel, extents.drop_front(), point.drop_front(), body);
  });
}

void ScatterRowsKernel::copy() {
  SmallVector<Dim> dims = getDims(op->getResult(0));
  SmallVector<Value> at(dims.size());
  forEachPoint(kernel, dims, at, [&] {
    Value start = scatter.fill ? arith::ConstantOp::create(kernel.builder, kernel.loc, scatter.fill)
                               : kernel.element(op->getOperand(0), at);
    kernel.store(0, at, start);
  });
}

/// What the body yields at place `i` of the row.
SmallVector<Value> ScatterRowsKernel::yieldedAt(Value i) {
  point[row] = i;
  return kernel.inlineRegion(*updates.body, kernel.bodyArguments(op, updates, point));
}

void ScatterRowsKernel::writeRow(ValueRange indices) {
  unsigned element = (scatter.conditional ? 1 : 0) + indices.size();
  kernel.loop(kernel.index(0), kernel.size(updates.extents[row]), [&](Value i) {
    Value value = yieldedAt(i)[element];
    const BufferView &view = kernel.resultView(0);
    SmallVector<Value> at(indices);
    at.back() = i;
    Value address = kernel.address(view, at);
    if (scatter.combine) {
      Value old = kernel.loadAt(view, address);
      if (value.getType().isInteger(1))
        old = arith::TruncIOp::create(kernel.builder, kernel.loc, value.getType(), old);
      value = kernel.inlineRegion(*scatter.combine, {old, value}).front();
    }
    kernel.storeAt(view, address, value);
  });
}

/// One row; an index outside is an error, and then nothing is written.
void ScatterRowsKernel::emitUpdate() {
  OpBuilder &b = kernel.builder;
  SmallVector<Value> yielded = yieldedAt(kernel.index(0));
  ArrayRef<Value> rest = yielded;
  Value yes = arith::ConstantOp::create(b, kernel.loc, b.getBoolAttr(true));
  Value condition = scatter.conditional ? rest.front() : yes;
  rest = rest.drop_front(scatter.conditional ? 1 : 0);
  SmallVector<Dim> dims = getDims(op->getResult(0));
  ArrayRef<Value> indices = rest.take_front(dims.size());
  Value fits = yes;
  for (auto [i, dim] : llvm::zip(indices.drop_back(), dims)) {
    Value here =
        arith::CmpIOp::create(b, kernel.loc, arith::CmpIPredicate::ult, i, kernel.size(dim));
    fits = arith::AndIOp::create(b, kernel.loc, fits, here);
  }
  Value isOutside = arith::AndIOp::create(b, kernel.loc, condition,
                                          arith::XOrIOp::create(b, kernel.loc, fits, yes));
  kernel.recordError(isOutside, DSC_KERNEL_INDEX_OUT_OF_RANGE);
  kernel.branch(arith::AndIOp::create(b, kernel.loc, condition, fits), [&] { writeRow(indices); });
}

void ScatterRowsKernel::emit() {
  copy();
  // Rows of nothing have no elements to be read.
  auto run = [&] {
    forEachPoint(kernel, ArrayRef(updates.extents).drop_back(), MutableArrayRef(point).drop_back(),
                 [&] { emitUpdate(); });
  };
  kernel.branch(kernel.isNonzero(updates.extents[row]), run);
}

LogicalResult ScatterRowsTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  Operation *op = &kernel.group.getBody().front();
  ScatterRowsKernel(kernel, op, *kernel.group.getSpec(op)->scatter).emit();
  return success();
}

const Template &scatterRowsTemplate() {
  static const ScatterRowsTemplate instance;
  return instance;
}

} // namespace dsc
