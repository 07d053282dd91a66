//===- ArenaUse.cpp - the arena that a run needs --------------------------===//
//
// Follows what the runtime does with frames: those of a block pile up until the
// block ends, and those of a nested block come on top.
//
//===----------------------------------------------------------------------===//

#include "dsc/Format/Evaluate.h"

#include <algorithm>

namespace dsc::format {

namespace {

class ArenaMeter {
public:
  ArenaMeter(const Program &program, std::span<const int64_t> values)
      : program(program), values(values) {}

  ArenaUse measure(BlockId block) const;

private:
  uint64_t bytesOf(ValueId id) const;
  ArenaUse measureNested(const Step &step) const;
  std::vector<PlanItem> itemsOf(const Step &frame, size_t steps) const;

  const Program &program;
  std::span<const int64_t> values;
};

} // namespace

/// What is not known counts as nothing.
uint64_t ArenaMeter::bytesOf(ValueId id) const {
  const Value &value = program.values[id];
  if (value.kind != Value::Arena || value.bytes == kNone)
    return 0;
  return std::max<int64_t>(values[value.bytes], 0);
}

std::vector<PlanItem> ArenaMeter::itemsOf(const Step &frame, size_t steps) const {
  std::vector<PlanItem> items;
  for (size_t i = 0; i < frame.values.size(); ++i)
    if (uint64_t bytes = bytesOf(frame.values[i])) {
      uint32_t last = std::min<uint32_t>(frame.lastUse[i], steps - 1);
      items.push_back({bytes, frame.firstUse[i], last});
    }
  return items;
}

ArenaUse ArenaMeter::measureNested(const Step &step) const {
  if (step.kind == Step::Loop)
    return measure(step.body);
  if (step.kind != Step::If)
    return {};
  ArenaUse taken = measure(step.thenBlock), other = measure(step.elseBlock);
  return {std::max(taken.planned, other.planned), std::max(taken.lowerBound, other.lowerBound)};
}

ArenaUse ArenaMeter::measure(BlockId block) const {
  const std::vector<Step> &steps = program.blocks[block].steps;
  ArenaUse use;
  uint64_t frames = 0;
  // Everything that is alive at one time, nested blocks included, for the bound.
  std::vector<PlanItem> alive;
  for (uint32_t now = 0; now < steps.size(); ++now) {
    if (steps[now].kind == Step::Frame) {
      std::vector<PlanItem> items = itemsOf(steps[now], steps.size());
      frames += planMemory(items);
      alive.insert(alive.end(), items.begin(), items.end());
      use.planned = std::max(use.planned, frames);
    }
    ArenaUse nested = measureNested(steps[now]);
    use.planned = std::max(use.planned, frames + nested.planned);
    alive.push_back({nested.lowerBound, now, now});
  }
  use.lowerBound = planLowerBound(alive);
  return use;
}

ArenaUse measureArena(const Program &program, std::span<const int64_t> values) {
  return ArenaMeter(program, values).measure(0);
}

} // namespace dsc::format
