//===- ArenaUseTest.cpp - the arena that a run needs ----------------------===//

#include "dsc/Format/Evaluate.h"

#include <gtest/gtest.h>

using namespace dsc::format;

namespace {

/// Arena values of given sizes in frames of blocks.
struct Frames {
  Program program;
  explicit Frames(size_t blocks) { program.blocks.resize(blocks); }

  Step &add(BlockId block, Step::Kind kind) {
    Step &step = program.blocks[block].steps.emplace_back();
    step.kind = kind;
    return step;
  }
  void place(BlockId block, int64_t bytes, uint32_t first, uint32_t last) {
    program.exprs.push_back({Expr::Const, 0, 0, 0, bytes});
    Value value;
    value.bytes = program.exprs.size() - 1;
    program.values.push_back(value);
    Step &frame = program.blocks[block].steps.back();
    frame.values.push_back(program.values.size() - 1);
    frame.firstUse.push_back(first);
    frame.lastUse.push_back(last);
  }
  ArenaUse measure() const {
    std::vector<int64_t> values(program.exprs.size());
    evaluate(program, {}, values);
    return measureArena(program, values);
  }
};

} // namespace

TEST(ArenaUse, NothingIsNeeded) {
  ArenaUse use = Frames(1).measure();
  EXPECT_EQ(use.planned, 0u);
  EXPECT_EQ(use.lowerBound, 0u);
}

TEST(ArenaUse, FramesOfABlockPileUp) {
  Frames f(1);
  f.add(0, Step::Frame);
  f.place(0, 640, 0, 1); // dead when the other frame comes, which cannot take its place
  f.add(0, Step::Phase);
  f.add(0, Step::Frame);
  f.place(0, 1280, 2, 3);
  f.add(0, Step::Phase);
  EXPECT_EQ(f.measure().planned, 1920u);
  EXPECT_EQ(f.measure().lowerBound, 1280u);
}

TEST(ArenaUse, TheLargerBranchComesOnTop) {
  Frames f(3);
  f.add(0, Step::Frame);
  f.place(0, 640, 0, kNone);
  f.place(0, 6400, 2, 2);
  Step &branch = f.add(0, Step::If);
  branch.thenBlock = 1;
  branch.elseBlock = 2;
  f.add(0, Step::Phase);
  f.add(1, Step::Frame);
  f.place(1, 64, 0, 0);
  f.add(2, Step::Frame);
  f.place(2, 1280, 0, kNone);
  EXPECT_EQ(f.measure().planned, 7040u + 1280);
  EXPECT_EQ(f.measure().lowerBound, 7040u);
}
