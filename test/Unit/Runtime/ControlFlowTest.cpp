//===- ControlFlowTest.cpp - If and Loop ----------------------------------===//

#include "Programs.h"

#include <gmock/gmock.h>

using namespace dsc::test;
using testing::ElementsAre;
using testing::HasSubstr;

static std::vector<uint8_t> flag(bool value) { return {uint8_t(value)}; }

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// y = c ? x + 1 : fill(3), of sizes N and 3; then z = y + y, in a frame after it.
static ProgramMaker ifOfTwoSizes(bool isOutput) {
  ProgramMaker m;
  ExprId n = m.symbol("N"), k = m.symbol("K"), three = m.constant(3);
  ValueId c = m.input("c", DType::Bool, {});
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId z = m.output("z", DType::Int64, {k});
  ValueId y = isOutput ? m.output("y", DType::Int64, {k}) : m.arena(DType::Int64, {k});
  BlockId thenBlock = m.block(), elseBlock = m.block();
  ValueId a = m.arena(DType::Int64, {n}), b = m.arena(DType::Int64, {three});
  m.frame(thenBlock, {a});
  m.phase(thenBlock, addKernel<int64_t>, {x, a}, {n, m.constant(1)});
  m.frame(elseBlock, {b});
  m.phase(elseBlock, fillKernel<int64_t>, {b}, {three, three});
  m.branch(0, c, thenBlock, elseBlock, {{a, b, y}});
  ValueId t = m.arena(DType::Int64, {k});
  m.frame(0, {t, z});
  m.phase(0, fillKernel<int64_t>, {t}, {k, m.constant(0)});
  m.phase(0, sumKernel<int64_t>, {y, y, z}, {k});
  return m;
}

TEST(If, BindsTheSizeOfItsResult) {
  for (bool isOutput : {false, true}) {
    ProgramMaker m = ifOfTwoSizes(isOutput);
    Runner r(m);
    auto yes = flag(true), no = flag(false);
    std::vector<int64_t> x = {1, 2, 3, 4, 5};
    r.set(1, DType::Int64, x, {5});
    for (int i = 0; i < 2; ++i) {
      r.set(0, DType::Bool, yes, {});
      ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
      EXPECT_THAT(r.get<int64_t>(0), ElementsAre(4, 6, 8, 10, 12));
      r.set(0, DType::Bool, no, {});
      ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
      EXPECT_THAT(r.get<int64_t>(0), ElementsAre(6, 6, 6));
      EXPECT_THAT(r.dims(0), ElementsAre(3));
      if (isOutput)
        EXPECT_THAT(r.get<int64_t>(1), ElementsAre(3, 3, 3));
    }
  }
}

TEST(If, ResultsPlacedByAFrame) {
  ProgramMaker m; // y1 copied from a branch or x itself; y2 written in place
  ExprId two = m.constant(2);
  ValueId c = m.input("c", DType::Bool, {});
  ValueId x = m.input("x", DType::Int64, {two});
  ValueId y1 = m.output("y1", DType::Int64, {two}), y2 = m.output("y2", DType::Int64, {two});
  BlockId thenBlock = m.block(), elseBlock = m.block();
  ValueId a = m.arena(DType::Int64, {two});
  m.frame(0, {y1, y2});
  m.frame(thenBlock, {a});
  m.phase(thenBlock, addKernel<int64_t>, {x, a}, {two, m.constant(1)});
  m.phase(thenBlock, addKernel<int64_t>, {a, y2}, {two, m.constant(1)});
  m.phase(elseBlock, fillKernel<int64_t>, {y2}, {two, m.constant(9)});
  m.branch(0, c, thenBlock, elseBlock, {{a, x, y1}, {y2, y2, y2}});
  Runner r(m);
  auto yes = flag(true), no = flag(false);
  std::vector<int64_t> data = {10, 20};
  r.set(1, DType::Int64, data, {2});
  r.set(0, DType::Bool, yes, {});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(11, 21));
  EXPECT_THAT(r.get<int64_t>(1), ElementsAre(12, 22));
  r.set(0, DType::Bool, no, {});
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(10, 20));
  EXPECT_THAT(r.get<int64_t>(1), ElementsAre(9, 9));
}

