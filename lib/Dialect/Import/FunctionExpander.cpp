//===- FunctionExpander.cpp - replaces calls by function bodies -------------===//
//
// One engine for both kinds of functions. ONNX's own inliner is not used: it throws
// on empty optional inputs and untyped values, and ignores attribute defaults.
//
//===----------------------------------------------------------------------===//
#include "FunctionExpander.h"

#include "GraphWalk.h"
#include "LocalFunctions.h"
#include "OperatorBodies.h"
#include "OpsetConversion.h"
#include "Renamer.h"
#include "TypeInference.h"
#include "dsc/Dialect/Import/NodeOrigin.h"
#include "dsc/Dialect/Import/NormalizeModel.h"

#include <algorithm>
#include <exception>
#include <onnx/defs/schema.h>
#include <onnx/shape_inference/attribute_binder.h>
#include <optional>

namespace dsc::import {

using onnx::FunctionProto;
using onnx::GraphProto;
using onnx::NodeProto;
using Nodes = google::protobuf::RepeatedPtrField<NodeProto>;

/// Functions that call each other twice double the nodes with each level.
static constexpr int64_t kMaxNodes = 500'000;

/// Deeper chains of functions are refused before (see checkFunctionCalls).
static constexpr int kMaxRounds = 128;

/// The body that replaces a node, with attribute_proto holding the defaults of
/// attributes; nullopt if the node stays.
using BodyProvider =
    std::function<std::optional<FunctionProto>(const NodeProto &, const TypeScope &)>;

//===----------------------------------------------------------------------===//
// The engine
//===----------------------------------------------------------------------===//

namespace {
class Expander {
public:
  Expander(onnx::ModelProto &model, const BodyProvider &bodyOf, ProblemList &problems)
      : model(model), bodyOf(bodyOf), problems(problems), names(model),
        opset(importedOpset(model, "")) {}

  /// Replaces the calls that are there now; bodies may bring new ones.
  /// Returns false after adding a problem.
  bool runOnce(bool &changed);

private:
  bool expandGraph(GraphProto &graph, const TypeScope *parent);
  bool expandNode(const NodeProto &call, FunctionProto body, const TypeScope &types, Nodes &out);
  void uniquify(FunctionProto &body);
  void splice(const NodeProto &call, FunctionProto &body, Nodes &out);

