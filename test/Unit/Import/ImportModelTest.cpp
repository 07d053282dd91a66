//===- ImportModelTest.cpp - from ONNX to dsc -------------------------------===//
//
// Models in ONNX's text syntax; what is expected are lines of the module.
//
//===----------------------------------------------------------------------===//
#include "Importing.h"

using namespace dsc;
using namespace dsc::import;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

using ImportModelTest = Importing;

TEST_F(ImportModelTest, SymbolsAreTheNamesOfDimensions) {
  std::string text =
      importText("g (float[N, 3] x, float[N, 3] y) => (float[N, 3] z) { z = Add(x, y) }");
  EXPECT_THAT(text, HasSubstr("dsc.add %arg0, %arg1 : f32[N,3], f32[N,3] -> f32[N,3]"));
  EXPECT_THAT(text, HasSubstr("{dsc.name = \"x\"}"));
  EXPECT_THAT(text, HasSubstr("{dsc.name = \"z\"}"));
}

TEST_F(ImportModelTest, UnnamedSizesAreNamedAfterTheirInput) {
  EXPECT_THAT(importText("g (float[?, 3] x) => (float[?, 3] z) { z = Add(x, x) }"),
              HasSubstr(": f32[x_0,3], f32[x_0,3] -> f32[x_0,3]"));
}

TEST_F(ImportModelTest, UnequalSymbolsAreGuarded) {
  std::string text = importText("g (float[N] x, float[M] y) => (float[?] z) { z = Add(x, y) }");
  EXPECT_THAT(text, HasSubstr("dsc.guard"));
  EXPECT_THAT(text, HasSubstr("node 0 'n0' (opset 21): shapes do not broadcast"));
}

TEST_F(ImportModelTest, SizesOfResidualStreamsStayShort) {
  std::string text = importText("g (float[N] x, float[M] y) => (float[?] z) {"
                                "  a = Add(x, y) b = Add(y, a) c = Add(b, x) z = Mul(c, a) }");
  EXPECT_THAT(text, HasSubstr("dsc.mul %2, %0 : f32[select(eq(M, 1), N, M)], "
                              "f32[select(eq(M, 1), N, M)] -> f32[select(eq(M, 1), N, M)]"));
}

TEST_F(ImportModelTest, SizesThatAreNeverOneAreNotBroadcast) {
  std::string text = importText("g (float[N] x, float[M] y) => (float[?] z) {"
                                "  a = Concat<axis = 0>(x, x) z = Add(a, y) }");
  EXPECT_THAT(text, HasSubstr("dsc.guard or(eq(2 * N, M), eq(M, 1))"));
  EXPECT_THAT(text, HasSubstr(": f32[2 * N], f32[M] -> f32[2 * N]"));
}

TEST_F(ImportModelTest, LocationsNameNodes) {
  locations = true;
  EXPECT_THAT(importText("g (float[2] x) => (float[2] z) { z = Add(x, x) }"),
              HasSubstr("\"node 0 'n0' (opset 21)\""));
}

TEST_F(ImportModelTest, GivenShapesReplaceSymbolsEverywhere) {
  ImportOptions options;
  options.shapes["x"] = {8, -1};
  EXPECT_THAT(
      importText("g (float[N, M] x, float[N, M] y) => (float[N, M] z) { z = Add(x, y) }", options),
      HasSubstr(": f32[8,M], f32[8,M] -> f32[8,M]"));
}

TEST_F(ImportModelTest, GivenShapesMustFit) {
  ImportOptions options;
  options.shapes["x"] = {8};
  options.shapes["other"] = {1};
  importText("g (float[N, M] x) => (float[N, M] z) { z = Add(x, x) }", options);
  EXPECT_TRUE(problems.contains(ProblemCode::BadShapeOption));
  EXPECT_EQ(problems.size(), 2u);
}

TEST_F(ImportModelTest, AllSymbolicKeepsOnes) {
  ImportOptions options;
  options.allSymbolic = true;
  EXPECT_THAT(
      importText("g (float[2, 3] x, float[1, 3] y) => (float[2, 3] z) { z = Add(x, y) }", options),
      HasSubstr(": f32[d0,d1], f32[1,d2] -> f32["));
}

TEST_F(ImportModelTest, AllUnsupportedOperatorsAreReported) {
  std::string text = importText("g (float[2] x) => (float[2] z) {"
                                "  s = SequenceConstruct(x) a = SequenceAt(s, i) b = Add(a, x) "
                                "  i = Constant<value_int = 0>() z = StringNormalizer(b) }");
  EXPECT_FALSE(module);
}

