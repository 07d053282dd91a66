//===- ExternalData.h - where the bytes of weights are ----------------------===//
//
// A large tensor of a normalised model holds no bytes but a WeightRef, written as
// external_data. WeightFiles gives the bytes. References that a model's author
// wrote are checked first: they may only lead to regular files in its own folder.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/MappedFile.h"
#include "dsc/Dialect/Import/Problem.h"

#include <cstdint>
#include <map>
#include <onnx/onnx_pb.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dsc::import {

struct WeightRef {
  std::string file; ///< path, or a name that WeightFiles::addBuffer gave
  uint64_t offset = 0;
  uint64_t length = 0; ///< bytes
};

/// Maps files when they are first asked for, and owns buffers that stand for
/// files. Spans stay valid as long as the object, also when it is moved.
class WeightFiles {
public:
  /// The bytes of `ref`; nullopt if the file cannot be mapped or is too short.
  std::optional<std::span<const uint8_t>> bytes(const WeightRef &ref);

  /// Takes over a mapping under the name `path`, unless that has one already.
  void addFile(const std::string &path, MappedFile file);
  const MappedFile *find(const std::string &path) const;

  /// Takes over bytes and returns the name by which a WeightRef finds them.
  std::string addBuffer(std::vector<uint8_t> buffer);

private:
  std::map<std::string, MappedFile> files;
  std::map<std::string, std::vector<uint8_t>> buffers;
};

/// The reference of a tensor of a normalised model; nullopt if its bytes are
/// inline in raw_data (or string_data).
std::optional<WeightRef> weightRefOf(const onnx::TensorProto &tensor);

/// Replaces the tensor's data by a reference.
void setWeightRef(onnx::TensorProto &tensor, const WeightRef &ref);

/// Brings every tensor of the model (initializers, attributes, nested graphs,
/// functions) into one of three forms: a checked WeightRef, raw_data of the exact
/// size (up to kInlineBytes, more for vectors of integers, which shapes are
/// computed from), or string_data. `modelPath` is the file that self references
/// mean; it must have been added to `files`. Problems name the tensor.
void resolveTensors(onnx::ModelProto &model, const std::string &modelPath, WeightFiles &files,
                    ProblemList &problems);

/// The same for the tensors that conversions and expansions have added to a model
/// of resolved tensors.
void packTensors(onnx::ModelProto &model, WeightFiles &files, ProblemList &problems);

} // namespace dsc::import
