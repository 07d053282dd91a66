//===- ContainerTest.cpp - writing and reading files ----------------------===//
//
// What a damaged file leads to is tested with the runtime, which opens it.
//
//===----------------------------------------------------------------------===//

#include "Layout.h"

#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace dsc::format;
using testing::HasSubstr;

namespace {

Variant makeVariant(const char *target, uint8_t byte) {
  Variant code;
  code.architecture = "x86_64";
  code.manifestJson = std::string("{\"target\": \"") + target + "\"}";
  code.program.kernels = {"k"};
  code.program.blocks.resize(1);
  code.target = target;
  code.features = {"avx2"};
  code.code.assign(100, byte);
  code.segments = {{0, 0, 100, kPageSize, true, false, true}};
  code.entries = {7};
  return code;
}

Artifact makeArtifact() {
  Artifact artifact;
  artifact.variants = {makeVariant("a", 1), makeVariant("b", 2)};
  return artifact;
}

Status write(FILE *file, const Artifact &artifact, uint64_t weightBytes, size_t pieceBytes) {
  return writeContainer(fileno(file), artifact, weightBytes, [&](const Sink &sink) {
    std::vector<uint8_t> piece(pieceBytes, 5);
    for (uint64_t left = weightBytes; left != 0;) {
      size_t size = std::min<uint64_t>(left, pieceBytes);
      if (Status s = sink({piece.data(), size}); !s.ok())
        return s;
      left -= size;
    }
    return Status::success();
  });
}

std::vector<uint8_t> contents(FILE *file) {
  std::vector<uint8_t> bytes(lseek(fileno(file), 0, SEEK_END));
  EXPECT_EQ(pread(fileno(file), bytes.data(), bytes.size(), 0), ssize_t(bytes.size()));
  return bytes;
}

} // namespace

TEST(Container, RoundTrip) {
  for (uint64_t weightBytes : {uint64_t(0), uint64_t(1), kWeightChunk, 3 * kWeightChunk + 5}) {
    FILE *file = tmpfile();
    ASSERT_EQ(write(file, makeArtifact(), weightBytes, 70000).error, "");
    std::vector<uint8_t> bytes = contents(file);
    ContainerView view;
    ASSERT_EQ(readContainer(bytes, view).error, "");
    EXPECT_EQ(view.weightsBytes, weightBytes);
    EXPECT_EQ(view.weightsOffset % kPageSize, 0u);
    ASSERT_EQ(view.artifact.variants.size(), 2u);
    EXPECT_EQ(view.artifact.variants[1].target, "b");
    EXPECT_EQ(view.artifact.variants[1].architecture, "x86_64");
    EXPECT_EQ(view.artifact.variants[1].features, std::vector<std::string>{"avx2"});
    EXPECT_EQ(view.artifact.variants[1].manifestJson, "{\"target\": \"b\"}");
    EXPECT_EQ(view.artifact.variants[1].program.kernels, std::vector<std::string>{"k"});
    EXPECT_EQ(view.artifact.variants[1].entries, std::vector<uint64_t>{7});
    EXPECT_EQ((view.code[1].data() - bytes.data()) % kPageSize, 0);
    EXPECT_EQ(view.code[1].size(), 100u);
    EXPECT_EQ(view.code[1][0], 2);
    EXPECT_TRUE(checkWeights(bytes, view).ok());
    // The pieces do not matter, nor anything but the contents.
    FILE *again = tmpfile();
    ASSERT_EQ(write(again, makeArtifact(), weightBytes, 1 << 21).error, "");
    EXPECT_EQ(contents(again), bytes);
    fclose(again);
    if (weightBytes != 0) {
      bytes[view.weightsOffset + weightBytes - 1] ^= 1;
      EXPECT_THAT(checkWeights(bytes, view).error, HasSubstr("the weights are damaged"));
    }
    fclose(file);
  }
}

TEST(Container, WeightsMustBeAsAnnounced) {
  auto writePieces = [](std::vector<size_t> pieces) {
    FILE *file = tmpfile();
    Status status = writeContainer(fileno(file), makeArtifact(), 100, [&](const Sink &sink) {
      std::vector<uint8_t> bytes(200);
      for (size_t size : pieces)
        if (Status s = sink({bytes.data(), size}); !s.ok())
          return s;
      return Status::success();
    });
    fclose(file);
    return status.error;
  };
  EXPECT_EQ(writePieces({60, 40}), "");
  EXPECT_EQ(writePieces({60}), "fewer weights than announced");
  EXPECT_EQ(writePieces({60, 41}), "more weights than announced");
}

TEST(Container, AFullDiskIsReported) {
  FILE *full = fopen("/dev/full", "w");
  if (!full)
    GTEST_SKIP() << "no /dev/full";
  EXPECT_EQ(write(full, makeArtifact(), 10, 10).error, "No space left on device");
  fclose(full);
}

static std::string errorOfWriting(const Artifact &artifact) {
  FILE *file = tmpfile();
  std::string error = write(file, artifact, 0, 1).error;
  fclose(file);
  return error;
}

