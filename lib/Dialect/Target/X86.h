//===- X86.h - the x86-64 kinds -------------------------------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

namespace dsc {

/// Haswell and Zen to Zen 3: AVX2, FMA, F16C.
Target x86V3();
/// Skylake-X, Ice Lake, Zen 4 and later: AVX-512 F, BW, CD, DQ, VL.
Target x86V4();
/// For tests on machines without AVX-512: the schedules of x86V4, which LLVM takes
/// apart into instructions of x86V3. Results are right, speed means nothing.
Target x86V4Emulated();

} // namespace dsc
