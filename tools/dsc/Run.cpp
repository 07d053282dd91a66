//===- Run.cpp - dsc run --------------------------------------------------===//
//
// Runs a model once and shows or writes its outputs.
//
//===----------------------------------------------------------------------===//
#include "Inputs.h"
#include "Session.h"
#include "Validators.h"
#include "Verbs.h"

#include "dsc/Dialect/Import/Problem.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <optional>

namespace dsc::cli {

namespace {
struct RunCommand {
  std::string model, outputDir;
  std::vector<std::string> inputs;
  std::optional<uint64_t> seed;
  size_t threads = 0;
  ModelOptions options;

  int run(const Globals &globals);

private:
  std::vector<Tensor> makeInputs(const Session &session, const Globals &globals) const;
};

/// What is shown of an output.
struct Summary {
  double min = INFINITY, max = -INFINITY, mean = 0;
  size_t nans = 0;

  explicit Summary(const Tensor &tensor) {
    size_t count = numberCount(tensor);
    for (size_t i = 0; i < count; ++i) {
      double value = valueAt(tensor, i);
      if (std::isnan(value)) {
        ++nans;
        continue;
      }
      min = std::min(min, value);
      max = std::max(max, value);
      mean += value;
    }
    mean /= static_cast<double>(count - nans);
  }
};
} // namespace

/// JSON has neither NaN nor infinity.
static nlohmann::ordered_json number(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value)
                              : nlohmann::ordered_json(fmt::format("{}", value));
}

static nlohmann::ordered_json toJson(const Tensor &tensor, const std::string &file) {
  Summary summary(tensor);
  nlohmann::ordered_json json{{"name", tensor.name},        {"type", format::name(tensor.dtype)},
                              {"shape", tensor.dims},       {"min", number(summary.min)},
                              {"max", number(summary.max)}, {"mean", number(summary.mean)},
                              {"nans", summary.nans}};
  if (!file.empty())
    json["file"] = file;
  return json;
}

static std::string toText(const Tensor &tensor, const std::string &file) {
  if (!file.empty())
    return fmt::format("{}: {} -> {}\n", import::printable(tensor.name), describe(tensor),
                       import::printable(file));
  Summary summary(tensor);
  std::string text = fmt::format("{}: {}", import::printable(tensor.name), describe(tensor));
  if (numberCount(tensor) > summary.nans)
    text +=
        fmt::format(" min {:.6g} max {:.6g} mean {:.6g}", summary.min, summary.max, summary.mean);
  if (summary.nans)
    text += fmt::format(" ({} NaN)", summary.nans);
  return text + "\n";
}

std::vector<Tensor> RunCommand::makeInputs(const Session &session, const Globals &globals) const {
  if (!seed)
    return readInputs(session, inputs);
  std::vector<std::string> assumed;
  std::vector<Tensor> tensors = session.randomInputs(options, *seed, assumed);
  if (!assumed.empty() && !globals.quiet)
    message(fmt::format("note: 1 is taken for {}; --shape gives other sizes\n",
                        fmt::join(assumed, ", ")));
  return tensors;
}

int RunCommand::run(const Globals &globals) {
  if (seed && !inputs.empty())
    fail(Code::Usage, "--random and --input exclude each other");
  Session session(model, options);
  std::vector<Tensor> tensors = makeInputs(session, globals);
  // Files that no output may replace.
  std::vector<std::string> read{model};
  for (const std::string &input : inputs)
    read.push_back(splitInput(input).second);
  Execution execution(session, threads);
  execution.setInputs(tensors);
  execution.run();
  if (!outputDir.empty()) {
    std::error_code error;
    std::filesystem::create_directories(outputDir, error);
    if (error)
      fail(Code::File, fmt::format("cannot create '{}': {}", outputDir, error.message()));
  }
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  for (size_t i = 0; i < session.getOutputs().size(); ++i) {
    Tensor tensor = execution.output(i);
    std::string file = outputDir.empty() ? "" : writeTensor(tensor, outputDir, tensor.name, read);
    if (globals.json)
      json.push_back(toJson(tensor, file));
    else if (file.empty() || !globals.quiet)
      print(toText(tensor, file));
  }
  if (globals.json)
    printJson({{"status", "ok"}, {"model", model}, {"outputs", std::move(json)}});
  return kDone;
}

Verb addRun(CLI::App &app) {
  auto command = std::make_shared<RunCommand>();
  CLI::App *verb = app.add_subcommand("run", "Run an artifact or an ONNX model once");
  verb->add_option("model", command->model, "An artifact (.dsc) or an ONNX model")->required();
  verb->add_option("--input", command->inputs,
                   "Data of an input: .npy, or .pb with an ONNX TensorProto. Without a name: of "
                   "the next input")
      ->type_name("[NAME=]FILE")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option("--random", command->seed, "Random inputs, the same for the same number")
      ->type_name("SEED");
  verb->add_option("--output-dir", command->outputDir,
                   "Write each output there, as NAME.npy (.pb for types that npy lacks)")
      ->type_name("DIR");
  verb->add_option("--threads", command->threads,
                   "Threads of the run; 0: as many as there are CPUs")
      ->check(threadCount());
  command->options.fixSizes = false;
  command->options.addTo(*verb);
  verb->footer("Examples:\n"
               "  dsc run model.dsc --input images=photo.npy --output-dir out\n"
               "  dsc run model.onnx --random 1 --shape images=1x3x224x224\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
