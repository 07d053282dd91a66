//===- ModelChecks.cpp - is this a well-formed model? -----------------------===//
//
// Versions and operators come from ONNX's schema registry; scopes are walked here.
//
//===----------------------------------------------------------------------===//
#include "ModelChecks.h"

#include "GraphWalk.h"
#include "LocalFunctions.h"
#include "TensorData.h"
#include "dsc/Dialect/Import/NodeOrigin.h"
#include "dsc/Dialect/Import/NormalizeModel.h"

#include <exception>
#include <map>
#include <onnx/defs/schema.h>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

namespace dsc::import {

using onnx::GraphProto;
using onnx::NodeProto;

static constexpr int64_t kOldestIrVersion = 3;

//===----------------------------------------------------------------------===//
// Spelling and stamps
//===----------------------------------------------------------------------===//

template <typename Proto> static void normalizeDomain(Proto &proto) {
  if (proto.domain() == "ai.onnx")
    proto.set_domain("");
}

static void forgetUnknownDims(google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> &values) {
  for (onnx::ValueInfoProto &value : values) {
    if (!value.type().tensor_type().has_shape())
      continue;
    for (auto &dim : *value.mutable_type()->mutable_tensor_type()->mutable_shape()->mutable_dim())
      if (dim.has_dim_value() && dim.dim_value() == -1)
        dim.clear_dim_value();
  }
}

void normalizeSpelling(onnx::ModelProto &model) {
  auto normalize = [](NodeProto &node) { normalizeDomain(node); };
  for (onnx::OperatorSetIdProto &import : *model.mutable_opset_import())
    normalizeDomain(import);
  forEachNode(*model.mutable_graph()->mutable_node(), normalize);
  for (onnx::FunctionProto &function : *model.mutable_functions()) {
    normalizeDomain(function);
    for (onnx::OperatorSetIdProto &import : *function.mutable_opset_import())
      normalizeDomain(import);
    forEachNode(*function.mutable_node(), normalize);
  }
  forEachGraph(*model.mutable_graph(), [](GraphProto &graph) {
    forgetUnknownDims(*graph.mutable_input());
    forgetUnknownDims(*graph.mutable_output());
    forgetUnknownDims(*graph.mutable_value_info());
  });
}

void raiseOldOpset(onnx::ModelProto &model) {
  int64_t version = importedOpset(model, "");
  if (version < 1 || version >= kOldestOpset || model.functions_size() > 0)
    return;
  bool same = true;
  forEachNode(model.graph().node(), [&](const NodeProto &node) {
    using onnx::OpSchemaRegistry;
    if (node.domain().empty())
      same &= OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(version), "") ==
              OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(kOldestOpset), "");
  });
  for (onnx::OperatorSetIdProto &import : *model.mutable_opset_import())
    if (same && import.domain().empty())
      import.set_version(kOldestOpset);
}

template <typename Proto>
static void stampNodes(google::protobuf::RepeatedPtrField<NodeProto> &nodes,
                       const std::string &prefix, const Proto &imports) {
  int64_t index = 0;
  for (NodeProto &node : nodes) {
    NodeOrigin origin;
    origin.path = prefix + std::to_string(index++);
    origin.name = node.name();
    origin.opType = (node.domain().empty() ? "" : node.domain() + "::") + node.op_type();
    origin.opset = importedOpset(imports, node.domain());
    setOrigin(node, origin);
    forEachSubgraph(node, [&](GraphProto &graph, const std::string &attribute) {
      stampNodes(*graph.mutable_node(), origin.path + "/" + attribute + "/", imports);
    });
  }
}

void stampOrigins(onnx::ModelProto &model) {
  stampNodes(*model.mutable_graph()->mutable_node(), "", model);
  for (onnx::FunctionProto &function : *model.mutable_functions())
    stampNodes(*function.mutable_node(), function.name() + "/", function);
}

//===----------------------------------------------------------------------===//
// Versions
//===----------------------------------------------------------------------===//

static const std::unordered_map<std::string, std::pair<int, int>> &knownDomains() {
  return onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
}

