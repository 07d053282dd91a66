//===- Features.h - what the magika model sees of a file --------------------===//
#ifndef DSC_EXAMPLES_MAGIKA_FEATURES_H
#define DSC_EXAMPLES_MAGIKA_FEATURES_H

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace examples {

/// Numbers of the model standard_v3_3 (its config.min.json).
constexpr int kBeginSize = 1024;       ///< tokens of a file's begin
constexpr int kEndSize = 1024;         ///< tokens of its end
constexpr int kBlockSize = 4096;       ///< bytes looked at, on each side
constexpr int kMinBytes = 8;           ///< fewer are not worth a look
constexpr int32_t kPaddingToken = 256; ///< other tokens are bytes
constexpr int kTokens = kBeginSize + kEndSize;

using Tokens = std::array<int32_t, kTokens>;

/// The first and last bytes of the file, without the white space around them, padded
/// at the inner side. Nothing if there are too few bytes for a guess. Throws
/// std::runtime_error if the file cannot be read.
std::optional<Tokens> readTokens(const std::string &path);

} // namespace examples

#endif
