//===- Executor.cpp - runs the steps of a program -------------------------===//

#include "Executor.h"

#include "CudaModel.h"
#include "Services.h"

#include <algorithm>
#include <cstring>

namespace dsc::runtime {

using format::DType;
using format::ExprId;
using format::kNone;
using format::Launch;
using format::Step;
using format::Value;
using format::ValueId;

Executor::Executor(const Model &model, Allocator &allocator, Pool &pool, Outputs &outputs,
                   CudaQueue *queue)
    : model(model), program(model.program()), pool(pool), outputs(outputs), queue(queue),
      sizes(program, model.dependents()), allocator(allocator), arena(allocator),
      addresses(program.values.size()) {
  for (size_t i = 0; i < addresses.size(); ++i)
    if (program.values[i].kind == Value::Weight)
      // Kernels only read it.
      addresses[i] = const_cast<uint8_t *>(model.weightAddress()) + program.values[i].weightOffset;
  size_t widestFrame = 0;
  for (const format::Block &block : program.blocks) {
    firstStep.push_back(stepStates.size());
    for (const Step &step : block.steps) {
      prepareState(step, stepStates.emplace_back());
      widestFrame = std::max(widestFrame, step.values.size());
    }
  }
  frameSizes.resize(widestFrame);
  for (const Launch &launch : program.launches) {
    firstBuffer.push_back(buffers.size());
    firstSize.push_back(sizeArguments.size());
    buffers.resize(buffers.size() + launch.buffers.size());
    sizeArguments.resize(sizeArguments.size() + launch.sizes.size());
  }
  for (size_t i = 0; i < pool.threads(); ++i)
    scratch.emplace_back(allocator);
  for (size_t i = 0; queue && i < program.inputs.size(); ++i)
    stagedInputs.push_back({Buffer(allocator)});
  for (size_t i = 0; queue && i < program.outputs.size(); ++i)
    stagedOutputs.push_back({Buffer(allocator)});
}

Error Executor::run(std::span<const void *const> inputs) {
  outputs.invalidate();
  Error error = placeInputs(inputs);
  if (!error)
    error = runBlock(0);
  if (!error)
    error = finishRun();
  if (!error)
    error = outputs.finish(sizes);
  arena.pop({0, 0, 0});
  arena.consolidate();
  return error;
}

void Executor::trim() {
  arena.release();
  for (Buffer &buffer : scratch)
    buffer.release();
  for (std::vector<Staged> *list : {&stagedInputs, &stagedOutputs})
    for (Staged &staged : *list)
      staged.device.release();
  for (StepState &state : stepStates) {
    state.plans.clear();
    for (Buffer &buffer : state.buffers)
      buffer.release();
  }
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Error Executor::addressOf(ValueId id, void *&address) const {
  const Value &value = program.values[id];
  if (value.kind != Value::Alias) {
    address = addresses[id];
    return Error::success();
  }
  int64_t offset = 0;
  if (value.byteOffset != kNone)
    if (Error error = sizes.getSize(value.byteOffset, offset))
      return error;
  address = static_cast<char *>(addresses[value.root]) + offset;
  return Error::success();
}

template <typename T> static int64_t load(const void *data) {
  T element;
  std::memcpy(&element, data, sizeof(T));
  return static_cast<int64_t>(element);
}

Error Executor::readElement(ValueId id, uint64_t index, int64_t &element) const {
  const Value &value = program.values[id];
  uint64_t bytes;
  if (Error error = sizes.getBytes(value, bytes))
    return error;
  if (index >= bytes / byteSize(value.dtype))
    return internalError("element " + std::to_string(index) + " of " + describe(program, value) +
                         " is read, which has " + std::to_string(bytes) + " bytes");
  void *address;
  if (Error error = addressOf(id, address))
    return error;
  int64_t data = 0;
  size_t size = byteSize(value.dtype);
  allocator.read(&data, static_cast<char *>(address) + index * size, size);
  if (queue && queue->error())
    return queue->error();
  switch (value.dtype) {
  case DType::Bool:
    element = load<uint8_t>(&data) != 0;
    break;
  case DType::UInt8:
    element = load<uint8_t>(&data);
    break;
  case DType::Int8:
    element = load<int8_t>(&data);
    break;
  case DType::UInt16:
    element = load<uint16_t>(&data);
    break;
  case DType::Int16:
    element = load<int16_t>(&data);
    break;
  case DType::UInt32:
    element = load<uint32_t>(&data);
    break;
  case DType::Int32:
    element = load<int32_t>(&data);
    break;
  default: // 64 bits: the program has been checked
    element = load<int64_t>(&data);
    break;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

/// Runs the steps of a block; the scope around them is the caller's.
Error Executor::runBlock(format::BlockId block) {
  const std::vector<Step> &steps = program.blocks[block].steps;
  StepState *states = &stepStates[firstStep[block]];
  for (size_t i = 0; i < steps.size(); ++i)
    if (Error error = runStep(steps[i], states[i]))
      return error;
  return Error::success();
}

Error Executor::runStep(const Step &step, StepState &state) {
  switch (step.kind) {
  case Step::Frame:
    return runFrame(step, state);
  case Step::Phase:
    return runPhase(step);
  case Step::Copy:
    return runCopy(step);
  case Step::Bind:
    return runBind(step);
  case Step::If:
    return runIf(step, state);
  case Step::Loop:
    return runLoop(step, state);
  case Step::Let:
  case Step::Guard:
    break;
  }
  int64_t value;
  if (Error error = sizes.get(step.expr, value))
    return error;
  if (step.kind == Step::Let)
    sizes.bind(step.symbol, value);
  else if (value == 0)
    return runtimeValue(step.message + sizes.where(step.expr));
  return Error::success();
}

Error Executor::runFrame(const Step &step, StepState &state) {
  std::span<uint64_t> bytes = std::span(frameSizes).first(step.values.size());
  for (size_t i = 0; i < step.values.size(); ++i) {
    ValueId id = step.values[i];
    const Value &value = program.values[id];
    if (Error error = sizes.getBytes(value, bytes[i]))
      return error;
    if (value.kind != Value::Output)
      continue;
    if (Error error = placeOutput(id, bytes[i]))
      return error;
    bytes[i] = 0; // not in the frame
  }
  const FramePlan *plan = state.plans.find(step, bytes);
  if (!plan)
    return {DSC_OUT_OF_MEMORY, "the model needs more memory than any machine has"};
  char *frame = static_cast<char *>(arena.push(plan->total));
  if (!frame)
    return outOfMemory(plan->total);
  for (size_t i = 0; i < step.values.size(); ++i)
    if (program.values[step.values[i]].kind == Value::Arena)
      addresses[step.values[i]] = frame + plan->offsets[i];
  return Error::success();
}

Error Executor::runCopy(const Step &step) {
  uint64_t available, bytes;
  if (Error error = sizes.getBytes(program.values[step.a], available))
    return error;
  if (Error error = sizes.getBytes(program.values[step.b], bytes))
    return error;
  if (bytes > available)
    return internalError("a copy reads " + std::to_string(bytes) + " bytes of " +
                         std::to_string(available));
  void *from, *to;
  if (Error error = addressOf(step.a, from))
    return error;
  if (Error error = addressOf(step.b, to))
    return error;
  allocator.copy(to, from, bytes);
  return Error::success();
}

Error Executor::runBind(const Step &step) {
  int64_t value = 0;
  if (Error error = readElement(step.a, step.index, value))
    return error;
  sizes.bind(step.symbol, value);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

static constexpr uint64_t kNoFailure = UINT64_MAX;

/// What all parts of a phase share.
struct Executor::PhaseJob {
  Executor *executor;
  const Step *step;
  int64_t parts;
  /// The first part that failed, its launch and what the kernel returned, as one
  /// number that compares in this order.
  std::atomic<uint64_t> failure{kNoFailure};
};

Error Executor::gatherArguments(const Step &step, uint64_t &scratchBytes) {
  scratchBytes = 0;
  for (uint32_t l = step.launchBegin; l != step.launchEnd; ++l) {
    const Launch &launch = program.launches[l];
    for (size_t i = 0; i < launch.buffers.size(); ++i)
      if (Error error = addressOf(launch.buffers[i], buffers[firstBuffer[l] + i]))
        return error;
    for (size_t i = 0; i < launch.sizes.size(); ++i)
      if (Error error = sizes.get(launch.sizes[i], sizeArguments[firstSize[l] + i]))
        return error;
    int64_t bytes = 0;
    if (launch.scratch != kNone)
      if (Error error = sizes.getSize(launch.scratch, bytes))
        return error;
    scratchBytes = std::max<uint64_t>(scratchBytes, bytes);
  }
  return Error::success();
}

void Executor::runPart(void *phase, size_t part, size_t worker) {
  auto &job = *static_cast<PhaseJob *>(phase);
  Executor &self = *job.executor;
  dsc_kernel_env env = {&kServices, self.scratch[worker].data(), int64_t(part), job.parts};
  for (uint32_t l = job.step->launchBegin; l != job.step->launchEnd; ++l) {
    dsc_kernel_fn kernel = self.model.kernel(self.program.launches[l].kernel);
    int32_t code = kernel(&env, self.buffers.data() + self.firstBuffer[l],
                          self.sizeArguments.data() + self.firstSize[l]);
    if (code == DSC_KERNEL_OK)
      continue;
    uint64_t launch = l - job.step->launchBegin;
    uint64_t failure = uint64_t(part) << 32 | (launch & 0xffffff) << 8 | (code & 0xff);
    uint64_t first = job.failure.load();
    while (failure < first && !job.failure.compare_exchange_weak(first, failure)) {
    }
    return;
  }
}

Error Executor::kernelError(uint32_t number, int32_t code) const {
  const Launch &launch = program.launches[number];
  std::string where =
      launch.origin == kNone ? program.kernels[launch.kernel] : program.origins[launch.origin];
  if (code == DSC_KERNEL_INDEX_OUT_OF_RANGE)
    return runtimeValue(where + ": an index is out of range");
  if (code == DSC_KERNEL_BAD_VALUE)
    return runtimeValue(where + ": a value is outside the operator's domain");
  return internalError(where + ": the kernel returned " + std::to_string(code));
}

Error Executor::runPhase(const Step &step) {
  constexpr int64_t kMaxParts = INT32_MAX;
  PhaseJob job{this, &step, 0};
  if (Error error = sizes.getSize(step.parts, job.parts))
    return error;
  if (job.parts > kMaxParts)
    return internalError("a phase has " + std::to_string(job.parts) + " parts");
  uint64_t scratchBytes;
  if (Error error = gatherArguments(step, scratchBytes))
    return error;
  if (queue)
    return runOnDevice(step, job.parts);
  size_t workers = job.parts > 1 ? scratch.size() : 1;
  for (size_t i = 0; i < workers; ++i)
    if (!scratch[i].reserve(scratchBytes))
      return outOfMemory(scratchBytes);
  pool.run(job.parts, runPart, &job);
  uint64_t failure = job.failure.load();
  if (failure == kNoFailure)
    return Error::success();
  return kernelError(step.launchBegin + (failure >> 8 & 0xffffff), failure & 0xff);
}

} // namespace dsc::runtime
