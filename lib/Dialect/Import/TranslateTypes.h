//===- TranslateTypes.h - ONNX types and attributes as MLIR's ---------------===//
#pragma once

#include "dsc/Dialect/IR/Weights.h"

#include <onnx/onnx_pb.h>
#include <optional>

namespace dsc::import {

/// The element type for an onnx::TensorProto::DataType; null for those that the
/// compiler has no values of (strings, complex numbers, 8-bit floats, 4-bit types).
mlir::Type elementTypeOf(mlir::MLIRContext *context, int32_t dataType);

/// The static tensor type of an initializer; null as above.
mlir::RankedTensorType typeOf(mlir::MLIRContext *context, const onnx::TensorProto &tensor);

/// The elements of a tensor from the bytes of its raw_data.
Array arrayFrom(mlir::RankedTensorType type, llvm::ArrayRef<uint8_t> raw);

/// A node's attribute: INT as i64, FLOAT as f32, lists as dense arrays. Null for
/// graphs and types, and for tensors that are not inline or have no element type.
mlir::Attribute translateAttribute(mlir::MLIRContext *context,
                                   const onnx::AttributeProto &attribute);

/// All elements as sizes (integers and bools) or as numbers.
std::optional<llvm::SmallVector<Dim>> sizesFrom(const Array &array);
std::optional<llvm::SmallVector<float>> floatsFrom(const Array &array);

} // namespace dsc::import
