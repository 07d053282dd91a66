//===- CudaModel.cpp - models on a GPU ------------------------------------===//

#include "CudaModel.h"

#include "dsc/Format/KernelABI.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cstdlib>

namespace dsc::runtime {

using format::Variant;

// Numbers of the driver's interface (cuda.h).
static constexpr int kComputeCapabilityMajor = 75, kComputeCapabilityMinor = 76;
static constexpr int kMaxSharedBytesAttribute = 8; // of a function
static constexpr int kErrorLog = 5, kErrorLogBytes = 6;
/// Shared memory that a block may have without asking.
static constexpr uint32_t kDefaultSharedBytes = 48 << 10;

//===----------------------------------------------------------------------===//
// The device
//===----------------------------------------------------------------------===//

/// 80 for "sm_80"; 0 for other texts.
static int capabilityOf(const std::string &feature) {
  int capability = 0;
  if (feature.starts_with("sm_"))
    std::from_chars(feature.data() + 3, feature.data() + feature.size(), capability);
  return capability;
}

static int neededCapability(const Variant &variant) {
  int needed = 0;
  for (const std::string &feature : variant.features)
    needed = std::max(needed, capabilityOf(feature));
  return needed;
}

static std::string capabilityText(int capability) {
  return std::to_string(capability / 10) + "." + std::to_string(capability % 10);
}

static Error getDevice(const CudaDriver &driver, CudaDevice &device, int &capability) {
  int major = 0, minor = 0;
  if (CudaStatus status = driver.deviceGet(&device, 0))
    return driver.error("cuDeviceGet", status);
  if (CudaStatus status = driver.deviceGetAttribute(&major, kComputeCapabilityMajor, device))
    return driver.error("cuDeviceGetAttribute", status);
  if (CudaStatus status = driver.deviceGetAttribute(&minor, kComputeCapabilityMinor, device))
    return driver.error("cuDeviceGetAttribute", status);
  capability = major * 10 + minor;
  return Error::success();
}

Error checkGpu(const Variant &variant) {
  const CudaDriver *driver;
  if (Error error = CudaDriver::load(driver))
    return error;
  CudaDevice device;
  int capability = 0;
  if (Error error = getDevice(*driver, device, capability))
    return error;
  int needed = neededCapability(variant);
  if (capability < needed)
    return {DSC_UNSUPPORTED_CPU, "needs a GPU of compute capability " + capabilityText(needed) +
                                     ", this one has " + capabilityText(capability)};
  return Error::success();
}

//===----------------------------------------------------------------------===//
// CudaModel
//===----------------------------------------------------------------------===//

Error CudaModel::open(const Variant &variant, std::span<const uint8_t> code,
                      std::span<const uint8_t> weights, std::unique_ptr<const CudaModel> &result) {
  size_t textEnd = variant.cubinOffset ? variant.cubinOffset : code.size();
  if (code[textEnd - 1] != 0)
    return corrupt("code for " + variant.target + ": its PTX does not end");
  std::unique_ptr<CudaModel> model(new CudaModel);
  if (Error error = CudaDriver::load(model->driver))
    return error;
  const CudaDriver &driver = *model->driver;
  int capability = 0;
  if (Error error = getDevice(driver, model->device, capability))
    return error;
  if (CudaStatus status = driver.contextRetain(&model->context, model->device))
    return driver.error("cuDevicePrimaryCtxRetain", status);
  model->hasContext = true;
  Scope scope(*model);
  if (scope.status)
    return driver.error("cuCtxPushCurrent", scope.status);
  // Assembled code runs on GPUs of the same generation.
  bool isSameGeneration = capability / 10 == neededCapability(variant) / 10;
  bool isLoaded = variant.cubinOffset != 0 && isSameGeneration &&
                  !model->loadImage(code.data() + variant.cubinOffset);
  if (!isLoaded)
    if (Error error = model->loadImage(code.data()))
      return error;
  if (Error error = model->findKernels(variant))
    return error;
  if (Error error = model->copyWeights(weights))
    return error;
  result = std::move(model);
  return Error::success();
}

CudaModel::~CudaModel() {
  if (!hasContext)
    return;
  {
    Scope scope(*this);
    if (weightPointer)
      driver->memoryFree(weightPointer);
    if (module)
      driver->moduleUnload(module);
  }
  driver->contextRelease(device);
}

/// A cubin, or PTX that ends with a zero.
Error CudaModel::loadImage(const uint8_t *image) {
  char log[512] = "";
  int options[] = {kErrorLog, kErrorLogBytes};
  void *values[] = {log, std::bit_cast<void *>(sizeof(log))};
  CudaStatus status = driver->moduleLoad(&module, image, 2, options, values);
  if (!status)
    return Error::success();
  module = nullptr;
  log[sizeof(log) - 1] = '\0';
  Error error = driver->error("cuModuleLoadDataEx", status);
  error.text += log[0] ? std::string(": ") + log : "";
  return error;
}

Error CudaModel::findKernels(const Variant &variant) {
  for (size_t i = 0; i < variant.program.kernels.size(); ++i) {
    Kernel kernel;
    kernel.block = variant.blocks[i];
    if (CudaStatus status =
            driver->moduleGetFunction(&kernel.function, module, variant.program.kernels[i].c_str()))
      return driver->error("cuModuleGetFunction", status);
    if (kernel.block.sharedBytes > kDefaultSharedBytes)
      if (CudaStatus status =
              driver->functionSetAttribute(kernel.function, kMaxSharedBytesAttribute,
                                           static_cast<int>(kernel.block.sharedBytes)))
        return driver->error("cuFuncSetAttribute", status);
    kernels.push_back(kernel);
  }
  return Error::success();
}

Error CudaModel::copyWeights(std::span<const uint8_t> bytes) {
  if (bytes.empty())
    return Error::success();
  if (CudaStatus status = driver->memoryAllocate(&weightPointer, bytes.size()))
    return driver->error("cuMemAlloc", status);
  if (CudaStatus status = driver->copyToDevice(weightPointer, bytes.data(), bytes.size(), nullptr))
    return driver->error("cuMemcpyHtoDAsync", status);
  if (CudaStatus status = driver->streamSynchronize(nullptr))
    return driver->error("cuStreamSynchronize", status);
  return Error::success();
}

//===----------------------------------------------------------------------===//
// CudaQueue
//===----------------------------------------------------------------------===//

CudaQueue::CudaQueue(const CudaModel &model, const format::Program &program)
    : model(model), program(program), driver(*model.driver), hostStatuses(program.launches.size()) {
  size_t most = 0;
  for (const format::Launch &launch : program.launches)
    most = std::max(most, launch.buffers.size() + launch.sizes.size() + 1);
  arguments.resize(most);
}

CudaQueue::~CudaQueue() {
  CudaModel::Scope scope(model);
  if (statuses)
    driver.memoryFree(statuses);
  if (stream)
    driver.streamDestroy(stream);
}

/// Keeps the first error.
bool CudaQueue::check(const char *function, CudaStatus status) {
  if (status && !failure)
    failure = driver.error(function, status);
  return status == 0;
}

void *CudaQueue::allocate(size_t bytes) {
  CudaModel::Scope scope(model);
  CudaPointer memory = nullptr;
  return driver.memoryAllocate(&memory, bytes) ? nullptr : memory;
}

void CudaQueue::deallocate(void *device) {
  CudaModel::Scope scope(model);
  driver.memoryFree(device);
}

void CudaQueue::copy(void *to, const void *from, size_t bytes) {
  CudaModel::Scope scope(model);
  if (!failure && bytes)
    check("cuMemcpyDtoDAsync", driver.copyOnDevice(to, from, bytes, stream));
}

void CudaQueue::write(void *device, const void *host, size_t bytes) {
  CudaModel::Scope scope(model);
  if (!failure && bytes)
    check("cuMemcpyHtoDAsync", driver.copyToDevice(device, host, bytes, stream));
}

void CudaQueue::read(void *host, const void *device, size_t bytes) {
  CudaModel::Scope scope(model);
  if (!failure && bytes &&
      check("cuMemcpyDtoHAsync", driver.copyToHost(host, device, bytes, stream)))
    check("cuStreamSynchronize", driver.streamSynchronize(stream));
}

void CudaQueue::begin() {
  CudaModel::Scope scope(model);
  failure = Error::success();
  size_t bytes = hostStatuses.size() * sizeof(int32_t);
  if (!stream)
    check("cuStreamCreate", driver.streamCreate(&stream, 0));
  if (!statuses && bytes && !failure)
    check("cuMemAlloc", driver.memoryAllocate(&statuses, bytes));
  if (bytes && !failure)
    check("cuMemsetD8Async", driver.fill(statuses, 0, bytes, stream));
}

void CudaQueue::launch(uint32_t number, std::span<void *const> buffers,
                       std::span<const int64_t> sizes, int64_t parts) {
  if (failure || parts == 0)
    return;
  CudaModel::Scope scope(model);
  const CudaModel::Kernel &kernel = model.kernels[program.launches[number].kernel];
  // Buffers, sizes, status: EntryPoints.h of the compiler.
  CudaPointer status = static_cast<int32_t *>(statuses) + number;
  auto next = arguments.begin();
  for (void *const &buffer : buffers)
    *next++ = static_cast<void *>(const_cast<void **>(&buffer));
  for (const int64_t &size : sizes)
    *next++ = const_cast<int64_t *>(&size);
  *next = static_cast<void *>(&status);
  uint32_t threads = kernel.block.threads;
  int64_t blocks = (parts + threads - 1) / threads;
  check("cuLaunchKernel",
        driver.launch(kernel.function, static_cast<unsigned>(blocks), 1, 1, threads, 1, 1,
                      kernel.block.sharedBytes, stream, arguments.data(), nullptr));
}

Error CudaQueue::finish(uint32_t &failed, int32_t &code) {
  read(hostStatuses.data(), statuses, hostStatuses.size() * sizeof(int32_t));
  code = DSC_KERNEL_OK;
  for (uint32_t i = 0; i < hostStatuses.size() && code == DSC_KERNEL_OK && !failure; ++i) {
    failed = i;
    code = hostStatuses[i];
  }
  return failure;
}

} // namespace dsc::runtime
