//===- X86.h - the x86-64 kinds -------------------------------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

namespace dsc {

/// Haswell and Zen to Zen 3: AVX2, FMA, F16C.
Target x86V3();
/// Skylake-X, Ice Lake, Zen 4 and later: AVX-512 F, BW, CD, DQ, VL.
Target x86V4();

} // namespace dsc
