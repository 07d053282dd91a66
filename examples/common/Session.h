//===- Session.h - a model and its context, with a record of their runs -----===//
//
// What the three examples share: a model, one context to run it in, inputs by name.
// It can write each run's inputs and outputs to .npy files, for a comparison with
// another runtime. Errors are exceptions.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_EXAMPLES_SESSION_H
#define DSC_EXAMPLES_SESSION_H

#include <cstdint>
#include <string>
#include <vector>

#include "dsc/dsc.hpp"

namespace examples {

using Dims = std::vector<int64_t>;

/// Options that every example understands.
struct SessionOptions {
  size_t threads = 0;    ///< 0: as many as the process may use
  std::string recordDir; ///< where to write each run's inputs and outputs; empty: nowhere
};

class Session {
public:
  Session(const std::string &path, const SessionOptions &options);

  bool hasInput(const std::string &name) const;

  /// Gives an input, which must stay as it is until the run is over.
  template <typename Container>
  void setInput(size_t index, const Container &elements, const Dims &dims) {
    context.setInput(index, elements, dims);
    inputs[index].data = elements.data();
    inputs[index].dims = dims;
  }
  template <typename Container>
  void setInput(const std::string &name, const Container &elements, const Dims &dims) {
    setInput(context.inputIndex(name), elements, dims);
  }

  void run();

  /// Valid until the next run.
  dsc::TensorView output(size_t index = 0) const { return context.output(index); }

private:
  struct Input {
    const void *data = nullptr;
    Dims dims;
  };

  void record();

  dsc::Model model;
  dsc::Context context;
  std::vector<Input> inputs;
  std::string recordDir;
  int runs = 0;
};

inline Dims dimsOf(const dsc::TensorView &tensor) {
  return {tensor.dims().begin(), tensor.dims().end()};
}

} // namespace examples

#endif
