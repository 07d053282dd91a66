//===- HostileModelTest.cpp - models that are wrong on purpose --------------===//
//
// Each is reported, with the node where there is one; none crashes, hangs or takes
// memory that its own size does not explain.
//
//===----------------------------------------------------------------------===//
#include "Importing.h"

#include <random>

using namespace dsc;
using namespace dsc::import;
using testing::AllOf;
using testing::HasSubstr;

using HostileModelTest = Importing;

namespace {

/// A length-delimited field of a message.
std::string field(unsigned number, const std::string &bytes) {
  auto varint = [](uint64_t value) {
    std::string result;
    for (; value >= 128; value >>= 7)
      result += static_cast<char>(value | 128);
    return result + static_cast<char>(value);
  };
  return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}

/// A model with `depth` nested graphs, which protobuf itself would not write.
std::string nestedModel(int depth) {
  std::string graph;
  for (int i = 0; i < depth; ++i) {
    std::string attribute = field(1, "then_branch") + field(6, graph);
    graph = field(1, field(1, "c") + field(2, "y") + field(4, "If") + field(5, attribute));
  }
  return std::string("\x08\x0a", 2) + field(7, graph);
}

std::string constant(const std::string &name, const std::string &values) {
  return name + " = Constant<value_ints = [" + values + "]>() ";
}

} // namespace

TEST_F(HostileModelTest, Nesting) {
  for (int depth : {100, 1000, 3000}) {
    importBytes(nestedModel(depth));
    EXPECT_TRUE(problems.contains(ProblemCode::NestedTooDeep)) << depth;
  }
}

TEST_F(HostileModelTest, Graphs) {
  auto reports = [&](const char *body, ProblemCode code) {
    importText(std::string("g (float[N] x) => (float[N] y) {") + body + "}");
    EXPECT_TRUE(problems.contains(code)) << body << "\n" << problems.render();
  };
  reports("a = Add(x, b) b = Relu(a) y = Relu(b)", ProblemCode::Cycle);
  reports("y = Add(x, y)", ProblemCode::Cycle);
  reports("a = Relu(x) a = Abs(x) y = Relu(a)", ProblemCode::DuplicateName);
  reports("y = Add(x, nowhere)", ProblemCode::UndefinedValue);
  reports("y = Relu()", ProblemCode::BadNode);
  reports("y, z = Relu(x)", ProblemCode::BadNode);
  reports("z = Relu(x)", ProblemCode::UndefinedValue);
}

TEST_F(HostileModelTest, Attributes) {
  for (const char *node : {"Softmax<axis = \"one\">(x)",
                           "Softmax<axis = 1.5>(x)",
                           "Softmax<axis = 99>(x)",
                           "Softmax<axis = -9223372036854775807>(x)",
                           "Concat(x, x)",
                           "Relu<alpha = 3>(x)",
                           "Transpose<perm = [0, 0]>(x)",
                           "Transpose<perm = [4611686018427387904, -1]>(x)",
                           "Cast<to = 99>(x)",
                           "Cast<to = -1>(x)",
                           "Einsum<equation = \"...,,->\">(x)",
                           "DepthToSpace<blocksize = 0>(x)",
                           "DepthToSpace<blocksize = -2>(x)",
                           "SpaceToDepth<blocksize = 0>(x)",
                           "LRN<size = -1>(x)",
                           "MaxPool<kernel_shape = [0, 3]>(x)",
                           "MaxPool<kernel_shape = [3, 3], strides = [0, 1]>(x)",
                           "MaxPool<kernel_shape = [3, 3], pads = [1]>(x)",
                           "AveragePool<kernel_shape = [-3, 3]>(x)",
                           "Split<num_outputs = 0>(x)"}) {
    std::string text =
        importText(std::string("g (float[N, 4, H, W] x) => (float[?] y) { y = ") + node + " }");
    EXPECT_FALSE(module) << node << "\n" << text;
    EXPECT_THAT(text, HasSubstr("n0")) << node;
  }
}

// Sizes whose product does not fit into 64 bits, or that no memory holds, as numbers
// of a model that is otherwise right: nothing is computed or allocated for them.
TEST_F(HostileModelTest, Sizes) {
  for (const char *values : {"1099511627776", "1099511627776, 1099511627776",
                             "4611686018427387904, 4", "65536, 65536"}) {
    std::string rank = std::string(values).find(',') == std::string::npos ? "1" : "1, 1";
    for (std::string node :
         {"a = ConstantOfShape(s) y = ReduceSum(a)", "a = ConstantOfShape(s) y = Add(a, a)",
          "a = Expand(one, s) y = Add(a, a)", "a = Tile(ones, s) y = Relu(a)", "y = Reshape(x, s)"})
      importText("g (float[N] x) => (float[?] y) <float one = {1.0}, float[" + rank +
                 "] ones = {1.0}> {" + constant("s", values) + node + "}");
  }
  for (const char *shape : {"-5, 3", "1099511627776, 1099511627776", "9223372036854775807"})
    importText(std::string("g (float[") + shape +
               "] x) => (float[?] y, int64 n) { y = Concat<axis = 0>(x, x) n = Size(x) }");
  importText("g (int64 b) => (int64[?] y) <int64 a = {0}, int64 n = {9000000000000000000},"
             " int64 d = {1}> { r = Range(a, n, d) y = Mul(r, r) }");
}

