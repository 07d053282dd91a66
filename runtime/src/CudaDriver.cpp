//===- CudaDriver.cpp - NVIDIA's driver, if there is one ------------------===//

#include "CudaDriver.h"

#include <dlfcn.h>

namespace dsc::runtime {

/// CUDA 12.0, the first whose driver takes PTX of version 8.0.
static constexpr int kOldestVersion = 12000;

static Error unsupported(const std::string &text) { return {DSC_UNSUPPORTED_CPU, text}; }

static std::string versionText(int version) {
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

static Error loadDriver(CudaDriver &driver) {
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    const char *reason = dlerror();
    return unsupported(std::string("no NVIDIA driver: libcuda.so.1 cannot be loaded (") +
                       (reason ? reason : "unknown reason") + ")");
  }
  struct Entry {
    const char *symbol;
    void **function;
  };
  const Entry entries[] = {
#define DSC_X(member, symbol, parameters) {symbol, reinterpret_cast<void **>(&driver.member)},
      DSC_CUDA_FUNCTIONS(DSC_X)
#undef DSC_X
  };
  for (const Entry &entry : entries) {
    *entry.function = dlsym(library, entry.symbol);
    if (!*entry.function)
      return unsupported(std::string("the NVIDIA driver is too old: libcuda.so.1 has no ") +
                         entry.symbol);
  }
  if (CudaStatus status = driver.init(0))
    return unsupported("the NVIDIA driver finds no usable GPU: " +
                       driver.error("cuInit", status).text);
  int version = 0;
  if (CudaStatus status = driver.driverGetVersion(&version))
    return driver.error("cuDriverGetVersion", status);
  if (version < kOldestVersion)
    return unsupported("the NVIDIA driver is too old: it supports CUDA " + versionText(version) +
                       ", " + versionText(kOldestVersion) + " is needed");
  return Error::success();
}

Error CudaDriver::load(const CudaDriver *&driver) {
  // Never unloaded: the driver has threads of its own.
  static CudaDriver loaded;
  static const Error result = loadDriver(loaded);
  driver = &loaded;
  return result;
}

Error CudaDriver::error(const char *function, CudaStatus status) const {
  constexpr CudaStatus kOutOfMemory = 2;
  const char *name = nullptr;
  if (getErrorName(status, &name) != 0 || !name)
    name = "unknown error";
  return {status == kOutOfMemory ? DSC_OUT_OF_MEMORY : DSC_INTERNAL,
          std::string(function) + ": " + name + " (" + std::to_string(status) + ")"};
}

} // namespace dsc::runtime
