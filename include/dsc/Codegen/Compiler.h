//===- Compiler.h - from a dsc module to an artifact ----------------------===//
//
// What tools call: the whole way behind the importer.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/StepTimes.h"
#include "dsc/Dialect/IR/Weights.h"
#include "dsc/Format/Container.h"

#include "mlir/IR/BuiltinOps.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dsc {

/// Names of the phases, in order: what --stop-after takes.
llvm::ArrayRef<llvm::StringRef> phaseNames();

struct CompileOptions {
  /// "native", or names of KnownTargets: "x86-64-v3", "x86-64-v4", "nvptx:sm_80";
  /// of several the best first (findTargets puts them so). Only compileModule
  /// compiles for more than the first.
  std::vector<std::string> targets = {"native"};
  std::string triple; ///< resolved (Triples.h), fits the targets; empty: each target's own
  std::string precision = "f32"; ///< strict, f32, f32x2, bf16, f16
  std::string sparsity = "auto"; ///< auto, off, or a storage format
  int optLevel = 2;
  /// Largest size that constant folding may make a tensor, in bytes.
  int64_t maxFoldedBytes = int64_t(256) << 20;
  StepTimes *times = nullptr; ///< takes the wall time of each step, if not null

  void beginStep(llvm::StringRef name) const {
    if (times)
      times->begin(name);
  }
};

/// A compiled model: everything of the container but the weights, which are
/// evaluated while they are written.
class Compilation {
public:
  virtual ~Compilation() = default;
  const format::Artifact &getArtifact() const { return artifact; }
  uint64_t getWeightBytes() const { return weightBytes; }
  /// Calls `sink` with the consecutive pieces of the weights section.
  virtual format::Status writeWeights(const format::Sink &sink) const = 0;
  /// The report of `dsc inspect` and `compile --report`, of the best variant: one
  /// JSON object.
  const std::string &getReport() const { return artifact.variants.front().manifestJson; }
  /// The kernels with ordinary symbols: `kind` is "obj" (an object file), "so" or
  /// "lib" (a static library). Fails with a diagnostic, as for more than one variant.
  virtual llvm::FailureOr<std::vector<uint8_t>> emitLibrary(llvm::StringRef kind) const = 0;

protected:
  format::Artifact artifact;
  uint64_t weightBytes = 0;
};

/// Compiles. On failure returns null; diagnostics went to the context's handler.
/// `module` (which the phases change) and `weights` must outlive the result.
std::unique_ptr<Compilation> compileModule(mlir::ModuleOp module, WeightStore &weights,
                                           const CompileOptions &options);

/// Runs the phases up to and including `phase` in place.
llvm::LogicalResult runPhases(mlir::ModuleOp module, WeightStore &weights,
                              const CompileOptions &options, llvm::StringRef lastPhase);

/// Kernels for people to read.
struct KernelListing {
  std::string report;                       ///< that of Compilation::getReport
  std::map<std::string, std::string> loops; ///< by a kernel's name, in MLIR, not lowered yet
};
llvm::FailureOr<KernelListing> listKernels(mlir::ModuleOp module, WeightStore &weights,
                                           const CompileOptions &options);

/// The code in textual form: `kind` is "llvm" or "asm" ("ptx" for GPUs).
llvm::FailureOr<std::string> emitCode(mlir::ModuleOp module, WeightStore &weights,
                                      const CompileOptions &options, llvm::StringRef kind);

} // namespace dsc
