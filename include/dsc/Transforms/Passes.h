//===- Passes.h - passes on dsc IR ----------------------------------------===//
#pragma once

#include "mlir/Pass/Pass.h"

#include <memory>

namespace dsc {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "dsc/Transforms/Passes.h.inc"

} // namespace dsc
