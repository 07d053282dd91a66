//===- WarpRows.cpp - the template with a warp for each row ---------------===//
//
// For groups such as softmax and normalisations. All reductions leave one value for
// each row; the results are the rows, or values of rows:
//
//   for each row of this warp
//     for each reduction, in order
//       each lane takes every 32nd element of the row; the lanes' accumulators are
//       combined by a butterfly of shuffles, so that every lane has the same one
//     each lane computes every 32nd element of the results
//
// The order of additions depends on the size of the row alone.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

namespace {

/// The rows of a group: the axes that its reductions leave.
using Rows = SmallVector<Dim>;

class WarpRowsTemplate : public Template {
public:
  StringRef getName() const override { return "warp-rows"; }
  Match match(const GroupInfo &group, const Target &) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &) const override {
    return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
  }
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// Emits the code of a warp for one row.
class RowCode {
public:
  RowCode(KernelEmitter &kernel, Value lane, SmallVector<Value> row)
      : kernel(kernel), lane(lane), row(std::move(row)) {}

  void emitReduction(Operation *op, const LoopSpec &spec);
  void emitResult(unsigned result);

private:
  /// The row's indices, then zeros.
  SmallVector<Value> rowIndices(size_t rank) const;
  Value combineLanes(Value own, Operation *combine, Value accumulator);

  KernelEmitter &kernel;
  Value lane;
  SmallVector<Value> row;
};

} // namespace

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

static const LoopSpec *getReduction(const GroupInfo &group, Operation &op) {
  if (cast<ComputeOp>(op).getViewSource())
    return nullptr;
  const Spec *spec = group.getSpec(&op);
  return spec && spec->loops && spec->loops->hasReduction() ? spec->loops.get() : nullptr;
}

static Rows rowsOf(Value reduced) {
  Rows rows = getDims(reduced);
  while (!rows.empty() && rows.back().isConstant(1))
    rows.pop_back();
  return rows;
}

/// Rows of the first reduction.
static std::optional<Rows> findRows(const GroupInfo &group) {
  for (Operation &op : group.getBody().without_terminator())
    if (getReduction(group, op))
      return rowsOf(op.getResult(0));
  return std::nullopt;
}

/// The op that takes element and accumulator number `i` to the next accumulator.
static Operation *getCombine(const LoopSpec &spec, unsigned i) {
  Block &body = spec.body->front();
  BlockArgument accumulator = body.getArgument(body.getNumArguments() - spec.init.size() + i);
  Operation *combine = body.getTerminator()->getOperand(i).getDefiningOp();
  if (!combine || combine->getNumOperands() != 2 || !accumulator.hasOneUse() ||
      *accumulator.user_begin() != combine)
    return nullptr;
  return combine;
}

/// Whether lanes that all start with `init` give what one loop gives.
static bool canSplit(Operation *combine, TypedAttr init) {
  if (isa<arith::MaximumFOp, arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp, arith::MaxSIOp,
          arith::MinSIOp, arith::MaxUIOp, arith::MinUIOp, arith::AndIOp, arith::OrIOp>(combine))
    return true;
  auto number = dyn_cast<FloatAttr>(init);
  if (isa<arith::AddFOp>(combine))
    return number && number.getValue().isZero();
  if (isa<arith::MulFOp>(combine))
    return number && number.getValue().isExactlyValue(1.0);
  return isa<arith::AddIOp>(combine) && matchPattern(init, m_Zero());
}

/// Whether neighbouring steps of the innermost reduction read neighbours or the same.
static bool readsAlongRow(const LoopSpec &spec) {
  unsigned innermost = 0;
  for (auto [i, iterator] : llvm::enumerate(spec.iterators))
    if (iterator == Iterator::Reduction)
      innermost = i;
  return llvm::all_of(spec.accesses, [&](const Access &access) {
    if (!access.map)
      return false;
    ArrayRef<AffineExpr> exprs = access.map->getResults();
    return exprs.empty() || llvm::none_of(exprs.drop_back(), [&](AffineExpr expr) {
             return expr.isFunctionOfDim(innermost);
           });
  });
}

static Match matchReduction(Operation *op, const LoopSpec &spec, const Rows &rows) {
  if (rowsOf(op->getResult(0)) != rows)
    return Match::no("its reductions leave different shapes");
  if (!readsAlongRow(spec))
    return Match::no("what is reduced does not lie in rows");
  for (const Access &access : spec.accesses)
    if (access.bounds == Bounds::Skip)
      return Match::no("a reduction reads beyond the edge");
  for (auto [i, init] : llvm::enumerate(spec.init)) {
    Type type = init.getType();
    if (!type.isF32() && !type.isInteger(32))
      return Match::no("an accumulator is neither f32 nor a 32-bit integer");
    Operation *combine = getCombine(spec, i);
    if (!combine || !canSplit(combine, init))
      return Match::no("a reduction cannot be split");
  }
  return Match::yes();
}

Match WarpRowsTemplate::match(const GroupInfo &group, const Target &) const {
  if (Match loops = matchLoops(group); !loops)
    return loops;
  std::optional<Rows> rows = findRows(group);
  if (!rows)
    return Match::no("nothing is reduced");
  for (Operation &op : group.getBody().without_terminator())
    if (const LoopSpec *spec = getReduction(group, op))
      if (Match reduction = matchReduction(&op, *spec, *rows); !reduction)
        return reduction;
  for (Value result : group.getYielded()) {
    SmallVector<Dim> dims = getDims(result);
    if (dims.size() < rows->size() || ArrayRef(dims).take_front(rows->size()) != ArrayRef(*rows))
      return Match::no("a result does not consist of the reduced rows");
  }
  return Match::yes();
}

