//===- StepsTest.cpp - what each kind of step does ------------------------===//

#include "Programs.h"

#include <gmock/gmock.h>

using namespace dsc::test;
using testing::ElementsAre;
using testing::HasSubstr;

/// y = x + 5 through an intermediate value.
static ProgramMaker addTwice() {
  ProgramMaker m;
  ExprId n = m.symbol("N");
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId y = m.output("y", DType::Int64, {n});
  ValueId t = m.arena(DType::Int64, {n});
  m.frame(0, {t, y});
  m.phase(0, addKernel<int64_t>, {x, t}, {n, m.constant(2)});
  m.phase(0, addKernel<int64_t>, {t, y}, {n, m.constant(3)});
  return m;
}

TEST(Steps, FrameAndPhase) {
  ProgramMaker m = addTwice();
  Runner r(m);
  std::vector<int64_t> x = {1, 2, 3};
  r.set(0, DType::Int64, x, {3});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(6, 7, 8));
  EXPECT_THAT(r.dims(0), ElementsAre(3));
}

TEST(Steps, EmptyTensors) {
  ProgramMaker m = addTwice();
  Runner r(m);
  r.set(0, DType::Int64, std::vector<int64_t>{}, {0});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.dims(0), ElementsAre(0));
  EXPECT_NE(r.tensor(0).data, nullptr);
}

TEST(Steps, BuffersAreAligned) {
  ProgramMaker m;
  auto isAligned = [](const dsc_kernel_env *env, void *const *buffers, const int64_t *) {
    uintptr_t all = reinterpret_cast<uintptr_t>(env->scratch);
    for (int i = 0; i < 3; ++i)
      all |= reinterpret_cast<uintptr_t>(buffers[i]);
    return int32_t(all % 64 == 0 ? 0 : 2);
  };
  ValueId a = m.arena(DType::Int8, {m.constant(3)}), b = m.arena(DType::Int8, {m.constant(1)});
  ValueId y = m.output("y", DType::Int8, {m.constant(1)});
  m.frame(0, {a, b, y});
  m.phase(0, isAligned, {a, b, y}, {}, kNone, m.constant(7));
  Runner r(m);
  EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
}

TEST(Steps, CopyOfAWeightAndAnAlias) {
  ProgramMaker m;
  ValueId w = m.weight<int64_t>(DType::Int64, {4, 5, 6, 7});
  ValueId middle = m.alias(w, {m.constant(2)}, m.constant(8));
  ValueId y = m.output("y", DType::Int64, {m.constant(2)});
  m.frame(0, {y});
  m.copy(0, middle, y);
  Runner r(m);
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(5, 6));
}

TEST(Steps, BindMakesASizeOfAValue) {
  ProgramMaker m; // as NonZero: count, new frame, fill
  ExprId n = m.symbol("N"), k = m.symbol("K");
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId count = m.arena(DType::Int64, {});
  ValueId y = m.output("y", DType::Int64, {k});
  m.frame(0, {count});
  m.phase(0, countKernel, {x, count}, {n});
  m.bind(0, "K", count);
  m.frame(0, {y});
  m.phase(0, fillKernel<int64_t>, {y}, {k, k});
  Runner r(m);
  std::vector<int64_t> x1 = {0, 1, 2, 0}, x2 = {0, 0, 0, 3};
  r.set(0, DType::Int64, x1, {4});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(2, 2));
  r.set(0, DType::Int64, x2, {4});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(1));
}

TEST(Steps, BindReadsIntegersOfAnyWidth) {
  ProgramMaker m;
  ValueId small = m.weight<int32_t>(DType::Int32, {-5, 3});
  ValueId flag = m.weight<uint8_t>(DType::Bool, {7});
  ValueId least = m.weight<int64_t>(DType::Int64, {INT64_MIN});
  m.bind(0, "A", small, 0);
  m.bind(0, "B", flag, 0);
  m.bind(0, "C", least, 0);
  m.guard(0, m.binary(Expr::Eq, m.symbol("A"), m.constant(-5)), "A");
  m.guard(0, m.binary(Expr::Eq, m.symbol("B"), m.constant(1)), "B");
  m.guard(0, m.binary(Expr::Lt, m.symbol("C"), m.constant(INT64_MIN + 2)), "C");
  Runner r(m);
  EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
}

TEST(Steps, BindOutsideItsValueFails) {
  ProgramMaker m;
  m.bind(0, "A", m.weight<int64_t>(DType::Int64, {1}), 1);
  Runner r(m);
  EXPECT_EQ(r.run(), DSC_INTERNAL);
}

