//===- Outputs.h - where a run's results go -------------------------------===//
#pragma once

#include "Memory.h"
#include "Model.h"

namespace dsc::runtime {

/// For each output of a model the caller's memory or the context's own.
class Outputs {
public:
  Outputs(const Model &model, Allocator &allocator);

  Error setMemory(size_t index, void *data, size_t capacity);
  /// A run begins: earlier results are void.
  void invalidate() { valid = false; }
  /// Memory for an output whose size is now known.
  Error place(format::ValueId output, uint64_t bytes, const Sizes &sizes, void *&address);
  /// A run has ended well: takes the outputs' dims from `sizes`.
  Error finish(const Sizes &sizes);
  Error get(size_t index, dsc_tensor &tensor) const;

private:
  struct Slot {
    explicit Slot(Allocator &allocator) : own(allocator) {}
    Buffer own;
    void *memory = nullptr; // the caller's
    size_t capacity = 0;
    void *address = nullptr; // of the last run's result
    size_t bytes = 0;
    std::vector<int64_t> dims;
  };

  const Model &model;
  std::vector<Slot> slots;
  std::vector<uint32_t> indexOf; // of a value; no meaning for those that are not outputs
  bool valid = false;
};

} // namespace dsc::runtime
