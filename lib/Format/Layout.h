//===- Layout.h - where things are in a .dsc file -------------------------===//
//
//   header | manifest | program | variants | pad | code | pad | weights | pad | hashes
//
// Code of each variant and the weights start at page boundaries. `hashes` holds
// one number for each chunk of weights and one for itself: it is known only when
// all weights have been written. Everything before the weights is covered by the
// header's hash, padding included.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Format/Container.h"

#include <bit>
#include <cstring>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace dsc::format {

static_assert(std::endian::native == std::endian::little, "the file is mapped, not converted");

struct Section {
  uint64_t offset = 0, bytes = 0;
  uint64_t end() const { return offset + bytes; }
};

/// As PNG's: shows that a transfer changed line ends or dropped the eighth bit.
inline constexpr char kMagic[8] = {'\x89', 'D', 'S', 'C', '\r', '\n', '\x1a', '\n'};

struct Header {
  char magic[8];
  uint32_t formatVersion, kernelAbiVersion;
  uint64_t fileBytes;
  Section manifest, program, variants, code, weights, hashes;
  uint64_t bodyHash;   // of the bytes between the header and the weights
  uint64_t headerHash; // of the header up to here
};
static_assert(sizeof(Header) == 136 && std::is_trivially_copyable_v<Header>);

inline uint64_t hash(std::span<const uint8_t> bytes) {
  return XXH3_64bits(bytes.data(), bytes.size());
}

inline uint64_t hashOfHeader(const Header &header) {
  return XXH3_64bits(&header, offsetof(Header, headerHash));
}

inline uint64_t chunkCount(uint64_t weightBytes) {
  return weightBytes / kWeightChunk + (weightBytes % kWeightChunk != 0);
}

/// The bytes of the variants section: targets, features, segments, entries, and
/// where in the code section each variant's bytes are.
std::vector<uint8_t> serializeVariants(std::span<const CodeVariant> variants,
                                       std::vector<Section> &places);
Status deserializeVariants(std::span<const uint8_t> bytes, uint64_t codeBytes,
                           std::vector<CodeVariant> &variants, std::vector<Section> &places);
/// Checks that the segments of a variant can be mapped and that its entries are
/// code; `bytes` is the size of its image.
Status checkVariant(const CodeVariant &variant, uint64_t bytes, size_t kernels);

} // namespace dsc::format
