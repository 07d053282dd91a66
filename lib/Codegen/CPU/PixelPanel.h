//===- PixelPanel.h - gathers the input of a panel of output pixels -------===//
//
// Row (ci, k...) of a panel has, for each of its output pixels, the input pixel that
// tap k of the pixel's window lies on; 0 outside of the input.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ConvolutionShape.h"
#include "PixelVectors.h"

namespace dsc {

class PixelPanel {
public:
  /// `channel0`: address of the first channel of the group in an image.
  PixelPanel(VectorCode &code, const ConvolutionShape &shape, const BufferView &x,
             mlir::Value channel0);

  /// Fills rows [depth, depth + count) of the panel of `vectors` vectors of pixels from
  /// `column` on.
  void emit(const BufferView &panel, int64_t vectors, mlir::Value column, mlir::Value depth,
            mlir::Value count);

private:
  /// An axis of pixels; all of a pointwise convolution are one.
  struct Axis {
    Dim input, output;
    int64_t kernel, stride, dilation;
    mlir::AffineExpr begin;
    mlir::Value inputStride;
  };
  /// A run of lanes whose pixels lie in one line of the input.
  struct Run {
    llvm::SmallVector<mlir::Value> position; ///< output position of lane `from`
    mlir::Value from, to;
  };
  /// A vector of a tap's pixels: address of lane 0 in channel 0 and its position in the
  /// line, lanes that are inside, whether all are.
  struct Source {
    mlir::Value address, position, mask, isFull;
  };

  /// Receives the number of a tap, and its position on each axis.
  using TapBody = llvm::function_ref<void(mlir::Value, llvm::ArrayRef<mlir::Value>)>;
  void forTaps(TapBody body);
  void emitRuns(const BufferView &panel, mlir::Value column);
  void emitGathers(const BufferView &panel, mlir::Value column);
  mlir::Value loadMasked(const Source &source, mlir::Value offset, mlir::Value otherwise);
  Source sourceOf(const Run &run, llvm::ArrayRef<mlir::Value> tap);
  void copyRuns(const BufferView &panel, mlir::Value number, llvm::ArrayRef<mlir::Value> tap,
                int64_t at, llvm::ArrayRef<Run> first, llvm::ArrayRef<Run> second);
  void copyChannels(const BufferView &panel, mlir::Value tap, int64_t first, int64_t end,
                    llvm::function_ref<mlir::Value(mlir::Value channel, int64_t vector)> read);
  mlir::Value compare(mlir::arith::CmpIPredicate predicate, mlir::Value a, mlir::Value b);
  mlir::Value lanesFrom(mlir::Value first);
  mlir::Value narrow(mlir::Value index);
  mlir::Value constantSize(mlir::AffineExpr expr);

  VectorCode &code;
  KernelEmitter &kernel;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  const ConvolutionShape &shape;
  const BufferView &x;
  mlir::Value channel0, plane; // elements between channels
  mlir::Value firstChannel, channels;
  int64_t vectors = 0;
  llvm::SmallVector<Axis> axes;
  PixelVectors pixels;
};

} // namespace dsc
