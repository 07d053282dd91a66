//===- Loops.cpp - the template that computes any group of loop Specs -----===//
//
// One loop nest for each shape among the group's results; the elements of all
// other tensors are computed where they are used. Reductions that do not depend on
// the inner loops are computed in front of them, so that a softmax or a
// normalisation passes over a row that stays in the cache.
//
//===----------------------------------------------------------------------===//
#include "Anchor.h"
#include "Templates.h"
#include "dsc/Codegen/Common/ElementByElement.h"

using namespace mlir;

namespace dsc {

namespace {

/// How a tensor of the group is indexed: one expression for each of its axes. Its
/// dimensions are the loops of the nest, then the loops of reductions.
using IndexExprs = SmallVector<AffineExpr>;

/// Results of one shape, computed by one nest.
class Nest {
public:
  Nest(KernelEmitter &kernel, SmallVector<unsigned> results)
      : kernel(kernel), results(std::move(results)) {}

  void emit();
  /// Loops that are cut into parts: the outermost ones.
  static unsigned countParallel(ArrayRef<Dim> dims);

private:
  Value resultValue(unsigned result) const { return kernel.group.getYielded()[result]; }
  void emitFlat();
  void emitLoops(unsigned depth, SmallVector<Value> indices);
  void emitPoint(ValueRange indices);
  void findIndices();
  void hoist(unsigned depth, ArrayRef<Value> indices);

