//===- RemoveIdentities.cpp - operators that give their operand -----------===//
//
//   dsc.cast %x {to = 1} : f32[N] -> f32[N]                     =>  %x
//   dsc.reshape (dsc.unsqueeze %x : f32[N] -> f32[1,N]) -> f32[N]  =>  %x
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Transforms/Passes.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_REMOVEIDENTITIES
#include "dsc/Transforms/Passes.h.inc"

/// Whether an op whose result has the type of its first operand is that operand.
static bool isIdentity(Operation *op) {
  if (isa<CastOp, CastLikeOp, ExpandOp>(op))
    return true;
  if (auto transpose = dyn_cast<TransposeOp>(op)) {
    std::optional<ArrayRef<int64_t>> perm = transpose.getPerm();
    return perm && llvm::equal(*perm, llvm::seq<int64_t>(0, perm->size()));
  }
  if (auto pad = dyn_cast<PadOp>(op))
    return llvm::all_of(pad.getPads().getDims(), [](Dim dim) { return dim.isConstant(0); });
  // With steps of 1, elements as many as there are.
  auto slice = dyn_cast<SliceOp>(op);
  return slice && (!slice.getSteps() || areAllOne(slice.getSteps()->getDims()));
}

/// What the result is a copy of, else null.
static Value originalOf(ComputeOp op) {
  if (op->getNumResults() != 1 || op->getNumOperands() == 0)
    return {};
  Type type = op->getResult(0).getType();
  // Views of views of a tensor of this shape: the elements' order never changed.
  Value source = op.getViewSource();
  while (source) {
    if (source.getType() == type)
      return source;
    auto next = source.getDefiningOp<ComputeOp>();
    source = next ? next.getViewSource() : Value();
  }
  bool isSame = op->getOperand(0).getType() == type && isIdentity(op);
  return isSame ? op->getOperand(0) : Value();
}

namespace {
struct RemoveIdentities : impl::RemoveIdentitiesBase<RemoveIdentities> {
  void runOnOperation() override {
    // In program order, so that an op sees operands that are what they stay.
    SmallVector<ComputeOp> ops;
    getOperation()->walk([&](ComputeOp op) { ops.push_back(op); });
    for (ComputeOp op : ops)
      if (Value original = originalOf(op)) {
        op->getResult(0).replaceAllUsesWith(original);
        op->erase();
      }
  }
};
} // namespace

} // namespace dsc
