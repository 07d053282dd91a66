//===- TranslateTypes.cpp - ONNX types and attributes as MLIR's -------------===//
#include "TranslateTypes.h"

#include "dsc/Dialect/Import/ExternalData.h"
#include "mlir/IR/Builders.h"

using namespace mlir;

namespace dsc::import {

Type elementTypeOf(MLIRContext *context, int32_t dataType) {
  Builder builder(context);
  auto unsignedType = [&](unsigned width) { return builder.getIntegerType(width, false); };
  switch (dataType) {
  case onnx::TensorProto::FLOAT16:
    return builder.getF16Type();
  case onnx::TensorProto::BFLOAT16:
    return builder.getBF16Type();
  case onnx::TensorProto::FLOAT:
    return builder.getF32Type();
  case onnx::TensorProto::DOUBLE:
    return builder.getF64Type();
  case onnx::TensorProto::BOOL:
    return builder.getI1Type();
  case onnx::TensorProto::INT8:
    return builder.getI8Type();
  case onnx::TensorProto::INT16:
    return builder.getI16Type();
  case onnx::TensorProto::INT32:
    return builder.getI32Type();
  case onnx::TensorProto::INT64:
    return builder.getI64Type();
  case onnx::TensorProto::UINT8:
    return unsignedType(8);
  case onnx::TensorProto::UINT16:
    return unsignedType(16);
  case onnx::TensorProto::UINT32:
    return unsignedType(32);
  case onnx::TensorProto::UINT64:
    return unsignedType(64);
  default:
    return {};
  }
}

RankedTensorType typeOf(MLIRContext *context, const onnx::TensorProto &tensor) {
  Type element = elementTypeOf(context, tensor.data_type());
  if (!element)
    return {};
  return RankedTensorType::get(SmallVector<int64_t>(tensor.dims().begin(), tensor.dims().end()),
                               element);
}

Array arrayFrom(RankedTensorType type, ArrayRef<uint8_t> raw) {
  Array array{type, std::vector<uint8_t>(raw.begin(), raw.end())};
  if (type.getElementType().isInteger(1))
    for (uint8_t &byte : array.data)
      byte = byte != 0;
  return array;
}

Attribute translateAttribute(MLIRContext *context, const onnx::AttributeProto &attribute) {
  Builder builder(context);
  switch (attribute.type()) {
  case onnx::AttributeProto::INT:
    return builder.getI64IntegerAttr(attribute.i());
  case onnx::AttributeProto::FLOAT:
    return builder.getF32FloatAttr(attribute.f());
  case onnx::AttributeProto::STRING:
    return builder.getStringAttr(attribute.s());
  case onnx::AttributeProto::INTS:
    return builder.getDenseI64ArrayAttr(
        SmallVector<int64_t>(attribute.ints().begin(), attribute.ints().end()));
  case onnx::AttributeProto::FLOATS:
    return builder.getDenseF32ArrayAttr(
        SmallVector<float>(attribute.floats().begin(), attribute.floats().end()));
  case onnx::AttributeProto::STRINGS:
    return builder.getStrArrayAttr(
        SmallVector<StringRef>(attribute.strings().begin(), attribute.strings().end()));
  case onnx::AttributeProto::TENSOR: {
    const onnx::TensorProto &tensor = attribute.t();
    RankedTensorType type = typeOf(context, tensor);
    if (!type || weightRefOf(tensor))
      return {};
    return denseElements(arrayFrom(type, llvm::arrayRefFromStringRef(tensor.raw_data())));
  }
  default:
    return {};
  }
}

/// Calls fn(APInt) for each element's bits, little-endian.
template <typename Fn> static void forEachElement(const Array &array, Fn &&fn) {
  size_t bytes = elementBytes(array.type.getElementType());
  for (size_t at = 0; at + bytes <= array.data.size(); at += bytes) {
    uint64_t bits = 0;
    std::memcpy(&bits, array.data.data() + at, bytes);
    fn(APInt(static_cast<unsigned>(bytes) * 8, bits));
  }
}

/// Whether the integers of the type are extended with zeros: bools are bytes.
static bool extendsWithZeros(IntegerType type) { return type.isUnsigned() || type.getWidth() == 1; }

std::optional<SmallVector<Dim>> sizesFrom(const Array &array) {
  auto integer = dyn_cast<IntegerType>(array.type.getElementType());
  if (!integer)
    return std::nullopt;
  SmallVector<Dim> sizes;
  forEachElement(array, [&](const APInt &bits) {
    int64_t value = extendsWithZeros(integer) ? static_cast<int64_t>(bits.getZExtValue())
                                              : bits.getSExtValue();
    sizes.push_back(Dim::constant(array.type.getContext(), value));
  });
  return sizes;
}

std::optional<SmallVector<float>> floatsFrom(const Array &array) {
  SmallVector<float> numbers;
  Type element = array.type.getElementType();
  forEachElement(array, [&](const APInt &bits) {
    if (auto integer = dyn_cast<IntegerType>(element)) {
      numbers.push_back(static_cast<float>(bits.roundToDouble(!extendsWithZeros(integer))));
      return;
    }
    APFloat value(cast<FloatType>(element).getFloatSemantics(), bits);
    bool losesInfo;
    value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven, &losesInfo);
    numbers.push_back(value.convertToFloat());
  });
  return numbers;
}

} // namespace dsc::import
