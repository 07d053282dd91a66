//===- TensorData.cpp - sizes and layout of a tensor's data -----------------===//
//
// After the comments of TensorProto in onnx.proto.
//
//===----------------------------------------------------------------------===//
#include "TensorData.h"

#include <cstring>
#include <limits>

namespace dsc::import {

using onnx::TensorProto;

namespace {
struct ElementInfo {
  int32_t type;
  int bits;
  const char *name;
};

constexpr ElementInfo kElements[] = {
    {TensorProto::FLOAT, 32, "f32"},
    {TensorProto::UINT8, 8, "u8"},
    {TensorProto::INT8, 8, "i8"},
    {TensorProto::UINT16, 16, "u16"},
    {TensorProto::INT16, 16, "i16"},
    {TensorProto::INT32, 32, "i32"},
    {TensorProto::INT64, 64, "i64"},
    {TensorProto::STRING, 0, "string"},
    {TensorProto::BOOL, 8, "bool"},
    {TensorProto::FLOAT16, 16, "f16"},
    {TensorProto::DOUBLE, 64, "f64"},
    {TensorProto::UINT32, 32, "u32"},
    {TensorProto::UINT64, 64, "u64"},
    {TensorProto::COMPLEX64, 64, "c64"},
    {TensorProto::COMPLEX128, 128, "c128"},
    {TensorProto::BFLOAT16, 16, "bf16"},
    {TensorProto::FLOAT8E4M3FN, 8, "f8e4m3fn"},
    {TensorProto::FLOAT8E4M3FNUZ, 8, "f8e4m3fnuz"},
    {TensorProto::FLOAT8E5M2, 8, "f8e5m2"},
    {TensorProto::FLOAT8E5M2FNUZ, 8, "f8e5m2fnuz"},
    {TensorProto::UINT4, 4, "u4"},
    {TensorProto::INT4, 4, "i4"},
    {TensorProto::FLOAT4E2M1, 4, "f4e2m1"},
    {TensorProto::FLOAT8E8M0, 8, "f8e8m0"},
    {TensorProto::UINT2, 2, "u2"},
    {TensorProto::INT2, 2, "i2"},
    {TensorProto::FLOAT6E2M3, 6, "f6e2m3"},
    {TensorProto::FLOAT6E3M2, 6, "f6e3m2"},
};
} // namespace

static const ElementInfo *find(int32_t dataType) {
  for (const ElementInfo &info : kElements)
    if (info.type == dataType)
      return &info;
  return nullptr;
}

int bitsOfElement(int32_t dataType) {
  const ElementInfo *info = find(dataType);
  return info ? info->bits : 0;
}

std::string nameOfElement(int32_t dataType) {
  const ElementInfo *info = find(dataType);
  return info ? info->name : "?";
}

std::optional<int64_t> elementCount(std::span<const int64_t> dims) {
  int64_t count = 1;
  bool empty = false;
  for (int64_t dim : dims) {
    if (dim < 0)
      return std::nullopt;
    if (dim == 0) {
      empty = true;
      continue;
    }
    if (__builtin_mul_overflow(count, dim, &count))
      return std::nullopt;
  }
  return empty ? 0 : count;
}

std::optional<uint64_t> expectedBytes(int32_t dataType, int64_t count) {
  int64_t bits;
  if (__builtin_mul_overflow(count, static_cast<int64_t>(bitsOfElement(dataType)), &bits) ||
      bits > std::numeric_limits<int64_t>::max() - 7)
    return std::nullopt;
  return static_cast<uint64_t>(bits + 7) / 8;
}

static std::string shapeText(const onnx::TensorShapeProto &shape) {
  std::string text = "[";
  for (const auto &dim : shape.dim()) {
    if (text.size() > 1)
      text += ",";
    if (dim.has_dim_value())
      text += std::to_string(dim.dim_value());
    else
      text += dim.dim_param().empty() ? "?" : dim.dim_param();
  }
  return text + "]";
}

std::string typeText(const onnx::TypeProto &type) {
  switch (type.value_case()) {
  case onnx::TypeProto::kTensorType: {
    const auto &tensor = type.tensor_type();
    return nameOfElement(tensor.elem_type()) +
           (tensor.has_shape() ? shapeText(tensor.shape()) : "[*]");
  }
  case onnx::TypeProto::kSparseTensorType:
    return "sparse " + nameOfElement(type.sparse_tensor_type().elem_type()) +
           shapeText(type.sparse_tensor_type().shape());
  case onnx::TypeProto::kSequenceType:
    return "seq(" + typeText(type.sequence_type().elem_type()) + ")";
  case onnx::TypeProto::kOptionalType:
    return "optional(" + typeText(type.optional_type().elem_type()) + ")";
  case onnx::TypeProto::kMapType:
    return "map(" + nameOfElement(type.map_type().key_type()) + ", " +
           typeText(type.map_type().value_type()) + ")";
  default:
    return "?";
  }
}

std::string typeText(const TensorProto &tensor) {
  std::string text = nameOfElement(tensor.data_type()) + "[";
  for (int i = 0; i < tensor.dims_size(); ++i)
    text += (i ? "," : "") + std::to_string(tensor.dims(i));
  return text + "]";
}

/// Truncates each value to `Stored`; both are little endian.
template <typename Stored, typename Values> static std::vector<uint8_t> pack(const Values &values) {
  std::vector<uint8_t> bytes(values.size() * sizeof(Stored));
  size_t offset = 0;
  for (auto value : values) {
    Stored stored = static_cast<Stored>(value);
    std::memcpy(bytes.data() + offset, &stored, sizeof stored);
    offset += sizeof stored;
  }
  return bytes;
}

/// Each entry holds one 6-bit element; raw_data is a little-endian bit stream.
static std::vector<uint8_t> packSixBit(const google::protobuf::RepeatedField<int32_t> &values) {
  std::vector<uint8_t> bytes((values.size() * size_t{6} + 7) / 8);
  size_t bit = 0;
  for (int32_t value : values)
    for (int i = 0; i < 6; ++i, ++bit)
      bytes[bit / 8] |= (value >> i & 1) << bit % 8;
  return bytes;
}

std::optional<std::vector<uint8_t>> packTypedData(const TensorProto &tensor, int64_t count) {
  auto ifCount = [&](int64_t found, int64_t expected,
                     auto packer) -> std::optional<std::vector<uint8_t>> {
    if (found != expected)
      return std::nullopt;
    return packer();
  };
  switch (tensor.data_type()) {
  case TensorProto::FLOAT:
  case TensorProto::COMPLEX64: {
    if (count > std::numeric_limits<int32_t>::max())
      return std::nullopt;
    int64_t parts = tensor.data_type() == TensorProto::FLOAT ? 1 : 2;
    return ifCount(tensor.float_data_size(), count * parts,
                   [&] { return pack<float>(tensor.float_data()); });
  }
  case TensorProto::DOUBLE:
  case TensorProto::COMPLEX128: {
    if (count > std::numeric_limits<int32_t>::max())
      return std::nullopt;
    int64_t parts = tensor.data_type() == TensorProto::DOUBLE ? 1 : 2;
    return ifCount(tensor.double_data_size(), count * parts,
                   [&] { return pack<double>(tensor.double_data()); });
  }
  case TensorProto::INT64:
    return ifCount(tensor.int64_data_size(), count,
                   [&] { return pack<int64_t>(tensor.int64_data()); });
  case TensorProto::UINT64:
    return ifCount(tensor.uint64_data_size(), count,
                   [&] { return pack<uint64_t>(tensor.uint64_data()); });
  case TensorProto::UINT32:
    return ifCount(tensor.uint64_data_size(), count,
                   [&] { return pack<uint32_t>(tensor.uint64_data()); });
  case TensorProto::INT32:
    return ifCount(tensor.int32_data_size(), count,
                   [&] { return pack<int32_t>(tensor.int32_data()); });
  case TensorProto::BOOL:
    return ifCount(tensor.int32_data_size(), count,
                   [&] { return pack<bool>(tensor.int32_data()); });
  case TensorProto::FLOAT6E2M3:
  case TensorProto::FLOAT6E3M2:
    return ifCount(tensor.int32_data_size(), count,
                   [&] { return packSixBit(tensor.int32_data()); });
  default:
    break;
  }
  switch (bitsOfElement(tensor.data_type())) {
  case 16:
    return ifCount(tensor.int32_data_size(), count,
                   [&] { return pack<uint16_t>(tensor.int32_data()); });
  case 8:
    return ifCount(tensor.int32_data_size(), count,
                   [&] { return pack<uint8_t>(tensor.int32_data()); });
  case 4:
  case 2: {
    // An entry holds one byte of two or four elements.
    std::optional<uint64_t> entries = expectedBytes(tensor.data_type(), count);
    return ifCount(tensor.int32_data_size(), entries ? static_cast<int64_t>(*entries) : -1,
                   [&] { return pack<uint8_t>(tensor.int32_data()); });
  }
  default:
    return std::nullopt;
  }
}

} // namespace dsc::import
