//===- ImportModel.cpp - from an ONNX file to a dsc module ------------------===//
#include "dsc/Dialect/Import/ImportModel.h"

#include "OperatorTable.h"
#include "Translator.h"
#include "dsc/Dialect/Import/NormalizeModel.h"

#include <exception>

using namespace mlir;

namespace dsc::import {

namespace {
/// The result of one attempt.
struct Attempt {
  OwningOpRef<ModuleOp> module;
  ProblemList problems;
  std::set<std::string> failedFunctions;
};
} // namespace

static Attempt attemptImport(const std::string &path, MLIRContext &context,
                             const ImportOptions &options, const OperatorTable &operators,
                             const std::set<std::string> &expanded, WeightStore &weights) {
  Attempt attempt;
  NormalizeOptions normalize;
  normalize.keepWhole = [&](const onnx::NodeProto &node) {
    std::string key = operatorKey(node);
    return operators.find(key) && !expanded.contains(key);
  };
  NormalizedModel model;
  if (!normalizeModel(path, normalize, model, attempt.problems))
    return attempt;
  Translator translator(context, operators, options, std::move(model), weights, attempt.problems);
  attempt.module = translator.run();
  attempt.failedFunctions = translator.getFailedFunctions();
  return attempt;
}

/// An operator that its own op does not take may still work by its definition. The
/// problems of the first attempt are the ones in terms of the user's model.
static Attempt importWithFallback(const std::string &path, MLIRContext &context,
                                  const ImportOptions &options, WeightStore &weights) {
  OperatorTable operators(context);
  Attempt first = attemptImport(path, context, options, operators, {}, weights);
  std::set<std::string> expanded = first.failedFunctions;
  while (!first.module && !expanded.empty()) {
    Attempt next = attemptImport(path, context, options, operators, expanded, weights);
    if (next.module)
      return next;
    size_t before = expanded.size();
    expanded.insert(next.failedFunctions.begin(), next.failedFunctions.end());
    if (expanded.size() == before)
      break;
  }
  return first;
}

OwningOpRef<ModuleOp> importModel(const std::string &path, MLIRContext &context,
                                  const ImportOptions &options, WeightStore &weights,
                                  ProblemList &problems) {
  context.loadDialect<DscDialect, func::FuncDialect>();
  problems.setFile(path);
  try {
    Attempt attempt = importWithFallback(path, context, options, weights);
    problems.append(attempt.problems);
    if (!attempt.module && problems.empty())
      problems.add(ProblemCode::BadGraph, "the model cannot be translated");
    return std::move(attempt.module);
  } catch (const std::bad_alloc &) {
    problems.add(ProblemCode::OutOfMemory, "the model needs more memory than there is");
  } catch (const std::exception &error) {
    problems.add(ProblemCode::BadGraph,
                 std::string("the ONNX library rejects the model: ") + error.what());
  }
  return {};
}

std::vector<std::string> supportedOperators(MLIRContext &context) {
  context.loadDialect<DscDialect>();
  return OperatorTable(context).keys();
}

} // namespace dsc::import
