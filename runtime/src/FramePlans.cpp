//===- FramePlans.cpp - the memory plans that a Frame step has needed -----===//

#include "FramePlans.h"

#include <algorithm>

namespace dsc::runtime {

static uint64_t hashOf(std::span<const uint64_t> sizes) {
  uint64_t hash = sizes.size();
  for (uint64_t size : sizes)
    hash = (hash ^ size) * 0x9e3779b97f4a7c15u + (hash >> 29);
  return hash;
}

static FramePlan makePlan(const format::Step &frame, std::span<const uint64_t> sizes,
                          uint64_t hash) {
  FramePlan plan;
  plan.hash = hash;
  plan.sizes.assign(sizes.begin(), sizes.end());
  std::vector<format::PlanItem> items(sizes.size());
  for (size_t i = 0; i < items.size(); ++i)
    items[i] = {sizes[i], frame.firstUse[i], frame.lastUse[i]};
  plan.total = format::planMemory(items);
  for (const format::PlanItem &item : items)
    plan.offsets.push_back(item.offset);
  return plan;
}

const FramePlan *FramePlans::find(const format::Step &frame, std::span<const uint64_t> sizes) {
  uint64_t hash = hashOf(sizes);
  auto matches = [&](const FramePlan &plan) {
    return plan.hash == hash && std::ranges::equal(plan.sizes, sizes);
  };
  if (latest < plans.size() && matches(plans[latest]))
    return &plans[latest];
  auto found = std::ranges::find_if(plans, matches);
  if (found != plans.end()) {
    latest = found - plans.begin();
    return &*found;
  }
  FramePlan plan = makePlan(frame, sizes, hash);
  if (plan.total == UINT64_MAX)
    return nullptr;
  if (plans.size() < kMaxPlans) {
    latest = plans.size();
    plans.push_back(std::move(plan));
  } else {
    latest = oldest;
    oldest = (oldest + 1) % kMaxPlans;
    plans[latest] = std::move(plan);
  }
  return &plans[latest];
}

} // namespace dsc::runtime
