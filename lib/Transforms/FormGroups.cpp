//===- FormGroups.cpp - operator fusion -----------------------------------===//
//
// Clusters of ops grow from consumers to producers: going through the ops in
// order, each tries to take in the clusters that compute its operands. Two clusters
// merge if a kernel can compute them together (canJoin) and no path leaves the one
// and comes back through others. Then each cluster becomes a dsc.group.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/SharedStorage.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_FORMGROUPS
#include "dsc/Transforms/Passes.h.inc"

namespace {

/// What fusion must know about one op.
struct OpFacts {
  std::optional<Spec> spec;
  unsigned segment = 0; ///< number of barriers before it in the block
  bool isMap = false, isReduce = false;
  /// Sums of products and windows: computed by templates of their own.
  bool isHeavy = false;
  /// A transpose that moves the innermost axis: a kernel of its own is fastest.
  bool isTranspose = false;
  /// Leading axes of the result that a kernel handles row by row.
  SmallVector<Dim> outer;
  /// Reductions: the operand's axes, and which of them are reduced.
  SmallVector<Dim> operandDims;
  SmallVector<bool> reduced;
  double points = 1, cost = 0;
};

class Fusion {
public:
  explicit Fusion(Block &block) : block(block) {}
  void run();

private:
  using Cluster = llvm::SetVector<Operation *>;

  void collect();
  bool canJoin(Cluster &producer, Cluster &consumer);
  double emittedCost(Cluster &producer, Cluster &consumer);
  bool canInline(Operation *producer, Operation *consumer);
  bool continues(Operation *producer, Operation *consumer);
  bool sharesRows(Cluster &producer, Cluster &consumer);
  bool sharesAxes(ArrayRef<Operation *> ops);
  bool reaches(Operation *from, Cluster &goal, llvm::DenseSet<Operation *> &seen);
  bool wouldCycle(Cluster &producer, Cluster &consumer);
  void tryJoin(Operation *op);
  void makeGroup(Cluster &cluster);
  Cluster &clusterOf(Operation *op) { return *clusters[op]; }

  Block &block;
  llvm::MapVector<Operation *, OpFacts> facts;
  llvm::DenseMap<Operation *, std::shared_ptr<Cluster>> clusters;
};

struct FormGroups : impl::FormGroupsBase<FormGroups> {
  void runOnOperation() override;
};

} // namespace

//===----------------------------------------------------------------------===//
// Facts
//===----------------------------------------------------------------------===//

/// Sizes of constants; a symbol counts as 64.
static double countPoints(ArrayRef<Dim> dims) {
  double points = 1;
  for (Dim dim : dims)
    points *= static_cast<double>(dim.tryConstant().value_or(64));
  return points;
}

/// Scalar operations for a point, a function of the math dialect counting as ten.
static double bodyCost(const LoopSpec &loops) {
  double cost = 0;
  for (Operation &op : loops.body->front().without_terminator()) {
    bool isFunction = isa<math::MathDialect>(op.getDialect()) &&
                      !isa<math::FmaOp, math::AbsFOp, math::SqrtOp>(op);
    cost += isa<arith::ConstantOp>(op) ? 0 : isFunction ? 10 : 1;
  }
  return cost;
}

/// Whether the last axis that is longer than 1 comes from another axis of the operand.
static bool movesInnermost(Operation *op, const Spec &spec) {
  const LoopSpec &loops = *spec.loops;
  if (spec.kind != SpecKind::Move || loops.accesses.size() != 1)
    return false;
  const Access &access = loops.accesses.front();
  if (!access.map || !access.map->isPermutation())
    return false;
  auto isLong = [](Dim dim) { return !dim.isConstant(1); };
  std::optional<unsigned> last, read;
  for (auto [loop, extent] : llvm::enumerate(loops.extents))
    last = isLong(extent) ? std::optional<unsigned>(loop) : last;
  for (auto [axis, dim] : llvm::enumerate(getDims(op->getOperand(access.operand))))
    read = isLong(dim) ? std::optional(access.map->getDimPosition(axis)) : read;
  return last != read;
}

/// Which axes of its operand a reduction reduces.
static void describeReduction(Operation *op, OpFacts &facts, const LoopSpec &loops) {
  const Access &access = loops.accesses.front();
  if (!access.map)
    return;
  facts.operandDims = getDims(op->getOperand(access.operand));
  for (AffineExpr expr : access.map->getResults()) {
    auto loop = dyn_cast<AffineDimExpr>(expr);
    facts.reduced.push_back(loop && loops.iterators[loop.getPosition()] == Iterator::Reduction);
  }
}

