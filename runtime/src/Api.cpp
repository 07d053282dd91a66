//===- Api.cpp - the C API ------------------------------------------------===//
//
// Translates between C and the classes behind it. No exception leaves a function.
//
//===----------------------------------------------------------------------===//

#include "Handles.h"

#include <algorithm>
#include <cstring>
#include <new>

using namespace dsc::runtime;

/// Room for any text but those of malicious artifacts; they are cut. Not a string:
/// it must be there when memory is out.
static thread_local char lastError[1024];

static dsc_status fail(dsc_status status, const char *text) {
  size_t size = std::min(std::strlen(text), sizeof(lastError) - 1);
  std::memcpy(lastError, text, size);
  lastError[size] = '\0';
  return status;
}

template <typename F> static dsc_status guarded(F function) {
  try {
    Error error = function();
    return error ? fail(error.status, error.text.c_str()) : DSC_OK;
  } catch (const std::bad_alloc &) {
    return fail(DSC_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception &exception) {
    return fail(DSC_INTERNAL, exception.what());
  } catch (...) {
    return fail(DSC_INTERNAL, "an exception of unknown type");
  }
}

static Error nullArgument(const char *name) {
  return invalidArgument(std::string(name) + " is NULL");
}

//===----------------------------------------------------------------------===//
// Library
//===----------------------------------------------------------------------===//

const char *dsc_status_text(dsc_status status) {
  switch (status) {
  case DSC_OK:
    return "ok";
  case DSC_INVALID_ARGUMENT:
    return "invalid argument";
  case DSC_IO:
    return "input/output error";
  case DSC_CORRUPT:
    return "not a usable artifact";
  case DSC_UNSUPPORTED_CPU:
    return "no code for this CPU";
  case DSC_OUT_OF_MEMORY:
    return "out of memory";
  case DSC_RUNTIME_VALUE:
    return "a value is out of range";
  case DSC_INTERNAL:
    return "internal error";
  }
  return "unknown status";
}

const char *dsc_last_error(void) { return lastError; }

const char *dsc_version(void) { return DSC_VERSION; }

size_t dsc_dtype_size(dsc_dtype dtype) {
  return dsc::format::byteSize(static_cast<dsc::format::DType>(dtype));
}

const char *dsc_dtype_name(dsc_dtype dtype) {
  return dsc::format::name(static_cast<dsc::format::DType>(dtype));
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

template <typename F> static dsc_status openModel(dsc_model **result, F open) {
  return guarded([&] {
    if (!result)
      return nullArgument("model");
    *result = nullptr;
    auto model = std::make_unique<dsc_model>();
    Error error = open(model->model);
    if (!error)
      *result = model.release();
    return error;
  });
}

dsc_status dsc_model_open(const char *path, dsc_model **model) {
  return openModel(model, [&](std::shared_ptr<const Model> &opened) {
    return path ? Model::open(path, opened) : nullArgument("path");
  });
}

dsc_status dsc_model_open_memory(const void *bytes, size_t size, dsc_model **model) {
  return openModel(model, [&](std::shared_ptr<const Model> &opened) {
    if (!bytes)
      return nullArgument("bytes");
    return Model::openMemory({static_cast<const uint8_t *>(bytes), size}, opened);
  });
}

void dsc_model_close(dsc_model *model) { delete model; }

dsc_status dsc_model_check_weights(const dsc_model *model) {
  return guarded([&] { return model ? model->model->checkWeights() : nullArgument("model"); });
}

size_t dsc_model_input_count(const dsc_model *model) { return model->model->inputCount(); }
size_t dsc_model_output_count(const dsc_model *model) { return model->model->outputCount(); }

dsc_status dsc_model_input_info(const dsc_model *model, size_t index, dsc_tensor_info *info) {
  return guarded([&] {
    if (!model || !info)
      return nullArgument(model ? "info" : "model");
    if (index >= model->model->inputCount())
      return invalidArgument("the model has no input " + std::to_string(index));
    *info = model->model->input(index);
    return Error::success();
  });
}

dsc_status dsc_model_output_info(const dsc_model *model, size_t index, dsc_tensor_info *info) {
  return guarded([&] {
    if (!model || !info)
      return nullArgument(model ? "info" : "model");
    if (index >= model->model->outputCount())
      return invalidArgument("the model has no output " + std::to_string(index));
    *info = model->model->output(index);
    return Error::success();
  });
}

const char *dsc_model_manifest(const dsc_model *model, size_t *size) {
  const std::string &manifest = model->model->manifest();
  if (size)
    *size = manifest.size();
  return manifest.c_str();
}

const char *dsc_model_target(const dsc_model *model) { return model->model->target().c_str(); }
size_t dsc_model_weight_bytes(const dsc_model *model) { return model->model->weightSize(); }

//===----------------------------------------------------------------------===//
// Contexts
//===----------------------------------------------------------------------===//

dsc_status dsc_context_create(dsc_model *model, const dsc_context_options *options,
                              dsc_context **context) {
  return guarded([&] {
    if (!model || !context)
      return nullArgument(model ? "context" : "model");
    *context = nullptr;
    // A caller of an earlier version knows the first members only.
    dsc_context_options known = {};
    if (options)
      std::memcpy(&known, options, std::min(options->struct_size, sizeof(known)));
    if (options && options->struct_size < offsetof(dsc_context_options, allocate))
      return invalidArgument("options.struct_size must be sizeof(dsc_context_options)");
    if (!known.allocate != !known.deallocate)
      return invalidArgument("options has one of allocate and deallocate without the other");
    *context = new dsc_context{Context(model->model, known)};
    return Error::success();
  });
}

void dsc_context_destroy(dsc_context *context) { delete context; }

dsc_status dsc_context_set_input(dsc_context *context, size_t index, const void *data,
                                 dsc_dtype dtype, size_t rank, const int64_t *dims, size_t bytes) {
  return guarded([&] {
    if (!context || (rank != 0 && !dims))
      return nullArgument(context ? "dims" : "context");
    return context->context.setInput(index, data, dtype, {dims, rank}, bytes);
  });
}

dsc_status dsc_context_set_output(dsc_context *context, size_t index, void *data, size_t capacity) {
  return guarded([&] {
    return context ? context->context.setOutput(index, data, capacity) : nullArgument("context");
  });
}

dsc_status dsc_context_run(dsc_context *context) {
  return guarded([&] { return context ? context->context.run() : nullArgument("context"); });
}

dsc_status dsc_context_get_output(const dsc_context *context, size_t index, dsc_tensor *tensor) {
  return guarded([&] {
    if (!context || !tensor)
      return nullArgument(context ? "tensor" : "context");
    return context->context.getOutput(index, *tensor);
  });
}

size_t dsc_context_arena_bytes(const dsc_context *context) { return context->context.heldBytes(); }
size_t dsc_context_threads(const dsc_context *context) { return context->context.threads(); }

void dsc_context_trim(dsc_context *context) { context->context.trim(); }
