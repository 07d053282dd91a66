//===- TestCase.h - models with expected outputs --------------------------===//
//
// The layout of ONNX's backend tests: a folder with model.onnx and folders
// test_data_set_N, each with input_0.pb, output_0.pb, ...
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Compare.h"
#include "Session.h"

#include <nlohmann/json.hpp>

#include <optional>

namespace dsc::cli {

struct TestCase {
  std::string name;
  std::string model;
  std::vector<std::string> dataSets;
};

/// `path` is a model, to which `golden` belongs, or a folder that has both. Throws
/// Failure if there is nothing to compare with.
TestCase findTestCase(const std::string &path, const std::vector<std::string> &golden);

/// The model of a folder or of a path to one.
std::string findModel(const std::string &path);

/// The contents of one test_data_set, in the order of the model's inputs and
/// outputs. An output without a file is not compared.
struct GoldenData {
  std::vector<Tensor> inputs;
  std::vector<std::optional<Tensor>> outputs;
};
GoldenData readGoldenData(const Session &session, const std::string &folder);

enum class CaseStatus {
  Pass,
  Fail,        ///< other values, or another type or shape
  Unsupported, ///< the compiler refuses the model
  Error,       ///< anything else
};

/// How one case ended; travels as JSON between processes.
struct CaseResult {
  struct Output {
    std::string dataSet, name;
    nlohmann::ordered_json comparison;
    std::string summary;
  };

  CaseResult() = default;
  explicit CaseResult(const Failure &failure);
  explicit CaseResult(const nlohmann::ordered_json &json);

  void add(const std::string &dataSet, const std::string &name, const Comparison &comparison);

  /// Whether nothing was compared; `message` is then made of diagnostics.
  bool hasNoVerdict() const {
    return status == CaseStatus::Unsupported || status == CaseStatus::Error;
  }
  nlohmann::ordered_json toJson(const std::string &name = {}) const;
  std::string toText(const std::string &name, bool verbose) const;

  CaseStatus status = CaseStatus::Pass;
  int exitCode = kDone;
  std::string message;
  double seconds = 0;
  std::vector<Output> outputs;
};

} // namespace dsc::cli
