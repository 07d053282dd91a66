//===- RowPlan.cpp - groups whose reductions all go along the same axes ---===//
#include "RowPlan.h"

#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/IntEqClasses.h"

using namespace mlir;

namespace dsc {

unsigned loopOfResultAxis(const LoopSpec &loops, unsigned axis) {
  for (unsigned i = 0; i < loops.numLoops(); ++i)
    if (loops.iterators[i] != Iterator::Reduction && axis-- == 0)
      return i;
  llvm_unreachable("a result has an axis for each parallel loop");
}

static auto opsOf(const GroupInfo &group) { return group.getBody().without_terminator(); }

Dim RowPlan::getRowLength() const {
  SmallVector<Dim> sizes;
  for (const Axis &axis : axes)
    if (axis.isReduced)
      sizes.push_back(axis.extent);
  return product(sizes.front().getContext(), sizes);
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

/// Loops of different ops go along the same axis when one reads what the other
/// computes, or both read the same operand. Sets OpPlan::axes to numbers of such classes.
Match RowPlan::joinLoops(const GroupInfo &group) {
  llvm::DenseMap<Operation *, unsigned> firstLoop;
  unsigned total = 0;
  for (Operation &op : opsOf(group)) {
    const Spec *spec = group.getSpec(&op);
    bool isLoops = spec && spec->loops && !cast<ComputeOp>(op).getViewSource() &&
                   !llvm::is_contained(spec->loops->iterators, Iterator::Scan);
    if (!isLoops || spec->kind == SpecKind::Contract || spec->kind == SpecKind::Window)
      return Match::no("an op is neither a map nor a reduction");
    OpPlan &plan = ops[&op];
    plan.loops = spec->loops.get();
    plan.isReduction = plan.loops->hasReduction();
    firstLoop[&op] = total;
    total += plan.loops->numLoops();
  }
  llvm::IntEqClasses classes(total);
  llvm::DenseMap<std::pair<Value, unsigned>, unsigned> readers; // of an operand's axis
  for (Operation &op : opsOf(group)) {
    const LoopSpec &loops = *ops[&op].loops;
    for (const Access &access : loops.finishAccesses)
      if (group.contains(op.getOperand(access.operand)))
        return Match::no("the end of a reduction reads what the group computes");
    for (const Access &access : loops.accesses) {
      Value operand = op.getOperand(access.operand);
      if (access.bounds != Bounds::Inside)
        return Match::no("a reduction reads beyond the edge");
      bool isInside = group.contains(operand);
      if (!access.map && isInside)
        return Match::no("what the group computes is read at computed places");
      if (!access.map)
        continue;
      Operation *producer = operand.getDefiningOp();
      for (auto [axis, dim] : llvm::enumerate(getDims(operand))) {
        if (dim.isConstant(1))
          continue;
        auto loop = dyn_cast<AffineDimExpr>(access.map->getResult(axis));
        if (!isInside) {
          if (!loop || loops.extents[loop.getPosition()] != dim)
            continue;
          unsigned mine = firstLoop[&op] + loop.getPosition();
          classes.join(readers.try_emplace({operand, axis}, mine).first->second, mine);
          continue;
        }
        if (!loop || access.mayBroadcast[axis])
          return Match::no("what the group computes is read at other places");
        classes.join(firstLoop[producer] + loopOfResultAxis(*ops[producer].loops, axis),
                     firstLoop[&op] + loop.getPosition());
      }
    }
  }
  classes.compress();
  for (Operation &op : opsOf(group)) {
    OpPlan &plan = ops[&op];
    for (auto [i, extent] : llvm::enumerate(plan.loops->extents))
      plan.axes.push_back(extent.isConstant(1) ? std::nullopt
                                               : std::optional(classes[firstLoop[&op] + i]));
  }
  return Match::yes();
}

/// Numbers the axes as the operand of the first reduction has them.
Match RowPlan::orderAxes(const GroupInfo &group) {
  Operation *lead = nullptr;
  for (Operation &op : opsOf(group))
    if (!lead && ops[&op].isReduction)
      lead = &op;
  if (!lead)
    return Match::no("nothing is reduced");
  const OpPlan &plan = ops[lead];
  llvm::DenseMap<unsigned, unsigned> numbers;
  auto addLoop = [&](unsigned loop) {
    if (!plan.axes[loop] || !numbers.try_emplace(*plan.axes[loop], axes.size()).second)
      return;
    axes.push_back({plan.loops->extents[loop], plan.loops->iterators[loop] == Iterator::Reduction});
  };
  for (const Access &access : plan.loops->accesses)
    if (access.map)
      for (AffineExpr expr : access.map->getResults())
        if (auto loop = dyn_cast<AffineDimExpr>(expr))
          addLoop(loop.getPosition());
  for (unsigned loop = 0; loop < plan.loops->numLoops(); ++loop)
    addLoop(loop);
  for (Operation &op : opsOf(group)) {
    OpPlan &mine = ops[&op];
    for (auto [axis, extent] : llvm::zip(mine.axes, mine.loops->extents)) {
      if (!axis)
        continue;
      auto number = numbers.find(*axis);
      if (number == numbers.end())
        return Match::no("an op goes along an axis that the reduction does not have");
      if (axes[number->second].extent != extent)
        return Match::no("sizes are not known to be equal");
      axis = number->second;
    }
  }
  return Match::yes();
}

/// All reductions reduce the same axes, and keep all others.
Match RowPlan::checkReductions(const GroupInfo &group) {
  if (llvm::none_of(axes, [](const Axis &axis) { return axis.isReduced; }))
    return Match::no("rows have one element");
  for (Operation &op : opsOf(group)) {
    OpPlan &plan = ops[&op];
    llvm::SmallDenseSet<unsigned> seen;
    for (auto [loop, axis] : llvm::enumerate(plan.axes)) {
      if (!axis)
        continue;
      if (!seen.insert(*axis).second)
        return Match::no("two loops of an op go along the same axis");
      bool isReduced = axes[*axis].isReduced;
      plan.isFull |= isReduced && !plan.isReduction;
      if (plan.isReduction && isReduced != (plan.loops->iterators[loop] == Iterator::Reduction))
        return Match::no("reductions go along different axes");
    }
    if (plan.isReduction && seen.size() != axes.size())
      return Match::no("reductions go along different axes");
  }
  return Match::yes();
}

Match RowPlan::checkResults(const GroupInfo &group) const {
  size_t rows = llvm::count_if(axes, [](const Axis &axis) { return !axis.isReduced; });
  for (Value result : group.getYielded()) {
    const OpPlan &plan = get(result.getDefiningOp());
    size_t have = 0;
    for (auto [axis, iterator] : llvm::zip(plan.axes, plan.loops->iterators))
      have += axis && iterator == Iterator::Parallel ? 1 : 0;
    if (have != (plan.isFull ? axes.size() : rows))
      return Match::no("a result lacks an axis");
  }
  return Match::yes();
}

//===----------------------------------------------------------------------===//
// Passes
//===----------------------------------------------------------------------===//

void RowPlan::findLevels(const GroupInfo &group) {
  for (Operation &op : opsOf(group)) {
    OpPlan &plan = ops[&op];
    for (Value operand : op.getOperands())
      if (group.contains(operand))
        plan.level = std::max(plan.level, ops[operand.getDefiningOp()].level);
    plan.level += plan.isReduction ? 1 : 0;
    numPasses = std::max(numPasses, plan.level + (plan.isFull ? 1 : 0));
  }
}

/// Whether reading an op's elements again is cheaper than computing them again.
bool RowPlan::isWorthKeeping(const GroupInfo &group, Operation *op, bool fitsCache) const {
  double cost = 0;
  llvm::SmallDenseSet<Value> loads;
  llvm::SmallSetVector<Operation *, 8> needed;
  needed.insert(op);
  for (size_t i = 0; i < needed.size(); ++i) {
    const OpPlan &plan = get(needed[i]);
    for (Operation &scalar : plan.loops->body->front().without_terminator()) {
      bool isFunction =
          isa<math::MathDialect>(scalar.getDialect()) && !isa<math::FmaOp, math::AbsFOp>(scalar);
      cost += isa<arith::ConstantOp>(scalar) ? 0
              : isFunction                   ? 10
              : isa<arith::DivFOp>(scalar)   ? 4
                                             : 1;
    }
    for (const Access &access : plan.loops->accesses) {
      Value operand = needed[i]->getOperand(access.operand);
      if (!group.contains(operand)) {
        bool alongRow = !access.map ||
                        llvm::any_of(llvm::seq<unsigned>(0, plan.axes.size()), [&](unsigned loop) {
                          return plan.axes[loop] && axes[*plan.axes[loop]].isReduced &&
                                 access.map->isFunctionOfDim(loop);
                        });
        if (alongRow)
          loads.insert(operand);
      } else if (get(operand.getDefiningOp()).isFull) {
        needed.insert(operand.getDefiningOp());
      }
    }
  }
  // Keeping costs a store, and a load in each later pass.
  return cost >= (fitsCache ? 4 : 10) || (fitsCache && loads.size() >= 2);
}

/// From consumers to producers: which passes need an op, and whether it is kept.
void RowPlan::findUses(const GroupInfo &group, const Target &target) {
  double rowBytes = estimateSize(getRowLength()) * 4;
  bool fitsCache = areColumns() || rowBytes <= static_cast<double>(target.l2Bytes) / 4;
  for (Operation &op : llvm::reverse(opsOf(group))) {
    OpPlan &plan = ops[&op];
    if (!plan.isFull)
      continue;
    bool isResult = false;
    for (Operation *user : op.getUsers()) {
      if (isa<YieldOp>(user)) {
        isResult = true;
        continue;
      }
      const OpPlan &consumer = ops[user];
      if (consumer.isReduction)
        plan.uses |= uint64_t(1) << (consumer.level - 1);
      else if (consumer.isKept)
        plan.uses |= uint64_t(1) << consumer.firstUse();
      else
        plan.uses |= consumer.uses;
    }
    if (isResult && plan.uses == 0)
      plan.uses = uint64_t(1) << plan.level;
    plan.isKept = llvm::popcount(plan.uses) > 1 && isWorthKeeping(group, &op, fitsCache);
  }
}

//===----------------------------------------------------------------------===//
// Axes that one loop goes through
//===----------------------------------------------------------------------===//

/// Whether everything reads the axes from `axis` on as they lie in memory, or not at all.
bool RowPlan::isFlatFrom(const GroupInfo &group, unsigned axis) const {
  unsigned count = axes.size() - axis;
  for (Operation &op : opsOf(group)) {
    const OpPlan &plan = get(&op);
    // The loops that go along these axes, in order, and whether they lie behind all
    // others in the result.
    SmallVector<unsigned> flat;
    for (auto [loop, at] : llvm::enumerate(plan.axes))
      if (at && *at >= axis) {
        if (*at != axis + flat.size())
          return false;
        flat.push_back(loop);
      }
    if (flat.empty())
      continue;
    if (flat.size() != count)
      return false;
    for (unsigned i = 1; i < count; ++i)
      if (flat[i] != flat[i - 1] + 1)
        return false;
    auto isFlat = [&](const Access &access) {
      if (!access.map)
        return false;
      Value operand = op.getOperand(access.operand);
      ArrayRef<AffineExpr> exprs = access.map->getResults();
      auto uses = [&](AffineExpr expr) {
        return llvm::any_of(flat, [&](unsigned loop) { return expr.isFunctionOfDim(loop); });
      };
      if (llvm::none_of(exprs, uses))
        return true;
      if (exprs.size() < count || llvm::any_of(exprs.drop_back(count), uses))
        return false;
      SmallVector<Dim> dims = getDims(operand);
      for (unsigned i = 0; i < count; ++i) {
        unsigned at = exprs.size() - count + i;
        auto loop = dyn_cast<AffineDimExpr>(exprs[at]);
        if (!loop || loop.getPosition() != flat[i] || access.mayBroadcast[at] ||
            dims[at] != axes[axis + i].extent)
          return false;
      }
      return true;
    };
    // A reduction's loops may be followed by loops of one step alone.
    bool isParallel = plan.loops->iterators[flat.front()] == Iterator::Parallel;
    for (unsigned loop = flat.back() + 1; isParallel && loop < plan.loops->numLoops(); ++loop)
      if (plan.axes[loop] && plan.loops->iterators[loop] == Iterator::Parallel)
        return false;
    if (!llvm::all_of(plan.loops->accesses, isFlat))
      return false;
    if (isParallel && !llvm::all_of(plan.loops->finishAccesses, isFlat))
      return false;
    for (unsigned loop : flat) {
      if (!plan.loops->body->front().getArgument(loop).use_empty())
        return false;
      // finish() has no arguments for reduction loops.
      if (!isParallel || !plan.loops->finish)
        continue;
      unsigned before =
          llvm::count(ArrayRef(plan.loops->iterators).take_front(loop), Iterator::Reduction);
      if (!plan.loops->finish->front().getArgument(loop - before).use_empty())
        return false;
    }
  }
  return true;
}

Match RowPlan::make(const GroupInfo &group, const Target &target, RowPlan &plan) {
  for (auto step : {&RowPlan::joinLoops, &RowPlan::orderAxes, &RowPlan::checkReductions})
    if (Match match = (plan.*step)(group); !match)
      return match;
  if (Match match = plan.checkResults(group); !match)
    return match;
  plan.findLevels(group);
  if (plan.numPasses > kMostPasses)
    return Match::no("too many reductions one after the other");
  plan.findUses(group, target);
  unsigned sameKind = 1;
  while (sameKind < plan.axes.size() &&
         plan.axes[plan.axes.size() - 1 - sameKind].isReduced == plan.axes.back().isReduced)
    ++sameKind;
  for (plan.numFlat = sameKind; plan.numFlat > 1; --plan.numFlat)
    if (plan.isFlatFrom(group, plan.axes.size() - plan.numFlat))
      break;
  return Match::yes();
}

} // namespace dsc
