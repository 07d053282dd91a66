//===- Session.h - a compiled model, by the names of its values -------------===//
//
// What the three examples share: open an artifact, give inputs, run, look at the
// outputs. It can also record each run as .npy files, for comparison with another
// runtime. Errors are thrown as std::runtime_error.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_EXAMPLES_SESSION_H
#define DSC_EXAMPLES_SESSION_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dsc/dsc.h"

namespace examples {

using Dims = std::vector<int64_t>;

/// Options that every example understands.
struct SessionOptions {
  size_t threads = 0;    ///< 0: as many as the process may use
  std::string recordDir; ///< where to write each run's inputs and outputs; empty: nowhere
};

/// An output: valid until the session's next run.
struct Output {
  const float *data;
  Dims dims;
};

template <typename T> struct DTypeOf;
template <> struct DTypeOf<float> {
  static constexpr dsc_dtype value = DSC_FLOAT32;
};
template <> struct DTypeOf<int32_t> {
  static constexpr dsc_dtype value = DSC_INT32;
};
template <> struct DTypeOf<int64_t> {
  static constexpr dsc_dtype value = DSC_INT64;
};

class Session {
public:
  Session(const std::string &path, const SessionOptions &options);

  bool hasInput(const std::string &name) const;

  /// Gives an input, which is not copied: it must stay as it is until the run is over.
  template <typename T> void set(const std::string &name, const T *data, Dims dims) {
    setBytes(name, data, DTypeOf<T>::value, sizeof(T), std::move(dims));
  }
  /// The same for the only input of a model.
  template <typename T> void set(const T *data, Dims dims) {
    set(inputs.at(0).name, data, std::move(dims));
  }

  void run();

  /// A float32 output by its position.
  Output output(size_t index = 0) const;

private:
  struct Input {
    std::string name;
    const void *data = nullptr;
    dsc_dtype dtype = DSC_UNDEFINED;
    Dims dims;
  };

  size_t inputIndex(const std::string &name) const;
  void setBytes(const std::string &name, const void *data, dsc_dtype dtype, size_t elementSize,
                Dims dims);
  void record();

  std::unique_ptr<dsc_model, void (*)(dsc_model *)> model;
  std::unique_ptr<dsc_context, void (*)(dsc_context *)> context;
  std::vector<Input> inputs;
  std::string recordDir;
  int runs = 0;
};

} // namespace examples

#endif
