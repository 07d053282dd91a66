//===- ConstantStream.h - the contents of a constant in pieces ------------===//
#pragma once

#include "dsc/Dialect/IR/Weights.h"

namespace dsc {

/// Passes on what constantContents(value) holds, front to back, in pieces of a few MB
/// at most where it is a repacked weight: the whole is never in memory. Fails where
/// constantContents has nothing, and when `sink` fails.
llvm::LogicalResult
streamConstant(mlir::Value value, const WeightStore &store,
               llvm::function_ref<llvm::LogicalResult(llvm::ArrayRef<uint8_t>)> sink);

} // namespace dsc
