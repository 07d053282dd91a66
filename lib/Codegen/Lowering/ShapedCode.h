//===- ShapedCode.h - arithmetic on scalars or vectors alike --------------===//
#pragma once

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace dsc {

/// Builds constants and types of one shape: that of a scalar or of a vector.
class ShapedCode {
protected:
  ShapedCode(mlir::OpBuilder &b, mlir::Location loc, mlir::Type shape)
      : b(b), loc(loc), shape(shape) {}

  mlir::Type like(mlir::Type element) const {
    auto vector = mlir::dyn_cast<mlir::VectorType>(shape);
    return vector ? mlir::VectorType::get(vector.getShape(), element) : element;
  }
  mlir::Value splat(mlir::TypedAttr scalar) {
    mlir::TypedAttr value = scalar;
    if (auto vector = mlir::dyn_cast<mlir::VectorType>(like(scalar.getType())))
      value = mlir::DenseElementsAttr::get(vector, static_cast<mlir::Attribute>(scalar));
    return mlir::arith::ConstantOp::create(b, loc, value);
  }

  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type shape;
};

} // namespace dsc
