//===- ContainerTest.cpp - writing and reading files ----------------------===//
//
// What a damaged file leads to is tested with the runtime, which opens it.
//
//===----------------------------------------------------------------------===//

#include "dsc/Format/Container.h"

#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

using namespace dsc::format;
using testing::HasSubstr;

namespace {

CodeVariant makeVariant(const char *target, uint8_t byte) {
  CodeVariant code;
  code.target = target;
  code.features = {"avx2"};
  code.bytes.assign(100, byte);
  code.segments = {{0, 0, 100, kPageSize, true, false, true}};
  code.entries = {7};
  return code;
}

Artifact makeArtifact() {
  Artifact artifact;
  artifact.manifestJson = "{}";
  artifact.program.kernels = {"k"};
  artifact.program.blocks.resize(1);
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
    EXPECT_EQ(view.artifact.manifestJson, "{}");
    EXPECT_EQ(view.weightsBytes, weightBytes);
    EXPECT_EQ(view.weightsOffset % kPageSize, 0u);
    ASSERT_EQ(view.artifact.variants.size(), 2u);
    EXPECT_EQ(view.artifact.variants[1].target, "b");
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

TEST(Container, CodeThatCannotBeMapped) {
  auto errorAfter = [](auto change) {
    Artifact artifact = makeArtifact();
    change(artifact.variants[0]);
    FILE *file = tmpfile();
    std::string error = write(file, artifact, 0, 1).error;
    fclose(file);
    return error;
  };
  EXPECT_THAT(errorAfter([](CodeVariant &v) { v.segments[0].address = 1; }),
              HasSubstr("not page aligned"));
  EXPECT_THAT(errorAfter([](CodeVariant &v) { v.segments.push_back(v.segments[0]); }),
              HasSubstr("overlap"));
  EXPECT_THAT(errorAfter([](CodeVariant &v) { v.segments[0].fileBytes = 101; }),
              HasSubstr("outside its image"));
  EXPECT_THAT(errorAfter([](CodeVariant &v) { v.segments[0].writable = true; }),
              HasSubstr("both writable and executable"));
  EXPECT_THAT(errorAfter([](CodeVariant &v) { v.entries = {100}; }), HasSubstr("not code"));
  EXPECT_THAT(errorAfter([](CodeVariant &v) { v.entries.clear(); }), HasSubstr("differ in number"));
}
