//===- Anchor.h - groups that are one sum of products and its epilogue ----===//
//
// What the templates of matrix products and convolutions share: they find the op
// that sums products (the anchor), and check that all else in the group maps its
// elements, each at its own place (the epilogue).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

/// Sets `anchor` to the group's only op of a kind in `kinds`, if its body is
/// `accumulator + a * b` in float32 and the rest of the group is an epilogue. With
/// `mayWiden`, a and b may be 16-bit floats that the body extends; with `mayPair`, also pairs
/// of int16 (dsc.pair) whose products' sum is added in int32.
Match findAnchor(const GroupInfo &group, llvm::ArrayRef<SpecKind> kinds, mlir::Operation *&anchor,
                 bool mayWiden = false, bool mayPair = false);

/// Sets `anchor` to the group's only op with a reduction, of any kind, if the rest
/// of the group is computed before it or is an epilogue.
Match findReduction(const GroupInfo &group, mlir::Operation *&anchor);

/// Whether the element that is read changes with the loop.
bool dependsOn(const Access &access, unsigned loop);
/// Which of the two accesses of a sum of products, 0 or 1, moves with the columns of
/// the result: the last parallel loop decides.
unsigned findColumnOperand(const LoopSpec &loops);

/// What `expr` grows by when loop `loop` advances by one; empty if that is no
/// constant.
std::optional<int64_t> coefficientOf(mlir::AffineExpr expr, unsigned loop);

/// Distance in memory, in elements, of what neighbours along a loop read; empty if
/// it is not a constant.
std::optional<int64_t> strideAlong(const Access &access, unsigned loop);
/// Whether neighbours along a loop read the same element, or neighbours in memory.
bool isContiguousAlong(const Access &access, unsigned loop);

/// Whether a value of a body is computed from an argument.
bool dependsOn(mlir::Value value, mlir::BlockArgument argument);
/// Whether neighbours along a loop are the same element, or neighbours in the last axis, of
/// what dsc.at reads: rows are read, wherever they are.
bool readsRows(AtOp read, mlir::BlockArgument loop);

/// Row-major stride, in elements, of axis `axis` of a tensor of these sizes.
Dim strideOfAxis(llvm::ArrayRef<Dim> dims, unsigned axis);

/// Time of work and memory traffic that overlap, but not wholly.
double overlappedTime(double workNs, double memoryNs);

/// Asks LLVM to vectorise the loop (the last op before the insertion point) to
/// `width` lanes and to leave it a loop.
void annotateVectorLoop(KernelEmitter &kernel, int64_t width, int64_t interleave = 1);

} // namespace dsc
