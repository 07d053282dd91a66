//===- ReadContainer.cpp - checking and reading a .dsc file ---------------===//

#include "Layout.h"
#include "dsc/Format/KernelABI.h"

#include <algorithm>

namespace dsc::format {

static Status checkVersion(std::span<const uint8_t> file, Header &header) {
  size_t present = std::min(file.size(), sizeof(kMagic));
  if (present == 0 || std::memcmp(file.data(), kMagic, present) != 0)
    return Status::failure("not a dsc artifact");
  if (file.size() < sizeof(Header))
    return Status::failure("the file is truncated: it ends within its header");
  std::memcpy(&header, file.data(), sizeof(Header));
  // Before the hash: another version may have another header.
  if (header.formatVersion != kFormatVersion)
    return Status::failure("the artifact has format version " +
                           std::to_string(header.formatVersion) + ", this library reads version " +
                           std::to_string(kFormatVersion) + ": compile the model again");
  if (header.headerHash != hashOfHeader(header))
    return Status::failure("the file is damaged: its header does not match its hash");
  if (header.kernelAbiVersion != DSC_KERNEL_ABI_VERSION)
    return Status::failure("the artifact's kernels have interface version " +
                           std::to_string(header.kernelAbiVersion) +
                           ", this library calls version " +
                           std::to_string(DSC_KERNEL_ABI_VERSION) + ": compile the model again");
  return Status::success();
}

/// The header's hash holds, so this fails for forged files only; still, nothing
/// may be read out of bounds.
static bool consistent(const Header &header) {
  uint64_t end = sizeof(Header);
  for (const Section *section : {&header.variants, &header.manifests, &header.programs,
                                 &header.code, &header.weights, &header.hashes}) {
    if (section->offset < end || section->offset > header.fileBytes ||
        section->bytes > header.fileBytes - section->offset)
      return false;
    end = section->end();
  }
  return end == header.fileBytes && header.code.offset % kPageSize == 0 &&
         header.weights.offset % kPageSize == 0 &&
         header.hashes.offset - header.weights.end() < sizeof(uint64_t) &&
         header.hashes.bytes == (chunkCount(header.weights.bytes) + 1) * sizeof(uint64_t);
}

static Status readWeightHashes(std::span<const uint8_t> file, const Header &header,
                               std::vector<uint64_t> &hashes) {
  for (uint64_t i = header.weights.end(); i != header.hashes.offset; ++i)
    if (file[i] != 0)
      return Status::failure("the file is damaged: padding is not zero");
  hashes.resize(header.hashes.bytes / sizeof(uint64_t));
  std::memcpy(hashes.data(), file.data() + header.hashes.offset, header.hashes.bytes);
  uint64_t expected = hashes.back();
  hashes.pop_back();
  if (XXH3_64bits(hashes.data(), hashes.size() * sizeof(uint64_t)) != expected)
    return Status::failure("the file is damaged: the hashes of its weights do not match their own");
  return Status::success();
}

static Status checkWeightOffsets(const Program &program, uint64_t weightBytes) {
  for (const Value &value : program.values)
    if (value.kind == Value::Weight && value.weightOffset > weightBytes)
      return Status::failure("invalid program: a weight lies outside the weights section");
  return Status::success();
}

namespace {
/// The parts of a section, one of each variant, in order.
class Parts {
public:
  Parts(std::span<const uint8_t> section, uint64_t alignment)
      : left(section), alignment(alignment) {}

