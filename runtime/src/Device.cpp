//===- Device.cpp - runs of models on a GPU -------------------------------===//
//
// The steps are the same as on a CPU: addresses are the device's, phases are launches,
// and what a step needs to know of a value is read back. Inputs are copied to the
// device before the first step, outputs to the caller after the last.
//
//===----------------------------------------------------------------------===//

#include "CudaModel.h"
#include "Executor.h"

#include <algorithm>

namespace dsc::runtime {

Error Executor::placeInputs(std::span<const void *const> inputs) {
  if (queue)
    queue->begin();
  for (size_t i = 0; i < inputs.size(); ++i) {
    format::ValueId id = program.inputs[i];
    if (!queue) {
      addresses[id] = const_cast<void *>(inputs[i]); // kernels only read it
      continue;
    }
    uint64_t bytes;
    if (Error error = sizes.getBytes(program.values[id], bytes))
      return error;
    if (!stagedInputs[i].device.reserve(bytes))
      return outOfMemory(bytes);
    addresses[id] = stagedInputs[i].device.data();
    allocator.write(addresses[id], inputs[i], bytes);
  }
  return queue ? queue->error() : Error::success();
}

Error Executor::placeOutput(format::ValueId id, uint64_t bytes) {
  if (!queue)
    return outputs.place(id, bytes, sizes, addresses[id]);
  size_t index = std::ranges::find(program.outputs, id) - program.outputs.begin();
  Staged &staged = stagedOutputs[index];
  if (Error error = outputs.place(id, bytes, sizes, staged.host))
    return error;
  if (!staged.device.reserve(bytes))
    return outOfMemory(bytes);
  staged.bytes = bytes;
  addresses[id] = staged.device.data();
  return Error::success();
}

Error Executor::runOnDevice(const format::Step &step, int64_t parts) {
  for (uint32_t l = step.launchBegin; l != step.launchEnd; ++l) {
    const format::Launch &launch = program.launches[l];
    queue->launch(l, std::span(buffers).subspan(firstBuffer[l], launch.buffers.size()),
                  std::span(sizeArguments).subspan(firstSize[l], launch.sizes.size()), parts);
  }
  return queue->error();
}

Error Executor::finishRun() {
  if (!queue)
    return Error::success();
  uint32_t launch = 0;
  int32_t code = DSC_KERNEL_OK;
  if (Error error = queue->finish(launch, code))
    return error;
  if (code != DSC_KERNEL_OK)
    return kernelError(launch, code);
  for (Staged &staged : stagedOutputs)
    allocator.read(staged.host, staged.device.data(), staged.bytes);
  return queue->error();
}

} // namespace dsc::runtime
