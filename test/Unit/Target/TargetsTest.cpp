//===- TargetsTest.cpp - names and triples of targets ---------------------===//

#include "dsc/Dialect/Target/Triples.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace dsc;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

namespace {

std::vector<std::string> found(const std::vector<std::string> &names) {
  std::vector<std::string> result;
  for (const Target *target : findTargets(names))
    result.push_back(target->name);
  return result;
}

std::string resolved(llvm::StringRef triple) {
  llvm::Expected<std::string> result = resolveTriple(triple);
  return result ? *result : llvm::toString(result.takeError());
}

} // namespace

TEST(Targets, TheBestComesFirstAndEachOnce) {
  EXPECT_THAT(found({"x86-64-v3", "armv8-a", "x86-64-v4", "x86-64-v3"}),
              ElementsAre("x86-64-v4", "x86-64-v3", "armv8-a"));
  EXPECT_THAT(found({"z80"}), IsEmpty());
}

TEST(Targets, Architectures) {
  EXPECT_EQ(findTarget("x86-64-v3")->architecture(), "x86_64");
  EXPECT_EQ(findTarget("armv8-a")->architecture(), "aarch64");
  EXPECT_EQ(findTarget("nvptx:sm_80")->architecture(), "nvptx64");
}

TEST(Triples, LongForms) {
  EXPECT_EQ(resolved("aarch64-linux-gnu"), "aarch64-unknown-linux-gnu");
  EXPECT_EQ(resolved("x86_64-linux-musl"), "x86_64-unknown-linux-musl");
  EXPECT_EQ(resolved("x86_64-pc-linux"), "x86_64-pc-linux");
}

TEST(Triples, WhatIsRefused) {
  EXPECT_THAT(resolved(""), HasSubstr("no target of the architecture"));
  EXPECT_THAT(resolved("x86_64"), HasSubstr("not Linux"));
  EXPECT_THAT(resolved("aarch64-apple-darwin"), HasSubstr("not Linux"));
  EXPECT_THAT(resolved("aarch64_be-linux-gnu"), HasSubstr("'aarch64_be'"));
  EXPECT_THAT(resolved("aarch64-linux-gnu_ilp32"), HasSubstr("'gnu_ilp32' is not supported"));
  EXPECT_THAT(resolved("nvptx64-nvidia-cuda"), HasSubstr("they are targets"));
}

TEST(Triples, Targets) {
  EXPECT_TRUE(fits(*findTarget("armv8-a"), "aarch64-unknown-linux-gnu"));
  EXPECT_FALSE(fits(*findTarget("x86-64-v4"), "aarch64-unknown-linux-gnu"));
  EXPECT_EQ(leastTarget("x86_64-unknown-linux-gnu").name, "x86-64-v3");
}
