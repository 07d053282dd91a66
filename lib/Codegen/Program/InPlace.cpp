//===- InPlace.cpp - results that take the storage of an operand ----------===//
//
// A group may write its result over an operand that nothing reads afterwards, if it
// reads each element of it only for the element of the result at the same place: the
// store of that element depends on the load, and each element is computed once. So
// residual additions behind a product or a convolution need no memory of their own.
//
//===----------------------------------------------------------------------===//
#include "BlockBuilder.h"

#include "dsc/Dialect/IR/SharedStorage.h"

using namespace mlir;

namespace dsc {

/// Whether the op computes each element of its result from elements of `values` at
/// the same place only.
static bool readsAtSamePlace(Operation *op, const llvm::DenseSet<Value> &values) {
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute || compute.getViewSource() || op->getNumResults() != 1)
    return false;
  FailureOr<Spec> spec = compute.getSpec();
  if (failed(spec) || !spec->loops || (spec->kind != SpecKind::Map && spec->kind != SpecKind::Move))
    return false;
  for (const Access &access : spec->loops->accesses)
    if (values.contains(op->getOperand(access.operand)) &&
        (!access.map || !access.map->isIdentity() || llvm::is_contained(access.mayBroadcast, true)))
      return false;
  return true;
}

/// Whether all of the group that depends on `operand` does so element by element.
static bool dependsElementByElement(GroupOp group, Value operand) {
  Block &body = group.getBody().front();
  llvm::DenseSet<Value> dependent = {operand};
  for (Operation &op : body.without_terminator()) {
    bool depends =
        llvm::any_of(op.getOperands(), [&](Value value) { return dependent.contains(value); });
    if (!depends)
      continue;
    if (!readsAtSamePlace(&op, dependent))
      return false;
    dependent.insert(op.getResult(0));
  }
  return dependent.contains(body.getTerminator()->getOperand(0));
}

/// Whether nothing reads the tensor, or what lies in it, after `op`.
static bool diesAt(Value tensor, Operation *op) {
  return llvm::all_of(tensor.getUsers(), [&](Operation *user) {
    Operation *here = op->getBlock()->findAncestorOpInBlock(*user);
    if (!here || here->hasTrait<OpTrait::IsTerminator>())
      return false;
    bool isView = here == user && !isa<GroupOp>(here) && isa<ComputeOp>(here);
    if (isView)
      return !isa<ConcatOp>(here) && diesAt(here->getResult(0), op);
    return here == op || here->isBeforeInBlock(op);
  });
}

/// The tensor that computes what `tensor` shows or is a place in.
static Value baseOf(Value tensor) {
  while (auto op = tensor.getDefiningOp<ComputeOp>()) {
    if (isa<ConcatOp>(op))
      break;
    tensor = op->getOperand(0);
  }
  return tensor;
}

llvm::SetVector<Value> readStorage(GroupOp group) {
  llvm::SetVector<Value> bases;
  for (Operation &op : group.getBody().front().without_terminator())
    for (Value operand : op.getOperands())
      if (operand.getParentBlock() != &group.getBody().front())
        bases.insert(baseOf(operand));
  return bases;
}

Value findOverwritten(GroupOp group) {
  if (group->getNumResults() != 1)
    return {};
  Type type = group->getResult(0).getType();
  llvm::SetVector<Value> operands;
  for (Operation &op : group.getBody().front().without_terminator())
    operands.insert(op.operand_begin(), op.operand_end());
  for (Value operand : operands) {
    if (operand.getType() != type)
      continue;
    Value storage = skipViews(operand);
    Operation *producer = storage.getDefiningOp();
    if (isa_and_nonnull<GroupOp>(producer) && producer->getBlock() == group->getBlock() &&
        diesAt(storage, group) && dependsElementByElement(group, operand))
      return storage;
  }
  return {};
}

} // namespace dsc
