//===- Nvptx.h - the GPU kinds --------------------------------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

namespace dsc {

/// A100: compute capability 8.0. One core is a streaming multiprocessor, one vector
/// the 32 lanes of a warp.
Target nvptxSm80();

/// Whether code for the target is PTX.
bool isNvptx(const Target &target);

} // namespace dsc
