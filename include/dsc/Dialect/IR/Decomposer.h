//===- Decomposer.h - writes decompositions -------------------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc {

/// Builds chains of ops by name. A step that fails, or has an operand from one that
/// failed, gives a null value: the end of a chain tells whether all went well.
class Decomposer {
public:
  Decomposer(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  struct Attribute {
    llvm::StringRef name;
    mlir::Attribute value;
  };
  mlir::Value op(llvm::StringRef name, mlir::ValueRange operands,
                 llvm::ArrayRef<Attribute> attributes = {});

  /// Absent operand.
  mlir::Value none();
  /// A scalar constant.
  mlir::Value scalar(mlir::Type element, double value);
  mlir::Value cast(mlir::Value value, mlir::Type element);
  mlir::Value reshape(mlir::Value value, llvm::ArrayRef<Dim> shape);
  /// A parameter with an element for each index of an axis of a tensor of rank `rank`, or
  /// with one element, so that it broadcasts to the tensor. Others stay as they are.
  mlir::Value alongAxis(mlir::Value parameter, int64_t axis, int64_t rank);
  /// `name` is a reduction ("dsc.reduce_sum"); the axes stay, with size 1.
  mlir::Value reduce(llvm::StringRef name, mlir::Value value, llvm::ArrayRef<int64_t> axes);

  DimsAttr dims(llvm::ArrayRef<Dim> sizes) { return DimsAttr::get(builder.getContext(), sizes); }
  mlir::IntegerAttr number(int64_t value) { return builder.getI64IntegerAttr(value); }

private:
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// The type that a function of `element` is computed in: float32 for shorter floats.
mlir::Type wideType(mlir::Type element);

} // namespace dsc
