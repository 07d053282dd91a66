//===- TypeInference.cpp - ONNX's shape inference, made safe to call --------===//
//
// ONNX reports all errors of a model in one text in which only node names tell the
// nodes apart; so the nodes of a copy get names that are looked for in that text.
//
//===----------------------------------------------------------------------===//
#include "TypeInference.h"

#include "GraphWalk.h"
#include "InferenceMessages.h"
#include "TensorData.h"
#include "dsc/Dialect/Import/NodeOrigin.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <onnx/defs/schema.h>
#include <onnx/shape_inference/implementation.h>
#include <string_view>
#include <vector>

namespace dsc::import {

/// Data propagation represents a vector by one message per element, whatever it
/// holds; with longer vectors than this in a model it is left out.
static constexpr int64_t kMaxPropagatedVector = 1 << 22;

static bool hasLongVector(onnx::ModelProto &model) {
  auto isLong = [](const onnx::ValueInfoProto &value) {
    const auto &shape = value.type().tensor_type().shape();
    return shape.dim_size() == 1 && shape.dim(0).dim_value() > kMaxPropagatedVector;
  };
  bool found = false;
  forEachGraph(*model.mutable_graph(), [&](onnx::GraphProto &graph) {
    for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
      for (const onnx::ValueInfoProto &value : *values)
        found |= isLong(value);
    for (const onnx::TensorProto &tensor : graph.initializer())
      found |= tensor.dims_size() == 1 && tensor.dims(0) > kMaxPropagatedVector;
  });
  return found;
}

/// Returns the text of what is wrong; empty if nothing.
static std::string infer(onnx::ModelProto &model, bool strict, bool propagate) {
  try {
    onnx::ShapeInferenceOptions options(/*check_type_val=*/strict, strict ? 1 : 0, propagate);
    onnx::shape_inference::InferShapes(model, onnx::OpSchemaRegistry::Instance(), options);
  } catch (const std::exception &error) {
    return error.what()[0] ? error.what() : "shape inference failed";
  }
  return {};
}

/// For operators without shape inference of their own ONNX looks into their bodies,
/// where it does not find attributes that have their default values.
static void spellOutDefaults(onnx::ModelProto &model) {
  forEachNode(*model.mutable_graph()->mutable_node(), [&](onnx::NodeProto &node) {
    int version = static_cast<int>(importedOpset(model, node.domain()));
    auto *schema = onnx::OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
    if (!schema || !schema->HasFunction() || schema->has_type_and_shape_inference_function())
      return;
    for (const auto &[name, attribute] : schema->attributes()) {
      bool given = std::any_of(node.attribute().begin(), node.attribute().end(),
                               [&](const auto &other) { return other.name() == name; });
      if (!given && attribute.default_value.has_name())
        *node.add_attribute() = attribute.default_value;
    }
  });
}

void inferTypes(onnx::ModelProto &model) {
  spellOutDefaults(model);
  infer(model, /*strict=*/false, /*propagate=*/false);
  if (!hasLongVector(model))
    infer(model, /*strict=*/false, /*propagate=*/true);
}

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

static constexpr std::string_view kNamePrefix = "dsc-node-";

namespace {
/// A node of the checked model and the types around it.
struct NamedNode {
  const onnx::NodeProto *node;
  const TypeScope *types;
};

/// Gives all nodes of `copy` unique names; `original` has the same structure.
class NodeNamer {
public:
  void name(const onnx::GraphProto &original, onnx::GraphProto &copy, const TypeScope *parent);