TEST_F(ImportModelTest, UnsupportedTypesOfInputsAreReported) {
  EXPECT_THAT(importText("g (string[2] x, float[2] y) => (float[2] z) { z = Add(y, y) }"),
              HasSubstr("input 'x' has the type string[2], which is not supported"));
  EXPECT_TRUE(problems.contains(ProblemCode::UnsupportedType));
}

TEST_F(ImportModelTest, ConstantsAndWeights) {
  onnx::ModelProto model;
  onnx::OnnxParser::Parse(
      model, "<ir_version: 10, opset_import: [\"\": 21]> g (float[1000] x) => (float[1000] z) "
             "<float[1] small = {2.0}> { a = Add(x, small) z = Add(a, large) }");
  onnx::TensorProto &large = *model.mutable_graph()->add_initializer();
  large.set_name("large");
  large.set_data_type(onnx::TensorProto::FLOAT);
  large.add_dims(1000);
  large.set_raw_data(std::string(4000, '\1'));
  std::string text = importProto(model);
  EXPECT_THAT(text, HasSubstr("dsc.constant dense<2.000000e+00> : tensor<1xf32>"));
  EXPECT_THAT(text, HasSubstr("\"large\" : f32[1000]"));
  module->walk([&](WeightOp op) {
    llvm::ArrayRef<uint8_t> bytes = weights.bytes(op.getSource());
    EXPECT_EQ(bytes.size(), 4000u);
    EXPECT_EQ(bytes.back(), 1);
  });
}

TEST_F(ImportModelTest, ShapesAreSizes) {
  std::string text =
      importText("g (float[N, 3] x) => (int64[2] s, int64 n) { s = Shape(x) n = Size(x) }");
  EXPECT_THAT(text, HasSubstr("dsc.sizes <N, 3> : i64[2]"));
  EXPECT_THAT(text, HasSubstr("dsc.sizes <3 * N> : i64[]"));
}

TEST_F(ImportModelTest, ShapeArithmeticDisappears) {
  std::string text = importText("g (float[N, 3] x) => (int64[2] t) { s = Shape(x) t = Mul(s, s) }");
  EXPECT_THAT(text, AllOf(HasSubstr("dsc.sizes <N * N, 9> : i64[2]"), Not(HasSubstr("dsc.mul"))));
}

TEST_F(ImportModelTest, WrongNodesAreReportedWithTheirTypes) {
  EXPECT_THAT(importText("g (float[N, 3] x, float[2] y) => (float[?, ?] z) {"
                         " s = Shape(x) r = Reshape(x, s) z = Add(r, y) }"),
              AllOf(HasSubstr("on axis -1 disagree (3 vs 2)"), HasSubstr("node 2 'n2'"),
                    HasSubstr("in1 f32[2] 'y'")));
}

//===----------------------------------------------------------------------===//
// Bodies of our own
//===----------------------------------------------------------------------===//

TEST_F(ImportModelTest, NonMaxSuppressionIsALoop) {
  EXPECT_THAT(importText("g (float[B, N, 4] boxes, float[B, 80, N] scores, int64[1] most,"
                         "   float[1] iou, float[1] least) => (int64[S, 3] z)"
                         "{ z = NonMaxSuppression(boxes, scores, most, iou, least) }"),
              AllOf(HasSubstr("dsc.loop"), HasSubstr("dsc.argmax"), HasSubstr("dsc.nonzero")));
}

TEST_F(ImportModelTest, AxesOfTheRunAreBranches) {
  std::string text = importText("g (float[N, 3] x, int64 axis) => (float[N, 3] y, float[N, 3] z) {"
                                "  y = CumSum(x, axis) one = Constant<value_int = 1>()"
                                "  z = CumSum(x, one) }");
  EXPECT_THAT(text, AllOf(HasSubstr("dsc.if"), HasSubstr("dsc.cumsum")));
}

TEST_F(ImportModelTest, AxesOfTheRunMakeShapes) {
  EXPECT_THAT(importText("g (float[N, 3] x, int64[1] axes) => (float[?, ?, ?] y)"
                         "{ y = Unsqueeze(x, axes) }"),
              HasSubstr("dsc.reshape"));
}

