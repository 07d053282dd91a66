//===- ShareStorage.cpp - tensors that need no memory of their own --------===//
//
//   %y = dsc.group { dsc.slice %x ... }    =>   %y = dsc.slice %x ...
//   dsc.concat %a, %b outside of a group   =>   the same, or in a group
//
// Outside of groups an op has no kernel: a slice is a place in its operand's storage,
// and the groups that compute a concat's inputs write into the concat's storage. An
// input that cannot be written there is copied by a group of its own.
//
// Sharing saves copies, but storage lives as long as all that is in it: it is done
// where the memory that must be alive at one time does not become more by it. That
// is estimated from the groups' order and sizes, each symbol counted as 64.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/SharedStorage.h"
#include "dsc/Dialect/IR/Weights.h"
#include "dsc/Format/Evaluate.h"
#include "dsc/Transforms/Passes.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_SHARESTORAGE
#include "dsc/Transforms/Passes.h.inc"

namespace {

/// The memory of one block's tensors.
class StorageEstimate {
public:
  explicit StorageEstimate(Block &block);

  /// Has `part` lie within the storage of `whole`, if this does not need more memory.
  bool tryPlace(Value part, Value whole);

private:
  void addTensor(Value tensor);
  uint32_t lastUse(Value tensor) const;
  unsigned storageOf(unsigned tensor) const {
    while (within[tensor] != tensor)
      tensor = within[tensor];
    return tensor;
  }

  Block &block;
  llvm::DenseMap<Operation *, uint32_t> times;
  llvm::DenseMap<Value, unsigned> numbers;
  std::vector<format::PlanItem> items;
  std::vector<unsigned> within; ///< the tensor in whose storage each is; itself if in none
  uint64_t limit = 0;
};

class StorageSharing {
public:
  explicit StorageSharing(Block &block) : block(block), estimate(block) {}
  void run();

private:
  void shareConcat(ConcatOp concat);
  void shareGroup(GroupOp group);

  Block &block;
  StorageEstimate estimate;
  llvm::DenseSet<Value> placed; ///< results that lie in a concat
};

struct ShareStorage : impl::ShareStorageBase<ShareStorage> {
  void runOnOperation() override;
};

} // namespace

//===----------------------------------------------------------------------===//
// Estimate
//===----------------------------------------------------------------------===//

static uint64_t estimateBytes(Value tensor) {
  constexpr double assumed = 64, most = 1e12;
  auto bytes = static_cast<double>(elementBytes(getElementType(tensor)));
  for (Dim dim : getDims(tensor))
    bytes *= static_cast<double>(dim.tryConstant().value_or(assumed));
  return static_cast<uint64_t>(std::min(bytes, most));
}

/// The time of the last op that reads the tensor or a view of it.
uint32_t StorageEstimate::lastUse(Value tensor) const {
  uint32_t last = times.lookup(tensor.getDefiningOp());
  for (Operation *user : tensor.getUsers()) {
    Operation *here = block.findAncestorOpInBlock(*user);
    last = std::max(last, times.lookup(here));
    auto compute = dyn_cast<ComputeOp>(user);
    if (user == here && compute && compute.getViewSource())
      last = std::max(last, lastUse(user->getResult(0)));
  }
  return last;
}

void StorageEstimate::addTensor(Value tensor) {
  if (isReturned(tensor))
    return;
  numbers[tensor] = items.size();
  within.push_back(items.size());
  items.push_back({estimateBytes(tensor), times.lookup(tensor.getDefiningOp()), lastUse(tensor)});
}

StorageEstimate::StorageEstimate(Block &block) : block(block) {
  for (Operation &op : block)
    times.try_emplace(&op, times.size());
  for (Operation &op : block)
    if (isa<GroupOp, ConcatOp>(op))
      for (Value result : op.getResults())
        addTensor(result);
  limit = format::planLowerBound(items);
}

