//===- SparseEncoding.h - the nonzero elements of a weight as lists -------===//
//
// A dsc.repack with a `storage` of kind csr keeps the nonzero elements of a constant
// matrix alone:
//   dsc.repack %w {map = affine_map<(k, n) -> (k, n)>,
//                  storage = #dsc.storage<csr, a = 96, b = 256, nonzeros = 58982>}
//     : f32[768,768] -> i32[124109]
// `map` leads from depth and column to the source's axes. The depth is cut into blocks
// of `a`; each block has a list of pairs for each column. The result's words are
//   starts   blocks * columns + 1 of them, block after block: where the list begins,
//            in words behind the starts; it ends where the next one begins
//   pairs    (k - first k of the block) * b, and the element's bits
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Weights.h"

namespace dsc {

/// The discardable attribute `storage`: of a constant, what dsc-find-sparsity found in
/// it (its number of nonzeros); of a dsc.repack, what it makes. Null where absent.
StorageAttr getStorage(mlir::Operation *op);
void setStorage(mlir::Operation *op, StorageAttr storage);

/// Words in front of the pairs.
int64_t countListStarts(StorageAttr storage, int64_t depth, int64_t columns);
/// The encoded form's type; null if it has more words than 32 bits count.
mlir::RankedTensorType encodedType(StorageAttr storage, int64_t depth, int64_t columns);

/// The dsc.repack of `source` by this map to this storage; null if there is none.
mlir::Value findEncoded(mlir::Value source, mlir::AffineMap map, StorageAttr storage);
/// Contents of such a dsc.repack from those of its source.
Array encoded(RepackOp op, const Array &source);

/// Whether source, map, storage and result type of a dsc.repack fit; a reason if not.
std::optional<std::string> checkEncoding(RepackOp op);

/// Whether a float32 in memory is zero of either sign.
inline bool isZeroBits(uint32_t bits) { return (bits << 1) == 0; }

} // namespace dsc