TEST(If, ResultOfAnotherSizeThanPromised) {
  ProgramMaker m;
  ExprId n = m.symbol("N");
  ValueId c = m.input("c", DType::Bool, {});
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId y = m.output("y", DType::Int64, {m.constant(2)});
  m.branch(0, c, m.block(), m.block(), {{x, x, y}});
  m.program.blocks[0].steps[0].message = "node 4 'choice' (If)";
  Runner r(m);
  auto yes = flag(true);
  std::vector<int64_t> data = {10, 20, 30};
  r.set(0, DType::Bool, yes, {});
  r.set(1, DType::Int64, data, {3});
  EXPECT_EQ(r.run(), DSC_RUNTIME_VALUE);
  EXPECT_STREQ(dsc_last_error(), "node 4 'choice' (If): expected i64[2], got i64[3]");
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

enum class Next { Copied, PlacedByLoop };

/// state = init; for (i = 0; i < trip && condition; ++i) { scan[i] = state + i;
/// state = state + 1; condition = more[i] } — the result and the scan are outputs.
static ProgramMaker countingLoop(Next next, bool frames) {
  ProgramMaker m;
  ExprId n = m.symbol("N"), trips = m.symbol("T"), one = m.constant(1);
  ValueId trip = m.input("trip", DType::Int64, {}), condition = m.input("cond", DType::Bool, {});
  ValueId init = m.input("init", DType::Int64, {n});
  ValueId more = m.input("more", DType::Bool, {m.symbol("M")});
  ValueId last = m.output("last", DType::Int64, {n});
  ValueId scan = m.output("scan", DType::Int64, {trips, n});
  if (frames)
    m.frame(0, {last});

  BlockId body = m.block();
  ValueId i = m.arena(DType::Int64, {}), state = m.arena(DType::Int64, {n});
  ValueId nextState = m.arena(DType::Int64, {n}), slice = m.arena(DType::Int64, {n});
  ValueId isMore = m.alias(more, {}, m.symbol("I"));
  m.bind(body, "I", i);
  m.frame(body, {slice});
  if (next == Next::Copied)
    m.frame(body, {nextState});
  m.phase(body, addKernel<int64_t>, {state, slice}, {n, m.symbol("I")});
  m.phase(body, addKernel<int64_t>, {state, nextState}, {n, one});

  Step loop;
  loop.kind = Step::Loop;
  loop.a = trip;
  loop.b = condition;
  loop.body = body;
  loop.iterationParam = i;
  loop.conditionNext = isMore;
  loop.carried = {{init, state, nextState, last}};
  loop.scans = {{slice, scan}};
  m.add(0, loop);
  return m;
}

TEST(Loop, CarriesScansAndStops) {
  for (Next next : {Next::Copied, Next::PlacedByLoop})
    for (bool frames : {false, true}) {
      ProgramMaker m = countingLoop(next, frames);
      Runner r(m);
      auto yes = flag(true), no = flag(false);
      std::vector<uint8_t> more = {1, 1, 1, 0, 1, 1};
      std::vector<int64_t> init = {10, 20}, three = {3}, ten = {10}, zero = {0}, negative = {-4};
      r.set(2, DType::Int64, init, {2});
      r.set(3, DType::Bool, more, {6});
      auto runWith = [&](std::vector<int64_t> &trip, std::vector<uint8_t> &condition) {
        r.set(0, DType::Int64, trip, {});
        r.set(1, DType::Bool, condition, {});
        EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
      };
      for (int again = 0; again < 2; ++again) {
        runWith(three, yes); // by the trip count
        EXPECT_THAT(r.get<int64_t>(0), ElementsAre(13, 23));
        EXPECT_THAT(r.get<int64_t>(1), ElementsAre(10, 20, 12, 22, 14, 24));
        EXPECT_THAT(r.dims(1), ElementsAre(3, 2));
        runWith(ten, yes); // by the condition, after four
        EXPECT_THAT(r.get<int64_t>(0), ElementsAre(14, 24));
        EXPECT_THAT(r.dims(1), ElementsAre(4, 2));
        for (auto *trip : {&zero, &negative}) {
          runWith(*trip, yes);
          EXPECT_THAT(r.get<int64_t>(0), ElementsAre(10, 20));
          EXPECT_THAT(r.dims(1), ElementsAre(0, 2));
        }
        runWith(ten, no);
        EXPECT_THAT(r.get<int64_t>(0), ElementsAre(10, 20));
      }
    }
}

/// Growth of a carried value, a swap of two, one passed on, an arena result.
TEST(Loop, CarriedValuesOfAllKinds) {
  ProgramMaker m;
  ExprId one = m.constant(1), k = m.symbol("K"), r1 = m.symbol("R");
  ExprId grown = m.binary(Expr::Add, k, one), bytes = m.binary(Expr::Mul, k, m.constant(8));
  ValueId trip = m.input("trip", DType::Int64, {});
  ValueId a0 = m.weight<int64_t>(DType::Int64, {1}), b0 = m.weight<int64_t>(DType::Int64, {2});
  ValueId list0 = m.weight<int64_t>(DType::Int64, {});
  ValueId a = m.arena(DType::Int64, {one}), b = m.arena(DType::Int64, {one});
  ValueId p = m.arena(DType::Int64, {one});
  ValueId list = m.arena(DType::Int64, {k}), longer = m.arena(DType::Int64, {grown});
  ValueId i = m.arena(DType::Int64, {one}); // seen as a tensor of one element
  ValueId aOut = m.output("a", DType::Int64, {one}), bOut = m.output("b", DType::Int64, {one});
  ValueId pOut = m.output("p", DType::Int64, {one}), y = m.output("list", DType::Int64, {r1});
  ValueId listOut = m.arena(DType::Int64, {r1});

  BlockId body = m.block();
  m.frame(body, {longer});
  m.copy(body, list, m.alias(longer, {k}, m.constant(0)));
  m.copy(body, i, m.alias(longer, {one}, bytes));
  Step loop;
  loop.kind = Step::Loop;
  loop.a = trip;
  loop.body = body;
  loop.iterationParam = i;
  loop.carried = {
      {a0, a, b, aOut}, {b0, b, a, bOut}, {a0, p, p, pOut}, {list0, list, longer, listOut}};
  m.add(0, loop);
  m.frame(0, {y});
  m.copy(0, listOut, y);
  Runner r(m);
  for (int64_t count : {0, 1, 2, 5}) {
    std::vector<int64_t> trips = {count}, expected;
    for (int64_t n = 0; n < count; ++n)
      expected.push_back(n);
    r.set(0, DType::Int64, trips, {});
    ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
    EXPECT_THAT(r.get<int64_t>(0), ElementsAre(count % 2 ? 2 : 1));
    EXPECT_THAT(r.get<int64_t>(1), ElementsAre(count % 2 ? 1 : 2));
    EXPECT_THAT(r.get<int64_t>(2), ElementsAre(1));
    EXPECT_EQ(r.get<int64_t>(3), expected);
  }
}

/// Two buffers hold what one iteration reads and what it leaves.
TEST(Loop, MemoryDoesNotGrowWithIterations) {
  ProgramMaker m;
  ExprId n = m.constant(1000), one = m.constant(1);
  ValueId trip = m.input("trip", DType::Int64, {});
  ValueId init = m.input("init", DType::Int64, {n});
  ValueId last = m.output("last", DType::Int64, {n});
  ValueId state = m.arena(DType::Int64, {n}), next = m.arena(DType::Int64, {n});
  BlockId body = m.block();
  m.frame(body, {next});
  m.phase(body, addKernel<int64_t>, {state, next}, {n, one});
  Step loop;
  loop.kind = Step::Loop;
  loop.a = trip;
  loop.body = body;
  loop.carried = {{init, state, next, last}};
  m.add(0, loop);
  std::vector<int64_t> zeros(1000);
  auto heldAfter = [&](int64_t count) {
    Runner r(m);
    std::vector<int64_t> trips = {count};
    r.set(0, DType::Int64, trips, {});
    r.set(1, DType::Int64, zeros, {1000});
    EXPECT_EQ(r.run(), DSC_OK) << dsc_last_error();
    EXPECT_EQ(r.get<int64_t>(0), std::vector<int64_t>(1000, count));
    return dsc_context_arena_bytes(r.context);
  };
  EXPECT_EQ(heldAfter(2000), heldAfter(3));
}

TEST(Loop, SlicesMustAgree) {
  ProgramMaker m;
  ExprId k = m.symbol("K");
  ValueId scan = m.output("scan", DType::Int64, {m.symbol("T"), m.symbol("S")});
  ValueId i = m.arena(DType::Int64, {}), slice = m.arena(DType::Int64, {k});
  BlockId body = m.block();
  m.bind(body, "K", i);
  m.frame(body, {slice});
  m.phase(body, fillKernel<int64_t>, {slice}, {k, k});
  Step loop;
  loop.kind = Step::Loop;
  loop.a = m.weight<int64_t>(DType::Int64, {3});
  loop.body = body;
  loop.iterationParam = i;
  loop.scans = {{slice, scan}};
  m.program.values[loop.a].dims.clear();
  m.add(0, loop);
  Runner r(m);
  EXPECT_EQ(r.run(), DSC_RUNTIME_VALUE);
  EXPECT_STREQ(dsc_last_error(), "Loop: expected i64[0], got i64[1]");
}

/// An If whose result has a size of its own in each iteration of a loop.
TEST(Loop, ScopesEndWithTheIteration) {
  ProgramMaker m;
  ExprId one = m.constant(1), k = m.symbol("K"), d = m.symbol("D");
  ValueId total0 = m.weight<int64_t>(DType::Int64, {0});
  ValueId total = m.arena(DType::Int64, {one}), next = m.arena(DType::Int64, {one});
  ValueId y = m.output("y", DType::Int64, {one});
  ValueId i = m.arena(DType::Int64, {}), odd = m.arena(DType::Bool, {});
  ValueId size = m.arena(DType::Int64, {one}), chosen = m.arena(DType::Int64, {d});
  BlockId body = m.block(), thenBlock = m.block(), elseBlock = m.block();
  ValueId iterations = m.arena(DType::Int64, {k}), none = m.arena(DType::Int64, {one});

  m.bind(body, "I", i);
  m.frame(body, {odd, size, next});
  m.phase(body, fillKernel<uint8_t>, {odd},
          {one, m.binary(Expr::Mod, m.symbol("I"), m.constant(2))});
  m.let(thenBlock, "K", m.symbol("I"));
  m.frame(thenBlock, {iterations});
  m.phase(thenBlock, fillKernel<int64_t>, {iterations}, {k, one});
  m.frame(elseBlock, {none});
  m.phase(elseBlock, fillKernel<int64_t>, {none}, {one, m.constant(100)});
  m.branch(body, odd, thenBlock, elseBlock, {{iterations, none, chosen}});
  m.phase(body, fillKernel<int64_t>, {size}, {one, d}); // the size of what was chosen
  m.phase(body, sumKernel<int64_t>, {total, size, next}, {one});

  Step loop;
  loop.kind = Step::Loop;
  loop.a = m.weight<int64_t>(DType::Int64, {6});
  loop.body = body;
  loop.iterationParam = i;
  loop.carried = {{total0, total, next, y}};
  m.add(0, loop);
  Runner r(m);
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(1 + 3 + 5 + 3));
}

