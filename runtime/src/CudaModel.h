//===- CudaModel.h - models on a GPU --------------------------------------===//
//
// CudaModel: code and weights, shared by all contexts of a model. CudaQueue: what one
// context has on the device; its work runs in the order in which it is given.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "CudaDriver.h"
#include "dsc/Format/Container.h"

#include <memory>
#include <span>
#include <vector>

namespace dsc::runtime {

/// Fails, with the reason, if this machine cannot run the variant: no driver, no
/// GPU, or one of a lower compute capability than variant.features ("sm_80") asks for.
Error checkGpu(const format::Variant &variant);

class CudaModel {
public:
  CudaModel(const CudaModel &) = delete;
  CudaModel &operator=(const CudaModel &) = delete;
  ~CudaModel();

  /// Loads the variant's code, `code`, and copies the weights to the device.
  static Error open(const format::Variant &variant, std::span<const uint8_t> code,
                    std::span<const uint8_t> weights, std::unique_ptr<const CudaModel> &model);

  /// Makes the device's context the calling thread's while it lives.
  class Scope {
  public:
    explicit Scope(const CudaModel &model) : model(model) {
      status = model.driver->contextPush(model.context);
    }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;
    ~Scope() {
      CudaContextHandle popped;
      if (status == 0)
        model.driver->contextPop(&popped);
    }
    CudaStatus status;

  private:
    const CudaModel &model;
  };

  /// Where the weights are on the device.
  const uint8_t *weights() const { return static_cast<const uint8_t *>(weightPointer); }

private:
  friend class CudaQueue;
  CudaModel() = default;
  Error load(const format::Variant &variant, std::span<const uint8_t> code);
  Error loadImage(const uint8_t *image);
  Error findKernels(const format::Variant &variant);
  Error copyWeights(std::span<const uint8_t> bytes);

  struct Kernel {
    CudaFunction function = nullptr;
    format::BlockShape block;
  };
  const CudaDriver *driver = nullptr;
  CudaDevice device = 0;
  bool hasContext = false;
  CudaContextHandle context = nullptr;
  CudaModuleHandle module = nullptr;
  CudaPointer weightPointer = nullptr;
  std::vector<Kernel> kernels;
};

class CudaQueue {
public:
  CudaQueue(const CudaModel &model, const format::Program &program);
  CudaQueue(const CudaQueue &) = delete;
  CudaQueue &operator=(const CudaQueue &) = delete;
  ~CudaQueue();

  // Memory. `device` pointers are addresses on the device; null: none is left.
  void *allocate(size_t bytes);
  void deallocate(void *device);
  void copy(void *to, const void *from, size_t bytes); ///< on the device
  void write(void *device, const void *host, size_t bytes);
  void read(void *host, const void *device, size_t bytes); ///< waits

  /// A run begins.
  void begin();
  /// Starts launch number `launch` with so many parts.
  void launch(uint32_t launch, std::span<void *const> buffers, std::span<const int64_t> sizes,
              int64_t parts);
  /// Waits for all work. `failed` and `code`: the first launch whose kernel raised
  /// its status, and the status; 0 if there is none.
  Error finish(uint32_t &failed, int32_t &code);
  /// The first error since begin(); nothing is done after one.
  const Error &error() const { return failure; }

private:
  bool check(const char *function, CudaStatus status);

  const CudaModel &model;
  const format::Program &program;
  const CudaDriver &driver;
  CudaStream stream = nullptr;
  CudaPointer statuses = nullptr; // an int32 for each launch
  std::vector<int32_t> hostStatuses;
  std::vector<void *> arguments;
  Error failure;
};

} // namespace dsc::runtime
