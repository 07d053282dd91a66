//===- Verify.cpp - dsc verify --------------------------------------------===//
//
// Compiles models, runs them and compares their outputs with given ones. Each case
// has a process of its own: a crash of one says nothing about the others.
//
//===----------------------------------------------------------------------===//
#include "Compare.h"
#include "FirstMismatch.h"
#include "Isolation.h"
#include "OrtReference.h"
#include "TestCase.h"
#include "Validators.h"
#include "Verbs.h"

#include "dsc/Dialect/Import/OperatorReference.h"

#include <chrono>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>

namespace dsc::cli {

namespace {
struct VerifyCommand {
  std::vector<std::string> models, golden;
  std::string against, python;
  uint64_t seeds = 3;
  std::optional<double> rtol, atol;
  Tolerance tolerance;
  double timeout = 0;
  bool bisect = true;
  size_t threads = 0;
  ModelOptions options;

  int run(const Globals &globals);

private:
  /// Inputs and expected outputs of one run.
  struct Run {
    std::string name;
    GoldenData data;
  };
  std::vector<Run> goldenRuns(const TestCase &test, const Session &session) const;
  std::vector<Run> referenceRuns(const TestCase &test, const Session &session,
                                 const std::string &folder) const;
  CaseResult runCase(const TestCase &test, const std::string &folder) const;
  std::string describeStart(const TestCase &test, const std::vector<Tensor> &inputs) const;
  CaseResult runCaseInChild(const TestCase &test) const;
  std::vector<TestCase> findCases() const;
};

/// A file in memory that a child writes and its parent reads.
class MemoryFile {
public:
  MemoryFile() : descriptor(memfd_create("dsc", MFD_CLOEXEC)) {}
  ~MemoryFile() { close(descriptor); }
  int getDescriptor() const { return descriptor; }

