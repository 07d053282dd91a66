//===- Validate.cpp - the rules of a well-formed program ------------------===//

#include "Validate.h"

#include "dsc/Format/Evaluate.h"

namespace dsc::format {

namespace {

bool isIntegral(DType type) {
  switch (type) {
  case DType::UInt8:
  case DType::Int8:
  case DType::UInt16:
  case DType::Int16:
  case DType::UInt32:
  case DType::Int32:
  case DType::UInt64:
  case DType::Int64:
  case DType::Bool:
    return true;
  default:
    return false;
  }
}

class Validator {
public:
  explicit Validator(const Program &program) : program(program) {}

  Status run();

private:
  void checkExprs();
  void checkValue(size_t index);
  void checkInterface(const std::vector<ValueId> &list, Value::Kind kind, const char *what);
  void checkLaunches();
  void checkStep(const Step &step);
  void checkFrame(const Step &step);
  void checkIf(const Step &step);
  void checkLoop(const Step &step);
  void checkBlockTree();

  void require(bool condition, const char *what) {
    if (!condition && problem.empty())
      problem = where + ": " + what;
  }
  void expr(ExprId id) { require(id < program.exprs.size(), "expression out of range"); }
  void optionalExpr(ExprId id) {
    if (id != kNone)
      expr(id);
  }
  void value(ValueId id) { require(id < program.values.size(), "value out of range"); }
  void optionalValue(ValueId id) {
    if (id != kNone)
      value(id);
  }
  void writable(ValueId id) {
    value(id);
    if (!problem.empty())
      return;
    const Value &v = program.values[id];
    Value::Kind kind = v.kind == Value::Alias ? program.values[v.root].kind : v.kind;
    require(kind == Value::Arena || kind == Value::Output, "writes to a read-only value");
  }
  /// A value that a step defines as a whole: not a part of another one.
  void defined(ValueId id) {
    writable(id);
    if (problem.empty())
      require(program.values[id].kind != Value::Alias, "defines an alias");
  }
  /// `target` is matched to `source`, without the first `skip` of its dims.
  void matched(ValueId source, ValueId target, size_t skip = 0) {
    value(source);
    defined(target);
    if (!problem.empty())
      return;
    const Value &from = program.values[source], &to = program.values[target];
    require(from.dtype == to.dtype, "values that must match differ in element type");
    require(from.dims.size() + skip == to.dims.size(), "values that must match differ in rank");
  }
  void block(BlockId id) {
    require(id < program.blocks.size() && id != 0, "block out of range");
    if (problem.empty()) {
      require(!used[id], "block used twice");
      used[id] = true;
    }
  }

