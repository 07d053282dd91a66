//===- ApproximateWide.h - float32 functions by polynomials in float64 ----===//
#pragma once

#include "mlir/IR/PatternMatch.h"

namespace dsc {

/// sin, cos, tan, their inverses but for atan, the hyperbolic functions and theirs but for
/// tanh, and pow, all of float32 scalars and vectors, become arithmetic.
void populateWideApproximations(mlir::RewritePatternSet &patterns);

/// Whether the op, of float32, is one of these.
bool isWideApproximated(mlir::Operation *op);

} // namespace dsc
