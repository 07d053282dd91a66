//===- PtxWarp.cpp - instructions of a warp -------------------------------===//
#include "PtxBlock.h"

#include <cstring>

namespace ptx {

/// shfl.sync.MODE.b32 d[|p], a, lane, clamp, mask
void Block::shuffle(Thread *warp, const Instruction &i) {
  uint64_t values[kWarp];
  for (int lane = 0; lane < kWarp; ++lane)
    values[lane] = value(warp[lane], i.operands[1]);
  for (int lane = 0; lane < kWarp; ++lane) {
    auto by = static_cast<int>(value(warp[lane], i.operands[2]) & 31);
    if (truncate(value(warp[lane], i.operands[4]), 4) != 0xffffffff)
      fail(warp[lane], "a mask of less than all lanes");
    int source = i.has("bfly")  ? lane ^ by
                 : i.has("idx") ? by
                 : i.has("up")  ? lane - by
                                : lane + by;
    bool isInside = source >= 0 && source < kWarp;
    set(warp[lane], i.operands[0], values[isInside ? source : lane], 4);
    if (!i.operands[0].parts.empty())
      set(warp[lane], i.operands[0].parts[0], isInside, 1);
  }
}

/// Rows of 8 elements of 16 bits; lane l has the address of row l % 8 of matrix l / 8.
void Block::loadMatrices(Thread *warp, const Instruction &i) {
  const std::vector<Operand> &to = i.operands[0].parts;
  for (size_t matrix = 0; matrix < to.size(); ++matrix) {
    uint16_t elements[8][8];
    for (int row = 0; row < 8; ++row) {
      Thread &holder = warp[matrix * 8 + row];
      std::memcpy(elements[row], memory(holder, i, addressOf(holder, i.operands[1]), 16), 16);
    }
    for (int lane = 0; lane < kWarp; ++lane) {
      int row = lane / 4, column = lane % 4 * 2;
      uint32_t low = i.has("trans") ? elements[column][row] : elements[row][column];
      uint32_t high = i.has("trans") ? elements[column + 1][row] : elements[row][column + 1];
      set(warp[lane], to[matrix], low | high << 16, 4);
    }
  }
}

/// d = a b + c for 16 rows, 8 columns and a depth of 8 (tf32) or 16.
void Block::multiply(Thread *warp, const Instruction &i) {
  // d, a, b, c
  Type type = i.types[1];
  bool isTf32 = type.kind == Kind::Tf32;
  int depth = isTf32 ? 8 : 16;
  if (!i.has(isTf32 ? "m16n8k8" : "m16n8k16") || !i.has("row") || !i.has("col"))
    fail(*warp, "unknown shape of a product");
  double a[16][16], b[16][8];
  auto element = [&](int lane, int operand, int reg, int half) -> double {
    uint64_t bits = value(warp[lane], i.operands[operand].parts[reg]);
    if (!isTf32)
      return toDouble(truncate(bits >> half * 16, 2), type);
    if (bits & 0x1fff)
      fail(warp[lane], "an operand is not rounded to tf32");
    return toDouble(bits, {Kind::Float, 4});
  };
  for (int lane = 0; lane < kWarp; ++lane) {
    int group = lane / 4, inGroup = lane % 4;
    for (int reg = 0; reg < 4; ++reg)
      for (int half = 0; half < (isTf32 ? 1 : 2); ++half) {
        int k = isTf32 ? inGroup + reg / 2 * 4 : inGroup * 2 + half + reg / 2 * 8;
        a[group + reg % 2 * 8][k] = element(lane, 1, reg, half);
      }
    for (int reg = 0; reg < 2; ++reg)
      for (int half = 0; half < (isTf32 ? 1 : 2); ++half) {
        int k = isTf32 ? inGroup + reg * 4 : inGroup * 2 + half + reg * 8;
        b[k][group] = element(lane, 2, reg, half);
      }
  }
  for (int lane = 0; lane < kWarp; ++lane) {
    double sums[4];
    for (int reg = 0; reg < 4; ++reg) {
      int row = lane / 4 + reg / 2 * 8, column = lane % 4 * 2 + reg % 2;
      sums[reg] = real(warp[lane], i.operands[3].parts[reg], {Kind::Float, 4});
      for (int k = 0; k < depth; ++k)
        sums[reg] += a[row][k] * b[k][column];
    }
    for (int reg = 0; reg < 4; ++reg)
      set(warp[lane], i.operands[0].parts[reg], fromDouble(sums[reg], {Kind::Float, 4}), 4);
  }
}

} // namespace ptx
