//===- Outputs.cpp - where a run's results go -----------------------------===//

#include "Outputs.h"

namespace dsc::runtime {

using format::Value;
using format::ValueId;

Outputs::Outputs(const Model &model, Allocator &allocator)
    : model(model), indexOf(model.program().values.size()) {
  const format::Program &program = model.program();
  slots.reserve(program.outputs.size());
  for (ValueId id : program.outputs) {
    indexOf[id] = slots.size();
    slots.emplace_back(allocator);
    slots.back().dims.resize(program.values[id].dims.size());
  }
}

Error Outputs::setMemory(size_t index, void *data, size_t capacity) {
  if (index >= slots.size())
    return invalidArgument("the model has no output " + std::to_string(index));
  slots[index].memory = data;
  slots[index].capacity = data ? capacity : 0;
  return Error::success();
}

Error Outputs::place(ValueId output, uint64_t bytes, const Sizes &sizes, void *&address) {
  Slot &slot = slots[indexOf[output]];
  const Value &value = model.program().values[output];
  slot.bytes = bytes;
  if (slot.memory) {
    if (bytes > slot.capacity) {
      if (Error error = sizes.getDims(value, slot.dims))
        return error;
      return invalidArgument("output '" + value.name + "': " + describe(value.dtype, slot.dims) +
                             " needs " + std::to_string(bytes) + " bytes, the memory given has " +
                             std::to_string(slot.capacity));
    }
    address = slot.address = slot.memory;
    return Error::success();
  }
  if (!slot.own.reserve(bytes))
    return outOfMemory(bytes);
  address = slot.address = slot.own.data();
  return Error::success();
}

Error Outputs::finish(const Sizes &sizes) {
  for (size_t i = 0; i < slots.size(); ++i)
    if (Error error =
            sizes.getDims(model.program().values[model.program().outputs[i]], slots[i].dims))
      return error;
  valid = true;
  return Error::success();
}

Error Outputs::get(size_t index, dsc_tensor &tensor) const {
  if (index >= slots.size())
    return invalidArgument("the model has no output " + std::to_string(index));
  if (!valid)
    return invalidArgument("there are no outputs: the context's last run did not succeed");
  const Slot &slot = slots[index];
  const Value &value = model.program().values[model.program().outputs[index]];
  tensor = {slot.address, static_cast<dsc_dtype>(value.dtype), slot.dims.size(), slot.dims.data(),
            slot.bytes};
  return Error::success();
}

} // namespace dsc::runtime
