//===- ReduceModel.cpp - a small part of a model that still fails -----------===//
//
// Halves first, then a shorter piece off either end, until nothing shorter fails.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/ReduceModel.h"

#include "GraphWalk.h"
#include "ModelChecks.h"
#include "TypeInference.h"

#include <exception>
#include <fstream>
#include <google/protobuf/stubs/logging.h>
#include <map>
#include <set>

namespace dsc::import {

using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;

namespace {
/// Nodes [begin, end) of the main graph.
struct Range {
  int begin, end;
  int size() const { return end - begin; }
};

class Reducer {
public:
  Reducer(ModelProto given, const std::function<bool(const std::string &)> &fails,
          const std::function<bool()> &isTimeUp);

  std::string run();

private:
  std::string extract(Range range) const;
  void addInput(const std::string &name, GraphProto &part) const;
  /// Whether the range fails; then it is the best so far.
  bool accept(Range range);

  ModelProto model;
  TypeScope types;
  std::map<std::string, const TensorProto *> initializers;
  const std::function<bool(const std::string &)> &fails;
  const std::function<bool()> &isTimeUp;
  Range best{0, 0};
  std::string bestBytes;
};
} // namespace

static ModelProto withTypes(ModelProto model) {
  inferTypes(model);
  return model;
}

Reducer::Reducer(ModelProto given, const std::function<bool(const std::string &)> &fails,
                 const std::function<bool()> &isTimeUp)
    : model(withTypes(std::move(given))), types(model.graph()), fails(fails), isTimeUp(isTimeUp) {
  for (const TensorProto &tensor : model.graph().initializer())
    initializers.emplace(tensor.name(), &tensor);
}

/// The names that a node reads, those that graphs in it read included.
static void addUses(const NodeProto &node, std::set<std::string> &names) {
  names.insert(node.input().begin(), node.input().end());
  forEachSubgraph(node, [&](const GraphProto &graph, const std::string &) {
    for (const NodeProto &inner : graph.node())
      addUses(inner, names);
    for (const onnx::ValueInfoProto &output : graph.output())
      names.insert(output.name());
  });
}

/// Initializers stay what they are, unless their data are elsewhere.
void Reducer::addInput(const std::string &name, GraphProto &part) const {
  auto initializer = initializers.find(name);
  if (initializer != initializers.end() &&
      initializer->second->data_location() != TensorProto::EXTERNAL) {
    *part.add_initializer() = *initializer->second;
  } else if (const onnx::TypeProto *type = types.find(name)) {
    onnx::ValueInfoProto &input = *part.add_input();
    input.set_name(name);
    *input.mutable_type() = *type;
  }
}

/// The bytes of a model of these nodes.
std::string Reducer::extract(Range range) const {
  ModelProto result = model;
  result.mutable_graph()->Clear();
  GraphProto &part = *result.mutable_graph();
  part.set_name(model.graph().name());
  std::set<std::string> inside, usedInside, usedOutside;
  for (int i = 0; i < model.graph().node_size(); ++i) {
    const NodeProto &node = model.graph().node(i);
    bool isInside = i >= range.begin && i < range.end;
    addUses(node, isInside ? usedInside : usedOutside);
    if (!isInside)
      continue;
    *part.add_node() = node;
    inside.insert(node.output().begin(), node.output().end());
  }
  for (const std::string &name : usedInside)
    if (!name.empty() && !inside.contains(name))
      addInput(name, part);
  for (const onnx::ValueInfoProto &output : model.graph().output())
    usedOutside.insert(output.name());
  for (const std::string &name : inside) {
    if (name.empty() || (usedInside.contains(name) && !usedOutside.contains(name)))
      continue;
    onnx::ValueInfoProto &output = *part.add_output();
    output.set_name(name);
    if (const onnx::TypeProto *type = types.find(name))
      *output.mutable_type() = *type;
  }
  return result.SerializeAsString();
}

bool Reducer::accept(Range range) {
  if (range.size() == 0 || isTimeUp())
    return false;
  std::string bytes = extract(range);
  if (!fails(bytes))
    return false;
  best = range;
  bestBytes = std::move(bytes);
  return true;
}

std::string Reducer::run() {
  if (!accept({0, model.graph().node_size()}))
    return {};
  // Each success makes the range shorter; each failure the pieces.
  for (int piece = best.size() / 2; piece > 0;) {
    if (piece >= best.size())
      piece = best.size() - 1;
    else if (!accept({best.begin, best.end - piece}) && !accept({best.begin + piece, best.end}))
      piece /= 2;
  }
  return bestBytes;
}

static bool parseWhole(const std::string &path, ModelProto &model) {
  std::ifstream file(path, std::ios::binary);
  return file && model.ParseFromIstream(&file) && model.has_graph();
}

std::string reduceModel(const std::string &path,
                        const std::function<bool(const std::string &bytes)> &fails,
                        const std::function<bool()> &isTimeUp) {
  google::protobuf::LogSilencer silencer;
  try {
    ModelProto model;
    return parseWhole(path, model) ? Reducer(std::move(model), fails, isTimeUp).run() : "";
  } catch (const std::exception &) {
    return {}; // a model that nobody can take apart has no parts
  }
}

} // namespace dsc::import
