//===- LoopNest.cpp - one loop nest for results of one shape --------------===//
#include "LoopNest.h"

#include "Tables.h"
#include "dsc/Codegen/Common/ElementByElement.h"
#include "dsc/Codegen/Common/Template.h"

using namespace mlir;

namespace dsc {

unsigned LoopNest::countParallel(ArrayRef<Dim> dims) {
  if (dims.size() <= 1)
    return dims.size();
  // The loops that a vector goes along stay whole: of sizes of the run all others may be 1.
  bool isShort = dims.back().tryConstant().value_or(kShortLoop + 1) <= kShortLoop;
  size_t most = dims.size() - (isShort && dims.size() > 3 ? 2 : 1);
  double known = 1;
  unsigned count = 0;
  while (count < most && known < 64) {
    known *= dims[count].tryConstant().value_or(1);
    ++count;
  }
  return count;
}

void LoopNest::emitPoint(ValueRange indices) {
  SmallVector<Value> values;
  for (unsigned result : results)
    values.push_back(kernel.element(resultValue(result), indices));
  for (auto [result, value] : llvm::zip(results, values))
    kernel.store(result, indices, value);
}

void LoopNest::emitFlat() {
  Dim total = product(kernel.builder.getContext(), dims);
  auto [first, end] = kernel.share(kernel.size(total));
  // A row-major position is index i of the last axis with all others 0.
  kernel.loop(first, end, [&](Value i) {
    SmallVector<Value> indices(dims.size(), kernel.index(0));
    indices.back() = i;
    emitPoint(indices);
  });
}

void LoopNest::addIndices(Value tensor, IndexExprs indices) {
  constexpr size_t most = 16; // more only means that nothing is computed in front
  SmallVector<IndexExprs> &known = indexing[tensor];
  if (known.size() < most && !llvm::is_contained(known, indices))
    known.push_back(std::move(indices));
}

/// From how the results of an op are indexed to how its operands are.
void LoopNest::followAccesses(Operation *op, const LoopSpec &spec, const IndexExprs &result) {
  SmallVector<AffineExpr> point;
  auto next = result.begin();
  for (Iterator iterator : spec.iterators)
    point.push_back(iterator == Iterator::Reduction ? getAffineDimExpr(nextLoop++, op->getContext())
                                                    : *next++);
  for (const Access &access : spec.accesses) {
    Value operand = op->getOperand(access.operand);
    // Symbols are beyond this analysis.
    if (!kernel.group.contains(operand) || !access.map || access.map->getNumSymbols() != 0 ||
        (llvm::is_contained(access.mayBroadcast, true) && !kernel.assumesNoBroadcast))
      continue;
    IndexExprs indices;
    for (AffineExpr expr : access.map->getResults())
      indices.push_back(expr.replaceDims(point));
    addIndices(operand, std::move(indices));
  }
}

/// Follows the accesses from the results to what they are computed from.
void LoopNest::findIndices() {
  MLIRContext *context = kernel.builder.getContext();
  nextLoop = dims.size();
  IndexExprs identity;
  for (unsigned i = 0; i < dims.size(); ++i)
    identity.push_back(getAffineDimExpr(i, context));
  for (unsigned result : results)
    addIndices(resultValue(result), identity);
  for (Operation &op : llvm::reverse(kernel.group.getBody().without_terminator())) {
    const Spec *spec = kernel.group.getSpec(&op);
    if (!spec || !spec->loops)
      continue;
    for (Value result : op.getResults())
      for (const IndexExprs &indices : SmallVector<IndexExprs>(indexing.lookup(result)))
        followAccesses(&op, *spec->loops, indices);
  }
}

/// Number of loops that must be open before the expressions have values.
static unsigned depthOf(ArrayRef<AffineExpr> exprs) {
  unsigned depth = 0;
  for (AffineExpr expr : exprs)
    expr.walk([&](AffineExpr part) {
      if (auto dim = dyn_cast<AffineDimExpr>(part))
        depth = std::max(depth, dim.getPosition() + 1);
    });
  return depth;
}

/// Computes the reductions that need exactly the loops opened so far.
void LoopNest::hoist(unsigned depth, ArrayRef<Value> indices) {
  for (Operation &op : kernel.group.getBody().without_terminator()) {
    const Spec *spec = kernel.group.getSpec(&op);
    if (!spec || !spec->loops || !spec->loops->hasReduction())
      continue;
    for (const IndexExprs &wanted : indexing.lookup(op.getResult(0))) {
      if (depthOf(wanted) != depth)
        continue;
      SmallVector<Value> at;
      for (AffineExpr expr : wanted)
        at.push_back(kernel.apply(expr, indices, {}));
      kernel.element(op.getResult(0), at);
    }
  }
}

/// Whether the op computes each element of the nest at its own place.
bool LoopNest::isInPlace(Operation *op) const {
  const Spec *spec = kernel.group.getSpec(op);
  if (!spec || !spec->loops || spec->loops->hasReduction() ||
      ArrayRef<Dim>(spec->loops->extents) != ArrayRef<Dim>(dims))
    return false;
  return llvm::all_of(op->getResults(), [&](Value result) {
    auto found = indexing.find(result);
    return found != indexing.end() && found->second.size() == 1 &&
           llvm::all_of(llvm::enumerate(found->second.front()), [](auto axis) {
             auto dim = dyn_cast<AffineDimExpr>(axis.value());
             return dim && dim.getPosition() == axis.index();
           });
  });
}

/// Parts of an operand's axis that lie behind each other along a loop, from the reads
/// of a body that may fall outside; of several loops along the innermost. Empty: there are
/// none.
static SmallVector<Dim> findBoundaries(Operation *op, const LoopSpec &loops, unsigned &loop) {
  MLIRContext *context = op->getContext();
  SmallVector<std::pair<Dim, Dim>> parts;
  SmallVector<AtOp> reads(loops.body->front().getOps<AtOp>());
  // The loop is the one whose index is shifted.
  std::optional<unsigned> shifted;
  for (AtOp read : reads)
    for (Value index : read.getIndices())
      if (auto at = matchShiftedIndex(index); at && at->value != at->loop)
        shifted = std::max(shifted.value_or(0), at->loop.getArgNumber());
  if (!shifted || *shifted >= loops.numLoops())
    return {};
  loop = *shifted;
  for (AtOp read : reads) {
    if (read.getMode() == AtMode::InBounds)
      return {};
    auto source = dyn_cast<BlockArgument>(read.getSource());
    unsigned access = source ? source.getArgNumber() - loops.numLoops() : 0;
    for (auto [axis, index] : llvm::enumerate(read.getIndices()))
      if (auto at = matchShiftedIndex(index); at && at->loop.getArgNumber() == loop && source) {
        Value operand = op->getOperand(loops.accesses[access].operand);
        parts.push_back({at->begin, at->begin + getDims(operand)[axis]});
      }
  }
  SmallVector<Dim> boundaries{Dim::constant(context, 0)};
  for (auto [begin, end] : parts) {
    if (begin != boundaries.back()) {
      if (!begin.isConstant() || !boundaries.back().isConstant() ||
          begin.getConstant() < boundaries.back().getConstant())
        return {};
      boundaries.push_back(begin);
    }
    boundaries.push_back(end);
  }
  Dim extent = loops.extents[loop];
  if (boundaries.back() != extent) {
    // What is behind the last part.
    Dim rest = extent - boundaries.back();
    if (rest.tryConstant().value_or(-1) < 0)
      return {};
    boundaries.push_back(extent);
  }
  return boundaries;
}

void LoopNest::findCut() {
  constexpr size_t most = 12; // pieces
  for (Operation &op : kernel.group.getBody().without_terminator()) {
    if (!isInPlace(&op))
      continue;
    unsigned loop = 0;
    SmallVector<Dim> found = findBoundaries(&op, *kernel.group.getSpec(&op)->loops, loop);
    if (found.size() < 3 || found.size() > most)
      continue;
    boundaries = found;
    cutLoop = loop;
    cutOp = &op;
    return;
  }
}

/// What an op divides the index of a loop by in its reads; 1: nothing.
static int64_t divisorOf(const LoopSpec &loops, unsigned loop) {
  int64_t divisor = 1;
  for (const Access &access : loops.accesses) {
    if (!access.map)
      continue;
    for (AffineExpr expr : access.map->getResults())
      expr.walk([&](AffineExpr part) {
        auto binary = dyn_cast<AffineBinaryOpExpr>(part);
        if (!binary || part.getKind() != AffineExprKind::FloorDiv)
          return;
        auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
        auto by = dyn_cast<AffineConstantExpr>(binary.getRHS());
        if (dim && by && dim.getPosition() == loop)
          divisor = by.getValue();
      });
  }
  return divisor;
}

/// Whether the op computes as many elements as the current piece has.
bool LoopNest::fillsPiece(Operation *op) const {
  const Spec *spec = kernel.group.getSpec(op);
  if (!spec || !spec->loops || spec->loops->hasReduction())
    return false;
  SmallVector<Dim> sizes = dims;
  sizes[cutLoop] = boundaries[piece + 1] - boundaries[piece];
  return ArrayRef<Dim>(spec->loops->extents) == ArrayRef(sizes);
}

/// The ops of the group that the current piece is computed from, element by element.
SmallVector<Operation *> LoopNest::opsOfPiece() const {
  SmallVector<Operation *> found;
  auto follow = [&](Value operand) {
    Operation *op = operand.getDefiningOp();
    if (kernel.group.contains(operand) && !llvm::is_contained(found, op) && fillsPiece(op))
      found.push_back(op);
  };
  const LoopSpec &loops = *kernel.group.getSpec(cutOp)->loops;
  for (AtOp read : loops.body->front().getOps<AtOp>()) {
    auto source = dyn_cast<BlockArgument>(read.getSource());
    for (Value index : read.getIndices())
      if (auto at = matchShiftedIndex(index);
          at && source && at->loop.getArgNumber() == cutLoop && at->begin == boundaries[piece])
        follow(cutOp->getOperand(loops.accesses[source.getArgNumber() - loops.numLoops()].operand));
  }
  for (size_t i = 0; i < found.size(); ++i)
    for (Value operand : found[i]->getOperands())
      follow(operand);
  return found;
}

/// The divisor of the innermost index in reads of the current piece.
void LoopNest::findQuotient() {
  unsigned last = dims.size() - 1;
  int64_t divisor = 1;
  auto visit = [&](Operation *op) {
    int64_t found = divisorOf(*kernel.group.getSpec(op)->loops, last);
    divisor = found > 1 ? found : divisor;
  };
  for (Operation &op : kernel.group.getBody().without_terminator())
    if (isInPlace(&op))
      visit(&op);
  if (!boundaries.empty() && cutLoop != last)
    llvm::for_each(opsOfPiece(), visit);
  constexpr int64_t most = 8;
  quotient = divisor <= most ? divisor : 1;
}

/// Positions and weights that only the innermost index decides (of a Resize) are computed
/// once, if there are lines enough that use them.
void LoopNest::makeTables() {
  constexpr double fewLines = 8;
  if (quotient > 1 || estimateSize(ArrayRef(dims).drop_back()) < fewLines)
    return;
  for (Operation &op : kernel.group.getBody().without_terminator())
    if (isInPlace(&op))
      tabulateAlong(kernel, *kernel.group.getSpec(&op)->loops, dims.size() - 1);
}

/// Tells what is known about the index of a loop.
void LoopNest::assumeInPiece(Value index, unsigned loop) {
  if (!boundaries.empty() && loop == cutLoop)
    kernel.assumeInPiece(index, boundaries, piece);
  else
    kernel.assumeInPiece(index, {kernel.constant(0), dims[loop]}, 0);
}

/// The loops from `depth` on, inside the one before them. The last, if it has few steps,
/// becomes straight code: LLVM then makes vectors of the loop around it.
void LoopNest::emitShortLoops(unsigned depth, SmallVector<Value> indices) {
  bool isCut = !boundaries.empty() && cutLoop == depth;
  bool isShort =
      depth + 1 == dims.size() && dims[depth].tryConstant().value_or(kShortLoop + 1) <= kShortLoop;
  if (!isShort || isCut)
    return emitLoops(depth, std::move(indices));
  hoist(depth, indices);
  for (int64_t i = 0; i < dims[depth].getConstant(); ++i) {
    assumeInPiece(kernel.index(i), depth);
    indices.push_back(kernel.index(i));
    emitPoint(indices);
    indices.pop_back();
  }
}

void LoopNest::emitLoops(unsigned depth, SmallVector<Value> indices) {
  if (depth == dims.size()) {
    emitPoint(indices);
    return;
  }
  hoist(depth, indices);
  if (boundaries.empty() || cutLoop != depth)
    return emitLoop(depth, std::move(indices));
  for (piece = 0; piece + 1 < boundaries.size(); ++piece) {
    findQuotient();
    emitLoop(depth, indices);
  }
}

/// One loop, of the current piece if it is the one that is cut, and those inside of it.
void LoopNest::emitLoop(unsigned depth, SmallVector<Value> indices) {
  bool isCut = !boundaries.empty() && cutLoop == depth;
  Value from = isCut ? kernel.size(boundaries[piece]) : kernel.index(0);
  Value to = kernel.size(isCut ? boundaries[piece + 1] : dims[depth]);
  auto emitIndex = [&](Value index) {
    if (!boundaries.empty())
      assumeInPiece(index, depth);
    indices.push_back(index);
    emitShortLoops(depth + 1, indices);
    indices.pop_back();
  };
  if (quotient > 1 && !isCut && depth + 1 == dims.size()) {
    Dim groups = dims[depth].floorDiv(quotient);
    kernel.loop(from, kernel.size(groups), [&](Value i) {
      for (int64_t rest = 0; rest < quotient; ++rest) {
        Value index = kernel.add(kernel.mul(i, kernel.index(quotient)), kernel.index(rest));
        kernel.assumeQuotient(index, quotient, i);
        emitIndex(index);
      }
    });
    if (dims[depth].mod(kernel.constant(quotient)).isConstant(0))
      return;
    from = kernel.size(groups * quotient);
  }
  kernel.loop(from, to, emitIndex);
}

void LoopNest::emit() {
  dims = getDims(resultValue(results.front()));
  unsigned parallel = countParallel(dims);
  if (parallel == 0) {
    // A scalar: part 0 computes it.
    Value isFirst = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::eq,
                                          kernel.part, kernel.index(0));
    kernel.branch(isFirst, [&] { emitPoint({}); });
    return;
  }
  if (isElementByElement(kernel.group, dims)) {
    emitFlat();
    return;
  }
  findIndices();
  findCut();
  findQuotient();
  makeTables();
  // What is cut inside of the outer loops is so for each of their points.
  bool cutsOuter = !boundaries.empty() && cutLoop < parallel;
  size_t nests = cutsOuter ? boundaries.size() - 1 : 1;
  for (piece = 0; piece < nests; ++piece) {
    if (piece > 0) // that of the first is found
      findQuotient();
    emitNest();
  }
}

/// The loops of the current piece if the outer loops are cut, or of all.
void LoopNest::emitNest() {
  unsigned parallel = countParallel(dims);
  SmallVector<Dim> outer(ArrayRef(dims).take_front(parallel));
  bool cutsOuter = !boundaries.empty() && cutLoop < parallel;
  if (cutsOuter)
    outer[cutLoop] = boundaries[piece + 1] - boundaries[piece];
  auto [first, end] = kernel.share(kernel.size(product(kernel.builder.getContext(), outer)));
  kernel.loop(first, end, [&](Value linear) {
    SmallVector<Value> indices = kernel.delinearize(linear, outer);
    if (cutsOuter)
      indices[cutLoop] = kernel.add(kernel.size(boundaries[piece]), indices[cutLoop]);
    for (unsigned loop = 0; loop < parallel; ++loop)
      assumeInPiece(indices[loop], loop);
    for (unsigned depth = 1; depth < parallel; ++depth)
      hoist(depth, indices);
    emitShortLoops(parallel, indices);
  });
}

} // namespace dsc
