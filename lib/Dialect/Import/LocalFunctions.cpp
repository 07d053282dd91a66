//===- LocalFunctions.cpp - a model's own functions -------------------------===//
//
// A function's identity is the triple of domain, name and overload.
//
//===----------------------------------------------------------------------===//
#include "LocalFunctions.h"

#include <exception>
#include <onnx/checker.h>

namespace dsc::import {

static std::string idOf(const std::string &domain, const std::string &name,
                        const std::string &overload) {
  return domain + '\0' + name + '\0' + overload;
}

LocalFunctions::LocalFunctions(const onnx::ModelProto &model) {
  for (const onnx::FunctionProto &function : model.functions())
    byId.emplace(idOf(function.domain(), function.name(), function.overload()), &function);
}

const onnx::FunctionProto *LocalFunctions::find(const onnx::NodeProto &node) const {
  if (byId.empty())
    return nullptr;
  auto it = byId.find(idOf(node.domain(), node.op_type(), node.overload()));
  return it == byId.end() ? nullptr : it->second;
}

void checkFunctionCalls(const onnx::ModelProto &model, ProblemList &problems) {
  if (model.functions_size() == 0)
    return;
  try {
    onnx::checker::check_function_call_cycles(model);
  } catch (const std::exception &error) {
    problems.add(ProblemCode::BadFunction, error.what());
  }
}

} // namespace dsc::import
