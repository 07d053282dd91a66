//===- Phases.cpp - the way from import to kernels, in order --------------===//
#include "dsc/Codegen/Common/Template.h"
#include "dsc/Codegen/Compiler.h"
#include "dsc/Codegen/Passes.h"
#include "dsc/Dialect/Target/Nvptx.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace dsc {

/// Adds the passes of a phase. `weights`: null for passes run by name.
using AddPhase = void (*)(OpPassManager &passes, WeightStore *weights,
                          const CompileOptions &options);

static void addFolding(OpPassManager &passes, WeightStore *weights, const CompileOptions &options) {
  FoldConstantsOptions folding;
  folding.maxBytes = options.maxFoldedBytes;
  // Enough for the transposed embedding of a large vocabulary.
  folding.maxCost = options.maxFoldedBytes / 2;
  passes.addPass(weights ? createFoldConstantsPass(*weights, folding)
                         : createFoldConstants(folding));
}

/// Whether a template computes the op as it is, though it could be taken apart.
static bool isWhole(ComputeOp op, const Target *target) {
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  FailureOr<Spec> spec = op.getSpec();
  bool isStaged = succeeded(spec) && !spec->loops && !spec->scatter;
  return isStaged && target && hasTemplate(op, *target);
}

/// Whole operators in place of their formulas: fewer roundings in between.
static void addRaising(OpPassManager &passes) {
  passes.addPass(createRaiseActivations());
  passes.addPass(createRaiseSoftmax());
  passes.addPass(createRaiseNormalizations());
  passes.addPass(createSplitHeads());
  RaiseAttentionOptions attention;
  attention.shortFloats = true;
  passes.addPass(createRaiseAttention(attention));
}

/// Ops in their simplest form: whole operators taken apart, constants computed.
static void addSimplify(OpPassManager &passes, WeightStore *weights,
                        const CompileOptions &options) {
  passes.addPass(createCanonicalizerPass());
  // Before dequantized weights are folded to floats.
  if (options.precision != "strict")
    passes.addPass(weights ? createRaiseQuantizedPass(*weights) : createRaiseQuantized());
  addFolding(passes, weights, options);
  passes.addPass(createRemoveIdentities());
  passes.addPass(createMoveTransposes());
  passes.addPass(createCSEPass());
  const Target *target = findTarget(options.targets.front());
  if (options.precision != "strict") {
    addRaising(passes);
    // GPUs multiply short floats as they are.
    if (target && !isNvptx(*target)) {
      passes.addPass(createWidenShortFloats());
      passes.addPass(createRemoveIdentities());
      addFolding(passes, weights, options);
    }
  }
  passes.addPass(createFoldBatchNorms());
  passes.addPass(createDecomposePass([target](ComputeOp op) { return isWhole(op, target); }));
  passes.addPass(createPairProducts());
  addFolding(passes, weights, options);
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
  // Without the zeros' products infinities and NaN give other results.
  if (options.sparsity != "off" && options.precision != "strict")
    passes.addPass(weights ? createFindSparsityPass(*weights) : createFindSparsity());
}

/// Operator fusion.
static void addGroup(OpPassManager &passes, WeightStore *, const CompileOptions &) {
  passes.addPass(createFormGroups());
  passes.addPass(createReadInPlace());
  passes.addPass(createShareStorage());
}

/// A template and schedule for each group.
static void addSchedule(OpPassManager &passes, WeightStore *, const CompileOptions &options) {
  ChooseSchedulesOptions schedules;
  schedules.targetName = options.targets.front();
  schedules.precision = options.precision;
  schedules.explain = true;
  passes.addPass(createChooseSchedules(schedules));
}

struct Phase {
  StringRef name, summary;
  AddPhase add; ///< null: nothing to do behind the importer
};

static constexpr Phase kPhases[] = {
    {"import", "the model as dsc ops", nullptr},
    {"simplify", "whole operators taken apart, constants computed", addSimplify},
    {"group", "operators that one kernel computes put together", addGroup},
    {"schedule", "a template and schedule chosen for each group", addSchedule},
};

ArrayRef<StringRef> phaseNames() {
  static const auto names =
      llvm::map_to_vector(kPhases, [](const Phase &phase) { return phase.name; });
  return names;
}

LogicalResult runPhases(ModuleOp module, WeightStore &weights, const CompileOptions &options,
                        StringRef lastPhase) {
  for (const Phase &phase : kPhases) {
    if (phase.add) {
      options.beginStep(phase.name);
      PassManager passes(module.getContext());
      passes.enableVerifier(false); // dsc-opt checks behind each pass, here each phase will do
      phase.add(passes, &weights, options);
      if (failed(passes.run(module)) || failed(verify(module)))
        return failure();
    }
    if (phase.name == lastPhase)
      break;
  }
  return success();
}

void registerPhasePipelines() {
  for (const Phase &phase : kPhases) {
    if (!phase.add)
      continue;
    PassPipelineRegistration<>(
        ("dsc-phase-" + phase.name).str(), phase.summary,
        [add = phase.add](OpPassManager &passes) { add(passes, nullptr, CompileOptions()); });
  }
}

} // namespace dsc
