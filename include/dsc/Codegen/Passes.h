//===- Passes.h - passes of code generation -------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"

namespace dsc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dsc/Codegen/Passes.h.inc"

} // namespace dsc
