//===- Tensor.cpp - tensors of inputs and outputs -------------------------===//
#include "Tensor.h"

#include "Output.h"

#include "llvm/ADT/APFloat.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <numbers>
#include <sstream>

using dsc::format::DType;

namespace dsc::cli {

std::string describe(DType dtype, const std::vector<int64_t> &dims) {
  return fmt::format("{}[{}]", format::name(dtype), fmt::join(dims, ","));
}

std::string describe(const Tensor &tensor) { return describe(tensor.dtype, tensor.dims); }

bool isFloat(DType dtype) {
  return dtype == DType::Float16 || dtype == DType::BFloat16 || dtype == DType::Float32 ||
         dtype == DType::Float64;
}

bool isComplex(DType dtype) { return dtype == DType::Complex64 || dtype == DType::Complex128; }

size_t numberCount(const Tensor &tensor) {
  return tensor.data.size() / byteSize(tensor.dtype) * (isComplex(tensor.dtype) ? 2 : 1);
}

template <typename T> static T load(const Tensor &tensor, size_t index) {
  T value;
  std::memcpy(&value, tensor.data.data() + index * sizeof(T), sizeof(T));
  return value;
}

static double fromHalf(uint16_t bits) {
  double sign = bits & 0x8000 ? -1 : 1;
  int exponent = bits >> 10 & 0x1f, mantissa = bits & 0x3ff;
  if (exponent == 0x1f)
    return mantissa ? std::nan("") : sign * INFINITY;
  return sign * (exponent ? std::ldexp(1024 + mantissa, exponent - 25) : std::ldexp(mantissa, -24));
}

static double fromBFloat16(uint16_t bits) {
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

double valueAt(const Tensor &tensor, size_t index) {
  switch (tensor.dtype) {
  case DType::Float32:
  case DType::Complex64:
    return load<float>(tensor, index);
  case DType::Float64:
  case DType::Complex128:
    return load<double>(tensor, index);
  case DType::Float16:
    return fromHalf(load<uint16_t>(tensor, index));
  case DType::BFloat16:
    return fromBFloat16(load<uint16_t>(tensor, index));
  case DType::UInt8:
  case DType::Bool:
    return load<uint8_t>(tensor, index);
  case DType::Int8:
    return load<int8_t>(tensor, index);
  case DType::UInt16:
    return load<uint16_t>(tensor, index);
  case DType::Int16:
    return load<int16_t>(tensor, index);
  case DType::UInt32:
    return load<uint32_t>(tensor, index);
  case DType::Int32:
    return load<int32_t>(tensor, index);
  case DType::UInt64:
    return static_cast<double>(load<uint64_t>(tensor, index));
  case DType::Int64:
    return static_cast<double>(load<int64_t>(tensor, index));
  case DType::Undefined:
  case DType::String:
    break;
  }
  return 0;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static std::string readWhole(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream contents;
  if (file)
    contents << file.rdbuf();
  // An empty file sets failbit of `contents`, a folder badbit of `file`.
  if (!file || file.bad())
    fail(Code::File, fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  return contents.str();
}

Tensor readTensor(const std::string &path) {
  if (std::filesystem::path(path).extension() == ".npy")
    return fromNpy(readWhole(path), path);
  Tensor tensor;
  import::ProblemList problems;
  if (!import::readTensorFile(path, tensor, problems)) {
    // A bad input is no bad model.
    int exitCode = problems.exitCode();
    throw Failure(exitCode == kBadModel ? kUsage : exitCode,
                  Problems(problems.begin(), problems.end()));
  }
  return tensor;
}

std::string writeTensor(const Tensor &tensor, const std::string &folder, const std::string &name,
                        const std::vector<std::string> &inputs) {
  std::string stem = name;
  std::replace(stem.begin(), stem.end(), '/', '_');
  bool npy = hasNpyForm(tensor.dtype);
  std::string path = (std::filesystem::path(folder) / (stem + (npy ? ".npy" : ".pb"))).string();
  writeFile(path, npy ? toNpy(tensor) : import::serializeTensor(tensor), inputs);
  return path;
}

//===----------------------------------------------------------------------===//
// Random contents
//===----------------------------------------------------------------------===//

namespace {
/// SplitMix64 (Steele, Lea, Flood 2014): the same numbers with every C++ library.
struct Random {
  uint64_t state;

  uint64_t bits() {
    uint64_t z = state += 0x9e3779b97f4a7c15;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
    z = (z ^ z >> 27) * 0x94d049bb133111eb;
    return z ^ z >> 31;
  }
  /// In (0, 1].
  double uniform() { return ((bits() >> 11) + 1) * 0x1p-53; }
  /// Box and Muller's method.
  double normal() {
    double radius = std::sqrt(-2 * std::log(uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }
};
} // namespace

static uint16_t toHalf(double value, const llvm::fltSemantics &semantics) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(semantics, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return static_cast<uint16_t>(number.bitcastToAPInt().getZExtValue());
}

template <typename T> static void store(uint8_t *at, T value) {
  std::memcpy(at, &value, sizeof value);
}

static void storeRandom(uint8_t *at, DType dtype, Random &random) {
  switch (dtype) {
  case DType::Float32:
    return store(at, static_cast<float>(random.normal()));
  case DType::Float64:
    return store(at, random.normal());
  case DType::Float16:
    return store(at, toHalf(random.normal(), llvm::APFloat::IEEEhalf()));
  case DType::BFloat16:
    return store(at, toHalf(random.normal(), llvm::APFloat::BFloat()));
  case DType::Complex64:
    store(at, static_cast<float>(random.normal()));
    return store(at + sizeof(float), static_cast<float>(random.normal()));
  case DType::Complex128:
    store(at, random.normal());
    return store(at + sizeof(double), random.normal());
  case DType::UInt8:
  case DType::Int8:
    return store(at, static_cast<uint8_t>(random.bits()));
  default:
    // Little endian: the lowest byte decides.
    *at = random.bits() & 1;
  }
}

Tensor randomTensor(DType dtype, std::vector<int64_t> dims, uint64_t seed) {
  Tensor tensor;
  tensor.dtype = dtype;
  tensor.dims = std::move(dims);
  int64_t count = import::countElements(tensor.dims);
  size_t size = byteSize(dtype);
  if (count < 0 || !size || count > INT64_MAX / static_cast<int64_t>(size))
    fail(Code::InputMismatch,
         fmt::format("an input {} is larger than any memory", describe(tensor)),
         "give smaller sizes with --shape");
  tensor.data.resize(count * size);
  Random random{seed};
  for (int64_t i = 0; i < count; ++i)
    storeRandom(tensor.data.data() + i * size, dtype, random);
  return tensor;
}

} // namespace dsc::cli
