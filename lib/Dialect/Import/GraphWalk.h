//===- GraphWalk.h - visits nested graphs and tensors -----------------------===//
//
// ONNX graphs nest through node attributes; these visit all of them, outer before
// inner. Recursion is bounded by the scanner's kMaxMessageDepth.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <onnx/onnx_pb.h>
#include <string>

namespace dsc::import {

/// Calls fn(GraphProto &) for each graph that an attribute of `node` holds; not
/// for those nested deeper.
template <typename Node, typename Fn> void forEachSubgraph(Node &node, Fn &&fn) {
  if constexpr (std::is_const_v<Node>) {
    for (const onnx::AttributeProto &attribute : node.attribute()) {
      if (attribute.has_g())
        fn(attribute.g(), attribute.name());
      for (const onnx::GraphProto &graph : attribute.graphs())
        fn(graph, attribute.name());
    }
  } else {
    for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
      if (attribute.has_g())
        fn(*attribute.mutable_g(), attribute.name());
      for (onnx::GraphProto &graph : *attribute.mutable_graphs())
        fn(graph, attribute.name());
    }
  }
}

/// Calls fn(NodeProto &) for each node of `nodes` (a repeated field) and of all
/// graphs nested in them.
template <typename Nodes, typename Fn> void forEachNode(Nodes &nodes, Fn &&fn) {
  for (auto &node : nodes) {
    fn(node);
    forEachSubgraph(node, [&](auto &graph, const std::string &) {
      if constexpr (std::is_const_v<std::remove_reference_t<decltype(graph)>>)
        forEachNode(graph.node(), fn);
      else
        forEachNode(*graph.mutable_node(), fn);
    });
  }
}

/// Calls fn(GraphProto &) for `graph` and all graphs nested in it.
template <typename Fn> void forEachGraph(onnx::GraphProto &graph, Fn &&fn) {
  fn(graph);
  for (onnx::NodeProto &node : *graph.mutable_node())
    forEachSubgraph(node,
                    [&](onnx::GraphProto &inner, const std::string &) { forEachGraph(inner, fn); });
}

/// The version of `domain` that `proto` (a model or function) imports; 0 if none.
template <typename Proto> int64_t importedOpset(const Proto &proto, const std::string &domain) {
  for (const onnx::OperatorSetIdProto &import : proto.opset_import())
    if (import.domain() == domain)
      return import.version();
  return 0;
}

} // namespace dsc::import