bool StorageEstimate::tryPlace(Value part, Value whole) {
  auto partNumber = numbers.find(part), wholeNumber = numbers.find(whole);
  if (partNumber == numbers.end())
    return false;
  format::PlanItem &small = items[partNumber->second];
  // What another block or the caller holds is alive anyway.
  if (wholeNumber == numbers.end()) {
    small.bytes = 0;
    return true;
  }
  unsigned storage = storageOf(wholeNumber->second);
  format::PlanItem &large = items[storage];
  format::PlanItem smallBefore = small, largeBefore = large;
  large.first = std::min(large.first, small.first);
  large.last = std::max(large.last, small.last);
  small.bytes = 0;
  if (format::planLowerBound(items) > limit) {
    small = smallBefore;
    large = largeBefore;
    return false;
  }
  within[partNumber->second] = storage;
  return true;
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

/// A group of one op, which is built by `build`.
static GroupOp makeGroup(Operation *before, Type type, function_ref<Value(OpBuilder &)> build) {
  OpBuilder builder(before);
  auto group = GroupOp::create(builder, before->getLoc(), type, ScheduleAttr());
  builder.setInsertionPointToEnd(&group.getBody().emplaceBlock());
  Value result = build(builder);
  YieldOp::create(builder, before->getLoc(), result);
  return group;
}

static void putIntoGroup(ConcatOp concat) {
  GroupOp group = makeGroup(concat, concat.getType(), [&](OpBuilder &builder) {
    return builder.clone(*concat)->getResult(0);
  });
  concat->replaceAllUsesWith(group);
  concat->erase();
}

/// A tensor of the same elements that a group computes.
static Value copyOf(Value tensor, Operation *before) {
  SmallVector<Dim> dims = getDims(tensor);
  GroupOp group = makeGroup(before, tensor.getType(), [&](OpBuilder &builder) -> Value {
    return ExpandOp::create(builder, before->getLoc(), tensor.getType(), tensor,
                            DimsAttr::get(builder.getContext(), dims));
  });
  return group->getResult(0);
}

void StorageSharing::shareConcat(ConcatOp concat) {
  // Those computed last first: they prolong the storage least.
  SmallVector<unsigned> order;
  for (unsigned i = 0; i < concat.getInputs().size(); ++i)
    if (canComputeInPlace(concat, i))
      order.push_back(i);
  auto producer = [&](unsigned i) { return skipViews(concat.getInputs()[i]).getDefiningOp(); };
  llvm::sort(order, [&](unsigned a, unsigned b) {
    Operation *first = producer(a), *second = producer(b);
    return first == second ? a < b : second->isBeforeInBlock(first);
  });
  llvm::SmallDenseSet<unsigned> inPlace;
  for (unsigned i : order) {
    Value input = skipViews(concat.getInputs()[i]);
    if (placed.contains(input) || !estimate.tryPlace(input, concat.getResult()))
      continue;
    placed.insert(input);
    inPlace.insert(i);
  }
  if (inPlace.empty())
    return putIntoGroup(concat);
  for (OpOperand &input : concat->getOpOperands())
    if (!inPlace.contains(input.getOperandNumber())) {
      input.set(copyOf(input.get(), concat));
      placed.insert(input.get());
    }
}

/// A group that only takes a part of a tensor.
void StorageSharing::shareGroup(GroupOp group) {
  Block &body = group.getBody().front();
  auto op = dyn_cast<ComputeOp>(body.front());
  if (!op || op->getNextNode() != body.getTerminator() || !getPartOffset(op))
    return;
  Value result = group->getResult(0);
  if (placed.contains(result) || isReturned(result) ||
      !estimate.tryPlace(result, skipViews(op->getOperand(0))))
    return;
  op->moveBefore(group);
  result.replaceAllUsesWith(op->getResult(0));
  group->erase();
}

void StorageSharing::run() {
  for (ConcatOp concat : llvm::to_vector(block.getOps<ConcatOp>()))
    shareConcat(concat);
  for (GroupOp group : llvm::to_vector(block.getOps<GroupOp>()))
    shareGroup(group);
}

void ShareStorage::runOnOperation() {
  SmallVector<Block *> blocks;
  getOperation()->walk([&](Block *block) {
    Operation *parent = block->getParentOp();
    if (!isa<ModuleOp, GroupOp>(parent) && !parent->getParentOfType<GroupOp>())
      blocks.push_back(block);
  });
  for (Block *block : blocks)
    StorageSharing(*block).run();
}

} // namespace dsc
