//===- Transpose.cpp - transposes through vector registers ----------------===//
//
// One op that reads its operand at permuted axes, where the innermost axes of operand
// and result differ. Axes that stay next to each other count as one. In the plane of the
// two innermost axes squares of vectors are transposed in registers:
//
//   for block of 64 columns p:  for 8 rows q:  for 8 of the columns:
//     8 vectors of x along q  =>  8 vectors of y along p
//
// A block's lines of the operand stay in the L1 cache from one q to the next. Where it is
// known how many rows and columns are left at the ends, they are squares that are not full.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/VectorCode.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace dsc {

namespace {

class TransposeTemplate : public Template {
public:
  StringRef getName() const override { return "transpose"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &) const override {
    return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
  }
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// Axes of the result that lie behind each other in the operand too.
struct Run {
  SmallVector<unsigned> axes;   ///< of the result
  SmallVector<unsigned> source; ///< of the operand
  Dim extent;
};

/// The permutation in its simplest form.
struct Permutation {
  Operation *op = nullptr;
  Value operand;
  SmallVector<Run> runs;  ///< in the result's order
  unsigned innermost = 0; ///< the run that is the operand's last

  static Match find(const GroupInfo &group, Permutation &permutation);
};

class TransposeKernel {
public:
  TransposeKernel(KernelEmitter &kernel, const Permutation &permutation);
  void emit();

private:
  void emitBlock(Value from, Value to);
  void emitRows(Value q, int64_t count, Value from, Value whole, Value to);
  void emitSquare(Value q, Value p, int64_t rows, int64_t columns);
  void storeLanes(Value address, Value vector, int64_t count);
  void emitColumn(Value q, Value p);
  void emitElement(Value q, Value p);
  Value place(const BufferView &view, bool isResult, Value q, Value p);

