//===- TensorData.h - sizes and layout of a tensor's data -------------------===//
//
// Facts about TensorProto: how many bytes its dimensions ask for, and how the typed
// fields (float_data, int32_data, ...) map to raw_data.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <onnx/onnx_pb.h>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dsc::import {

/// Bits of one element in raw_data; 0 for strings and unknown types.
int bitsOfElement(int32_t dataType);

/// "f32", "i64", "bool", ...; "?" if unknown.
std::string nameOfElement(int32_t dataType);

/// Product of dimensions; nullopt if one is negative or the product overflows.
std::optional<int64_t> elementCount(std::span<const int64_t> dims);

/// Larger tensors (1 TiB) are refused: no machine that runs models holds them.
constexpr uint64_t kMaxTensorBytes = uint64_t(1) << 40;

/// Bytes that raw_data of the tensor must have; nullopt if that overflows.
std::optional<uint64_t> expectedBytes(int32_t dataType, int64_t count);

/// "f32[1,256,N]", "seq(f32[?])", for diagnostics.
std::string typeText(const onnx::TypeProto &type);
std::string typeText(const onnx::TensorProto &tensor);

/// The contents of the typed data fields as raw_data would hold them; nullopt if
/// they do not hold exactly `count` elements of the tensor's type.
std::optional<std::vector<uint8_t>> packTypedData(const onnx::TensorProto &tensor, int64_t count);

} // namespace dsc::import
