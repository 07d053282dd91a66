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
#include "dsc/Codegen/Lowering/LowerKernels.h"

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
  void emitShortLoops(unsigned depth, SmallVector<Value> indices);
  void assumeInPiece(Value index, unsigned loop);
  void emitPoint(ValueRange indices);
  void emitPieces();
  void findIndices();
  void findCut();
  void findQuotients();
  bool isInPlace(Operation *op) const;
  void hoist(unsigned depth, ArrayRef<Value> indices);

  KernelEmitter &kernel;
  SmallVector<unsigned> results;
  SmallVector<Dim> dims;
  void addIndices(Value tensor, IndexExprs indices);
  void followAccesses(Operation *op, const LoopSpec &spec, const IndexExprs &result);
  /// All the ways in which the tensors of the group are indexed.
  llvm::DenseMap<Value, SmallVector<IndexExprs>> indexing;
  unsigned nextLoop = 0; ///< number of the next loop of a reduction
  /// Where loop `cutLoop` changes what it reads (pieces of a Concat, borders of a Pad):
  /// each piece between two boundaries has a nest of its own.
  unsigned cutLoop = 0;
  SmallVector<Dim> boundaries;
  unsigned piece = 0;
  /// What reads of the innermost loop divide its index by (nearest neighbours).
  int64_t quotient = 1;
};

class LoopsTemplate : public Template {
public:
  StringRef getName() const override { return "loops"; }
  bool isGeneric() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// The same code for groups of which LLVM is sure to make vectors.
class MapsTemplate : public LoopsTemplate {
public:
  StringRef getName() const override { return "maps"; }
  bool isGeneric() const override { return false; }
  Match match(const GroupInfo &group, const Target &target) const override;
};

} // namespace

/// Steps of an innermost loop that become straight code in the loop around it.
static constexpr int64_t kShortLoop = 4;

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