TEST_F(ImportModelTest, FourierTransformsAreProducts) {
  std::string text = importText("g (float[N, 16, 1] x) => (float[N, 9, 2] y)"
                                "{ y = DFT<onesided = 1>(x) }");
  EXPECT_THAT(text, AllOf(HasSubstr("dsc.matmul"), HasSubstr("f32[N,9,2]")));
}

TEST_F(ImportModelTest, ScalesOfTheRun) {
  EXPECT_THAT(importText("g (float[1, 3, H, W] x, float[4] scales) => (float[?, ?, ?, ?] y)"
                         "{ y = Resize<mode = \"linear\">(x, , scales) }"),
              AllOf(HasSubstr("dsc.gather"), Not(HasSubstr("dsc.resize"))));
}

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

TEST_F(ImportModelTest, BranchesCaptureAndMerge) {
  std::string text =
      importText("g (bool c, float[N] x, float[M] y) => (float[?] z) {"
                 "  z = If(c) <then_branch = t () => (float[N] a) { a = Add(x, x) },"
                 "             else_branch = e () => (float[M] b) { b = Add(y, y) }> }");
  EXPECT_THAT(text, HasSubstr("dsc.if %arg0 {symbols = [\"z_0\"]} : bool[] -> f32[z_0] {"));
  EXPECT_THAT(text, HasSubstr("dsc.yield %1 : f32[N]"));
}

TEST_F(ImportModelTest, BranchesOfOtherRanksAreReported) {
  EXPECT_THAT(importText("g (bool c, float[N] x, float[M, 2] y) => (float z) {"
                         "  z = If(c) <then_branch = t () => (float[N] a) { a = Add(x, x) },"
                         "             else_branch = e () => (float[M, 2] b) { b = Add(y, y) }> }"),
              HasSubstr("error"));
}

TEST_F(ImportModelTest, BranchesThatCannotRunEndTheRun) {
  std::string graph = "g (bool c, float[N, K] x, float[8, 2] w) => (float[?, ?] z) {"
                      "  z = If(c) <then_branch = t () => (float[?, 2] a) { a = MatMul(x, w) },"
                      "             else_branch = e () => (float[N, K] b) { b = Relu(x) }> }";
  ImportOptions options;
  options.shapes["x"] = {4, 3};
  std::string text = importText(graph, options);
  EXPECT_THAT(text, HasSubstr("dsc.guard 0, \"node 0/then_branch/0"));
  EXPECT_THAT(text, HasSubstr("cannot run with inputs of these sizes: MatMul"));
  EXPECT_THAT(text, HasSubstr("dsc.relu"));
}

TEST_F(ImportModelTest, BranchesThatBothCannotRunAreReported) {
  ImportOptions options;
  options.shapes["x"] = {4, 3};
  EXPECT_THAT(importText("g (bool c, float[N, K] x, float[8, 2] w) => (float[?, ?] z) {"
                         "  z = If(c) <then_branch = t () => (float[?, 2] a) { a = MatMul(x, w) },"
                         "             else_branch = e () => (float[?, 2] b) { b = Gemm(x, w) }> }",
                         options),
              AllOf(HasSubstr("MatMul"), HasSubstr("Gemm")));
}

TEST_F(ImportModelTest, KnownConditionsAreDecided) {
  std::string text =
      importText("g (float[N] x) => (float[N] z) <bool c = {1}> {"
                 "  z = If(c) <then_branch = t () => (float[N] a) { a = Add(x, x) },"
                 "             else_branch = e () => (float[N] b) { b = Mul(x, x) }> }");
  EXPECT_THAT(text,
              AllOf(HasSubstr("dsc.add"), Not(HasSubstr("dsc.if")), Not(HasSubstr("dsc.mul"))));
}

TEST_F(ImportModelTest, LoopsCarryAndCollect) {
  std::string text =
      importText("g (int64 n, float[N] x) => (float[N] y, float[K, N] all) <bool t = {1}> {"
                 "  y, all = Loop(n, t, x) <body = b (int64 i, bool c, float[N] s) => (bool d, "
                 "float[N] r, float[N] o) {"
                 "    d = Identity(c) r = Add(s, x) o = Mul(s, s) }> }");
  EXPECT_THAT(text,
              HasSubstr("{symbols = [\"all_0\"]} : i64[], bool[], f32[N] -> f32[N], f32[all_0,N]"));
  EXPECT_THAT(text, HasSubstr("(%arg2 : i64[], %arg3 : bool[], %arg4 : f32[N])"));
}

