//===- ChooseSchedules.cpp - template and schedule of each group ----------===//
//
//   dsc.group { ... }   =>   dsc.group {schedule = #dsc.schedule<"gemm-fma", ...>} { ... }
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Common/Template.h"
#include "dsc/Codegen/Passes.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_CHOOSESCHEDULES
#include "dsc/Codegen/Passes.h.inc"

namespace {
struct ChooseSchedules : impl::ChooseSchedulesBase<ChooseSchedules> {
  using ChooseSchedulesBase::ChooseSchedulesBase;
  void runOnOperation() override;

private:
  LogicalResult choose(GroupOp group, const Target &target);
};
} // namespace

static DictionaryAttr makeVerdict(OpBuilder &builder, StringRef name, StringRef verdict,
                                  const Cost &cost) {
  return builder.getDictionaryAttr({
      builder.getNamedAttr("template", builder.getStringAttr(name)),
      builder.getNamedAttr("verdict", builder.getStringAttr(verdict)),
      builder.getNamedAttr("ns", builder.getF64FloatAttr(cost.ns)),
      builder.getNamedAttr("flops", builder.getF64FloatAttr(cost.flops)),
      builder.getNamedAttr("bytes", builder.getF64FloatAttr(cost.bytes)),
  });
}

/// Why the schedule's arithmetic is not that of the operators; empty if it is.
static std::string reasonAgainstStrict(ScheduleAttr schedule) {
  DictionaryAttr params = schedule.getParams();
  auto numerics = params ? params.getAs<NumericsAttr>("numerics") : NumericsAttr();
  if (!numerics)
    return "";
  std::string text;
  llvm::raw_string_ostream(text) << "multiplies in parts of " << numerics.getOperand()
                                 << ", which --precision strict excludes";
  return text;
}

LogicalResult ChooseSchedules::choose(GroupOp group, const Target &target) {
  OpBuilder builder(group);
  GroupInfo info(group);
  ScheduleAttr best;
  Cost bestCost;
  const Template *winner = nullptr;
  SmallVector<Attribute> verdicts;
  for (const Template *candidate : templatesFor(target)) {
    Match match = candidate->match(info, target);
    if (!match) {
      verdicts.push_back(makeVerdict(builder, candidate->getName(), match.reason, {}));
      continue;
    }
    for (ScheduleAttr schedule : candidate->candidates(info, target)) {
      std::string reason = precision == "strict" ? reasonAgainstStrict(schedule) : "";
      if (!reason.empty()) {
        verdicts.push_back(makeVerdict(builder, candidate->getName(), reason, {}));
        continue;
      }
      Cost cost = candidate->cost(info, schedule, target);
      verdicts.push_back(makeVerdict(builder, candidate->getName(), "candidate", cost));
      if (best && cost.ns >= bestCost.ns)
        continue;
      best = schedule;
      bestCost = cost;
      winner = candidate;
    }
  }
  if (!best) {
    InFlightDiagnostic diagnostic = group.emitError("no kernel template computes this");
    for (Attribute verdict : verdicts) {
      auto facts = cast<DictionaryAttr>(verdict);
      diagnostic.attachNote() << facts.getAs<StringAttr>("template").strref() << ": "
                              << facts.getAs<StringAttr>("verdict").strref();
    }
    return diagnostic;
  }
  group.setScheduleAttr(best);
  if (explain)
    group->setAttr("verdicts", builder.getArrayAttr(verdicts));
  winner->prepare(group, best, target);
  return success();
}

void ChooseSchedules::runOnOperation() {
  const Target *target = findTarget(targetName);
  if (!target) {
    getOperation()->emitError() << "unknown target '" << targetName << "'";
    return signalPassFailure();
  }
  SmallVector<GroupOp> groups;
  getOperation()->walk([&](GroupOp group) { groups.push_back(group); });
  bool ok = true;
  for (GroupOp group : groups)
    ok &= succeeded(choose(group, *target));
  if (!ok)
    signalPassFailure();
}

} // namespace dsc
