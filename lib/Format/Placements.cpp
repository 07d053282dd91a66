//===- Placements.cpp - which step places a value -------------------------===//
//
// Follows the rules under "Scopes and storage" in Program.h. Breaking them would
// overwrite memory that is in use.
//
//===----------------------------------------------------------------------===//

#include "Validate.h"
#include "dsc/Format/Evaluate.h"

namespace dsc::format {

/// Calls place(value, isResult) for what an If or a Loop defines.
template <typename F> static void forEachDefinition(const Step &step, F place) {
  if (step.kind == Step::If) {
    for (const IfResult &result : step.ifResults)
      place(result.result, true);
  } else if (step.kind == Step::Loop) {
    for (ValueId param : {step.iterationParam, step.conditionParam})
      if (param != kNone)
        place(param, false);
    for (const LoopCarried &carried : step.carried) {
      place(carried.param, false);
      place(carried.result, true);
    }
    for (const LoopScan &scan : step.scans)
      place(scan.result, true);
  }
}

std::vector<PlacedBy> findPlacements(const Program &program) {
  std::vector<PlacedBy> placements(program.values.size(), PlacedBy::Nothing);
  for (const Block &block : program.blocks)
    for (const Step &step : block.steps)
      forEachDefinition(step, [&](ValueId id, bool) { placements[id] = PlacedBy::Step; });
  // A result that a Frame lists is the Frame's.
  for (const Block &block : program.blocks)
    for (const Step &step : block.steps)
      for (ValueId id : step.values)
        placements[id] = PlacedBy::Frame;
  return placements;
}

namespace {

/// Walks through the steps in order of execution with the set of placed values.
class PlacementChecker {
public:
  explicit PlacementChecker(const Program &program)
      : program(program), placements(findPlacements(program)), placed(program.values.size()),
        everPlaced(program.values.size()), lifetimes(program.values.size()) {}

  std::string run() {
    visit(0, [this] {
      for (ValueId output : program.outputs)
        require(placed[output], "output is never placed", output);
    });
    return problem;
  }

private:
  /// Of a value in a frame: the nesting of its block, and the block's steps that
  /// may touch it.
  struct Lifetime {
    size_t depth = 0;
    uint32_t first = 0, last = kNone;
  };

  void require(bool condition, const char *what, ValueId id) {
    if (!condition && problem.empty())
      problem = "value " + std::to_string(id) + ": " + what;
  }
  void place(ValueId id) {
    require(!everPlaced[id], "placed twice", id);
    everPlaced[id] = placed[id] = true;
    scope.push_back(id);
  }
  void use(ValueId id) {
    if (id == kNone)
      return;
    ValueId root = program.values[id].kind == Value::Alias ? program.values[id].root : id;
    Value::Kind kind = program.values[root].kind;
    require(kind == Value::Input || kind == Value::Weight || placed[root],
            "used before it is placed", id);
    if (placements[root] == PlacedBy::Frame && kind == Value::Arena && problem.empty()) {
      const Lifetime &lifetime = lifetimes[root];
      uint32_t now = current[lifetime.depth];
      require(now >= lifetime.first && now <= lifetime.last, "used outside its lifetime", id);
    }
  }
  void result(ValueId id) {
    if (placements[id] == PlacedBy::Step)
      place(id);
    else
      use(id);
  }

  template <typename F> void visit(BlockId block, F atEnd);
  void visit(const Step &step);
  void visitIf(const Step &step);
  void visitLoop(const Step &step);

  const Program &program;
  std::vector<PlacedBy> placements;
  std::vector<bool> placed, everPlaced;
  std::vector<Lifetime> lifetimes;
  std::vector<uint32_t> current; // the running step of each block around
  std::vector<ValueId> scope;    // what is placed, in order
  std::string problem;
};

template <typename F> void PlacementChecker::visit(BlockId block, F atEnd) {
  size_t mark = scope.size();
  const std::vector<Step> &steps = program.blocks[block].steps;
  current.push_back(0);
  for (const Step &step : steps) {
    visit(step);
    ++current.back();
  }
  // What is read at the end is alive until the last step, after which nothing is
  // written.
  current.back() = steps.empty() ? 0 : steps.size() - 1;
  atEnd();
  current.pop_back();
  for (; scope.size() != mark; scope.pop_back())
    placed[scope.back()] = false;
}

void PlacementChecker::visit(const Step &step) {
  switch (step.kind) {
  case Step::Frame:
    for (size_t i = 0; i < step.values.size(); ++i) {
      place(step.values[i]);
      lifetimes[step.values[i]] = {current.size() - 1, step.firstUse[i], step.lastUse[i]};
    }
    break;
  case Step::Phase:
    for (uint32_t i = step.launchBegin; i != step.launchEnd; ++i)
      for (ValueId id : program.launches[i].buffers)
        use(id);
    break;
  case Step::Copy:
    use(step.a);
    use(step.b);
    break;
  case Step::Bind:
    use(step.a);
    break;
  case Step::Let:
  case Step::Guard:
    break;
  case Step::If:
    visitIf(step);
    break;
  case Step::Loop:
    visitLoop(step);
    break;
  }
}

void PlacementChecker::visitIf(const Step &step) {
  use(step.a);
  for (bool taken : {true, false})
    visit(taken ? step.thenBlock : step.elseBlock, [&] {
      for (const IfResult &r : step.ifResults)
        use(taken ? r.thenValue : r.elseValue);
    });
  for (const IfResult &r : step.ifResults)
    result(r.result);
}

void PlacementChecker::visitLoop(const Step &step) {
  use(step.a);
  use(step.b);
  size_t mark = scope.size();
  forEachDefinition(step, [&](ValueId id, bool isResult) {
    require(isResult || placements[id] == PlacedBy::Step, "a frame places a parameter", id);
    if (!isResult)
      place(id);
  });
  for (const LoopCarried &carried : step.carried) {
    use(carried.init);
    const Value &next = program.values[carried.next];
    if (next.kind == Value::Arena && placements[carried.next] == PlacedBy::Nothing &&
        !placed[carried.next]) // two values may be carried on by one
      place(carried.next);
  }
  visit(step.body, [&] {
    use(step.conditionNext);
    for (const LoopCarried &carried : step.carried)
      use(carried.next);
    for (const LoopScan &scan : step.scans)
      use(scan.slice);
  });
  for (; scope.size() != mark; scope.pop_back())
    placed[scope.back()] = false;
  forEachDefinition(step, [&](ValueId id, bool isResult) {
    if (isResult)
      result(id);
  });
}

} // namespace

std::string checkPlacements(const Program &program) { return PlacementChecker(program).run(); }

} // namespace dsc::format
