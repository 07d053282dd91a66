//===- Session.cpp - a compiled model, by the names of its values -----------===//
#include "common/Session.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "common/Npy.h"

namespace examples {

static void check(dsc_status status) {
  if (status != DSC_OK)
    throw std::runtime_error(dsc_last_error());
}

static dsc_model *openModel(const std::string &path) {
  dsc_model *model = nullptr;
  check(dsc_model_open(path.c_str(), &model));
  return model;
}

static dsc_context *createContext(dsc_model *model, size_t threads) {
  dsc_context_options options = {};
  options.struct_size = sizeof(options);
  options.threads = threads;
  dsc_context *context = nullptr;
  check(dsc_context_create(model, &options, &context));
  return context;
}

Session::Session(const std::string &path, const SessionOptions &options)
    : model(openModel(path), dsc_model_close),
      context(createContext(model.get(), options.threads), dsc_context_destroy),
      inputs(dsc_model_input_count(model.get())) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    dsc_tensor_info info;
    check(dsc_model_input_info(model.get(), i, &info));
    inputs[i].name = info.name;
  }
  if (!options.recordDir.empty())
    recordDir = options.recordDir + "/" + std::filesystem::path(path).stem().string();
}

bool Session::hasInput(const std::string &name) const {
  return std::any_of(inputs.begin(), inputs.end(),
                     [&](const Input &input) { return input.name == name; });
}

size_t Session::inputIndex(const std::string &name) const {
  for (size_t i = 0; i < inputs.size(); ++i)
    if (inputs[i].name == name)
      return i;
  throw std::runtime_error("the model has no input '" + name + "'");
}

void Session::setBytes(const std::string &name, const void *data, dsc_dtype dtype,
                       size_t elementSize, Dims dims) {
  size_t bytes = elementSize;
  for (int64_t dim : dims)
    bytes *= dim;
  size_t index = inputIndex(name);
  check(dsc_context_set_input(context.get(), index, data, dtype, dims.size(), dims.data(), bytes));
  inputs[index].data = data;
  inputs[index].dtype = dtype;
  inputs[index].dims = std::move(dims);
}

void Session::run() {
  check(dsc_context_run(context.get()));
  if (!recordDir.empty())
    record();
}

Output Session::output(size_t index) const {
  dsc_tensor tensor;
  check(dsc_context_get_output(context.get(), index, &tensor));
  if (tensor.dtype != DSC_FLOAT32)
    throw std::runtime_error("an output is not float32");
  return {static_cast<const float *>(tensor.data), Dims(tensor.dims, tensor.dims + tensor.rank)};
}

/// RECORD_DIR/MODEL/0000/input-NAME.npy and output-NAME.npy.
void Session::record() {
  char number[16];
  std::snprintf(number, sizeof(number), "/%04d/", runs++);
  std::string dir = recordDir + number;
  std::filesystem::create_directories(dir);
  auto file = [&](const char *kind, std::string name) {
    std::replace(name.begin(), name.end(), '/', '_');
    return dir + kind + name + ".npy";
  };
  for (const Input &input : inputs)
    writeNpy(file("input-", input.name), input.data, input.dtype, input.dims);
  for (size_t i = 0; i < dsc_model_output_count(model.get()); ++i) {
    dsc_tensor_info info;
    dsc_tensor tensor;
    check(dsc_model_output_info(model.get(), i, &info));
    check(dsc_context_get_output(context.get(), i, &tensor));
    writeNpy(file("output-", info.name), tensor.data, tensor.dtype,
             Dims(tensor.dims, tensor.dims + tensor.rank));
  }
}

} // namespace examples
