//===- ModelCompiler.cpp - an ONNX model on its way to code ---------------===//
#include "ModelCompiler.h"

#include "Isolation.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Threading.h"

#include <fmt/format.h>

using namespace mlir;

namespace dsc::cli {

ModelCompiler::ModelCompiler(const std::string &path, const ModelOptions &modelOptions)
    : context(MLIRContext::Threading::DISABLED), diagnostics(context, path),
      options(modelOptions.compileOptions()) {
  options.times = &times;
  options.beginStep("import");
  llvm::ThreadPoolStrategy strategy = llvm::hardware_concurrency(modelOptions.threads);
  if (strategy.compute_thread_count() > 1) {
    pool = std::make_unique<llvm::DefaultThreadPool>(strategy);
    context.setThreadPool(*pool);
  }
  noteActivity("importing " + path);
  noteModel(path);
  import::ProblemList problems;
  module = import::importModel(path, context, modelOptions.importOptions(), weights, problems);
  if (!module)
    failImport(problems);
}

std::unique_ptr<Compilation> ModelCompiler::compile(ModuleOp other) {
  noteActivity("compiling");
  std::unique_ptr<Compilation> compilation = compileModule(other, weights, options);
  if (!compilation)
    diagnostics.fail("compiling");
  return compilation;
}

std::vector<uint8_t> ModelCompiler::emitLibrary(const Compilation &compilation,
                                                const std::string &kind) {
  FailureOr<std::vector<uint8_t>> library = compilation.emitLibrary(kind);
  if (failed(library))
    diagnostics.fail("linking");
  return std::move(*library);
}

static void checkPhase(const std::string &name) {
  if (!llvm::is_contained(phaseNames(), name))
    fail(Code::Usage, fmt::format("unknown phase '{}'", name),
         "the phases are " + llvm::join(phaseNames(), ", "));
}

void ModelCompiler::runPhases(const std::string &lastPhase) {
  checkPhase(lastPhase);
  noteActivity("running phases up to " + lastPhase);
  if (failed(dsc::runPhases(*module, weights, options, lastPhase)))
    diagnostics.fail(fmt::format("phase '{}' or one before it", lastPhase));
}

OwningOpRef<ModuleOp> ModelCompiler::moduleAfter(const std::string &phase) {
  checkPhase(phase);
  noteActivity("running phases up to " + phase);
  OwningOpRef<ModuleOp> copy = module->clone();
  if (failed(dsc::runPhases(*copy, weights, options, phase)))
    diagnostics.fail(fmt::format("phase '{}' or one before it", phase));
  return copy;
}

KernelListing ModelCompiler::listKernels() {
  noteActivity("choosing kernels");
  FailureOr<KernelListing> listing = dsc::listKernels(*module, weights, options);
  if (failed(listing))
    diagnostics.fail("choosing kernels");
  return std::move(*listing);
}

std::string ModelCompiler::emitCode(const std::string &kind) {
  noteActivity("generating code");
  FailureOr<std::string> text = dsc::emitCode(*module, weights, options, kind);
  if (failed(text))
    diagnostics.fail("generating code");
  return std::move(*text);
}

std::string ModelCompiler::moduleText(bool locations) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  OpPrintingFlags flags;
  if (locations)
    flags.enableDebugInfo(true, /*prettyForm=*/true);
  module->print(stream, flags);
  return text;
}

void writeArtifact(const Compilation &compilation, int descriptor, const std::string &path) {
  noteActivity("writing " + path);
  format::Status status = format::writeContainer(
      descriptor, compilation.getArtifact(), compilation.getWeightBytes(),
      [&](const format::Sink &sink) { return compilation.writeWeights(sink); });
  if (!status.ok())
    fail(Code::File, fmt::format("cannot write '{}': {}", path, status.error));
}

} // namespace dsc::cli
