//===- ApproximateExp.h - exp in float32 by a polynomial ------------------===//
#pragma once

#include "mlir/IR/PatternMatch.h"

namespace dsc {

/// math.exp of float32 scalars and vectors becomes arithmetic.
void populateExpApproximation(mlir::RewritePatternSet &patterns);

} // namespace dsc
