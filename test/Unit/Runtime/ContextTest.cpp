//===- ContextTest.cpp - inputs, threads and memory of contexts -----------===//

#include "Programs.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <gmock/gmock.h>
#include <thread>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

using namespace dsc::test;
using testing::ElementsAre;
using testing::HasSubstr;

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(Memory, TrimGivesBackAndRunsGoOn) {
  ProgramMaker m = everything();
  Runner r(m);
  std::vector<int64_t> x(1000, 1);
  r.set(0, DType::Int64, x, {1000});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  size_t before = dsc_context_arena_bytes(r.context);
  dsc_context_trim(r.context);
  EXPECT_LT(dsc_context_arena_bytes(r.context), before);
  EXPECT_EQ(r.get<int64_t>(0)[0], 1001); // results stay
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_EQ(r.get<int64_t>(0)[0], 1001);
}

namespace {

/// An allocator that counts, and gives nothing beyond its budget.
struct CountingAllocator {
  size_t held = 0, calls = 0, budget = SIZE_MAX;

  dsc_context_options options() {
    dsc_context_options o = {};
    o.allocator_user = this;
    o.allocate = [](void *user, size_t bytes, size_t alignment) -> void * {
      auto *self = static_cast<CountingAllocator *>(user);
      if (self->held + bytes > self->budget)
        return nullptr;
      ++self->calls;
      self->held += bytes;
      return std::aligned_alloc(alignment, bytes);
    };
    o.deallocate = [](void *user, void *memory, size_t bytes) {
      static_cast<CountingAllocator *>(user)->held -= bytes;
      free(memory);
    };
    return o;
  }
};

} // namespace

TEST(Memory, AllocatorOfTheCaller) {
  CountingAllocator allocator;
  {
    ProgramMaker m = everything();
    Runner r(m, allocator.options());
    std::vector<int64_t> x(50, 1);
    r.set(0, DType::Int64, x, {50});
    ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
    EXPECT_EQ(allocator.held, dsc_context_arena_bytes(r.context));
    size_t calls = allocator.calls;
    EXPECT_GT(calls, 0u);
    ASSERT_EQ(r.run(), DSC_OK);
    EXPECT_EQ(allocator.calls, calls);
  }
  EXPECT_EQ(allocator.held, 0u);
}

TEST(Memory, OutOfMemoryIsAStatus) {
  CountingAllocator allocator;
  ProgramMaker m = everything();
  Runner r(m, allocator.options());
  std::vector<int64_t> x(50, 1);
  r.set(0, DType::Int64, x, {50});
  size_t failures = 0;
  for (allocator.budget = 0;; allocator.budget += 512) {
    dsc_status status = r.run();
    if (status == DSC_OK)
      break;
    EXPECT_EQ(status, DSC_OUT_OF_MEMORY);
    ++failures;
  }
  EXPECT_GT(failures, 5u);
  EXPECT_EQ(r.get<int64_t>(0)[0], 51);
}

TEST(Memory, NoMoreMemoryThanTheLargestShapeNeeds) {
  ProgramMaker m;
  ExprId n = m.symbol("N");
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId t = m.arena(DType::Int64, {n});
  m.frame(0, {t});
  m.phase(0, addKernel<int64_t>, {x, t}, {n, n});
  Runner r(m);
  std::vector<int64_t> data(1000);
  for (int64_t size = 1; size <= 1000; ++size) {
    data.resize(size);
    r.set(0, DType::Int64, data, {size});
    ASSERT_EQ(r.run(), DSC_OK);
  }
  EXPECT_LE(dsc_context_arena_bytes(r.context), 8000u + 64);
}

//===----------------------------------------------------------------------===//
// Outputs and inputs
//===----------------------------------------------------------------------===//

static ProgramMaker twoInputs() {
  ProgramMaker m;
  ExprId n = m.symbol("N"), two = m.constant(2);
  ValueId a = m.input("a", DType::Float32, {n, two});
  ValueId b = m.input("b", DType::Float32, {m.binary(Expr::Mul, n, two)});
  ValueId y = m.output("y", DType::Float32, {n, two});
  m.frame(0, {y});
  m.phase(0, sumKernel<float>, {a, b, y}, {m.binary(Expr::Mul, n, two)});
  return m;
}

