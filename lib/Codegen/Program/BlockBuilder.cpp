//===- BlockBuilder.cpp - the steps of one block of a program -------------===//
//
// A block is cut into segments by the ops that give birth to symbols. Each segment
// starts with its guards, so that an error names its node before a size is used, and
// with a Frame step, which places the segment's values; they are known only when the
// segment has been built.
//
//===----------------------------------------------------------------------===//
#include "BlockBuilder.h"

#include "dsc/Dialect/IR/SharedStorage.h"

using namespace mlir;

namespace dsc {

using format::Step;
using format::ValueId;

//===----------------------------------------------------------------------===//
// Steps and frames
//===----------------------------------------------------------------------===//

uint32_t BlockBuilder::addStep(Step step) {
  state.program().blocks[id].steps.push_back(std::move(step));
  return stepCount() - 1;
}

void BlockBuilder::touch(ValueId value) {
  value = state.root(value);
  uint32_t now = stepCount() - 1;
  auto [it, isNew] = uses.try_emplace(value, Use{now, now});
  if (!isNew)
    it->second.last = now;
  if (parent)
    parent->touch(value);
}

void BlockBuilder::openFrame() {
  Step frame;
  frame.kind = Step::Frame;
  frames.push_back({addStep(std::move(frame)), {}});
}

/// Fills in when the values are used, which is known at the end of the block.
void BlockBuilder::finishFrames() {
  for (OpenFrame &frame : frames) {
    Step &open = step(frame.step);
    for (ValueId value : frame.values) {
      auto it = uses.find(value);
      open.values.push_back(value);
      open.firstUse.push_back(it == uses.end() ? frame.step : it->second.first);
      open.lastUse.push_back(it == uses.end() ? frame.step : it->second.last);
    }
  }
}

/// Whether the op may bind symbols.
static bool endsSegment(Operation &op) { return isa<BindOp, IfOp, LoopOp>(op); }

/// A new value for the result of an op of this block, unless it lies in another.
ValueId BlockBuilder::declareResult(Value result) {
  auto output = outputs.find(result);
  if (output == outputs.end())
    return state.declare(result, format::Value::Arena);
  return output->second = state.declare(result, format::Value::Output);
}

/// Declares a sequence of tensors, and in its storage those that are computed there.
void BlockBuilder::declareConcat(ConcatOp concat) {
  if (!state.isDeclared(concat.getResult())) // it may be in another one itself
    frames.back().values.push_back(declareResult(concat.getResult()));
  for (auto [input, offset] : llvm::zip(concat.getInputs(), getInputOffsets(concat)))
    state.declareWithin(skipViews(input), concat.getResult(), offset);
}

/// Whether the tensor is all that its storage holds, and the group reads nothing else
/// there.
bool BlockBuilder::canTakeStorage(GroupOp group, Value tensor) {
  ValueId taken = state.id(tensor), root = state.root(taken);
  const std::vector<format::Value> &values = state.program().values;
  if (values[root].kind != format::Value::Arena || values[root].bytes != values[taken].bytes)
    return false;
  return llvm::none_of(readStorage(group), [&](Value other) {
    return other != tensor && state.isDeclared(other) && state.root(state.id(other)) == root;
  });
}

void BlockBuilder::declareGroup(GroupOp group) {
  for (Value result : group->getResults()) {
    if (state.isDeclared(result)) // it lies in a concat
      continue;
    Value tensor = outputs.contains(result) ? Value() : findOverwritten(group);
    if (tensor && canTakeStorage(group, tensor))
      state.declareWithin(result, tensor, Dim::constant(group.getContext(), 0));
    else
      frames.back().values.push_back(declareResult(result));
  }
}

/// Begins what the ops up to the next birth of a symbol compute.
void BlockBuilder::startSegment(Block::iterator from) {
  auto end = from;
  while (end != block.end() && !endsSegment(*end))
    ++end;
  for (Operation &op : llvm::make_range(from, end))
    if (auto guard = dyn_cast<GuardOp>(op))
      buildGuard(guard);
  openFrame();
  // From the last one, as those before it may be its inputs.
  for (auto it = end; it != from;)
    if (auto concat = dyn_cast<ConcatOp>(*--it))
      declareConcat(concat);
  for (Operation &op : llvm::make_range(from, end))
    if (auto group = dyn_cast<GroupOp>(op))
      declareGroup(group);
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

void BlockBuilder::addCopy(ValueId from, ValueId to) {
  Step copy;
  copy.kind = Step::Copy;
  copy.a = from;
  copy.b = to;
  addStep(std::move(copy));
  touch(from);
  touch(to);
}

void BlockBuilder::buildGroup(GroupOp group) {
  FailureOr<KernelCall> call = state.kernels.emit(group);
  if (mlir::failed(call)) {
    failed = true;
    return;
  }
  format::Launch launch;
  launch.kernel = call->kernel;
  for (Value buffer : call->buffers)
    launch.buffers.push_back(state.id(buffer));
  for (Dim size : call->sizes)
    launch.sizes.push_back(state.expr(size));
  if (call->scratch)
    launch.scratch = state.expr(call->scratch);
  launch.origin = state.origin(group.getLoc());

  Step phase;
  phase.kind = Step::Phase;
  phase.launchBegin = state.program().launches.size();
  phase.launchEnd = phase.launchBegin + 1;
  phase.parts = state.expr(call->parts);
  addStep(std::move(phase));
  for (ValueId buffer : launch.buffers)
    touch(buffer);
  state.program().launches.push_back(std::move(launch));
  state.built.launchGroups.push_back(group);
}

void BlockBuilder::buildBind(BindOp op) {
  ValueId source = state.id(op.getSource());
  for (auto [i, name] : llvm::enumerate(op.getSymbols().getAsValueRange<StringAttr>())) {
    Step bind;
    bind.kind = Step::Bind;
    bind.a = source;
    bind.index = i;
    bind.symbol = state.symbol(name);
    addStep(std::move(bind));
    touch(source);
  }
  startSegment(std::next(op->getIterator()));
}

void BlockBuilder::buildGuard(GuardOp op) {
  Step guard;
  guard.kind = Step::Guard;
  guard.expr = state.expr(Dim(op.getCondition()));
  guard.message = op.getMessage().str();
  addStep(std::move(guard));
}

/// Builds a block that belongs to the step that is being built.
format::BlockId BlockBuilder::buildNested(Block &nested) {
  format::BlockId nestedId = state.program().blocks.size();
  state.program().blocks.emplace_back();
  failed |= mlir::failed(BlockBuilder(state, nested, nestedId, this).buildBody());
  return nestedId;
}

/// The step places the results itself, when it ends.
void BlockBuilder::buildIf(IfOp op) {
  uint32_t number = addStep({});
  Step branches;
  branches.kind = Step::If;
  branches.message = nodesOf(op.getLoc());
  branches.a = state.id(op.getCondition());
  touch(branches.a);
  branches.thenBlock = buildNested(op.getThenRegion().front());
  branches.elseBlock = buildNested(op.getElseRegion().front());
  if (failed)
    return;
  OperandRange thenValues = op.getThenRegion().front().getTerminator()->getOperands();
  OperandRange elseValues = op.getElseRegion().front().getTerminator()->getOperands();
  for (auto [a, b, result] : llvm::zip(thenValues, elseValues, op.getResults())) {
    format::IfResult merge{state.id(a), state.id(b), declareResult(result)};
    touch(merge.thenValue);
    touch(merge.elseValue);
    branches.ifResults.push_back(merge);
  }
  step(number) = std::move(branches);
  startSegment(std::next(op->getIterator()));
}

void BlockBuilder::buildLoop(LoopOp op) {
  uint32_t number = addStep({});
  Step loop;
  loop.kind = Step::Loop;
  loop.message = nodesOf(op.getLoc());
  auto optional = [&](Value value) { return isAbsent(value) ? format::kNone : state.id(value); };
  loop.a = optional(op.getTripCount());
  loop.b = optional(op.getCondition());
  for (ValueId value : {loop.a, loop.b})
    if (value != format::kNone)
      touch(value);
  Block &body = op.getBody().front();
  for (BlockArgument argument : body.getArguments())
    state.declare(argument, format::Value::Arena);
  loop.iterationParam = state.id(op.getIteration());
  loop.conditionParam = state.id(op.getConditionArgument());
  loop.body = buildNested(body);
  if (failed)
    return;
  OperandRange yielded = body.getTerminator()->getOperands();
  loop.conditionNext = state.id(yielded.front());
  auto next = yielded.drop_front().begin();
  for (auto [init, param, result] :
       llvm::zip(op.getInits(), op.getCarriedArguments(), op.getCarriedResults())) {
    loop.carried.push_back(
        {state.id(init), state.id(param), state.id(*next++), declareResult(result)});
    touch(loop.carried.back().init);
  }
  for (Value result : op.getScanResults())
    loop.scans.push_back({state.id(*next++), declareResult(result)});
  for (Value value : yielded)
    touch(state.id(value));
  step(number) = std::move(loop);
  startSegment(std::next(op->getIterator()));
}

void BlockBuilder::buildOp(Operation &op) {
  // A concat outside of a group has been computed in place; guards are at the start.
  if (isa<ConstantOp, WeightOp, RepackOp, NoneOp, ConcatOp, GuardOp>(op) ||
      op.hasTrait<OpTrait::IsTerminator>())
    return;
  if (auto group = dyn_cast<GroupOp>(op))
    return buildGroup(group);
  if (auto bind = dyn_cast<BindOp>(op))
    return buildBind(bind);
  if (auto branches = dyn_cast<IfOp>(op))
    return buildIf(branches);
  if (auto loop = dyn_cast<LoopOp>(op))
    return buildLoop(loop);
  auto compute = dyn_cast<ComputeOp>(op);
  Dim start = Dim::constant(op.getContext(), 0);
  if (Value source = compute ? compute.getViewSource() : Value())
    return (void)state.declareWithin(op.getResult(0), source, start);
  if (std::optional<Dim> offset = compute ? getPartOffset(compute) : std::nullopt)
    return (void)state.declareWithin(op.getResult(0), op.getOperand(0), *offset);
  op.emitOpError("cannot be part of a program");
  failed = true;
}

void BlockBuilder::build() {
  startSegment(block.begin());
  for (Operation &op : block) {
    buildOp(op);
    if (failed)
      return;
  }
}

LogicalResult BlockBuilder::buildBody() {
  build();
  if (failed)
    return failure();
  // What the block ends with is used when all its steps are done.
  for (Value value : block.getTerminator()->getOperands())
    touch(state.id(value));
  finishFrames();
  return success();
}

LogicalResult BlockBuilder::buildMain(ArrayRef<std::string> outputNames) {
  // A result of a group that is returned once is written where the caller wants
  // it; everything else is copied there.
  OperandRange returned = block.getTerminator()->getOperands();
  for (Value value : returned)
    if (isa_and_nonnull<GroupOp, IfOp, LoopOp>(value.getDefiningOp()))
      outputs.try_emplace(value, format::kNone);
  build();
  if (failed)
    return failure();
  format::Program &program = state.program();
  llvm::DenseSet<Value> given;
  for (auto [value, name] : llvm::zip(returned, outputNames)) {
    auto it = outputs.find(value);
    ValueId output;
    if (it != outputs.end() && given.insert(value).second) {
      output = it->second;
    } else {
      output = state.declare(value.getType(), format::Value::Output);
      frames.back().values.push_back(output);
      addCopy(state.id(value), output);
    }
    program.values[output].name = name;
    program.outputs.push_back(output);
  }
  finishFrames();
  return success();
}

} // namespace dsc
