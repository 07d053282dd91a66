//===- Loops.cpp - the templates that compute any group of loop Specs -----===//
//
// One loop nest for each shape among the group's results.
//
//===----------------------------------------------------------------------===//
#include "LoopNest.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Lowering/LowerKernels.h"

#include <cmath>

using namespace mlir;

namespace dsc {

namespace {

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

/// Cycles that a reduction takes beyond its operations on vectors. Its innermost loop is
/// the last reduction; LLVM makes vectors of it where they are read as vectors.
static double scalarSteps(Operation *op, const LoopSpec &loops, const Target &target) {
  unsigned innermost = 0;
  for (auto [i, iterator] : llvm::enumerate(loops.iterators))
    if (iterator == Iterator::Reduction && !loops.extents[i].isConstant(1))
      innermost = i;
  bool hasVectors = llvm::all_of(loops.accesses, [&](const Access &access) {
    return access.bounds == Bounds::Inside && readsNeighbours(op, access, innermost);
  });
  double lanes = static_cast<double>(target.lanes(32)), steps = estimateSize(loops.extents);
  double own = operationsPerPoint(loops) * steps, beyond = own - own / lanes;
  double length = estimateSize(loops.extents[innermost]);
  // Steps that fill no vector wait for one another.
  constexpr double perWait = 2;
  double waits = perWait * static_cast<double>(target.fmaLatency) * steps;
  if (length < lanes)
    return std::max(beyond, waits);
  double rest = std::fmod(length, lanes) / length;
  return hasVectors ? rest * std::max(beyond, waits) : beyond;
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
    // Each test whether a read is inside is a few operations and a branch.
    constexpr double test = 4;
    for (const Access &access : spec->loops->accesses)
      cycles += access.bounds == Bounds::Skip ? test * estimateSize(spec->loops->extents) : 0;
    cycles += scalarSteps(&op, *spec->loops, target);
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
    ArrayRef<Dim> outer = ArrayRef(dims).take_front(LoopNest::countParallel(dims));
    kernel.partCount =
        Dim::max(kernel.partCount,
                 countParts(kernel.group, dims, product(kernel.builder.getContext(), outer)));
  }
  auto emitNests = [&] {
    for (auto &[dims, results] : nests)
      LoopNest(kernel, results).emit();
  };
  Dim isWhole = broadcastsNothing(kernel.group);
  if (isWhole.isConstant()) {
    emitNests();
    return success();
  }
  // Where an operand may be broadcast, its elements are read one by one: so there are
  // loops also for the case that none is.
  kernel.assumesNoBroadcast = true;
  kernel.branch(kernel.isNonzero(isWhole), emitNests, [&] {
    kernel.assumesNoBroadcast = false;
    return emitNests();
  });
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
