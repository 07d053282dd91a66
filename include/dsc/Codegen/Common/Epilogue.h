//===- Epilogue.h - from the sums of an anchor to a group's results -------===//
//
// The scalar code of all ops of a group behind its anchor (see Anchor.h), computed
// where a sum is complete: for one element, or mapped over a vector of sums that is
// still in a register.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/VectorCode.h"

namespace dsc {

/// Whether an index of the last axis, with 0 for those from `axis` on before it, can
/// count row-major positions in all axes from `axis` on: everything behind the anchor
/// reads these axes alike, or not at all.
bool isFlatEpilogue(const GroupInfo &group, mlir::Operation *anchor, unsigned axis);
/// Whether Epilogue::emitVector() can be used for neighbours on the axes from `axis` on,
/// counted like this.
bool hasVectorEpilogue(const GroupInfo &group, mlir::Operation *anchor, unsigned axis);

/// Stores the results of a group from the accumulators of its anchor.
/// Whether its code for a vector is long: it computes exp or the like.
bool isLongEpilogue(const GroupInfo &group, mlir::Operation *anchor);

class Epilogue {
public:
  Epilogue(KernelEmitter &kernel, mlir::Operation *anchor);

  /// Computes and stores all results at a point of the anchor's result.
  void emitPoint(mlir::ValueRange indices, mlir::Value accumulator) const;

  /// The same for a vector of accumulators, of any width, along the axes from `axis` on;
  /// `indices` are those of its first lane. `mask`: lanes that exist; null: all.
  void emitVector(VectorCode &code, unsigned axis, mlir::ValueRange indices,
                  mlir::Value accumulators, mlir::Value mask) const;

private:
  friend class VectorPoint;
  llvm::SmallVector<mlir::Value> loopPoint(mlir::ValueRange indices) const;

  KernelEmitter &kernel;
  mlir::Operation *anchor;
  const LoopSpec &loops;
};

} // namespace dsc