  onnx::ModelProto &model;
  const BodyProvider &bodyOf;
  ProblemList &problems;
  NameSet names;
  int64_t opset;
  int64_t addedNodes = 0;
  bool anyChange = false;
};
} // namespace

bool Expander::runOnce(bool &changed) {
  anyChange = false;
  bool succeeded = expandGraph(*model.mutable_graph(), nullptr);
  changed = anyChange;
  return succeeded;
}

bool Expander::expandGraph(GraphProto &graph, const TypeScope *parent) {
  TypeScope types(graph, parent);
  Nodes expanded;
  bool succeeded = true;
  for (NodeProto &node : *graph.mutable_node()) {
    forEachSubgraph(node, [&](GraphProto &inner, const std::string &) {
      succeeded = succeeded && expandGraph(inner, &types);
    });
    if (!succeeded)
      return false;
    std::optional<FunctionProto> body = bodyOf(node, types);
    if (!body || node.input_size() > body->input_size() ||
        node.output_size() > body->output_size()) {
      *expanded.Add() = std::move(node);
      continue;
    }
    anyChange = true;
    if (!expandNode(node, std::move(*body), types, expanded))
      return false;
  }
  graph.mutable_node()->Swap(&expanded);
  return true;
}

static bool hasInput(const NodeProto &node, int index) {
  return index < node.input_size() && !node.input(index).empty();
}

static bool hasGraphAttribute(const NodeProto &node) {
  bool found = false;
  forEachSubgraph(node, [&](const GraphProto &, const std::string &) { found = true; });
  return found;
}

/// Replaces attribute references by the call's attributes or their defaults, and
/// removes those that have neither.
static void bindAttributes(const NodeProto &call, FunctionProto &body) {
  onnx::internal::AttributeMap attributes;
  FunctionProto defaults;
  defaults.mutable_attribute_proto()->Swap(body.mutable_attribute_proto());
  for (const onnx::AttributeProto &attribute : defaults.attribute_proto())
    attributes[attribute.name()] = &attribute;
  for (const onnx::AttributeProto &attribute : call.attribute())
    attributes[attribute.name()] = &attribute;
  onnx::internal::AttributeBinder(attributes).VisitFunction(body);
}

/// Uses of inputs that the call leaves out become empty.
static void bindAbsentInputs(const NodeProto &call, FunctionProto &body) {
  Renamer renamer(nullptr, {});
  for (int i = 0; i < body.input_size(); ++i)
    if (!hasInput(call, i))
      renamer.bind(body.input(i), "");
  renamer.rename(*body.mutable_node());
}

/// Makes all names of the body new, so that graphs among the call's attributes,
/// which use names of the call's surroundings, can be put into it.
void Expander::uniquify(FunctionProto &body) {
  Renamer renamer(&names, body.name() + "/");
  for (std::string &input : *body.mutable_input())
    input = renamer.define(input);
  renamer.rename(*body.mutable_node());
  for (std::string &output : *body.mutable_output())
    output = renamer.lookup(output);
}

bool Expander::expandNode(const NodeProto &call, FunctionProto body, const TypeScope &types,
                          Nodes &out) {
  if (hasGraphAttribute(call))
    uniquify(body);
  bindAttributes(call, body);
  bindAbsentInputs(call, body);
  if (importedOpset(body, "") != opset) {
    std::vector<onnx::TypeProto> inputTypes(body.input_size());
    for (int i = 0; i < body.input_size(); ++i)
      if (const onnx::TypeProto *type = hasInput(call, i) ? types.find(call.input(i)) : nullptr)
        inputTypes[i] = *type;
    if (!convertFunction(body, inputTypes, model, opset, problems))
      return false;
  }
  splice(call, body, out);
  addedNodes += body.node_size();
  if (addedNodes <= kMaxNodes)
    return true;
  problems.add(ProblemCode::ExpansionTooLarge, "the functions of the model expand to more than " +
                                                   std::to_string(kMaxNodes) + " nodes");
  return false;
}

/// A node of a local function is at its place in the function of the call; a node
/// of an operator's body belongs to the operator.
static void inheritOrigin(const NodeProto &call, NodeProto &node) {
  if (!hasOrigin(node)) {
    node.set_doc_string(call.doc_string());
    return;
  }
  NodeOrigin origin = originOf(node);
  origin.path = originOf(call).path + "/" + origin.path;
  setOrigin(node, origin);
}

/// Moves the nodes of `body`, renamed for `call`, to `out`.
void Expander::splice(const NodeProto &call, FunctionProto &body, Nodes &out) {
  std::string prefix = (call.name().empty() ? call.op_type() : call.name()) + "/";
  Renamer renamer(&names, prefix);
  for (int i = 0; i < body.input_size(); ++i)
    renamer.bind(body.input(i), hasInput(call, i) ? call.input(i) : "");
  std::vector<std::pair<std::string, std::string>> copies;
  for (int i = 0; i < call.output_size(); ++i) {
    const std::string &formal = body.output(i);
    const std::string &actual = call.output(i);
    bool isInput =
        std::find(body.input().begin(), body.input().end(), formal) != body.input().end();
    bool isDouble = std::find(body.output().begin(), body.output().begin() + i, formal) !=
                    body.output().begin() + i;
    if (actual.empty())
      continue;
    if (isInput || isDouble)
      copies.emplace_back(formal, actual);
    else
      renamer.bind(formal, actual);
  }
  for (const auto &[formal, actual] : copies) {
    NodeProto *copy = body.add_node();
    copy->set_op_type("Identity");
    copy->add_input(formal);
    copy->add_output(actual);
    renamer.bind(actual, actual);
  }
  renamer.rename(*body.mutable_node());
  for (NodeProto &node : *body.mutable_node()) {
    if (!call.name().empty())
      node.set_name(prefix + (node.name().empty() ? node.op_type() : node.name()));
    NodeProto *added = out.Add();
    *added = std::move(node);
    inheritOrigin(call, *added);
    forEachSubgraph(*added, [&](GraphProto &graph, const std::string &) {
      forEachNode(*graph.mutable_node(), [&](NodeProto &inner) { inheritOrigin(call, inner); });
    });
  }
}

//===----------------------------------------------------------------------===//
// Model-local functions
//===----------------------------------------------------------------------===//

/// The highest version of each domain that the model and its functions import.
static void importForFunctions(onnx::ModelProto &model, bool &mixed) {
  for (const FunctionProto &function : model.functions())
    for (const onnx::OperatorSetIdProto &import : function.opset_import()) {
      int64_t version = importedOpset(model, import.domain());
      if (version == 0)
        *model.add_opset_import() = import;
      else if (import.domain().empty())
        mixed |= version != import.version();
    }
}

/// Only ai.onnx can be converted; in other domains an operator must mean the same
/// in the version of the function and in that of the model.
static void checkOtherDomains(const onnx::ModelProto &model, ProblemList &problems) {
  for (const FunctionProto &function : model.functions())
    forEachNode(function.node(), [&](const NodeProto &node) {
      int from = static_cast<int>(importedOpset(function, node.domain()));
      int to = static_cast<int>(importedOpset(model, node.domain()));
      if (node.domain().empty() || from == to || from == 0)
        return;
      auto *before = onnx::OpSchemaRegistry::Schema(node.op_type(), from, node.domain());
      auto *after = onnx::OpSchemaRegistry::Schema(node.op_type(), to, node.domain());
      if (before == after)
        return;
      problems
          .add(ProblemCode::BadFunction,
               "function " + quoteName(function.name()) + " uses version " + std::to_string(from) +
                   " of " + quoteName(node.domain()) + " and the model version " +
                   std::to_string(to) + ", in which " + quoteName(node.op_type()) + " differs")
          .node = originOf(node).describe();
    });
}

bool inlineLocalFunctions(onnx::ModelProto &model, ProblemList &problems) {
  if (model.functions_size() == 0)
    return true;
  bool mixed = false;
  importForFunctions(model, mixed);
  size_t before = problems.size();
  checkOtherDomains(model, problems);
  if (problems.size() != before)
    return false;
  if (mixed && !convertModel(model, kNewestOpset, problems))
    return false;

  LocalFunctions functions(model);
  BodyProvider bodyOf = [&](const NodeProto &node,
                            const TypeScope &) -> std::optional<FunctionProto> {
    const FunctionProto *function = functions.find(node);
    if (!function)
      return std::nullopt;
    FunctionProto body = *function;
    if (importedOpset(body, "") == 0) { // uses other domains only
      onnx::OperatorSetIdProto *import = body.add_opset_import();
      import->set_domain("");
      import->set_version(importedOpset(model, ""));
    }
    return body;
  };
  Expander expander(model, bodyOf, problems);
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    if (mixed)
      inferTypes(model);
    if (!expander.runOnce(changed))
      return false;
  }
  model.clear_functions();
  return true;
}

