//===- Model.h - an artifact, opened --------------------------------------===//
#pragma once

#include "CudaModel.h"
#include "Mapping.h"
#include "Sizes.h"
#include "dsc/Format/KernelABI.h"

#include <memory>

namespace dsc::runtime {

/// Program, code and weights. Immutable, so any number of contexts may use it.
class Model {
public:
  static Error open(const char *path, std::shared_ptr<const Model> &model);
  static Error openMemory(std::span<const uint8_t> bytes, std::shared_ptr<const Model> &model);
  /// A model without an artifact, for tests: kernels[i] runs Program::kernels[i].
  /// `weights` must outlive it.
  static Error fromProgram(const format::Program &program, std::vector<dsc_kernel_fn> kernels,
                           std::span<const uint8_t> weights, std::shared_ptr<const Model> &model);

  const format::Program &program() const { return variant.program; }
  const Dependents &dependents() const { return *dependentExprs; }
  format::PlacedBy placedBy(format::ValueId id) const { return placements[id]; }
  dsc_kernel_fn kernel(uint32_t index) const { return kernels[index]; }
  /// Where kernels find the weights.
  const uint8_t *weightAddress() const { return gpu ? gpu->weights() : weightBytes.data(); }
  /// For a context of a model on a GPU; null on a CPU.
  std::unique_ptr<CudaQueue> makeQueue() const {
    return gpu ? std::make_unique<CudaQueue>(*gpu, program()) : nullptr;
  }
  size_t weightSize() const { return weightBytes.size(); }
  const std::string &manifest() const { return variant.manifestJson; }
  const std::string &target() const { return variant.target; }
  Error checkWeights() const;

  size_t inputCount() const { return inputs.size(); }
  size_t outputCount() const { return outputs.size(); }
  dsc_tensor_info input(size_t index) const { return inputs[index].info(); }
  dsc_tensor_info output(size_t index) const { return outputs[index].info(); }

private:
  /// What dsc_tensor_info points to.
  struct TensorInfo {
    std::string name;
    dsc_dtype dtype;
    std::vector<int64_t> dims;
    std::vector<std::string> texts;
    std::vector<const char *> textPointers;
    dsc_tensor_info info() const {
      return {name.c_str(), dtype, dims.size(), dims.data(), textPointers.data()};
    }
  };

  Error load(std::span<const uint8_t> bytes, int fd);
  Error loadCode(int fd);
  Error loadImage(std::span<const uint8_t> code, int fd);
  Error loadWeights();
  Error finish();
  std::vector<TensorInfo> describeInterface(const std::vector<format::ValueId> &ids) const;

  std::span<const uint8_t> bytes; // of the whole artifact
  Pages file, image;
  format::ContainerView view;           // without the variants
  format::Variant variant;              // the one that runs
  std::span<const uint8_t> code;        // its code, in the artifact
  std::unique_ptr<const CudaModel> gpu; // null on a CPU
  std::vector<dsc_kernel_fn> kernels;
  std::span<const uint8_t> weightBytes;
  Pages weightCopy; // if the artifact's own are not aligned
  std::unique_ptr<const Dependents> dependentExprs;
  std::vector<format::PlacedBy> placements;
  std::vector<TensorInfo> inputs, outputs;
};

} // namespace dsc::runtime
