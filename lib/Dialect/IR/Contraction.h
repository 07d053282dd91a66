//===- Contraction.h - scalar code that sums of products share ------------===//
#pragma once

#include "dsc/Dialect/IR/Decomposer.h"

namespace dsc {

/// Whether elements of these types are multiplied: of one type, or the second ones
/// shorter floats than float32 (ComputeOp::mayReadShort).
bool areFactors(mlir::Type a, mlir::Type b);

/// Adds an accumulator that starts with zero, in the compute type of `element`.
void accumulateFromZero(LoopSpecBuilder &spec, mlir::Type element);

/// accumulator + ext(a) * ext(b): the form by which templates know a contraction.
mlir::Value multiplyAdd(ScalarBuilder &s, mlir::Value a, mlir::Value b, mlir::Value accumulator);

/// Adds a finish that rounds the accumulators, where `element` needs it.
void finishRounded(LoopSpecBuilder &spec, mlir::Type element);

/// An 8-bit element as int32, less its zero point (null: none).
mlir::Value centered(ScalarBuilder &s, mlir::Value stored, mlir::Value zeroPoint, mlir::Type type);

/// What turns an int32 accumulator into an element of a quantized tensor: values as
/// they are stored, and their element types.
struct Requantization {
  mlir::Value scaleA, scaleB, scaleY, zeroPointY;
  mlir::Type scaleType, resultType;
};
mlir::Value requantize(ScalarBuilder &s, mlir::Value accumulator, const Requantization &parameters);

/// The sum of the products of two pairs of int16 (dsc.pair) and an accumulator: the form
/// by which templates know integer products.
mlir::Value multiplyAddPairs(ScalarBuilder &s, mlir::Value a, mlir::Value b,
                             mlir::Value accumulator);

/// Builds a product's int32 sums (with a bias, if it is not null) as a quantized tensor,
/// by one multiplier scaleA * scaleB / scaleY; scales broadcast against the sums. Null
/// where that does not work.
mlir::Value buildRequantized(Decomposer &build, mlir::Value sums, mlir::Value scaleA,
                             mlir::Value scaleB, mlir::Value scaleY, mlir::Value zeroPointY);

/// Reads a quantization parameter: a scalar, a tensor of one element, or a tensor
/// that broadcasts against `loops`.
void readParameter(LoopSpecBuilder &spec, mlir::Operation *op, unsigned operand,
                   llvm::ArrayRef<mlir::AffineExpr> loops, bool inFinish = false);

} // namespace dsc