static void describe(Operation *op, OpFacts &facts) {
  FailureOr<Spec> spec = cast<ComputeOp>(op).getSpec();
  if (failed(spec) || !spec->loops)
    return;
  const LoopSpec &loops = *spec->loops;
  facts.isHeavy = spec->kind == SpecKind::Contract || spec->kind == SpecKind::Window;
  bool isScan = llvm::is_contained(loops.iterators, Iterator::Scan);
  facts.isReduce = spec->kind == SpecKind::Reduce && !isScan;
  facts.isMap = !loops.hasReduction() && !isScan && !facts.isHeavy;
  facts.points = countPoints(loops.extents);
  facts.cost = bodyCost(loops);
  facts.outer = getDims(op->getResult(0));
  facts.isTranspose = movesInnermost(op, *spec);
  if (facts.isReduce) {
    describeReduction(op, facts, loops);
    // Up to the first axis that the reduction makes one long or drops.
    SmallVector<Dim> input = getDims(op->getOperand(loops.accesses.front().operand));
    size_t same = 0;
    while (same < facts.outer.size() && same < input.size() && facts.outer[same] == input[same])
      ++same;
    facts.outer.truncate(same);
  }
  facts.spec = std::move(*spec);
}

/// Ops behind which symbols may be new, or whose regions run in their own order.
static bool isBarrier(Operation *op) { return isa<BindOp>(op) || op->getNumRegions() > 0; }

void Fusion::collect() {
  unsigned segment = 0;
  for (Operation &op : block) {
    if (isBarrier(&op))
      ++segment;
    auto compute = dyn_cast<ComputeOp>(op);
    if (!compute || compute.getViewSource() || op.getNumRegions() > 0 || mayShareStorage(&op))
      continue;
    OpFacts &mine = facts[&op];
    mine.segment = segment;
    describe(&op, mine);
    clusters[&op] = std::make_shared<Cluster>();
    clusters[&op]->insert(&op);
  }
}

//===----------------------------------------------------------------------===//
// What may be computed together
//===----------------------------------------------------------------------===//

/// Whether a point of the consumer reads the producer at several computed places.
static bool picksSeveral(Operation *producer, Operation *consumer, const LoopSpec &loops) {
  for (auto [i, access] : llvm::enumerate(loops.accesses)) {
    Value tensor = loops.body->front().getArgument(loops.numLoops() + i);
    if (!access.map && consumer->getOperand(access.operand).getDefiningOp() == producer &&
        llvm::range_size(tensor.getUsers()) > 1)
      return true;
  }
  return false;
}

/// The producer's scalar code is computed at each place where the consumer reads.
bool Fusion::canInline(Operation *producer, Operation *consumer) {
  OpFacts &from = facts[producer], &to = facts[consumer];
  if (!from.isMap || (!to.isMap && !to.isReduce))
    return false;
  if (from.cost > 2 && picksSeveral(producer, consumer, *to.spec->loops))
    return false;
  return to.points <= 2 * from.points || from.cost <= 2;
}

/// The consumer only maps each element of what the producer computes, at the same
/// place: it can be done before the element is stored.
bool Fusion::continues(Operation *producer, Operation *consumer) {
  OpFacts &to = facts[consumer];
  if (!to.isMap || producer->getNumResults() != 1 || !producer->getResult(0).hasOneUse())
    return false;
  SmallVector<Dim> dims = getDims(producer->getResult(0));
  if (to.spec->loops->extents != dims)
    return false;
  for (const Access &access : to.spec->loops->accesses)
    if (consumer->getOperand(access.operand) == producer->getResult(0))
      return access.map && access.map->isIdentity();
  return false;
}

/// All reductions reduce the same axes, whichever these are, and everything else has
/// the operand's axes, or those that are left.
bool Fusion::sharesAxes(ArrayRef<Operation *> ops) {
  const OpFacts *lead = nullptr;
  for (Operation *op : ops) {
    const OpFacts &mine = facts[op];
    if (!mine.isMap && !mine.isReduce)
      return false;
    if (!mine.isReduce)
      continue;
    if (lead && (mine.operandDims != lead->operandDims || mine.reduced != lead->reduced))
      return false;
    lead = &mine;
  }
  if (!lead || !llvm::is_contained(lead->reduced, true))
    return false;
  SmallVector<Dim> kept, dropped;
  for (auto [dim, reduced] : llvm::zip(lead->operandDims, lead->reduced)) {
    kept.push_back(reduced ? Dim::constant(dim.getContext(), 1) : dim);
    if (!reduced)
      dropped.push_back(dim);
  }
  return llvm::all_of(ops, [&](Operation *op) {
    SmallVector<Dim> dims = getDims(op->getResult(0));
    bool fits = dims == lead->operandDims || dims == kept || dims == dropped;
    return fits && llvm::all_of(facts[op].spec->loops->accesses,
                                [](const Access &access) { return access.map.has_value(); });
  });
}

