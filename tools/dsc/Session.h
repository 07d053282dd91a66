//===- Session.h - a model that can be run --------------------------------===//
//
// The runtime's C API with ownership, and failures as exceptions.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ModelOptions.h"
#include "Tensor.h"

#include "dsc/dsc.h"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dsc::cli {

/// Throws Failure unless `status` is DSC_OK; `file` is what it is about, if anything.
void check(dsc_status status, const std::string &file = {});

/// An input or output, as the model declares it.
struct ValueInfo {
  std::string name;
  format::DType dtype;
  std::vector<int64_t> dims; ///< -1: depends on the inputs
  std::vector<std::string> dimTexts;

  std::string describe() const;
};

/// Whether the file is an artifact; anything else is taken for an ONNX model.
bool isArtifact(const std::string &path);

/// A model opened from an artifact, or compiled from ONNX first.
class Session {
public:
  Session(const std::string &path, const ModelOptions &options);
  /// Keeps nothing of the compilation.
  explicit Session(const Compilation &compilation);

  dsc_model *getModel() const { return model.get(); }
  const std::vector<ValueInfo> &getInputs() const { return inputs; }
  const std::vector<ValueInfo> &getOutputs() const { return outputs; }
  double getLoadSeconds() const { return loadSeconds; } ///< of opening alone
  double getCompileSeconds() const { return compileSeconds; }

  /// Sizes of the inputs: those given by --shape, declared ones, 1 for the rest.
  /// `assumed` receives the names of the sizes that had to be assumed.
  std::vector<std::vector<int64_t>> inputShapes(const ModelOptions &options,
                                                std::vector<std::string> &assumed) const;
  std::vector<Tensor> randomInputs(const ModelOptions &options, uint64_t seed,
                                   std::vector<std::string> &assumed) const;

private:
  void open(const std::string &path);

  struct Close {
    void operator()(dsc_model *model) const { dsc_model_close(model); }
  };
  std::unique_ptr<dsc_model, Close> model;
  std::vector<ValueInfo> inputs, outputs;
  double loadSeconds = 0, compileSeconds = 0;
};

/// A context with its inputs, which must outlive it.
class Execution {
public:
  Execution(const Session &session, size_t threads);

  void setInputs(const std::vector<Tensor> &inputs);
  void run();
  /// A copy of output `index` of the last run.
  Tensor output(size_t index) const;
  dsc_context *getContext() const { return context.get(); }

private:
  struct Destroy {
    void operator()(dsc_context *context) const { dsc_context_destroy(context); }
  };
  const Session &session;
  std::unique_ptr<dsc_context, Destroy> context;
};

} // namespace dsc::cli
