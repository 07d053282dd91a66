//===- ProgramBuilder.h - from scheduled groups to a format::Program ------===//
//
// The last IR is a list of groups, views, binds, guards and control flow over
// constants; each becomes a value, a launch or a step of the program.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Program/KernelLibrary.h"
#include "dsc/Dialect/IR/Weights.h"
#include "dsc/Format/Program.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace dsc {

/// A constant of the program and where it goes.
struct PlacedWeight {
  mlir::Operation *op; ///< dsc.constant, dsc.weight, or dsc.repack of one
  uint64_t offset = 0; ///< in the weights section
  uint64_t bytes = 0;
};

/// What the bytes of a constant follow from: equal recipes give equal bytes.
/// `canonical` says what stands for a reference to stored bytes.
mlir::Attribute recipeOf(mlir::Operation *constant,
                         llvm::function_ref<mlir::Attribute(WeightAttr)> canonical);

struct BuiltProgram {
  format::Program program;
  std::vector<PlacedWeight> weights; ///< in the order of their offsets, equal ones once
  uint64_t weightBytes = 0;
  /// For each launch the group it runs.
  std::vector<GroupOp> launchGroups;
};

/// Builds the program of `main`, emitting its kernels into `kernels`.
llvm::FailureOr<BuiltProgram> buildProgram(mlir::func::FuncOp main, KernelLibrary &kernels);

/// The format's number for an element type; Undefined where it has none.
format::DType dtypeOf(mlir::Type elementType);

} // namespace dsc