TEST(Inputs, EachMistakeIsNamed) {
  ProgramMaker m = twoInputs();
  Runner r(m);
  std::vector<float> data(6, 1.5f);
  std::vector<double> wrongType(6);
  auto expectError = [&](const std::string &text) {
    EXPECT_EQ(r.run(), DSC_INVALID_ARGUMENT);
    EXPECT_EQ(dsc_last_error(), text);
  };
  expectError("input 'a': expected f32[N, 2], but it is not set");
  r.set(1, DType::Float32, data, {6});
  r.set(0, DType::Float64, wrongType, {3, 2});
  expectError("input 'a': expected f32[N, 2], got f64[3, 2]: the element types differ");
  r.set(0, DType::Float32, data, {6});
  expectError("input 'a': expected f32[N, 2], got f32[6]: the ranks differ");
  r.set(0, DType::Float32, data, {2, 3});
  expectError("input 'a': expected f32[N, 2], got f32[2, 3]: axis 1 must be 2");
  r.set(0, DType::Float32, data, {-3, -2});
  expectError("input 'a': expected f32[N, 2], got f32[-3, -2]: a dim is negative");
  r.set(0, DType::Float32, data, {4, 2});
  expectError("input 'a': f32[4, 2] has 32 bytes, got 24");
  r.set(0, DType::Float32, data, {INT64_MAX, 2});
  expectError("input 'a': the size of f32[9223372036854775807, 2] overflows");
  r.set(0, DType::Float32, data, {3, 2});
  std::vector<float> longer(8);
  r.set(1, DType::Float32, longer, {8});
  expectError("input 'b': expected f32[N * 2], got f32[8]: axis 0 must be 6 by the sizes of the "
              "other axes");
  const int64_t six = 6, dims[] = {3, 2};
  dsc_context_set_input(r.context, 1, nullptr, DSC_FLOAT32, 1, &six, 24);
  expectError("input 'b': its data is NULL");
  dsc_context_set_input(r.context, 1, reinterpret_cast<char *>(longer.data()) + 2, DSC_FLOAT32, 1,
                        &six, 24);
  expectError("input 'b': its data is not aligned to its elements of 4 bytes");
  r.set(1, DType::Float32, data, {6});
  EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_EQ(dsc_context_set_input(r.context, 2, data.data(), DSC_FLOAT32, 2, dims, 24),
            DSC_INVALID_ARGUMENT);
  EXPECT_STREQ(dsc_last_error(), "the model has no input 2");
}

TEST(Outputs, MemoryOfTheCaller) {
  ProgramMaker m = twoInputs();
  Runner r(m);
  std::vector<float> data(6, 1.5f), y(6);
  r.set(0, DType::Float32, data, {3, 2});
  r.set(1, DType::Float32, data, {6});
  ASSERT_EQ(dsc_context_set_output(r.context, 0, y.data(), 20), DSC_OK);
  EXPECT_EQ(r.run(), DSC_INVALID_ARGUMENT);
  EXPECT_STREQ(dsc_last_error(), "output 'y': f32[3, 2] needs 24 bytes, the memory given has 20");
  ASSERT_EQ(dsc_context_set_output(r.context, 0, y.data(), 24), DSC_OK);
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_EQ(y, std::vector<float>(6, 3.0f));
  EXPECT_EQ(r.tensor(0).data, y.data());
  ASSERT_EQ(dsc_context_set_output(r.context, 0, nullptr, 0), DSC_OK);
  ASSERT_EQ(r.run(), DSC_OK);
  EXPECT_NE(r.tensor(0).data, y.data());
  EXPECT_EQ(dsc_context_set_output(r.context, 1, y.data(), 24), DSC_INVALID_ARGUMENT);
}

TEST(Api, NullAndOptions) {
  ProgramMaker m = twoInputs();
  Runner r(m);
  EXPECT_EQ(dsc_context_run(nullptr), DSC_INVALID_ARGUMENT);
  EXPECT_EQ(dsc_context_create(nullptr, nullptr, nullptr), DSC_INVALID_ARGUMENT);
  EXPECT_EQ(dsc_model_open(nullptr, nullptr), DSC_INVALID_ARGUMENT);
  dsc_model *model = nullptr;
  EXPECT_EQ(dsc_model_open(nullptr, &model), DSC_INVALID_ARGUMENT);
  dsc_context_options options = {};
  dsc_context *context;
  EXPECT_EQ(dsc_context_create(&r.handle, &options, &context), DSC_INVALID_ARGUMENT);
  EXPECT_THAT(dsc_last_error(), HasSubstr("struct_size"));
  options.struct_size = sizeof(options);
  options.allocate = [](void *, size_t, size_t) -> void * { return nullptr; };
  EXPECT_EQ(dsc_context_create(&r.handle, &options, &context), DSC_INVALID_ARGUMENT);
  for (int status = 0; status <= DSC_INTERNAL; ++status)
    EXPECT_STRNE(dsc_status_text(dsc_status(status)), "unknown status");
  dsc_context_destroy(nullptr);
  dsc_model_close(nullptr);
}

