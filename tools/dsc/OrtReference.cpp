//===- OrtReference.cpp - ONNX Runtime as an oracle -----------------------===//
#include "OrtReference.h"

#include "Isolation.h"
#include "Output.h"

#include "llvm/Support/Program.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace fs = std::filesystem;

namespace dsc::cli {

static constexpr const char *kScript =
#include "OrtScript.inc"
    ;

TemporaryFolder::TemporaryFolder() {
  path = (fs::temp_directory_path() / "dsc-XXXXXX").string();
  if (!mkdtemp(path.data()))
    fail(Code::File, fmt::format("cannot create '{}': {}", path, std::strerror(errno)));
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path, ignored);
}

std::string choosePython(const std::string &given) {
  const char *variable = std::getenv("DSC_PYTHON");
  return !given.empty() ? given : variable && *variable ? variable : "python3";
}

static void runScript(const std::string &python, const std::vector<std::string> &arguments,
                      const std::string &messages) {
  llvm::ErrorOr<std::string> program = llvm::sys::findProgramByName(python);
  const char *help = "give --python, or DSC_PYTHON, with numpy and onnxruntime";
  if (!program)
    fail(Code::Reference, fmt::format("there is no '{}'", python), help);
  std::vector<llvm::StringRef> all = {*program, "-c", kScript};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::string error;
  std::optional<llvm::StringRef> redirects[] = {"", messages, messages};
  int code = llvm::sys::ExecuteAndWait(*program, all, std::nullopt, redirects, 0, 0, &error);
  if (code == 0)
    return;
  std::ifstream file(messages);
  std::string text(std::istreambuf_iterator<char>(file), {});
  // The last line of a traceback says most.
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  text = text.substr(text.rfind('\n') + 1);
  fail(Code::Reference, fmt::format("ONNX Runtime does not run the model: {}{}", error, text),
       help);
}

std::vector<std::vector<Tensor>> runOnnxRuntime(const std::string &python, const std::string &model,
                                                const std::vector<std::vector<Tensor>> &inputs,
                                                const std::vector<std::string> &inputNames,
                                                const std::vector<std::string> &outputNames,
                                                const std::string &folder) {
  noteActivity("running ONNX Runtime");
  std::vector<std::string> arguments = {model};
  for (size_t set = 0; set < inputs.size(); ++set) {
    fs::path place = fs::path(folder) / std::to_string(set);
    fs::create_directories(place);
    arguments.push_back(place.string());
    nlohmann::json names{{"inputs", inputNames}, {"outputs", outputNames}};
    writeFile(place / "names.json", names.dump());
    for (size_t i = 0; i < inputs[set].size(); ++i) {
      if (!hasNpyForm(inputs[set][i].dtype))
        fail(Code::Reference, fmt::format("NumPy has no {}", describe(inputs[set][i])));
      writeFile(place / fmt::format("input_{}.npy", i), toNpy(inputs[set][i]));
    }
  }
  runScript(python, arguments, (fs::path(folder) / "messages").string());
  std::vector<std::vector<Tensor>> outputs(inputs.size());
  for (size_t set = 0; set < inputs.size(); ++set)
    for (size_t i = 0; i < outputNames.size(); ++i)
      outputs[set].push_back(
          readTensor(fs::path(folder) / std::to_string(set) / fmt::format("output_{}.npy", i)));
  return outputs;
}

} // namespace dsc::cli
