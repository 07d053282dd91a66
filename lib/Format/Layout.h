//===- Layout.h - where things are in a .dsc file -------------------------===//
//
//   header | variants | manifests | programs | pad | code | pad | weights | pad | hashes
//
// `variants` is a table of what the variants are and of the sizes of their parts,
// which follow in its order: a manifest and a program of each without gaps, and
// code of each from a page boundary on. The weights start at one, too. `hashes`
// holds one number for each chunk of weights and one for itself: it is known only
// when all weights have been written. Everything before the weights is covered by
// the header's hash, padding included.
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
  Section variants, manifests, programs, code, weights, hashes;
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

inline uint64_t alignTo(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

/// Bytes of what a variant has in the sections behind the table.
struct PartSizes {
  uint64_t manifest = 0, program = 0, code = 0;
};

/// The bytes of the variants section: everything of a variant but those parts.
std::vector<uint8_t> serializeVariants(std::span<const Variant> variants,
                                       const std::vector<PartSizes> &sizes);
Status deserializeVariants(std::span<const uint8_t> bytes, std::vector<Variant> &variants,
                           std::vector<PartSizes> &sizes);
/// Checks that the segments of a variant can be mapped and that its entries are
/// code; `codeBytes` is the size of its image.
Status checkVariant(const Variant &variant, uint64_t codeBytes);

} // namespace dsc::format
