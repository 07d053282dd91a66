//===- Weights.cpp - where the bytes of constants are ---------------------===//
#include "dsc/Dialect/IR/Weights.h"

#include "llvm/Support/MathExtras.h"

#include <cstring>

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// WeightStore
//===----------------------------------------------------------------------===//

int64_t WeightStore::addSource(std::shared_ptr<const void> owner, ArrayRef<uint8_t> bytes) {
  sources.push_back({std::move(owner), bytes});
  return sources.size() - 1;
}

WeightAttr WeightStore::add(MLIRContext *context, std::vector<uint8_t> bytes) {
  int64_t length = bytes.size();
  auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  ArrayRef<uint8_t> view(*owner);
  return WeightAttr::get(context, addSource(std::move(owner), view), 0, length);
}

ArrayRef<uint8_t> WeightStore::bytes(WeightAttr weight) const {
  assert(weight.getSource() >= 0 && weight.getSource() < static_cast<int64_t>(sources.size()) &&
         "no such weight source");
  ArrayRef<uint8_t> source = sources[weight.getSource()].bytes;
  assert(weight.getOffset() >= 0 && weight.getLength() >= 0 &&
         weight.getOffset() <= static_cast<int64_t>(source.size()) - weight.getLength() &&
         "weight reaches outside its source");
  return source.slice(weight.getOffset(), weight.getLength());
}

//===----------------------------------------------------------------------===//
// Array
//===----------------------------------------------------------------------===//

int64_t elementBytes(Type elementType) {
  if (auto complex = dyn_cast<ComplexType>(elementType))
    return 2 * elementBytes(complex.getElementType());
  if (elementType.isIndex())
    return 8;
  return llvm::divideCeil(elementType.getIntOrFloatBitWidth(), 8);
}

Array Array::zeros(RankedTensorType type) {
  assert(type.hasStaticShape() && "an array has a static shape");
  Array array{type, {}};
  array.data.resize(type.getNumElements() * elementBytes(type.getElementType()));
  return array;
}

/// Contents of a dense attribute, splats written out.
static Array denseContents(DenseElementsAttr dense, RankedTensorType type) {
  Array array = Array::zeros(type);
  // How i1 lies in a dense attribute is MLIR's own business.
  if (type.getElementType().isInteger(1)) {
    for (auto [i, value] : llvm::enumerate(dense.getValues<bool>()))
      array.data[i] = value;
    return array;
  }
  ArrayRef<char> raw = dense.getRawData();
  if (!dense.isSplat()) {
    assert(raw.size() == array.data.size() && "elements are stored in whole bytes");
    std::memcpy(array.data.data(), raw.data(), raw.size());
    return array;
  }
  for (size_t at = 0; at < array.data.size(); at += raw.size())
    std::memcpy(array.data.data() + at, raw.data(), raw.size());
  return array;
}

std::optional<Array> constantContents(Value value, const WeightStore &store) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type || !type.hasStaticShape())
    return std::nullopt;
  if (auto weight = value.getDefiningOp<WeightOp>()) {
    ArrayRef<uint8_t> bytes = store.bytes(weight.getSource());
    assert(static_cast<int64_t>(bytes.size()) ==
               type.getNumElements() * elementBytes(type.getElementType()) &&
           "a weight is as long as its type says");
    return Array{type, bytes.vec()};
  }
  auto constant = value.getDefiningOp<ConstantOp>();
  if (!constant)
    return std::nullopt;
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()))
    return denseContents(dense, type);
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Making constants
//===----------------------------------------------------------------------===//

static bool isSplat(const Array &array, size_t size) {
  for (size_t at = size; at < array.data.size(); at += size)
    if (std::memcmp(array.data.data(), array.data.data() + at, size) != 0)
      return false;
  return array.data.size() >= size;
}

static DenseElementsAttr toDense(const Array &array) {
  if (array.type.getElementType().isInteger(1)) {
    SmallVector<bool> values(array.data.begin(), array.data.end());
    return DenseElementsAttr::get(array.type, values);
  }
  size_t size = elementBytes(array.type.getElementType());
  ArrayRef<char> raw(reinterpret_cast<const char *>(array.data.data()),
                     isSplat(array, size) ? size : array.data.size());
  return DenseElementsAttr::getFromRawBuffer(array.type, raw);
}

Value buildConstant(OpBuilder &builder, Location loc, Array array, WeightStore &store) {
  constexpr size_t largestInline = 1024;
  if (array.data.size() <= largestInline)
    return ConstantOp::create(builder, loc, toDense(array));
  RankedTensorType type = array.type;
  WeightAttr source = store.add(builder.getContext(), std::move(array.data));
  return WeightOp::create(builder, loc, type, source, StringAttr());
}

} // namespace dsc