/// All work of both clusters goes row by row over the same rows.
bool Fusion::sharesRows(Cluster &producer, Cluster &consumer) {
  SmallVector<Operation *> ops(producer.begin(), producer.end());
  ops.append(consumer.begin(), consumer.end());
  if (sharesAxes(ops))
    return true;
  SmallVector<Dim> outer;
  bool hasReduction = false;
  double functions = 0;
  for (Cluster *cluster : {&producer, &consumer})
    for (Operation *op : *cluster) {
      OpFacts &mine = facts[op];
      if (!mine.isMap && !mine.isReduce)
        return false;
      functions += mine.cost >= 10 ? 1 : 0;
      if (!mine.isReduce)
        continue;
      if (hasReduction && outer != mine.outer)
        return false;
      hasReduction = true;
      outer = mine.outer;
    }
  if (!hasReduction || outer.empty() || functions > 2)
    return false;
  // Everything else has the rows as its leading axes.
  for (Cluster *cluster : {&producer, &consumer})
    for (Operation *op : *cluster) {
      SmallVector<Dim> dims = getDims(op->getResult(0));
      if (dims.size() < outer.size() || ArrayRef(dims).take_front(outer.size()) != ArrayRef(outer))
        return false;
      for (const Access &access : facts[op].spec->loops->accesses)
        if (!access.map)
          return false;
    }
  return true;
}

/// Scalar operations that a kernel of both clusters consists of. A value that is
/// read at different places is computed at each.
double Fusion::emittedCost(Cluster &producer, Cluster &consumer) {
  SmallVector<Operation *> ops(producer.begin(), producer.end());
  ops.append(consumer.begin(), consumer.end());
  llvm::sort(ops, [](Operation *a, Operation *b) { return b->isBeforeInBlock(a); });
  llvm::SmallDenseMap<Operation *, double> copies;
  double cost = 0;
  for (Operation *op : ops) {
    double together = 1, apart = 0;
    for (OpOperand &use : op->getUses()) {
      auto user = copies.find(use.getOwner());
      if (user == copies.end())
        continue;
      bool isSamePlace = false;
      for (const Access &access : facts[use.getOwner()].spec->loops->accesses)
        if (access.operand == use.getOperandNumber())
          isSamePlace = access.map && access.map->isIdentity();
      if (isSamePlace)
        together = std::max(together, user->second);
      else
        apart += user->second;
    }
    copies[op] = std::max(together, apart);
    cost += copies[op] * std::max(1.0, facts[op].cost);
  }
  return cost;
}

bool Fusion::canJoin(Cluster &producer, Cluster &consumer) {
  // Kernels stay small enough to compile in moments.
  constexpr size_t mostOps = 48;
  constexpr double mostCost = 2000;
  if (producer.size() + consumer.size() > mostOps)
    return false;
  bool single = producer.size() == 1;
  Operation *last = producer.back();
  OpFacts &lastFacts = facts[last];
  for (Operation *op : consumer) {
    if (!facts[op].spec || facts[op].segment != lastFacts.segment)
      return false;
  }
  for (Operation *op : producer)
    if (!facts[op].spec)
      return false;
  if (emittedCost(producer, consumer) > mostCost)
    return false;
  // Continue a heavy op (or a cluster that ends with its epilogue).
  bool producerHeavy = llvm::any_of(producer, [&](Operation *op) { return facts[op].isHeavy; });
  bool consumerHeavy = llvm::any_of(consumer, [&](Operation *op) { return facts[op].isHeavy; });
  auto isTranspose = [&](Operation *op) { return facts[op].isTranspose; };
  if (consumerHeavy || llvm::any_of(producer, isTranspose) || llvm::any_of(consumer, isTranspose))
    return false;
  if (producerHeavy)
    return consumer.size() == 1 && continues(last, consumer.front());
  if (sharesRows(producer, consumer))
    return true;
  // Elementwise producers that nothing else uses.
  bool onlyHere = llvm::all_of(producer, [&](Operation *op) {
    return llvm::all_of(op->getUsers(), [&](Operation *user) {
      return producer.contains(user) || consumer.contains(user);
    });
  });
  if (!onlyHere)
    return false;
  bool producerReduces = llvm::any_of(producer, [&](Operation *op) { return facts[op].isReduce; });
  if (producerReduces)
    return consumer.size() == 1 && single && continues(last, consumer.front());
  for (Operation *op : producer)
    for (Operation *user : op->getUsers())
      if (consumer.contains(user) && !canInline(op, user))
        return false;
  return true;
}

