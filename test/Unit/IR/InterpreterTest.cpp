//===- InterpreterTest.cpp - Specs on arrays and on sizes -----------------===//
#include "Interpreting.h"

#include "gmock/gmock.h"
#include <cmath>

using namespace dsc;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

namespace {

using Interpreter = Interpreting;

TEST_F(Interpreter, BroadcastsOperands) {
  EXPECT_THAT(elements<float>(R"(
    %a = dsc.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
    %b = dsc.constant dense<[10.0, 20.0, 30.0]> : tensor<3xf32>
    %c = dsc.add %a, %b : f32[2,1], f32[3] -> f32[2,3]
  )"),
              ElementsAre(11, 21, 31, 12, 22, 32));
}

TEST_F(Interpreter, WrapsIntegers) {
  EXPECT_THAT(elements<int8_t>(R"(
    %a = dsc.constant dense<[100, -100]> : tensor<2xi8>
    %c = dsc.add %a, %a : i8[2], i8[2] -> i8[2]
  )"),
              ElementsAre(-56, 56));
}

TEST_F(Interpreter, DividesTowardsZeroAndDefinesTheRest) {
  EXPECT_THAT(elements<int32_t>(R"(
    %a = dsc.constant dense<[7, -7, 5, -2147483648]> : tensor<4xi32>
    %b = dsc.constant dense<[2, 2, 0, -1]> : tensor<4xi32>
    %c = dsc.div %a, %b : i32[4], i32[4] -> i32[4]
  )"),
              ElementsAre(3, -3, 5, INT32_MIN));
}

TEST_F(Interpreter, DividesUnsigned) {
  EXPECT_THAT(elements<uint8_t>(R"(
    %a = dsc.constant dense<[200, 255]> : tensor<2xui8>
    %b = dsc.constant dense<[3, 16]> : tensor<2xui8>
    %c = dsc.div %a, %b : u8[2], u8[2] -> u8[2]
  )"),
              ElementsAre(66, 15));
}

TEST_F(Interpreter, RoundsHalfPrecisionToEven) {
  // 2049 is between 2048 and 2050, 2051 between 2050 and 2052; 65520 overflows.
  EXPECT_THAT(elements<uint16_t>(R"(
    %a = dsc.constant dense<[2048.0, 2048.0, 65504.0, 5.96046448e-08]> : tensor<4xf16>
    %b = dsc.constant dense<[1.0, 3.0, 16.0, 0.0]> : tensor<4xf16>
    %c = dsc.add %a, %b : f16[4], f16[4] -> f16[4]
  )"),
              ElementsAre(0x6800, 0x6802, 0x7c00, 0x0001));
  EXPECT_THAT(elements<uint16_t>(R"(
    %a = dsc.constant dense<[256.0, 256.0, -1.0e38]> : tensor<3xbf16>
    %b = dsc.constant dense<[1.0, 3.0, -3.0e38]> : tensor<3xbf16>
    %c = dsc.add %a, %b : bf16[3], bf16[3] -> bf16[3]
  )"),
              ElementsAre(0x4380, 0x4382, 0xff80));
}

TEST_F(Interpreter, StoresBoolsAsBytes) {
  EXPECT_THAT(elements<uint8_t>(R"(
    %a = dsc.constant dense<[1, 2, 3]> : tensor<3xi64>
    %b = dsc.constant dense<2> : tensor<i64>
    %c = dsc.less %a, %b : i64[3], i64[] -> bool[3]
    %n = dsc.not %c : bool[3] -> bool[3]
  )"),
              ElementsAre(0, 1, 1));
}

TEST_F(Interpreter, ComparesWithNaN) {
  EXPECT_THAT(elements<float>(R"(
    %a = dsc.constant dense<[0x7FC00000, 1.0]> : tensor<2xf32>
    %b = dsc.constant dense<[0.0, 2.0]> : tensor<2xf32>
    %c = dsc.max %a, %b : f32[2], f32[2] -> f32[2]
  )"),
              ElementsAre(::testing::IsNan(), 2));
}

TEST_F(Interpreter, SaturatesFloatsInCasts) {
  EXPECT_THAT(elements<int32_t>(R"(
    %a = dsc.constant dense<[3.0e9, -3.0e9, 2.75, -2.75]> : tensor<4xf32>
    %c = dsc.cast %a {to = 6} : f32[4] -> i32[4]
  )"),
              ElementsAre(2147483520, INT32_MIN, 2, -2));
}

TEST_F(Interpreter, RunsManyChunks) {
  std::vector<float> values = elements<float>(R"(
    %a = dsc.constant dense<1.5> : tensor<70x50xf32>
    %b = dsc.constant dense<2.0> : tensor<50xf32>
    %c = dsc.mul %a, %b : f32[70,50], f32[50] -> f32[70,50]
  )");
  EXPECT_EQ(values.size(), 3500u);
  EXPECT_THAT(values, ::testing::Each(3.0f));
}

TEST_F(Interpreter, TakesSizesFromSymbols) {
  EXPECT_THAT(elements<int64_t>("%s = dsc.sizes <N, N * 2 + 1, 7> : i64[3]", {{"N", 4}}),
              ElementsAre(4, 9, 7));
  EXPECT_TRUE(run("%s = dsc.sizes <N> : i64[1]").empty());
  EXPECT_THAT(errors, HasSubstr("the size N has no value"));
}

TEST_F(Interpreter, RefusesWhatIsNoOperator) {
  EXPECT_TRUE(run("%w = dsc.weight <0, 0, 8> : f32[2]").empty());
  EXPECT_THAT(errors, HasSubstr("not interpretable"));
}

TEST_F(Interpreter, KnowsCosts) {
  parse(R"(
    %a = dsc.constant dense<1.5> : tensor<100xf32>
    %c = dsc.add %a, %a : f32[100], f32[100] -> f32[100]
  )");
  // Two reads, the addition, the yield.
  EXPECT_EQ(interpretCost(lastOp()), 400);
}

TEST(EvaluateDim, EvaluatesOrFails) {
  mlir::MLIRContext context;
  context.loadDialect<DscDialect>();
  Dim n = Dim::symbol(&context, "N"), h = Dim::symbol(&context, "H", /*mayBeNegative=*/true);
  SymbolValues symbols{{"N", 10}, {"H", -3}};
  EXPECT_EQ(evaluateDim(n * 3 - 1, symbols), 29);
  EXPECT_EQ(evaluateDim(h.floorDiv(2), symbols), -2);
  EXPECT_EQ(evaluateDim(h.mod(Dim::constant(&context, 2)), symbols), 1);
  EXPECT_EQ(evaluateDim(n.floorDiv(h + 3), symbols), std::nullopt);
  EXPECT_EQ(evaluateDim(n * INT64_MAX, symbols), std::nullopt);
  EXPECT_EQ(evaluateDim(Dim::symbol(&context, "M"), symbols), std::nullopt);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

TEST_F(Interpreter, ComputesOnSizes) {
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <N, 64, H> : i64[3]
    %two = dsc.constant dense<2> : tensor<i64>
    %m = dsc.mul %s, %two : i64[3], i64[] -> i64[3]
    %r = dsc.add %m, %s : i64[3], i64[3] -> i64[3]
  )"),
            "3 * N, 192, 3 * H");
}

