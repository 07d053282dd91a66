//===- ScalarFunctions.h - scalar code of elementwise operators -----------===//
//
// Functions of elements in compute form, in the arithmetic of the builder's type.
// Definitions follow ONNX's operators of the same names.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Spec.h"

#include "llvm/ADT/APFloat.h"

namespace dsc {

class TypeInference;

/// x < 0 ? a : b.
mlir::Value whereNegative(const ScalarBuilder &s, mlir::Value x, mlir::Value a, mlir::Value b);
/// -1, 0 or 1; NaN stays NaN.
mlir::Value sign(const ScalarBuilder &s, mlir::Value x);
mlir::Value isInf(const ScalarBuilder &s, mlir::Value x, bool detectNegative, bool detectPositive);
/// Python's %, with the sign of zero that floats need.
mlir::Value floorMod(const ScalarBuilder &s, mlir::Value a, mlir::Value b);
/// base ** exponent; `exponentType` is the exponent's ONNX type, the result has
/// the builder's. Integer powers are exact modulo two to the width; 0 to a
/// negative integer gives 0.
mlir::Value power(const ScalarBuilder &s, mlir::Value base, mlir::Value exponent,
                  mlir::Type exponentType);

mlir::Value sigmoid(const ScalarBuilder &s, mlir::Value x);
/// max(0, min(1, alpha * x + beta)).
mlir::Value hardSigmoid(const ScalarBuilder &s, mlir::Value x, double alpha, double beta);
/// log(1 + exp(x)) without overflow.
mlir::Value softplus(const ScalarBuilder &s, mlir::Value x);
mlir::Value elu(const ScalarBuilder &s, mlir::Value x, const llvm::APFloat &alpha);
mlir::Value celu(const ScalarBuilder &s, mlir::Value x, const llvm::APFloat &alpha);
mlir::Value gelu(const ScalarBuilder &s, mlir::Value x);
mlir::Value geluTanh(const ScalarBuilder &s, mlir::Value x);
mlir::Value shrink(const ScalarBuilder &s, mlir::Value x, const llvm::APFloat &lambda,
                   const llvm::APFloat &bias);

/// The element type for the attribute `to` of a conversion. Null, with an error
/// reported, where it is one that is not computed with.
mlir::Type conversionTarget(const TypeInference &inference, int64_t to);

} // namespace dsc
