//===- HoistReads.cpp - what does not change leaves its loop --------------===//
//
// Loop-invariant code motion that also moves loads of the kernel's operands (marked by
// the emitter) and tests that record an error: an index that a gather reads for each
// row, a scale for each channel.
//
//===----------------------------------------------------------------------===//
#include "HoistReads.h"

#include "dsc/Codegen/Common/KernelEmitter.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/LoopInvariantCodeMotionUtils.h"

using namespace mlir;

namespace dsc {

/// Whether all that a region does is to store into what the function has allocated: how
/// errors are recorded.
static bool onlyRecords(Region &region) {
  return region.empty() || llvm::all_of(region.front().without_terminator(), [](Operation &op) {
           auto store = dyn_cast<LLVM::StoreOp>(op);
           return isMemoryEffectFree(&op) ||
                  (store && store.getAddr().getDefiningOp<LLVM::AllocaOp>());
         });
}

/// Whether an op may run although its loop does not, or earlier.
static bool mayMove(Operation *op) {
  if (op->hasAttr(kReadAttr))
    return true;
  if (auto condition = dyn_cast<scf::IfOp>(op))
    return condition.getNumResults() == 0 && llvm::all_of(condition->getRegions(), onlyRecords);
  return isMemoryEffectFree(op) && isSpeculatable(op);
}

void hoistReads(ModuleOp kernels) {
  kernels.walk([](scf::ForOp loop) {
    moveLoopInvariantCode(
        loop.getLoopRegions(),
        [&](Value value, Region *) { return loop.isDefinedOutsideOfLoop(value); },
        [](Operation *op, Region *) { return mayMove(op); },
        [&](Operation *op, Region *) { loop.moveOutOfLoop(op); });
  });
  kernels.walk([](LLVM::LoadOp load) { load->removeAttr(kReadAttr); });
}

} // namespace dsc
