//===- FakeDriver.cpp - a libcuda.so.1 for tests --------------------------===//
//
// The functions of NVIDIA's driver that the runtime uses, over memory of this process;
// kernels run in the emulator (Ptx.h). Strict about what the real one leaves undefined:
// pointers, sizes, contexts. The environment says how it behaves:
//
//   FAKE_CUDA_LOG=FILE          a line for each call but those that ask for errors
//   FAKE_CUDA_FAIL=NAME[:N]     the N-th call of NAME (the first) fails
//   FAKE_CUDA_VERSION=12080     what cuDriverGetVersion says
//   FAKE_CUDA_CAPABILITY=80     of the device
//   FAKE_CUDA_RUN=0             launches are only checked and logged
//
//===----------------------------------------------------------------------===//
#include "Ptx.h"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <mutex>
#include <stdexcept>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

enum Status {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  NoDevice = 100,
  InvalidPtx = 218,
  NotFound = 500,
  LaunchFailed = 719,
  InvalidContext = 201,
};

struct LoadedModule {
  ptx::Module code;
};

struct Function {
  const LoadedModule *module;
  const ptx::Kernel *kernel;
  unsigned mostShared = 48 << 10;
};

struct Driver {
  std::recursive_mutex mutex;
  FILE *log = nullptr;
  std::map<std::string, int> calls;
  bool isInitialized = false;
  int contexts = 0; // retained
  std::map<uint64_t, size_t> allocations;
  std::vector<std::unique_ptr<LoadedModule>> modules;
  std::vector<std::unique_ptr<Function>> functions;
};

Driver &driver() {
  static Driver instance;
  return instance;
}

thread_local int pushed = 0;
int contextObject, streamObject;

const char *setting(const char *name, const char *otherwise) {
  const char *value = std::getenv(name);
  return value ? value : otherwise;
}

void note(const char *format, ...) {
  Driver &d = driver();
  if (!d.log) {
    const char *path = std::getenv("FAKE_CUDA_LOG");
    d.log = path ? std::fopen(path, "w") : nullptr;
    if (!d.log)
      return;
    setlinebuf(d.log);
  }
  va_list arguments;
  va_start(arguments, format);
  std::vfprintf(d.log, format, arguments);
  va_end(arguments);
  std::fputc('\n', d.log);
}

/// Whether this call is the one that is to fail.
bool mustFail(const char *name) {
  int count = ++driver().calls[name];
  std::string wanted = setting("FAKE_CUDA_FAIL", "");
  size_t colon = wanted.find(':');
  int number = colon == std::string::npos ? 1 : std::atoi(wanted.c_str() + colon + 1);
  return wanted.substr(0, colon) == name && count == number;
}

bool isMapped(uint64_t address, uint64_t bytes) {
  auto &allocations = driver().allocations;
  auto it = allocations.upper_bound(address);
  if (it == allocations.begin())
    return false;
  --it;
  return address - it->first <= it->second && bytes <= it->second - (address - it->first);
}

} // namespace

#define ENTER(name, failure)                                                                       \
  std::lock_guard<std::recursive_mutex> lock(driver().mutex);                                      \
  if (mustFail(name)) {                                                                            \
    note("%s fails", name);                                                                        \
    return failure;                                                                                \
  }                                                                                                \
  if (!driver().isInitialized && std::strcmp(name, "cuInit") != 0)                                 \
    return NotInitialized;
#define ENTER_CONTEXT(name, failure)                                                               \
  ENTER(name, failure)                                                                             \
  if (pushed == 0)                                                                                 \
    return InvalidContext;

EXPORT int cuInit(unsigned flags) {
  ENTER("cuInit", NoDevice)
  driver().isInitialized = true;
  return flags ? InvalidValue : Success;
}

EXPORT int cuDriverGetVersion(int *version) {
  ENTER("cuDriverGetVersion", InvalidValue)
  *version = std::atoi(setting("FAKE_CUDA_VERSION", "12080"));
  return Success;
}

EXPORT int cuDeviceGet(int *device, int ordinal) {
  ENTER("cuDeviceGet", NoDevice)
  *device = 7; // not the ordinal
  return ordinal == 0 ? Success : NoDevice;
}

EXPORT int cuDeviceGetAttribute(int *value, int attribute, int device) {
  ENTER("cuDeviceGetAttribute", InvalidValue)
  int capability = std::atoi(setting("FAKE_CUDA_CAPABILITY", "80"));
  *value = attribute == 75 ? capability / 10 : capability % 10;
  return device == 7 && (attribute == 75 || attribute == 76) ? Success : InvalidValue;
}

