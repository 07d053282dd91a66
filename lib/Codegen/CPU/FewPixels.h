//===- FewPixels.h - pointwise convolutions of at most seven pixels -------===//
//
// Panels of so few pixels would be mostly padding. Instead the pixels become rows of
// channels, and a result is the product of such a row with a row of the kernel, which is
// read in place. One pixel is such a row as it lies.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ConvolutionShape.h"
#include "dsc/Codegen/Common/Epilogue.h"

namespace dsc {

class FewPixels {
public:
  /// Whether there is code for few pixels: where only the run knows how many there are.
  static bool canCompute(const GroupInfo &group, const ConvolutionShape &shape);
  /// 1 where it is to be used.
  static Dim areFew(const ConvolutionShape &shape);

  FewPixels(KernelEmitter &kernel, const ConvolutionShape &shape);

  Dim countParts() const;
  /// Emits this part's share.
  void emit();

private:
  llvm::SmallVector<Dim> tasks() const;
  void gather(mlir::Value image, mlir::Value group);
  mlir::Value findRow(llvm::ArrayRef<mlir::Value> task, mlir::Value pixel);
  void emitTask(llvm::ArrayRef<mlir::Value> task);
  void emitPixels(llvm::ArrayRef<mlir::Value> task, mlir::Value first, int64_t count);
  void storeSums(llvm::ArrayRef<mlir::Value> place, mlir::Value sums);

  KernelEmitter &kernel;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  const ConvolutionShape &shape;
  VectorCode code;
  Epilogue epilogue;
  int64_t depth, rowsAtOnce, rowsOfTask;
  mlir::Value inPlace; ///< i1: there is one pixel, whose channels lie behind each other
  BufferView pixels;   ///< [2 * kTogether][depth], behind the last pixel zeros
};

} // namespace dsc
