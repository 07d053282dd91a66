//===- Verify.cpp - dsc verify --------------------------------------------===//
//
// Compiles models, runs them and compares their outputs with given ones. Each case
// has a process of its own: a crash of one says nothing about the others.
//
//===----------------------------------------------------------------------===//
#include "Compare.h"
#include "Isolation.h"
#include "TestCase.h"
#include "Verbs.h"

#include "dsc/Dialect/Import/OperatorReference.h"

#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>

namespace dsc::cli {

namespace {
struct VerifyCommand {
  std::vector<std::string> models, golden;
  Tolerance tolerance;
  double timeout = 0;
  size_t threads = 0;
  ModelOptions options;

  int run(const Globals &globals);

private:
  CaseResult runCase(const TestCase &test) const;
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
  std::vector<TestCase> cases;
  for (const std::string &model : models)
    cases.push_back(findTestCase(model, golden));
  return cases;
}

CaseResult VerifyCommand::runCase(const TestCase &test) const {
  Session session(test.model, options);
  Execution execution(session, threads);
  CaseResult result;
  for (const std::string &folder : test.dataSets) {
    GoldenData data = readGoldenData(session, folder);
    execution.setInputs(data.inputs);
    execution.run();
    for (size_t i = 0; i < data.outputs.size(); ++i)
      if (data.outputs[i])
        result.add(folder, session.getOutputs()[i].name,
                   compare(execution.output(i), *data.outputs[i], tolerance));
  }
  return result;
}

/// How a child ended that did not send a result.
static CaseResult describeEnd(const ChildEnd &end, double timeout, const std::string &errors) {
  CaseResult result;
  result.status = CaseStatus::Error;
  if (end.timedOut)
    result.message = fmt::format("not done after {} s, while {}", timeout, lastActivity());
  else if (end.signal)
    result.message = fmt::format("crashed ({}) while {}", strsignal(end.signal), lastActivity());
  else
    result.message = fmt::format("ended with {} while {}", end.exitCode, lastActivity());
  result.exitCode = end.timedOut || end.exitCode == kLimit ? kLimit : kBug;
  // What a library said before it gave up.
  if (!errors.empty())
    result.message += ": " + errors.substr(0, 2000);
  return result;
}

CaseResult VerifyCommand::runCaseInChild(const TestCase &test) const {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  MemoryFile answer, errors;
  ChildOptions child;
  child.stdoutFd = answer.getDescriptor();
  child.stderrFd = errors.getDescriptor();
  child.timeLimit = timeout;
  ChildEnd end = runInChild(
      [&] {
        CaseResult result;
        try {
          result = runCase(test);
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
    passed += result.status == CaseStatus::Pass;
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
  verb->add_option("--rtol", command->tolerance.rtol, "Relative tolerance")->capture_default_str();
  verb->add_option("--atol", command->tolerance.atol, "Absolute tolerance")->capture_default_str();
  verb->add_option("--timeout", command->timeout, "Time limit of a case; 0: none")
      ->type_name("SECONDS")
      ->capture_default_str();
  verb->add_option("--threads", command->threads, "Threads of a run; 0: as many as there are CPUs");
  verb->add_flag("--symbolic", command->options.allSymbolic,
                 "Compile for any sizes, also where the model declares numbers");
  command->options.addTo(*verb);
  verb->footer("Examples:\n"
               "  dsc verify model.onnx --golden test_data_set_0\n"
               "  dsc verify --json node/test_add node/test_relu\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
