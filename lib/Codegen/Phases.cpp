//===- Phases.cpp - the way from import to kernels, in order --------------===//
#include "dsc/Codegen/Compiler.h"
#include "dsc/Codegen/Passes.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace dsc {

ArrayRef<StringRef> phaseNames() {
  static const StringRef names[] = {"import", "simplify", "group", "schedule"};
  return names;
}

/// Ops in their simplest form: whole operators taken apart, constants computed.
static void addSimplify(OpPassManager &passes, WeightStore &weights,
                        const CompileOptions &options) {
  FoldConstantsOptions folding;
  folding.maxBytes = options.maxFoldedBytes;
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createDecompose());
  passes.addPass(createFoldConstantsPass(weights, folding));
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

/// Operator fusion.
static void addGroup(OpPassManager &passes, WeightStore &, const CompileOptions &) {
  passes.addPass(createFormGroups());
}

/// A template and schedule for each group.
static void addSchedule(OpPassManager &passes, WeightStore &, const CompileOptions &options) {
  ChooseSchedulesOptions schedules;
  schedules.targetName = options.targets.front();
  schedules.explain = true;
  passes.addPass(createChooseSchedules(schedules));
}

LogicalResult runPhases(ModuleOp module, WeightStore &weights, const CompileOptions &options,
                        StringRef lastPhase) {
  using AddPhase = void (*)(OpPassManager &, WeightStore &, const CompileOptions &);
  static constexpr AddPhase phases[] = {nullptr, addSimplify, addGroup, addSchedule};
  PassManager passes(module.getContext());
  for (auto [name, add] : llvm::zip(phaseNames(), phases)) {
    if (add)
      add(passes, weights, options);
    if (name == lastPhase)
      break;
  }
  return passes.run(module);
}

} // namespace dsc
