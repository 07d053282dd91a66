//===- Pool.cpp - pooling: windows that slide along rows ------------------===//
//
// A reduction over windows whose body is acc = op(acc, f(x)), op being a sum, a maximum
// or a minimum. It is taken apart: first along the window's other axes, for every column
// that the windows of a row of the result touch, then along the row:
//
//   for o in outer:
//     columns[j] = op over kh of f(x[o * stride + kh, j])        edges: the identity of op
//     y[o, i] = epilogue(op over kw of columns[i * stride + kw])
//
// Reads beyond the edge are ranges of the columns, so there is no test in the inner loops,
// which are LLVM's to vectorise.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/VectorCode.h"

using namespace mlir;

namespace dsc {

namespace {

class PoolTemplate : public Template {
public:
  StringRef getName() const override { return "pool"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &) const override {
    return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
  }
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// What a pooling consists of.
struct PoolShape {
  Operation *anchor = nullptr;
  const LoopSpec *loops = nullptr;
  Operation *combine = nullptr; ///< of the body: op(acc, f(x))
  unsigned row = 0, tap = 0;    ///< loops along the row: of the result, of the window
  int64_t stride = 1, dilation = 0;
  int64_t taps = 1;
  SmallVector<unsigned> others; ///< the window's other loops

  static Match find(const GroupInfo &group, PoolShape &shape);
  const Access &access() const { return loops->accesses.front(); }
};

/// From `first` to before `end`.
struct Range {
  Value first, end;
};

class PoolKernel {
public:
  PoolKernel(KernelEmitter &kernel, const PoolShape &shape)
      : kernel(kernel), shape(shape), loops(*shape.loops),
        code(kernel, kernel.builder.getF32Type()), point(loops.numLoops(), kernel.index(0)) {}

  void emit();

private:
  void emitBlock(Range block);
  void fill(Range range);
  void reduceOthers(size_t depth, Range inside, bool isFirst);
  void addLines(unsigned loop, ArrayRef<Value> taps, Range inside, bool isFirst);
  void emitRow(Range block);

  Value combine(Value a, Value b);
  Value contribution(Value column);
  Value insideCondition();
  Value loadColumn(Value j);
  void storeColumn(Value j, Value value);
  Value index(int64_t value) { return kernel.index(value); }
  Value sub(Value a, Value b) { return arith::SubIOp::create(kernel.builder, kernel.loc, a, b); }
  Value max(Value a, Value b) { return arith::MaxSIOp::create(kernel.builder, kernel.loc, a, b); }
  Value min(Value a, Value b) { return arith::MinSIOp::create(kernel.builder, kernel.loc, a, b); }