//===----------------------------------------------------------------------===//
// Cycles
//===----------------------------------------------------------------------===//

bool Fusion::reaches(Operation *from, Cluster &goal, llvm::DenseSet<Operation *> &seen) {
  if (!from || from->getBlock() != &block)
    from = from ? block.findAncestorOpInBlock(*from) : nullptr;
  if (!from || !seen.insert(from).second)
    return false;
  if (goal.contains(from))
    return true;
  // All of a cluster is computed at once.
  SmallVector<Operation *> members = {from};
  if (auto it = clusters.find(from); it != clusters.end())
    members.assign(it->second->begin(), it->second->end());
  for (Operation *member : members)
    for (Operation *user : member->getUsers())
      if (reaches(user, goal, seen))
        return true;
  return false;
}

bool Fusion::wouldCycle(Cluster &producer, Cluster &consumer) {
  llvm::DenseSet<Operation *> seen(producer.begin(), producer.end());
  for (Operation *op : producer)
    for (Operation *user : op->getUsers())
      if (!producer.contains(user) && !consumer.contains(user) && reaches(user, consumer, seen))
        return true;
  return false;
}

//===----------------------------------------------------------------------===//
// Clusters
//===----------------------------------------------------------------------===//

void Fusion::tryJoin(Operation *op) {
  bool changed = true;
  while (changed) {
    changed = false;
    Cluster members = clusterOf(op);
    for (Operation *member : members)
      for (Value operand : member->getOperands()) {
        Operation *def = operand.getDefiningOp();
        if (!def || !clusters.contains(def) || clusters[def] == clusters[op])
          continue;
        Cluster &producer = clusterOf(def), &consumer = clusterOf(op);
        if (!canJoin(producer, consumer) || wouldCycle(producer, consumer))
          continue;
        auto joined = std::make_shared<Cluster>(producer);
        joined->insert(consumer.begin(), consumer.end());
        for (Operation *each : *joined)
          clusters[each] = joined;
        changed = true;
      }
  }
}

void Fusion::makeGroup(Cluster &cluster) {
  SmallVector<Operation *> ops(cluster.begin(), cluster.end());
  llvm::sort(ops, [](Operation *a, Operation *b) { return a->isBeforeInBlock(b); });
  llvm::SetVector<Value> results;
  SmallVector<Location> locations;
  for (Operation *op : ops) {
    locations.push_back(op->getLoc());
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) { return !cluster.contains(user); }))
        results.insert(result);
  }
  OpBuilder builder(ops.back());
  Location loc = FusedLoc::get(builder.getContext(), locations);
  auto types = llvm::map_to_vector(results, [](Value value) { return value.getType(); });
  auto group = GroupOp::create(builder, loc, types, ScheduleAttr());
  Block &body = group.getBody().emplaceBlock();
  for (auto [result, outside] :
       llvm::zip(SmallVector<Value>(results.getArrayRef()), group.getResults()))
    result.replaceUsesWithIf(outside,
                             [&](OpOperand &use) { return !cluster.contains(use.getOwner()); });
  for (Operation *op : ops)
    op->moveBefore(&body, body.end());
  builder.setInsertionPointToEnd(&body);
  YieldOp::create(builder, loc, results.getArrayRef());
}

void Fusion::run() {
  collect();
  for (auto &[op, mine] : facts)
    tryJoin(op);
  llvm::SetVector<Cluster *> all;
  for (auto &[op, mine] : facts)
    all.insert(&clusterOf(op));
  for (Cluster *cluster : all)
    makeGroup(*cluster);
  // A group stands where its last op was: behind some users of the others.
  sortTopologically(&block);
}

void FormGroups::runOnOperation() {
  SmallVector<Block *> blocks;
  getOperation()->walk([&](Block *block) {
    Operation *parent = block->getParentOp();
    if (isa<ModuleOp>(parent) || parent->getParentOfType<GroupOp>() || isa<GroupOp>(parent))
      return;
    blocks.push_back(block);
  });
  for (Block *block : blocks)
    Fusion(*block).run();
}

} // namespace dsc
