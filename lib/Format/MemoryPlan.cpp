//===- MemoryPlan.cpp - placing buffers in an arena -----------------------===//
//
// Greedy: in some order, each item goes into the smallest gap that the items
// alive at the same time leave. No one order is best for every network, so a few
// are tried until one needs no more than the lower bound.
//
//===----------------------------------------------------------------------===//

#include "dsc/Format/Evaluate.h"

#include <algorithm>
#include <numeric>

namespace dsc::format {

static constexpr uint64_t kTooLarge = UINT64_MAX;
/// Sums of up to 2^16 sizes of at most this stay below 2^64; larger sizes cannot
/// be had anyway.
static constexpr uint64_t kMaxItemBytes = uint64_t(1) << 47;

static uint64_t alignTo(uint64_t bytes, uint64_t alignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

/// True if any plan could overflow 64 bits.
static bool tooLarge(std::span<const PlanItem> items, uint64_t alignment) {
  uint64_t sum = 0;
  for (const PlanItem &item : items)
    if (item.bytes > kMaxItemBytes ||
        __builtin_add_overflow(sum, alignTo(item.bytes, alignment), &sum))
      return true;
  return false;
}

namespace {

/// An item that has been placed, kept in order of offset.
struct Placed {
  uint64_t offset, end;
  uint32_t first, last;
};

uint64_t place(std::span<const PlanItem> items, std::span<const uint32_t> order, uint64_t alignment,
               std::span<uint64_t> offsets) {
  std::vector<Placed> placed;
  placed.reserve(order.size());
  uint64_t total = 0;
  for (uint32_t index : order) {
    const PlanItem &item = items[index];
    uint64_t size = alignTo(item.bytes, alignment);
    uint64_t end = 0, best = 0, bestGap = kTooLarge;
    for (const Placed &other : placed) {
      if (other.last < item.first || other.first > item.last)
        continue;
      if (other.offset >= end + size && other.offset - end < bestGap) {
        best = end;
        bestGap = other.offset - end;
      }
      end = std::max(end, other.end);
    }
    uint64_t offset = bestGap == kTooLarge ? end : best;
    auto at = std::upper_bound(placed.begin(), placed.end(), offset,
                               [](uint64_t o, const Placed &p) { return o < p.offset; });
    placed.insert(at, {offset, offset + size, item.first, item.last});
    offsets[index] = offset;
    total = std::max(total, offset + size);
  }
  return total;
}

} // namespace

uint64_t planLowerBound(std::span<const PlanItem> items, uint64_t alignment) {
  if (tooLarge(items, alignment))
    return kTooLarge;
  // Births before deaths at one step, as both ends are included.
  std::vector<uint32_t> births(items.size());
  std::iota(births.begin(), births.end(), 0);
  std::vector<uint32_t> deaths = births;
  std::sort(births.begin(), births.end(),
            [&](uint32_t a, uint32_t b) { return items[a].first < items[b].first; });
  std::sort(deaths.begin(), deaths.end(),
            [&](uint32_t a, uint32_t b) { return items[a].last < items[b].last; });
  uint64_t live = 0, most = 0;
  size_t death = 0;
  for (uint32_t birth : births) {
    for (; items[deaths[death]].last < items[birth].first; ++death)
      live -= alignTo(items[deaths[death]].bytes, alignment);
    live += alignTo(items[birth].bytes, alignment);
    most = std::max(most, live);
  }
  return most;
}

uint64_t planMemory(std::span<PlanItem> items, uint64_t alignment) {
  uint64_t bound = planLowerBound(items, alignment);
  if (bound == kTooLarge)
    return kTooLarge;
  std::vector<uint32_t> order;
  for (uint32_t i = 0; i < items.size(); ++i) {
    items[i].offset = 0;
    if (items[i].bytes != 0)
      order.push_back(i);
  }
  auto duration = [&](uint32_t i) { return uint64_t(items[i].last) - items[i].first + 1; };
  // Descending by key; ties by index keep the result deterministic.
  auto byKey = [](auto key) {
    return [key](uint32_t a, uint32_t b) {
      auto ka = key(a), kb = key(b);
      return ka != kb ? ka > kb : a < b;
    };
  };
  std::vector<uint64_t> offsets(items.size()), bestOffsets;
  uint64_t best = kTooLarge;
  for (int attempt = 0; attempt < 4 && best > bound; ++attempt) {
    switch (attempt) {
    case 0: // large first
      std::sort(order.begin(), order.end(), byKey([&](uint32_t i) { return items[i].bytes; }));
      break;
    case 1: // large and long-lived first
      std::sort(order.begin(), order.end(),
                byKey([&](uint32_t i) { return double(items[i].bytes) * double(duration(i)); }));
      break;
    case 2: // in order of time, long-lived first
      std::sort(order.begin(), order.end(),
                byKey([&](uint32_t i) { return std::pair(~items[i].first, items[i].last); }));
      break;
    case 3: // long-lived first
      std::sort(order.begin(), order.end(),
                byKey([&](uint32_t i) { return std::pair(duration(i), items[i].bytes); }));
      break;
    }
    uint64_t total = place(items, order, alignment, offsets);
    if (total < best) {
      best = total;
      bestOffsets = offsets;
    }
  }
  for (uint32_t i : order)
    items[i].offset = bestOffsets[i];
  return order.empty() ? 0 : best;
}

} // namespace dsc::format
