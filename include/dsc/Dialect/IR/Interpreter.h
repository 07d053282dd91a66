//===- Interpreter.h - runs Specs on arrays -------------------------------===//
//
// The reference semantics: executes the Spec (or the decomposition) of an op on
// arrays in memory. Folds constants, evaluates weight recipes, and is what
// generated kernels are compared with. It works on chunks of the iteration space,
// one column of values for each SSA value of a body.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Weights.h"

namespace dsc {

/// Values of the symbols that sizes are written in.
using SymbolValues = llvm::StringMap<int64_t>;

/// The value of a size; empty where a symbol has no value, on overflow and on
/// division by zero.
std::optional<int64_t> evaluateDim(Dim dim, const SymbolValues &symbols);

/// Runs one op. `operands[i]` is null for an absent operand (type `none`). Fails
/// with a diagnostic at the op for what it cannot run or an index out of range.
llvm::FailureOr<std::vector<Array>> interpret(mlir::Operation *op,
                                              llvm::ArrayRef<const Array *> operands,
                                              const SymbolValues &symbols = {});

/// Elements times operations of the Spec's body: what running the op costs, in
/// scalar operations; empty if a size is symbolic or there is no Spec.
std::optional<int64_t> interpretCost(mlir::Operation *op);

/// Whether a size has grown beyond what any shape needs (256 terms, factors and the
/// like): going on with it would only cost time.
bool isTooComplex(Dim size);

/// Contents of an integer tensor, each element a size. The same Spec over the domain of sizes: an
/// op on small integer tensors whose operands' contents are known as sizes gives
/// its result's contents. `contents[i]` is empty where not known. Empty where the
/// op is not computable on sizes (floats, too many elements (over 1024), unknown, too
/// complex).
using SizeContents = llvm::SmallVector<Dim>;
std::optional<SizeContents> evaluateSizes(mlir::Operation *op, unsigned result,
                                          llvm::ArrayRef<std::optional<SizeContents>> contents);

} // namespace dsc
