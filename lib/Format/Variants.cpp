//===- Variants.cpp - the table of variants -------------------------------===//

#include "Archive.h"
#include "Layout.h"

namespace dsc::format {

/// No kernel library is near this; keeps sums of addresses from overflowing.
static constexpr uint64_t kMaxImageBytes = uint64_t(1) << 32;
/// Of all compute capabilities so far.
static constexpr uint32_t kMaxBlockThreads = 1024, kMaxSharedBytes = 228 << 10;

template <typename A> static void fields(A &archive, typename A::template Ref<Segment> s) {
  archive(s.address, s.fileOffset, s.fileBytes, s.memoryBytes, s.readable, s.writable,
          s.executable);
}

template <typename A> static void fields(A &archive, typename A::template Ref<BlockShape> b) {
  archive(b.threads, b.sharedBytes);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Variant> v) {
  archive(v.kind, v.target, v.architecture, v.features, v.segments, v.entries, v.blocks,
          v.cubinOffset);
}

template <typename A> static void fields(A &archive, typename A::template Ref<PartSizes> s) {
  archive(s.manifest, s.program, s.code);
}

std::vector<uint8_t> serializeVariants(std::span<const Variant> variants,
                                       const std::vector<PartSizes> &sizes) {
  Writer writer;
  writer(variants, sizes);
  return std::move(writer.bytes);
}

Status deserializeVariants(std::span<const uint8_t> bytes, std::vector<Variant> &variants,
                           std::vector<PartSizes> &sizes) {
  Reader reader(bytes);
  reader(variants, sizes);
  if (reader.failed() || !reader.atEnd() || variants.empty() || variants.size() != sizes.size())
    return Status::failure("the table of variants is malformed");
  return Status::success();
}

/// What is wrong with an image, or nothing.
static const char *checkImage(const Variant &variant, uint64_t codeBytes) {
  uint64_t end = 0;
  for (const Segment &s : variant.segments) {
    if (s.address % kPageSize != 0 || s.fileOffset % kPageSize != 0)
      return "a segment is not page aligned";
    if (s.address < end || s.address > kMaxImageBytes || s.memoryBytes > kMaxImageBytes)
      return "segments overlap or are too large";
    if (s.fileBytes > s.memoryBytes || s.fileOffset > codeBytes ||
        s.fileBytes > codeBytes - s.fileOffset)
      return "a segment lies outside its image";
    if (s.writable && s.executable)
      return "a segment is both writable and executable";
    end = s.address + s.memoryBytes;
  }
  if (variant.segments.empty())
    return "there are no segments";
  if (!variant.blocks.empty() || variant.cubinOffset != 0)
    return "code for a CPU has no blocks and no cubin";
  if (variant.entries.size() != variant.program.kernels.size())
    return "kernels and entries differ in number";
  for (uint64_t entry : variant.entries) {
    bool isCode = false;
    for (const Segment &s : variant.segments)
      isCode |= s.executable && entry >= s.address && entry - s.address < s.fileBytes;
    if (!isCode)
      return "an entry is not code";
  }
  return nullptr;
}

static const char *checkGpuCode(const Variant &variant, uint64_t codeBytes) {
  if (!variant.segments.empty() || !variant.entries.empty())
    return "code for a GPU has no segments and entries";
  if (variant.blocks.size() != variant.program.kernels.size())
    return "kernels and shapes of blocks differ in number";
  for (const BlockShape &block : variant.blocks)
    if (block.threads == 0 || block.threads > kMaxBlockThreads || block.threads % 32 != 0 ||
        block.sharedBytes > kMaxSharedBytes)
      return "a block has a shape that no GPU has";
  if (codeBytes == 0)
    return "there is none";
  return variant.cubinOffset >= codeBytes ? "its cubin lies outside" : nullptr;
}

Status checkVariant(const Variant &variant, uint64_t codeBytes) {
  const char *problem = "its kind is unknown";
  if (variant.kind == Variant::Cpu)
    problem = checkImage(variant, codeBytes);
  else if (variant.kind == Variant::Nvptx)
    problem = checkGpuCode(variant, codeBytes);
  return problem ? Status::failure("code for " + variant.target + ": " + problem)
                 : Status::success();
}

} // namespace dsc::format
