//===- Accumulate.cpp - reductions that go along the result's rows --------===//
//
// A reduction whose innermost loop is not along contiguous memory (over channels,
// over a window, over the rows of a matrix) is turned inside out: a row of
// accumulators lies in scratch memory, the reduction's loops go around it.
//
//   for o in outer:  acc[:] = init
//     for r in reductions:  for i in row: acc[i] = body(acc[i], x[..], ..)
//     for i in row: y[o, i] = epilogue(acc[i])
//
// Reads that may fall outside (windows at a border) limit the loop over the row, so
// that there is no test inside; a body that changes nothing under a condition which is
// the same along the row is left out there. The innermost loops are LLVM's to vectorise.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/VectorCode.h"

using namespace mlir;

namespace dsc {

namespace {

class AccumulateTemplate : public Template {
public:
  StringRef getName() const override { return "accumulate"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// From `first` to before `end`.
struct Range {
  Value first, end;
};

class AccumulateKernel {
public:
  AccumulateKernel(KernelEmitter &kernel, Operation *anchor, unsigned row)
      : kernel(kernel), code(kernel, kernel.builder.getF32Type()), anchor(anchor),
        loops(*kernel.group.getSpec(anchor)->loops), row(row), point(loops.numLoops()) {}

  void emit();

private:
  void emitBlock(Range block);
  void fill(Range block);
  void reduce(size_t depth, Range block);
  void reduceTaps(unsigned loop, Range block);
  void emitTaps(unsigned loop, ArrayRef<Value> taps, Range range);
  void emitClippedTaps(unsigned loop, ArrayRef<Value> taps, Range block);
  Range clip(Range range);
  Value uniformCondition();
  Value skipCondition();
  void store(Range block);

  SmallVector<Value> loadAccumulators(Value i);
  void storeAccumulators(Value i, ValueRange values);
  Value max(Value a, Value b) { return arith::MaxSIOp::create(kernel.builder, kernel.loc, a, b); }
  Value min(Value a, Value b) { return arith::MinSIOp::create(kernel.builder, kernel.loc, a, b); }
  bool mayFallOutside() const {
    return llvm::any_of(loops.accesses,
                        [](const Access &access) { return access.bounds == Bounds::Skip; });
  }

  KernelEmitter &kernel;
  VectorCode code;
  Operation *anchor;
  const LoopSpec &loops;
  unsigned row;             ///< the loop that goes along the row
  SmallVector<Value> point; ///< of all loops
  SmallVector<unsigned> reductions;
  SmallVector<BufferView> accumulators;
  Value blockStart; ///< position of accumulator 0 in the row
};

} // namespace

/// Accumulators of a row that are kept at a time: they stay in the L1 cache.
static constexpr int64_t kRowBlock = 1024;
/// Values of the innermost reduction loop that one pass over the row takes in.
static constexpr int64_t kUnrolledTaps = 4, kMostTaps = 8;

//===----------------------------------------------------------------------===//
// Facts about accesses
//===----------------------------------------------------------------------===//

/// The last of the result's loops that is longer than 1.
static std::optional<unsigned> findRow(const LoopSpec &loops) {
  for (unsigned i = loops.numLoops(); i-- > 0;)
    if (loops.iterators[i] == Iterator::Parallel && !loops.extents[i].isConstant(1))
      return i;
  return std::nullopt;
}

/// Whether scalar code is the same for all of a row, and moves with nothing but loops and
/// what is read at their places.
static bool isUniform(Value value, const LoopSpec &loops, unsigned row) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned number = argument.getArgNumber(), first = loops.numLoops();
    if (number < first)
      return number != row;
    if (number - first >= loops.accesses.size())
      return false;
    const Access &access = loops.accesses[number - first];
    return access.map && access.bounds != Bounds::Skip && !dependsOn(access, row);
  }
  Operation *op = value.getDefiningOp();
  return !isa<AtOp>(op) && op->getNumRegions() == 0 &&
         llvm::all_of(op->getOperands(),
                      [&](Value operand) { return isUniform(operand, loops, row); });
}

/// The condition without which the body gives the accumulators as they are, where it is
/// the same along the row. Null: there is none.
static Value findCondition(const LoopSpec &loops, unsigned row) {
  Block &body = loops.body->front();
  unsigned first = loops.numLoops() + loops.accesses.size();
  Value condition;
  for (auto [number, value] : llvm::enumerate(body.getTerminator()->getOperands())) {
    auto select = value.getDefiningOp<arith::SelectOp>();
    if (!select || select.getFalseValue() != body.getArgument(first + number) ||
        (condition && condition != select.getCondition()))
      return {};
    condition = select.getCondition();
  }
  return condition && isUniform(condition, loops, row) ? condition : Value();
}

/// Whether all that is read at computed places are rows along the loop.
static bool readsRowsOnly(const LoopSpec &loops, unsigned row) {
  Block &body = loops.body->front();
  return llvm::all_of(body.getOps<AtOp>(),
                      [&](AtOp read) { return readsRows(read, body.getArgument(row)); });
}

//===----------------------------------------------------------------------===//
// Template
//===----------------------------------------------------------------------===//

Match AccumulateTemplate::match(const GroupInfo &group, const Target &) const {
  Operation *anchor = nullptr;
  if (Match found = findReduction(group, anchor); !found)
    return found;
  const LoopSpec &loops = *group.getSpec(anchor)->loops;
  std::optional<unsigned> row = findRow(loops);
  if (!row)
    return Match::no("the result is one element");
  for (const Access &access : loops.accesses) {
    if (access.bounds != Bounds::Skip)
      continue;
    for (AffineExpr expr : access.map->getResults())
      if (coefficientOf(expr, *row).value_or(-1) < 0)
        return Match::no("where a row leaves the operand is not known");
  }
  return Match::yes();
}

SmallVector<ScheduleAttr> AccumulateTemplate::candidates(const GroupInfo &group,
                                                         const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

Cost AccumulateTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Operation *anchor = nullptr;
  (void)findReduction(group, anchor);
  const LoopSpec &loops = *group.getSpec(anchor)->loops;
  unsigned row = *findRow(loops);
  Cost cost = estimateWork(group);
  // Small strides cost shuffles, anything else a load for each lane.
  double share = 1;
  for (const Access &access : loops.accesses) {
    std::optional<int64_t> step = strideAlong(access, row);
    if (!access.map && readsRowsOnly(loops, row))
      step = 1;
    share = std::min(share, !step || *step > 4 ? 0 : *step > 1 ? 0.5 : 1.0);
  }
  // An accumulator is read and written for every few operations.
  double steps = estimateSize(loops.extents);
  double operations = cost.flops + steps;
  double length = std::max(1.0, estimateSize(loops.extents[row]));
  double lanes = std::max(1.0, share * std::min<double>(target.lanes(32), length));
  // Starting a loop over the row costs some cycles.
  constexpr double start = 10;
  double starts = steps / length * start;
  cost.ns = overlappedTime((operations / lanes + starts) / (2 * target.gigahertz),
                           cost.bytes / target.l3GBs);
  return cost;
}

LogicalResult AccumulateTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  Operation *anchor = nullptr;
  if (Match match = findReduction(kernel.group, anchor); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  std::optional<unsigned> row = findRow(*kernel.group.getSpec(anchor)->loops);
  if (!row)
    return kernel.group.getGroup()->emitOpError("reads no rows");
  AccumulateKernel(kernel, anchor, *row).emit();
  return success();
}

//===----------------------------------------------------------------------===//
// Accumulators
//===----------------------------------------------------------------------===//

/// Accumulators that memory holds as another type: bool as a byte, index as int64.
static Type storedType(OpBuilder &builder, Type type) {
  if (type.isIndex())
    return builder.getI64Type();
  return type.isInteger(1) ? Type(builder.getI8Type()) : type;
}

SmallVector<Value> AccumulateKernel::loadAccumulators(Value i) {
  Value at = arith::SubIOp::create(kernel.builder, kernel.loc, i, blockStart);
  SmallVector<Value> values;
  for (auto [view, init] : llvm::zip(accumulators, loops.init)) {
    Value value = kernel.loadAt(view, kernel.address(view, at));
    if (init.getType().isIndex())
      value = arith::IndexCastOp::create(kernel.builder, kernel.loc, init.getType(), value);
    else if (init.getType().isInteger(1))
      value = arith::TruncIOp::create(kernel.builder, kernel.loc, init.getType(), value);
    values.push_back(value);
  }
  return values;
}

void AccumulateKernel::storeAccumulators(Value i, ValueRange values) {
  Value at = arith::SubIOp::create(kernel.builder, kernel.loc, i, blockStart);
  for (auto [view, value] : llvm::zip(accumulators, values)) {
    Value stored = value;
    if (value.getType().isIndex())
      stored = arith::IndexCastOp::create(kernel.builder, kernel.loc, view.element, value);
    kernel.storeAt(view, kernel.address(view, at), stored);
  }
}

void AccumulateKernel::fill(Range block) {
  SmallVector<Value> initial;
  for (TypedAttr init : loops.init)
    initial.push_back(arith::ConstantOp::create(kernel.builder, kernel.loc, init));
  kernel.loop(block.first, block.end, [&](Value i) { storeAccumulators(i, initial); });
}

//===----------------------------------------------------------------------===//
// The reduction
//===----------------------------------------------------------------------===//

/// Takes the values `taps` of reduction loop `loop` into the accumulators of a
/// part of the row in which all reads are inside.
void AccumulateKernel::emitTaps(unsigned loop, ArrayRef<Value> taps, Range range) {
  kernel.loop(range.first, range.end, [&](Value i) {
    point[row] = i;
    SmallVector<Value> carried = loadAccumulators(i);
    for (Value tap : taps) {
      point[loop] = tap;
      SmallVector<Value> arguments = kernel.bodyArguments(anchor, loops, point);
      llvm::append_range(arguments, carried);
      carried = kernel.inlineRegion(*loops.body, arguments);
    }
    storeAccumulators(i, carried);
  });
}

/// The part of a range of the row in which no read at the current point falls
/// outside because of its position in the row.
Range AccumulateKernel::clip(Range range) {
  OpBuilder &b = kernel.builder;
  point[row] = kernel.index(0);
  for (const Access &access : loops.accesses) {
    if (access.bounds != Bounds::Skip)
      continue;
    SmallVector<Dim> dims = getDims(anchor->getOperand(access.operand));
    for (auto [axis, expr] : llvm::enumerate(access.map->getResults())) {
      int64_t step = *coefficientOf(expr, row);
      if (step == 0)
        continue;
      // 0 <= start + step * i < dim
      Value start = kernel.apply(expr, point, loops.symbols);
      Value before = arith::SubIOp::create(b, kernel.loc, kernel.index(0), start);
      Value left = arith::SubIOp::create(b, kernel.loc, kernel.size(dims[axis]), start);
      if (step != 1) {
        before = arith::CeilDivSIOp::create(b, kernel.loc, before, kernel.index(step));
        left = arith::CeilDivSIOp::create(b, kernel.loc, left, kernel.index(step));
      }
      range.first = max(range.first, before);
      range.end = min(range.end, left);
    }
  }
  return range;
}

/// i1: the reads whose place does not depend on the position in the row are inside.
/// Null if there are none.
Value AccumulateKernel::uniformCondition() {
  OpBuilder &b = kernel.builder;
  Value fits;
  for (const Access &access : loops.accesses) {
    if (access.bounds != Bounds::Skip)
      continue;
    SmallVector<Dim> dims = getDims(anchor->getOperand(access.operand));
    for (auto [axis, expr] : llvm::enumerate(access.map->getResults())) {
      if (*coefficientOf(expr, row) != 0)
        continue;
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (dim && loops.extents[dim.getPosition()] == dims[axis])
        continue;
      Value i = kernel.apply(expr, point, loops.symbols);
      // Unsigned: negative indices are above any size.
      Value here = arith::CmpIOp::create(b, kernel.loc, arith::CmpIPredicate::ult, i,
                                         kernel.size(dims[axis]));
      fits = fits ? arith::AndIOp::create(b, kernel.loc, fits, here).getResult() : here;
    }
  }
  return fits;
}

/// i1: the body does something at the current point; null: it always does.
Value AccumulateKernel::skipCondition() {
  Value condition = findCondition(loops, row);
  if (!condition)
    return {};
  point[row] = kernel.index(0);
  SmallVector<Value> arguments = kernel.bodyArguments(anchor, loops, point);
  IRMapping map;
  map.map(loops.body->front().getArguments().take_front(arguments.size()), arguments);
  auto clone = [&](auto &clone, Value value) -> void {
    Operation *op = value.getDefiningOp();
    if (map.contains(value) || !op)
      return;
    for (Value operand : op->getOperands())
      clone(clone, operand);
    if (auto size = dyn_cast<SizeOp>(op))
      map.map(value, kernel.size(size.getSize()));
    else
      kernel.builder.clone(*op, map);
  };
  clone(clone, condition);
  return map.lookup(condition);
}

/// The same where reads may fall outside: the middle of the row, in which none
/// does, takes all taps at once, the ends tap by tap.
void AccumulateKernel::emitClippedTaps(unsigned loop, ArrayRef<Value> taps, Range block) {
  SmallVector<Range> ranges;
  Range middle = block;
  for (Value tap : taps) {
    point[loop] = tap;
    ranges.push_back(clip(block));
    middle = {max(middle.first, ranges.back().first), min(middle.end, ranges.back().end)};
  }
  if (taps.size() == 1)
    return emitTaps(loop, taps, middle);
  middle.end = max(middle.first, middle.end);
  for (auto [tap, range] : llvm::zip(taps, ranges))
    emitTaps(loop, tap, {range.first, min(range.end, middle.first)});
  emitTaps(loop, taps, middle);
  for (auto [tap, range] : llvm::zip(taps, ranges))
    emitTaps(loop, tap, {max(range.first, middle.end), range.end});
}

/// The innermost reduction loop, several steps at a time.
void AccumulateKernel::reduceTaps(unsigned loop, Range block) {
  Dim extent = loops.extents[loop];
  bool clips = mayFallOutside();
  int64_t count = extent.tryConstant().value_or(0);
  auto take = [&](ArrayRef<Value> taps) {
    point[loop] = taps.front();
    auto body = [&] { clips ? emitClippedTaps(loop, taps, block) : emitTaps(loop, taps, block); };
    // Where the taps differ in what is uniform along the row, they come one by one.
    Value fits = clips ? uniformCondition() : Value();
    fits ? kernel.branch(fits, body) : body();
  };
  bool tapsShareRow = llvm::all_of(loops.accesses, [&](const Access &access) {
    return access.bounds != Bounds::Skip ||
           llvm::all_of(access.map->getResults(), [&](AffineExpr expr) {
             return !expr.isFunctionOfDim(loop) || *coefficientOf(expr, row) != 0;
           });
  });
  if (count > 0 && count <= kMostTaps && tapsShareRow) {
    SmallVector<Value> taps;
    for (int64_t i = 0; i < count; ++i)
      taps.push_back(kernel.index(i));
    return take(taps);
  }
  Value from = kernel.index(0), end = kernel.size(extent);
  if (findCondition(loops, row)) {
    kernel.loop(from, end, [&](Value k) {
      point[loop] = k;
      auto body = [&] { take(k); };
      kernel.branch(skipCondition(), body);
    });
    return;
  }
  if (!clips) {
    Dim whole = extent.floorDiv(kUnrolledTaps) * kernel.constant(kUnrolledTaps);
    kernel.loop(from, kernel.size(whole), kernel.index(kUnrolledTaps), [&](Value k) {
      SmallVector<Value> taps;
      for (int64_t i = 0; i < kUnrolledTaps; ++i)
        taps.push_back(kernel.add(k, kernel.index(i)));
      take(taps);
    });
    from = kernel.size(whole);
  }
  kernel.loop(from, end, [&](Value k) { take(k); });
}

void AccumulateKernel::reduce(size_t depth, Range block) {
  unsigned loop = reductions[depth];
  if (depth + 1 == reductions.size())
    return reduceTaps(loop, block);
  kernel.loop(kernel.index(0), kernel.size(loops.extents[loop]), [&](Value i) {
    point[loop] = i;
    reduce(depth + 1, block);
  });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// Results from the accumulators.
void AccumulateKernel::store(Range block) {
  for (unsigned loop : reductions)
    point[loop] = kernel.index(0); // not read
  kernel.loop(block.first, block.end, [&](Value i) {
    point[row] = i;
    SmallVector<Value> indices;
    for (auto [at, iterator] : llvm::zip(point, loops.iterators))
      if (iterator == Iterator::Parallel)
        indices.push_back(at);
    SmallVector<Value> values = kernel.finishPoint(anchor, loops, point, loadAccumulators(i));
    for (auto [result, value] : llvm::zip(anchor->getResults(), values))
      kernel.provide(result, indices, value);
    SmallVector<Value> elements;
    for (Value yielded : kernel.group.getYielded())
      elements.push_back(kernel.element(yielded, indices));
    for (auto [number, element] : llvm::enumerate(elements))
      kernel.store(number, indices, element);
  });
}

void AccumulateKernel::emitBlock(Range block) {
  blockStart = block.first;
  fill(block);
  reduce(0, block);
  store(block);
}

void AccumulateKernel::emit() {
  SmallVector<unsigned> outer;
  SmallVector<Dim> sizes;
  for (auto [i, iterator] : llvm::enumerate(loops.iterators)) {
    if (iterator == Iterator::Reduction) {
      reductions.push_back(i);
    } else if (i != row) {
      outer.push_back(i);
      sizes.push_back(loops.extents[i]);
    }
  }
  for (TypedAttr init : loops.init) {
    Type type = storedType(kernel.builder, init.getType());
    accumulators.push_back(code.scratch(type, kernel.constant(kRowBlock), kernel.constant(1)));
    kernel.markScratch(accumulators.back());
  }
  sizes.push_back(loops.extents[row].ceilDiv(kRowBlock));
  Dim total = product(kernel.builder.getContext(), sizes);
  kernel.partCount = countParts(kernel.group, getDims(anchor->getResult(0)), total);
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value linear) {
    SmallVector<Value> indices = kernel.delinearize(linear, sizes);
    for (auto [loop, i] : llvm::zip(outer, indices))
      point[loop] = i;
    Value start = kernel.mul(indices.back(), kernel.index(kRowBlock));
    Value stop = min(kernel.add(start, kernel.index(kRowBlock)), kernel.size(loops.extents[row]));
    emitBlock({start, stop});
  });
}

const Template &accumulateTemplate() {
  static const AccumulateTemplate instance;
  return instance;
}

} // namespace dsc
