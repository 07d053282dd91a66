//===- WireScanner.h - a model's structure without its weights --------------===//
//
// Walks protobuf's wire format of a ModelProto without protobuf, which would copy
// every weight (and refuses files above 2 GiB), and leaves the weights in the file.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <cstdint>
#include <span>
#include <string>

namespace dsc::import {

/// raw_data of more bytes than this stays in the file.
constexpr uint64_t kInlineBytes = 1024;

/// Deepest nesting of messages; three levels make one level of subgraphs.
constexpr int kMaxMessageDepth = 200;

/// Key of external_data that marks a reference into the model's own file.
constexpr const char *kSelfReferenceKey = "dsc.self";

/// Copies the serialized ModelProto `file` to `reduced`, with each raw_data above
/// kInlineBytes replaced by external_data entries: location "", offset, length and
/// kSelfReferenceKey "1". Returns false after adding a problem if the bytes are not
/// a model: truncated, malformed, or nested deeper than kMaxMessageDepth.
bool scanModel(std::span<const uint8_t> file, std::string &reduced, ProblemList &problems);

} // namespace dsc::import
