//===- AllocationsTest.cpp - a run of a seen shape allocates nothing ------===//
//
// Takes malloc's place in this program, to count.
//
//===----------------------------------------------------------------------===//

#include "Programs.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>

using namespace dsc::test;

static std::atomic<size_t> allocations{0};

// The libraries must see these, too.
#pragma GCC visibility push(default)
extern "C" {
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);

void *malloc(size_t size) {
  ++allocations;
  return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}
void *aligned_alloc(size_t alignment, size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}
}
#pragma GCC visibility pop

TEST(Allocations, AreCounted) {
  size_t before = allocations.load();
  void *volatile aligned = aligned_alloc(64, 64);
  int *volatile integer = new int;
  EXPECT_EQ(allocations.load(), before + 2);
  free(aligned);
  delete integer;
}

TEST(Allocations, ARunOfASeenShapeAllocatesNothing) {
  ProgramMaker m = everything();
  dsc_context_options options = {};
  for (size_t threads : {1, 3}) {
    options.threads = threads;
    Runner r(m, options);
    std::vector<std::vector<int64_t>> inputs;
    for (int64_t size : {5, 100, 3, 1000, 17})
      inputs.emplace_back(size, 1);
    inputs[1][7] = 0;
    for (int round = 0; round < 3; ++round)
      for (std::vector<int64_t> &x : inputs) {
        r.set(0, DType::Int64, x, {int64_t(x.size())});
        size_t before = allocations.load();
        ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
        if (round != 0)
          EXPECT_EQ(allocations.load(), before) << "size " << x.size();
        int64_t k = std::count(x.begin(), x.end(), 1);
        EXPECT_EQ(r.get<int64_t>(0), std::vector<int64_t>(k, k + 1));
        EXPECT_EQ(r.dims(1), (std::vector<int64_t>{k, k}));
      }
  }
}
