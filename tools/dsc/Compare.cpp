//===- Compare.cpp - how far two tensors are apart ------------------------===//
#include "Compare.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>

using dsc::format::DType;

namespace dsc::cli {

/// Distance of two floats in representable numbers between them. Sign and magnitude
/// become a number that orders as the floats do.
template <typename Bits> static double ulpsOf(const Tensor &a, const Tensor &b, size_t index) {
  auto ordered = [&](const Tensor &tensor) {
    Bits bits;
    std::memcpy(&bits, tensor.data.data() + index * sizeof(Bits), sizeof(Bits));
    constexpr Bits sign = Bits(1) << (sizeof(Bits) * 8 - 1);
    double magnitude = static_cast<double>(bits & ~sign);
    return bits & sign ? -magnitude : magnitude;
  };
  return std::fabs(ordered(a) - ordered(b));
}

static double ulpsBetween(const Tensor &a, const Tensor &b, size_t index) {
  switch (a.dtype) {
  case DType::Float16:
  case DType::BFloat16:
    return ulpsOf<uint16_t>(a, b, index);
  case DType::Float32:
  case DType::Complex64:
    return ulpsOf<uint32_t>(a, b, index);
  case DType::Float64:
  case DType::Complex128:
    return ulpsOf<uint64_t>(a, b, index);
  default:
    return 0;
  }
}

/// "[0,3,17]"
static std::string positionOf(const Tensor &tensor, size_t index) {
  if (isComplex(tensor.dtype))
    index /= 2;
  std::vector<int64_t> position(tensor.dims.size());
  for (size_t axis = position.size(); axis-- > 0;) {
    position[axis] = index % tensor.dims[axis];
    index /= tensor.dims[axis];
  }
  return fmt::format("[{}]", fmt::join(position, ","));
}

static bool equalBytes(const Tensor &a, const Tensor &b, size_t index) {
  size_t size = byteSize(a.dtype);
  return std::memcmp(a.data.data() + index * size, b.data.data() + index * size, size) == 0;
}

static double largest(const Tensor &tensor) {
  double result = 0;
  for (size_t i = 0, count = numberCount(tensor); i < count; ++i)
    if (double value = std::fabs(valueAt(tensor, i)); std::isfinite(value))
      result = std::max(result, value);
  return result;
}

Comparison compare(const Tensor &got, const Tensor &expected, const Tolerance &tolerance) {
  Comparison result;
  if (got.dtype != expected.dtype || got.dims != expected.dims) {
    result.reason = fmt::format("is {}, expected {}", describe(got), describe(expected));
    return result;
  }
  double atol = tolerance.atol + tolerance.atolOfMax * largest(expected);
  bool exact = !isFloat(got.dtype) && !isComplex(got.dtype);
  for (size_t i = 0, count = numberCount(got); i < count; ++i) {
    double a = valueAt(got, i), b = valueAt(expected, i);
    if (exact ? equalBytes(got, expected, i) : a == b || (std::isnan(a) && std::isnan(b)))
      continue;
    double difference = std::fabs(a - b);
    double relative = difference / std::fabs(b);
    bool within = !exact && std::isfinite(b) && difference <= atol + tolerance.rtol * std::fabs(b);
    if (!within && !result.mismatches++)
      result.reason =
          fmt::format("differs first at {}: {:.9g}, expected {:.9g}", positionOf(got, i), a, b);
    // One that is no number is infinitely far from any other.
    auto distance = [](double value) { return std::isnan(value) ? INFINITY : value; };
    result.maxAbsolute = std::max(result.maxAbsolute, distance(difference));
    result.maxRelative = std::max(result.maxRelative, distance(relative));
    if (!exact)
      result.maxUlp = std::max(result.maxUlp,
                               std::isnan(difference) ? INFINITY : ulpsBetween(got, expected, i));
  }
  result.matches = result.mismatches == 0;
  if (!result.matches)
    result.reason += fmt::format(" ({} of {} differ)", result.mismatches, numberCount(got));
  return result;
}

nlohmann::ordered_json Comparison::toJson() const {
  // JSON has no infinity.
  auto number = [](double value) {
    return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json("inf");
  };
  nlohmann::ordered_json json{{"matches", matches},
                              {"max_abs", number(maxAbsolute)},
                              {"max_rel", number(maxRelative)},
                              {"max_ulp", number(maxUlp)},
                              {"mismatches", mismatches}};
  if (!reason.empty())
    json["reason"] = reason;
  return json;
}

std::string Comparison::summary() const {
  return fmt::format("abs {:.2g} rel {:.2g} ulp {:.0f}", maxAbsolute, maxRelative, maxUlp);
}

} // namespace dsc::cli
