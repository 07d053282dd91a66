//===- FramePlans.h - the memory plans that a Frame step has needed -------===//
#pragma once

#include "dsc/Format/Evaluate.h"

#include <span>
#include <vector>

namespace dsc::runtime {

/// Where the values of a frame are, for given sizes.
struct FramePlan {
  uint64_t hash = 0;
  std::vector<uint64_t> sizes, offsets;
  uint64_t total = 0;
};

/// Plans of one Frame step by the sizes of its values: what has been planned once
/// is found again without an allocation.
class FramePlans {
public:
  /// Null if the values need more memory than any machine has.
  const FramePlan *find(const format::Step &frame, std::span<const uint64_t> sizes);
  void clear() { plans.clear(); }

private:
  /// Enough for any set of shapes that a program alternates between; a value that
  /// grows without end, one step of a loop after another, must not fill the memory.
  static constexpr size_t kMaxPlans = 256;

  std::vector<FramePlan> plans;
  size_t latest = 0, oldest = 0;
};

} // namespace dsc::runtime
