//===- CpuCount.h - how many threads this process should use --------------===//
#pragma once

#include <cstddef>

namespace dsc::runtime {

/// Processors that the process may use: its affinity, limited by the CPU quota of
/// its cgroup (v1 or v2) and of the groups around it. At least 1.
size_t usableCpus();

} // namespace dsc::runtime
