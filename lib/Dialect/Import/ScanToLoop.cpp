//===- ScanToLoop.cpp - Scan as a loop --------------------------------------===//
#include "Translator.h"

namespace dsc::import {

bool Translator::translateScan(const onnx::NodeProto &node, llvm::ArrayRef<mlir::Value>, Values &) {
  report(node, ProblemCode::UnsupportedOperator, "operator Scan is not supported");
  return false;
}

} // namespace dsc::import