Cost WarpRowsTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Cost cost = estimateWork(group);
  double steps = 5; // of a butterfly, a shuffle and an operation each, on all lanes
  double exchange = estimateSize(*findRows(group)) * kWarpSize * steps * 2;
  // A lane waits for each of its elements, and each comes through the first-level cache.
  const GpuRates &gpu = gpuRates(target);
  double waits = 0, loads = 0;
  for (Operation &op : group.getBody().without_terminator())
    if (const LoopSpec *spec = getReduction(group, op)) {
      double points = estimateSize(spec->extents);
      waits += std::ceil(points / estimateSize(*findRows(group)) / kWarpSize);
      loads += points * static_cast<double>(spec->accesses.size());
    }
  cost.ns = std::max({(cost.flops + exchange) / target.peakF32(),
                      loads / (static_cast<double>(kWarpSize) * target.gigahertz),
                      waits * gpu.loadNs * static_cast<double>(gpu.multiprocessors),
                      cost.bytes / target.dramGBs});
  return cost;
}

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

SmallVector<Value> RowCode::rowIndices(size_t rank) const {
  SmallVector<Value> indices(row);
  indices.resize(rank, kernel.index(0));
  return indices;
}

/// Combines the accumulators of all lanes; every lane gets the result.
Value RowCode::combineLanes(Value own, Operation *combine, Value accumulator) {
  OpBuilder &b = kernel.builder;
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantOp::create(b, kernel.loc, b.getI32IntegerAttr(value));
  };
  for (int64_t distance = kWarpSize / 2; distance > 0; distance /= 2) {
    Value other =
        NVVM::ShflOp::create(b, kernel.loc, own.getType(), number(-1), own, number(distance),
                             number(kWarpSize - 1), NVVM::ShflKind::bfly, UnitAttr());
    // The op's operands in their order, whichever of them is the accumulator.
    bool isFirst = combine->getOperand(0) == accumulator;
    IRMapping map;
    map.map(combine->getOperand(0), isFirst ? own : other);
    map.map(combine->getOperand(1), isFirst ? other : own);
    own = b.clone(*combine, map)->getResult(0);
  }
  return own;
}

void RowCode::emitReduction(Operation *op, const LoopSpec &spec) {
  OpBuilder &b = kernel.builder;
  SmallVector<Value> indices = rowIndices(getRank(op->getResult(0)));
  SmallVector<Value> point;
  SmallVector<unsigned> reductions;
  SmallVector<Dim> extents;
  auto next = indices.begin();
  for (auto [i, iterator] : llvm::enumerate(spec.iterators)) {
    bool isReduction = iterator == Iterator::Reduction;
    point.push_back(isReduction ? kernel.index(0) : *next++);
    if (isReduction) {
      reductions.push_back(i);
      extents.push_back(spec.extents[i]);
    }
  }
  SmallVector<Value> initial;
  for (TypedAttr init : spec.init)
    initial.push_back(arith::ConstantOp::create(b, kernel.loc, init));
  Value total = kernel.size(product(b.getContext(), extents));
  SmallVector<Value> sums = kernel.loop(
      lane, total, kernel.index(kWarpSize), initial, [&](Value linear, ValueRange carried) {
        SmallVector<Value> at(point);
        for (auto [position, i] : llvm::zip(reductions, kernel.delinearize(linear, extents)))
          at[position] = i;
        SmallVector<Value> arguments = kernel.bodyArguments(op, spec, at);
        llvm::append_range(arguments, carried);
        return kernel.inlineRegion(*spec.body, arguments);
      });
  Block &body = spec.body->front();
  for (auto [i, sum] : llvm::enumerate(sums))
    sum = combineLanes(sum, getCombine(spec, i),
                       body.getArgument(body.getNumArguments() - sums.size() + i));
  SmallVector<Value> values = kernel.finishPoint(op, spec, point, sums);
  for (auto [result, value] : llvm::zip(op->getResults(), values))
    kernel.provide(result, indices, value);
}

void RowCode::emitResult(unsigned result) {
  Value tensor = kernel.group.getYielded()[result];
  SmallVector<Dim> dims = getDims(tensor);
  ArrayRef<Dim> tail = ArrayRef(dims).drop_front(row.size());
  Value length = kernel.size(product(kernel.builder.getContext(), tail));
  kernel.loop(lane, length, kernel.index(kWarpSize), [&](Value linear) {
    SmallVector<Value> indices(row);
    llvm::append_range(indices, kernel.delinearize(linear, tail));
    kernel.store(result, indices, kernel.element(tensor, indices));
  });
}

LogicalResult WarpRowsTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  OpBuilder &b = kernel.builder;
  Rows rows = *findRows(kernel.group);
  Dim count = product(b.getContext(), rows);
  kernel.partCount = Dim::min(count * kernel.constant(kWarpSize), kernel.constant(kMostThreads));
  Value warpSize = kernel.index(kWarpSize);
  Value lane = arith::RemUIOp::create(b, kernel.loc, kernel.part, warpSize);
  Value warp = arith::DivUIOp::create(b, kernel.loc, kernel.part, warpSize);
  Value warps = arith::DivUIOp::create(b, kernel.loc, kernel.parts, warpSize);
  kernel.loop(warp, kernel.size(count), warps, [&](Value linear) {
    RowCode code(kernel, lane, kernel.delinearize(linear, rows));
    for (Operation &op : kernel.group.getBody().without_terminator())
      if (const LoopSpec *spec = getReduction(kernel.group, op))
        code.emitReduction(&op, *spec);
    for (unsigned i = 0; i < kernel.group.getYielded().size(); ++i)
      code.emitResult(i);
  });
  return success();
}

const Template &warpRowsTemplate() {
  static const WarpRowsTemplate instance;
  return instance;
}

} // namespace dsc
