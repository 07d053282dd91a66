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

/// Whether an op may run although its loop does not, or earlier.
static bool mayMove(Operation *op) {
  if (op->hasAttr(kReadAttr))
    return true;
  // Recording an error is all that is stored under a condition without results.
  if (auto condition = dyn_cast<scf::IfOp>(op))
    return condition.getNumResults() == 0 &&
           llvm::all_of(condition.getThenRegion().front().without_terminator(),
                        [](Operation &inner) {
                          auto store = dyn_cast<LLVM::StoreOp>(inner);
                          return isMemoryEffectFree(&inner) ||
                                 (store && store.getAddr().getDefiningOp<LLVM::AllocaOp>());
                        }) &&
           (condition.getElseRegion().empty() ||
            llvm::hasSingleElement(condition.getElseRegion().front()));
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