EXPORT int cuDevicePrimaryCtxRetain(void **context, int device) {
  ENTER("cuDevicePrimaryCtxRetain", OutOfMemory)
  ++driver().contexts;
  note("retain");
  *context = &contextObject;
  return device == 7 ? Success : InvalidValue;
}

EXPORT int cuDevicePrimaryCtxRelease_v2(int device) {
  ENTER("cuDevicePrimaryCtxRelease", InvalidValue)
  note("release");
  if (--driver().contexts == 0) {
    // What the real driver would free; a test wants to know.
    note("%zu allocations, %zu modules left", driver().allocations.size(), driver().modules.size());
  }
  return device == 7 ? Success : InvalidValue;
}

EXPORT int cuCtxPushCurrent_v2(void *context) {
  ENTER("cuCtxPushCurrent", InvalidContext)
  ++pushed;
  return context == &contextObject ? Success : InvalidContext;
}

EXPORT int cuCtxPopCurrent_v2(void **context) {
  ENTER_CONTEXT("cuCtxPopCurrent", InvalidContext)
  --pushed;
  *context = &contextObject;
  return Success;
}

EXPORT int cuModuleLoadDataEx(void **module, const void *image, unsigned count, int *options,
                              void **values) {
  ENTER_CONTEXT("cuModuleLoadDataEx", InvalidPtx)
  const char *text = static_cast<const char *>(image);
  bool isCubin = std::memcmp(text, "\177ELF", 4) == 0;
  note("load %s", isCubin ? "cubin" : "PTX");
  if (isCubin) // the caller has PTX, too
    return InvalidPtx;
  auto loaded = std::make_unique<LoadedModule>();
  try {
    loaded->code = ptx::parse(text);
  } catch (const std::exception &error) {
    for (unsigned i = 0; i + 1 < count; ++i)
      if (options[i] == 5 && options[i + 1] == 6)
        std::snprintf(static_cast<char *>(values[i]), reinterpret_cast<size_t>(values[i + 1]), "%s",
                      error.what());
    return InvalidPtx;
  }
  *module = loaded.get();
  driver().modules.push_back(std::move(loaded));
  return Success;
}

EXPORT int cuModuleUnload(void *module) {
  ENTER_CONTEXT("cuModuleUnload", InvalidValue)
  note("unload");
  return std::erase_if(driver().modules, [&](auto &each) { return each.get() == module; })
             ? Success
             : InvalidValue;
}

EXPORT int cuModuleGetFunction(void **function, void *module, const char *name) {
  ENTER_CONTEXT("cuModuleGetFunction", NotFound)
  auto *loaded = static_cast<LoadedModule *>(module);
  auto it = loaded->code.kernels.find(name);
  note("function %s", name);
  if (it == loaded->code.kernels.end())
    return NotFound;
  driver().functions.push_back(std::make_unique<Function>(Function{loaded, &it->second}));
  *function = driver().functions.back().get();
  return Success;
}

EXPORT int cuFuncSetAttribute(void *function, int attribute, int value) {
  ENTER_CONTEXT("cuFuncSetAttribute", InvalidValue)
  if (attribute != 8 || value > 163 << 10)
    return InvalidValue;
  static_cast<Function *>(function)->mostShared = value;
  return Success;
}

EXPORT int cuMemAlloc_v2(uint64_t *pointer, size_t bytes) {
  ENTER_CONTEXT("cuMemAlloc", OutOfMemory)
  note("allocate %zu", bytes);
  if (bytes == 0)
    return InvalidValue;
  void *memory = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(memory, 0xff, bytes); // NaN, where it is read before it is written
  *pointer = reinterpret_cast<uint64_t>(memory);
  driver().allocations[*pointer] = bytes;
  return Success;
}

EXPORT int cuMemFree_v2(uint64_t pointer) {
  ENTER_CONTEXT("cuMemFree", InvalidValue)
  if (driver().allocations.erase(pointer) == 0)
    return InvalidValue;
  std::free(reinterpret_cast<void *>(pointer));
  return Success;
}

EXPORT int cuMemcpyHtoDAsync_v2(uint64_t to, const void *from, size_t bytes, void *) {
  ENTER_CONTEXT("cuMemcpyHtoDAsync", InvalidValue)
  note("to device %zu", bytes);
  if (!isMapped(to, bytes) || isMapped(reinterpret_cast<uint64_t>(from), 1))
    return InvalidValue;
  std::memcpy(reinterpret_cast<void *>(to), from, bytes);
  return Success;
}

