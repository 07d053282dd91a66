//===- KernelLibrary.h - the kernels of a compilation ---------------------===//
//
// Emits the kernel of each group, one function for all groups that come out the
// same.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

#include "mlir/IR/OwningOpRef.h"

#include <map>

namespace dsc {

/// How a group is launched; see format::Launch.
struct KernelCall {
  unsigned kernel = 0;
  llvm::SmallVector<mlir::Value> buffers; ///< the group's results stand for themselves
  llvm::SmallVector<Dim> sizes;
  Dim parts, scratch; ///< scratch: empty for none
};

class KernelLibrary {
public:
  KernelLibrary(mlir::MLIRContext *context, const Target &target);

  /// Emits the group's kernel by its schedule. Fails with a diagnostic.
  llvm::FailureOr<KernelCall> emit(GroupOp group);

  mlir::ModuleOp getModule() const { return *module; }
  llvm::ArrayRef<std::string> getNames() const { return names; }

private:
  const Target &target;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::string> names;
  std::vector<mlir::func::FuncOp> functions; // of these names
  std::map<size_t, llvm::SmallVector<unsigned, 1>> byHash;

  unsigned add(mlir::func::FuncOp function);
};

} // namespace dsc
