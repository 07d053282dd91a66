//===- TestCase.cpp - models with expected outputs ------------------------===//
#include "TestCase.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

namespace fs = std::filesystem;

namespace dsc::cli {

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

std::string findModel(const std::string &path) {
  std::error_code error;
  return fs::is_directory(path, error) ? (fs::path(path) / "model.onnx").string() : path;
}

TestCase findTestCase(const std::string &path, const std::vector<std::string> &golden) {
  std::error_code error;
  if (!fs::is_directory(path, error)) {
    if (golden.empty())
      fail(Code::Usage, fmt::format("nothing to compare '{}' with", path),
           "give --golden DIR, or a folder with model.onnx and test_data_set_0");
    return {path, path, golden};
  }
  fs::path folder = fs::path(path).lexically_normal();
  if (folder.filename().empty())
    folder = folder.parent_path();
  TestCase test{folder.filename().string(), (folder / "model.onnx").string(), golden};
  for (const fs::directory_entry &entry : fs::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("test_data_set_"))
      test.dataSets.push_back(entry.path().string());
  if (error)
    fail(Code::File, fmt::format("cannot read '{}': {}", path, error.message()));
  if (test.dataSets.empty())
    fail(Code::File, fmt::format("'{}' holds no test_data_set_*", path));
  std::sort(test.dataSets.begin(), test.dataSets.end());
  return test;
}

/// The files FOLDER/PREFIX_0.pb, PREFIX_1.pb, ..., each at the place of the value
/// of its tensor's name, else at that of its number.
static std::vector<std::optional<Tensor>> readSeries(const std::string &folder,
                                                     const std::string &prefix,
                                                     const std::vector<ValueInfo> &values) {
  std::vector<std::optional<Tensor>> tensors(values.size());
  for (size_t number = 0;; ++number) {
    fs::path path = fs::path(folder) / fmt::format("{}_{}.pb", prefix, number);
    std::error_code error;
    if (!fs::exists(path, error))
      break;
    Tensor tensor = readTensor(path.string());
    auto named = std::find_if(values.begin(), values.end(), [&](const ValueInfo &value) {
      return !tensor.name.empty() && value.name == tensor.name;
    });
    size_t index = named == values.end() ? number : named - values.begin();
    if (index >= values.size())
      fail(Code::InputMismatch,
           fmt::format("{}: the model has {} {}s only", path.string(), values.size(), prefix));
    tensors[index] = std::move(tensor);
  }
  return tensors;
}

GoldenData readGoldenData(const Session &session, const std::string &folder) {
  GoldenData data;
  for (auto [index, tensor] : llvm::enumerate(readSeries(folder, "input", session.getInputs()))) {
    if (!tensor)
      fail(Code::File,
           fmt::format("'{}' has no data for input '{}'", folder, session.getInputs()[index].name));
    data.inputs.push_back(std::move(*tensor));
  }
  data.outputs = readSeries(folder, "output", session.getOutputs());
  if (std::none_of(data.outputs.begin(), data.outputs.end(),
                   [](const auto &output) { return output.has_value(); }))
    fail(Code::File, fmt::format("'{}' has no output_0.pb to compare with", folder));
  return data;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static constexpr const char *kStatusNames[] = {"pass", "fail", "unsupported", "error"};

CaseResult::CaseResult(const Failure &failure)
    : status(failure.exitCode == kBadModel ? CaseStatus::Unsupported : CaseStatus::Error),
      exitCode(failure.exitCode) {
  for (const import::Problem &problem : failure.problems)
    message += problem.render();
}

void CaseResult::add(const std::string &dataSet, const std::string &name,
                     const Comparison &comparison) {
  outputs.push_back({dataSet, name, comparison.toJson(), comparison.summary()});
  if (comparison.matches || status != CaseStatus::Pass)
    return;
  status = CaseStatus::Fail;
  exitCode = kNegative;
  message = fmt::format("output '{}' {}", name, comparison.reason);
}

CaseResult::CaseResult(const nlohmann::ordered_json &json) {
  if (json.is_discarded()) {
    status = CaseStatus::Error;
    exitCode = kBug;
    message = "the case's process sent no result";
    return;
  }
  auto name = std::find(std::begin(kStatusNames), std::end(kStatusNames),
                        json.at("status").get<std::string>());
  status = static_cast<CaseStatus>(name - kStatusNames);
  exitCode = json.at("exit_code");
  message = json.at("message");
  for (const auto &output : json.at("outputs"))
    outputs.push_back(
        {output.at("data_set"), output.at("name"), output.at("errors"), output.at("summary")});
}

nlohmann::ordered_json CaseResult::toJson(const std::string &name) const {
  nlohmann::ordered_json json;
  if (!name.empty())
    json["case"] = name;
  json["status"] = kStatusNames[static_cast<int>(status)];
  json["exit_code"] = exitCode;
  json["message"] = message;
  json["seconds"] = seconds;
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  for (const Output &output : outputs)
    list.push_back({{"data_set", output.dataSet},
                    {"name", output.name},
                    {"errors", output.comparison},
                    {"summary", output.summary}});
  json["outputs"] = std::move(list);
  return json;
}

std::string CaseResult::toText(const std::string &name, bool verbose) const {
  std::string text = fmt::format("{}: {}", name, kStatusNames[static_cast<int>(status)]);
  text += message.empty() ? "\n" : ": " + message + (message.ends_with('\n') ? "" : "\n");
  for (const Output &output : outputs)
    if (verbose || outputs.size() == 1 || status == CaseStatus::Fail)
      text += fmt::format("  {} {}: {}\n", output.dataSet, import::printable(output.name),
                          output.summary);
  return text;
}

} // namespace dsc::cli
