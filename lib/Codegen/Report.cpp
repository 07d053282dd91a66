//===- Report.cpp - what was compiled, as JSON ----------------------------===//
#include "dsc/Codegen/Report.h"

#include "dsc/Codegen/Common/Template.h"
#include "dsc/Format/Evaluate.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"

#include <cmath>
#include <limits>

using namespace mlir;
namespace json = llvm::json;

namespace dsc {

static json::Object describeValue(const format::Program &program, format::ValueId id) {
  const format::Value &value = program.values[id];
  json::Array dims;
  for (format::ExprId dim : value.dims)
    dims.push_back(format::toString(program, dim));
  return json::Object{
      {"name", value.name}, {"type", format::name(value.dtype)}, {"dims", std::move(dims)}};
}

static json::Array describeVerdicts(GroupOp group) {
  json::Array verdicts;
  auto list = group->getAttrOfType<ArrayAttr>("verdicts");
  if (!list)
    return verdicts;
  for (auto facts : list.getAsRange<DictionaryAttr>()) {
    bool isCandidate = facts.getAs<StringAttr>("verdict").strref() == "candidate";
    json::Object verdict{{"template", facts.getAs<StringAttr>("template").strref()},
                         {"verdict", isCandidate ? "ok" : "no"}};
    if (isCandidate)
      verdict["ns"] = facts.getAs<FloatAttr>("ns").getValueAsDouble();
    else
      verdict["reason"] = facts.getAs<StringAttr>("verdict").strref();
    verdicts.push_back(std::move(verdict));
  }
  return verdicts;
}

/// What the group is expected to take on one core: the cheapest candidate was chosen.
static double estimateTime(GroupOp group) {
  double best = std::numeric_limits<double>::infinity();
  if (auto list = group->getAttrOfType<ArrayAttr>("verdicts"))
    for (auto facts : list.getAsRange<DictionaryAttr>())
      if (facts.getAs<StringAttr>("verdict").strref() == "candidate")
        best = std::min(best, facts.getAs<FloatAttr>("ns").getValueAsDouble());
  return std::isfinite(best) ? best : 0;
}

static void collectNodes(Location loc, json::Array &nodes) {
  if (auto name = dyn_cast<NameLoc>(loc))
    nodes.push_back(name.getName().strref());
  else if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      collectNodes(part, nodes);
}

template <typename T> static std::string textOf(T value) {
  std::string text;
  llvm::raw_string_ostream(text) << value;
  return text;
}

/// The element types of what the group gives: it computes as the model says.
static std::string describePrecision(const GroupInfo &group) {
  SmallVector<std::string> types;
  for (Value value : group.getYielded())
    if (std::string type = textOf(getElementType(value)); !llvm::is_contained(types, type))
      types.push_back(type);
  return llvm::join(types, " ");
}

static json::Object describeLaunch(const format::Program &program, const format::Step &phase,
                                   unsigned number, GroupOp group, const Target &target) {
  const format::Launch &launch = program.launches[number];
  GroupInfo info(group);
  ScheduleAttr schedule = group.getScheduleAttr();
  const Template *used = findTemplate(target, schedule.getTemplateName());
  Cost work = estimateWork(info);
  json::Array nodes, ops;
  collectNodes(group.getLoc(), nodes);
  for (Operation &op : info.getBody().without_terminator())
    ops.push_back(op.getName().stripDialect());
  return json::Object{
      {"name", program.kernels[launch.kernel]},
      {"template", schedule.getTemplateName()},
      {"schedule", textOf(schedule)},
      {"precision", describePrecision(info)},
      {"sparsity", used ? used->describeSparsity(info, schedule, target) : "dense"},
      {"nodes", std::move(nodes)},
      {"ops", std::move(ops)},
      {"parts", format::toString(program, phase.parts)},
      {"flops", work.flops},
      {"bytes", work.bytes},
      {"ns", estimateTime(group)},
      {"candidates", describeVerdicts(group)},
  };
}

/// The plan's size for the sizes that the model states; where some are left to the
/// run, for `assumed_size` for each of them.
static json::Object describeMemory(const BuiltProgram &built) {
  constexpr int64_t assumedSize = 64;
  const format::Program &program = built.program;
  std::vector<int64_t> symbols(program.symbols.size(), assumedSize), values(program.exprs.size());
  format::evaluate(program, symbols, values);
  format::ArenaUse arena = format::measureArena(program, values);
  json::Object memory{{"weight_bytes", static_cast<int64_t>(built.weightBytes)},
                      {"arena_bytes", static_cast<int64_t>(arena.planned)},
                      {"arena_lower_bound_bytes", static_cast<int64_t>(arena.lowerBound)}};
  if (!symbols.empty())
    memory["assumed_size"] = assumedSize;
  return memory;
}

/// Adds shares of the estimated time: of each template, and of all that are generic.
static void addTimeShares(json::Object &report, ArrayRef<GroupOp> groups, const Target &target) {
  llvm::MapVector<StringRef, double> times;
  double total = 0;
  for (GroupOp group : groups) {
    double time = estimateTime(group);
    times[group.getScheduleAttr().getTemplateName()] += time;
    total += time;
  }
  json::Object shares;
  double generic = 0;
  for (auto [name, time] : times) {
    double share = total > 0 ? time / total : 0;
    shares[name] = std::round(share * 1e4) / 1e4;
    const Template *used = findTemplate(target, name);
    generic += used && used->isGeneric() ? share : 0;
  }
  report["time_share"] = std::move(shares);
  report["generic_time_share"] = std::round(generic * 1e4) / 1e4;
}

std::string makeReport(const BuiltProgram &built, const Target &target) {
  const format::Program &program = built.program;
  json::Array inputs, outputs, kernels;
  for (format::ValueId id : program.inputs)
    inputs.push_back(describeValue(program, id));
  for (format::ValueId id : program.outputs)
    outputs.push_back(describeValue(program, id));
  double flops = 0;
  for (const format::Block &block : program.blocks)
    for (const format::Step &step : block.steps)
      for (uint32_t i = step.launchBegin; step.kind == format::Step::Phase && i < step.launchEnd;
           ++i) {
        json::Object kernel = describeLaunch(program, step, i, built.launchGroups[i], target);
        flops += kernel.getNumber("flops").value_or(0);
        kernels.push_back(std::move(kernel));
      }
  json::Object report{
      {"target", target.name}, {"inputs", std::move(inputs)},   {"outputs", std::move(outputs)},
      {"flops", flops},        {"kernels", std::move(kernels)}, {"memory", describeMemory(built)},
  };
  addTimeShares(report, built.launchGroups, target);
  std::string text;
  llvm::raw_string_ostream(text) << llvm::formatv("{0:2}", json::Value(std::move(report)));
  return text;
}

} // namespace dsc
