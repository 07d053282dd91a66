//===- Compile.cpp - dsc compile ------------------------------------------===//
//
// From an ONNX model to an artifact, or to what the compiler has on the way.
//
//===----------------------------------------------------------------------===//
#include "ArtifactReport.h"
#include "Isolation.h"
#include "ModelCompiler.h"
#include "Validators.h"
#include "Verbs.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "llvm/ADT/StringExtras.h"

#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>

namespace dsc::cli {

namespace {
struct CompileCommand {
  std::string model, output, emit = "dsc", stopAfter, report;
  ModelOptions options;

  int run(const Globals &globals);

private:
  std::string outputPath() const;
  void checkTarget() const;
  void checkReport() const;
  void writeText(const std::string &text);
  void writeCompilation(ModelCompiler &compiler, const Compilation &compilation);
  void writeReport(const Compilation &compilation, const StepTimes &times);
  void summarize(const Compilation &compilation, double seconds, const Globals &globals);
};
} // namespace

/// Without -o: the model's name in the current folder; text goes to stdout.
std::string CompileCommand::outputPath() const {
  if (!output.empty())
    return output;
  static const llvm::StringMap<const char *> endings{
      {"dsc", ".dsc"}, {"obj", ".o"}, {"so", ".so"}, {"lib", ".a"}};
  return std::filesystem::path(model).stem().string() + endings.lookup(emit);
}

/// Only artifacts hold code for several targets; libraries hold none for GPUs, and only
/// GPUs have PTX.
void CompileCommand::checkTarget() const {
  std::vector<std::string> names = options.compileOptions().targets;
  bool isGpu = llvm::any_of(names, [](const auto &name) { return isNvptx(*findTarget(name)); });
  bool isLibrary = emit == "obj" || emit == "so" || emit == "lib";
  if (names.size() > 1 && (emit != "dsc" || !stopAfter.empty()))
    fail(Code::Usage,
         fmt::format("{} is for one target, not for {}",
                     stopAfter.empty() ? "--emit " + emit : "--stop-after", fmt::join(names, ", ")),
         "compile once for each, or use --emit dsc, which holds code for several");
  if (emit == "ptx" && !isGpu)
    fail(Code::Usage, "PTX is code of NVIDIA GPUs", "add --target nvptx:sm_80");
  if (isGpu && isLibrary && stopAfter.empty())
    fail(Code::Usage, "a library cannot hold code for GPUs",
         "use --emit dsc, which the runtime executes, or --emit ptx");
}

/// Refuses a report that would replace the output.
void CompileCommand::checkReport() const {
  std::error_code ignored;
  auto place = [&](const std::string &path) {
    return std::filesystem::weakly_canonical(path, ignored);
  };
  if (!report.empty() && place(report) == place(outputPath()))
    fail(Code::Usage, fmt::format("the report '{}' is the output", report),
         "give another name with --report or -o");
}

void CompileCommand::writeText(const std::string &text) {
  if (output.empty() || output == "-")
    print(text);
  else
    writeFile(output, text, {model});
}

void CompileCommand::writeCompilation(ModelCompiler &compiler, const Compilation &compilation) {
  std::string path = outputPath();
  compiler.getTimes().begin("write");
  OutputFile file(path, {model});
  if (emit == "dsc")
    writeArtifact(compilation, file.getDescriptor(), path);
  else
    file.write(compiler.emitLibrary(compilation, emit));
  file.commit();
  compiler.getTimes().end();
}

/// What `dsc inspect` shows, and how long the compiler's steps took.
void CompileCommand::writeReport(const Compilation &compilation, const StepTimes &times) {
  nlohmann::ordered_json facts = reportOf(compilation);
  for (const StepTimes::Step &step : times.get())
    facts["compile_seconds"][step.name] = step.seconds;
  writeFile(report, facts.dump() + "\n", {model});
}

static std::string describe(const StepTimes &times) {
  std::string text = "seconds:";
  for (const StepTimes::Step &step : times.get())
    text += fmt::format(" {} {:.2f}", step.name, step.seconds);
  return text + "\n";
}

void CompileCommand::summarize(const Compilation &compilation, double seconds,
                               const Globals &globals) {
  std::string path = outputPath();
  std::error_code ignored;
  uintmax_t bytes = std::filesystem::file_size(path, ignored);
  size_t kernels = compilation.getArtifact().variants.front().program.kernels.size();
  if (globals.json)
    printJson({{"status", "ok"},
               {"model", model},
               {"output", path},
               {"bytes", bytes},
               {"kernels", kernels},
               {"weight_bytes", compilation.getWeightBytes()},
               {"seconds", seconds}});
  else if (!globals.quiet)
    message(fmt::format("{}: {} kernels, {:.1f} MB, compiled in {:.2f} s\n", path, kernels,
                        bytes * 1e-6, seconds));
}

int CompileCommand::run(const Globals &globals) {
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now();
  checkTarget();
  checkReport();
  Progress progress(globals);
  progress.show("importing");
  ModelCompiler compiler(model, options);
  progress.show("compiling");
  if (!stopAfter.empty() || emit == "mlir") {
    compiler.runPhases(stopAfter.empty() ? phaseNames().back().str() : stopAfter);
    writeText(compiler.moduleText(globals.verbose));
    return kDone;
  }
  if (emit == "llvm" || emit == "asm" || emit == "ptx") {
    writeText(compiler.emitCode(emit));
    return kDone;
  }
  std::unique_ptr<Compilation> compilation = compiler.compile();
  writeCompilation(compiler, *compilation);
  if (!report.empty())
    writeReport(*compilation, compiler.getTimes());
  if (globals.verbose)
    message(compiler.getNotices() + describe(compiler.getTimes()));
  summarize(*compilation, std::chrono::duration<double>(Clock::now() - start).count(), globals);
  return kDone;
}

Verb addCompile(CLI::App &app) {
  auto command = std::make_shared<CompileCommand>();
  CLI::App *verb = app.add_subcommand("compile", "Compile an ONNX model to an artifact");
  verb->add_option("model", command->model, "The ONNX model")->required();
  verb->add_option(
          "-o,--output", command->output,
          "Output file; - is stdout for text. Default: the model's name with another ending")
      ->type_name("FILE");
  verb->add_option(
          "--emit", command->emit,
          "What to write: an artifact; the kernels as object file, shared object or static\n"
          "library; or text in MLIR, LLVM IR, assembly or (for --target nvptx:...) PTX")
      ->check(CLI::IsMember({"dsc", "obj", "so", "lib", "mlir", "llvm", "asm", "ptx"}))
      ->capture_default_str();
  verb->add_option("--stop-after", command->stopAfter,
                   "Print the IR after a phase: " + llvm::join(phaseNames(), ", "))
      ->check(CLI::IsMember(std::vector<std::string>(phaseNames().begin(), phaseNames().end())))
      ->type_name("PHASE");
  verb->add_option("--report", command->report,
                   "Also write what `dsc inspect` shows, and how long each step\n"
                   "took, as JSON")
      ->type_name("FILE");
  verb->add_option("--threads", command->options.threads, "Threads of the compiler")
      ->check(threadCount());
  command->options.addTo(*verb);
  command->options.addTripleTo(*verb);
  verb->footer(
      "Examples:\n"
      "  dsc compile model.onnx\n"
      "  dsc compile model.onnx --target x86-64-v4,x86-64-v3\n"
      "  dsc compile model.onnx --triple aarch64-linux-gnu --emit lib\n"
      "  dsc compile model.onnx -o fast.dsc --shape images=1x3x224x224 --target x86-64-v4\n"
      "  dsc compile model.onnx --stop-after group | less\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
