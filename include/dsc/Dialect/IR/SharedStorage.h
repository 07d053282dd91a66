//===- SharedStorage.h - tensors that lie within others -------------------===//
//
// A tensor is dense and row-major, so some results need no kernel: what is taken
// of an operand without gaps is a place in its storage, and what is put behind each
// other along the outermost axis can be computed where it is to lie.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc {

/// Elements of a dense tensor at regular distances: element (i, j, ...) is number
/// offset + i * strides[0] + j * strides[1] + ... of `source`. Strides of axes of size
/// 1 mean nothing.
struct StridedView {
  mlir::Value source;
  Dim offset;
  llvm::SmallVector<Dim> strides;
};

/// What `tensor` is without a kernel, looking through ops that only move elements or
/// reshape, as far as `follow` says. Empty where an op among them does more, or where
/// distances are not regular.
std::optional<StridedView> getStridedView(mlir::Value tensor,
                                          llvm::function_ref<bool(mlir::Operation *)> follow);

/// The first element, in elements of the row-major operand 0, of a result whose
/// elements are those of the operand from there on, in order. Empty for ops that
/// do more than that, or whose sizes do not show it.
std::optional<Dim> getPartOffset(ComputeOp op);

/// Whether the inputs lie one after another in the result: all axes outside of the
/// concatenated one are 1.
bool isSequence(ConcatOp concat);

/// For each input of a sequence its first element in the result.
llvm::SmallVector<Dim> getInputOffsets(ConcatOp concat);

/// A result of the model: it is written to the caller's memory, which holds no more.
bool isReturned(mlir::Value tensor);

/// The tensor whose elements `tensor` shows in another shape.
mlir::Value skipViews(mlir::Value tensor);

/// Whether `concat`, a sequence, can have its input `number` computed in place: an op
/// in front of it, in the same block and with the same symbols known, computes it,
/// and neither of the two is what the model returns.
bool canComputeInPlace(ConcatOp concat, unsigned number);

/// Whether the concat is worth being kept out of kernels, so that some of its inputs
/// are computed in place.
bool mayShareStorage(mlir::Operation *op);

} // namespace dsc