  KernelEmitter &kernel;
  const PoolShape &shape;
  const LoopSpec &loops;
  VectorCode code;
  SmallVector<Value> point; ///< of all loops
  BufferView columns;
  Value firstColumn; ///< position in the operand's row of column 0; may be negative
};

} // namespace

/// Elements of a row of the result that are computed at a time.
static constexpr int64_t kBlock = 1024;
/// Steps of a window that become straight code.
static constexpr int64_t kMostTaps = 16, kMostLines = 8;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// Sets `combine` if the body is op(acc, f(x)) and f knows no position.
static bool matchBody(const LoopSpec &loops, Operation *&combine) {
  Block &body = loops.body->front();
  if (loops.init.size() != 1 || loops.init.front().getType().isInteger(1))
    return false;
  Value accumulator = body.getArguments().back();
  combine = body.getTerminator()->getOperand(0).getDefiningOp();
  if (!isa_and_present<arith::AddFOp, arith::MaximumFOp, arith::MinimumFOp, arith::AddIOp,
                       arith::MaxSIOp, arith::MaxUIOp, arith::MinSIOp, arith::MinUIOp>(combine) ||
      !accumulator.hasOneUse() || *accumulator.getUsers().begin() != combine ||
      combine->getOperand(0) == combine->getOperand(1))
    return false;
  for (unsigned loop = 0; loop < loops.numLoops(); ++loop)
    if (!body.getArgument(loop).use_empty())
      return false;
  return llvm::all_of(body.without_terminator(), [](Operation &op) {
    return isa<arith::ArithDialect, math::MathDialect>(op.getDialect());
  });
}

Match PoolShape::find(const GroupInfo &group, PoolShape &shape) {
  if (Match found = findReduction(group, shape.anchor); !found)
    return found;
  const Spec &spec = *group.getSpec(shape.anchor);
  shape.loops = spec.loops.get();
  const LoopSpec &loops = *shape.loops;
  if (spec.kind != SpecKind::Window || loops.accesses.size() != 1 || !loops.accesses[0].map)
    return Match::no("not a reduction over windows");
  if (!matchBody(loops, shape.combine))
    return Match::no("not a sum or an extremum");
  bool hasRow = false, hasTap = false;
  ArrayRef<AffineExpr> exprs = loops.accesses[0].map->getResults();
  AffineExpr last = exprs.back();
  for (unsigned loop = 0; loop < loops.numLoops(); ++loop) {
    bool isAlongRow = last.isFunctionOfDim(loop);
    bool isElsewhere = llvm::any_of(exprs.drop_back(),
                                    [&](AffineExpr expr) { return expr.isFunctionOfDim(loop); });
    bool isReduction = loops.iterators[loop] == Iterator::Reduction;
    if (isReduction && !isAlongRow)
      shape.others.push_back(loop);
    if (!isAlongRow)
      continue;
    bool &has = isReduction ? hasTap : hasRow;
    int64_t step = coefficientOf(last, loop).value_or(0);
    if (has || isElsewhere || step < 1)
      return Match::no("windows do not slide along the operand's rows");
    has = true;
    (isReduction ? shape.tap : shape.row) = loop;
    (isReduction ? shape.dilation : shape.stride) = step;
  }
  bool isInnermost = hasRow;
  for (unsigned loop = shape.row + 1; hasRow && loop < loops.numLoops(); ++loop)
    isInnermost &=
        loops.iterators[loop] == Iterator::Reduction || loops.extents[loop].isConstant(1);
  if (!hasTap || !isInnermost)
    return Match::no("windows do not slide along the operand's rows");
  shape.taps = loops.extents[shape.tap].tryConstant().value_or(kMostTaps + 1);
  return shape.taps <= kMostTaps ? Match::yes() : Match::no("windows are long");
}

Match PoolTemplate::match(const GroupInfo &group, const Target &) const {
  PoolShape shape;
  return PoolShape::find(group, shape);
}

Cost PoolTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  PoolShape shape;
  (void)PoolShape::find(group, shape);
  Cost cost = estimateWork(group);
  // A load and an operation for each line and tap.
  double points = estimateSize(getDims(shape.anchor->getResult(0))), lines = 1;
  for (unsigned loop : shape.others)
    lines *= estimateSize(shape.loops->extents[loop]);
  double steps =
      points * (lines * static_cast<double>(shape.stride) + 2 * static_cast<double>(shape.taps));
  double cycles = 2 * steps / static_cast<double>(target.lanes(32));
  cost.ns = overlappedTime(cycles / (2 * target.gigahertz), cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Scalar code
//===----------------------------------------------------------------------===//

Value PoolKernel::combine(Value a, Value b) {
  IRMapping map;
  map.map(shape.combine->getOperand(0), a);
  map.map(shape.combine->getOperand(1), b);
  Operation *op = kernel.builder.clone(*shape.combine, map);
  // Which of +0 and -0 is the largest is not worth an instruction.
  if (isa<arith::MaximumFOp, arith::MinimumFOp>(op))
    op->setAttr("fastmath",
                arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::nsz));
  return op->getResult(0);
}

/// f(x) at a column, at the current point of the other loops.
Value PoolKernel::contribution(Value column) {
  SmallVector<Value> indices;
  ArrayRef<AffineExpr> exprs = shape.access().map->getResults();
  for (AffineExpr expr : exprs.drop_back())
    indices.push_back(kernel.apply(expr, point, loops.symbols));
  indices.push_back(kernel.add(firstColumn, column));
  Value x = kernel.element(shape.anchor->getOperand(shape.access().operand), indices);
  Block &body = loops.body->front();
  IRMapping map;
  map.map(body.getArgument(loops.numLoops()), x);
  for (Operation &op : body.without_terminator())
    if (&op != shape.combine)
      kernel.builder.clone(op, map);
  Value accumulator = body.getArguments().back();
  bool isLeft = shape.combine->getOperand(0) == accumulator;
  return map.lookupOrDefault(shape.combine->getOperand(isLeft ? 1 : 0));
}

/// i1: the current point is inside along all axes but the last. Null if it always is.
Value PoolKernel::insideCondition() {
  if (shape.access().bounds != Bounds::Skip)
    return {};
  OpBuilder &b = kernel.builder;
  Value fits;
  SmallVector<Dim> dims = getDims(shape.anchor->getOperand(shape.access().operand));
  ArrayRef<AffineExpr> exprs = shape.access().map->getResults();
  for (auto [axis, expr] : llvm::enumerate(exprs.drop_back())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (dim && loops.extents[dim.getPosition()] == dims[axis])
      continue;
    Value i = kernel.apply(expr, point, loops.symbols);
    // Unsigned: negative indices are above any size.
    Value here =
        arith::CmpIOp::create(b, kernel.loc, arith::CmpIPredicate::ult, i, kernel.size(dims[axis]));
    fits = fits ? arith::AndIOp::create(b, kernel.loc, fits, here).getResult() : here;
  }
  return fits;
}

Value PoolKernel::loadColumn(Value j) {
  Value value = kernel.loadAt(columns, kernel.address(columns, j));
  if (loops.init.front().getType().isIndex())
    value = arith::IndexCastOp::create(kernel.builder, kernel.loc, kernel.builder.getIndexType(),
                                       value);
  return value;
}

void PoolKernel::storeColumn(Value j, Value value) {
  if (value.getType().isIndex())
    value = arith::IndexCastOp::create(kernel.builder, kernel.loc, columns.element, value);
  kernel.storeAt(columns, kernel.address(columns, j), value);
}

//===----------------------------------------------------------------------===//
// Columns
//===----------------------------------------------------------------------===//

/// Columns that nothing contributes to.
void PoolKernel::fill(Range range) {
  Value identity = arith::ConstantOp::create(kernel.builder, kernel.loc, loops.init.front());
  kernel.loop(range.first, range.end, [&](Value j) { storeColumn(j, identity); });
}

/// Takes the lines at `taps` of a loop, at least one, into the columns; `isFirst`: nothing
/// is in them.
void PoolKernel::addLines(unsigned loop, ArrayRef<Value> taps, Range inside, bool isFirst) {
  assert(!taps.empty() && "no lines");
  kernel.loop(inside.first, inside.end, [&](Value j) {
    Value sum;
    for (Value tap : taps) {
      point[loop] = tap;
      Value mine = contribution(j);
      sum = sum ? combine(sum, mine) : mine;
    }
    storeColumn(j, isFirst ? sum : combine(loadColumn(j), sum));
  });
}

/// Reduces along the window's other loops from number `depth` on.
void PoolKernel::reduceOthers(size_t depth, Range inside, bool isFirst) {
  if (shape.others.empty()) {
    kernel.loop(inside.first, inside.end, [&](Value j) { storeColumn(j, contribution(j)); });
    return;
  }
  unsigned loop = shape.others[depth];
  Dim extent = loops.extents[loop];
  if (depth + 1 < shape.others.size()) {
    if (isFirst)
      fill(inside);
    kernel.loop(index(0), kernel.size(extent), [&](Value i) {
      point[loop] = i;
      reduceOthers(depth + 1, inside, /*isFirst=*/false);
    });
    return;
  }
  auto addOne = [&](Value tap) {
    point[loop] = tap;
    auto add = [&] { addLines(loop, tap, inside, /*isFirst=*/false); };
    Value fits = insideCondition();
    fits ? kernel.branch(fits, add) : add();
  };
  int64_t count = extent.tryConstant().value_or(0);
  if (count < 1 || count > kMostLines) {
    if (isFirst)
      fill(inside);
    kernel.loop(index(0), kernel.size(extent), addOne);
    return;
  }
  SmallVector<Value> taps;
  Value allFit;
  for (int64_t i = 0; i < count; ++i) {
    taps.push_back(index(i));
    point[loop] = taps.back();
    Value fits = insideCondition();
    allFit =
        allFit ? arith::AndIOp::create(kernel.builder, kernel.loc, allFit, fits).getResult() : fits;
  }
  auto addAll = [&] { addLines(loop, taps, inside, isFirst); };
  auto addEach = [&] {
    if (isFirst)
      fill(inside);
    llvm::for_each(taps, addOne);
  };
  allFit ? kernel.branch(allFit, addAll, addEach) : addAll();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

/// The results of a block from its columns.
void PoolKernel::emitRow(Range block) {
  for (auto [loop, iterator] : llvm::enumerate(loops.iterators))
    if (iterator == Iterator::Reduction)
      point[loop] = index(0); // not read
  kernel.loop(block.first, block.end, [&](Value i) {
    point[shape.row] = i;
    Value start = kernel.mul(sub(i, block.first), index(shape.stride)), sum;
    for (int64_t tap = 0; tap < shape.taps; ++tap) {
      Value column = loadColumn(kernel.add(start, index(tap * shape.dilation)));
      sum = sum ? combine(sum, column) : column;
    }
    SmallVector<Value> indices;
    for (auto [at, iterator] : llvm::zip(point, loops.iterators))
      if (iterator == Iterator::Parallel)
        indices.push_back(at);
    SmallVector<Value> values = kernel.finishPoint(shape.anchor, loops, point, sum);
    kernel.provide(shape.anchor->getResult(0), indices, values.front());
    SmallVector<Value> elements;
    for (Value yielded : kernel.group.getYielded())
      elements.push_back(kernel.element(yielded, indices));
    for (auto [number, element] : llvm::enumerate(elements))
      kernel.store(number, indices, element);
  });
}

void PoolKernel::emitBlock(Range block) {
  point[shape.row] = block.first;
  point[shape.tap] = index(0);
  firstColumn = kernel.apply(shape.access().map->getResults().back(), point, loops.symbols);
  Value last = sub(sub(block.end, block.first), index(1));
  Value count = kernel.add(kernel.mul(last, index(shape.stride)),
                           index((shape.taps - 1) * shape.dilation + 1));
  Range inside = {index(0), count};
  if (shape.access().bounds == Bounds::Skip) {
    Dim size = getDims(shape.anchor->getOperand(shape.access().operand)).back();
    inside.first = min(max(sub(index(0), firstColumn), index(0)), count);
    inside.end = max(min(sub(kernel.size(size), firstColumn), count), inside.first);
    fill({index(0), inside.first});
    fill({inside.end, count});
  }
  reduceOthers(0, inside, /*isFirst=*/true);
  emitRow(block);
}

void PoolKernel::emit() {
  Type type = loops.init.front().getType();
  if (type.isIndex())
    type = kernel.builder.getI64Type();
  int64_t most = (kBlock - 1) * shape.stride + (shape.taps - 1) * shape.dilation + 1;
  columns = code.scratch(type, kernel.constant(most), kernel.constant(1));
  kernel.markScratch(columns);
  SmallVector<unsigned> outer;
  SmallVector<Dim> sizes;
  for (auto [i, iterator] : llvm::enumerate(loops.iterators))
    if (iterator == Iterator::Parallel && i != shape.row) {
      outer.push_back(i);
      sizes.push_back(loops.extents[i]);
    }
  sizes.push_back(loops.extents[shape.row].ceilDiv(kBlock));
  Dim total = product(kernel.builder.getContext(), sizes);
  kernel.partCount = countParts(kernel.group, getDims(shape.anchor->getResult(0)), total);
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value linear) {
    SmallVector<Value> indices = kernel.delinearize(linear, sizes);
    for (auto [loop, i] : llvm::zip(outer, indices))
      point[loop] = i;
    Value start = kernel.mul(indices.back(), index(kBlock));
    Value stop = min(kernel.add(start, index(kBlock)), kernel.size(loops.extents[shape.row]));
    emitBlock({start, stop});
  });
}

LogicalResult PoolTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  PoolShape shape;
  (void)PoolShape::find(kernel.group, shape);
  PoolKernel(kernel, shape).emit();
  return success();
}

const Template &poolTemplate() {
  static const PoolTemplate instance;
  return instance;
}

} // namespace dsc
