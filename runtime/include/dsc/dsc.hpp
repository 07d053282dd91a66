//===- dsc.hpp - running compiled models from C++17 -----------------------===//
//
// A wrapper around dsc.h in one header: objects that close themselves, exceptions
// instead of status codes, shapes and types that are checked.
//
//   dsc::Model model("model.dsc");
//   dsc::Context context(model);
//   std::vector<float> pixels(3 * 224 * 224);
//   context.setInput("image", pixels, {1, 3, 224, 224});
//   context.run();
//   dsc::TensorView scores = context.output("scores");
//   for (float score : scores.as<float>())
//     ...
//
// Models may be used from many threads at a time, a context from one at a time.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_DSC_HPP
#define DSC_DSC_HPP

#include "dsc/dsc.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace dsc {

/// What a function of the C API that failed had to say.
class Error : public std::runtime_error {
public:
  Error(dsc_status status, const std::string &text) : std::runtime_error(text), code(status) {}
  dsc_status status() const noexcept { return code; }

private:
  dsc_status code;
};

/// Throws Error unless `status` is DSC_OK. The text is dsc_last_error.
inline void check(dsc_status status) {
  if (status != DSC_OK)
    throw Error(status, dsc_last_error());
}

/// IEEE half and bfloat16 numbers as their bits; the library does not compute with
/// them on the caller's side.
struct Float16 {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};

/// The element type that T is the memory form of; DSC_UNDEFINED if it is none.
template <typename T> constexpr dsc_dtype dtypeOf() {
  using U = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<U, float>)
    return DSC_FLOAT32;
  else if constexpr (std::is_same_v<U, double>)
    return DSC_FLOAT64;
  else if constexpr (std::is_same_v<U, bool>)
    return DSC_BOOL;
  else if constexpr (std::is_same_v<U, Float16>)
    return DSC_FLOAT16;
  else if constexpr (std::is_same_v<U, BFloat16>)
    return DSC_BFLOAT16;
  else if constexpr (std::is_integral_v<U> && sizeof(U) == 1)
    return std::is_signed_v<U> ? DSC_INT8 : DSC_UINT8;
  else if constexpr (std::is_integral_v<U> && sizeof(U) == 2)
    return std::is_signed_v<U> ? DSC_INT16 : DSC_UINT16;
  else if constexpr (std::is_integral_v<U> && sizeof(U) == 4)
    return std::is_signed_v<U> ? DSC_INT32 : DSC_UINT32;
  else if constexpr (std::is_integral_v<U> && sizeof(U) == 8)
    return std::is_signed_v<U> ? DSC_INT64 : DSC_UINT64;
  else
    return DSC_UNDEFINED;
}

/// A sequence of T in memory that somebody else owns (std::span is C++20).
template <typename T> class Span {
public:
  Span() = default;
  Span(T *data, size_t size) : first(data), count(size) {}

  T *data() const { return first; }
  size_t size() const { return count; }
  bool empty() const { return count == 0; }
  T *begin() const { return first; }
  T *end() const { return first + count; }
  T &operator[](size_t index) const { return first[index]; }

private:
  T *first = nullptr;
  size_t count = 0;
};

/// A dense row-major tensor in memory that somebody else owns.
class TensorView {
public:
  TensorView() = default;
  explicit TensorView(const dsc_tensor &tensor) : tensor(tensor) {}

  dsc_dtype dtype() const { return tensor.dtype; }
  size_t rank() const { return tensor.rank; }
  Span<const int64_t> dims() const { return {tensor.dims, tensor.rank}; }
  int64_t dim(size_t axis) const { return tensor.dims[axis]; }
  const void *data() const { return tensor.data; }
  size_t bytes() const { return tensor.bytes; }
  /// The number of elements.
  size_t size() const { return tensor.bytes ? tensor.bytes / dsc_dtype_size(tensor.dtype) : 0; }

