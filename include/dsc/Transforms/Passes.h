//===- Passes.h - the passes between import and code generation -----------===//
#pragma once

#include "mlir/Pass/Pass.h"

#include <cstdint>
#include <functional>
#include <memory>

namespace dsc {

class ComputeOp;
class WeightStore;

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dsc/Transforms/Passes.h.inc"

/// Folds with the weights of a compilation, and adds new ones to them. Created
/// by name, the pass has a store of its own and does not know the IR's weights.
std::unique_ptr<mlir::Pass> createFoldConstantsPass(WeightStore &store,
                                                    const FoldConstantsOptions &options = {});

/// Reads the weights of a compilation. Created by name, the pass knows constants in the
/// IR only.
std::unique_ptr<mlir::Pass> createFindSparsityPass(WeightStore &store,
                                                   const FindSparsityOptions &options = {});

/// The same for finding out whether a bias has the scales of the sums it is added to.
std::unique_ptr<mlir::Pass> createRaiseQuantizedPass(WeightStore &store);

/// `isWhole`: whether an op that has a Spec and a decomposition is computed as it is.
std::unique_ptr<mlir::Pass> createDecomposePass(std::function<bool(ComputeOp)> isWhole);

} // namespace dsc
