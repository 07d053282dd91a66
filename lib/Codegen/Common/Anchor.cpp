//===- Anchor.cpp - groups that are one sum of products and its epilogue --===//
#include "dsc/Codegen/Common/Anchor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Match
//===----------------------------------------------------------------------===//

/// `value` before it was extended to float32.
static Value beforeWidening(Value value) {
  auto extended = value.getDefiningOp<arith::ExtFOp>();
  return extended ? extended.getIn() : value;
}

/// accumulator + a * b in float32, from 0; with `mayWiden`, of extended 16-bit floats.
static bool isSumOfProducts(const LoopSpec &loops, bool mayWiden) {
  if (loops.accesses.size() != 2 || loops.init.size() != 1)
    return false;
  auto init = dyn_cast<FloatAttr>(loops.init.front());
  if (!init || !init.getType().isF32() || !init.getValue().isPosZero())
    return false;
  Block &body = loops.body->front();
  unsigned first = loops.numLoops();
  Value a = body.getArgument(first), b = body.getArgument(first + 1);
  Value accumulator = body.getArgument(first + 2);
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add || (add.getLhs() != accumulator && add.getRhs() != accumulator))
    return false;
  Value product = add.getLhs() == accumulator ? add.getRhs() : add.getLhs();
  auto mul = product.getDefiningOp<arith::MulFOp>();
  if (!mul)
    return false;
  Value left = mayWiden ? beforeWidening(mul.getLhs()) : mul.getLhs();
  Value right = mayWiden ? beforeWidening(mul.getRhs()) : mul.getRhs();
  return (left == a && right == b) || (left == b && right == a);
}

/// x where value = (x << 16) >> 16, the low half of a pair, or value = x >> 16.
static Value halfOf(Value value, bool isLow) {
  auto shiftedBy16 = [](Operation *op) { return op && isConstantIntValue(op->getOperand(1), 16); };
  auto right = value.getDefiningOp<arith::ShRSIOp>();
  if (!shiftedBy16(right) || !isLow)
    return shiftedBy16(right) ? right.getLhs() : Value();
  auto left = right.getLhs().getDefiningOp<arith::ShLIOp>();
  return shiftedBy16(left) ? left.getLhs() : Value();
}

/// accumulator + (low(a) * low(b) + high(a) * high(b)) in int32, from 0.
static bool isSumOfPairProducts(const LoopSpec &loops) {
  if (loops.accesses.size() != 2 || loops.init.size() != 1)
    return false;
  auto init = dyn_cast<IntegerAttr>(loops.init.front());
  if (!init || !init.getType().isInteger(32) || !init.getValue().isZero())
    return false;
  Block &body = loops.body->front();
  unsigned first = loops.numLoops();
  Value a = body.getArgument(first), b = body.getArgument(first + 1);
  auto total = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddIOp>();
  auto both = total ? total.getRhs().getDefiningOp<arith::AddIOp>() : arith::AddIOp();
  if (!both || total.getLhs() != body.getArgument(first + 2))
    return false;
  auto isProduct = [&](Value value, bool isLow) {
    auto mul = value.getDefiningOp<arith::MulIOp>();
    return mul && halfOf(mul.getLhs(), isLow) == a && halfOf(mul.getRhs(), isLow) == b;
  };
  return isProduct(both.getLhs(), true) && isProduct(both.getRhs(), false);
}

/// Whether `op` is part of an epilogue; `mapped` are the tensors with one element
/// for each of the anchor's.
static bool isEpilogue(const GroupInfo &group, Operation *op, llvm::DenseSet<Value> &mapped) {
  const Spec *spec = group.getSpec(op);
  if (!spec || !spec->loops || spec->loops->hasReduction() ||
      llvm::is_contained(spec->loops->iterators, Iterator::Scan))
    return false;
  SmallVector<Dim> dims = getDims(*mapped.begin());
  bool reads = false;
  for (const Access &access : spec->loops->accesses) {
    Value operand = op->getOperand(access.operand);
    if (!mapped.contains(operand))
      continue;
    reads = true;
    if (!access.map || !access.map->isIdentity() || spec->loops->extents != dims ||
        llvm::is_contained(access.mayBroadcast, true))
      return false;
  }
  if (reads)
    mapped.insert(op->result_begin(), op->result_end());
  return true;
}

Match findAnchor(const GroupInfo &group, ArrayRef<SpecKind> kinds, Operation *&anchor,
                 bool mayWiden, bool mayPair) {
  anchor = nullptr;
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops || !llvm::is_contained(kinds, spec->kind))
      continue;
    if (anchor)
      return Match::no("more than one sum of products");
    anchor = &op;
  }
  if (!anchor)
    return Match::no("no sum of products");
  const LoopSpec &loops = *group.getSpec(anchor)->loops;
  if (!isSumOfProducts(loops, mayWiden) && !(mayPair && isSumOfPairProducts(loops)))
    return Match::no("not a plain sum of products in float32");
  for (const Access &access : loops.accesses)
    if (!access.map || group.contains(anchor->getOperand(access.operand)))
      return Match::no("an operand is computed in the group");
  llvm::DenseSet<Value> mapped = {anchor->getResult(0)};
  for (Operation &op : group.getBody().without_terminator())
    if (&op != anchor && !isEpilogue(group, &op, mapped))
      return Match::no("something else than a map of the products' sums");
  for (Value yielded : group.getYielded())
    if (!mapped.contains(yielded))
      return Match::no("a result is not computed from the products' sums");
  return Match::yes();
}

