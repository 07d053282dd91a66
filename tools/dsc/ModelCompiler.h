//===- ModelCompiler.h - an ONNX model on its way to code -----------------===//
#pragma once

#include "Diagnostics.h"
#include "ModelOptions.h"

#include "mlir/IR/MLIRContext.h"

#include "llvm/Support/ThreadPool.h"

#include <memory>
#include <string>

namespace dsc::cli {

/// Holds what a compilation needs; its functions throw Failure.
class ModelCompiler {
public:
  /// Imports the model.
  ModelCompiler(const std::string &path, const ModelOptions &options);

  mlir::ModuleOp getModule() { return *module; }
  WeightStore &getWeights() { return weights; }
  const CompileOptions &getOptions() const { return options; }

  std::unique_ptr<Compilation> compile() { return compile(*module); }
  /// Another module of the same context and weights.
  std::unique_ptr<Compilation> compile(mlir::ModuleOp other);
  /// The kernels as "obj", "so" or "lib".
  std::vector<uint8_t> emitLibrary(const Compilation &compilation, const std::string &kind);
  void runPhases(const std::string &lastPhase);
  /// A copy of the imported module that has gone through the phases.
  mlir::OwningOpRef<mlir::ModuleOp> moduleAfter(const std::string &phase);
  KernelListing listKernels();
  /// "llvm" or "asm".
  std::string emitCode(const std::string &kind);
  /// The module's text, with each op's ONNX node if `locations`.
  std::string moduleText(bool locations = false);

  StepTimes &getTimes() { return times; }
  /// Warnings and remarks so far.
  const std::string &getNotices() const { return diagnostics.getNotices(); }

private:
  std::unique_ptr<llvm::ThreadPoolInterface> pool; // outlives the context
  mlir::MLIRContext context;
  DiagnosticCollector diagnostics;
  StepTimes times;
  CompileOptions options;
  WeightStore weights;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Writes the container to a file descriptor.
void writeArtifact(const Compilation &compilation, int descriptor, const std::string &path);

} // namespace dsc::cli
