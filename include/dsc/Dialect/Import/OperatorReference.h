//===- OperatorReference.h - which ONNX operators are supported -------------===//
//
// For people and for generated documents: ONNX's list of operators, each with what
// the compiler makes of it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/MLIRContext.h"

#include <string>
#include <vector>

namespace dsc::import {

enum class OperatorSupport {
  Own,        ///< an op of the dialect, or the importer's own translation
  Definition, ///< replaced by the function body that ONNX defines it by
  None,
};

struct OperatorEntry {
  std::string name;     ///< with its domain unless that is ai.onnx
  int sinceVersion = 0; ///< of its newest definition; older ones are converted
  OperatorSupport support = OperatorSupport::None;
  /// Element types that ONNX allows somewhere and the compiler has, "f32"; sorted.
  std::vector<std::string> types;
};

/// All operators of ONNX that are not deprecated, sorted by name.
std::vector<OperatorEntry> operatorReference(mlir::MLIRContext &context);

} // namespace dsc::import
