//===- Passes.h - the passes between import and code generation -----------===//
#pragma once

#include "dsc/Dialect/IR/Weights.h"

#include "mlir/Pass/Pass.h"

#include <memory>

namespace dsc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dsc/Transforms/Passes.h.inc"

} // namespace dsc
