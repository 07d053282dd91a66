//===- Decompose.cpp - replaces ops without a Spec by simpler ones --------===//
//
//   %y = dsc.softmax %x {axis = 1}
// =>
//   %m = dsc.reduce_max %x ...   %e = dsc.exp (x - m) ...   %y = dsc.div %e, sum(e)
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Transforms/Passes.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_DECOMPOSE
#include "dsc/Transforms/Passes.h.inc"

namespace {
struct Decompose : impl::DecomposeBase<Decompose> {
  using DecomposeBase::DecomposeBase;
  explicit Decompose(std::function<bool(ComputeOp)> isWhole) : isWhole(std::move(isWhole)) {}
  void runOnOperation() override;

  std::function<bool(ComputeOp)> isWhole;
};
} // namespace

/// Replaces the op if it has a decomposition; false after a diagnostic if the
/// decomposition does not give what the op promises.
static LogicalResult decompose(ComputeOp op, bool &changed) {
  OpBuilder builder(op);
  SmallVector<Value> values;
  if (failed(op.decompose(builder, values)))
    return success();
  changed = true;
  if (values.size() != op->getNumResults())
    return op->emitOpError() << "decomposes into " << values.size() << " values";
  for (auto [result, value] : llvm::zip(op->getResults(), values)) {
    if (!value)
      continue;
    // The same sizes may be written otherwise; users were built for the op's.
    bool isNew = value.getDefiningOp() && !llvm::is_contained(op->getOperands(), value);
    if (isNew && value.getType() != result.getType() &&
        succeeded(verifyCompatibleShape(value.getType(), result.getType())))
      value.setType(cast<RankedTensorType>(result.getType()));
    result.replaceAllUsesWith(value);
  }
  op->erase();
  return success();
}

void Decompose::runOnOperation() {
  // Ops that a decomposition makes are decomposed in the next round. Decompositions
  // go from whole operators to single steps, so the rounds end.
  for (int round = 0; round < 16; ++round) {
    SmallVector<ComputeOp> ops;
    getOperation()->walk([&](ComputeOp op) { ops.push_back(op); });
    bool changed = false;
    for (ComputeOp op : ops)
      if (!(isWhole && isWhole(op)) && failed(decompose(op, changed)))
        return signalPassFailure();
    if (!changed)
      return;
  }
}

std::unique_ptr<Pass> createDecomposePass(std::function<bool(ComputeOp)> isWhole) {
  return std::make_unique<Decompose>(std::move(isWhole));
}

} // namespace dsc
