//===- WriteContainer.cpp - writing a .dsc file ---------------------------===//

#include "Layout.h"
#include "dsc/Format/KernelABI.h"

#include <algorithm>
#include <cerrno>
#include <unistd.h>

namespace dsc::format {

namespace {

/// A file descriptor that is written front to back.
class Output {
public:
  explicit Output(int fd) : fd(fd) {}

  Status write(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      // Linux transfers 2 GiB at most in one call.
      ssize_t written = ::write(fd, bytes.data(), std::min<size_t>(bytes.size(), 1 << 30));
      if (written < 0 && errno == EINTR)
        continue;
      if (written <= 0)
        return Status::failure(std::strerror(written < 0 ? errno : ENOSPC));
      bytes = bytes.subspan(written);
      position += written;
    }
    return Status::success();
  }

  Status padTo(uint64_t offset) {
    static constexpr uint8_t zeros[kPageSize] = {};
    while (position < offset)
      if (Status s = write({zeros, std::min<uint64_t>(kPageSize, offset - position)}); !s.ok())
        return s;
    return Status::success();
  }

private:
  int fd;
  uint64_t position = 0;
};

/// Hashes a stream in chunks.
class ChunkHasher {
public:
  ChunkHasher() { XXH3_64bits_reset(&state); }

  void add(std::span<const uint8_t> bytes) {
    while (!bytes.empty()) {
      size_t size = std::min<size_t>(bytes.size(), kWeightChunk - filled);
      XXH3_64bits_update(&state, bytes.data(), size);
      bytes = bytes.subspan(size);
      filled += size;
      if (filled == kWeightChunk)
        finishChunk();
    }
  }
  /// All hashes, followed by the hash of them.
  std::vector<uint64_t> finish() {
    if (filled != 0)
      finishChunk();
    hashes.push_back(XXH3_64bits(hashes.data(), hashes.size() * sizeof(uint64_t)));
    return std::move(hashes);
  }

private:
  void finishChunk() {
    hashes.push_back(XXH3_64bits_digest(&state));
    XXH3_64bits_reset(&state);
    filled = 0;
  }

  XXH3_state_t state;
  size_t filled = 0;
  std::vector<uint64_t> hashes;
};

std::span<const uint8_t> bytesOf(const void *data, size_t size) {
  return {static_cast<const uint8_t *>(data), size};
}

/// Everything between the header and the weights, with the header's entries.
std::vector<uint8_t> buildBody(const std::vector<Variant> &variants, Header &header) {
  std::vector<std::vector<uint8_t>> programs;
  std::vector<PartSizes> sizes;
  for (const Variant &v : variants) {
    programs.push_back(serialize(v.program));
    sizes.push_back({v.manifestJson.size(), programs.back().size(), v.code.size()});
  }
  std::vector<uint8_t> body;
  auto position = [&] { return sizeof(Header) + body.size(); };
  auto append = [&](std::span<const uint8_t> bytes) {
    body.insert(body.end(), bytes.begin(), bytes.end());
  };
  auto padToPage = [&] { body.resize(alignTo(position(), kPageSize) - sizeof(Header)); };
  auto section = [&](auto addParts) {
    uint64_t begin = position();
    addParts();
    return Section{begin, position() - begin};
  };
  header.variants = section([&] { append(serializeVariants(variants, sizes)); });
  header.manifests = section([&] {
    for (const Variant &v : variants)
      append(bytesOf(v.manifestJson.data(), v.manifestJson.size()));
  });
  header.programs = section([&] {
    for (const std::vector<uint8_t> &program : programs)
      append(program);
  });
  padToPage();
  header.code = section([&] {
    for (const Variant &v : variants) {
      append(v.code);
      padToPage();
    }
  });
  return body;
}

Status writeWeightSection(Output &output, uint64_t weightBytes, ChunkHasher &hasher,
                          const std::function<Status(const Sink &)> &writeWeights) {
  uint64_t left = weightBytes;
  Status written = writeWeights([&](std::span<const uint8_t> piece) {
    if (piece.size() > left)
      return Status::failure("more weights than announced");
    left -= piece.size();
    hasher.add(piece);
    return output.write(piece);
  });
  if (written.ok() && left != 0)
    return Status::failure("fewer weights than announced");
  return written;
}

} // namespace

Status writeContainer(int fd, const Artifact &artifact, uint64_t weightBytes,
                      const std::function<Status(const Sink &)> &writeWeights) {
  for (const Variant &variant : artifact.variants)
    if (Status s = checkVariant(variant, variant.code.size()); !s.ok())
      return s;

  Header header = {};
  std::memcpy(header.magic, kMagic, sizeof(kMagic));
  header.formatVersion = kFormatVersion;
  header.kernelAbiVersion = DSC_KERNEL_ABI_VERSION;
  std::vector<uint8_t> body = buildBody(artifact.variants, header);
  header.weights = {header.code.end(), weightBytes};
  header.hashes = {alignTo(header.weights.end(), sizeof(uint64_t)),
                   (chunkCount(weightBytes) + 1) * sizeof(uint64_t)};
  header.fileBytes = header.hashes.end();
  header.bodyHash = hash(body);
  header.headerHash = hashOfHeader(header);

  Output output(fd);
  if (Status s = output.write(bytesOf(&header, sizeof(header))); !s.ok())
    return s;
  if (Status s = output.write(body); !s.ok())
    return s;
  ChunkHasher hasher;
  if (weightBytes != 0)
    if (Status s = writeWeightSection(output, weightBytes, hasher, writeWeights); !s.ok())
      return s;
  if (Status s = output.padTo(header.hashes.offset); !s.ok())
    return s;
  std::vector<uint64_t> hashes = hasher.finish();
  return output.write(bytesOf(hashes.data(), hashes.size() * sizeof(uint64_t)));
}

} // namespace dsc::format
