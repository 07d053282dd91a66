//===- ControlFlow.cpp - If and Loop --------------------------------------===//
//
// What a branch or an iteration gives is read while its scope lasts: address and
// dims. Then the scope ends, which leaves the data where they are until a frame is
// pushed, and the data are copied to where the scope around wants them.
//
//===----------------------------------------------------------------------===//

#include "Executor.h"

#include <algorithm>

namespace dsc::runtime {

using format::kNone;
using format::PlacedBy;
using format::Step;
using format::Value;
using format::ValueId;

Error Executor::readTensor(ValueId id, Tensor &tensor) const {
  const Value &value = program.values[id];
  void *data;
  if (Error error = addressOf(id, data))
    return error;
  tensor.data = data;
  if (Error error = sizes.getBytes(value, tensor.bytes))
    return error;
  return sizes.getDims(value, tensor.dims);
}

static Error mismatch(const Step &step, const std::string &expected, format::DType dtype,
                      std::span<const int64_t> dims) {
  std::string where = step.message.empty() ? (step.kind == Step::If ? "If" : "Loop") : step.message;
  return runtimeValue(where + ": expected " + expected + ", got " + describe(dtype, dims));
}

Error Executor::matchTensor(const Step &step, ValueId id, const Tensor &tensor) {
  const Value &value = program.values[id];
  bool matches;
  if (Error error = sizes.match(value, tensor.dims, matches))
    return error;
  if (matches)
    return Error::success();
  return mismatch(step, describe(program, value), value.dtype, tensor.dims);
}

Error Executor::storeResult(ValueId result, const Tensor &tensor, Buffer &own) {
  const Value &value = program.values[result];
  uint64_t bytes;
  if (Error error = sizes.getBytes(value, bytes))
    return error;
  if (bytes > tensor.bytes)
    return internalError("a result needs more bytes than there are");
  if (model.placedBy(result) == PlacedBy::Step) {
    if (value.kind == Value::Output) {
      if (Error error = placeOutput(result, bytes))
        return error;
    } else {
      if (tensor.data != own.data() && !own.reserve(bytes))
        return outOfMemory(bytes);
      addresses[result] = own.data();
    }
  }
  if (addresses[result] != tensor.data)
    allocator.copy(addresses[result], tensor.data, bytes);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

Error Executor::runIf(const Step &step, StepState &state) {
  int64_t taken;
  if (Error error = readElement(step.a, 0, taken))
    return error;
  size_t scope = sizes.enter();
  Arena::Mark mark = arena.mark();
  if (Error error = runBlock(taken ? step.thenBlock : step.elseBlock))
    return error;
  for (size_t i = 0; i < step.ifResults.size(); ++i) {
    const format::IfResult &result = step.ifResults[i];
    if (Error error = readTensor(taken ? result.thenValue : result.elseValue, state.tensors[i]))
      return error;
  }
  arena.pop(mark);
  sizes.leave(scope);
  for (size_t i = 0; i < step.ifResults.size(); ++i) {
    ValueId result = step.ifResults[i].result;
    if (Error error = matchTensor(step, result, state.tensors[i]))
      return error;
    if (Error error = storeResult(result, state.tensors[i], state.buffers[i]))
      return error;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

/// The state of a loop, within what its step keeps. A carried value has two
/// buffers: the iteration reads one and leaves its successor in the other.
class Executor::LoopState {
public:
  LoopState(const Step &step, StepState &state) : step(step), state(state) {}

  static void prepare(const Step &step, StepState &state, const format::Program &program,
                      Allocator &allocator) {
    auto addTensor = [&](ValueId id) {
      state.tensors.emplace_back().dims.resize(program.values[id].dims.size());
    };
    auto addBuffer = [&] { state.buffers.emplace_back(allocator); };
    for (const format::LoopCarried &carried : step.carried) {
      addTensor(carried.init);
      addTensor(carried.next);
      addBuffer();
      addBuffer();
    }
    for (const format::LoopScan &scan : step.scans) {
      addTensor(scan.slice);
      addTensor(scan.result);
      addBuffer();
    }
    addBuffer();
  }

  int64_t iteration = 0, limit = INT64_MAX;
  int64_t condition = 1;

  /// The carried value when an iteration starts, and when it ends.
  Tensor &current(size_t k) { return state.tensors[2 * k]; }
  Tensor &next(size_t k) { return state.tensors[2 * k + 1]; }
  /// The buffer in which the carried value is not.
  Buffer &other(size_t k) {
    Buffer &first = state.buffers[2 * k];
    return first.data() == current(k).data ? state.buffers[2 * k + 1] : first;
  }
  /// The buffer in which it is; the first one if it is in none.
  Buffer &own(size_t k) {
    Buffer &second = state.buffers[2 * k + 1];
    return second.data() == current(k).data ? second : state.buffers[2 * k];
  }
  /// The slice of an iteration, and the result.
  Tensor &slice(size_t k) { return state.tensors[2 * (step.carried.size() + k)]; }
  Tensor &scanned(size_t k) { return state.tensors[2 * (step.carried.size() + k) + 1]; }
  Buffer &scanBuffer(size_t k) { return state.buffers[2 * step.carried.size() + k]; }
  /// Iteration number and condition, as the body sees them.
  Buffer &params() { return state.buffers.back(); }

private:
  const Step &step;
  StepState &state;
};

void Executor::prepareState(const Step &step, StepState &state) {
  if (step.kind == Step::Loop)
    return LoopState::prepare(step, state, program, allocator);
  for (const format::IfResult &result : step.ifResults) {
    state.tensors.emplace_back().dims.resize(program.values[result.result].dims.size());
    state.buffers.emplace_back(allocator);
  }
}

Error Executor::runLoop(const Step &step, StepState &state) {
  LoopState loop(step, state);
  if (step.a != kNone)
    if (Error error = readElement(step.a, 0, loop.limit))
      return error;
  if (step.b != kNone)
    if (Error error = readElement(step.b, 0, loop.condition))
      return error;
  for (size_t k = 0; k < step.carried.size(); ++k)
    if (Error error = readTensor(step.carried[k].init, loop.current(k)))
      return error;
  for (; loop.iteration < loop.limit && loop.condition; ++loop.iteration) {
    size_t scope = sizes.enter();
    Arena::Mark mark = arena.mark();
    if (Error error = runIteration(step, loop))
      return error;
    arena.pop(mark);
    sizes.leave(scope);
  }
  return finishLoop(step, loop);
}

Error Executor::runIteration(const Step &step, LoopState &loop) {
  if (Error error = startIteration(step, loop))
    return error;
  if (Error error = runBlock(step.body))
    return error;
  if (step.conditionNext != kNone)
    if (Error error = readElement(step.conditionNext, 0, loop.condition))
      return error;
  // Slices first: one may be what the iteration has been given.
  if (Error error = addSlices(step, loop))
    return error;
  return carryValues(step, loop);
}

/// Whether the loop gives the carried value's `next` its place.
bool Executor::isPlacedByLoop(const Step &step, size_t carried) const {
  ValueId next = step.carried[carried].next;
  if (program.values[next].kind != Value::Arena || model.placedBy(next) != PlacedBy::Nothing)
    return false;
  // Of several values that are carried on by one, the first.
  for (size_t k = 0; k < carried; ++k)
    if (step.carried[k].next == next)
      return false;
  return true;
}

Error Executor::startIteration(const Step &step, LoopState &loop) {
  if (!loop.params().reserve(2 * kAlignment))
    return outOfMemory(2 * kAlignment);
  char *params = static_cast<char *>(loop.params().data());
  allocator.write(params, &loop.iteration, sizeof(loop.iteration));
  const char goesOn = 1; // else there would be no iteration
  allocator.write(params + kAlignment, &goesOn, 1);
  if (step.iterationParam != kNone)
    addresses[step.iterationParam] = params;
  if (step.conditionParam != kNone)
    addresses[step.conditionParam] = params + kAlignment;
  for (size_t k = 0; k < step.carried.size(); ++k) {
    if (Error error = matchTensor(step, step.carried[k].param, loop.current(k)))
      return error;
    // The body does not write it.
    addresses[step.carried[k].param] = const_cast<void *>(loop.current(k).data);
  }
  for (size_t k = 0; k < step.carried.size(); ++k) {
    if (!isPlacedByLoop(step, k))
      continue;
    uint64_t bytes;
    ValueId next = step.carried[k].next;
    if (Error error = sizes.getBytes(program.values[next], bytes))
      return error;
    if (!loop.other(k).grow(bytes, /*kept=*/0))
      return outOfMemory(bytes);
    addresses[next] = loop.other(k).data();
  }
  return Error::success();
}

Error Executor::carryValues(const Step &step, LoopState &loop) {
  for (size_t k = 0; k < step.carried.size(); ++k)
    if (Error error = readTensor(step.carried[k].next, loop.next(k)))
      return error;
  // All are copied before any becomes current: one value's next may be another's
  // param.
  for (size_t k = 0; k < step.carried.size(); ++k) {
    Tensor &next = loop.next(k);
    Buffer &other = loop.other(k);
    if (next.data == loop.current(k).data || next.data == other.data())
      continue;
    if (!other.grow(next.bytes, /*kept=*/0))
      return outOfMemory(next.bytes);
    allocator.copy(other.data(), next.data, next.bytes);
    next.data = other.data();
  }
  for (size_t k = 0; k < step.carried.size(); ++k)
    std::swap(loop.current(k), loop.next(k));
  return Error::success();
}

Error Executor::addSlices(const Step &step, LoopState &loop) {
  for (size_t k = 0; k < step.scans.size(); ++k) {
    Tensor &slice = loop.slice(k), &all = loop.scanned(k);
    if (Error error = readTensor(step.scans[k].slice, slice))
      return error;
    std::span<int64_t> dims = std::span(all.dims).subspan(1);
    if (loop.iteration == 0) {
      std::ranges::copy(slice.dims, dims.begin());
      all.bytes = 0;
    } else if (!std::ranges::equal(slice.dims, dims)) {
      return mismatch(step, describe(program.values[step.scans[k].slice].dtype, dims),
                      program.values[step.scans[k].slice].dtype, slice.dims);
    }
    Buffer &buffer = loop.scanBuffer(k);
    uint64_t size;
    if (__builtin_add_overflow(all.bytes, slice.bytes, &size) || !buffer.grow(size, all.bytes))
      return outOfMemory(size);
    allocator.copy(static_cast<char *>(buffer.data()) + all.bytes, slice.data, slice.bytes);
    all.bytes = size;
  }
  return Error::success();
}

Error Executor::finishLoop(const Step &step, LoopState &loop) {
  for (size_t k = 0; k < step.carried.size(); ++k) {
    ValueId result = step.carried[k].result;
    if (Error error = matchTensor(step, result, loop.current(k)))
      return error;
    if (Error error = storeResult(result, loop.current(k), loop.own(k)))
      return error;
  }
  for (size_t k = 0; k < step.scans.size(); ++k) {
    ValueId result = step.scans[k].result;
    Tensor &all = loop.scanned(k);
    all.data = loop.scanBuffer(k).data();
    all.dims[0] = loop.iteration;
    if (loop.iteration == 0) {
      all.bytes = 0;
      for (size_t i = 1; i < all.dims.size(); ++i)
        all.dims[i] = sizes.valueOr(program.values[result].dims[i], 0);
    }
    if (Error error = matchTensor(step, result, all))
      return error;
    if (Error error = storeResult(result, all, loop.scanBuffer(k)))
      return error;
  }
  return Error::success();
}

} // namespace dsc::runtime