TEST(Steps, LetAndGuard) {
  ProgramMaker m;
  ExprId n = m.symbol("N");
  m.input("x", DType::Int8, {n});
  m.let(0, "M", m.binary(Expr::FloorDiv, n, m.constant(2)));
  m.guard(0, m.binary(Expr::Lt, m.constant(1), m.symbol("M")), "N is too small");
  Runner r(m);
  std::vector<int8_t> x(4);
  r.set(0, DType::Int8, x, {4});
  EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
  x.resize(3);
  r.set(0, DType::Int8, x, {3});
  EXPECT_EQ(r.run(), DSC_RUNTIME_VALUE);
  EXPECT_STREQ(dsc_last_error(), "N is too small where M = 1");
}

TEST(Steps, KernelErrorsNameTheNode) {
  ProgramMaker m;
  ExprId code = m.symbol("CODE");
  ValueId x = m.input("x", DType::Int8, {code});
  m.phase(0, failKernel, {x}, {m.constant(5), code}, m.constant(8));
  for (size_t threads : {1, 3}) {
    dsc_context_options options = {};
    options.threads = threads;
    Runner r(m, options);
    auto runWith = [&](int64_t value) {
      std::vector<int8_t> data(value);
      r.set(0, DType::Int8, data, {value});
      return r.run();
    };
    EXPECT_EQ(runWith(DSC_KERNEL_INDEX_OUT_OF_RANGE), DSC_RUNTIME_VALUE);
    EXPECT_STREQ(dsc_last_error(), "node 0 'test' (Test): an index is out of range");
    EXPECT_EQ(runWith(DSC_KERNEL_BAD_VALUE), DSC_RUNTIME_VALUE);
    EXPECT_THAT(dsc_last_error(), HasSubstr("node 0 'test' (Test): a value"));
    EXPECT_EQ(runWith(9), DSC_INTERNAL);
    EXPECT_EQ(runWith(0), DSC_OK);
  }
}

TEST(Steps, SizesThatCannotBe) {
  ProgramMaker m;
  ExprId n = m.symbol("N");
  m.input("x", DType::Int8, {n});
  ExprId less = m.binary(Expr::Sub, n, m.constant(5));
  ExprId huge = m.binary(Expr::Mul, n, m.constant(INT64_MAX / 2));
  ExprId ratio = m.binary(Expr::FloorDiv, m.constant(1), n);
  ValueId y = m.output("y", DType::Int8, {less});
  ValueId z = m.arena(DType::Int64, {huge});
  m.frame(0, {y});
  m.guard(0, m.binary(Expr::Le, ratio, ratio), "");
  m.frame(0, {z});
  Runner r(m);
  std::vector<int8_t> x(9);
  r.set(0, DType::Int8, std::vector<int8_t>(3), {3});
  EXPECT_EQ(r.run(), DSC_RUNTIME_VALUE);
  EXPECT_STREQ(dsc_last_error(), "the size N - 5 is negative (-2) where N = 3");
  r.set(0, DType::Int8, x, {9});
  EXPECT_EQ(r.run(), DSC_RUNTIME_VALUE);
  EXPECT_THAT(dsc_last_error(), HasSubstr("overflow"));
  dsc_tensor tensor;
  EXPECT_EQ(dsc_context_get_output(r.context, 0, &tensor), DSC_INVALID_ARGUMENT);
}

TEST(Steps, FramesShareMemoryByLifetime) {
  ProgramMaker m; // a chain: only two of the ten values live at a time
  ExprId n = m.constant(1 << 16);
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId y = m.output("y", DType::Int64, {n});
  std::vector<ValueId> chain;
  for (int i = 0; i < 10; ++i)
    chain.push_back(m.arena(DType::Int64, {n}));
  Step &frame = m.frame(0, chain);
  for (uint32_t i = 0; i < 10; ++i) {
    frame.firstUse[i] = i + 2; // the frame of y comes between
    frame.lastUse[i] = i + 3;
  }
  m.frame(0, {y});
  ValueId last = x;
  for (ValueId v : chain) {
    m.phase(0, addKernel<int64_t>, {last, v}, {n, m.constant(1)});
    last = v;
  }
  m.phase(0, addKernel<int64_t>, {last, y}, {n, m.constant(1)});
  Runner r(m);
  std::vector<int64_t> data(1 << 16, 7);
  r.set(0, DType::Int64, data, {1 << 16});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_EQ(r.get<int64_t>(0), std::vector<int64_t>(1 << 16, 18));
  size_t value = data.size() * sizeof(int64_t);
  EXPECT_LE(dsc_context_arena_bytes(r.context), 3 * value + 4096); // two and the output
}