/// Whether the op computes each element of the nest at its own place.
bool Nest::isInPlace(Operation *op) const {
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
/// of a body that may fall outside. Empty: there are none, or not along one loop.
static SmallVector<Dim> findBoundaries(Operation *op, const LoopSpec &loops, unsigned &loop) {
  MLIRContext *context = op->getContext();
  SmallVector<std::pair<Dim, Dim>> parts;
  SmallVector<AtOp> reads(loops.body->front().getOps<AtOp>());
  // The loop is the one whose index is shifted.
  std::optional<unsigned> shifted;
  for (AtOp read : reads)
    for (Value index : read.getIndices())
      if (auto at = matchShiftedIndex(index); at && !at->begin.isConstant(0)) {
        if (shifted && *shifted != at->loop.getArgNumber())
          return {};
        shifted = at->loop.getArgNumber();
      }
  if (!shifted || *shifted >= loops.numLoops())
    return {};
  loop = *shifted;
  for (AtOp read : reads) {
    if (read.getMode() != AtMode::OrElse)
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

void Nest::findCut() {
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
    return;
  }
}

/// The divisor of the innermost index in reads, if all have the same.
void Nest::findQuotients() {
  unsigned last = dims.size() - 1;
  int64_t divisor = 1;
  for (Operation &op : kernel.group.getBody().without_terminator()) {
    if (!isInPlace(&op))
      continue;
    for (const Access &access : kernel.group.getSpec(&op)->loops->accesses) {
      if (!access.map)
        continue;
      for (AffineExpr expr : access.map->getResults())
        expr.walk([&](AffineExpr part) {
          auto binary = dyn_cast<AffineBinaryOpExpr>(part);
          if (!binary || part.getKind() != AffineExprKind::FloorDiv)
            return;
          auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
          auto by = dyn_cast<AffineConstantExpr>(binary.getRHS());
          if (dim && by && dim.getPosition() == last)
            divisor = by.getValue();
        });
    }
  }
  constexpr int64_t most = 8;
  bool divides = dims[last].mod(kernel.constant(divisor)).tryConstant().value_or(1) == 0;
  quotient = divides && divisor <= most ? divisor : 1;
}

/// Tells what is known about the index of a loop.
void Nest::assumeInPiece(Value index, unsigned loop) {
  if (!boundaries.empty() && loop == cutLoop)
    kernel.assumeInPiece(index, boundaries, piece);
  else
    kernel.assumeInPiece(index, {kernel.constant(0), dims[loop]}, 0);
}

/// The loops from `depth` on, inside the one before them. The last, if it has few steps,
/// becomes straight code: LLVM then makes vectors of the loop around it.
void Nest::emitShortLoops(unsigned depth, SmallVector<Value> indices) {
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

void Nest::emitLoops(unsigned depth, SmallVector<Value> indices) {
  if (depth == dims.size()) {
    emitPoint(indices);
    return;
  }
  hoist(depth, indices);
  bool isCut = !boundaries.empty() && cutLoop == depth;
  Value from = isCut ? kernel.size(boundaries[piece]) : kernel.index(0);
  Value to = kernel.size(isCut ? boundaries[piece + 1] : dims[depth]);
  bool isDivided = quotient > 1 && !isCut && depth + 1 == dims.size();
  if (isDivided)
    to = kernel.size(dims[depth].floorDiv(quotient));
  kernel.loop(from, to, [&](Value i) {
    for (int64_t rest = 0; rest < (isDivided ? quotient : 1); ++rest) {
      Value index = i;
      if (isDivided) {
        index = kernel.add(kernel.mul(i, kernel.index(quotient)), kernel.index(rest));
        kernel.assumeQuotient(index, quotient, i);
      }
      indices.push_back(index);
      if (!boundaries.empty())
        kernel.assumeInPiece(
            index, isCut ? ArrayRef(boundaries) : ArrayRef({kernel.constant(0), dims[depth]}),
            isCut ? piece : 0);
      emitLoops(depth + 1, indices);
      indices.pop_back();
    }
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
  findCut();
  findQuotients();
  for (piece = 0; piece < std::max<size_t>(boundaries.size(), 2) - 1; ++piece)
    emitPieces();
}

/// The loops of the current piece, or of all.
void Nest::emitPieces() {
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

/// Whether neighbours along a loop read the same element or neighbours in memory;
/// operand axes of one element do not count.
static bool readsNeighbours(Operation *op, const Access &access, unsigned loop) {
  if (!access.map)
    return false;
  bool isLast = true;
  SmallVector<Dim> dims = getDims(op->getOperand(access.operand));
  for (unsigned axis = dims.size(); axis-- > 0;) {
    std::optional<int64_t> step = coefficientOf(access.map->getResult(axis), loop);
    if (dims[axis].isConstant(1))
      continue;
    if (!step || (*step != 0 && (!isLast || *step != 1)))
      return false;
    isLast = false;
  }
  return true;
}

/// The loops that a vector of the results goes along: the last, and the one before it
/// where the last has few steps.
static SmallVector<unsigned, 2> vectorLoops(const LoopSpec &loops) {
  SmallVector<unsigned, 2> found;
  for (unsigned loop = loops.numLoops(); loop-- > 0;) {
    if (loops.extents[loop].isConstant(1))
      continue;
    found.push_back(loop);
    if (found.size() == 2 ||
        loops.extents[loop].tryConstant().value_or(kShortLoop + 1) > kShortLoop)
      break;
  }
  return found;
}

/// Whether an index of a body depends on a loop.
static bool dependsOn(Value index, BlockArgument loop) {
  if (index == loop)
    return true;
  Operation *op = index.getDefiningOp();
  return op &&
         llvm::any_of(op->getOperands(), [&](Value operand) { return dependsOn(operand, loop); });
}

/// Whether neighbours along the innermost loop are neighbours in the last axis of what
/// dsc.at reads: rows are copied, wherever they are.
static bool readsRows(AtOp read, BlockArgument innermost) {
  OperandRange indices = read.getIndices();
  if (llvm::none_of(indices, [&](Value index) { return dependsOn(index, innermost); }))
    return true;
  std::optional<ShiftedIndex> last = matchShiftedIndex(indices.back());
  return last && last->loop == innermost && llvm::none_of(indices.drop_back(), [&](Value index) {
           return dependsOn(index, innermost);
         });
}

/// Whether an access repeats each element a few times: x[i floordiv 2].
static bool repeatsElements(const Access &access, unsigned innermost) {
  if (!access.map || access.map->getNumResults() == 0)
    return false;
  auto last = dyn_cast<AffineBinaryOpExpr>(access.map->getResults().back());
  bool isQuotient = last && last.getKind() == AffineExprKind::FloorDiv &&
                    isa<AffineConstantExpr>(last.getRHS()) &&
                    last.getLHS() == getAffineDimExpr(innermost, last.getContext());
  return isQuotient && llvm::none_of(access.map->getResults().drop_back(), [&](AffineExpr expr) {
           return expr.isFunctionOfDim(innermost);
         });
}

/// Whether vectors of a map's elements are read as vectors.
static Match matchMap(Operation *op, const LoopSpec &loops) {
  if (loops.hasReduction())
    return Match::no("a reduction");
  SmallVector<unsigned, 2> along = vectorLoops(loops);
  for (const Access &access : loops.accesses) {
    bool fits =
        along.empty() || !access.map || repeatsElements(access, along.front()) ||
        llvm::any_of(along, [&](unsigned loop) { return readsNeighbours(op, access, loop); });
    if (!fits)
      return Match::no("what is read does not lie as what is written");
  }
  Block &body = loops.body->front();
  for (Operation &scalar : body.without_terminator()) {
    auto read = dyn_cast<AtOp>(scalar);
    if (read && !along.empty() && !readsRows(read, body.getArgument(along.front())))
      return Match::no("elements are read at computed places");
    if (needsService(&scalar))
      return Match::no((scalar.getName().getStringRef() + " is called for each element").str());
  }
  return Match::yes();
}

Match MapsTemplate::match(const GroupInfo &group, const Target &target) const {
  if (Match loops = LoopsTemplate::match(group, target); !loops)
    return loops;
  bool repeats = false, picks = false;
  for (Operation &op : group.getBody().without_terminator()) {
    if (cast<ComputeOp>(op).getViewSource())
      continue;
    const LoopSpec &spec = *group.getSpec(&op)->loops;
    if (Match map = matchMap(&op, spec); !map)
      return map;
    for (const Access &access : spec.accesses) {
      picks |= !access.map;
      repeats |= access.map && repeatsElements(access, spec.numLoops() - 1);
    }
  }
  return repeats && picks ? Match::no("repeated elements are read at computed places")
                          : Match::yes();
}

SmallVector<ScheduleAttr> LoopsTemplate::candidates(const GroupInfo &group, const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

/// Whether the innermost loop of an op, its last reduction, is one that LLVM makes
/// vectors of.
static bool isVectorReduction(Operation *op, const LoopSpec &loops) {
  unsigned innermost = 0;
  for (auto [i, iterator] : llvm::enumerate(loops.iterators))
    if (iterator == Iterator::Reduction && !loops.extents[i].isConstant(1))
      innermost = i;
  return llvm::all_of(loops.accesses, [&](const Access &access) {
    return access.bounds == Bounds::Inside && readsNeighbours(op, access, innermost);
  });
}

/// Cycles that a map takes beyond its operations on vectors: elements that do not lie
/// behind each other are read one by one.
static double scalarReads(Operation *op, const LoopSpec &loops, double lanes) {
  if (matchMap(op, loops))
    return 0;
  constexpr double perPoint = 2;
  double points = estimateSize(loops.extents), operations = operationsPerPoint(loops);
  return points * (perPoint + operations - operations / lanes);
}

Cost LoopsTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Cost cost = estimateWork(group);
  double lanes = static_cast<double>(target.lanes(32)), cycles = cost.flops / lanes;
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops)
      continue;
    if (!spec->loops->hasReduction()) {
      cycles += scalarReads(&op, *spec->loops, lanes);
      continue;
    }
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

const Template &mapsTemplate() {
  static const MapsTemplate instance;
  return instance;
}

const Template &loopsTemplate() {
  static const LoopsTemplate instance;
  return instance;
}

} // namespace dsc