EXPORT int cuMemcpyDtoHAsync_v2(void *to, uint64_t from, size_t bytes, void *) {
  ENTER_CONTEXT("cuMemcpyDtoHAsync", InvalidValue)
  note("to host %zu", bytes);
  if (!isMapped(from, bytes) || isMapped(reinterpret_cast<uint64_t>(to), 1))
    return InvalidValue;
  std::memcpy(to, reinterpret_cast<void *>(from), bytes);
  return Success;
}

EXPORT int cuMemcpyDtoDAsync_v2(uint64_t to, uint64_t from, size_t bytes, void *) {
  ENTER_CONTEXT("cuMemcpyDtoDAsync", InvalidValue)
  note("on device %zu", bytes);
  if (!isMapped(to, bytes) || !isMapped(from, bytes))
    return InvalidValue;
  std::memmove(reinterpret_cast<void *>(to), reinterpret_cast<void *>(from), bytes);
  return Success;
}

EXPORT int cuMemsetD8Async(uint64_t to, unsigned char value, size_t bytes, void *) {
  ENTER_CONTEXT("cuMemsetD8Async", InvalidValue)
  if (!isMapped(to, bytes))
    return InvalidValue;
  std::memset(reinterpret_cast<void *>(to), value, bytes);
  return Success;
}

EXPORT int cuStreamCreate(void **stream, unsigned) {
  ENTER_CONTEXT("cuStreamCreate", OutOfMemory)
  *stream = &streamObject;
  return Success;
}

EXPORT int cuStreamDestroy_v2(void *stream) {
  ENTER_CONTEXT("cuStreamDestroy", InvalidValue)
  return stream == &streamObject ? Success : InvalidValue;
}

EXPORT int cuStreamSynchronize(void *) {
  ENTER_CONTEXT("cuStreamSynchronize", LaunchFailed)
  return Success;
}

EXPORT int cuLaunchKernel(void *function, unsigned gridX, unsigned gridY, unsigned gridZ,
                          unsigned blockX, unsigned blockY, unsigned blockZ, unsigned sharedBytes,
                          void *stream, void **parameters, void **extra) {
  ENTER_CONTEXT("cuLaunchKernel", LaunchFailed)
  auto &f = *static_cast<Function *>(function);
  auto number = static_cast<unsigned>(driver().calls["cuLaunchKernel"]);
  ptx::Launch launch{gridX, blockX, sharedBytes, number, {}, isMapped};
  std::string text;
  launch.parameters.resize(f.kernel->parameterBytes);
  for (size_t i = 0; i < f.kernel->parameters.size(); ++i) {
    const ptx::Parameter &parameter = f.kernel->parameters[i];
    std::memcpy(launch.parameters.data() + parameter.offset, parameters[i], parameter.bytes);
    uint64_t value = 0;
    std::memcpy(&value, parameters[i], parameter.bytes);
    text += isMapped(value, 1) ? " pointer" : " " + std::to_string(value);
  }
  note("launch %s <<<%u, %u, %u>>>%s", f.kernel->name.c_str(), gridX, blockX, sharedBytes,
       text.c_str());
  if (gridX == 0 || gridY != 1 || gridZ != 1 || blockX == 0 || blockX > 1024 || blockY != 1 ||
      blockZ != 1 || sharedBytes > f.mostShared || stream != &streamObject || extra)
    return InvalidValue;
  if (std::strcmp(setting("FAKE_CUDA_RUN", "1"), "0") == 0)
    return Success;
  try {
    ptx::run(f.module->code, *f.kernel, launch);
  } catch (const std::exception &error) {
    note("%s", error.what());
    std::fprintf(stderr, "emulator: %s\n", error.what());
    return LaunchFailed;
  }
  return Success;
}

EXPORT int cuGetErrorName(int status, const char **name) {
  switch (status) {
  case InvalidValue:
    *name = "CUDA_ERROR_INVALID_VALUE";
    break;
  case OutOfMemory:
    *name = "CUDA_ERROR_OUT_OF_MEMORY";
    break;
  case NotInitialized:
    *name = "CUDA_ERROR_NOT_INITIALIZED";
    break;
  case NoDevice:
    *name = "CUDA_ERROR_NO_DEVICE";
    break;
  case InvalidContext:
    *name = "CUDA_ERROR_INVALID_CONTEXT";
    break;
  case InvalidPtx:
    *name = "CUDA_ERROR_INVALID_PTX";
    break;
  case NotFound:
    *name = "CUDA_ERROR_NOT_FOUND";
    break;
  case LaunchFailed:
    *name = "CUDA_ERROR_LAUNCH_FAILED";
    break;
  default:
    return InvalidValue;
  }
  return Success;
}
