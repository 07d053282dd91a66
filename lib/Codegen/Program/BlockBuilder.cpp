//===- BlockBuilder.cpp - the steps of one block of a program -------------===//
//
// A block is cut into segments by the ops that give birth to symbols. Each segment
// starts with a Frame step, which evaluates the segment's expressions and places
// its values; both are known only when the segment has been built.
//
//===----------------------------------------------------------------------===//
#include "BlockBuilder.h"

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
  frame.exprBegin = state.built.evaluatedExprs;
  frames.push_back({addStep(std::move(frame)), {}});
}

void BlockBuilder::closeFrame() {
  uint32_t end = state.program().exprs.size();
  step(frames.back().step).exprEnd = end;
  state.built.evaluatedExprs = end;
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

/// Declares what the ops up to the next birth of a symbol compute.
void BlockBuilder::declareSegment(Block::iterator from) {
  for (auto it = from; it != block.end() && !isa<BindOp>(*it); ++it) {
    auto group = dyn_cast<GroupOp>(*it);
    if (!group)
      continue;
    for (Value result : group.getResults()) {
      auto output = outputs.find(result);
      if (output == outputs.end()) {
        frames.back().values.push_back(state.declare(result, format::Value::Arena));
        continue;
      }
      ValueId value = state.declare(result, format::Value::Output);
      frames.back().values.push_back(value);
      output->second = value;
    }
  }
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

void BlockBuilder::buildView(Operation *op, Value source) {
  ValueId root = state.root(state.id(source));
  ValueId from = state.id(source);
  ValueId view = state.declare(op->getResult(0), format::Value::Alias);
  format::Value &value = state.program().values[view];
  value.root = root;
  const format::Value &original = state.program().values[from];
  if (original.kind == format::Value::Alias)
    value.byteOffset = original.byteOffset;
  else
    value.byteOffset = state.expr(Dim::constant(op->getContext(), 0));
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
  closeFrame();
  openFrame();
  declareSegment(std::next(op->getIterator()));
}

void BlockBuilder::buildOp(Operation &op) {
  if (isa<ConstantOp, WeightOp, NoneOp>(op) || op.hasTrait<OpTrait::IsTerminator>())
    return;
  if (auto group = dyn_cast<GroupOp>(op))
    return buildGroup(group);
  if (auto bind = dyn_cast<BindOp>(op))
    return buildBind(bind);
  auto compute = dyn_cast<ComputeOp>(op);
  if (Value source = compute ? compute.getViewSource() : Value())
    return buildView(&op, source);
  op.emitOpError("cannot be part of a program");
  failed = true;
}

void BlockBuilder::build() {
  openFrame();
  declareSegment(block.begin());
  for (Operation &op : block) {
    buildOp(op);
    if (failed)
      return;
  }
}

LogicalResult BlockBuilder::buildMain(ArrayRef<std::string> outputNames) {
  // A result of a group that is returned once is written where the caller wants
  // it; everything else is copied there.
  OperandRange returned = block.getTerminator()->getOperands();
  for (Value value : returned)
    if (value.getDefiningOp<GroupOp>() && value.getParentBlock() == &block)
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
  closeFrame();
  finishFrames();
  return success();
}

} // namespace dsc