TEST_F(Interpreter, DividesSizes) {
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <N, 7, N * 4> : i64[3]
    %two = dsc.constant dense<2> : tensor<i64>
    %r = dsc.div %s, %two : i64[3], i64[] -> i64[3]
  )"),
            "N floordiv 2, 3, 2 * N");
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <N> : i64[1]
    %h = dsc.sizes <H> : i64[1]
    %r = dsc.div %s, %h : i64[1], i64[1] -> i64[1]
  )"),
            "N floordiv H");
  // Towards zero and down differ here.
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <"d~"> : i64[1]
    %two = dsc.constant dense<2> : tensor<i64>
    %r = dsc.div %s, %two : i64[1], i64[] -> i64[1]
  )"),
            "unknown");
}

TEST_F(Interpreter, SelectsSizes) {
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <N, 0, 5> : i64[3]
    %zero = dsc.constant dense<0> : tensor<i64>
    %one = dsc.constant dense<1> : tensor<i64>
    %is = dsc.equal %s, %zero : i64[3], i64[] -> bool[3]
    %r = dsc.where %is, %one, %s : bool[3], i64[], i64[3] -> i64[3]
  )"),
            "select(eq(N, 0), 1, N), 1, 5");
}

TEST_F(Interpreter, CastsSizesThroughFloats) {
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <H, 3> : i64[2]
    %f = dsc.cast %s {to = 1} : i64[2] -> f32[2]
    %scale = dsc.constant dense<2.0> : tensor<f32>
    %m = dsc.mul %f, %scale : f32[2], f32[] -> f32[2]
    %floor = dsc.floor %m : f32[2] -> f32[2]
    %r = dsc.cast %floor {to = 7} : f32[2] -> i64[2]
  )"),
            "2 * H, 6");
  EXPECT_EQ(sizes(R"(
    %s = dsc.sizes <H> : i64[1]
    %f = dsc.cast %s {to = 1} : i64[1] -> f32[1]
    %r = dsc.sqrt %f : f32[1] -> f32[1]
  )"),
            "unknown");
}

} // namespace
