//===- PtxNumbers.h - the types of PTX and numbers of the host ------------===//
#pragma once

#include "Ptx.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ptx {

inline uint64_t truncate(uint64_t bits, unsigned bytes) {
  return bytes >= 8 ? bits : bits & ((uint64_t(1) << bytes * 8) - 1);
}

inline int64_t extend(uint64_t bits, unsigned bytes) {
  unsigned shift = 64 - std::min(8u, bytes) * 8;
  return static_cast<int64_t>(bits << shift) >> shift;
}

inline float halfToFloat(uint16_t half) {
  int exponent = half >> 10 & 31;
  auto fraction = static_cast<float>(half & 1023);
  float value = exponent == 31 ? (half & 1023 ? NAN : INFINITY)
                : exponent     ? std::ldexp(fraction + 1024, exponent - 25)
                               : std::ldexp(fraction, -24);
  return half & 0x8000 ? -value : value;
}

/// To nearest, ties to even.
inline uint16_t floatToHalf(double value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (std::isnan(value))
    return 0x7fff;
  if (magnitude >= 65520)
    return sign | 0x7c00;
  int exponent;
  std::frexp(magnitude, &exponent);
  exponent = std::max(exponent - 11, -24); // of the last bit
  auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, -exponent)));
  // A carry into the exponent is right as it is.
  uint32_t biased = units >= 1024 ? ((exponent + 24) << 10) + units : units;
  return sign | static_cast<uint16_t>(biased);
}

inline uint16_t floatToBFloat(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

inline double toDouble(uint64_t bits, Type type) {
  if (type.kind == Kind::BFloat)
    return std::bit_cast<float>(static_cast<uint32_t>(bits << 16));
  if (type.bytes == 2)
    return halfToFloat(static_cast<uint16_t>(bits));
  if (type.bytes == 4)
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

inline uint64_t fromDouble(double value, Type type) {
  if (type.kind == Kind::BFloat)
    return floatToBFloat(static_cast<float>(value));
  if (type.bytes == 2)
    return floatToHalf(value);
  if (type.bytes == 4)
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  return std::bit_cast<uint64_t>(value);
}

/// Nearest tf32, ties away from zero.
inline uint32_t roundToTf32(uint32_t bits) {
  bool isSpecial = (bits >> 23 & 255) == 255;
  return (isSpecial ? bits : bits + 0x1000) & ~uint32_t(0x1fff);
}

inline bool isFloat(Type type) { return type.kind == Kind::Float || type.kind == Kind::BFloat; }

} // namespace ptx
