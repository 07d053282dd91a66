//===- CpuFeatures.h - what this machine's processor can do ---------------===//
#pragma once

#include <string>
#include <vector>

namespace dsc::runtime {

/// As LLVM's triples call what this library was built for: "x86_64", "aarch64".
const char *cpuArchitecture();

/// Whether the processor has `feature` and the operating system lets this process
/// use it. Names are LLVM's ("avx512f", "lzcnt", "amx-tile"); those of
/// /proc/cpuinfo ("abm", "amx_tile") are understood, too. Asks Linux for
/// permission when the feature needs it.
bool hasCpuFeature(const std::string &feature);

/// Those of `features` that are missing.
std::vector<std::string> missingCpuFeatures(const std::vector<std::string> &features);

} // namespace dsc::runtime
