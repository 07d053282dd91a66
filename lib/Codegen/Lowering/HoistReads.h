//===- HoistReads.h - what does not change leaves its loop ----------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace dsc {

/// Moves invariant arithmetic, reads of operands and tests out of the loops of kernels.
void hoistReads(mlir::ModuleOp kernels);

} // namespace dsc
