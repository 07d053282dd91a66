//===- MmaProduct.h - sums of products as products of matrices ------------===//
//
// Reads from the Spec of a sum of products which loops are rows, columns, depth and
// batch of C[m][n] = sum over k of A[m][k] * B[k][n]. Unlike CPU templates, a GPU
// gathers the elements of a tile one by one where they do not lie behind each other,
// so that any access will do: a convolution is a product whose B has overlapping
// columns (an implicit im2col).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

struct MmaProduct {
  mlir::Operation *op = nullptr;
  const LoopSpec *loops = nullptr;
  /// Accesses (numbers in loops->accesses): B is the one that moves with the
  /// result's last axis.
  unsigned a = 0, b = 1;
  /// Loops, outermost first; those of a list count as one, the last one fastest.
  llvm::SmallVector<unsigned> batch, row, column, depth;

  llvm::SmallVector<Dim> extents(llvm::ArrayRef<unsigned> list) const;
  /// Number of points of the loops of a list.
  Dim size(llvm::ArrayRef<unsigned> list) const;
  const Access &access(unsigned operand) const { return loops->accesses[operand]; }
  mlir::Value tensor(unsigned operand) const { return op->getOperand(access(operand).operand); }
  /// float32, bfloat16 or float16.
  mlir::Type elementType() const { return getElementType(tensor(a)); }
};

/// Fills `found` from a group that is a sum of products in float32 and its epilogue.
Match findMmaProduct(const GroupInfo &group, MmaProduct &found);

/// What lets a whole vector of neighbours on the loops `list` be read at once.
struct Contiguity {
  /// Strides, in elements, of the loops outside of a run: a vector is aligned where
  /// these are multiples of it.
  llvm::SmallVector<Dim> strides;
  /// Neighbours on `list` lie behind each other in runs of this many.
  Dim run;
  /// A run is all of `list`.
  bool isWhole = false;
};

/// Empty where neighbours on `list` do not lie behind each other, or may be outside
/// of the operand.
std::optional<Contiguity> findContiguity(const MmaProduct &product, unsigned operand,
                                         llvm::ArrayRef<unsigned> list);

} // namespace dsc
