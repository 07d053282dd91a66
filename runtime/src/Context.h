//===- Context.h - one run at a time --------------------------------------===//
#pragma once

#include "CudaModel.h"
#include "Executor.h"

namespace dsc::runtime {

class Context {
public:
  Context(std::shared_ptr<const Model> model, const dsc_context_options &options);

  Error setInput(size_t index, const void *data, dsc_dtype dtype, std::span<const int64_t> dims,
                 size_t bytes);
  Error setOutput(size_t index, void *data, size_t capacity) {
    return outputs.setMemory(index, data, capacity);
  }
  Error run();
  Error getOutput(size_t index, dsc_tensor &tensor) const { return outputs.get(index, tensor); }

  size_t heldBytes() const {
    return allocator.heldBytes() + (deviceAllocator ? deviceAllocator->heldBytes() : 0);
  }
  size_t threads() const { return pool.threads(); }
  void trim() { executor.trim(); }

private:
  /// What the caller has given.
  struct Input {
    bool isSet = false;
    const void *data = nullptr;
    dsc_dtype dtype = DSC_UNDEFINED;
    std::vector<int64_t> dims;
    size_t bytes = 0;
  };

  Error checkInput(size_t index) const;
  Error bindSymbols();
  /// The input is not what the model expects.
  Error mismatch(size_t index, const std::string &reason) const;

  std::shared_ptr<const Model> model;
  Allocator allocator;
  std::unique_ptr<CudaQueue> queue; // null on a CPU
  std::unique_ptr<Allocator> deviceAllocator;
  Pool pool;
  Outputs outputs;
  Executor executor;
  std::vector<Input> inputs;
  std::vector<const void *> inputData;
  std::vector<int64_t> symbols; // as the inputs' dims say
};

} // namespace dsc::runtime