  std::string read() const {
    std::string text(lseek(descriptor, 0, SEEK_END), '\0');
    ssize_t got = pread(descriptor, text.data(), text.size(), 0);
    text.resize(got < 0 ? 0 : got);
    return text;
  }

private:
  int descriptor;
};
} // namespace

std::vector<TestCase> VerifyCommand::findCases() const {
  if (!golden.empty() && models.size() > 1)
    fail(Code::Usage, "--golden belongs to one model");
  if (!golden.empty() && !against.empty())
    fail(Code::Usage, "--golden and --against exclude each other");
  std::vector<TestCase> cases;
  cases.reserve(models.size());
  for (const std::string &model : models)
    cases.push_back(against.empty() ? findTestCase(model, golden)
                                    : TestCase{model, findModel(model), {}});
  return cases;
}

std::vector<VerifyCommand::Run> VerifyCommand::goldenRuns(const TestCase &test,
                                                          const Session &session) const {
  std::vector<Run> runs;
  runs.reserve(test.dataSets.size());
  for (const std::string &folder : test.dataSets)
    runs.push_back(
        {std::filesystem::path(folder).filename().string(), readGoldenData(session, folder)});
  return runs;
}

std::vector<VerifyCommand::Run> VerifyCommand::referenceRuns(const TestCase &test,
                                                             const Session &session,
                                                             const std::string &folder) const {
  std::vector<std::vector<Tensor>> inputs;
  std::vector<std::string> assumed;
  inputs.reserve(seeds);
  for (uint64_t seed = 0; seed < seeds; ++seed)
    inputs.push_back(session.randomInputs(options, seed, assumed));
  auto namesOf = [](const auto &values) {
    std::vector<std::string> names;
    names.reserve(values.size());
    for (const ValueInfo &value : values)
      names.push_back(value.name);
    return names;
  };
  std::vector<std::vector<Tensor>> outputs =
      runOnnxRuntime(choosePython(python), test.model, inputs, namesOf(session.getInputs()),
                     namesOf(session.getOutputs()), folder);
  std::vector<Run> runs;
  runs.reserve(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i)
    runs.push_back({fmt::format("seed {}", i),
                    {std::move(inputs[i]), {outputs[i].begin(), outputs[i].end()}}});
  return runs;
}

CaseResult VerifyCommand::runCase(const TestCase &test, const std::string &folder) const {
  Session session(test.model, options);
  Execution execution(session, threads);
  CaseResult result;
  for (Run &run :
       against.empty() ? goldenRuns(test, session) : referenceRuns(test, session, folder)) {
    execution.setInputs(run.data.inputs);
    execution.run();
    bool passed = result.status == CaseStatus::Pass;
    for (size_t i = 0; i < run.data.outputs.size(); ++i)
      if (run.data.outputs[i])
        result.add(run.name, session.getOutputs()[i].name,
                   compare(execution.output(i), *run.data.outputs[i], tolerance));
    if (bisect && passed && result.status == CaseStatus::Fail)
      result.message += "\n" + describeStart(test, run.data.inputs);
  }
  return result;
}

/// The first operator that is wrong. A failure to find it changes no verdict.
std::string VerifyCommand::describeStart(const TestCase &test,
                                         const std::vector<Tensor> &inputs) const {
  try {
    return findFirstMismatch(test.model, options, inputs, tolerance);
  } catch (const Failure &failure) {
    std::string why = failure.problems.empty() ? "" : failure.problems.front().message;
    return "where it starts cannot be found: " + why;
  }
}

/// How a child ended that did not send a result.
static CaseResult describeEnd(const ChildEnd &end, double timeout, const std::string &errors) {
  Code code = Code::Crash;
  std::string text = fmt::format("ended with {}", end.exitCode);
  if (end.timedOut) {
    code = Code::TimeLimit;
    text = fmt::format("not done after {} s,", timeout);
  } else if (end.signal) {
    text = fmt::format("crashed ({})", strsignal(end.signal));
  } else if (end.exitCode == kLimit) {
    code = Code::OutOfMemory;
  }
  import::Problem problem = makeProblem(code, fmt::format("{} while {}", text, lastActivity()));
  // What a library said before it gave up.
  if (!errors.empty())
    problem.notes.push_back(errors.substr(0, 2000));
  return CaseResult(Failure(exitCodeOf(code), {problem}));
}

CaseResult VerifyCommand::runCaseInChild(const TestCase &test) const {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  MemoryFile answer, errors;
  // Removed here, whatever happens to the child.
  std::optional<TemporaryFolder> folder;
  if (!against.empty())
    folder.emplace();
  ChildOptions child;
  child.stdoutFd = answer.getDescriptor();
  child.stderrFd = errors.getDescriptor();
  child.timeLimit = timeout;
  ChildEnd end = runInChild(
      [&] {
        CaseResult result;
        try {
          result = runCase(test, folder ? folder->getPath() : "");
        } catch (const Failure &failure) {
          result = CaseResult(failure);
        }
        printJson(result.toJson());
        return kDone;
      },
      child);
  if (end.interrupted)
    throw Failure(kInterrupted, {});
  std::string text = answer.read();
  CaseResult result = !end.signal && !end.timedOut && !text.empty()
                          ? CaseResult(nlohmann::ordered_json::parse(text, nullptr, false))
                          : describeEnd(end, timeout, errors.read());
  result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  return result;
}

/// What every case would do again in its own process: ONNX registers its operators
/// when they are first asked for.
static void warmUp() {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  import::operatorReference(context);
}

int VerifyCommand::run(const Globals &globals) {
  // Another implementation rounds differently; ONNX's own data are held to more.
  if (!against.empty() && !atol)
    tolerance.atolOfMax = 1e-4;
  tolerance.rtol = rtol.value_or(tolerance.rtol);
  tolerance.atol = atol.value_or(tolerance.atol);
  std::vector<TestCase> cases = findCases();
  if (cases.size() > 1)
    warmUp();
  // Wrong options are not wrong with each case.
  options.compileOptions();
  options.importOptions();
  Progress progress(globals);
  int exitCode = kDone;
  size_t passed = 0;
  for (size_t i = 0; i < cases.size(); ++i) {
    progress.show(fmt::format("{}/{} {}", i + 1, cases.size(), cases[i].name));
    CaseResult result = runCaseInChild(cases[i]);
    // No small part of one of many.
    if (cases.size() > 1)
      noteModel("");
    passed += result.status == CaseStatus::Pass;
    // Of one model, what went wrong goes where it goes with the other verbs.
    if (cases.size() == 1 && result.hasNoVerdict()) {
      message(result.message);
      if (!globals.json)
        result.message.clear();
    }
    if (globals.json)
      printJson(result.toJson(cases[i].name));
    else
      print(result.toText(cases[i].name, globals.verbose));
    std::fflush(stdout);
    // A mismatch is the verdict; without one, the first thing that went wrong.
    if (exitCode == kDone || result.exitCode == kNegative)
      exitCode = result.exitCode;
  }
  if (!globals.json && !globals.quiet && cases.size() > 1)
    message(fmt::format("{} of {} cases pass\n", passed, cases.size()));
  return exitCode;
}

Verb addVerify(CLI::App &app) {
  auto command = std::make_shared<VerifyCommand>();
  CLI::App *verb = app.add_subcommand("verify", "Compare a model's outputs with expected ones");
  verb->add_option("model", command->models,
                   "An ONNX model with --golden, or folders with model.onnx and test_data_set_*")
      ->required();
  verb->add_option("--golden", command->golden, "A folder with input_0.pb, output_0.pb, ...")
      ->type_name("DIR")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  verb->add_option("--against", command->against,
                   "Compare with another program's outputs for random inputs")
      ->check(CLI::IsMember({"ort"}));
  verb->add_option("--seeds", command->seeds, "How many random inputs to compare")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  verb->add_option("--python", command->python,
                   "The Python that has onnxruntime; default: $DSC_PYTHON, then python3");
  verb->add_option("--rtol", command->rtol, "Relative tolerance; default: 1e-3")
      ->check(nonNegative());
  verb->add_option("--atol", command->atol,
                   "Absolute tolerance; default: 1e-7, with --against 1e-4 of the largest value")
      ->check(nonNegative());
  verb->add_flag("!--no-bisect", command->bisect,
                 "Do not look for the operator where a mismatch starts");
  verb->add_option("--timeout", command->timeout, "Time limit of a case; 0: none")
      ->check(nonNegative())
      ->type_name("SECONDS")
      ->capture_default_str();
  verb->add_option("--threads", command->threads, "Threads of a run; 0: as many as there are CPUs")
      ->check(threadCount());
  verb->add_flag("--symbolic", command->options.allSymbolic,
                 "Compile for any sizes, also where the model declares numbers");
  command->options.fixSizes = false;
  command->options.addTo(*verb);
  verb->footer("Examples:\n"
               "  dsc verify model.onnx --golden test_data_set_0\n"
               "  dsc verify model.onnx --against ort --shape images=1x3x224x224\n"
               "  dsc verify --json node/test_add node/test_relu\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