  KernelEmitter &kernel;
  const Permutation &permutation;
  VectorCode code;
  BufferView x, y; ///< of integers as wide as the elements
  int64_t lanes;
  SmallVector<Value> at; ///< index of each run
};

} // namespace

/// Columns of a block.
static constexpr int64_t kBlock = 64;

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

Match Permutation::find(const GroupInfo &group, Permutation &permutation) {
  Block &body = group.getBody();
  if (!llvm::hasSingleElement(body.without_terminator()))
    return Match::no("more than one op");
  Operation *op = &body.front();
  const Spec *spec = group.getSpec(op);
  if (!spec || spec->kind != SpecKind::Move || !spec->loops || spec->loops->accesses.size() != 1)
    return Match::no("not a transpose");
  const LoopSpec &loops = *spec->loops;
  const Access &access = loops.accesses.front();
  if (!access.map || !access.map->isPermutation() ||
      !isa<BlockArgument>(loops.body->front().getTerminator()->getOperand(0)))
    return Match::no("not a transpose");
  permutation.op = op;
  permutation.operand = op->getOperand(access.operand);
  // Axes of one element may lie anywhere.
  SmallVector<unsigned> sourceOf(loops.numLoops()), order(loops.numLoops());
  unsigned numLong = 0;
  for (auto [axis, expr] : llvm::enumerate(access.map->getResults())) {
    unsigned loop = cast<AffineDimExpr>(expr).getPosition();
    sourceOf[loop] = axis;
    order[loop] = loops.extents[loop].isConstant(1) ? 0 : ++numLong;
  }
  for (unsigned loop = 0; loop < loops.numLoops(); ++loop) {
    if (order[loop] == 0)
      continue;
    SmallVector<Run> &runs = permutation.runs;
    if (runs.empty() || order[loop] != order[runs.back().axes.back()] + 1) {
      runs.push_back({{loop}, {sourceOf[loop]}, loops.extents[loop]});
    } else {
      runs.back().axes.push_back(loop);
      runs.back().source.push_back(sourceOf[loop]);
      runs.back().extent = runs.back().extent * loops.extents[loop];
    }
    if (order[loop] == numLong)
      permutation.innermost = runs.size() - 1;
  }
  if (permutation.runs.empty() || permutation.innermost + 1 == permutation.runs.size())
    return Match::no("what lies next to each other stays so");
  return Match::yes();
}

/// Rows and columns of a square: what fits into the registers.
static int64_t squareSize(Type element, const Target &target) {
  int64_t bits = element.isInteger(1) ? 8 : element.getIntOrFloatBitWidth();
  return std::min<int64_t>({target.lanes(bits), 8, target.vectorRegisters / 2});
}

Match TransposeTemplate::match(const GroupInfo &group, const Target &) const {
  Permutation permutation;
  if (Match match = Permutation::find(group, permutation); !match)
    return match;
  return Match::yes();
}

/// Share of a square that is used where an axis is shorter.
static double usedShare(const Permutation &permutation, const Target &target) {
  int64_t size = squareSize(getElementType(permutation.operand), target);
  double share = 1;
  for (const Run &run : {permutation.runs[permutation.innermost], permutation.runs.back()}) {
    int64_t extent = std::max<int64_t>(1, run.extent.tryConstant().value_or(size));
    share *= std::min(1.0, static_cast<double>(extent) / static_cast<double>(size));
  }
  return share;
}

Cost TransposeTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Cost cost = estimateWork(group);
  Permutation permutation;
  (void)Permutation::find(group, permutation);
  double cyclesPerElement = 0.4 / usedShare(permutation, target);
  double points = estimateSize(getDims(group.getGroup()->getResult(0)));
  cost.ns = overlappedTime(points * cyclesPerElement / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

TransposeKernel::TransposeKernel(KernelEmitter &kernel, const Permutation &permutation)
    : kernel(kernel), permutation(permutation), code(kernel, kernel.builder.getF32Type()),
      x(kernel.view(permutation.operand)), y(kernel.resultView(0)),
      lanes(squareSize(getElementType(permutation.operand), kernel.target)),
      at(permutation.runs.size(), kernel.index(0)) {
  x.element = y.element = kernel.builder.getIntegerType(x.element.getIntOrFloatBitWidth());
}

/// The address in the operand or the result at `q` of the run that is the operand's
/// last, `p` of the one that is the result's.
Value TransposeKernel::place(const BufferView &view, bool isResult, Value q, Value p) {
  SmallVector<Value> indices(view.strides.size(), kernel.index(0));
  at[permutation.innermost] = q;
  at.back() = p;
  // A position in a run is an index of its last axis.
  for (auto [run, index] : llvm::zip(permutation.runs, at))
    indices[isResult ? run.axes.back() : run.source.back()] = index;
  return kernel.address(view, indices);
}

void TransposeKernel::emitElement(Value q, Value p) {
  Value element = kernel.loadAt(x, place(x, false, q, p));
  kernel.storeAt(y, place(y, true, q, p), element);
}

/// A vector of the operand becomes a column.
void TransposeKernel::emitColumn(Value q, Value p) {
  Value vector = code.load(x, place(x, false, q, p), lanes);
  for (int64_t i = 0; i < lanes; ++i) {
    Value element = vector::ExtractOp::create(kernel.builder, kernel.loc, vector, i);
    kernel.storeAt(y, place(y, true, kernel.add(q, kernel.index(i)), p), element);
  }
}

/// Stores the first lanes of a vector, in pieces of powers of two: some processors take
/// very long for stores with masks.
void TransposeKernel::storeLanes(Value address, Value vector, int64_t count) {
  for (int64_t first = 0, width = lanes; first < count; width /= 2) {
    if (first + width > count)
      continue;
    auto piece = llvm::to_vector(llvm::seq<int64_t>(first, first + width));
    Value part = width == lanes
                     ? vector
                     : vector::ShuffleOp::create(kernel.builder, kernel.loc, vector, vector, piece);
    code.store(y, code.advance(y, address, kernel.index(first)), part);
    first += width;
  }
}

/// `rows` vectors of the result, of `columns` elements each.
void TransposeKernel::emitSquare(Value q, Value p, int64_t rows, int64_t columns) {
  SmallVector<Value> vectors;
  Value loaded =
      rows < lanes ? code.maskBelow(kernel.index(0), kernel.index(rows), lanes) : Value();
  for (int64_t i = 0; i < columns; ++i) {
    Value from = place(x, false, q, kernel.add(p, kernel.index(i)));
    vectors.push_back(loaded ? code.load(x, from, lanes, loaded) : code.load(x, from, lanes));
  }
  // What fills the square is not stored.
  vectors.resize(lanes, vectors.front());
  code.transposeSquare(vectors);
  for (int64_t i = 0; i < rows; ++i)
    storeLanes(place(y, true, kernel.add(q, kernel.index(i)), p), vectors[i], columns);
}

/// body(i) for `first`, `first` + `step` ... before `end`.
static void forSteps(KernelEmitter &kernel, Value first, Value end, int64_t step,
                     function_ref<void(Value)> body) {
  kernel.loop(first, end, kernel.index(step), [&](Value i) { body(i); });
}

/// `count` rows of the result, at most a square's: columns in squares up to `whole`, then
/// those up to `to`.
void TransposeKernel::emitRows(Value q, int64_t count, Value from, Value whole, Value to) {
  forSteps(kernel, from, whole, lanes, [&](Value p) { emitSquare(q, p, count, lanes); });
  std::optional<int64_t> columns = permutation.runs.back().extent.tryConstant();
  if (columns && *columns % lanes == 0)
    return;
  if (columns)
    return forSteps(kernel, whole, to, lanes,
                    [&](Value p) { emitSquare(q, p, count, *columns % lanes); });
  if (count == lanes)
    return forSteps(kernel, whole, to, 1, [&](Value p) { emitColumn(q, p); });
  for (int64_t i = 0; i < count; ++i)
    forSteps(kernel, whole, to, 1,
             [&](Value p) { emitElement(kernel.add(q, kernel.index(i)), p); });
}

/// Columns `from` to before `to`.
void TransposeKernel::emitBlock(Value from, Value to) {
  OpBuilder &b = kernel.builder;
  auto roundDown = [&](Value count) -> Value {
    Value squares = arith::DivUIOp::create(b, kernel.loc, count, kernel.index(lanes));
    return kernel.mul(squares, kernel.index(lanes));
  };
  Dim extent = permutation.runs[permutation.innermost].extent;
  Value rows = kernel.size(extent), wholeRows = roundDown(rows);
  Value whole = kernel.add(from, roundDown(arith::SubIOp::create(b, kernel.loc, to, from)));
  forSteps(kernel, kernel.index(0), wholeRows, lanes,
           [&](Value q) { emitRows(q, lanes, from, whole, to); });
  if (!extent.isConstant())
    forSteps(kernel, wholeRows, rows, 1,
             [&](Value q) { forSteps(kernel, from, to, 1, [&](Value p) { emitElement(q, p); }); });
  else if (int64_t left = extent.getConstant() % lanes; left > 0)
    emitRows(kernel.index(extent.getConstant() - left), left, from, whole, to);
}

void TransposeKernel::emit() {
  SmallVector<unsigned> outer;
  SmallVector<Dim> sizes;
  for (unsigned run = 0; run + 1 < permutation.runs.size(); ++run)
    if (run != permutation.innermost) {
      outer.push_back(run);
      sizes.push_back(permutation.runs[run].extent);
    }
  Dim columns = permutation.runs.back().extent;
  sizes.push_back(columns.ceilDiv(kBlock));
  Dim total = product(kernel.builder.getContext(), sizes);
  kernel.partCount =
      countParts(kernel.group, getDims(kernel.group.getGroup()->getResult(0)), total);
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value linear) {
    SmallVector<Value> indices = kernel.delinearize(linear, sizes);
    for (auto [run, index] : llvm::zip(outer, indices))
      at[run] = index;
    Value from = kernel.mul(indices.back(), kernel.index(kBlock));
    Value to = arith::MinSIOp::create(kernel.builder, kernel.loc,
                                      kernel.add(from, kernel.index(kBlock)), kernel.size(columns));
    emitBlock(from, to);
  });
}

LogicalResult TransposeTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  Permutation permutation;
  (void)Permutation::find(kernel.group, permutation);
  TransposeKernel(kernel, permutation).emit();
  return success();
}

const Template &transposeTemplate() {
  static const TransposeTemplate instance;
  return instance;
}

} // namespace dsc
