//===- LoopBody.h - the body of a Loop or a Scan while it is translated -----===//
#pragma once

#include "Translator.h"

namespace dsc::import {

struct Translator::LoopBody {
  const onnx::GraphProto *graph = nullptr;
  llvm::SmallVector<ScannedInput> scanned;       ///< empty: the body of a Loop
  Dim steps;                                     ///< of a Scan
  llvm::SmallVector<mlir::Type> carried;         ///< types of the carried arguments
  llvm::SmallVector<mlir::Attribute> argSymbols; ///< sizes among them that each iteration binds
  size_t mark = 0;                               ///< older symbols are known outside of the loop
  std::unique_ptr<mlir::Region> region;
  Values yielded;               ///< condition, carried values, slices
  std::optional<Dim> condition; ///< the yielded condition, where known

  bool isScan() const { return !scanned.empty(); }
};

} // namespace dsc::import
