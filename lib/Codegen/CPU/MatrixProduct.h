//===- MatrixProduct.h - contractions as products of matrices -------------===//
//
// Reads from the Spec of a contraction (MatMul, Gemm, many an Einsum) which loops
// are rows, columns, depth and batch of C[m][n] = sum over k of A[m][k] * B[k][n].
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

struct MatrixProduct {
  mlir::Operation *op = nullptr;
  const LoopSpec *loops = nullptr;
  /// Accesses (numbers in loops->accesses): B is the one that moves with the
  /// result's last axis.
  unsigned a = 0, b = 1;
  /// Loops, outermost first. Several loops of rows (of depth) count as one: their
  /// strides fit. `column` is the result's last axis.
  llvm::SmallVector<unsigned> batch, row, depth;
  std::optional<unsigned> column;
  /// Strides in elements.
  Dim aRow, aDepth, bDepth, bColumn;

  llvm::SmallVector<Dim> extents(llvm::ArrayRef<unsigned> loopNumbers) const;
  Dim rows() const;
  Dim columns() const;
  Dim depths() const;
  mlir::Value operandA() const { return op->getOperand(loops->accesses[a].operand); }
  mlir::Value operandB() const { return op->getOperand(loops->accesses[b].operand); }
};

/// Fills `found` from the anchor of a group (see findAnchor).
Match findMatrixProduct(const GroupInfo &group, mlir::Operation *anchor, MatrixProduct &found);

} // namespace dsc
