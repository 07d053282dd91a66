//===- PixelVectors.h - vectors of pixels at even distances ---------------===//
//
//   result[i] = x[position + i * stride]
//
// Strides 1 and 2 are read as whole vectors, others as gathers.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/VectorCode.h"

namespace dsc {

class PixelVectors {
public:
  PixelVectors(VectorCode &code, const BufferView &x, int64_t stride)
      : code(code), x(x), stride(stride) {}

  /// Elements from the first to the last that load() touches where no mask is given.
  int64_t span() const { return stride == 2 ? 2 * code.lanes : (code.lanes - 1) * stride + 1; }
  /// Lanes whose elements are inside of a line of `size` elements.
  mlir::Value mask(mlir::Value position, mlir::Value size);
  /// The stride * lanes elements from `position` on, each stride-th in one vector: strides
  /// 1 and 2. Elements outside of the line are 0, unless all `areInside`.
  llvm::SmallVector<mlir::Value> loadPhases(mlir::Value address, mlir::Value position,
                                            mlir::Value size, bool areInside);
  /// The vector whose first element, at `position` in its line, has this address.
  /// `mask`: lanes to read, the others are 0; null: all, and span() elements exist.
  mlir::Value load(mlir::Value address, mlir::Value position, mlir::Value size, mlir::Value mask);

private:
  /// Lanes `lane + i * step` of the line are inside, for i = 0 ...
  mlir::Value inside(mlir::Value first, int64_t step, mlir::Value size);
  mlir::Value everySecond(mlir::Value low, mlir::Value high, int64_t first);

  VectorCode &code;
  const BufferView &x;
  int64_t stride;
};

} // namespace dsc
