//===- LoopNest.h - one loop nest for results of one shape ----------------===//
//
// What the templates of loops and maps emit. The elements of all tensors but the
// results are computed where they are used. Reductions that do not depend on the inner
// loops are computed in front of them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/KernelEmitter.h"

namespace dsc {

/// Steps of an innermost loop that become straight code in the loop around it.
inline constexpr int64_t kShortLoop = 4;

/// How a tensor of the group is indexed: one expression for each of its axes. Its
/// dimensions are the loops of the nest, then the loops of reductions.
using IndexExprs = llvm::SmallVector<mlir::AffineExpr>;

/// Results of one shape, computed by one nest.
class LoopNest {
public:
  LoopNest(KernelEmitter &kernel, llvm::SmallVector<unsigned> results)
      : kernel(kernel), results(std::move(results)) {}

  void emit();
  /// Loops that are cut into parts: the outermost ones.
  static unsigned countParallel(llvm::ArrayRef<Dim> dims);

private:
  mlir::Value resultValue(unsigned result) const { return kernel.group.getYielded()[result]; }
  void emitFlat();
  void emitLoops(unsigned depth, llvm::SmallVector<mlir::Value> indices);
  void emitLoop(unsigned depth, llvm::SmallVector<mlir::Value> indices);
  void emitShortLoops(unsigned depth, llvm::SmallVector<mlir::Value> indices);
  void assumeInPiece(mlir::Value index, unsigned loop);
  void emitPoint(mlir::ValueRange indices);
  void emitNest();
  void findIndices();
  void findCut();
  void findQuotient();
  void makeTables();
  bool isInPlace(mlir::Operation *op) const;
  bool fillsPiece(mlir::Operation *op) const;
  llvm::SmallVector<mlir::Operation *> opsOfPiece() const;
  void hoist(unsigned depth, llvm::ArrayRef<mlir::Value> indices);
  void addIndices(mlir::Value tensor, IndexExprs indices);
  void followAccesses(mlir::Operation *op, const LoopSpec &spec, const IndexExprs &result);

  KernelEmitter &kernel;
  llvm::SmallVector<unsigned> results;
  llvm::SmallVector<Dim> dims;
  /// All the ways in which the tensors of the group are indexed.
  llvm::DenseMap<mlir::Value, llvm::SmallVector<IndexExprs>> indexing;
  unsigned nextLoop = 0; ///< number of the next loop of a reduction
  /// Where loop `cutLoop` changes what it reads (pieces of a Concat, borders of a Pad):
  /// each piece between two boundaries has loops of its own.
  unsigned cutLoop = 0;
  mlir::Operation *cutOp = nullptr;
  llvm::SmallVector<Dim> boundaries;
  unsigned piece = 0;
  /// What reads of the current piece divide the innermost index by (nearest neighbours).
  int64_t quotient = 1;
};

} // namespace dsc
