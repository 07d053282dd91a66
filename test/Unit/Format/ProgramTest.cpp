//===- ProgramTest.cpp - programs as bytes, and what is refused -----------===//

#include "dsc/Format/Evaluate.h"

#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace dsc::format;
using testing::HasSubstr;

/// A program with every kind of step: values 0 input, 1 output, 2 weight, 3 alias,
/// 4 arena (bool), 5-8 of the loop, 9 scan slice, 10 result of the If.
static Program makeProgram() {
  Program p;
  p.symbols = {"N", "K"};
  p.exprs = {{Expr::Symbol, 0, 0, 0, 0},
             {Expr::Const, 0, 0, 0, -3},
             {Expr::Mul, 0, 1, 0, 0},
             {Expr::Symbol, 0, 0, 0, 1}};
  auto value = [&](Value::Kind kind, DType dtype, std::vector<ExprId> dims) {
    Value v;
    v.kind = kind;
    v.dtype = dtype;
    v.dims = std::move(dims);
    p.values.push_back(v);
    return ValueId(p.values.size() - 1);
  };
  value(Value::Input, DType::Int64, {0});
  value(Value::Output, DType::Int64, {3, 0});
  value(Value::Weight, DType::Int64, {});
  value(Value::Alias, DType::Int64, {0});
  value(Value::Arena, DType::Bool, {});
  value(Value::Arena, DType::Int64, {});
  for (int i = 0; i < 4; ++i)
    value(Value::Arena, DType::Int64, {0});
  value(Value::Arena, DType::Int64, {0});
  p.values[0].name = "x";
  p.values[1].name = "y";
  p.values[3].root = 0;
  p.values[3].byteOffset = 0;
  p.inputs = {0};
  p.outputs = {1};
  p.kernels = {"k"};
  p.origins = {"node"};
  p.launches = {{0, {0, 3, 4}, {0, 2}, 2, 0}};
  p.blocks.resize(4);
  auto step = [&](BlockId block, Step::Kind kind) -> Step & {
    p.blocks[block].steps.emplace_back().kind = kind;
    return p.blocks[block].steps.back();
  };
  Step &frame = step(0, Step::Frame);
  frame.values = {4};
  frame.firstUse = {0};
  frame.lastUse = {kNone};
  Step &phase = step(0, Step::Phase);
  phase.launchEnd = 1;
  phase.parts = 0;
  Step &bind = step(0, Step::Bind);
  bind.a = 2;
  bind.symbol = 1;
  Step &let = step(0, Step::Let);
  let.symbol = 1;
  let.expr = 2;
  Step &guard = step(0, Step::Guard);
  guard.expr = 0;
  guard.message = "no";
  Step &loop = step(0, Step::Loop);
  loop.a = 2;
  loop.b = 4;
  loop.body = 1;
  loop.iterationParam = 5;
  loop.carried = {{0, 6, 7, 8}};
  loop.scans = {{9, 1}};
  Step &bodyFrame = step(1, Step::Frame);
  bodyFrame.values = {9};
  bodyFrame.firstUse = {0};
  bodyFrame.lastUse = {1};
  Step &copy = step(1, Step::Copy);
  copy.a = 6;
  copy.b = 9;
  Step &branch = step(0, Step::If);
  branch.a = 4;
  branch.thenBlock = 2;
  branch.elseBlock = 3;
  branch.ifResults = {{0, 8, 10}};
  return p;
}

TEST(Program, RoundTrip) {
  Program program = makeProgram(), read;
  std::vector<uint8_t> bytes = serialize(program);
  ASSERT_EQ(deserialize(bytes, read).error, "");
  EXPECT_EQ(serialize(read), bytes);
  EXPECT_EQ(read.exprs, program.exprs);
  EXPECT_EQ(read.values[3].root, 0u);
  EXPECT_EQ(read.blocks[0].steps[4].message, "no");
}

