//===- PerfMap.h - names of kernels for profilers -------------------------===//
#pragma once

#include "dsc/Format/Container.h"

#include <cstdint>

namespace dsc::runtime {

/// Whether the environment asks for names of kernels (DSC_PERF_MAP is set). Then
/// code must not be mapped from a file: perf looks for names only where there is
/// none.
bool wantsPerfMap();

/// Appends the kernels of an image at `base` to /tmp/perf-PID.map, which Linux perf
/// reads. What cannot be written is left out.
void writePerfMap(const format::Variant &variant, const uint8_t *base);

} // namespace dsc::runtime