/// Checks the imports of a model or function (`where`: "the model").
template <typename Proto>
static void checkOpsets(const Proto &proto, const std::string &where, ProblemList &problems) {
  std::map<std::string, int64_t> seen;
  for (const onnx::OperatorSetIdProto &import : proto.opset_import()) {
    std::string name = import.domain().empty() ? "ai.onnx" : import.domain();
    auto [it, isNew] = seen.emplace(import.domain(), import.version());
    if (!isNew && it->second != import.version())
      problems.add(ProblemCode::UnsupportedOpset, where + " imports " + quoteName(name) +
                                                      " in versions " + std::to_string(it->second) +
                                                      " and " + std::to_string(import.version()));
    auto known = knownDomains().find(import.domain());
    if (known == knownDomains().end())
      continue; // matters only if a node uses it
    int64_t oldest = import.domain().empty() ? kOldestOpset : known->second.first;
    int64_t newest = import.domain().empty() ? kNewestOpset : known->second.second;
    if (import.version() < oldest || import.version() > newest)
      problems
          .add(ProblemCode::UnsupportedOpset, where + " imports version " +
                                                  std::to_string(import.version()) + " of " +
                                                  quoteName(name))
          .help = "versions " + std::to_string(oldest) + " to " + std::to_string(newest) +
                  " are supported; onnx.version_converter converts between versions";
  }
}

static void checkVersions(const onnx::ModelProto &model, ProblemList &problems) {
  int64_t newest = onnx::Version::IR_VERSION;
  if (model.ir_version() < kOldestIrVersion || model.ir_version() > newest)
    problems.add(ProblemCode::UnsupportedIrVersion,
                 "the model has IR version " + std::to_string(model.ir_version()) +
                     "; supported are " + std::to_string(kOldestIrVersion) + " to " +
                     std::to_string(newest));
  if (model.opset_import_size() == 0)
    problems.add(ProblemCode::MissingOpset, "the model imports no operator set").help =
        "set opset_import when exporting the model";
  checkOpsets(model, "the model", problems);
  for (const onnx::FunctionProto &function : model.functions())
    checkOpsets(function, "function " + quoteName(function.name()), problems);
}

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

namespace {
/// Where the nodes at hand get their operators from.
struct OperatorScope {
  std::map<std::string, int64_t> opsets;
  const LocalFunctions *functions;
};
} // namespace

template <typename Proto>
static OperatorScope operatorScope(const Proto &proto, const LocalFunctions &functions) {
  OperatorScope scope{{}, &functions};
  for (const onnx::OperatorSetIdProto &import : proto.opset_import())
    scope.opsets.emplace(import.domain(), import.version());
  return scope;
}

static void addNodeProblem(const NodeProto &node, ProblemCode code, std::string message,
                           std::string help, ProblemList &problems) {
  Problem &problem = problems.add(code, std::move(message));
  problem.node = originOf(node).describe();
  problem.help = std::move(help);
}

static void checkCall(const NodeProto &node, const onnx::FunctionProto &function,
                      ProblemList &problems) {
  if (node.input_size() > function.input_size() || node.output_size() > function.output_size())
    addNodeProblem(node, ProblemCode::BadNode,
                   "the call of function " + quoteName(function.name()) + " has " +
                       std::to_string(node.input_size()) + " inputs and " +
                       std::to_string(node.output_size()) + " outputs; the function has " +
                       std::to_string(function.input_size()) + " and " +
                       std::to_string(function.output_size()),
                   {}, problems);
  std::set<std::string> given;
  for (const onnx::AttributeProto &attribute : node.attribute())
    given.insert(attribute.name());
  for (const std::string &name : function.attribute())
    if (!given.contains(name))
      addNodeProblem(node, ProblemCode::BadNode,
                     "the call of function " + quoteName(function.name()) +
                         " lacks the attribute " + quoteName(name),
                     {}, problems);
}

