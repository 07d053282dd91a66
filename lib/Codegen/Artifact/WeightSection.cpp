//===- WeightSection.cpp - the bytes of the constants of programs ---------===//
#include "dsc/Codegen/Artifact/WeightSection.h"

#include "dsc/Dialect/IR/ConstantStream.h"

#include "llvm/Support/xxhash.h"

using namespace mlir;

namespace dsc {

/// As the format asks; a vector register's size.
static constexpr uint64_t kWeightAlignment = 64;

/// Zeros from one offset to another.
static format::Status pad(uint64_t from, uint64_t to, const format::Sink &sink) {
  static constexpr uint8_t zeros[kWeightAlignment] = {};
  while (from < to) {
    uint64_t count = std::min<uint64_t>(to - from, sizeof zeros);
    if (format::Status status = sink({zeros, count}); !status.ok())
      return status;
    from += count;
  }
  return format::Status::success();
}

/// Variants that fold constants do it each for itself: equal bytes have several
/// references.
Attribute WeightSection::canonical(WeightAttr reference) {
  auto [it, isNew] = canonicals.try_emplace(reference, reference);
  if (!isNew)
    return it->second;
  // Beginnings tell most apart; what is equal there is compared as a whole.
  constexpr size_t beginning = 4096;
  ArrayRef<uint8_t> contents = store.bytes(reference);
  uint64_t hash = llvm::xxh3_64bits(contents.take_front(std::min(contents.size(), beginning)));
  SmallVector<WeightAttr, 1> &others = byHash[llvm::hash_combine(hash, contents.size())];
  for (WeightAttr other : others)
    if (store.bytes(other) == contents)
      return it->second = other;
  others.push_back(reference);
  return reference;
}

uint64_t WeightSection::place(const PlacedWeight &weight) {
  Attribute recipe =
      recipeOf(weight.op, [&](WeightAttr reference) { return canonical(reference); });
  auto [it, isNew] = offsets.try_emplace(recipe, bytes);
  if (isNew) {
    weights.push_back({weight.op, bytes, weight.bytes});
    bytes += llvm::alignTo(weight.bytes, kWeightAlignment);
  }
  return it->second;
}

void WeightSection::add(BuiltProgram &built) {
  llvm::DenseMap<uint64_t, uint64_t> moved;
  for (PlacedWeight &weight : built.weights) {
    uint64_t before = std::exchange(weight.offset, place(weight));
    // An empty weight may be where another one begins.
    if (weight.bytes != 0)
      moved[before] = weight.offset;
  }
  for (format::Value &value : built.program.values)
    if (value.kind == format::Value::Weight)
      value.weightOffset = moved.lookup(value.weightOffset);
}

format::Status WeightSection::write(const format::Sink &sink) const {
  uint64_t position = 0;
  for (const PlacedWeight &weight : weights) {
    if (format::Status status = pad(position, weight.offset, sink); !status.ok())
      return status;
    format::Status status = format::Status::success();
    auto take = [&](ArrayRef<uint8_t> piece) {
      status = sink({piece.data(), piece.size()});
      return success(status.ok());
    };
    if (failed(streamConstant(weight.op->getResult(0), store, take)))
      return status.ok() ? format::Status::failure("a constant has no contents") : status;
    position = weight.offset + weight.bytes;
  }
  return pad(position, bytes, sink);
}

} // namespace dsc
