//===- OrtReference.h - ONNX Runtime as an oracle -------------------------===//
#pragma once

#include "Tensor.h"

#include <string>
#include <vector>

namespace dsc::cli {

/// The Python interpreter to use: `given`, else $DSC_PYTHON, else python3.
std::string choosePython(const std::string &given);

/// Runs the model once for each set of inputs, given in the order of `inputNames`;
/// the outputs are in that of `outputNames`. `folder` is an empty one for files.
/// Throws Failure if Python or ONNX Runtime does not work.
std::vector<std::vector<Tensor>> runOnnxRuntime(const std::string &python, const std::string &model,
                                                const std::vector<std::vector<Tensor>> &inputs,
                                                const std::vector<std::string> &inputNames,
                                                const std::vector<std::string> &outputNames,
                                                const std::string &folder);

/// A folder that is removed with all in it at the end.
class TemporaryFolder {
public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder &) = delete;
  TemporaryFolder &operator=(const TemporaryFolder &) = delete;
  const std::string &getPath() const { return path; }

private:
  std::string path;
};

} // namespace dsc::cli
