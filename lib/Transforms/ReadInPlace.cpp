//===- ReadInPlace.cpp - attention reads tensors where they are -----------===//
//
//   %t = dsc.group { dsc.transpose %x }           %y = dsc.group {
//   %y = dsc.group { dsc.attention %t, ... }  =>    %t = dsc.transpose %x
//                                                   dsc.attention %t, ...
//                                                 }
//
// The kernel of attention takes rows at any distances. Transpositions, slices and
// reshapes in front of it are put into its group, where they only say which (see
// getStridedView); their own groups, when nothing else uses them, are erased.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/SharedStorage.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/Iterators.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_READINPLACE
#include "dsc/Transforms/Passes.h.inc"

namespace {
struct ReadInPlace : impl::ReadInPlaceBase<ReadInPlace> {
  void runOnOperation() override;
};
} // namespace

/// The op of a group that consists of one.
static ComputeOp onlyOp(GroupOp group) {
  Block &body = group.getBody().front();
  auto op = dyn_cast<ComputeOp>(body.front());
  return op && op->getNextNode() == body.getTerminator() ? op : ComputeOp();
}

static bool onlyMoves(ComputeOp op) {
  Operation *self = op;
  auto view = getStridedView(op->getResult(0), [&](Operation *each) { return each == self; });
  return view && view->source != op->getResult(0);
}

/// The ops that `tensor` comes from which only move elements, from the last one on,
/// up to the first that a group computes.
static SmallVector<ComputeOp> movesBehind(Value tensor) {
  SmallVector<ComputeOp> moves;
  size_t end = 0;
  for (;;) {
    Operation *producer = tensor.getDefiningOp();
    auto group = dyn_cast_or_null<GroupOp>(producer);
    auto op = group ? onlyOp(group) : dyn_cast_or_null<ComputeOp>(producer);
    if (!op || (!group && !op.getViewSource()) || !onlyMoves(op))
      break;
    moves.push_back(op);
    if (group)
      end = moves.size();
    tensor = op->getOperand(0);
  }
  moves.truncate(end);
  return moves;
}

/// Puts copies of the moves in front of the group's op, which reads them as its
/// operand `number`; undone if the distances are not regular.
static bool takeIn(ArrayRef<ComputeOp> moves, Operation *op, unsigned number) {
  OpBuilder builder(op);
  Value before = op->getOperand(number), tensor = moves.back()->getOperand(0);
  SmallVector<Operation *> copies;
  for (ComputeOp move : llvm::reverse(moves)) {
    copies.push_back(builder.clone(*move));
    copies.back()->setOperand(0, tensor);
    tensor = copies.back()->getResult(0);
  }
  auto view =
      getStridedView(tensor, [&](Operation *each) { return each->getBlock() == op->getBlock(); });
  op->setOperand(number, tensor);
  if (view && view->strides.back().isConstant(1))
    return true;
  op->setOperand(number, before);
  for (Operation *copy : llvm::reverse(copies))
    copy->erase();
  return false;
}

static void readInPlace(GroupOp group) {
  ComputeOp op = onlyOp(group);
  FailureOr<Spec> spec = op ? op.getSpec() : FailureOr<Spec>(failure());
  if (failed(spec) || !spec->attention)
    return;
  for (unsigned number : {spec->attention->q, spec->attention->k, spec->attention->v}) {
    SmallVector<ComputeOp> moves = movesBehind(op->getOperand(number));
    while (!moves.empty() && !takeIn(moves, op, number))
      moves.pop_back();
  }
}

void ReadInPlace::runOnOperation() {
  SmallVector<GroupOp> groups;
  getOperation()->walk([&](GroupOp group) { groups.push_back(group); });
  for (GroupOp group : groups)
    readInPlace(group);
  // What was only there for attention, users before what they use.
  getOperation()->walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    auto compute = dyn_cast<ComputeOp>(op);
    bool isOutside = !op->getParentOfType<GroupOp>();
    if (isOutside && op->use_empty() && (isa<GroupOp>(op) || (compute && compute.getViewSource())))
      op->erase();
  });
}

} // namespace dsc