TEST_F(ImportModelTest, KnownTripCountsSizeTheSlices) {
  std::string text =
      importText("g (float[N] x) => (float[4, N] all) <int64 n = {4}, bool t = {1}> {"
                 "  all = Loop(n, t) <body = b (int64 i, bool c) => (bool d, float[N] o) {"
                 "    d = Identity(c) o = Mul(x, x) }> }");
  EXPECT_THAT(text, HasSubstr("-> f32[4,N]"));
}

TEST_F(ImportModelTest, CarriedSizesMayChange) {
  std::string text = importText(
      "g (int64 n, bool c, float[1] x, float[M] y) => (float[?] z) {"
      "  z = Loop(n, c, x) <body = b (int64 i, bool c0, float[?] s) => (bool d, float[?] r) {"
      "    d = Identity(c0) r = Add(s, y) }> }");
  EXPECT_THAT(text, HasSubstr("argSymbols = [\"s_0\"], symbols = [\"z_0\"]"));
}

// Each level of nesting would double the number of times that the innermost body is
// translated.
TEST_F(ImportModelTest, NestedLoopsThatGrowAreTranslatedInTime) {
  std::string body = "d0 = Identity(c0) r0 = Concat<axis = 0>(s0, x)";
  for (int i = 1; i <= 12; ++i) {
    auto n = [](const char *name, int level) { return name + std::to_string(level); };
    body = n("d", i) + " = Identity(" + n("c", i) + ") " + n("r", i) + " = Loop(n, , " + n("s", i) +
           ") <body = " + n("b", i) + " (int64 " + n("i", i - 1) + ", bool " + n("c", i - 1) +
           ", float[?] " + n("s", i - 1) + ") => (bool " + n("d", i - 1) + ", float[?] " +
           n("r", i - 1) + ") {" + body + "}>";
  }
  EXPECT_THAT(importText("g (int64 n, bool c12, float[N] x, float[N] s12) => (float[?] r12) {" +
                         body + "}"),
              HasSubstr("dsc.concat"));
}

TEST_F(ImportModelTest, ScansAreLoops) {
  std::string text =
      importText("g (float[N] s, float[N, T] x, float[T, N] z) => (float[N] y, float[N, T] all) {"
                 "  y, all = Scan <num_scan_inputs = 2, scan_input_axes = [1, 0],"
                 "    scan_input_directions = [0, 1], scan_output_axes = [-1],"
                 "    body = b (float[N] a, float[N] p, float[N] q) => (float[N] r, float[N] o) {"
                 "      r = Add(a, p) o = Mul(r, q) }>(s, x, z) }");
  EXPECT_THAT(text, HasSubstr("-> f32[N], f32[T,N]"));
  EXPECT_THAT(text, HasSubstr("{axis = 1 : i64} : f32[N,T], i64[] -> f32[N]"));
  EXPECT_THAT(text, HasSubstr("dsc.sub")); // from the end
  EXPECT_THAT(text, HasSubstr("{perm = array<i64: 1, 0>} : f32[T,N] -> f32[N,T]"));
}

TEST_F(ImportModelTest, ScansThatDoNotFitAreReported) {
  auto scan = [&](const std::string &inputs, const std::string &attributes) {
    return importText("g (" + inputs + ") => (float[?, N] all) { all = Scan <" + attributes +
                      ", body = b (float[N] p, float[N] q) => (float[N] o) { o = Mul(p, q) }>"
                      "(x, y) }");
  };
  const std::string same = "float[2, N] x, float[2, N] y", unknown = "float[S, N] x, float[T, N] y";
  EXPECT_THAT(scan("float[2, N] x, float[3, N] y", "num_scan_inputs = 2"), HasSubstr("'n0'"));
  EXPECT_THAT(scan(same, "num_scan_inputs = 3"), HasSubstr("'n0'"));
  EXPECT_THAT(scan(same, "num_scan_inputs = 2, scan_input_axes = [0, 5]"), HasSubstr("'n0'"));
  EXPECT_THAT(scan(unknown, "num_scan_inputs = 2"),
              HasSubstr("dsc.guard eq(T, S), \"node 0 'n0' (opset 21): scan inputs have different "
                        "lengths (S vs T)\""));
}

TEST_F(ImportModelTest, SupportedOperators) {
  std::vector<std::string> names = supportedOperators(context);
  EXPECT_THAT(names, testing::IsSupersetOf({"Add", "If", "Loop", "Shape"}));
}
