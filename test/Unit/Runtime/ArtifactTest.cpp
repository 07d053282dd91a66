//===- ArtifactTest.cpp - opening files, good and bad ---------------------===//
//
// Artifacts with real machine code, a few bytes of it.
//
//===----------------------------------------------------------------------===//

#include "CpuFeatures.h"
#include "Programs.h"
#include "dsc/Format/Container.h"
#include "dsc/dsc.hpp"

#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace dsc::test;
using dsc::format::Artifact;
using dsc::format::kPageSize;
using dsc::format::Variant;
using testing::ElementsAre;
using testing::HasSubstr;

#if defined(__x86_64__)

namespace {

/// A file that is removed with the object.
class TemporaryFile {
public:
  TemporaryFile() : fd(mkstemp(path)) {}
  ~TemporaryFile() {
    close(fd);
    unlink(path);
  }
  char path[32] = "/tmp/dsc-test-XXXXXX";
  int fd;
};

/// Two segments: code that stores to buffers[0] the sum of an int32 of the weights
/// (buffers[1]) and one of the image's data, which it counts up; and that data.
void addCode(Variant &code) {
  code.target = "x86-64-test";
  code.architecture = "x86_64";
  code.features = {"sse2"};
  code.code = {
      0x48, 0x8b, 0x06,                   // mov rax, [rsi]
      0x48, 0x8b, 0x4e, 0x08,             // mov rcx, [rsi + 8]
      0x8b, 0x09,                         // mov ecx, [rcx]
      0x03, 0x0d, 0xf1, 0x0f, 0x00, 0x00, // add ecx, [rip + 0xff1]: address 0x1000
      0xff, 0x05, 0xeb, 0x0f, 0x00, 0x00, // inc dword [rip + 0xfeb]
      0x89, 0x08,                         // mov [rax], ecx
      0x31, 0xc0,                         // xor eax, eax
      0xc3,                               // ret
  };
  size_t size = code.code.size();
  code.code.resize(kPageSize);
  code.code.push_back(100);
  code.segments = {{0, 0, size, kPageSize, true, false, true},
                   {kPageSize, kPageSize, 1, 2 * kPageSize, true, true, false}};
  code.entries = {0};
}

Variant makeVariant() {
  ProgramMaker m;
  ValueId w = m.weight<int32_t>(DType::Int32, {7});
  ValueId y = m.output("y", DType::Int32, {m.constant(1)});
  m.frame(0, {y});
  m.phase(0, nullptr, {y, w});
  Variant variant;
  variant.manifestJson = "{\"model\": \"test\"}";
  variant.program = m.program;
  addCode(variant);
  return variant;
}

Artifact makeArtifact() { return {{makeVariant()}}; }

constexpr uint64_t kWeightBytes = 3 * dsc::format::kWeightChunk / 2;

void write(const Artifact &artifact, const TemporaryFile &file) {
  auto weights = [](const dsc::format::Sink &sink) {
    std::vector<uint8_t> bytes(kWeightBytes);
    bytes[0] = 7;
    bytes[kWeightBytes - 1] = 9;
    return sink(bytes);
  };
  ASSERT_EQ(dsc::format::writeContainer(file.fd, artifact, kWeightBytes, weights).error, "");
}

std::vector<uint8_t> read(const TemporaryFile &file) {
  std::ifstream stream(file.path, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<uint8_t> makeBytes(const Artifact &artifact = makeArtifact()) {
  TemporaryFile file;
  write(artifact, file);
  return read(file);
}

dsc_status openBytes(const std::vector<uint8_t> &bytes) {
  dsc_model *model;
  dsc_status status = dsc_model_open_memory(bytes.data(), bytes.size(), &model);
  EXPECT_EQ(status == DSC_OK, model != nullptr);
  dsc_model_close(model);
  return status;
}

int32_t runOnce(dsc::Context &context) {
  context.run();
  return context.output("y").as<int32_t>()[0];
}

} // namespace

TEST(Artifact, RunsFromAFile) {
  TemporaryFile file;
  write(makeArtifact(), file);
  dsc::Model model(file.path);
  EXPECT_EQ(model.target(), "x86-64-test");
  EXPECT_EQ(model.manifest(), "{\"model\": \"test\"}");
  EXPECT_EQ(model.weightBytes(), kWeightBytes);
  EXPECT_EQ(model.output(0).name, "y");
  model.checkWeights();
  dsc::Context context(model, dsc::Options(1));
  EXPECT_EQ(runOnce(context), 107);
  EXPECT_EQ(runOnce(context), 108);
  // Another model of the same file has data of its own; the file is unchanged.
  dsc::Model second(file.path);
  dsc::Context other(second, dsc::Options(1));
  EXPECT_EQ(runOnce(other), 107);
  dsc::Model third(file.path);
  third.checkWeights();
}

TEST(Artifact, RunsFromMemory) {
  std::vector<uint8_t> bytes = makeBytes();
  for (size_t offset : {0, 64, 4}) { // weights in place, in place, and copied
    std::vector<uint8_t> room(bytes.size() + 128);
    uint8_t *start = room.data() + (64 - reinterpret_cast<uintptr_t>(room.data()) % 64) % 64;
    std::memcpy(start + offset, bytes.data(), bytes.size());
    dsc::Model model(start + offset, bytes.size());
    model.checkWeights();
    dsc::Context context(model, dsc::Options(1));
    EXPECT_EQ(runOnce(context), 107);
  }
}

/// As on file systems that are mounted noexec.
TEST(Artifact, CodeIsCopiedWhereItCannotBeMapped) {
  Variant code = makeVariant();
  int cannotBeMapped = open("/dev/null", O_RDONLY);
  for (int fd : {-1, cannotBeMapped}) {
    dsc::runtime::Pages pages;
    ASSERT_EQ(dsc::runtime::mapImage(code, code.code, fd, 0, pages).text, "");
    int32_t result = 0, weight = 1;
    void *buffers[] = {&result, &weight};
    reinterpret_cast<dsc_kernel_fn>(pages.data())(nullptr, buffers, nullptr);
    EXPECT_EQ(result, 101);
  }
  close(cannotBeMapped);
}

TEST(Artifact, ContextsOutliveTheirModel) {
  TemporaryFile file;
  write(makeArtifact(), file);
  auto model = std::make_unique<dsc::Model>(file.path);
  dsc::Context context(*model, dsc::Options(1));
  model.reset();
  EXPECT_EQ(runOnce(context), 107);
}

TEST(Artifact, WrapperThrowsWhatTheLibrarySays) {
  TemporaryFile file;
  write(makeArtifact(), file);
  dsc::Model model(file.path);
  dsc::Context context(model);
  context.run();
  EXPECT_THROW(context.output("y").as<float>(), dsc::Error);
  EXPECT_THROW(context.output("z"), dsc::Error);
  try {
    dsc::Model missing("/nonexistent/model.dsc");
    FAIL();
  } catch (const dsc::Error &error) {
    EXPECT_EQ(error.status(), DSC_IO);
    EXPECT_STREQ(error.what(), "cannot open '/nonexistent/model.dsc': No such file or directory");
  }
}

TEST(Artifact, FilesThatAreNone) {
  dsc_model *model;
  EXPECT_EQ(dsc_model_open("/tmp", &model), DSC_IO);
  EXPECT_EQ(dsc_model_open("/dev/null", &model), DSC_IO);
  TemporaryFile file;
  EXPECT_EQ(dsc_model_open(file.path, &model), DSC_CORRUPT);
  EXPECT_THAT(dsc_last_error(), HasSubstr("empty"));
  ASSERT_EQ(::write(file.fd, "hello", 5), 5);
  EXPECT_EQ(dsc_model_open(file.path, &model), DSC_CORRUPT);
  EXPECT_THAT(dsc_last_error(), HasSubstr("not a dsc artifact"));
}

TEST(Artifact, TruncatedAnywhere) {
  std::vector<uint8_t> bytes = makeBytes();
  for (size_t size = 1; size < bytes.size(); size += size < 3 * kPageSize ? 1 : 9973) {
    std::vector<uint8_t> part(bytes.begin(), bytes.begin() + size);
    ASSERT_EQ(openBytes(part), DSC_CORRUPT) << size;
  }
  bytes.push_back(0);
  EXPECT_EQ(openBytes(bytes), DSC_CORRUPT);
  EXPECT_THAT(dsc_last_error(), HasSubstr("too long"));
}

TEST(Artifact, AnyFlippedBitIsFound) {
  std::vector<uint8_t> bytes = makeBytes();
  size_t weightsBegin = bytes.size() - 3 * sizeof(uint64_t) - kWeightBytes;
  ASSERT_EQ(bytes[weightsBegin], 7);
  for (size_t i = 0; i < bytes.size();) {
    uint8_t mask = 1 << i % 8;
    bytes[i] ^= mask;
    if (i >= weightsBegin && i < weightsBegin + kWeightBytes) {
      dsc::Model model(bytes.data(), bytes.size()); // weights are checked on request
      EXPECT_THROW(model.checkWeights(), dsc::Error) << i;
    } else {
      ASSERT_EQ(openBytes(bytes), DSC_CORRUPT) << i;
    }
    bytes[i] ^= mask;
    bool isDense = i < weightsBegin || i >= weightsBegin + kWeightBytes - 10;
    i += isDense ? 1 : std::min<size_t>(123457, weightsBegin + kWeightBytes - 10 - i);
  }
}

TEST(Artifact, AnotherVersion) {
  std::vector<uint8_t> bytes = makeBytes();
  bytes[8] = 99;
  EXPECT_EQ(openBytes(bytes), DSC_CORRUPT);
  EXPECT_THAT(dsc_last_error(), HasSubstr("format version 99"));
}

TEST(Artifact, TheFirstVariantThatTheMachineHasRuns) {
  Variant future = makeVariant();
  future.target = "x86-64-v9";
  future.features = {"sse2", "telepathy", "prophecy"};
  Variant foreign = makeVariant();
  foreign.target = "armv8-a";
  foreign.architecture = "aarch64";
  foreign.features = {"neon"};
  Variant gpu = makeVariant();
  gpu.kind = Variant::Nvptx;
  gpu.target = "nvptx:sm_80";
  gpu.segments.clear();
  gpu.entries.clear();
  gpu.features = {"sm_990"}; // no machine has such a GPU
  gpu.blocks.assign(gpu.program.kernels.size(), {128, 0});
  Artifact artifact{{gpu, foreign, future, makeVariant()}};
  std::vector<uint8_t> bytes = makeBytes(artifact);
  dsc::Model model(bytes.data(), bytes.size());
  EXPECT_EQ(model.target(), "x86-64-test");
  dsc::Context context(model, dsc::Options(1));
  EXPECT_EQ(runOnce(context), 107);
  artifact.variants.pop_back();
  EXPECT_EQ(openBytes(makeBytes(artifact)), DSC_UNSUPPORTED_CPU);
  std::string error = dsc_last_error();
  EXPECT_TRUE(error.starts_with("the artifact has no code that this machine can run; its code for "
                                "nvptx:sm_80 cannot run: "));
  EXPECT_TRUE(error.ends_with("; its code for armv8-a is for aarch64, this machine is x86_64; its "
                              "code for x86-64-v9 needs telepathy, prophecy"));
}

TEST(CpuFeatures, AgreeWithTheKernels) {
  std::ifstream info("/proc/cpuinfo");
  std::string line;
  while (std::getline(info, line) && !line.starts_with("flags")) {
  }
  line += " ";
  if (!line.starts_with("flags"))
    GTEST_SKIP() << "no /proc/cpuinfo";
  for (const char *name : {"avx", "avx2", "fma", "f16c", "movbe", "popcnt", "bmi1", "bmi2", "abm",
                           "avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "avx512_vnni",
                           "avx512_bf16", "avx512_fp16", "avx_vnni"})
    EXPECT_EQ(dsc::runtime::hasCpuFeature(name),
              line.find(std::string(" ") + name + " ") != std::string::npos)
        << name;
  EXPECT_TRUE(dsc::runtime::hasCpuFeature("sse2"));
  EXPECT_EQ(dsc::runtime::hasCpuFeature("lzcnt"), dsc::runtime::hasCpuFeature("abm"));
  EXPECT_FALSE(dsc::runtime::hasCpuFeature("telepathy"));
}

#endif
