//===- Weights.h - where the bytes of constants are -----------------------===//
//
// In IR a large constant is a `#dsc.weight` reference; the store of the
// compilation gives its bytes. Files stay mapped and are read when touched.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace dsc {

/// The weight sources of one compilation. Not thread-safe while sources are added.
class WeightStore {
public:
  /// Adds bytes that `owner` keeps alive (a mapped file, say). Returns the number
  /// of the source, the first parameter of `#dsc.weight`.
  int64_t addSource(std::shared_ptr<const void> owner, llvm::ArrayRef<uint8_t> bytes);

  /// Takes over bytes as a source of their own, and returns the reference to them.
  WeightAttr add(mlir::MLIRContext *context, std::vector<uint8_t> bytes);

  /// Whether a reference is inside of a source of this store.
  bool contains(WeightAttr weight) const;
  /// The bytes of a reference that the store contains.
  llvm::ArrayRef<uint8_t> bytes(WeightAttr weight) const;

private:
  struct Source {
    std::shared_ptr<const void> owner;
    llvm::ArrayRef<uint8_t> bytes;
  };
  std::vector<Source> sources;
};

/// A row-major array of elements in the IR's storage form: little-endian, bool as
/// one byte, packed 16-bit floats. What constants hold and the interpreter computes.
struct Array {
  mlir::RankedTensorType type; ///< static shape
  std::vector<uint8_t> data;

  static Array zeros(mlir::RankedTensorType type);
  int64_t numElements() const { return type.getNumElements(); }
};

/// Bytes of an element in memory: 1 for bool and 8-bit integers.
int64_t elementBytes(mlir::Type elementType);

/// The contents of a constant: `value` is defined by dsc.constant, dsc.weight, or a
/// dsc.repack of one. An empty optional for anything else.
std::optional<Array> constantContents(mlir::Value value, const WeightStore &store);

/// What a dsc.repack gives for the contents of its source.
Array repacked(RepackOp op, const Array &source);
/// The result of the dsc.repack of `source` by this map to this type; null if there
/// is none.
mlir::Value findRepacked(mlir::Value source, mlir::AffineMap map, mlir::Type type);

/// An array as the attribute of a dsc.constant, of any size.
mlir::DenseElementsAttr denseElements(const Array &array);

/// Makes a constant op for an array: dsc.constant up to 1 KiB, else dsc.weight.
mlir::Value buildConstant(mlir::OpBuilder &builder, mlir::Location loc, Array array,
                          WeightStore &store);

} // namespace dsc