TEST(Api, InfoOfInputs) {
  ProgramMaker m = twoInputs();
  Runner r(m);
  dsc_tensor_info info;
  ASSERT_EQ(dsc_model_input_info(&r.handle, 1, &info), DSC_OK);
  EXPECT_STREQ(info.name, "b");
  EXPECT_EQ(info.dims[0], -1);
  EXPECT_STREQ(info.dim_texts[0], "N * 2");
  ASSERT_EQ(dsc_model_output_info(&r.handle, 0, &info), DSC_OK);
  EXPECT_EQ(info.rank, 2u);
  EXPECT_EQ(info.dims[1], 2);
  EXPECT_STREQ(info.dim_texts[1], "2");
  EXPECT_EQ(dsc_model_output_info(&r.handle, 1, &info), DSC_INVALID_ARGUMENT);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

/// Each part computes a sum in an order of its own; whoever runs it, and on
/// denormals, the bits are the same.
static int32_t oscillate(const dsc_kernel_env *env, void *const *buffers, const int64_t *sizes) {
  Share share = shareOf(env, sizes[0]);
  auto *x = static_cast<const float *>(buffers[0]);
  auto *y = static_cast<float *>(buffers[1]);
  float sum = float(env->part) * 1e-39f;
  for (int64_t i = share.begin; i < share.end; ++i) {
    sum = sum * 0.37f + x[i] * 1e-38f;
    y[i] = sum;
  }
  return 0;
}

static ProgramMaker phases(int count) {
  ProgramMaker m;
  ExprId n = m.symbol("N");
  ValueId x = m.input("x", DType::Float32, {n});
  ValueId y = m.output("y", DType::Float32, {n});
  ValueId t = m.arena(DType::Float32, {n});
  m.frame(0, {t, y});
  for (int i = 0; i < count; ++i) {
    m.phase(0, oscillate, {i ? y : x, t}, {n}, m.constant(13), m.constant(100));
    m.phase(0, addKernel<float>, {t, y}, {n, m.constant(1)}, m.constant(5));
  }
  return m;
}

static void serialFor(void *, size_t count, void (*task)(void *, size_t), void *argument) {
  for (size_t i = count; i-- > 0;)
    task(argument, i);
}

static void threadedFor(void *, size_t count, void (*task)(void *, size_t), void *argument) {
  std::vector<std::thread> threads;
  for (size_t i = 0; i < count; ++i)
    threads.emplace_back(task, argument, i);
  for (std::thread &thread : threads)
    thread.join();
}

static std::vector<float> wave(size_t size) {
  std::vector<float> x(size);
  for (size_t i = 0; i < size; ++i)
    x[i] = std::sin(float(i));
  return x;
}

TEST(Threads, SameBitsForAnyNumber) {
  ProgramMaker m = phases(30);
  std::vector<float> x = wave(1001), expected;
  for (size_t threads : {1, 2, 3, 7, 64}) {
    for (dsc_parallel_for_fn parallelFor :
         {(dsc_parallel_for_fn) nullptr, serialFor, threadedFor}) {
      dsc_context_options options = {};
      options.threads = threads;
      options.parallel_for = parallelFor;
      Runner r(m, options);
      EXPECT_EQ(dsc_context_threads(r.context), threads);
      r.set(0, DType::Float32, x, {1001});
      for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
        std::vector<float> y = r.get<float>(0);
        if (expected.empty())
          expected = y;
        ASSERT_EQ(std::memcmp(y.data(), expected.data(), y.size() * sizeof(float)), 0);
      }
    }
  }
}

TEST(Threads, AParallelForThatRunsTooLittle) {
  ProgramMaker m = phases(3);
  std::vector<float> x = wave(100);
  dsc_context_options options = {};
  options.threads = 4;
  options.parallel_for = [](void *, size_t, void (*task)(void *, size_t), void *argument) {
    task(argument, 2);
  };
  Runner r(m, options), serial(m);
  r.set(0, DType::Float32, x, {100});
  serial.set(0, DType::Float32, x, {100});
  ASSERT_EQ(r.run(), DSC_OK);
  ASSERT_EQ(serial.run(), DSC_OK);
  EXPECT_EQ(r.get<float>(0), serial.get<float>(0));
}

