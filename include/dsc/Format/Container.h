//===- Container.h - the .dsc file ----------------------------------------===//
//
// A model compiled for one or more kinds of machine, its variants: each has a
// manifest, a program and code; all read from one section of weights. What is
// mapped (code, weights) starts at page boundaries. All integers are little-endian.
// Everything but the weights is hashed and checked when a file is opened; weights
// carry hashes of 1 MiB chunks, checked on request.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Format/Program.h"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dsc::format {

inline constexpr uint32_t kFormatVersion = 2;
inline constexpr uint64_t kPageSize = 4096;
inline constexpr uint64_t kWeightChunk = 1 << 20; // bytes that share a hash

/// Result of an operation that reads untrusted bytes: empty text is success.
struct [[nodiscard]] Status {
  std::string error;
  bool ok() const { return error.empty(); }
  static Status success() { return {}; }
  static Status failure(std::string text) { return {std::move(text)}; }
};

/// A loadable part of an image, as in an ELF program header.
struct Segment {
  uint64_t address = 0;    // relative to the image's base, page aligned
  uint64_t fileOffset = 0; // relative to the image's section, page aligned
  uint64_t fileBytes = 0, memoryBytes = 0;
  bool readable = true, writable = false, executable = false;
};

/// How a kernel is launched on a GPU: for p parts as ceil(p / threads) blocks.
struct BlockShape {
  uint32_t threads = 0;     // of a block, a multiple of 32
  uint32_t sharedBytes = 0; // dynamic shared memory of a block
  bool operator==(const BlockShape &) const = default;
};

/// The model for one kind of machine.
struct Variant {
  enum Kind : uint8_t {
    Cpu,   // code: an image; kernel i of the program starts at entries[i]
    Nvptx, // code: PTX that ends with a zero, and a cubin; kernels are found by name
  };
  Kind kind = Cpu;
  std::string target;                // "x86-64-v4", "nvptx:sm_80"
  std::string architecture;          // "x86_64", "aarch64", "nvptx64"
  std::vector<std::string> features; // that the machine must have: "avx512f"
  std::vector<Segment> segments;     // Cpu
  std::vector<uint64_t> entries;     // Cpu
  std::vector<BlockShape> blocks;    // Nvptx: of each of Program::kernels
  uint64_t cubinOffset = 0;          // Nvptx: where in `code` the cubin is; 0: there is none
  std::string manifestJson;          // for people and tools; the runtime does not depend on it
  Program program;
  std::vector<uint8_t> code; // written at a page boundary
};

/// Everything that goes into a file but the weights, which are streamed. All
/// variants have the same inputs and outputs.
struct Artifact {
  std::vector<Variant> variants; // best first
};

/// Serialized form of a program, and its checked inverse: every index is in
/// range, every reference points backwards where it must. Never throws.
std::vector<uint8_t> serialize(const Program &program);
Status deserialize(std::span<const uint8_t> bytes, Program &program);

/// Writes an artifact to a file descriptor, front to back. `weightBytes` is the
/// size of the weights section; `writeWeights` is called once and must call its
/// argument with consecutive pieces that add up to it (so that weights are never
/// all in memory). Returns what the operating system said on failure.
using Sink = std::function<Status(std::span<const uint8_t>)>;
Status writeContainer(int fd, const Artifact &artifact, uint64_t weightBytes,
                      const std::function<Status(const Sink &)> &writeWeights);

/// Where things are in a mapped file; the variants' `code` stays empty.
struct ContainerView {
  Artifact artifact;
  std::vector<std::span<const uint8_t>> code; // of each variant, within the file
  uint64_t weightsOffset = 0, weightsBytes = 0;
  std::vector<uint64_t> weightHashes;
};

/// Reads and checks a container whose bytes are at `file` (for example mapped).
/// Does not touch the weights.
Status readContainer(std::span<const uint8_t> file, ContainerView &view);
/// Checks the chunk hashes of the weights.
Status checkWeights(std::span<const uint8_t> file, const ContainerView &view);

} // namespace dsc::format
