//===- SparseEncoding.cpp - the nonzero elements of a weight as lists -----===//
#include "dsc/Dialect/IR/SparseEncoding.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace dsc {

static constexpr StringLiteral kStorageName = "storage";

StorageAttr getStorage(Operation *op) { return op->getAttrOfType<StorageAttr>(kStorageName); }

void setStorage(Operation *op, StorageAttr storage) { op->setAttr(kStorageName, storage); }

int64_t countListStarts(StorageAttr storage, int64_t depth, int64_t columns) {
  return llvm::divideCeilSigned(depth, storage.getA()) * columns + 1;
}

RankedTensorType encodedType(StorageAttr storage, int64_t depth, int64_t columns) {
  int64_t words = countListStarts(storage, depth, columns) + 2 * storage.getNonzeros();
  if (!llvm::isInt<32>(words) || !llvm::isInt<32>(storage.getA() * storage.getB()))
    return {};
  return RankedTensorType::get(words, IntegerType::get(storage.getContext(), 32));
}

Value findEncoded(Value source, AffineMap map, StorageAttr storage) {
  for (Operation *user : source.getUsers())
    if (auto repack = dyn_cast<RepackOp>(user))
      if (repack.getMap() == map && getStorage(repack) == storage)
        return repack.getResult();
  return {};
}

namespace {
/// The source of an encoding as a matrix.
struct Matrix {
  int64_t depth, columns;
  int64_t depthStride, columnStride; // in elements

  explicit Matrix(RepackOp op);
};
} // namespace

Matrix::Matrix(RepackOp op) {
  ArrayRef<int64_t> shape = cast<RankedTensorType>(op.getSource().getType()).getShape();
  bool isTransposed = op.getMap().getDimPosition(0) == 1;
  depth = shape[isTransposed ? 1 : 0];
  columns = shape[isTransposed ? 0 : 1];
  depthStride = isTransposed ? 1 : columns;
  columnStride = isTransposed ? depth : 1;
}

std::optional<std::string> checkEncoding(RepackOp op) {
  StorageAttr storage = getStorage(op);
  auto source = dyn_cast<RankedTensorType>(op.getSource().getType());
  if (storage.getKind() != StorageKind::Csr || storage.getA() <= 0 || storage.getB() <= 0)
    return "storage must be csr with positive a and b";
  if (!source || !source.hasStaticShape() || source.getRank() != 2 ||
      !source.getElementType().isF32())
    return "csr storage needs a float32 matrix of known sizes";
  if (!op.getMap().isPermutation() || op.getMap().getNumDims() != 2)
    return "map of csr storage must give the matrix or its transpose";
  Matrix matrix(op);
  if (op.getType() != encodedType(storage, matrix.depth, matrix.columns))
    return "the result's type does not fit its storage";
  return std::nullopt;
}

/// Calls `body` with depth, column and bits of each nonzero element of some rows.
static void forNonzeros(const Matrix &matrix, const Array &source, int64_t firstDepth,
                        int64_t endDepth, function_ref<void(int64_t, int64_t, uint32_t)> body) {
  const uint8_t *data = source.data.data();
  auto visit = [&](int64_t k, int64_t n) {
    uint32_t bits;
    std::memcpy(&bits, data + (k * matrix.depthStride + n * matrix.columnStride) * sizeof bits,
                sizeof bits);
    if (!isZeroBits(bits))
      body(k, n, bits);
  };
  // In the order of memory.
  if (matrix.columnStride == 1) {
    for (int64_t k = firstDepth; k < endDepth; ++k)
      for (int64_t n = 0; n < matrix.columns; ++n)
        visit(k, n);
  } else {
    for (int64_t n = 0; n < matrix.columns; ++n)
      for (int64_t k = firstDepth; k < endDepth; ++k)
        visit(k, n);
  }
}

Array encoded(RepackOp op, const Array &source) {
  StorageAttr storage = getStorage(op);
  Matrix matrix(op);
  std::vector<uint32_t> starts, pairs(2 * storage.getNonzeros());
  uint32_t end = 0;
  for (int64_t first = 0; first < matrix.depth; first += storage.getA()) {
    int64_t next = std::min(matrix.depth, first + storage.getA());
    SmallVector<uint32_t> counts(matrix.columns, 0), cursors;
    forNonzeros(matrix, source, first, next, [&](int64_t, int64_t n, uint32_t) { ++counts[n]; });
    for (uint32_t count : counts) {
      starts.push_back(end);
      cursors.push_back(end);
      end += 2 * count;
    }
    assert(end <= pairs.size() && "the weight has more nonzeros than its storage says");
    forNonzeros(matrix, source, first, next, [&](int64_t k, int64_t n, uint32_t bits) {
      pairs[cursors[n]++] = (k - first) * storage.getB();
      pairs[cursors[n]++] = bits;
    });
  }
  starts.push_back(end);
  Array result = Array::zeros(cast<RankedTensorType>(op.getType()));
  size_t startBytes = starts.size() * sizeof(uint32_t);
  std::memcpy(result.data.data(), starts.data(), startBytes);
  if (!pairs.empty())
    std::memcpy(result.data.data() + startBytes, pairs.data(), pairs.size() * sizeof(uint32_t));
  return result;
}

} // namespace dsc
