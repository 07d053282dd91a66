//===- Window.h - where sliding windows lie -------------------------------===//
//
// Strides, dilations and padding of convolutions and pooling, checked and filled in.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

namespace dsc {

/// The attributes that describe windows, as ONNX has them (absent: defaults).
struct WindowAttributes {
  std::optional<llvm::ArrayRef<int64_t>> strides, dilations, pads;
  llvm::StringRef autoPad = "NOTSET";
  bool ceilMode = false;
};

/// Windows over spatial axes; one entry for each axis. Position `k` of the window
/// of output position `o` lies at `o * stride + k * dilation - padBegin`.
struct Window {
  llvm::SmallVector<Dim> input, kernel, padBegin, padEnd, output;
  llvm::SmallVector<int64_t> strides, dilations;

  unsigned rank() const { return strides.size(); }
  /// The size of a kernel with the holes that its dilation makes.
  Dim extent(unsigned axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
  /// Where position `k` of the window of `o` lies, as loop indices.
  mlir::AffineExpr position(LoopSpecBuilder &spec, unsigned axis, mlir::AffineExpr o,
                            mlir::AffineExpr k) const;
  /// The same in scalar code.
  mlir::Value position(ScalarBuilder &s, unsigned axis, mlir::Value o, mlir::Value k) const;
  /// Bounds of reads: Inside where no window reaches over the border.
  Bounds bounds() const;
};

/// Fills strides and dilations (1 where absent) and checks all attributes' lengths;
/// `pads` go to padBegin and padEnd (0 where absent).
llvm::FailureOr<Window> makeWindow(TypeInference &inference, const WindowAttributes &attributes,
                                   llvm::ArrayRef<Dim> input, llvm::ArrayRef<Dim> kernel);

/// makeWindow(), then padding by auto_pad and the output sizes.
llvm::FailureOr<Window> slideWindow(TypeInference &inference, const WindowAttributes &attributes,
                                    llvm::ArrayRef<Dim> input, llvm::ArrayRef<Dim> kernel);

/// Splits `total` padding in two: the larger half comes last for SAME_UPPER.
std::pair<Dim, Dim> splitPadding(Dim total, bool upper);

/// WindowAttributes of any op that has these attributes.
template <typename OpTy> WindowAttributes windowAttributes(OpTy op) {
  WindowAttributes attributes;
  attributes.strides = op.getStrides();
  attributes.dilations = op.getDilations();
  attributes.pads = op.getPads();
  if constexpr (requires { op.getAutoPad(); })
    attributes.autoPad = op.getAutoPad();
  if constexpr (requires { op.getCeilMode(); })
    attributes.ceilMode = op.getCeilMode() != 0;
  return attributes;
}

} // namespace dsc
