//===- DType.cpp - names of element types ---------------------------------===//

#include "dsc/Format/DType.h"

namespace dsc::format {

const char *name(DType type) {
  switch (type) {
  case DType::Undefined:
    return "undefined";
  case DType::Float32:
    return "f32";
  case DType::UInt8:
    return "u8";
  case DType::Int8:
    return "i8";
  case DType::UInt16:
    return "u16";
  case DType::Int16:
    return "i16";
  case DType::Int32:
    return "i32";
  case DType::Int64:
    return "i64";
  case DType::String:
    return "string";
  case DType::Bool:
    return "bool";
  case DType::Float16:
    return "f16";
  case DType::Float64:
    return "f64";
  case DType::UInt32:
    return "u32";
  case DType::UInt64:
    return "u64";
  case DType::Complex64:
    return "c64";
  case DType::Complex128:
    return "c128";
  case DType::BFloat16:
    return "bf16";
  }
  return "unknown";
}

} // namespace dsc::format