TEST(Program, TruncatedBytes) {
  std::vector<uint8_t> bytes = serialize(makeProgram());
  Program read;
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(deserialize({bytes.data(), size}, read).ok()) << size;
  bytes.push_back(0);
  EXPECT_FALSE(deserialize(bytes, read).ok());
}

/// Damaged programs are refused or valid, never read out of bounds.
TEST(Program, FlippedBits) {
  std::vector<uint8_t> bytes = serialize(makeProgram());
  for (size_t i = 0; i < bytes.size() * 8; ++i) {
    bytes[i / 8] ^= 1 << i % 8;
    Program read;
    if (deserialize(bytes, read).ok()) {
      std::vector<int64_t> symbols(read.symbols.size(), 3), values(read.exprs.size());
      evaluate(read, symbols, values);
      EXPECT_EQ(findPlacements(read).size(), read.values.size());
    }
    bytes[i / 8] ^= 1 << i % 8;
  }
}

static std::string errorAfter(const std::function<void(Program &)> &change) {
  Program program = makeProgram(), read;
  change(program);
  return deserialize(serialize(program), read).error;
}

TEST(Program, IndicesOutOfRange) {
  auto steps = [](Program &p) -> std::vector<Step> & { return p.blocks[0].steps; };
  const std::pair<std::function<void(Program &)>, const char *> cases[] = {
      {[](Program &p) { p.blocks.clear(); }, "no main block"},
      {[](Program &p) { p.exprs[2].a = 2; }, "operand is not an earlier expression"},
      {[](Program &p) { p.exprs[0].imm = 2; }, "symbol out of range"},
      {[](Program &p) { p.exprs[0].imm = -1; }, "symbol out of range"},
      {[](Program &p) { p.exprs[0].op = Expr::Op(99); }, "unknown operator"},
      {[](Program &p) { p.values[0].dims = {9}; }, "expression out of range"},
      {[](Program &p) { p.values[0].dtype = DType::String; }, "unknown element type"},
      {[](Program &p) { p.values[3].root = 3; }, "alias of an alias"},
      {[](Program &p) { p.values[3].root = 99; }, "value out of range"},
      {[](Program &p) { p.values[2].weightOffset = 5; }, "not aligned"},
      {[](Program &p) { p.inputs = {2}; }, "another kind"},
      {[](Program &p) { p.inputs = {0, 0}; }, "listed twice"},
      {[](Program &p) { p.inputs = {}; }, "not listed"},
      {[](Program &p) { p.launches[0].kernel = 1; }, "kernel out of range"},
      {[](Program &p) { p.launches[0].buffers = {99}; }, "value out of range"},
      {[](Program &p) { p.launches[0].sizes = {99}; }, "expression out of range"},
      {[](Program &p) { p.launches[0].origin = 1; }, "origin out of range"},
      {[&](Program &p) { steps(p)[0].lastUse = {}; }, "lifetimes and values differ"},
      {[&](Program &p) { steps(p)[0].firstUse[0] = 2, steps(p)[0].lastUse[0] = 1; },
       "ends before it begins"},
      {[&](Program &p) { steps(p)[0].values = {0}; }, "read-only"},
      {[&](Program &p) { steps(p)[1].launchEnd = 2; }, "launch range"},
      {[&](Program &p) { steps(p)[1].parts = kNone; }, "expression out of range"},
      {[&](Program &p) { steps(p)[2].symbol = 2; }, "symbol out of range"},
      {[&](Program &p) { p.values[2].dtype = DType::Float32; }, "not integral"},
      {[&](Program &p) { steps(p)[4].expr = 9; }, "expression out of range"},
      {[&](Program &p) { steps(p)[6].thenBlock = 0; }, "block out of range"},
      {[&](Program &p) { steps(p)[6].thenBlock = 3; }, "block used twice"},
      {[&](Program &p) { steps(p)[6].a = 0; }, "condition is not bool"},
      {[&](Program &p) { steps(p)[6].ifResults[0].thenValue = 5; }, "differ in rank"},
      {[&](Program &p) { p.values[10].dtype = DType::Int32; }, "differ in element type"},
      {[&](Program &p) { steps(p)[5].a = 4; }, "trip count is not i64"},
      {[&](Program &p) { steps(p)[5].conditionNext = 0; }, "condition is not bool"},
      {[&](Program &p) { steps(p)[5].scans[0].slice = 5; }, "differ in rank"},
      {[&](Program &p) { p.blocks[1].steps[1].b = 0; }, "read-only"},
  };
  for (auto &[change, text] : cases)
    EXPECT_THAT(errorAfter(change), HasSubstr(text));
}