/// Whether an op can be computed where its results are read.
static bool isMap(const Spec *spec) {
  return spec && spec->loops && !spec->loops->hasReduction() &&
         !llvm::is_contained(spec->loops->iterators, Iterator::Scan);
}

Match findReduction(const GroupInfo &group, Operation *&anchor) {
  anchor = nullptr;
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (isMap(spec))
      continue;
    if (anchor || !spec || !spec->loops || !spec->loops->hasReduction() ||
        llvm::is_contained(spec->loops->iterators, Iterator::Scan))
      return Match::no("not one reduction and maps");
    anchor = &op;
  }
  if (!anchor)
    return Match::no("no reduction");
  llvm::DenseSet<Value> mapped(anchor->result_begin(), anchor->result_end());
  for (Operation &op : group.getBody().without_terminator())
    if (&op != anchor && !isEpilogue(group, &op, mapped))
      return Match::no("something reads the reduction's result in another order");
  for (Value yielded : group.getYielded())
    if (!mapped.contains(yielded))
      return Match::no("a result is not computed from the reduction's");
  return Match::yes();
}

bool dependsOn(const Access &access, unsigned loop) {
  return llvm::any_of(access.map->getResults(),
                      [&](AffineExpr expr) { return expr.isFunctionOfDim(loop); });
}

unsigned findColumnOperand(const LoopSpec &loops) {
  unsigned found = 1;
  for (unsigned i = 0; i < loops.numLoops(); ++i)
    if (loops.iterators[i] == Iterator::Parallel)
      found = dependsOn(loops.accesses[1], i) || !dependsOn(loops.accesses[0], i) ? 1 : 0;
  return found;
}

std::optional<int64_t> coefficientOf(AffineExpr expr, unsigned loop) {
  if (!expr.isFunctionOfDim(loop))
    return 0;
  if (isa<AffineDimExpr>(expr))
    return 1;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return std::nullopt;
  auto left = coefficientOf(binary.getLHS(), loop);
  if (expr.getKind() == AffineExprKind::Add) {
    auto right = coefficientOf(binary.getRHS(), loop);
    return left && right ? std::optional(*left + *right) : std::nullopt;
  }
  auto factor = dyn_cast<AffineConstantExpr>(binary.getRHS());
  if (expr.getKind() != AffineExprKind::Mul || !factor || !left)
    return std::nullopt;
  return *left * factor.getValue();
}

std::optional<int64_t> strideAlong(const Access &access, unsigned loop) {
  if (!access.map)
    return std::nullopt;
  int64_t stride = 0;
  ArrayRef<AffineExpr> results = access.map->getResults();
  for (auto [axis, expr] : llvm::enumerate(results)) {
    std::optional<int64_t> step = coefficientOf(expr, loop);
    if (!step || (*step != 0 && axis + 1 != results.size()))
      return std::nullopt;
    stride = *step;
  }
  return stride;
}

bool dependsOn(Value value, BlockArgument argument) {
  if (value == argument)
    return true;
  Operation *op = value.getDefiningOp();
  return op && llvm::any_of(op->getOperands(),
                            [&](Value operand) { return dependsOn(operand, argument); });
}

bool readsRows(AtOp read, BlockArgument loop) {
  OperandRange indices = read.getIndices();
  if (llvm::none_of(indices, [&](Value index) { return dependsOn(index, loop); }))
    return true;
  std::optional<ShiftedIndex> last = matchShiftedIndex(indices.back());
  return last && last->loop == loop &&
         llvm::none_of(indices.drop_back(), [&](Value index) { return dependsOn(index, loop); });
}

bool isContiguousAlong(const Access &access, unsigned loop) {
  std::optional<int64_t> stride = strideAlong(access, loop);
  return stride == 0 || stride == 1;
}

Dim strideOfAxis(ArrayRef<Dim> dims, unsigned axis) {
  return product(dims.front().getContext(), dims.drop_front(axis + 1));
}

double overlappedTime(double workNs, double memoryNs) {
  return std::max(workNs, memoryNs) + 0.25 * std::min(workNs, memoryNs);
}

void annotateVectorLoop(KernelEmitter &kernel, int64_t width, int64_t interleave) {
  Operation *op = &*std::prev(kernel.builder.getInsertionPoint());
  MLIRContext *context = op->getContext();
  auto number = [&](int64_t value) { return kernel.builder.getI32IntegerAttr(value); };
  BoolAttr yes = kernel.builder.getBoolAttr(true);
  // Only a width: where vectors are impossible that is no reason for a warning.
  auto vectorize = LLVM::LoopVectorizeAttr::get(context, /*disable=*/{}, /*predicateEnable=*/{},
                                                /*scalableEnable=*/{}, number(width), {}, {}, {});
  auto count = LLVM::LoopInterleaveAttr::get(context, number(interleave));
  auto unroll = LLVM::LoopUnrollAttr::get(context, /*disable=*/yes, {}, {}, {}, {}, {}, {});
  auto annotation = LLVM::LoopAnnotationAttr::get(context, {}, vectorize, count, unroll, {}, {}, {},
                                                  {}, {}, {}, {}, {}, {}, {}, {});
  cast<scf::ForOp>(op)->setAttr("llvm.loop_annotation", annotation);
}

} // namespace dsc
