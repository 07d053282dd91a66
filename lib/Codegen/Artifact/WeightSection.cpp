//===- WeightSection.cpp - the bytes of the constants of a program --------===//
#include "dsc/Codegen/Artifact/WeightSection.h"

using namespace mlir;

namespace dsc {

/// Zeros up to a multiple of `alignment`.
static format::Status pad(uint64_t from, uint64_t to, const format::Sink &sink) {
  static constexpr uint8_t zeros[64] = {};
  while (from < to) {
    uint64_t count = std::min<uint64_t>(to - from, sizeof zeros);
    if (format::Status status = sink({zeros, count}); !status.ok())
      return status;
    from += count;
  }
  return format::Status::success();
}

format::Status writeWeightSection(ArrayRef<PlacedWeight> weights, uint64_t totalBytes,
                                  const WeightStore &store, const format::Sink &sink) {
  uint64_t position = 0;
  for (const PlacedWeight &weight : weights) {
    if (format::Status status = pad(position, weight.offset, sink); !status.ok())
      return status;
    format::Status status;
    if (auto op = dyn_cast<WeightOp>(weight.op)) {
      ArrayRef<uint8_t> bytes = store.bytes(op.getSource());
      status = sink({bytes.data(), bytes.size()});
    } else {
      std::optional<Array> contents = constantContents(weight.op->getResult(0), store);
      if (!contents)
        return format::Status::failure("a constant has no contents");
      status = sink(contents->data);
    }
    if (!status.ok())
      return status;
    position = weight.offset + weight.bytes;
  }
  return pad(position, totalBytes, sink);
}

} // namespace dsc