  /// The elements in order. Throws if they are not of type T.
  template <typename T> Span<const T> as() const {
    if (dtypeOf<T>() != tensor.dtype)
      throw Error(DSC_INVALID_ARGUMENT, std::string("the tensor's elements are ") +
                                            dsc_dtype_name(tensor.dtype) + ", not " +
                                            dsc_dtype_name(dtypeOf<T>()));
    return {static_cast<const T *>(tensor.data), size()};
  }
  template <typename T> std::vector<T> toVector() const {
    Span<const T> elements = as<T>();
    return std::vector<T>(elements.begin(), elements.end());
  }

private:
  dsc_tensor tensor = {};
};

/// What is known of an input or output before a run.
struct TensorInfo {
  std::string name;
  dsc_dtype dtype = DSC_UNDEFINED;
  /// -1 where it depends on the inputs.
  std::vector<int64_t> dims;
  /// The same as text: "224", "batch".
  std::vector<std::string> dimTexts;
};

/// Code and weights of a compiled model.
class Model {
public:
  /// Maps an artifact. It is a program: open only those you would run.
  explicit Model(const std::string &path) { check(dsc_model_open(path.c_str(), &handle)); }
  /// From memory, which must stay unchanged while the model or a context of it lives.
  Model(const void *bytes, size_t size) { check(dsc_model_open_memory(bytes, size, &handle)); }
  Model(Model &&other) noexcept : handle(std::exchange(other.handle, nullptr)) {}
  Model &operator=(Model &&other) noexcept {
    std::swap(handle, other.handle);
    return *this;
  }
  Model(const Model &) = delete;
  Model &operator=(const Model &) = delete;
  ~Model() { dsc_model_close(handle); }

  size_t inputCount() const { return dsc_model_input_count(handle); }
  size_t outputCount() const { return dsc_model_output_count(handle); }
  TensorInfo input(size_t index) const { return info(dsc_model_input_info, index); }
  TensorInfo output(size_t index) const { return info(dsc_model_output_info, index); }
  /// The number of the input or output of this name; throws if there is none.
  size_t inputIndex(std::string_view name) const {
    return find(dsc_model_input_info, inputCount(), name, "input");
  }
  size_t outputIndex(std::string_view name) const {
    return find(dsc_model_output_info, outputCount(), name, "output");
  }

  /// The compiler's report as JSON.
  std::string_view manifest() const {
    size_t size;
    const char *text = dsc_model_manifest(handle, &size);
    return {text, size};
  }
  /// The target whose code runs on this machine.
  std::string_view target() const { return dsc_model_target(handle); }
  size_t weightBytes() const { return dsc_model_weight_bytes(handle); }
  /// Compares the weights with their hashes; throws if they are damaged.
  void checkWeights() const { check(dsc_model_check_weights(handle)); }

  dsc_model *get() const { return handle; }

private:
  using InfoFn = dsc_status (*)(const dsc_model *, size_t, dsc_tensor_info *);

  TensorInfo info(InfoFn query, size_t index) const {
    dsc_tensor_info raw;
    check(query(handle, index, &raw));
    TensorInfo result{raw.name, raw.dtype, {raw.dims, raw.dims + raw.rank}, {}};
    for (size_t i = 0; i < raw.rank; ++i)
      result.dimTexts.emplace_back(raw.dim_texts[i]);
    return result;
  }
  size_t find(InfoFn query, size_t count, std::string_view name, const char *what) const {
    for (size_t i = 0; i < count; ++i) {
      dsc_tensor_info raw;
      check(query(handle, i, &raw));
      if (name == raw.name)
        return i;
    }
    throw Error(DSC_INVALID_ARGUMENT,
                std::string("the model has no ") + what + " '" + std::string(name) + "'");
  }

  dsc_model *handle = nullptr;
};

/// How a context runs; see dsc_context_options. Defaults fit most programs.
struct Options : dsc_context_options {
  Options() : dsc_context_options() { struct_size = sizeof(dsc_context_options); }
  /// Threads of a run, the caller's included; 0: as many as the process may use.
  explicit Options(size_t threadCount) : Options() { threads = threadCount; }
};