TEST(Container, CodeThatCannotBeMapped) {
  auto errorAfter = [](auto change) {
    Artifact artifact = makeArtifact();
    change(artifact.variants[0]);
    return errorOfWriting(artifact);
  };
  EXPECT_THAT(errorAfter([](Variant &v) { v.segments[0].address = 1; }),
              HasSubstr("not page aligned"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.segments.push_back(v.segments[0]); }),
              HasSubstr("overlap"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.segments[0].fileBytes = 101; }),
              HasSubstr("outside its image"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.segments[0].writable = true; }),
              HasSubstr("both writable and executable"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.entries = {100}; }), HasSubstr("not code"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.entries.clear(); }), HasSubstr("differ in number"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.segments.clear(); }), HasSubstr("no segments"));
  EXPECT_THAT(errorAfter([](Variant &v) { v.kind = Variant::Kind(9); }),
              HasSubstr("kind is unknown"));
}

TEST(Container, CodeForGpus) {
  Artifact artifact = makeArtifact();
  Variant &gpu = artifact.variants[0];
  gpu.kind = Variant::Nvptx;
  EXPECT_THAT(errorOfWriting(artifact), HasSubstr("no segments and entries"));
  gpu.segments.clear();
  gpu.entries.clear();
  EXPECT_THAT(errorOfWriting(artifact), HasSubstr("shapes of blocks differ in number"));
  gpu.blocks.assign(gpu.program.kernels.size(), {128, 1024});
  EXPECT_EQ(errorOfWriting(artifact), "");
  gpu.blocks[0].threads = 100;
  EXPECT_THAT(errorOfWriting(artifact), HasSubstr("no GPU has"));
  gpu.blocks[0].threads = 128;
  gpu.cubinOffset = gpu.code.size();
  EXPECT_THAT(errorOfWriting(artifact), HasSubstr("its cubin lies outside"));
  gpu.cubinOffset = 0;
  gpu.code.clear();
  EXPECT_THAT(errorOfWriting(artifact), HasSubstr("there is none"));
}

/// What reading says of an artifact that was written.
static std::string errorOfReading(const Artifact &artifact) {
  FILE *file = tmpfile();
  EXPECT_EQ(write(file, artifact, 0, 1).error, "");
  ContainerView view;
  std::string error = readContainer(contents(file), view).error;
  fclose(file);
  return error;
}

TEST(Container, VariantsAreOneModel) {
  Artifact artifact = makeArtifact();
  EXPECT_EQ(errorOfReading(artifact), "");
  Program &program = artifact.variants[1].program;
  Value input;
  input.kind = Value::Input;
  input.dtype = DType::Float32;
  program.values = {input};
  program.inputs = {0};
  EXPECT_THAT(errorOfReading(artifact), HasSubstr("differ in inputs or outputs"));
  artifact.variants.clear();
  EXPECT_THAT(errorOfReading(artifact), HasSubstr("table of variants is malformed"));
}

/// Makes the hashes of the header fit what a file holds.
static void seal(std::vector<uint8_t> &bytes) {
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  header.bodyHash =
      hash(std::span(bytes).subspan(sizeof header, header.weights.offset - sizeof header));
  header.headerHash = hashOfHeader(header);
  std::memcpy(bytes.data(), &header, sizeof header);
}

/// Files whose hashes are right and whose tables lie.
TEST(Container, ForgedTables) {
  FILE *file = tmpfile();
  ASSERT_EQ(write(file, makeArtifact(), 100, 100).error, "");
  const std::vector<uint8_t> bytes = contents(file);
  fclose(file);
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  size_t accepted = 0, refused = 0;
  for (size_t i = offsetof(Header, fileBytes); i < header.programs.end(); ++i)
    for (unsigned value : {0u, 1u, 2u, 3u, 0x7fu, 0x80u, 0xffu, bytes[i] + 1u, bytes[i] - 1u}) {
      std::vector<uint8_t> forged = bytes;
      forged[i] = uint8_t(value);
      if (i >= sizeof header)
        seal(forged);
      else if (i < offsetof(Header, bodyHash)) {
        std::memcpy(&header, forged.data(), sizeof header);
        header.headerHash = hashOfHeader(header);
        std::memcpy(forged.data(), &header, sizeof header);
      }
      ContainerView view;
      if (!readContainer(forged, view).ok()) {
        ++refused;
        continue;
      }
      ++accepted;
      ASSERT_EQ(view.code.size(), view.artifact.variants.size());
      for (size_t v = 0; v < view.code.size(); ++v) {
        ASSERT_GE(view.code[v].data(), forged.data());
        ASSERT_LE(view.code[v].data() + view.code[v].size(), forged.data() + forged.size());
        for (const Segment &s : view.artifact.variants[v].segments)
          ASSERT_LE(s.fileOffset + s.fileBytes, view.code[v].size());
      }
    }
  // A name or an unused fact may change; a size or a count may not.
  EXPECT_GT(accepted, 0u);
  EXPECT_GT(refused, accepted);
}