  const Program &program;
  std::string where, problem;
  std::vector<bool> used;
};

void Validator::checkExprs() {
  for (size_t i = 0; i < program.exprs.size() && problem.empty(); ++i) {
    const Expr &e = program.exprs[i];
    where = "expression " + std::to_string(i);
    require(e.op <= Expr::Select, "unknown operator");
    require(e.op != Expr::Symbol || (e.imm >= 0 && uint64_t(e.imm) < program.symbols.size()),
            "symbol out of range");
    unsigned operands = operandCount(e.op);
    require((operands < 1 || e.a < i) && (operands < 2 || e.b < i) && (operands < 3 || e.c < i),
            "operand is not an earlier expression");
  }
}

void Validator::checkValue(size_t index) {
  const Value &v = program.values[index];
  where = "value " + std::to_string(index);
  require(v.kind <= Value::Alias, "unknown kind");
  require(byteSize(v.dtype) != 0, "unknown element type");
  for (ExprId dim : v.dims)
    expr(dim);
  optionalExpr(v.bytes);
  if (v.kind == Value::Alias) {
    value(v.root);
    optionalExpr(v.byteOffset);
    require(v.root < program.values.size() && program.values[v.root].kind != Value::Alias,
            "alias of an alias");
  }
  require(v.kind != Value::Weight || v.weightOffset % 64 == 0, "weight is not aligned");
}

void Validator::checkInterface(const std::vector<ValueId> &list, Value::Kind kind,
                               const char *what) {
  std::vector<bool> seen(program.values.size());
  for (size_t i = 0; i < list.size() && problem.empty(); ++i) {
    where = what + std::string(" ") + std::to_string(i);
    value(list[i]);
    if (!problem.empty())
      return;
    require(program.values[list[i]].kind == kind, "value of another kind");
    require(!seen[list[i]], "value listed twice");
    seen[list[i]] = true;
  }
  size_t count = 0;
  for (const Value &v : program.values)
    count += v.kind == kind;
  where = what;
  require(count == list.size(), "values of this kind that are not listed");
}

void Validator::checkLaunches() {
  for (size_t i = 0; i < program.launches.size() && problem.empty(); ++i) {
    const Launch &launch = program.launches[i];
    where = "launch " + std::to_string(i);
    require(launch.kernel < program.kernels.size(), "kernel out of range");
    for (ValueId buffer : launch.buffers)
      value(buffer);
    for (ExprId size : launch.sizes)
      expr(size);
    optionalExpr(launch.scratch);
    require(launch.origin == kNone || launch.origin < program.origins.size(),
            "origin out of range");
  }
}

void Validator::checkFrame(const Step &step) {
  require(step.firstUse.size() == step.values.size() && step.lastUse.size() == step.values.size(),
          "lifetimes and values differ in number");
  for (size_t i = 0; i < step.values.size() && problem.empty(); ++i) {
    defined(step.values[i]);
    require(step.firstUse[i] <= step.lastUse[i], "lifetime ends before it begins");
  }
}

void Validator::checkIf(const Step &step) {
  value(step.a);
  if (problem.empty())
    require(program.values[step.a].dtype == DType::Bool, "condition is not bool");
  block(step.thenBlock);
  block(step.elseBlock);
  for (const IfResult &result : step.ifResults) {
    matched(result.thenValue, result.result);
    matched(result.elseValue, result.result);
  }
}

void Validator::checkLoop(const Step &step) {
  optionalValue(step.a);
  optionalValue(step.b);
  block(step.body);
  for (ValueId param : {step.iterationParam, step.conditionParam})
    if (param != kNone)
      defined(param);
  optionalValue(step.conditionNext);
  for (const LoopCarried &carried : step.carried) {
    matched(carried.init, carried.param);
    matched(carried.next, carried.param);
    matched(carried.init, carried.result);
  }
  for (const LoopScan &scan : step.scans) {
    matched(scan.slice, scan.result, /*skip=*/1);
  }
  if (!problem.empty())
    return;
  auto is = [&](ValueId id, DType type) { return id == kNone || program.values[id].dtype == type; };
  require(is(step.a, DType::Int64) && is(step.iterationParam, DType::Int64),
          "trip count is not i64");
  require(is(step.b, DType::Bool) && is(step.conditionParam, DType::Bool) &&
              is(step.conditionNext, DType::Bool),
          "condition is not bool");
}

void Validator::checkStep(const Step &step) {
  switch (step.kind) {
  case Step::Frame:
    return checkFrame(step);
  case Step::Phase:
    require(step.launchBegin <= step.launchEnd && step.launchEnd <= program.launches.size(),
            "launch range out of range");
    return expr(step.parts);
  case Step::Copy:
    value(step.a);
    return writable(step.b);
  case Step::Bind:
    value(step.a);
    if (problem.empty())
      require(isIntegral(program.values[step.a].dtype), "binds a value that is not integral");
    return require(step.symbol < program.symbols.size(), "symbol out of range");
  case Step::Let:
    expr(step.expr);
    return require(step.symbol < program.symbols.size(), "symbol out of range");
  case Step::Guard:
    return expr(step.expr);
  case Step::If:
    return checkIf(step);
  case Step::Loop:
    return checkLoop(step);
  }
  require(false, "unknown kind");
}

/// Every block is used once at most, so blocks reachable from the main one form a
/// tree, and any cycle is unreachable.
void Validator::checkBlockTree() {
  std::vector<BlockId> level = {0};
  for (unsigned depth = 0; !level.empty(); ++depth) {
    where = "blocks";
    require(depth < kMaxBlockDepth, "nested too deeply");
    if (!problem.empty())
      return;
    std::vector<BlockId> next;
    for (BlockId id : level)
      for (const Step &step : program.blocks[id].steps) {
        if (step.kind == Step::If)
          next.insert(next.end(), {step.thenBlock, step.elseBlock});
        else if (step.kind == Step::Loop)
          next.push_back(step.body);
      }
    level = std::move(next);
  }
}

Status Validator::run() {
  where = "program";
  require(!program.blocks.empty(), "no main block");
  require(program.exprs.size() < kNone && program.values.size() < kNone, "too large");
  checkExprs();
  for (size_t i = 0; i < program.values.size() && problem.empty(); ++i)
    checkValue(i);
  checkInterface(program.inputs, Value::Input, "input");
  checkInterface(program.outputs, Value::Output, "output");
  checkLaunches();
  used.resize(program.blocks.size());
  for (size_t b = 0; b < program.blocks.size() && problem.empty(); ++b)
    for (size_t s = 0; s < program.blocks[b].steps.size() && problem.empty(); ++s) {
      where = "block " + std::to_string(b) + " step " + std::to_string(s);
      checkStep(program.blocks[b].steps[s]);
    }
  if (problem.empty())
    checkBlockTree();
  if (problem.empty())
    problem = checkPlacements(program);
  return problem.empty() ? Status::success() : Status::failure("invalid program: " + problem);
}

} // namespace

Status validate(const Program &program) { return Validator(program).run(); }

} // namespace dsc::format
