//===- Executor.h - runs the steps of a program ---------------------------===//
//
// The meaning of each step is in dsc/Format/Program.h. All state that a run needs
// is kept from run to run, so that a run of a shape already seen allocates nothing.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "FramePlans.h"
#include "Memory.h"
#include "Model.h"
#include "Outputs.h"
#include "Pool.h"

namespace dsc::runtime {

class Executor {
public:
  /// `allocator`: of the memory that kernels work on, the device's if `queue` is not
  /// null.
  Executor(const Model &model, Allocator &allocator, Pool &pool, Outputs &outputs,
           CudaQueue *queue);

  /// The sizes that follow from the inputs are to be set before a run.
  Sizes &getSizes() { return sizes; }
  /// `inputs`: the data of each input.
  Error run(std::span<const void *const> inputs);
  /// Gives back what the next run would have to ask for again.
  void trim();

private:
  /// A tensor that is handed from one scope to another; `dims` is room for as many
  /// as it has.
  struct Tensor {
    const void *data = nullptr;
    uint64_t bytes = 0;
    std::vector<int64_t> dims;
  };
  /// What a step keeps between runs.
  struct StepState {
    FramePlans plans; // Frame
    // If: for each result what the branch gives, and memory of the step.
    // Loop: see LoopState.
    std::vector<Tensor> tensors;
    std::vector<Buffer> buffers;
  };
  class LoopState;
  struct PhaseJob;

  void prepareState(const format::Step &step, StepState &state);

  // Steps (Executor.cpp)
  Error runBlock(format::BlockId block);
  Error runStep(const format::Step &step, StepState &state);
  Error runFrame(const format::Step &step, StepState &state);
  Error runPhase(const format::Step &step);
  Error runOnDevice(const format::Step &step, int64_t parts);
  Error gatherArguments(const format::Step &step, uint64_t &scratchBytes);
  static void runPart(void *phase, size_t part, size_t worker);
  Error kernelError(uint32_t launch, int32_t code) const;
  Error runCopy(const format::Step &step);
  Error runBind(const format::Step &step);

  // Control flow (ControlFlow.cpp)
  Error runIf(const format::Step &step, StepState &state);
  Error runLoop(const format::Step &step, StepState &state);
  Error runIteration(const format::Step &step, LoopState &loop);
  Error startIteration(const format::Step &step, LoopState &loop);
  Error carryValues(const format::Step &step, LoopState &loop);
  Error addSlices(const format::Step &step, LoopState &loop);
  Error finishLoop(const format::Step &step, LoopState &loop);
  bool isPlacedByLoop(const format::Step &step, size_t carried) const;

  // Inputs and outputs on a device (Device.cpp)
  Error placeInputs(std::span<const void *const> inputs);
  /// Gives an output its address, now that its size is known.
  Error placeOutput(format::ValueId id, uint64_t bytes);
  Error finishRun();

  /// The value's address, in any kind of storage.
  Error addressOf(format::ValueId id, void *&address) const;
  /// The element `index` of an integral value.
  Error readElement(format::ValueId id, uint64_t index, int64_t &element) const;
  /// What the value is now.
  Error readTensor(format::ValueId id, Tensor &tensor) const;
  /// Matches `value` to what it gets from the step's branch or body.
  Error matchTensor(const format::Step &step, format::ValueId value, const Tensor &tensor);
  /// Has `result`, matched already, hold what `tensor` holds. If no Frame has placed
  /// it, it is placed in `own`, which may be where the tensor is.
  Error storeResult(format::ValueId result, const Tensor &tensor, Buffer &own);

  const Model &model;
  const format::Program &program;
  Pool &pool;
  Outputs &outputs;
  CudaQueue *queue;
  Sizes sizes;
  Allocator &allocator;
  Arena arena;
  std::vector<void *> addresses;     // of values that are placed
  std::vector<StepState> stepStates; // of all blocks, one after another
  std::vector<size_t> firstStep;     // of each block
  std::vector<uint64_t> frameSizes;  // while a frame is placed
  /// Arguments of launches, and where those of each begin.
  std::vector<void *> buffers;
  std::vector<int64_t> sizeArguments;
  std::vector<size_t> firstBuffer, firstSize;
  std::vector<Buffer> scratch; // of each worker
  /// Where an input or output is on the device, and where the caller has it.
  struct Staged {
    Buffer device;
    void *host = nullptr;
    uint64_t bytes = 0;
  };
  std::vector<Staged> stagedInputs, stagedOutputs; // empty without a device
};

} // namespace dsc::runtime
