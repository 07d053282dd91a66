//===- PixelStrips.h - the input lines under a line of output pixels ------===//
//
// A panel of output pixels that lie in one line. Row (ci, outer taps...) of the panel has
// the part of an input line that their windows read, 0 outside of the input; with stride
// 2 its even positions, then its odd ones. The taps of a window's line are steps of k
// that read the same row from different elements on.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "ConvolutionShape.h"
#include "PanelEngine.h"
#include "PixelVectors.h"

namespace dsc {

class PixelStrips {
public:
  /// Whether the convolution can be computed like this, and has taps to share rows.
  static bool canRead(const ConvolutionShape &shape);
  static PanelRows rowsOf(const ConvolutionShape &shape, int64_t lanes);

  /// `channel0`: address of the first channel of the group in an image.
  PixelStrips(VectorCode &code, const ConvolutionShape &shape, const BufferView &x,
              mlir::Value channel0);

  /// Fills the rows for k in [depth, depth + count) of the panel of `vectors` vectors of
  /// pixels from `first` on.
  void emit(const BufferView &panel, int64_t vectors, PanelColumn first, mlir::Value depth,
            mlir::Value count);

private:
  using Axis = ConvolutionShape::Axis;
  llvm::ArrayRef<Axis> outerAxes() const { return llvm::ArrayRef(shape.axes).drop_back(); }
  mlir::Value start(const Axis &axis, mlir::Value output);
  void emitRow(const BufferView &panel, int64_t number, llvm::ArrayRef<mlir::Value> outer,
               mlir::Value position);
  void forChannels(const BufferView &panel, int64_t number,
                   llvm::function_ref<void(mlir::Value line, mlir::Value offset)> body);

  VectorCode &code;
  KernelEmitter &kernel;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  const ConvolutionShape &shape;
  const BufferView &x;
  mlir::Value channel0, firstChannel, channels;
  PanelRows rows;
  int64_t vectors = 0, outerTaps;
  PixelVectors pixels;
};

} // namespace dsc
