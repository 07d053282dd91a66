//===- LaunchShape.h - blocks and shared memory of a kernel ---------------===//
//
// Kept as attributes of the kernel's function while it is emitted: `nvvm.reqntid`,
// with `nvvm.maxnreg`, the registers that a thread may have then, and `dsc.shared`.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/KernelEmitter.h"

namespace dsc {

struct LaunchShape {
  int64_t threads = 256;   ///< of a block
  int64_t sharedBytes = 0; ///< dynamic shared memory of a block
};

/// Gives the kernel that is being emitted a shape other than the default.
void setLaunchShape(KernelEmitter &kernel, LaunchShape shape);
/// Marks the kernels without one with the default.
void completeLaunchShapes(mlir::ModuleOp kernels);
LaunchShape getLaunchShape(mlir::Operation *kernel);

/// The start of the block's dynamic shared memory, aligned to 1024 bytes.
mlir::Value sharedMemory(KernelEmitter &kernel);

} // namespace dsc
