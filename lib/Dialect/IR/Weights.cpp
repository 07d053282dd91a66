//===- Weights.cpp - where the bytes of constants are ---------------------===//
#include "dsc/Dialect/IR/Weights.h"

using namespace mlir;

namespace dsc {

/// Larger constants are kept outside the IR.
static constexpr size_t kInlineBytes = 1024;

int64_t WeightStore::addSource(std::shared_ptr<const void> owner, ArrayRef<uint8_t> bytes) {
  sources.push_back({std::move(owner), bytes});
  return static_cast<int64_t>(sources.size()) - 1;
}

WeightAttr WeightStore::add(MLIRContext *context, std::vector<uint8_t> bytes) {
  auto owner = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  ArrayRef<uint8_t> all(*owner);
  int64_t source = addSource(std::move(owner), all);
  return WeightAttr::get(context, source, 0, static_cast<int64_t>(all.size()));
}

bool WeightStore::contains(WeightAttr weight) const {
  int64_t source = weight.getSource(), offset = weight.getOffset(), length = weight.getLength();
  if (source < 0 || source >= static_cast<int64_t>(sources.size()) || offset < 0 || length < 0)
    return false;
  auto size = static_cast<int64_t>(sources[source].bytes.size());
  return length <= size && offset <= size - length;
}

ArrayRef<uint8_t> WeightStore::bytes(WeightAttr weight) const {
  assert(contains(weight) && "reference leads outside of its weight source");
  return sources[weight.getSource()].bytes.slice(weight.getOffset(), weight.getLength());
}

int64_t elementBytes(Type elementType) {
  return static_cast<int64_t>(llvm::divideCeil(elementType.getIntOrFloatBitWidth(), 8));
}

Array Array::zeros(RankedTensorType type) {
  assert(type.hasStaticShape() && "an array has a known shape");
  size_t bytes = type.getNumElements() * elementBytes(type.getElementType());
  return {type, std::vector<uint8_t>(bytes)};
}

/// An attribute's elements; MLIR packs bools into bits and keeps one element of a
/// splat only.
static Array unpack(DenseElementsAttr attr) {
  Array array = Array::zeros(cast<RankedTensorType>(attr.getType()));
  if (attr.getElementType().isInteger(1)) {
    llvm::copy(attr.getValues<bool>(), array.data.begin());
    return array;
  }
  ArrayRef<char> raw = attr.getRawData();
  size_t element = elementBytes(attr.getElementType());
  if (!attr.isSplat()) {
    llvm::copy(raw, array.data.begin());
    return array;
  }
  for (size_t i = 0; i < array.data.size(); i += element)
    std::copy_n(raw.begin(), element, array.data.begin() + i);
  return array;
}

std::optional<Array> constantContents(Value value, const WeightStore &store) {
  if (auto constant = value.getDefiningOp<ConstantOp>()) {
    if (auto attr = dyn_cast<DenseElementsAttr>(constant.getValue()))
      return unpack(attr);
    return std::nullopt;
  }
  if (auto repack = value.getDefiningOp<RepackOp>()) {
    std::optional<Array> source = constantContents(repack.getSource(), store);
    return source ? std::optional(repacked(repack, *source)) : std::nullopt;
  }
  auto weight = value.getDefiningOp<WeightOp>();
  if (!weight)
    return std::nullopt;
  Array array = Array::zeros(cast<RankedTensorType>(weight.getType()));
  ArrayRef<uint8_t> bytes = store.bytes(weight.getSource());
  if (bytes.size() != array.data.size())
    return std::nullopt;
  array.data.assign(bytes.begin(), bytes.end());
  return array;
}

DenseElementsAttr denseElements(const Array &array) {
  if (array.data.empty())
    return DenseElementsAttr::get(array.type, ArrayRef<Attribute>());
  if (array.type.getElementType().isInteger(1)) {
    SmallVector<bool> bits(array.data.begin(), array.data.end());
    return DenseElementsAttr::get(array.type, bits);
  }
  ArrayRef<char> raw(reinterpret_cast<const char *>(array.data.data()), array.data.size());
  // One element for all reads better, and is what MLIR's folders look for.
  size_t element = elementBytes(array.type.getElementType());
  ArrayRef<char> first = raw.take_front(element);
  bool splat = true;
  for (size_t i = element; splat && i < raw.size(); i += element)
    splat = raw.slice(i, element) == first;
  return DenseElementsAttr::getFromRawBuffer(array.type, splat ? first : raw);
}

Value buildConstant(OpBuilder &builder, Location loc, Array array, WeightStore &store) {
  if (array.data.size() <= kInlineBytes)
    return ConstantOp::create(builder, loc, denseElements(array));
  RankedTensorType type = array.type;
  WeightAttr weight = store.add(builder.getContext(), std::move(array.data));
  return WeightOp::create(builder, loc, type, weight, StringAttr());
}

} // namespace dsc
