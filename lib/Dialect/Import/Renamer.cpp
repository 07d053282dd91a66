//===- Renamer.cpp - renames the values of nodes and nested graphs ----------===//
//
// Inner graphs see the names of outer ones, and may shadow them.
//
//===----------------------------------------------------------------------===//
#include "Renamer.h"

#include "GraphWalk.h"

namespace dsc::import {

using onnx::GraphProto;
using onnx::NodeProto;

NameSet::NameSet(onnx::ModelProto &model) {
  forEachGraph(*model.mutable_graph(), [&](GraphProto &graph) { addNames(graph); });
}

void NameSet::addNames(GraphProto &graph) {
  for (const auto *values : {&graph.input(), &graph.output()})
    for (const onnx::ValueInfoProto &value : *values)
      taken.insert(value.name());
  for (const onnx::TensorProto &tensor : graph.initializer())
    taken.insert(tensor.name());
  for (const NodeProto &node : graph.node()) {
    taken.insert(node.input().begin(), node.input().end());
    taken.insert(node.output().begin(), node.output().end());
  }
}

std::string NameSet::fresh(const std::string &hint) {
  std::string name = hint;
  while (!taken.insert(name).second)
    name = hint + "_" + std::to_string(counters[hint]++);
  return name;
}

std::string Renamer::lookup(const std::string &name) const {
  for (auto scope = scopes.rbegin(); scope != scopes.rend(); ++scope)
    if (auto it = scope->find(name); it != scope->end())
      return it->second;
  return name;
}

std::string Renamer::define(const std::string &name) {
  auto it = scopes.back().find(name);
  if (it == scopes.back().end())
    it = scopes.back().emplace(name, names ? names->fresh(prefix + name) : name).first;
  return it->second;
}

static void dropTrailingEmptyInputs(NodeProto &node) {
  while (node.input_size() > 0 && node.input(node.input_size() - 1).empty())
    node.mutable_input()->RemoveLast();
}

void Renamer::rename(google::protobuf::RepeatedPtrField<NodeProto> &nodes) {
  for (NodeProto &node : nodes) {
    for (std::string &input : *node.mutable_input())
      if (!input.empty())
        input = lookup(input);
    dropTrailingEmptyInputs(node);
    forEachSubgraph(node, [&](GraphProto &graph, const std::string &) { rename(graph); });
    for (std::string &output : *node.mutable_output())
      if (!output.empty())
        output = define(output);
  }
}

void Renamer::rename(GraphProto &graph) {
  scopes.emplace_back();
  for (onnx::ValueInfoProto &input : *graph.mutable_input())
    input.set_name(define(input.name()));
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    tensor.set_name(define(tensor.name()));
  rename(*graph.mutable_node());
  for (onnx::ValueInfoProto &output : *graph.mutable_output())
    output.set_name(lookup(output.name()));
  for (onnx::ValueInfoProto &value : *graph.mutable_value_info())
    value.set_name(lookup(value.name()));
  scopes.pop_back();
}

} // namespace dsc::import
