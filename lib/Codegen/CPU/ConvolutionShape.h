//===- ConvolutionShape.h - convolutions as Specs describe them -----------===//
//
//   y[n][co][o...] = sum over ci, k... of
//       x[n][channel(co, ci)][o * stride + k * dilation + begin...] * w[co][ci][k...]
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

struct ConvolutionShape {
  /// One spatial axis.
  struct Axis {
    Dim input, output;
    int64_t kernel, stride, dilation;
    /// Input position of the first tap of the first window: minus the padding.
    mlir::AffineExpr begin;
  };

  mlir::Operation *op = nullptr;
  const LoopSpec *loops = nullptr;
  /// Accesses of input and kernel (numbers in loops->accesses).
  unsigned x = 0, w = 1;
  Dim batch, outChannels;
  /// Channels of a group; both 1 for a depthwise convolution.
  Dim groupInputs, groupOutputs;
  llvm::SmallVector<Axis> axes;

  mlir::Value input() const { return op->getOperand(loops->accesses[x].operand); }
  mlir::Value kernel() const { return op->getOperand(loops->accesses[w].operand); }
  bool isDepthwise() const { return groupInputs.isConstant(1) && groupOutputs.isConstant(1); }
  /// Positions of the kernel.
  int64_t taps() const;
  /// The first channel and the number of channels that lie in [depth, depth + count) of
  /// channels times taps.
  std::pair<mlir::Value, mlir::Value> channelsOf(KernelEmitter &emitter, mlir::Value depth,
                                                 mlir::Value count) const;
  /// Address of the first input channel of a group in an image.
  mlir::Value firstChannel(KernelEmitter &emitter, mlir::Value image, mlir::Value group) const;
  Dim pixels() const;      ///< output positions
  Dim inputPixels() const; ///< input positions
  /// Whether each window is one position, and the windows are all positions: the
  /// spatial axes may be taken as one.
  bool isPointwise() const;
};

/// Reads the shape from the anchor of a group, a sum over windows; `mayPair` as for
/// findAnchor.
Match findConvolution(const GroupInfo &group, ConvolutionShape &found, bool mayPair = false);

/// Calls `body` for this part's share of `tasks`, numbers of images, groups and blocks, with
/// the place of each; `prepare` before the first one of an image and group.
void forTasks(KernelEmitter &kernel, llvm::ArrayRef<Dim> tasks,
              llvm::function_ref<void(llvm::ArrayRef<mlir::Value> task)> prepare,
              llvm::function_ref<void(llvm::ArrayRef<mlir::Value> task)> body);

} // namespace dsc
