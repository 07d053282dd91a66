//===- OperatorTable.h - ONNX operators and their dsc ops -------------------===//
//
// Found by asking the ops of the dialect for their ONNX names, so that a new op
// needs no entry anywhere.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

#include "llvm/ADT/StringMap.h"

#include <onnx/onnx_pb.h>
#include <string>
#include <vector>

namespace dsc::import {

/// "Add", or "com.x::Foo" where the domain is not ai.onnx.
std::string operatorKey(const onnx::NodeProto &node);

/// The facts that an op gives without an instance.
struct OperatorInfo {
  mlir::StringRef opName; ///< "dsc.add"
  const ComputeOp::Concept *facts;
};

class OperatorTable {
public:
  explicit OperatorTable(mlir::MLIRContext &context);

  /// nullptr if no op of the dialect has this name.
  const OperatorInfo *find(mlir::StringRef key) const;

  /// Whether the importer accepts the operator: an op of the table, or one of those
  /// that it treats itself.
  bool isSupported(mlir::StringRef key) const;

  /// All accepted keys, sorted.
  std::vector<std::string> keys() const;

private:
  llvm::StringMap<OperatorInfo> operators;
};

} // namespace dsc::import
