//===- ReduceModelTest.cpp - parts of models that still fail ----------------===//
#include "dsc/Dialect/Import/ReduceModel.h"
#include "Importing.h"

#include <filesystem>
#include <fstream>

using namespace dsc::import;

namespace {

onnx::ModelProto parse(const std::string &text) {
  onnx::ModelProto model;
  onnx::OnnxParser::Parse(model, ("<ir_version: 10, opset_import: [\"\": 21]>" + text).c_str());
  return model;
}

/// What is left of a model when a part fails that holds all operators of `wanted`.
onnx::ModelProto reduce(const std::string &text, const std::set<std::string> &wanted,
                        int mostCalls = 1000) {
  std::string path = testing::TempDir() + "reduce.onnx";
  std::ofstream(path, std::ios::binary) << parse(text).SerializeAsString();
  onnx::ModelProto part;
  int calls = 0;
  std::string bytes = reduceModel(
      path,
      [&](const std::string &candidate) {
        onnx::ModelProto model;
        EXPECT_TRUE(model.ParseFromString(candidate));
        std::set<std::string> missing = wanted;
        for (const onnx::NodeProto &node : model.graph().node())
          missing.erase(node.op_type());
        return missing.empty();
      },
      [&] { return ++calls > mostCalls; });
  part.ParseFromString(bytes);
  std::filesystem::remove(path);
  return part;
}

constexpr const char *kChain =
    "g (float[N, 4] x) => (float[N, 4] y) <float[4] w = {1, 2, 3, 4}> {"
    "a = Relu(x) b = Add(a, w) c = Softmax(b) d = Mul(c, a) y = Neg(d) }";

} // namespace

TEST(ReduceModelTest, OneNode) {
  onnx::GraphProto graph = reduce(kChain, {"Add"}).graph();
  ASSERT_EQ(graph.node_size(), 1);
  EXPECT_EQ(graph.node(0).op_type(), "Add");
  // Its operand is an input of known type, its weight is still one.
  ASSERT_EQ(graph.input_size(), 1);
  EXPECT_EQ(graph.input(0).name(), "a");
  EXPECT_EQ(graph.input(0).type().tensor_type().shape().dim(1).dim_value(), 4);
  ASSERT_EQ(graph.initializer_size(), 1);
  ASSERT_EQ(graph.output_size(), 1);
  EXPECT_EQ(graph.output(0).name(), "b");
}

TEST(ReduceModelTest, NodesTogether) {
  onnx::GraphProto graph = reduce(kChain, {"Add", "Mul"}).graph();
  ASSERT_EQ(graph.node_size(), 3);
  EXPECT_EQ(graph.node(1).op_type(), "Softmax");
  EXPECT_EQ(graph.output_size(), 1);
}

TEST(ReduceModelTest, NothingFails) { EXPECT_EQ(reduce(kChain, {"Conv"}).graph().node_size(), 0); }

TEST(ReduceModelTest, TimeIsUp) {
  EXPECT_EQ(reduce(kChain, {"Add"}, /*mostCalls=*/1).graph().node_size(), 5);
}

TEST(ReduceModelTest, NoModel) {
  EXPECT_EQ(reduceModel(
                "/no/such/file", [](const std::string &) { return true; }, [] { return false; }),
            "");
}