TEST(Threads, EveryPartRunsOnce) {
  ProgramMaker m;
  ExprId parts = m.constant(1000);
  ValueId y = m.output("y", DType::Int32, {parts});
  m.frame(0, {y});
  auto clear = [](const dsc_kernel_env *, void *const *buffers, const int64_t *) {
    return std::memset(buffers[0], 0, 4000) ? 0 : 0;
  };
  auto mark = [](const dsc_kernel_env *env, void *const *buffers, const int64_t *) {
    __atomic_fetch_add(static_cast<int32_t *>(buffers[0]) + env->part, 1, __ATOMIC_RELAXED);
    return env->parts == 1000 ? 0 : 2;
  };
  m.phase(0, clear, {y});
  for (int i = 0; i < 20; ++i)
    m.phase(0, mark, {y}, {}, parts);
  dsc_context_options options = {};
  options.threads = 5;
  Runner r(m, options);
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
    ASSERT_EQ(r.get<int32_t>(0), std::vector<int32_t>(1000, 20));
  }
}

TEST(Threads, ScratchIsNotShared) {
  ProgramMaker m;
  auto useScratch = [](const dsc_kernel_env *env, void *const *, const int64_t *sizes) {
    auto *scratch = static_cast<int64_t *>(env->scratch);
    for (int64_t i = 0; i < sizes[0]; ++i)
      scratch[i] = env->part;
    std::this_thread::yield();
    for (int64_t i = 0; i < sizes[0]; ++i)
      if (scratch[i] != env->part)
        return 2;
    return 0;
  };
  m.phase(0, useScratch, {}, {m.constant(100)}, m.constant(100), m.constant(800));
  for (dsc_parallel_for_fn parallelFor : {(dsc_parallel_for_fn) nullptr, threadedFor}) {
    dsc_context_options options = {};
    options.threads = 7;
    options.parallel_for = parallelFor;
    Runner r(m, options);
    for (int i = 0; i < 10; ++i)
      EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
  }
}

TEST(Threads, ManyContextsOfOneModel) {
  ProgramMaker m = everything();
  Runner first(m);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      dsc_context_options options = {};
      options.struct_size = sizeof(options);
      options.threads = 2;
      dsc_context *context;
      ASSERT_EQ(dsc_context_create(&first.handle, &options, &context), DSC_OK);
      for (int64_t i = 1; i < 100; ++i) {
        std::vector<int64_t> x(i + t, 1);
        int64_t size = x.size();
        ASSERT_EQ(dsc_context_set_input(context, 0, x.data(), DSC_INT64, 1, &size, size * 8),
                  DSC_OK);
        ASSERT_EQ(dsc_context_run(context), DSC_OK) << dsc_last_error();
        dsc_tensor y;
        ASSERT_EQ(dsc_context_get_output(context, 0, &y), DSC_OK);
        ASSERT_EQ(*static_cast<int64_t *>(y.data), size + 1);
      }
      dsc_context_destroy(context);
    });
  for (std::thread &thread : threads)
    thread.join();
}

TEST(Threads, DefaultCountIsPositive) {
  ProgramMaker m = phases(1);
  Runner r(m);
  dsc_context *context;
  ASSERT_EQ(dsc_context_create(&r.handle, nullptr, &context), DSC_OK);
  EXPECT_GE(dsc_context_threads(context), 1u);
  dsc_context_destroy(context);
}

#if defined(__x86_64__)
TEST(Threads, FloatModeIsTheRuntimesAndIsRestored) {
  ProgramMaker m;
  m.phase(
      0,
      [](const dsc_kernel_env *, void *const *, const int64_t *) {
        return (_mm_getcsr() & 0xffc0) == 0x1f80 ? 0 : 2;
      },
      {}, {}, m.constant(16));
  unsigned mine = _mm_getcsr() | 0x8040; // flush denormals
  for (dsc_parallel_for_fn parallelFor : {(dsc_parallel_for_fn) nullptr, threadedFor, serialFor}) {
    dsc_context_options options = {};
    options.threads = 3;
    options.parallel_for = parallelFor;
    unsigned before = _mm_getcsr();
    _mm_setcsr(mine);
    Runner r(m, options);
    dsc_status status = r.run();
    unsigned after = _mm_getcsr();
    _mm_setcsr(before);
    EXPECT_EQ(status, DSC_OK);
    // The low six bits are flags of exceptions, which stay set once they are.
    EXPECT_EQ(after & ~0x3fu, mine & ~0x3fu);
  }
}
#endif
