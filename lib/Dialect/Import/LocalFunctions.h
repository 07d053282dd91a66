//===- LocalFunctions.h - a model's own functions ---------------------------===//
//
// Looks up the model-local function that a node calls. A local function takes
// precedence over an operator of the same name, as ONNX lets a runtime decide.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <onnx/onnx_pb.h>
#include <string>
#include <unordered_map>

namespace dsc::import {

/// Points into the model, which must stay as it is.
class LocalFunctions {
public:
  explicit LocalFunctions(const onnx::ModelProto &model);

  /// nullptr if `node` calls no local function.
  const onnx::FunctionProto *find(const onnx::NodeProto &node) const;

private:
  std::unordered_map<std::string, const onnx::FunctionProto *> byId;
};

/// Reports functions that exist twice, call themselves, or call too deeply.
void checkFunctionCalls(const onnx::ModelProto &model, ProblemList &problems);

} // namespace dsc::import
