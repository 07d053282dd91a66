//===- OpsetConversion.cpp - ONNX's version converter, made safe to call ----===//
//
// The converter drops local functions and knows nothing of our stamps.
//
//===----------------------------------------------------------------------===//
#include "OpsetConversion.h"

#include "GraphWalk.h"
#include "TypeInference.h"
#include "dsc/Dialect/Import/NodeOrigin.h"

#include <exception>
#include <onnx/version_converter/convert.h>
#include <unordered_map>
#include <unordered_set>

namespace dsc::import {

using onnx::GraphProto;
using onnx::NodeProto;

using StampMap = std::unordered_map<std::string, std::string>;

/// The stamp of the node that defines each value.
static StampMap stampsOf(GraphProto &graph) {
  StampMap stamps;
  forEachNode(*graph.mutable_node(), [&](const NodeProto &node) {
    if (hasOrigin(node))
      for (const std::string &output : node.output())
        stamps.emplace(output, node.doc_string());
  });
  return stamps;
}

/// Added nodes either define a value that a replaced node defined, or (also through
/// others) an operand of a node that has a stamp, or a result derived from one.
static void stampAddedNodes(GraphProto &graph, const StampMap &before) {
  forEachGraph(graph, [&](GraphProto &inner) {
    for (NodeProto &node : *inner.mutable_node())
      for (const std::string &output : node.output())
        if (auto it = before.find(output); !hasOrigin(node) && it != before.end())
          node.set_doc_string(it->second);
    StampMap neighbours;
    for (int i = inner.node_size() - 1; i >= 0; --i) {
      NodeProto &node = *inner.mutable_node(i);
      for (const std::string &output : node.output())
        if (auto it = neighbours.find(output); !hasOrigin(node) && it != neighbours.end())
          node.set_doc_string(it->second);
      if (hasOrigin(node))
        for (const std::string &input : node.input())
          neighbours.emplace(input, node.doc_string());
    }
    for (NodeProto &node : *inner.mutable_node()) {
      for (const std::string &input : node.input())
        if (auto it = before.find(input); !hasOrigin(node) && it != before.end())
          node.set_doc_string(it->second);
    }
  });
}

/// ONNX's assertions start with file, line and condition.
static std::string withoutLocation(const std::string &text) {
  size_t position = text.find("` failed: ");
  return position == std::string::npos ? text : text.substr(position + 10);
}

/// Converts the graph of `model`, whose types must have been inferred.
static bool convertGraph(onnx::ModelProto &model, int64_t from, int64_t target,
                         const std::string &what, ProblemList &problems) {
  try {
    // Building the table of adapters costs more than converting most models.
    static const onnx::version_conversion::DefaultVersionConverter converter;
    onnx::ModelProto converted =
        converter.convert_version(model, onnx::OpSetID(from), onnx::OpSetID(target));
    model.mutable_graph()->Swap(converted.mutable_graph());
    for (onnx::OperatorSetIdProto &import : *model.mutable_opset_import())
      if (import.domain().empty())
        import.set_version(target);
    return true;
  } catch (const std::exception &error) {
    problems
        .add(ProblemCode::ConversionFailed,
             what + " cannot be converted from version " + std::to_string(from) +
                 " of ai.onnx to " + std::to_string(target) + ": " + withoutLocation(error.what()))
        .help = "export the model in a newer opset";
    return false;
  }
}

bool convertModel(onnx::ModelProto &model, int64_t target, ProblemList &problems) {
  int64_t from = importedOpset(model, "");
  if (from == 0 || from == target)
    return true;
  inferTypes(model);
  StampMap stamps = stampsOf(*model.mutable_graph());
  if (!convertGraph(model, from, target, "the model", problems))
    return false;
  stampAddedNodes(*model.mutable_graph(), stamps);
  return true;
}

/// Adapters may add initializers, for which a function has no place.
static void prependAsConstant(onnx::TensorProto &tensor,
                              google::protobuf::RepeatedPtrField<NodeProto> &nodes) {
  NodeProto *node = nodes.Add();
  node->set_op_type("Constant");
  node->add_output(tensor.name());
  onnx::AttributeProto *attribute = node->add_attribute();
  attribute->set_name("value");
  attribute->set_type(onnx::AttributeProto::TENSOR);
  attribute->mutable_t()->Swap(&tensor);
}

bool convertFunction(onnx::FunctionProto &function, const std::vector<onnx::TypeProto> &inputTypes,
                     const onnx::ModelProto &model, int64_t target, ProblemList &problems) {
  int64_t from = importedOpset(function, "");
  if (from == 0 || from == target)
    return true;
  onnx::ModelProto wrapper;
  wrapper.set_ir_version(onnx::Version::IR_VERSION);
  *wrapper.mutable_opset_import() = function.opset_import();
  *wrapper.mutable_functions() = model.functions();
  GraphProto &graph = *wrapper.mutable_graph();
  for (int i = 0; i < function.input_size(); ++i) {
    onnx::ValueInfoProto *input = graph.add_input();
    input->set_name(function.input(i));
    if (inputTypes[i].value_case() != onnx::TypeProto::VALUE_NOT_SET)
      *input->mutable_type() = inputTypes[i];
  }
  *graph.mutable_node() = function.node();
  // Bodies built for a call define only those outputs that the call uses.
  std::unordered_set<std::string> defined(function.input().begin(), function.input().end());
  for (const NodeProto &node : function.node())
    defined.insert(node.output().begin(), node.output().end());
  for (const std::string &output : function.output())
    if (defined.contains(output))
      graph.add_output()->set_name(output);

  inferTypes(wrapper);
  if (!convertGraph(wrapper, from, target, "function " + quoteName(function.name()), problems))
    return false;
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    prependAsConstant(tensor, nodes);
  for (NodeProto &node : *graph.mutable_node())
    *nodes.Add() = std::move(node);
  function.mutable_node()->Swap(&nodes);
  for (onnx::OperatorSetIdProto &import : *function.mutable_opset_import())
    if (import.domain().empty())
      import.set_version(target);
  return true;
}

} // namespace dsc::import
