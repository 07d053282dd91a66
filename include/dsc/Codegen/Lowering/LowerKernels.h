//===- LowerKernels.h - from kernel functions to machine code -------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

#include <memory>
#include <string>
#include <vector>

namespace dsc {

/// LLVM attribute of kernels of templates with Template::laysOutRegisters.
inline constexpr llvm::StringLiteral kRegisterTilesAttr = "dsc-register-tiles";

/// Lowers arith, math, scf and vector in a module of kernels to the llvm dialect.
llvm::LogicalResult lowerToLLVMDialect(mlir::ModuleOp kernels, const Target &target);
/// The same for each module inside of `parent`, for CPUs, in the context's threads.
llvm::LogicalResult lowerModulesToLLVMDialect(mlir::ModuleOp parent);

/// Replaces functions of the math dialect that have no instruction: approximations
/// in float32, calls through the kernel's services otherwise. Without `hasServices` (on
/// GPUs) such a call is an error.
llvm::LogicalResult lowerMath(mlir::ModuleOp kernels, bool hasServices);

/// Whether lowerMath makes a call of the op. Powers with common exponents, which
/// become products and roots, are not foreseen: the answer for them is no.
bool needsService(mlir::Operation *op);

/// Lets modules of the context be translated: before threads call translate().
void allowTranslation(mlir::MLIRContext &context);

/// LLVM IR of a module in the llvm dialect. Null after a diagnostic.
std::unique_ptr<llvm::Module> translate(mlir::ModuleOp kernels, const Target &target,
                                        llvm::LLVMContext &context);

/// Optimises for the target that the module was translated for.
void optimize(llvm::Module &module, const Target &target, int optLevel);

/// A relocatable object file, or assembly text. Fails with a diagnostic.
llvm::FailureOr<std::vector<uint8_t>> emitMachineCode(llvm::Module &module, const Target &target,
                                                      bool assembly, mlir::Location loc);

/// Object files that together hold the kernels of `kernels`, which is used up. The
/// context's threads share the work; the result does not depend on how many there
/// are. Fails with a diagnostic.
llvm::FailureOr<std::vector<std::vector<uint8_t>>>
compileKernels(mlir::ModuleOp kernels, const Target &target, int optLevel);

} // namespace dsc
