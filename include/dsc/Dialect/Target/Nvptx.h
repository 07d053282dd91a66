//===- Nvptx.h - the GPU kinds --------------------------------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

namespace dsc {

/// A100: compute capability 8.0. One core is a streaming multiprocessor, one vector
/// the 32 lanes of a warp.
Target nvptxSm80();

/// What only GPUs have. Rates are those of one multiprocessor, in GFLOP/s and GB/s.
struct GpuRates {
  int64_t multiprocessors = 0;
  int64_t blockSharedBytes = 0; ///< most shared memory of a block
  double tensor16 = 0;          ///< mma.sync of bfloat16 and float16
  double tensorTf32 = 0;
  double sharedGBs = 0;
  double loadNs = 0;  ///< what a step waits for its operands in a first-level cache
  double startNs = 0; ///< until a block has its first tile from memory, and its barriers
};
const GpuRates &gpuRates(const Target &target);

/// Whether code for the target is PTX.
bool isNvptx(const Target &target);

} // namespace dsc
