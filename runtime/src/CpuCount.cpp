//===- CpuCount.cpp - how many threads this process should use ------------===//

#include "CpuCount.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sched.h>
#include <string>
#include <unistd.h>

namespace dsc::runtime {

/// A small file of /proc or /sys; "" if it cannot be read.
static std::string readText(const std::string &path) {
  int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return "";
  std::string text;
  char buffer[4096];
  for (ssize_t size; (size = read(fd, buffer, sizeof(buffer))) > 0;)
    text.append(buffer, size);
  close(fd);
  return text;
}

static size_t cpusInAffinity() {
  // The kernel's mask may be larger than cpu_set_t.
  for (int cpus = CPU_SETSIZE; cpus <= 1 << 18; cpus *= 2) {
    cpu_set_t *set = CPU_ALLOC(cpus);
    if (!set)
      break;
    size_t size = CPU_ALLOC_SIZE(cpus);
    int count = sched_getaffinity(0, size, set) == 0 ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (count > 0)
      return count;
  }
  return std::max(1L, sysconf(_SC_NPROCESSORS_ONLN));
}

/// The quota in whole processors, at least 1: with more threads than the quota has
/// processors, all are stopped for a part of each period. 0: no quota.
static size_t wholeCpus(double quota, double period) {
  return quota > 0 && period > 0 ? std::max<size_t>(1, quota / period) : 0;
}

/// cgroup v2: "max 100000" or "150000 100000".
static size_t quotaV2(const std::string &group) {
  double quota = 0, period = 0;
  std::string text = readText(group + "/cpu.max");
  return std::sscanf(text.c_str(), "%lf %lf", &quota, &period) == 2 ? wholeCpus(quota, period) : 0;
}

static size_t quotaV1(const std::string &group) {
  double quota = std::atof(readText(group + "/cpu.cfs_quota_us").c_str());
  return wholeCpus(quota, std::atof(readText(group + "/cpu.cfs_period_us").c_str()));
}

/// The smallest quota of the group `path` below `root` and those around it.
static size_t smallestQuota(const std::string &root, std::string path,
                            size_t (*quotaOf)(const std::string &)) {
  size_t smallest = 0;
  while (true) {
    size_t quota = quotaOf(root + path);
    if (quota != 0)
      smallest = smallest == 0 ? quota : std::min(smallest, quota);
    size_t slash = path.rfind('/');
    if (slash == std::string::npos)
      return smallest;
    path.resize(slash);
  }
}

/// Lines of /proc/self/cgroup are "0::/path" for v2 and "4:cpu,cpuacct:/path" for v1.
static size_t cgroupQuota() {
  std::string text = readText("/proc/self/cgroup");
  size_t smallest = 0;
  for (size_t begin = 0; begin < text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos)
      continue;
    std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    std::string path = line.substr(second + 1);
    size_t quota = 0;
    if (controllers == ",,")
      quota = smallestQuota("/sys/fs/cgroup", path, quotaV2);
    else if (controllers.find(",cpu,") != std::string::npos)
      quota = smallestQuota("/sys/fs/cgroup/cpu", path, quotaV1);
    if (quota != 0)
      smallest = smallest == 0 ? quota : std::min(smallest, quota);
  }
  return smallest;
}

size_t usableCpus() {
  size_t cpus = cpusInAffinity(), quota = cgroupQuota();
  return quota == 0 ? cpus : std::min(cpus, quota);
}

} // namespace dsc::runtime
