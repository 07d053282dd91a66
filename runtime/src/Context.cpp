//===- Context.cpp - one run at a time ------------------------------------===//

#include "Context.h"

#include "CpuCount.h"
#include "FloatMode.h"

#include <algorithm>

namespace dsc::runtime {

using format::Expr;
using format::kUnknown;
using format::Value;

/// More threads than any machine has are an error of the caller; they cost memory.
static constexpr size_t kMaxThreads = 4096;

static size_t threadCount(const dsc_context_options &options) {
  return options.threads == 0 ? usableCpus() : std::min(options.threads, kMaxThreads);
}

Context::Context(std::shared_ptr<const Model> model, const dsc_context_options &options)
    : model(std::move(model)), allocator(options), queue(this->model->makeQueue()),
      deviceAllocator(queue ? new Allocator(*queue) : nullptr),
      pool(queue ? 1 : threadCount(options), options.parallel_for, options.parallel_user),
      outputs(*this->model, allocator),
      executor(*this->model, queue ? *deviceAllocator : allocator, pool, outputs, queue.get()),
      inputs(this->model->inputCount()), inputData(inputs.size()),
      symbols(this->model->program().symbols.size()) {}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

Error Context::setInput(size_t index, const void *data, dsc_dtype dtype,
                        std::span<const int64_t> dims, size_t bytes) {
  if (index >= inputs.size())
    return invalidArgument("the model has no input " + std::to_string(index));
  Input &input = inputs[index];
  input = {true, data, dtype, std::move(input.dims), bytes};
  input.dims.assign(dims.begin(), dims.end());
  return Error::success();
}

Error Context::mismatch(size_t index, const std::string &reason) const {
  const format::Program &program = model->program();
  const Value &value = program.values[program.inputs[index]];
  const Input &input = inputs[index];
  return invalidArgument("input '" + value.name + "': expected " + describe(program, value) +
                         ", got " + describe(static_cast<format::DType>(input.dtype), input.dims) +
                         (reason.empty() ? "" : ": " + reason));
}

/// What does not depend on the other inputs.
Error Context::checkInput(size_t index) const {
  const Input &input = inputs[index];
  const Value &value = model->program().values[model->program().inputs[index]];
  auto failure = [&](const std::string &what) {
    return invalidArgument("input '" + value.name + "': " + what);
  };
  if (!input.isSet)
    return failure("expected " + describe(model->program(), value) + ", but it is not set");
  if (input.dtype != static_cast<dsc_dtype>(value.dtype))
    return mismatch(index, "the element types differ");
  if (input.dims.size() != value.dims.size())
    return mismatch(index, "the ranks differ");
  size_t elementSize = byteSize(value.dtype);
  uint64_t bytes = elementSize;
  for (int64_t dim : input.dims) {
    if (dim < 0)
      return mismatch(index, "a dim is negative");
    if (__builtin_mul_overflow(bytes, uint64_t(dim), &bytes))
      return failure("the size of " + describe(value.dtype, input.dims) + " overflows");
  }
  if (bytes != input.bytes)
    return failure(describe(value.dtype, input.dims) + " has " + std::to_string(bytes) +
                   " bytes, got " + std::to_string(input.bytes));
  if (bytes != 0 && !input.data)
    return failure("its data is NULL");
  // Complex numbers are as aligned as their parts.
  if (reinterpret_cast<uintptr_t>(input.data) % std::min<size_t>(elementSize, 8) != 0)
    return failure("its data is not aligned to its elements of " + std::to_string(elementSize) +
                   " bytes");
  return Error::success();
}

/// Finds what the inputs' dims say of the symbols; fails if they contradict the
/// model or each other.
Error Context::bindSymbols() {
  const format::Program &program = model->program();
  auto valueOf = [&](size_t index) -> const Value & {
    return program.values[program.inputs[index]];
  };
  std::ranges::fill(symbols, kUnknown);
  for (size_t index = 0; index < inputs.size(); ++index)
    for (size_t i = 0; i < inputs[index].dims.size(); ++i) {
      const Expr &dim = program.exprs[valueOf(index).dims[i]];
      if (dim.op == Expr::Symbol && symbols[dim.imm] == kUnknown)
        symbols[dim.imm] = inputs[index].dims[i];
    }
  Sizes &sizes = executor.getSizes();
  sizes.reset(symbols);
  for (size_t index = 0; index < inputs.size(); ++index)
    for (size_t i = 0; i < inputs[index].dims.size(); ++i) {
      format::ExprId dim = valueOf(index).dims[i];
      int64_t expected;
      if (Error error = sizes.get(dim, expected))
        return mismatch(index, error.text);
      if (expected != inputs[index].dims[i])
        return mismatch(
            index,
            "axis " + std::to_string(i) + " must be " + std::to_string(expected) +
                (program.exprs[dim].op == Expr::Const ? "" : " by the sizes of the other axes"));
    }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Runs
//===----------------------------------------------------------------------===//

Error Context::run() {
  outputs.invalidate();
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (Error error = checkInput(i))
      return error;
    inputData[i] = inputs[i].data;
  }
  if (Error error = bindSymbols())
    return error;
  FloatMode mode;
  return executor.run(inputData);
}

} // namespace dsc::runtime
