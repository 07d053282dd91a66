//===- GpuCode.h - kernels as the code of a container's GPU variant -------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"
#include "dsc/Format/Container.h"

#include "mlir/IR/BuiltinOps.h"

#include <string>
#include <vector>

namespace dsc {

/// PTX of the kernels, which are lowered, and the cubin that ptxas makes of it where
/// it is installed; shapes of blocks for `names`. Manifest and program are left to
/// the caller. Fails with a diagnostic.
llvm::FailureOr<format::Variant> makeGpuCode(mlir::ModuleOp kernels,
                                             const std::vector<std::string> &names,
                                             const Target &target, int optLevel,
                                             mlir::Location loc);

} // namespace dsc