  /// The next part; empty if it is not inside the section.
  std::span<const uint8_t> next(uint64_t bytes) {
    uint64_t padded = bytes <= left.size() ? alignTo(bytes, alignment) : UINT64_MAX;
    if (padded > left.size()) {
      isGood = false;
      return {};
    }
    std::span<const uint8_t> part = left.first(bytes);
    left = left.subspan(padded);
    return part;
  }
  /// Whether the parts were the whole section.
  bool isComplete() const { return isGood && left.empty(); }

private:
  std::span<const uint8_t> left;
  uint64_t alignment;
  bool isGood = true;
};
} // namespace

/// Whether two programs can stand for each other.
static bool haveSameInterface(const Program &a, const Program &b) {
  auto same = [&](const std::vector<ValueId> &as, const std::vector<ValueId> &bs) {
    return std::equal(as.begin(), as.end(), bs.begin(), bs.end(), [&](ValueId x, ValueId y) {
      const Value &v = a.values[x], &w = b.values[y];
      return v.name == w.name && v.dtype == w.dtype && v.dims.size() == w.dims.size();
    });
  };
  return same(a.inputs, b.inputs) && same(a.outputs, b.outputs);
}

static Status readVariants(std::span<const uint8_t> file, const Header &header,
                           ContainerView &view) {
  auto section = [&](const Section &s) { return file.subspan(s.offset, s.bytes); };
  std::vector<Variant> &variants = view.artifact.variants;
  std::vector<PartSizes> sizes;
  if (Status s = deserializeVariants(section(header.variants), variants, sizes); !s.ok())
    return s;
  Parts manifests(section(header.manifests), 1), programs(section(header.programs), 1);
  Parts code(section(header.code), kPageSize);
  for (size_t i = 0; i < variants.size(); ++i) {
    Variant &variant = variants[i];
    std::span<const uint8_t> manifest = manifests.next(sizes[i].manifest);
    variant.manifestJson.assign(manifest.begin(), manifest.end());
    if (Status s = deserialize(programs.next(sizes[i].program), variant.program); !s.ok())
      return s;
    if (Status s = checkWeightOffsets(variant.program, header.weights.bytes); !s.ok())
      return s;
    view.code.push_back(code.next(sizes[i].code));
    if (Status s = checkVariant(variant, view.code.back().size()); !s.ok())
      return s;
    if (!haveSameInterface(variants[0].program, variant.program))
      return Status::failure("the variants differ in inputs or outputs");
  }
  if (!manifests.isComplete() || !programs.isComplete() || !code.isComplete())
    return Status::failure("the table of variants does not fit the sections");
  return Status::success();
}

Status readContainer(std::span<const uint8_t> file, ContainerView &view) {
  Header header;
  if (Status s = checkVersion(file, header); !s.ok())
    return s;
  if (file.size() != header.fileBytes)
    return Status::failure("the file is " +
                           std::string(file.size() < header.fileBytes ? "truncated" : "too long") +
                           ": it has " + std::to_string(file.size()) + " bytes instead of " +
                           std::to_string(header.fileBytes));
  if (!consistent(header))
    return Status::failure("the file is malformed: its section table is inconsistent");
  if (hash(file.subspan(sizeof(Header), header.weights.offset - sizeof(Header))) != header.bodyHash)
    return Status::failure("the file is damaged: program or code do not match their hash");
  view = {};
  if (Status s = readWeightHashes(file, header, view.weightHashes); !s.ok())
    return s;
  if (Status s = readVariants(file, header, view); !s.ok())
    return s;
  view.weightsOffset = header.weights.offset;
  view.weightsBytes = header.weights.bytes;
  return Status::success();
}

Status checkWeights(std::span<const uint8_t> file, const ContainerView &view) {
  std::span<const uint8_t> weights = file.subspan(view.weightsOffset, view.weightsBytes);
  for (size_t i = 0; i < view.weightHashes.size(); ++i) {
    uint64_t offset = i * kWeightChunk;
    uint64_t size = std::min<uint64_t>(kWeightChunk, weights.size() - offset);
    if (hash(weights.subspan(offset, size)) != view.weightHashes[i])
      return Status::failure("the weights are damaged: bytes " + std::to_string(offset) + " to " +
                             std::to_string(offset + size) + " do not match their hash");
  }
  return Status::success();
}

} // namespace dsc::format