// Doubles the length of the expression of a size at each step.
TEST_F(HostileModelTest, Expressions) {
  std::string body = "s0 = Shape(x) ";
  for (int i = 0; i < 40; ++i) {
    std::string s = "s" + std::to_string(i), m = "m" + std::to_string(i);
    body += m + " = Mul(" + s + ", " + s + ") s" + std::to_string(i + 1) + " = Add(" + m + ", " +
            s + ") ";
  }
  importText("g (float[N, M] x) => (float[?, ?] y) { " + body + "y = ConstantOfShape(s40) }");
  EXPECT_TRUE(module);

  body = "p0 = Flatten(x) ";
  for (int i = 0; i < 40; ++i) {
    auto name = [](const char *n, int i) { return n + std::to_string(i); };
    body += name("t", i) + " = Transpose(" + name("p", i) + ") " + name("m", i) + " = MatMul(" +
            name("t", i) + ", " + name("p", i) + ") " + name("f", i) + " = Flatten<axis = 0>(" +
            name("m", i) + ") " + name("p", i + 1) + " = Concat<axis = 1>(" + name("f", i) + ", " +
            name("f", i) + ", one) ";
  }
  std::string text = importText(
      "g (float[1, M] x) => (float[?, ?] p40) <float[1, 1] one = {1.0}> { " + body + "}");
  EXPECT_THAT(text, HasSubstr("too complex"));
}

TEST_F(HostileModelTest, Tensors) {
  auto importTensor = [&](const std::function<void(onnx::TensorProto &)> &fill) {
    onnx::ModelProto model;
    onnx::OnnxParser::Parse(model, "<ir_version: 10, opset_import: [\"\": 21]>"
                                   "g (float[N, 3] x) => (float[?] y) { y = Add(x, t) }");
    onnx::TensorProto &tensor = *model.mutable_graph()->add_initializer();
    tensor.set_name("t");
    tensor.set_data_type(onnx::TensorProto::FLOAT);
    fill(tensor);
    std::string text = importProto(model);
    EXPECT_FALSE(module) << text;
  };
  importTensor(
      [](onnx::TensorProto &t) { t.add_dims(int64_t(1) << 40), t.add_dims(int64_t(1) << 40); });
  importTensor([](onnx::TensorProto &t) { t.add_dims(-1), t.set_raw_data(std::string(12, '\0')); });
  importTensor([](onnx::TensorProto &t) { t.add_dims(3), t.set_raw_data(std::string(11, '\0')); });
  importTensor([](onnx::TensorProto &t) { t.add_dims(3), t.add_float_data(1); });
  importTensor([](onnx::TensorProto &t) { t.set_data_type(77), t.add_dims(3); });
  importTensor([](onnx::TensorProto &t) { t.clear_data_type(), t.add_dims(3); });
  for (const char *location :
       {"nofile.bin", "/etc/passwd", "../../../../etc/passwd", ".", "", "a\nb"})
    importTensor([&](onnx::TensorProto &t) {
      t.add_dims(3);
      t.set_data_location(onnx::TensorProto::EXTERNAL);
      onnx::StringStringEntryProto &entry = *t.add_external_data();
      entry.set_key("location");
      entry.set_value(location);
    });
}

TEST_F(HostileModelTest, Functions) {
  auto function = [](int i, const std::string &nodes) {
    return "<domain: \"f\", opset_import: [\"\": 21, \"f\": 1]> F" + std::to_string(i) +
           " (a) => (b) {" + nodes + "}\n";
  };
  auto importFunctions = [&](const std::string &functions) {
    onnx::ModelProto model;
    std::string text = "<ir_version: 10, opset_import: [\"\": 21, \"f\": 1]>\n"
                       "g (float[N] x) => (float[N] y) { y = f.F0(x) }\n" +
                       functions;
    onnx::OnnxParser parser(text.c_str());
    onnx::Common::Status status = parser.Parse(model);
    EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
    EXPECT_FALSE((importProto(model), module));
  };
  importFunctions(function(0, "b = f.F0(a)"));
  importFunctions(function(0, "b = f.F1(a)") + function(1, "b = f.F0(a)"));
  importFunctions(function(0, "b = f.F9(a)"));
  importFunctions(function(0, "c = Relu(a)"));
  std::string doubling;
  for (int i = 0; i < 40; ++i) {
    std::string next = "f.F" + std::to_string(i + 1);
    doubling += function(i, "t = " + next + "(a) b = " + next + "(t)");
  }
  importFunctions(doubling + function(40, "b = Relu(a)"));
  EXPECT_TRUE(problems.contains(ProblemCode::ExpansionTooLarge)) << problems.render();
}

// Bytes changed at random: any outcome but a crash is right.
TEST_F(HostileModelTest, FlippedBytes) {
  onnx::ModelProto model;
  onnx::OnnxParser::Parse(
      model,
      "<ir_version: 10, opset_import: [\"\": 21]>"
      "g (float[N, 4, H, W] x, bool c) => (float[?, ?, ?, ?] y) <float[4, 4, 1, 1] w = {1.0, "
      "1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0}> {"
      "  a = Conv<pads = [1, 1, 1, 1]>(x, w) s = Shape(a) r = Reshape(x, s)"
      "  y = If(c) <then_branch = t () => (float[?, ?, ?, ?] p) { p = Add(a, r) },"
      "             else_branch = e () => (float[?, ?, ?, ?] q) { q = Softmax<axis = 1>(a) }> }");
  const std::string original = model.SerializeAsString();
  std::mt19937 random(1);
  for (int i = 0; i < 400; ++i) {
    std::string bytes = original;
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    if (random() % 4 == 0)
      bytes.resize(random() % bytes.size());
    importBytes(bytes);
  }
}