  std::vector<NamedNode> nodes;

private:
  std::vector<std::unique_ptr<TypeScope>> scopes;
};
} // namespace

void NodeNamer::name(const onnx::GraphProto &original, onnx::GraphProto &copy,
                     const TypeScope *parent) {
  scopes.push_back(std::make_unique<TypeScope>(original, parent));
  const TypeScope *scope = scopes.back().get();
  for (int i = 0; i < original.node_size(); ++i) {
    const onnx::NodeProto &node = original.node(i);
    onnx::NodeProto &twin = *copy.mutable_node(i);
    twin.set_name(std::string(kNamePrefix) + std::to_string(nodes.size()) + ";");
    nodes.push_back({&node, scope});
    for (int j = 0; j < node.attribute_size(); ++j) {
      const onnx::AttributeProto &attribute = node.attribute(j);
      onnx::AttributeProto &twinAttribute = *twin.mutable_attribute(j);
      if (attribute.has_g())
        name(attribute.g(), *twinAttribute.mutable_g(), scope);
      for (int k = 0; k < attribute.graphs_size(); ++k)
        name(attribute.graphs(k), *twinAttribute.mutable_graphs(k), scope);
    }
  }
}

static void noteValues(const google::protobuf::RepeatedPtrField<std::string> &values,
                       const char *label, const TypeScope &types, Problem &problem) {
  for (int i = 0; i < values.size(); ++i) {
    if (values[i].empty())
      continue;
    const onnx::TypeProto *type = types.find(values[i]);
    problem.notes.push_back(label + std::to_string(i) + " " + (type ? typeText(*type) : "?") + " " +
                            quoteName(values[i]));
  }
}

/// "[ShapeInferenceError] (op_type:X, node name: N): [ShapeInferenceError] text\n"
/// without what precedes `text`.
static std::string messageOf(std::string_view text) {
  size_t bracket = text.find("): ");
  if (bracket != std::string_view::npos)
    text.remove_prefix(bracket + 3);
  while (text.starts_with("[")) {
    size_t end = text.find("] ");
    if (end == std::string_view::npos)
      break;
    text.remove_prefix(end + 2);
  }
  while (!text.empty() && (text.back() == '\n' || text.back() == ' '))
    text.remove_suffix(1);
  return std::string(text);
}

/// A node that fails because of its subgraph only repeats the inner error; a
/// tensor that was left in the file is not an error.
static bool isNoise(const std::string &message) {
  return message.empty() || message.starts_with("Inference error(s):") ||
         message.find("Cannot parse data from external tensors") != std::string::npos;
}

/// `index` is the node that the text before was about, which stays if `chunk` is
/// about a node in the body of that operator.
static void reportChunk(std::string_view chunk, const std::vector<NamedNode> &nodes, size_t &index,
                        ProblemList &problems) {
  size_t position = chunk.find(kNamePrefix);
  if (position != std::string_view::npos)
    index = std::strtoul(std::string(chunk.substr(position + kNamePrefix.size(), 20)).c_str(),
                         nullptr, 10);
  std::string message = messageOf(chunk);
  // Where the result of a wrong node is used, nothing is known about it.
  bool follows = !problems.empty() &&
                 message.find("expected to have type but instead is null") != std::string::npos;
  if (isNoise(message) || follows)
    return;
  if (index >= nodes.size()) {
    problems.add(ProblemCode::TypeMismatch, message);
    return;
  }
  const auto &[node, types] = nodes[index];
  Problem &problem = problems.add(ProblemCode::TypeMismatch,
                                  node->op_type() + ": " + clarifyMessage(*node, *types, message));
  problem.node = originOf(*node).describe();
  noteValues(node->input(), "in", *types, problem);
  noteValues(node->output(), "out", *types, problem);
  if (std::string attributes = describeAttributes(*node); !attributes.empty())
    problem.notes.push_back("with " + attributes);
}

void checkTypes(const onnx::ModelProto &model, ProblemList &problems) {
  onnx::ModelProto copy = model;
  NodeNamer namer;
  namer.name(model.graph(), *copy.mutable_graph(), nullptr);
  std::string text = infer(copy, /*strict=*/true, !hasLongVector(copy));
  if (text.empty())
    return;
  constexpr std::string_view start = "(op_type:";
  size_t position = text.find(start);
  if (position == std::string::npos) {
    problems.add(ProblemCode::TypeMismatch, messageOf(text));
    return;
  }
  size_t index = namer.nodes.size();
  while (position != std::string::npos) {
    size_t next = text.find(start, position + 1);
    reportChunk(std::string_view(text).substr(position, next - position), namer.nodes, index,
                problems);
    position = next;
  }
}

//===----------------------------------------------------------------------===//
// TypeScope
//===----------------------------------------------------------------------===//

static std::optional<int64_t> onlyInteger(const onnx::TensorProto &tensor) {
  bool isOne = tensor.data_type() == onnx::TensorProto::INT64 &&
               tensor.data_location() != onnx::TensorProto::EXTERNAL && tensor.dims_size() < 2 &&
               (tensor.dims_size() == 0 || tensor.dims(0) == 1);
  if (isOne && tensor.int64_data_size() == 1)
    return tensor.int64_data(0);
  int64_t number = 0;
  if (!isOne || tensor.raw_data().size() != sizeof(number))
    return std::nullopt;
  std::memcpy(&number, tensor.raw_data().data(), sizeof(number));
  return number;
}

/// Of a Constant node.
static std::optional<int64_t> onlyInteger(const onnx::NodeProto &node) {
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (attribute.name() == "value_int")
      return attribute.i();
    if (attribute.name() == "value")
      return onlyInteger(attribute.t());
  }
  return std::nullopt;
}

TypeScope::TypeScope(const onnx::GraphProto &graph, const TypeScope *parent) : parent(parent) {
  for (const onnx::TensorProto &tensor : graph.initializer()) {
    onnx::TypeProto type;
    type.mutable_tensor_type()->set_elem_type(tensor.data_type());
    auto *shape = type.mutable_tensor_type()->mutable_shape();
    for (int64_t dim : tensor.dims())
      shape->add_dim()->set_dim_value(dim);
    types.insert_or_assign(tensor.name(), std::move(type));
    constants.emplace(tensor.name(), onlyInteger(tensor));
  }
  for (const onnx::NodeProto &node : graph.node())
    if (node.op_type() == "Constant" && node.domain().empty() && node.output_size() == 1)
      constants.emplace(node.output(0), onlyInteger(node));
  for (const auto *values : {&graph.input(), &graph.output(), &graph.value_info()})
    for (const onnx::ValueInfoProto &value : *values)
      if (value.has_type() && value.type().value_case() != onnx::TypeProto::VALUE_NOT_SET)
        types.insert_or_assign(value.name(), value.type());
}

bool TypeScope::isConstant(const std::string &value) const {
  for (const TypeScope *scope = this; scope; scope = scope->parent)
    if (scope->constants.contains(value))
      return true;
  return false;
}

std::optional<int64_t> TypeScope::constantInteger(const std::string &value) const {
  for (const TypeScope *scope = this; scope; scope = scope->parent)
    if (auto it = scope->constants.find(value); it != scope->constants.end())
      return it->second;
  return std::nullopt;
}

const onnx::TypeProto *TypeScope::find(const std::string &value) const {
  for (const TypeScope *scope = this; scope; scope = scope->parent)
    if (auto it = scope->types.find(value); it != scope->types.end())
      return &it->second;
  return nullptr;
}

} // namespace dsc::import
