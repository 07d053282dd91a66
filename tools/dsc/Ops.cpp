//===- Ops.cpp - dsc ops --------------------------------------------------===//
//
// The operators that models may use.
//
//===----------------------------------------------------------------------===//
#include "Verbs.h"

#include "dsc/Dialect/Import/OperatorReference.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace dsc::cli {

using import::OperatorEntry;
using import::OperatorSupport;

static const char *describeSupport(OperatorSupport support) {
  switch (support) {
  case OperatorSupport::Own:
    return "own";
  case OperatorSupport::Definition:
    return "definition";
  case OperatorSupport::None:
    return "none";
  }
  return "none";
}

static int runOps(bool all, const Globals &globals) {
  mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
  nlohmann::ordered_json json = nlohmann::ordered_json::array();
  size_t supported = 0, total = 0;
  for (const OperatorEntry &entry : import::operatorReference(context)) {
    ++total;
    supported += entry.support != OperatorSupport::None;
    if (entry.support == OperatorSupport::None && !all)
      continue;
    const char *support = describeSupport(entry.support);
    if (globals.json)
      json.push_back({{"name", entry.name},
                      {"since_version", entry.sinceVersion},
                      {"support", support},
                      {"types", entry.types}});
    else
      print(fmt::format("{:<40} {:>3}  {:<10}  {}\n", entry.name, entry.sinceVersion, support,
                        fmt::join(entry.types, " ")));
  }
  if (globals.json)
    printJson({{"status", "ok"}, {"supported", supported}, {"total", total}, {"operators", json}});
  else if (!globals.quiet)
    message(fmt::format("{} of {} operators\n", supported, total));
  return kDone;
}

Verb addOps(CLI::App &app) {
  auto all = std::make_shared<bool>(false);
  CLI::App *verb = app.add_subcommand("ops", "List the operators that are supported");
  verb->add_flag("--all", *all, "List also those that are not supported");
  verb->footer("For each operator: the version of its newest definition (models of opset 7 and\n"
               "later are converted to it), whether it has an op of its own or is replaced by its\n"
               "definition, and element types.\n\n"
               "Examples:\n"
               "  dsc ops\n"
               "  dsc ops --json | jq '.operators[].name'\n");
  return {verb, [all](const Globals &globals) { return runOps(*all, globals); }};
}

} // namespace dsc::cli
