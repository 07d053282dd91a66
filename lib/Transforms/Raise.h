//===- Raise.h - what passes that recognise decomposed operators share ----===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc {

/// The number that all elements of a constant tensor of floats are.
std::optional<double> splatNumber(mlir::Value value);
/// Equal but for the rounding of a constant in this element type.
bool isClose(double a, double b, mlir::Type element);
bool isNumber(mlir::Value value, double expected);

/// A value as constant * factors[0] * factors[1] * ..., through multiplications and
/// divisions by constants. Factors are not constant.
struct Factors {
  double constant = 1;
  llvm::SmallVector<mlir::Value> values;
};
Factors factorize(mlir::Value value);
/// c where value = c * x, else empty.
std::optional<double> coefficient(mlir::Value value, mlir::Value x);

/// x where value = x + number, else null.
mlir::Value addendOf(mlir::Value value, double number);
/// The other operand of a binary op one of whose operands is `operand`.
mlir::Value otherOperand(mlir::Operation *op, mlir::Value operand);

/// The axes of a reduction that keeps them with size 1, in order; empty if it drops
/// them or they are not known.
llvm::SmallVector<int64_t> keptAxes(mlir::Operation *reduction);
/// The last axes, from the first of them on; empty for others.
std::optional<int64_t> firstTrailingAxis(llvm::ArrayRef<int64_t> axes, int64_t rank);

/// Builds the op `name` in place of `op` where the result type is that of `op` and
/// nothing is left to be checked at run time; otherwise builds nothing and fails.
llvm::LogicalResult replaceByOp(mlir::RewriterBase &rewriter, mlir::Operation *op,
                                llvm::StringRef name, mlir::ValueRange operands,
                                llvm::ArrayRef<mlir::NamedAttribute> attributes = {});

/// The elements of `value` in this shape: a value that they are a view of, or a
/// reshape; null if they do not fit.
mlir::Value reshapeTo(mlir::RewriterBase &rewriter, mlir::Value value, llvm::ArrayRef<Dim> shape);

} // namespace dsc
