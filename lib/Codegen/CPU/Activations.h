//===- Activations.h - the functions inside of recurrent cells ------------===//
#pragma once

#include "dsc/Codegen/Common/VectorCode.h"

namespace dsc {

/// The activation of `x`, a scalar or vector of float32.
mlir::Value emitActivation(VectorCode &code, const Activation &activation, mlir::Value x);

} // namespace dsc
