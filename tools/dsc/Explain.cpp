//===- Explain.cpp - dsc explain ------------------------------------------===//
//
// Follows one ONNX node through the phases to the kernel that computes it.
//
//===----------------------------------------------------------------------===//
#include "ModelCompiler.h"
#include "Verbs.h"

#include "dsc/Dialect/IR/DscDialect.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include "llvm/ADT/StringExtras.h"

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
  ModelOptions options;

  int run(const Globals &globals);
};
} // namespace

/// Whether a location's name is the node that the user means: by number or by name.
static bool isNode(StringRef name, StringRef wanted) {
  StringRef rest = name;
  if (!rest.consume_front("node "))
    return false;
  auto [path, details] = rest.split(' ');
  return path == wanted || details.starts_with(("'" + wanted + "'").str());
}

static bool isFrom(Location loc, StringRef wanted) {
  bool found = false;
  loc->walk([&](Location part) {
    auto name = dyn_cast<NameLoc>(part);
    found |= name && isNode(name.getName(), wanted);
    return found ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found;
}

/// The outermost ops of the node: a group that has a part of it, rather than the part.
static std::string opsOf(ModuleOp module, StringRef wanted) {
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

/// All nodes of the module, for a message.
static std::vector<std::string> listNodes(ModuleOp module) {
  std::vector<std::string> nodes;
  std::set<std::string> seen;
  module.walk([&](Operation *op) {
    std::string text = nodesOf(op->getLoc());
    if (!text.empty() && seen.insert(text).second)
      nodes.push_back(text);
  });
  return nodes;
}

/// The definition of a function in LLVM IR.
static std::string functionText(const std::string &code, const std::string &name) {
  size_t at = code.find("@" + name + "(");
  while (at != std::string::npos) {
    size_t line = code.rfind('\n', at) + 1;
    if (code.compare(line, 7, "define ") == 0)
      return code.substr(line, code.find("\n}\n", at) + 3 - line);
    at = code.find("@" + name + "(", at + 1);
  }
  return "";
}

static std::string describeCandidate(const Json &candidate) {
  std::string name = candidate.value("template", "");
  if (candidate.value("verdict", "") == "ok")
    return fmt::format("  {:<16} {:.0f} ns expected\n", name, candidate.value("ns", 0.0));
  return fmt::format("  {:<16} no: {}\n", name, candidate.value("reason", ""));
}

static std::string describeKernel(const Json &kernel) {
  std::string text =
      fmt::format("kernel {}: template {}, {} parts, {:.3f} MFLOP, {:.3f} MB\n",
                  kernel.value("name", ""), kernel.value("template", ""), kernel.value("parts", ""),
                  kernel.value("flops", 0.0) * 1e-6, kernel.value("bytes", 0.0) * 1e-6);
  for (const Json &candidate : kernel.value("candidates", Json::array()))
    text += describeCandidate(candidate);
  return text;
}

int ExplainCommand::run(const Globals &globals) {
  ModelCompiler compiler(model, options);
  if (opsOf(compiler.getModule(), node).empty()) {
    std::vector<std::string> nodes = listNodes(compiler.getModule());
    constexpr size_t kMost = 20;
    size_t others = nodes.size() > kMost ? nodes.size() - kMost : 0;
    nodes.resize(nodes.size() - others);
    fail(Code::Usage, fmt::format("the model has no node '{}'", node),
         fmt::format("give its number or name; it has {}{}", fmt::join(nodes, ", "),
                     others ? fmt::format(", and {} more", others) : ""));
  }
  Json json{{"status", "ok"}, {"model", model}, {"node", node}};
  for (StringRef phase : phaseNames()) {
    OwningOpRef<ModuleOp> module = compiler.moduleAfter(phase.str());
    std::string text = opsOf(*module, node);
    json["phases"][phase.str()] = text;
    if (!globals.json)
      print(fmt::format("--- after {}\n{}", phase.str(), text.empty() ? "(gone)\n" : text));
  }
  // Each changes its module.
  std::string code = ModelCompiler(model, options).emitCode("llvm");
  Json report = Json::parse(compiler.compile()->getReport(), nullptr, /*allow_exceptions=*/false);
  json["kernels"] = Json::array();
  for (Json kernel : report.value("kernels", Json::array())) {
    Json nodes = kernel.value("nodes", Json::array());
    bool ours = llvm::any_of(nodes, [&](const Json &name) {
      return name.is_string() && isNode(name.get<std::string>(), node);
    });
    if (!ours)
      continue;
    std::string text = functionText(code, kernel.value("name", ""));
    if (!globals.json)
      print(fmt::format("--- {}{}", describeKernel(kernel), text));
    kernel["llvm"] = text;
    json["kernels"].push_back(std::move(kernel));
  }
  if (globals.json)
    printJson(json);
  return kDone;
}

Verb addExplain(CLI::App &app) {
  auto command = std::make_shared<ExplainCommand>();
  CLI::App *verb = app.add_subcommand("explain", "Follow one node of a model through the compiler");
  verb->add_option("model", command->model, "The ONNX model")->required();
  verb->add_option("node", command->node, "The node's name, or its number in the model")
      ->required();
  command->options.addTo(*verb);
  verb->footer("Examples:\n"
               "  dsc explain model.onnx /layer1/conv1/Conv\n"
               "  dsc explain model.onnx 418\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