static void reportUnknownOperator(const NodeProto &node, int64_t version, ProblemList &problems) {
  std::string name = quoteName(node.op_type());
  std::string domain = node.domain().empty() ? "ai.onnx" : node.domain();
  const onnx::OpSchema *newest = onnx::OpSchemaRegistry::Schema(node.op_type(), node.domain());
  std::string help;
  if (newest && newest->since_version() > version)
    help = "the newest definition of " + name + " is of version " +
           std::to_string(newest->since_version()) + "; convert the model to that version";
  addNodeProblem(node, ProblemCode::UnknownOperator,
                 "operator " + name + " does not exist in version " + std::to_string(version) +
                     " of " + quoteName(domain),
                 help, problems);
}

/// ONNX's messages start with where in its source, or in which node, it found the
/// problem; the diagnostic says that itself.
static std::string shortened(const std::string &text) {
  size_t end = text.find("has ");
  if (text.starts_with("Node") && end != std::string::npos)
    return text.substr(end);
  return text;
}

static void checkNode(const NodeProto &node, const OperatorScope &scope, ProblemList &problems) {
  if (const onnx::FunctionProto *function = scope.functions->find(node))
    return checkCall(node, *function, problems);
  auto import = scope.opsets.find(node.domain());
  std::string domain = node.domain().empty() ? "ai.onnx" : node.domain();
  if (!knownDomains().contains(node.domain()))
    return addNodeProblem(node, ProblemCode::UnknownDomain,
                          "operator " + quoteName(node.op_type()) +
                              " belongs to the unknown domain " + quoteName(domain),
                          "export the model with standard ONNX operators, or include the operator "
                          "as a model-local function",
                          problems);
  if (import == scope.opsets.end())
    return addNodeProblem(node, ProblemCode::MissingOpset,
                          "operator " + quoteName(node.op_type()) + " belongs to " +
                              quoteName(domain) + ", which is not imported",
                          "add the domain to opset_import", problems);
  const onnx::OpSchema *schema = onnx::OpSchemaRegistry::Schema(
      node.op_type(), static_cast<int>(import->second), node.domain());
  if (!schema)
    return reportUnknownOperator(node, import->second, problems);
  if (schema->Deprecated())
    return addNodeProblem(node, ProblemCode::UnknownOperator,
                          "operator " + quoteName(node.op_type()) + " was removed in version " +
                              std::to_string(schema->since_version()) + " of " + quoteName(domain),
                          "export the model in an older version, or with its replacement",
                          problems);
  try {
    schema->Verify(node);
  } catch (const std::exception &error) {
    addNodeProblem(node, ProblemCode::BadNode, node.op_type() + ": " + shortened(error.what()), {},
                   problems);
  }
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

namespace {
/// The names that a graph's nodes may use; outer graphs are reached by `parent`.
struct NameScope {
  const NameScope *parent;
  std::unordered_set<std::string> names;

  bool sees(const std::string &name) const {
    for (const NameScope *scope = this; scope; scope = scope->parent)
      if (scope->names.contains(name))
        return true;
    return false;
  }
};

/// The nodes of a graph or function.
struct Body {
  const google::protobuf::RepeatedPtrField<NodeProto> &nodes;
  std::unordered_map<std::string, int> producers;                  ///< of each result, by index
  std::optional<std::unordered_set<const NodeProto *>> unsortable; ///< when needed
};

class GraphChecker {
public:
  GraphChecker(const OperatorScope &operators, ProblemList &problems)
      : operators(operators), problems(problems) {}

  void check(const GraphProto &graph, const NameScope *parent, const std::string &where);
  void checkBody(const google::protobuf::RepeatedPtrField<NodeProto> &nodes, NameScope &scope);

private:
  void define(const std::string &name, const std::string &what, NameScope &scope,
              const NodeProto *node);
  void checkInputs(const NodeProto &node, const NameScope &scope, Body &body);

  const OperatorScope &operators;
  ProblemList &problems;
};
} // namespace

void GraphChecker::define(const std::string &name, const std::string &what, NameScope &scope,
                          const NodeProto *node) {
  if (scope.names.insert(name).second)
    return;
  Problem &problem =
      problems.add(ProblemCode::DuplicateName,
                   what + " " + quoteName(name) + " has a name that is in use already");
  if (node)
    problem.node = originOf(*node).describe();
}

/// The nodes that no order can place: those on cycles and what depends on them.
/// (Kahn's algorithm leaves them over.)
static std::unordered_set<const NodeProto *> unsortableNodes(const Body &body) {
  std::vector<int> waitsFor(body.nodes.size());
  std::unordered_map<int, std::vector<int>> users;
  for (int i = 0; i < body.nodes.size(); ++i)
    for (const std::string &input : body.nodes[i].input())
      if (auto it = body.producers.find(input); it != body.producers.end()) {
        users[it->second].push_back(i);
        ++waitsFor[i];
      }
  std::vector<int> ready;
  for (int i = 0; i < body.nodes.size(); ++i)
    if (waitsFor[i] == 0)
      ready.push_back(i);
  std::unordered_set<const NodeProto *> left;
  for (const NodeProto &node : body.nodes)
    left.insert(&node);
  while (!ready.empty()) {
    int done = ready.back();
    ready.pop_back();
    left.erase(&body.nodes[done]);
    for (int user : users[done])
      if (--waitsFor[user] == 0)
        ready.push_back(user);
  }
  return left;
}

void GraphChecker::checkInputs(const NodeProto &node, const NameScope &scope, Body &body) {
  for (const std::string &input : node.input()) {
    if (input.empty() || scope.sees(input))
      continue;
    auto producer = body.producers.find(input);
    if (producer == body.producers.end()) {
      addNodeProblem(node, ProblemCode::UndefinedValue,
                     node.op_type() + " uses the undefined value " + quoteName(input), {},
                     problems);
      continue;
    }
    if (!body.unsortable)
      body.unsortable = unsortableNodes(body);
    if (body.unsortable->contains(&node) &&
        body.unsortable->contains(&body.nodes[producer->second])) {
      addNodeProblem(node, ProblemCode::Cycle,
                     node.op_type() + " is part of a cycle of nodes, or depends on one, through " +
                         quoteName(input),
                     {}, problems);
    } else {
      addNodeProblem(node, ProblemCode::NotSorted,
                     node.op_type() + " uses " + quoteName(input) + " before node " +
                         std::to_string(producer->second) + " defines it",
                     "sort the nodes topologically", problems);
    }
  }
}

void GraphChecker::checkBody(const google::protobuf::RepeatedPtrField<NodeProto> &nodes,
                             NameScope &scope) {
  Body body{nodes, {}, {}};
  for (int i = 0; i < nodes.size(); ++i)
    for (const std::string &output : nodes[i].output())
      body.producers.emplace(output, i);
  for (const NodeProto &node : nodes) {
    checkNode(node, operators, problems);
    checkInputs(node, scope, body);
    forEachSubgraph(node, [&](const GraphProto &graph, const std::string &attribute) {
      check(graph, &scope, attribute + " of " + originOf(node).describe());
    });
    for (const std::string &output : node.output())
      if (!output.empty())
        define(output, "the result", scope, &node);
  }
}

/// Problems of a declared type, as the rest of "value 'x' ..."; empty if none.
static std::string faultOf(const onnx::TypeProto &type, bool needed) {
  switch (type.value_case()) {
  case onnx::TypeProto::kSequenceType:
    return faultOf(type.sequence_type().elem_type(), needed);
  case onnx::TypeProto::kOptionalType:
    return faultOf(type.optional_type().elem_type(), needed);
  case onnx::TypeProto::kMapType:
    return faultOf(type.map_type().value_type(), needed);
  case onnx::TypeProto::kTensorType:
    break;
  case onnx::TypeProto::VALUE_NOT_SET:
    return needed ? "has no type" : "";
  default:
    return "has a type that is not supported";
  }
  const auto &tensor = type.tensor_type();
  bool known = nameOfElement(tensor.elem_type()) != "?";
  if (!known && (needed || tensor.elem_type() != 0))
    return "has the unknown element type " + std::to_string(tensor.elem_type());
  int64_t elements = 1;
  for (const auto &dim : tensor.shape().dim()) {
    if (!dim.has_dim_value())
      continue;
    if (dim.dim_value() < 0)
      return "has a negative dimension: " + typeText(type);
    if (dim.dim_value() > 0 && __builtin_mul_overflow(elements, dim.dim_value(), &elements))
      return "has more elements than 64 bits can count: " + typeText(type);
  }
  std::optional<uint64_t> bytes = expectedBytes(tensor.elem_type(), elements);
  if (!bytes)
    return "has a size that overflows: " + typeText(type);
  if (*bytes > kMaxTensorBytes)
    return "is larger than the 1 TiB that a tensor may have: " + typeText(type);
  return {};
}

static void checkTypes(const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> &values,
                       const std::string &what, bool needed, const std::string &where,
                       ProblemList &problems) {
  for (const onnx::ValueInfoProto &value : values)
    if (std::string fault = faultOf(value.type(), needed); !fault.empty())
      problems.add(ProblemCode::BadType,
                   what + " " + quoteName(value.name()) + " of " + where + " " + fault);
}

void GraphChecker::check(const GraphProto &graph, const NameScope *parent,
                         const std::string &where) {
  NameScope scope{parent, {}};
  std::unordered_set<std::string> inputs;
  for (const onnx::ValueInfoProto &input : graph.input()) {
    inputs.insert(input.name());
    define(input.name(), "input", scope, nullptr);
  }
  std::unordered_set<std::string> initializers;
  auto defineInitializer = [&](const std::string &name) {
    if (name.empty())
      problems.add(ProblemCode::BadGraph, "an initializer of " + where + " has no name");
    else if (!initializers.insert(name).second)
      problems.add(ProblemCode::DuplicateName,
                   "initializer " + quoteName(name) + " of " + where + " exists twice");
    else if (!inputs.contains(name))
      define(name, "initializer", scope, nullptr);
  };
  for (const onnx::TensorProto &tensor : graph.initializer())
    defineInitializer(tensor.name());
  for (const onnx::SparseTensorProto &sparse : graph.sparse_initializer())
    defineInitializer(sparse.values().name());
  checkTypes(graph.input(), "input", /*needed=*/!parent, where, problems);
  checkTypes(graph.output(), "output", /*needed=*/false, where, problems);
  checkTypes(graph.value_info(), "value", /*needed=*/false, where, problems);

  checkBody(graph.node(), scope);
  for (const onnx::ValueInfoProto &output : graph.output())
    if (!scope.sees(output.name()))
      problems.add(ProblemCode::UndefinedValue,
                   "output " + quoteName(output.name()) + " of " + where + " is never defined");
}

static void checkFunction(const onnx::FunctionProto &function, const LocalFunctions &functions,
                          ProblemList &problems) {
  OperatorScope operators = operatorScope(function, functions);
  GraphChecker checker(operators, problems);
  NameScope scope{nullptr, {function.input().begin(), function.input().end()}};
  checker.checkBody(function.node(), scope);
  for (const std::string &output : function.output())
    if (!scope.sees(output))
      problems.add(ProblemCode::UndefinedValue, "output " + quoteName(output) + " of function " +
                                                    quoteName(function.name()) +
                                                    " is never defined");
}

void checkModel(const onnx::ModelProto &model, ProblemList &problems) {
  checkVersions(model, problems);
  LocalFunctions functions(model);
  checkFunctionCalls(model, problems);
  for (const onnx::FunctionProto &function : model.functions())
    checkFunction(function, functions, problems);

  OperatorScope operators = operatorScope(model, functions);
  GraphChecker checker(operators, problems);
  checker.check(model.graph(), nullptr, "the graph");
  if (model.graph().output_size() == 0)
    problems.add(ProblemCode::BadGraph, "the graph has no outputs");
  std::set<std::string> outputs;
  for (const onnx::ValueInfoProto &output : model.graph().output())
    if (!outputs.insert(output.name()).second)
      problems.add(ProblemCode::DuplicateName,
                   "output " + quoteName(output.name()) + " of the graph exists twice");
}

void checkNodes(const onnx::ModelProto &model, ProblemList &problems) {
  LocalFunctions functions(model);
  OperatorScope operators = operatorScope(model, functions);
  forEachNode(model.graph().node(),
              [&](const NodeProto &node) { checkNode(node, operators, problems); });
}

} // namespace dsc::import
