//===- FailingPart.cpp - a small model that shows a bug -------------------===//
//
// Parts of the model are tried in child processes, with random inputs.
//
//===----------------------------------------------------------------------===//
#include "FailingPart.h"

#include "Isolation.h"
#include "Output.h"
#include "Session.h"

#include "dsc/Dialect/Import/ReduceModel.h"

#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace dsc::cli {

namespace {
/// A model in a file that has no name.
class MemoryModel {
public:
  explicit MemoryModel(const std::string &bytes) : descriptor(memfd_create("dsc", MFD_CLOEXEC)) {
    isWhole = descriptor >= 0 &&
              write(descriptor, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size());
  }
  ~MemoryModel() { close(descriptor); }
  MemoryModel(const MemoryModel &) = delete;
  MemoryModel &operator=(const MemoryModel &) = delete;

  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor); }

  bool isWhole;

private:
  int descriptor;
};
} // namespace

static int compileAndRun(const std::string &path) {
  ModelOptions options;
  options.fixSizes = false;
  try {
    Session session(path, options);
    std::vector<std::string> assumed;
    std::vector<Tensor> inputs = session.randomInputs(options, /*seed=*/1, assumed);
    Execution execution(session, /*threads=*/1);
    execution.setInputs(inputs);
    execution.run();
    return kDone;
  } catch (const Failure &failure) {
    return failure.exitCode;
  } catch (const std::exception &) {
    return kBug;
  }
}

/// Whether the model of these bytes shows a bug.
static bool failsAsBug(const std::string &bytes) {
  constexpr double kMostSeconds = 20;
  MemoryModel model(bytes);
  if (!model.isWhole)
    return false;
  ChildOptions options;
  options.timeLimit = kMostSeconds;
  options.stderrFd = open("/dev/null", O_WRONLY | O_CLOEXEC);
  ChildEnd end = runInChild([&] { return compileAndRun(model.path()); }, options);
  close(options.stderrFd);
  return !end.timedOut && !end.interrupted && (end.signal || end.exitCode == kBug);
}

std::string writeFailingPart(const std::string &model) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point deadline = Clock::now() + std::chrono::seconds(60);
  std::string bytes =
      import::reduceModel(model, failsAsBug, [&] { return Clock::now() > deadline; });
  if (bytes.empty())
    return "";
  std::string path = std::filesystem::path(model).stem().string() + ".failure.onnx";
  try {
    writeFile(path, bytes, {model});
  } catch (const Failure &) {
    return "";
  }
  return fmt::format("note: the smallest part of the model found to fail is in '{0}'\n"
                     "note: dsc run {0} --random 1 repeats it\n",
                     path);
}

} // namespace dsc::cli
