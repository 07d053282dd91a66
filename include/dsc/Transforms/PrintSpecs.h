//===- PrintSpecs.h - what an operator computes, as text ------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc {

/// Prints the op's Spec: loops, what is read where, and the scalar code. Fails, with
/// a diagnostic at the op, if it has none.
llvm::LogicalResult printSpec(llvm::raw_ostream &os, ComputeOp op);

} // namespace dsc
