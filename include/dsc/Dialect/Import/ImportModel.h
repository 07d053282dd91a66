//===- ImportModel.h - from an ONNX file to a dsc module --------------------===//
//
// normalizeModel(), then one dsc op for each node. The result is
//   func.func @main(%x: f32[N,3,H,W] {dsc.name = "images"}) -> (... {dsc.name = "scores"})
// Locations are `NameLoc("node 418 '/model.18/Concat' (opset 17)")`.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Weights.h"
#include "dsc/Dialect/Import/Problem.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <map>

namespace dsc::import {

struct ImportOptions {
  /// Sizes that replace the declared ones: input name -> one number per axis
  /// (-1: keep the declared one).
  std::map<std::string, std::vector<int64_t>> shapes;
  /// Whether `shapes` are compiled in. Otherwise they only give the number of axes
  /// of inputs for which the model gives none.
  bool fixSizes = true;
  /// Makes every dimension of every input a symbol, also those that the model
  /// declares as numbers (for tests).
  bool allSymbolic = false;
};

/// Returns null after adding all problems of the model. Never throws.
mlir::OwningOpRef<mlir::ModuleOp> importModel(const std::string &path, mlir::MLIRContext &context,
                                              const ImportOptions &options, WeightStore &weights,
                                              ProblemList &problems);

/// One line for each operator that importModel accepts: "Add", "com.x::Foo".
std::vector<std::string> supportedOperators(mlir::MLIRContext &context);

} // namespace dsc::import
