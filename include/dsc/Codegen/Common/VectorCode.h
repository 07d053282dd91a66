//===- VectorCode.h - vector loads, stores, dot products of a kernel ------===//
//
// What templates with vector code of their own build on. Elements are computed in
// float32 (float64 for float64, int32 for int32); a width of 1 means scalars, so that the same code
// emits the body of a vector loop and of its tail.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/KernelEmitter.h"

namespace dsc {

class VectorCode {
public:
  /// `element`: the element type of the tensors that the kernel works on.
  VectorCode(KernelEmitter &kernel, mlir::Type element);

  KernelEmitter &kernel;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  /// What values are computed in: f32, f64 or i32.
  mlir::Type compute;
  /// Elements of `compute` in a vector register.
  int64_t lanes;

  /// `compute`, or a vector of it.
  mlir::Type typeOf(int64_t width) const;
  mlir::Value constant(double value, int64_t width);
  mlir::Value splat(mlir::Value scalar, int64_t width);

  // Memory: `width` elements that lie behind each other, converted to and from
  // `compute`. `mask` (vector of i1): lanes that are read, the others are 0; null: all.
  mlir::Value load(const BufferView &view, mlir::Value address, int64_t width,
                   mlir::Value mask = {});
  /// The same as they are stored, and what makes `compute` of them.
  mlir::Value loadStored(const BufferView &view, mlir::Value address, int64_t width,
                         mlir::Value mask = {});
  mlir::Value extend(mlir::Value stored);
  void store(const BufferView &view, mlir::Value address, mlir::Value value);
  void store(const BufferView &view, mlir::Value address, mlir::Value value, mlir::Value mask);
  /// The address `index` elements further.
  mlir::Value advance(const BufferView &view, mlir::Value address, mlir::Value index);
  /// Lanes `first` + i < `end`.
  mlir::Value maskBelow(mlir::Value first, mlir::Value end, int64_t width);

  /// A buffer of `compute` elements in the thread's scratch memory, `strides` in
  /// elements. Its size is added to KernelEmitter::scratchBytes.
  BufferView scratch(Dim elements, llvm::ArrayRef<Dim> strides);
  /// The same of whole bytes: bool elements and the like are `type`.
  BufferView scratch(mlir::Type type, Dim elements, llvm::ArrayRef<Dim> strides);

  // Arithmetic on scalars and vectors of `compute`.
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value div(mlir::Value a, mlir::Value b);
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c);
  /// c + low(a) * low(b) + high(a) * high(b): int32 whose halves are int16 (dsc.pair).
  mlir::Value fmaPairs(mlir::Value a, mlir::Value b, mlir::Value c);
  /// The second operand where one is NaN (what processors do).
  mlir::Value max(mlir::Value a, mlir::Value b);
  mlir::Value min(mlir::Value a, mlir::Value b);
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b);

  /// Transposes a square of vectors.
  void transposeSquare(llvm::MutableArrayRef<mlir::Value> rows);

  /// body(index, width) for all of [from, to) in steps of `width`, then one by one.
  void forVectors(mlir::Value from, mlir::Value to, int64_t width,
                  llvm::function_ref<void(mlir::Value index, int64_t width)> body);
  /// body(index, count) for all of [0, total) in tiles of `tile`, then of the rest,
  /// for which there is code of each size.
  void forTiles(mlir::Value total, int64_t tile,
                llvm::function_ref<void(mlir::Value index, int64_t count)> body);

  /// Rows that lie in `view`, each given by its address.
  struct Rows {
    const BufferView *view;
    llvm::SmallVector<mlir::Value> addresses;
    /// Elements between what is read and what is prefetched; null: nothing is.
    mlir::Value prefetch = {};
  };
  /// result[j] = vector over i of sum over k < depth of a[i][k] * b[j][k]: rows of
  /// `a` are a power of two, at most `lanes`.
  llvm::SmallVector<mlir::Value> dotProducts(const Rows &a, const Rows &b, mlir::Value depth);

private:
  mlir::Value multiplyPairs(mlir::Value a, mlir::Value b);
  mlir::Value sumLanes(llvm::SmallVector<mlir::Value> vectors);
  llvm::SmallVector<mlir::Value> dotStep(const Rows &a, const Rows &b, mlir::Value k,
                                         mlir::Value mask, mlir::ValueRange sums);
};

} // namespace dsc
