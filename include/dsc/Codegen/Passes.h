//===- Passes.h - passes of code generation -------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"

namespace dsc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dsc/Codegen/Passes.h.inc"

/// The phases of Compiler.h as pipelines, `dsc-phase-simplify` and so on.
void registerPhasePipelines();

} // namespace dsc
