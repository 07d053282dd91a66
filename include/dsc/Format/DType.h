//===- DType.h - element types of tensors ---------------------------------===//
//
// The element types of the container format. The numbers are those of ONNX's
// TensorProto.DataType, so that no table stands between the two.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstddef>
#include <cstdint>

namespace dsc::format {

enum class DType : uint8_t {
  Undefined = 0,
  Float32 = 1,
  UInt8 = 2,
  Int8 = 3,
  UInt16 = 4,
  Int16 = 5,
  Int32 = 6,
  Int64 = 7,
  String = 8,
  Bool = 9,
  Float16 = 10,
  Float64 = 11,
  UInt32 = 12,
  UInt64 = 13,
  Complex64 = 14,
  Complex128 = 15,
  BFloat16 = 16,
};

/// Bytes that one element takes in memory; 0 for a type that has no dense form.
constexpr size_t byteSize(DType type) {
  switch (type) {
  case DType::UInt8:
  case DType::Int8:
  case DType::Bool:
    return 1;
  case DType::UInt16:
  case DType::Int16:
  case DType::Float16:
  case DType::BFloat16:
    return 2;
  case DType::Float32:
  case DType::UInt32:
  case DType::Int32:
    return 4;
  case DType::Int64:
  case DType::UInt64:
  case DType::Float64:
  case DType::Complex64:
    return 8;
  case DType::Complex128:
    return 16;
  case DType::Undefined:
  case DType::String:
    return 0;
  }
  return 0;
}

/// The type's name as it appears in dsc's assembly and reports ("f32", "u8").
const char *name(DType type);

} // namespace dsc::format
