//===- Reduction.h - what Reduction.td is written with --------------------===//
#pragma once

#include "dsc/Dialect/IR/Spec.h"
#include "dsc/Dialect/IR/TypeInference.h"

namespace dsc {

/// A reduction or scan over axes as scalar code (see Reduction.td).
struct Reduction {
  enum Identity { Zero, One, Lowest, Highest };
  using ElementFn = mlir::Value (*)(ScalarBuilder &s, mlir::Value x);
  using CombineFn = mlir::Value (*)(ScalarBuilder &s, mlir::Value acc, mlir::Value x);
  using FinishFn = mlir::Value (*)(ScalarBuilder &s, mlir::Value x, mlir::Value count);

  Identity identity = Zero;
  /// Integers are accumulated in float64.
  bool wide = false;
  ElementFn element = nullptr;
  CombineFn combine = nullptr;
  FinishFn finish = nullptr;
};

/// The identity as an attribute of the type that elements of `element` have while
/// computing.
mlir::TypedAttr identityValue(Reduction::Identity identity, mlir::Type element);

mlir::LogicalResult inferReduction(mlir::Operation *op, TypeInference &inference);
mlir::FailureOr<Spec> reductionSpec(mlir::Operation *op, const Reduction &reduction);
/// A reduction of very many elements to one as two, the first of which has parts that
/// threads compute side by side: reduce_sum %x => reduce_sum (reduce_sum %x along all axes
/// but the first). Fails for any other. The op's reduction must nest.
mlir::LogicalResult splitReduction(mlir::Operation *op, mlir::OpBuilder &builder,
                                   llvm::SmallVectorImpl<mlir::Value> &values);
mlir::LogicalResult inferCumulative(mlir::Operation *op, TypeInference &inference);
mlir::FailureOr<Spec> cumulativeSpec(mlir::Operation *op, const Reduction &reduction,
                                     bool exclusive, bool reverse);

} // namespace dsc
