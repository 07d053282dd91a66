//===- PerfMap.cpp - names of kernels for profilers -----------------------===//
#include "PerfMap.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <unistd.h>

namespace dsc::runtime {

bool wantsPerfMap() {
  const char *value = std::getenv("DSC_PERF_MAP");
  return value && *value && std::string(value) != "0";
}

/// Where the code that starts at `entry` ends: at the next entry or the end of the
/// segment.
static uint64_t endOf(uint64_t entry, const format::Variant &variant) {
  uint64_t end = UINT64_MAX;
  for (const format::Segment &segment : variant.segments)
    if (entry >= segment.address && entry < segment.address + segment.memoryBytes)
      end = segment.address + segment.memoryBytes;
  for (uint64_t other : variant.entries)
    if (other > entry)
      end = std::min(end, other);
  return end;
}

void writePerfMap(const format::Variant &variant, const uint8_t *base) {
  std::string path = "/tmp/perf-" + std::to_string(getpid()) + ".map";
  std::FILE *file = std::fopen(path.c_str(), "a");
  if (!file)
    return;
  for (size_t i = 0; i < variant.entries.size(); ++i) {
    uint64_t entry = variant.entries[i];
    std::fprintf(file, "%llx %llx %s\n",
                 static_cast<unsigned long long>(reinterpret_cast<uintptr_t>(base)) + entry,
                 static_cast<unsigned long long>(endOf(entry, variant) - entry),
                 variant.program.kernels[i].c_str());
  }
  std::fclose(file);
}

} // namespace dsc::runtime
