//===- Explain.cpp - dsc explain ------------------------------------------===//
//
// Follows one ONNX node through the phases to the kernel that computes it.
//
//===----------------------------------------------------------------------===//
#include "CodeViews.h"
#include "Definitions.h"
#include "ModelCompiler.h"
#include "Verbs.h"

#include "dsc/Dialect/Import/NodeList.h"
#include "dsc/Transforms/PrintSpecs.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <set>

using namespace mlir;
using Json = nlohmann::ordered_json;

namespace dsc::cli {

namespace {
struct ExplainCommand {
  std::string model, node;
  bool full = false, assembly = false;
  ModelOptions options;

  int run(const Globals &globals);

private:
  import::ListedNode findNode() const;
  /// Each adds its part to the JSON and returns its text.
  std::string describeNode(const import::ListedNode &wanted, Json &json) const;
  std::string describePhases(ModelCompiler &compiler, const import::ListedNode &wanted,
                             Json &json) const;
  std::string describeKernels(ModelCompiler &compiler, const import::ListedNode &wanted,
                              Json &json) const;
  std::string bounded(const std::string &text) const;
};
} // namespace

//===----------------------------------------------------------------------===//
// The node
//===----------------------------------------------------------------------===//

/// Nodes of the operator that the user has written, or names that look most like it.
static std::vector<std::string> nearestNames(const std::vector<import::ListedNode> &nodes,
                                             StringRef wanted) {
  constexpr size_t kMost = 5, kMostCompared = 20000;
  std::vector<std::pair<unsigned, std::string>> ranked;
  for (const import::ListedNode &node : ArrayRef(nodes).take_front(kMostCompared)) {
    StringRef name = node.name.empty() ? StringRef(node.path) : StringRef(node.name);
    bool contains = !wanted.empty() && name.contains_insensitive(wanted);
    bool isOperator = wanted == node.opType;
    unsigned distance = isOperator || contains ? 0 : wanted.edit_distance_insensitive(name);
    ranked.emplace_back(distance, fmt::format("'{}'", name.str()));
  }
  std::sort(ranked.begin(), ranked.end());
  ranked.erase(std::unique(ranked.begin(), ranked.end()), ranked.end());
  std::vector<std::string> names;
  for (size_t i = 0; i < std::min(kMost, ranked.size()); ++i)
    names.push_back(ranked[i].second);
  return names;
}

/// By number first: a name may be one, too.
import::ListedNode ExplainCommand::findNode() const {
  import::ProblemList problems;
  std::vector<import::ListedNode> nodes = import::listNodes(model, problems);
  if (!problems.empty())
    failImport(problems);
  for (auto member : {&import::ListedNode::path, &import::ListedNode::name})
    for (const import::ListedNode &candidate : nodes)
      if (!node.empty() && candidate.*member == node)
        return candidate;
  std::vector<std::string> names = nearestNames(nodes, node);
  fail(Code::Usage, fmt::format("the model has no node '{}'", node),
       fmt::format("give a node's name, or its number from 0 to {}{}", nodes.size() - 1,
                   names.empty() ? "" : fmt::format("; nearest are {}", fmt::join(names, ", "))));
}

/// Whether an op comes from the node, or from what it has been replaced by.
static bool isFrom(Location loc, const import::ListedNode &wanted) {
  bool found = false;
  loc->walk([&](Location part) {
    auto name = dyn_cast<NameLoc>(part);
    found |= name && name.getName() == wanted.summary;
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

std::string ExplainCommand::describeNode(const import::ListedNode &wanted, Json &json) const {
  json["node"] = wanted.summary;
  json["operator"] = wanted.opType;
  return fmt::format("{}: {}\n", wanted.summary, wanted.opType);
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

std::string ExplainCommand::bounded(const std::string &text) const {
  constexpr size_t kMostLines = 60;
  size_t end = 0, lines = 0;
  for (; lines < kMostLines && end < text.size(); ++lines)
    end = std::min(text.find('\n', end), text.size() - 1) + 1;
  size_t rest = std::count(text.begin() + end, text.end(), '\n');
  if (full || rest < 2)
    return text;
  return text.substr(0, end) + fmt::format("... {} more lines; --full shows them\n", rest);
}

/// The outermost ops of the node: a group that has a part of it, rather than the part.
static std::string opsOf(ModuleOp module, const import::ListedNode &wanted) {
  std::string text;
  llvm::raw_string_ostream os(text);
  module.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<ModuleOp, func::FuncOp>(op) || !isFrom(op->getLoc(), wanted))
      return WalkResult::advance();
    // They are shown as a table.
    op->removeDiscardableAttr("verdicts");
    op->print(os, OpPrintingFlags().useLocalScope().assumeVerified());
    os << "\n";
    return WalkResult::skip();
  });
  return text;
}

/// "defined in" lines for a name.
static std::string placesOf(const std::string &name, const std::string &indent) {
  std::string text;
  for (const Definition &definition : definitionsOf(name))
    text += fmt::format("{}{} at {}\n", indent, definition.kind, definition.place);
  return text;
}

/// The Specs of the node's ops, each kind of op once, with its definition.
static std::string specsOf(ModuleOp module, const import::ListedNode &wanted, Json &json) {
  std::string text;
  std::set<std::string> seen;
  module.walk([&](ComputeOp op) {
    std::string name = op->getName().getStringRef().str();
    if (!isFrom(op->getLoc(), wanted) || !seen.insert(name).second)
      return;
    std::string spec;
    llvm::raw_string_ostream os(spec);
    if (failed(printSpec(os, op)))
      spec = name + " has no Spec: it is replaced by other ops\n";
    Json places = Json::array();
    for (const Definition &definition : definitionsOf(name))
      places.push_back({{"what", definition.kind}, {"place", definition.place}});
    json.push_back({{"op", name}, {"spec", spec}, {"defined", std::move(places)}});
    text += spec + placesOf(name, "  ");
  });
  return text;
}

std::string ExplainCommand::describePhases(ModelCompiler &compiler,
                                           const import::ListedNode &wanted, Json &json) const {
  // Specs are those of the ops that groups are formed of.
  constexpr StringRef kSpecPhase = "simplify";
  std::string text;
  for (StringRef phase : phaseNames()) {
    OwningOpRef<ModuleOp> module = compiler.moduleAfter(phase.str());
    std::string ops = opsOf(*module, wanted);
    json["phases"][phase.str()] = ops;
    text += fmt::format("\n--- after {}\n{}", phase.str(),
                        ops.empty() ? "(nothing: a constant, a size, or a part of other nodes)\n"
                                    : bounded(ops));
    if (phase != kSpecPhase)
      continue;
    json["specs"] = Json::array();
    std::string specs = specsOf(*module, wanted, json["specs"]);
    if (!specs.empty())
      text += "\n--- what it computes\n" + bounded(specs);
  }
  return text;
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// One line for each verdict; the cheapest is the one that was chosen.
static std::string describeCandidates(const Json &candidates) {
  const Json *best = nullptr;
  for (const Json &candidate : candidates)
    if (candidate.value("verdict", "") == "ok" &&
        (!best || candidate.value("ns", 0.0) < best->value("ns", 0.0)))
      best = &candidate;
  std::string text;
  for (const Json &candidate : candidates) {
    std::string name = candidate.value("template", "");
    std::string verdict = candidate.value("verdict", "") == "ok"
                              ? fmt::format("{:.4g} us expected", candidate.value("ns", 0.0) * 1e-3)
                              : "no: " + candidate.value("reason", "");
    std::vector<Definition> places = definitionsOf(name);
    text += fmt::format("  {} {:<16} {}{}\n", &candidate == best ? "*" : " ", name, verdict,
                        places.empty() ? "" : "  (" + places.front().place + ")");
  }
  return text;
}

static std::string describeKernel(const Json &kernel, const std::string &node) {
  std::vector<std::string> others;
  for (const Json &name : kernel.value("nodes", Json::array()))
    if (name.is_string() && name.get<std::string>() != node)
      others.push_back(name.get<std::string>());
  return fmt::format("\n--- {}: template {}, {} parts, {:.4g} MFLOP, {:.4g} MB\n{}{}",
                     kernel.value("name", ""), kernel.value("template", ""),
                     kernel.value("parts", ""), kernel.value("flops", 0.0) * 1e-6,
                     kernel.value("bytes", 0.0) * 1e-6,
                     others.empty() ? "" : fmt::format("with {}\n", fmt::join(others, ", ")),
                     describeCandidates(kernel.value("candidates", Json::array())));
}

std::string ExplainCommand::describeKernels(ModelCompiler &compiler,
                                            const import::ListedNode &wanted, Json &json) const {
  KernelListing listing = compiler.listKernels();
  // Choosing kernels has changed the module.
  std::string code = assembly ? ModelCompiler(model, options).emitCode("asm") : "";
  Json report = Json::parse(listing.report, nullptr, /*allow_exceptions=*/false);
  std::string text;
  json["kernels"] = Json::array();
  for (Json kernel : report.value("kernels", Json::array())) {
    Json nodes = kernel.value("nodes", Json::array());
    if (std::find(nodes.begin(), nodes.end(), Json(wanted.summary)) == nodes.end())
      continue;
    std::string name = kernel.value("name", "");
    text += describeKernel(kernel, wanted.summary);
    kernel["loops"] = listing.loops[name];
    text += "its loops:\n" +
            (full ? listing.loops[name] + "\n" : bounded(loopOutline(listing.loops[name])));
    if (assembly) {
      kernel["inner_loop"] = innerLoop(code, name);
      text += "its inner loop:\n" + bounded(innerLoop(code, name));
    }
    json["kernels"].push_back(std::move(kernel));
  }
  return text;
}

int ExplainCommand::run(const Globals &globals) {
  import::ListedNode wanted = findNode();
  ModelCompiler compiler(model, options);
  Json json{{"status", "ok"}, {"model", model}};
  std::string text = describeNode(wanted, json);
  text += describePhases(compiler, wanted, json);
  text += describeKernels(compiler, wanted, json);
  if (globals.json)
    printJson(json);
  else
    print(text);
  return kDone;
}

Verb addExplain(CLI::App &app) {
  auto command = std::make_shared<ExplainCommand>();
  CLI::App *verb = app.add_subcommand("explain", "Follow one node of a model through the compiler");
  verb->add_option("model", command->model, "The ONNX model")->required();
  verb->add_option("node", command->node, "The node's name, or its number in the model")
      ->required();
  verb->add_flag("--asm", command->assembly, "Also show the inner loop's assembly");
  verb->add_flag("--full", command->full,
                 "Show all lines of everything, the kernel's code included");
  command->options.addTo(*verb);
  verb->footer(
      "For each phase: the ops that the node has become; what they compute (loops and\n"
      "scalar code); each kernel template's verdict, with the expected time or the reason\n"
      "why not (* is chosen); the kernel's loops. Places are relative to dsc's sources.\n\n"
      "Examples:\n"
      "  dsc explain model.onnx /layer1/conv1/Conv\n"
      "  dsc explain model.onnx 418 --asm\n"
      "  dsc explain model.onnx 12/then_branch/3 --json | jq '.kernels[].candidates'\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