TEST(Loop, NestedLoopsMultiply) {
  ProgramMaker m; // y = 4 * 3 by adding one
  ExprId one = m.constant(1);
  ValueId zero = m.weight<int64_t>(DType::Int64, {0});
  ValueId outerParam = m.arena(DType::Int64, {one}), innerParam = m.arena(DType::Int64, {one});
  ValueId innerResult = m.arena(DType::Int64, {one}), next = m.arena(DType::Int64, {one});
  ValueId y = m.output("y", DType::Int64, {one});
  BlockId outer = m.block(), inner = m.block();
  m.phase(inner, addKernel<int64_t>, {innerParam, next}, {one, one});
  Step innerLoop;
  innerLoop.kind = Step::Loop;
  innerLoop.a = m.weight<int64_t>(DType::Int64, {3});
  innerLoop.body = inner;
  innerLoop.carried = {{outerParam, innerParam, next, innerResult}};
  m.add(outer, innerLoop);
  Step outerLoop;
  outerLoop.kind = Step::Loop;
  outerLoop.a = m.weight<int64_t>(DType::Int64, {4});
  outerLoop.body = outer;
  outerLoop.carried = {{zero, outerParam, innerResult, y}};
  m.add(0, outerLoop);
  Runner r(m);
  ASSERT_EQ(r.run(), DSC_OK) << dsc_last_error();
  EXPECT_THAT(r.get<int64_t>(0), ElementsAre(12));
}
