//===- EntryPoints.h - kernels as functions that a GPU starts -------------===//
//
//   func.func @k(env, buffers, sizes) -> i32
//   =>  .entry k(buffer 0, buffer 1, ..., size 0, size 1, ..., status)
//
// Buffers are pointers to global memory, sizes 64-bit integers, both in the order of
// the launch. `status` points to a 32-bit integer in global memory that is raised to
// what the kernel returns, if that is an error. Part p of n is thread p of all n
// threads of a one-dimensional grid; blocks must be whole warps.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/BuiltinOps.h"

namespace dsc {

/// Gives the functions of `kernels` the signature above.
void makeEntryPoints(mlir::ModuleOp kernels);

/// Marks them, now in the llvm dialect, as what the host starts.
void markEntryPoints(mlir::ModuleOp kernels);

} // namespace dsc
