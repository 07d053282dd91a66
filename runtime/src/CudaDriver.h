//===- CudaDriver.h - NVIDIA's driver, if there is one --------------------===//
//
// The few functions of libcuda.so.1 that the runtime uses, found with dlopen when the
// first model for a GPU is opened. Their prototypes are written here from NVIDIA's
// documentation of the driver API, so that no header of CUDA is needed to build.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Error.h"

#include <cstddef>

namespace dsc::runtime {

using CudaStatus = int;     ///< CUresult: 0 is success
using CudaPointer = void *; ///< on the device; to the driver an integer of this size
using CudaDevice = int;
using CudaContextHandle = struct CudaOpaqueContext *;
using CudaModuleHandle = struct CudaOpaqueModule *;
using CudaFunction = struct CudaOpaqueFunction *;
using CudaStream = struct CudaOpaqueStream *;

/// X(member, symbol, parameters)
#define DSC_CUDA_FUNCTIONS(X)                                                                      \
  X(init, "cuInit", (unsigned flags))                                                              \
  X(driverGetVersion, "cuDriverGetVersion", (int *version))                                        \
  X(deviceGet, "cuDeviceGet", (CudaDevice * device, int ordinal))                                  \
  X(deviceGetAttribute, "cuDeviceGetAttribute", (int *value, int attribute, CudaDevice device))    \
  X(contextRetain, "cuDevicePrimaryCtxRetain", (CudaContextHandle * context, CudaDevice device))   \
  X(contextRelease, "cuDevicePrimaryCtxRelease_v2", (CudaDevice device))                           \
  X(contextPush, "cuCtxPushCurrent_v2", (CudaContextHandle context))                               \
  X(contextPop, "cuCtxPopCurrent_v2", (CudaContextHandle * context))                               \
  X(moduleLoad, "cuModuleLoadDataEx",                                                              \
    (CudaModuleHandle * module, const void *image, unsigned count, int *options, void **values))   \
  X(moduleUnload, "cuModuleUnload", (CudaModuleHandle module))                                     \
  X(moduleGetFunction, "cuModuleGetFunction",                                                      \
    (CudaFunction * function, CudaModuleHandle module, const char *name))                          \
  X(functionSetAttribute, "cuFuncSetAttribute", (CudaFunction function, int attribute, int value)) \
  X(memoryAllocate, "cuMemAlloc_v2", (CudaPointer * pointer, size_t bytes))                        \
  X(memoryFree, "cuMemFree_v2", (CudaPointer pointer))                                             \
  X(copyToDevice, "cuMemcpyHtoDAsync_v2",                                                          \
    (CudaPointer to, const void *from, size_t bytes, CudaStream stream))                           \
  X(copyToHost, "cuMemcpyDtoHAsync_v2",                                                            \
    (void *to, const void *from, size_t bytes, CudaStream stream))                                 \
  X(copyOnDevice, "cuMemcpyDtoDAsync_v2",                                                          \
    (CudaPointer to, const void *from, size_t bytes, CudaStream stream))                           \
  X(fill, "cuMemsetD8Async",                                                                       \
    (CudaPointer to, unsigned char value, size_t bytes, CudaStream stream))                        \
  X(streamCreate, "cuStreamCreate", (CudaStream * stream, unsigned flags))                         \
  X(streamDestroy, "cuStreamDestroy_v2", (CudaStream stream))                                      \
  X(streamSynchronize, "cuStreamSynchronize", (CudaStream stream))                                 \
  X(launch, "cuLaunchKernel",                                                                      \
    (CudaFunction function, unsigned gridX, unsigned gridY, unsigned gridZ, unsigned blockX,       \
     unsigned blockY, unsigned blockZ, unsigned sharedBytes, CudaStream stream,                    \
     void **parameters, void **extra))                                                             \
  X(getErrorName, "cuGetErrorName", (CudaStatus status, const char **name))

struct CudaDriver {
  // NOLINTBEGIN(bugprone-macro-parentheses): a name and a list of parameters
#define DSC_X(member, symbol, parameters) CudaStatus(*member) parameters = nullptr;
  DSC_CUDA_FUNCTIONS(DSC_X)
#undef DSC_X
  // NOLINTEND(bugprone-macro-parentheses)

  /// The driver of this process, initialised; loaded by the first call. Fails, with
  /// what to do, if there is none or it is too old.
  static Error load(const CudaDriver *&driver);

  /// "cuLaunchKernel: CUDA_ERROR_LAUNCH_FAILED (719)".
  Error error(const char *function, CudaStatus status) const;
};

} // namespace dsc::runtime