/// Inputs, outputs, intermediate values and threads of one run at a time.
class Context {
public:
  explicit Context(const Model &model, const Options &options = Options()) {
    check(dsc_context_create(model.get(), &options, &handle));
    try {
      for (size_t i = 0; i < model.inputCount(); ++i)
        inputNames.push_back(model.input(i).name);
      for (size_t i = 0; i < model.outputCount(); ++i)
        outputNames.push_back(model.output(i).name);
    } catch (...) {
      dsc_context_destroy(handle);
      throw;
    }
  }
  Context(Context &&other) noexcept
      : handle(std::exchange(other.handle, nullptr)), inputNames(std::move(other.inputNames)),
        outputNames(std::move(other.outputNames)) {}
  Context &operator=(Context &&other) noexcept {
    std::swap(handle, other.handle);
    std::swap(inputNames, other.inputNames);
    std::swap(outputNames, other.outputNames);
    return *this;
  }
  Context(const Context &) = delete;
  Context &operator=(const Context &) = delete;
  ~Context() { dsc_context_destroy(handle); }

  /// Gives an input, which must stay valid and unchanged until the runs that use it
  /// are done. Its type and shape are checked by run().
  void setInput(size_t index, const void *data, dsc_dtype dtype, const int64_t *dims, size_t rank,
                size_t bytes) {
    check(dsc_context_set_input(handle, index, data, dtype, rank, dims, bytes));
  }
  /// `elements`: anything contiguous (std::vector, std::array, std::span, Span, but not
  /// std::vector<bool>) that holds the elements of a tensor with these dims.
  template <typename Container>
  void setInput(size_t index, const Container &elements, const std::vector<int64_t> &dims) {
    using T = std::remove_pointer_t<decltype(elements.data())>;
    static_assert(dtypeOf<T>() != DSC_UNDEFINED, "not an element type of tensors");
    setInput(index, elements.data(), dtypeOf<T>(), dims.data(), dims.size(),
             elements.size() * sizeof(T));
  }
  template <typename Container>
  void setInput(std::string_view name, const Container &elements,
                const std::vector<int64_t> &dims) {
    setInput(inputIndex(name), elements, dims);
  }
  void setInput(size_t index, const TensorView &tensor) {
    setInput(index, tensor.data(), tensor.dtype(), tensor.dims().data(), tensor.rank(),
             tensor.bytes());
  }
  /// Has an output written to the caller's memory; nullptr: to the context's again.
  void setOutput(size_t index, void *data, size_t capacity) {
    check(dsc_context_set_output(handle, index, data, capacity));
  }

  /// Runs the model on the inputs that were set. Throws if they do not fit it, or if
  /// an operator finds a value out of range; the context can be used again.
  void run() { check(dsc_context_run(handle)); }

  /// A result, valid until the next run.
  TensorView output(size_t index) const {
    dsc_tensor tensor;
    check(dsc_context_get_output(handle, index, &tensor));
    return TensorView(tensor);
  }
  TensorView output(std::string_view name) const { return output(outputIndex(name)); }

  /// The number of the input or output of this name; throws if there is none.
  size_t inputIndex(std::string_view name) const { return find(inputNames, name, "input"); }
  size_t outputIndex(std::string_view name) const { return find(outputNames, name, "output"); }

  /// Bytes held for intermediate values, outputs and scratch.
  size_t arenaBytes() const { return dsc_context_arena_bytes(handle); }
  /// Threads of a run, the caller's included.
  size_t threads() const { return dsc_context_threads(handle); }
  /// Gives memory back that the next run would have to ask for again.
  void trim() { dsc_context_trim(handle); }

  dsc_context *get() const { return handle; }

private:
  static size_t find(const std::vector<std::string> &names, std::string_view name,
                     const char *what) {
    for (size_t i = 0; i < names.size(); ++i)
      if (names[i] == name)
        return i;
    throw Error(DSC_INVALID_ARGUMENT,
                std::string("the model has no ") + what + " '" + std::string(name) + "'");
  }

  dsc_context *handle = nullptr;
  std::vector<std::string> inputNames, outputNames;
};

} // namespace dsc

#endif
