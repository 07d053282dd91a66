//===- Variants.cpp - the table of code images ----------------------------===//

#include "Archive.h"
#include "Layout.h"

namespace dsc::format {

/// No kernel library is near this; keeps sums of addresses from overflowing.
static constexpr uint64_t kMaxImageBytes = uint64_t(1) << 32;

template <typename A> static void fields(A &archive, typename A::template Ref<Segment> s) {
  archive(s.address, s.fileOffset, s.fileBytes, s.memoryBytes, s.readable, s.writable,
          s.executable);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Section> s) {
  archive(s.offset, s.bytes);
}

template <typename A> static void fields(A &archive, typename A::template Ref<CodeVariant> v) {
  archive(v.target, v.features, v.segments, v.entries);
}

std::vector<uint8_t> serializeVariants(std::span<const CodeVariant> variants,
                                       std::vector<Section> &places) {
  std::vector<CodeVariant> table;
  places.clear();
  uint64_t offset = 0;
  for (const CodeVariant &v : variants) {
    table.push_back({v.target, v.features, v.segments, v.entries, {}});
    places.push_back({offset, v.bytes.size()});
    offset += (v.bytes.size() + kPageSize - 1) / kPageSize * kPageSize;
  }
  Writer writer;
  writer(table, places);
  return std::move(writer.bytes);
}

static bool inside(const Section &section, uint64_t bytes) {
  return section.offset <= bytes && section.bytes <= bytes - section.offset;
}

Status deserializeVariants(std::span<const uint8_t> bytes, uint64_t codeBytes,
                           std::vector<CodeVariant> &variants, std::vector<Section> &places) {
  Reader reader(bytes);
  reader(variants, places);
  if (reader.failed() || !reader.atEnd() || variants.size() != places.size())
    return Status::failure("the table of code variants is malformed");
  for (const Section &place : places)
    if (!inside(place, codeBytes) || place.offset % kPageSize != 0)
      return Status::failure("a code variant lies outside the code section");
  return Status::success();
}

Status checkVariant(const CodeVariant &variant, uint64_t bytes, size_t kernels) {
  auto failure = [&](const char *what) {
    return Status::failure("code for " + variant.target + ": " + what);
  };
  uint64_t end = 0;
  for (const Segment &s : variant.segments) {
    if (s.address % kPageSize != 0 || s.fileOffset % kPageSize != 0)
      return failure("a segment is not page aligned");
    if (s.address < end || s.address > kMaxImageBytes || s.memoryBytes > kMaxImageBytes)
      return failure("segments overlap or are too large");
    if (s.fileBytes > s.memoryBytes || !inside({s.fileOffset, s.fileBytes}, bytes))
      return failure("a segment lies outside its image");
    if (s.writable && s.executable)
      return failure("a segment is both writable and executable");
    end = s.address + s.memoryBytes;
  }
  if (variant.segments.empty())
    return Status::success(); // not for this machine's processor
  if (variant.entries.size() != kernels)
    return failure("kernels and entries differ in number");
  for (uint64_t entry : variant.entries) {
    bool code = false;
    for (const Segment &s : variant.segments)
      code |= s.executable && entry >= s.address && entry - s.address < s.fileBytes;
    if (!code)
      return failure("an entry is not code");
  }
  return Status::success();
}

} // namespace dsc::format