  KernelEmitter &kernel;
  SmallVector<unsigned> results;
  SmallVector<Dim> dims;
  void addIndices(Value tensor, IndexExprs indices);
  void followAccesses(Operation *op, const LoopSpec &spec, const IndexExprs &result);
  /// All the ways in which the tensors of the group are indexed.
  llvm::DenseMap<Value, SmallVector<IndexExprs>> indexing;
  unsigned nextLoop = 0; ///< number of the next loop of a reduction
};

class LoopsTemplate : public Template {
public:
  StringRef getName() const override { return "loops"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

} // namespace

//===----------------------------------------------------------------------===//
// Nest
//===----------------------------------------------------------------------===//

unsigned Nest::countParallel(ArrayRef<Dim> dims) {
  if (dims.size() <= 1)
    return dims.size();
  double known = 1;
  unsigned count = 0;
  while (count + 1 < dims.size() && known < 64) {
    known *= dims[count].tryConstant().value_or(1);
    ++count;
  }
  return count;
}

void Nest::emitPoint(ValueRange indices) {
  SmallVector<Value> values;
  for (unsigned result : results)
    values.push_back(kernel.element(resultValue(result), indices));
  for (auto [result, value] : llvm::zip(results, values))
    kernel.store(result, indices, value);
}

void Nest::emitFlat() {
  Dim total = product(kernel.builder.getContext(), dims);
  auto [first, end] = kernel.share(kernel.size(total));
  // A row-major position is index i of the last axis with all others 0.
  kernel.loop(first, end, [&](Value i) {
    SmallVector<Value> indices(dims.size(), kernel.index(0));
    indices.back() = i;
    emitPoint(indices);
  });
}

void Nest::addIndices(Value tensor, IndexExprs indices) {
  constexpr size_t most = 16; // more only means that nothing is computed in front
  SmallVector<IndexExprs> &known = indexing[tensor];
  if (known.size() < most && !llvm::is_contained(known, indices))
    known.push_back(std::move(indices));
}

/// From how the results of an op are indexed to how its operands are.
void Nest::followAccesses(Operation *op, const LoopSpec &spec, const IndexExprs &result) {
  SmallVector<AffineExpr> point;
  auto next = result.begin();
  for (Iterator iterator : spec.iterators)
    point.push_back(iterator == Iterator::Reduction ? getAffineDimExpr(nextLoop++, op->getContext())
                                                    : *next++);
  for (const Access &access : spec.accesses) {
    Value operand = op->getOperand(access.operand);
    // Symbols are beyond this analysis.
    if (!kernel.group.contains(operand) || !access.map || access.map->getNumSymbols() != 0 ||
        llvm::is_contained(access.mayBroadcast, true))
      continue;
    IndexExprs indices;
    for (AffineExpr expr : access.map->getResults())
      indices.push_back(expr.replaceDims(point));
    addIndices(operand, std::move(indices));
  }
}

/// Follows the accesses from the results to what they are computed from.
void Nest::findIndices() {
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
void Nest::hoist(unsigned depth, ArrayRef<Value> indices) {
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

void Nest::emitLoops(unsigned depth, SmallVector<Value> indices) {
  if (depth == dims.size()) {
    emitPoint(indices);
    return;
  }
  hoist(depth, indices);
  kernel.loop(kernel.index(0), kernel.size(dims[depth]), [&](Value i) {
    indices.push_back(i);
    emitLoops(depth + 1, indices);
    indices.pop_back();
  });
}

void Nest::emit() {
  dims = getDims(resultValue(results.front()));
  unsigned parallel = countParallel(dims);
  if (parallel == 0) {
    // A scalar: part 0 computes it.
    Value isFirst = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::eq,
                                          kernel.part, kernel.index(0));
    kernel.branch(
        isFirst, {}, [&] { return emitPoint({}), SmallVector<Value>(); },
        [] { return SmallVector<Value>(); });
    return;
  }
  if (isElementByElement(kernel.group, dims)) {
    emitFlat();
    return;
  }
  findIndices();
  ArrayRef<Dim> outer = ArrayRef(dims).take_front(parallel);
  auto [first, end] = kernel.share(kernel.size(product(kernel.builder.getContext(), outer)));
  kernel.loop(first, end, [&](Value linear) {
    SmallVector<Value> indices = kernel.delinearize(linear, outer);
    for (unsigned depth = 1; depth < parallel; ++depth)
      hoist(depth, indices);
    emitLoops(parallel, indices);
  });
}

//===----------------------------------------------------------------------===//
// LoopsTemplate
//===----------------------------------------------------------------------===//

Match LoopsTemplate::match(const GroupInfo &group, const Target &) const {
  for (Operation &op : group.getBody().without_terminator()) {
    if (cast<ComputeOp>(op).getViewSource())
      continue;
    const Spec *spec = group.getSpec(&op);
    if (!spec)
      return Match::no("the op has no Spec");
    if (!spec->loops || llvm::is_contained(spec->loops->iterators, Iterator::Scan))
      return Match::no(("a " + stringify(spec->kind) + " is not a nest of loops").str());
  }
  return Match::yes();
}

SmallVector<ScheduleAttr> LoopsTemplate::candidates(const GroupInfo &group, const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

/// Whether the innermost loop of an op, its last reduction, is one that LLVM makes
/// vectors of.
static bool isVectorReduction(Operation *op, const LoopSpec &loops) {
  unsigned innermost = 0;
  for (auto [i, iterator] : llvm::enumerate(loops.iterators))
    if (iterator == Iterator::Reduction)
      innermost = i;
  return llvm::all_of(loops.accesses, [&](const Access &access) {
    return access.bounds == Bounds::Inside && isContiguousAlong(access, innermost);
  });
}

Cost LoopsTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Cost cost = estimateWork(group);
  double lanes = static_cast<double>(target.lanes(32)), cycles = cost.flops / lanes;
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops || !spec->loops->hasReduction())
      continue;
    double own = operationsPerPoint(*spec->loops) * estimateSize(spec->loops->extents);
    // Each test whether a read is inside is a few operations and a branch.
    constexpr double test = 4;
    for (const Access &access : spec->loops->accesses)
      cycles += access.bounds == Bounds::Skip ? test * estimateSize(spec->loops->extents) : 0;
    if (!isVectorReduction(&op, *spec->loops))
      cycles += own - own / lanes;
  }
  cost.ns = overlappedTime(cycles / (2 * target.gigahertz), cost.bytes / target.l3GBs);
  return cost;
}

LogicalResult LoopsTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  // Results of equal shape share a nest.
  SmallVector<std::pair<SmallVector<Dim>, SmallVector<unsigned>>> nests;
  for (auto [i, value] : llvm::enumerate(kernel.group.getYielded())) {
    SmallVector<Dim> dims = getDims(value);
    auto *it = llvm::find_if(nests, [&](auto &nest) { return nest.first == dims; });
    if (it == nests.end()) {
      nests.push_back({dims, {}});
      it = std::prev(nests.end());
    }
    it->second.push_back(i);
  }
  for (auto &[dims, results] : nests) {
    ArrayRef<Dim> outer = ArrayRef(dims).take_front(Nest::countParallel(dims));
    kernel.partCount =
        Dim::max(kernel.partCount,
                 countParts(kernel.group, dims, product(kernel.builder.getContext(), outer)));
    Nest(kernel, results).emit();
  }
  return success();
}

const Template &loopsTemplate() {
  static const LoopsTemplate instance;
  return instance;
}

} // namespace dsc