TEST(Program, PlacementOfValues) {
  auto steps = [](Program &p) -> std::vector<Step> & { return p.blocks[0].steps; };
  EXPECT_THAT(errorAfter([&](Program &p) { steps(p).erase(steps(p).begin() + 5); }),
              HasSubstr("value 8: used before it is placed"));
  EXPECT_THAT(errorAfter([&](Program &p) {
                steps(p)[0].values = {};
                steps(p)[0].firstUse = {};
                steps(p)[0].lastUse = {};
              }),
              HasSubstr("value 4: used before it is placed"));
  EXPECT_THAT(errorAfter([&](Program &p) { p.blocks[1].steps.push_back(p.blocks[1].steps[0]); }),
              HasSubstr("value 9: placed twice"));
  EXPECT_THAT(errorAfter([&](Program &p) { steps(p)[5].scans.clear(); }),
              HasSubstr("value 1: output is never placed"));
  // What is placed in a branch is not seen after it.
  EXPECT_THAT(errorAfter([&](Program &p) {
                steps(p).push_back(p.blocks[1].steps[1]);
                steps(p).back().a = 6, steps(p).back().b = 10;
              }),
              HasSubstr("value 6: used before it is placed"));
}

TEST(Program, LifetimesOfValues) {
  auto steps = [](Program &p) -> std::vector<Step> & { return p.blocks[0].steps; };
  const char *text = "used outside its lifetime";
  // Value 4 is touched by steps 1 (phase), 5 (loop) and 6 (if).
  auto change = [&](uint32_t first, uint32_t last) {
    return errorAfter([&](Program &p) {
      steps(p)[0].firstUse = {first};
      steps(p)[0].lastUse = {last};
    });
  };
  EXPECT_EQ(change(1, 6), "");
  EXPECT_THAT(change(2, 6), HasSubstr(text));
  EXPECT_THAT(change(1, 5), HasSubstr(text));
  // A slice is read when its block ends.
  EXPECT_THAT(errorAfter([&](Program &p) { p.blocks[1].steps[0].lastUse = {0}; }), HasSubstr(text));
  EXPECT_THAT(errorAfter([&](Program &p) { p.blocks[1].steps.push_back(steps(p)[3]); }),
              HasSubstr(text));
}

TEST(Program, NestingHasALimit) {
  Program p;
  p.values.resize(1);
  p.values[0].kind = Value::Weight;
  p.values[0].dtype = DType::Bool;
  for (BlockId i = 0; i < 2000; i += 2) {
    p.blocks.resize(i + 3);
    Step branch;
    branch.kind = Step::If;
    branch.a = 0;
    branch.thenBlock = i + 1;
    branch.elseBlock = i + 2;
    p.blocks[i].steps.push_back(branch);
  }
  Program read;
  EXPECT_THAT(deserialize(serialize(p), read).error, HasSubstr("nested too deeply"));
}

TEST(Program, Placements) {
  std::vector<PlacedBy> placements = findPlacements(makeProgram());
  EXPECT_EQ(placements[0], PlacedBy::Nothing); // input
  EXPECT_EQ(placements[1], PlacedBy::Step);    // result of the scan
  EXPECT_EQ(placements[4], PlacedBy::Frame);
  EXPECT_EQ(placements[6], PlacedBy::Step);    // parameter
  EXPECT_EQ(placements[7], PlacedBy::Nothing); // the loop places it
}
