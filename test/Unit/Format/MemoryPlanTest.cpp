//===- MemoryPlanTest.cpp - placing buffers -------------------------------===//

#include "dsc/Format/Evaluate.h"

#include <gtest/gtest.h>
#include <random>

using namespace dsc::format;

static bool overlap(const PlanItem &a, const PlanItem &b) {
  bool inTime = a.first <= b.last && b.first <= a.last;
  return inTime && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

static void expectValid(const std::vector<PlanItem> &items, uint64_t total) {
  for (size_t i = 0; i < items.size(); ++i) {
    EXPECT_EQ(items[i].offset % 64, 0u);
    EXPECT_LE(items[i].offset + items[i].bytes, total);
    for (size_t j = 0; j < i; ++j)
      EXPECT_FALSE(overlap(items[i], items[j])) << i << " and " << j;
  }
}

TEST(MemoryPlan, Nothing) {
  EXPECT_EQ(planMemory({}), 0u);
  std::vector<PlanItem> items = {{0, 0, 5}, {0, 2, 3}};
  EXPECT_EQ(planMemory(items), 0u);
}

TEST(MemoryPlan, AChainNeedsItsTwoLargestNeighbours) {
  std::vector<PlanItem> items;
  for (uint32_t i = 0; i < 100; ++i)
    items.push_back({1000 + 10 * i, i, i + 1});
  uint64_t total = planMemory(items), bound = planLowerBound(items);
  expectValid(items, total);
  EXPECT_EQ(bound, 2048u + 1984u);
  EXPECT_LE(total, bound + bound / 20);
}

TEST(MemoryPlan, BothEndsOfALifetimeCount) {
  std::vector<PlanItem> items = {{64, 0, 1}, {64, 1, 2}, {64, 2, 2}};
  EXPECT_EQ(planMemory(items), 128u);
  expectValid(items, 128);
}

TEST(MemoryPlan, UntilTheEndOfTheBlock) {
  std::vector<PlanItem> items = {{64, 0, ~0u}, {64, 5, ~0u}};
  EXPECT_EQ(planMemory(items), 128u);
  expectValid(items, 128);
}

TEST(MemoryPlan, RandomItems) {
  std::mt19937 random(7);
  for (int round = 0; round < 50; ++round) {
    std::vector<PlanItem> items(1 + random() % 200);
    for (PlanItem &item : items) {
      item.bytes = random() % 5000;
      item.first = random() % 100;
      item.last = item.first + random() % 20;
    }
    std::vector<PlanItem> again = items;
    uint64_t total = planMemory(items), bound = planLowerBound(items);
    expectValid(items, total);
    EXPECT_GE(total, bound);
    EXPECT_LE(total, bound + bound / 4);
    EXPECT_EQ(planMemory(again), total);
    for (size_t i = 0; i < items.size(); ++i)
      EXPECT_EQ(again[i].offset, items[i].offset);
  }
}

TEST(MemoryPlan, MoreThanThereIs) {
  std::vector<PlanItem> items = {{UINT64_MAX - 10, 0, 1}};
  EXPECT_EQ(planMemory(items), UINT64_MAX);
  items = {{uint64_t(1) << 63, 0, 1}, {uint64_t(1) << 63, 0, 1}};
  EXPECT_EQ(planMemory(items), UINT64_MAX);
  EXPECT_EQ(planLowerBound(items), UINT64_MAX);
}