//===----------------------------------------------------------------------===//
// Operators that are functions
//===----------------------------------------------------------------------===//

static bool meansTheSame(const Nodes &nodes, int64_t from, int64_t to) {
  bool same = true;
  forEachNode(nodes, [&](const NodeProto &node) {
    if (node.domain().empty())
      same &= onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(from), "") ==
              onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(to), "");
  });
  return same;
}

static void setImport(FunctionProto &body, int64_t version) {
  for (onnx::OperatorSetIdProto &import : *body.mutable_opset_import())
    if (import.domain().empty())
      return import.set_version(version);
  body.add_opset_import()->set_version(version);
}

/// The newest entry of `versions` that is not newer than `version`; 0 if none.
static int64_t newestUpTo(const std::vector<int> &versions, int64_t version) {
  int64_t newest = 0;
  for (int candidate : versions)
    if (candidate <= version)
      newest = std::max<int64_t>(newest, candidate);
  return newest;
}

static bool buildBody(const NodeProto &node, const onnx::OpSchema &schema, int64_t version,
                      const TypeScope &types, FunctionProto &body) {
  if (const FunctionProto *fixed = schema.GetFunction(static_cast<int>(version))) {
    body = *fixed;
    return true;
  }
  int64_t builder = newestUpTo(schema.context_dependent_function_opset_versions(), version);
  if (builder == 0)
    return false;
  std::vector<onnx::TypeProto> inputTypes(node.input_size());
  for (int i = 0; i < node.input_size(); ++i)
    if (const onnx::TypeProto *type = types.find(node.input(i)))
      inputTypes[i] = *type;
  onnx::FunctionBodyBuildContextImpl context(node, inputTypes);
  if (!schema.BuildContextDependentFunction(context, body, static_cast<int>(version)))
    return false;
  // ONNX writes the requested version over the one that the body was written for.
  if (schema.domain().empty())
    setImport(body, builder);
  return true;
}

static std::optional<FunctionProto>
operatorBody(const NodeProto &node, const onnx::ModelProto &model, const TypeScope &types) {
  int64_t version = importedOpset(model, node.domain());
  const onnx::OpSchema *schema =
      onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(version), node.domain());
  if (!schema || (!schema->HasFunction() && !schema->HasContextDependentFunction()))
    return std::nullopt;
  FunctionProto body;
  try {
    if (!buildBody(node, *schema, version, types, body))
      return std::nullopt;
  } catch (const std::exception &) {
    return std::nullopt; // without a type that it needs, the operator stays whole
  }
  int64_t target = importedOpset(model, "");
  int64_t written = importedOpset(body, "");
  if (written == 0 || meansTheSame(body.node(), written, target))
    setImport(body, target);
  for (const auto &[name, attribute] : schema->attributes())
    if (attribute.default_value.has_name())
      *body.add_attribute_proto() = attribute.default_value;
  return body;
}

bool expandOperators(onnx::ModelProto &model,
                     const std::function<bool(const NodeProto &)> &keepWhole,
                     ProblemList &problems) {
  BodyProvider bodyOf = [&](const NodeProto &node,
                            const TypeScope &types) -> std::optional<FunctionProto> {
    if (keepWhole && keepWhole(node))
      return std::nullopt;
    if (std::optional<FunctionProto> own = ownBody(node, types))
      return own;
    return operatorBody(node, model, types);
  };
  Expander expander(model, bodyOf, problems);
  inferTypes(model);
  bool changed = true;
  for (int round = 0; changed && round < kMaxRounds; ++round) {
    if (!expander.runOnce(changed))
      return false;
    if (changed)
      inferTypes(model);
  }
  return true;
}

} // namespace dsc::import
