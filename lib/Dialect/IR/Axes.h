//===- Axes.h - axes as ONNX writes them ----------------------------------===//
#pragma once

#include <cstdint>

namespace dsc {

/// An axis of [-rank, rank) in [0, rank). The accessors of integer attributes give
/// uint64_t: asking one of them whether it is negative is always wrong.
inline int64_t positiveAxis(int64_t axis, int64_t rank) { return axis < 0 ? axis + rank : axis; }

} // namespace dsc
