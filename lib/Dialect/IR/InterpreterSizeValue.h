//===- InterpreterSizeValue.h - scalars on the domain of sizes ------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc::interpreter {

/// What is known about one scalar: nothing, an integer (i1: 0 or 1) as a size, or
/// a float, which is a number or has exactly the value of a size.
struct SizeValue {
  enum Kind { Unknown, Integer, Float };

  Kind kind = Unknown;
  Dim dim;           ///< Integer, or a Float that is not a number
  double number = 0; ///< Float without a dim

  static SizeValue integer(Dim dim);
  static SizeValue floating(Dim dim);
  static SizeValue floating(double number);
  /// A constant, or unknown for other attributes.
  static SizeValue ofConstant(mlir::Attribute value);
  /// An element of a tensor with known contents.
  static SizeValue ofElement(Dim element, mlir::Type elementType);

  bool isKnown() const { return kind != Unknown; }
  std::optional<int64_t> constantInteger() const;
  /// The constant as an attribute of a scalar type; null where it is not one.
  mlir::TypedAttr constant(mlir::Type type) const;
  /// The size that this value is equal to; empty where there is none.
  Dim asSize(mlir::MLIRContext *context) const;
};

/// The result of an op of the scalar code.
SizeValue evaluateScalar(mlir::Operation &op, llvm::ArrayRef<SizeValue> operands);

/// An affine expression of numbers.
int64_t evaluateAffine(mlir::AffineExpr expr, llvm::ArrayRef<int64_t> dims,
                       llvm::ArrayRef<int64_t> symbols);

} // namespace dsc::interpreter
