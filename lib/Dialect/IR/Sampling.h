//===- Sampling.h - scalar code that reads between elements ---------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc {

/// The elements of one axis that a sample is made of, and their weights. Without
/// weights: the one element itself.
struct AxisTaps {
  llvm::SmallVector<mlir::Value, 4> indices, weights;
};

/// The weighted sum over all combinations of taps, the last axis innermost. `read`
/// gives the element at an index for each axis.
mlir::Value interpolate(ScalarBuilder &s, llvm::ArrayRef<AxisTaps> taps,
                        llvm::function_ref<mlir::Value(mlir::ValueRange)> read);

/// floor(x) as an index; `fraction` gets what is left.
mlir::Value floorIndex(ScalarBuilder &s, mlir::Value x, mlir::Value *fraction = nullptr);

/// The two elements around x: weights 1 - fraction, fraction.
AxisTaps linearTaps(ScalarBuilder &s, mlir::Value x);
/// The four elements around x, weights of the cubic convolution with parameter `a`.
AxisTaps cubicTaps(ScalarBuilder &s, mlir::Value x, double a);

/// min(max(index, 0), size - 1).
mlir::Value clampIndex(ScalarBuilder &s, mlir::Value index, Dim size);

/// A size as a value of the builder's float type.
mlir::Value floatSize(ScalarBuilder &s, Dim size);

} // namespace dsc
