//===- PtxBlock.h - a block of threads that runs --------------------------===//
//
// Addresses: global ones are addresses of this process, shared and local ones start
// at 0. A generic address of shared or local memory carries a mark.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "PtxNumbers.h"

#include <deque>

namespace ptx {

constexpr int kWarp = 32;
constexpr uint64_t kSharedMark = uint64_t(1) << 62, kLocalMark = uint64_t(1) << 61;

/// A cp.async that was not waited for yet.
struct Copy {
  uint64_t to = 0, from = 0;
  unsigned bytes = 0, sourceBytes = 0;
};

struct Thread {
  enum State : uint8_t { Running, AtWarp, AtBarrier, Done };
  std::vector<uint64_t> registers;
  std::vector<uint8_t> local;
  std::deque<std::vector<Copy>> groups; // the last one is open
  uint32_t number = 0;
  int32_t pc = 0;
  State state = Running;
};

class Block {
public:
  Block(const Module &module, const Kernel &kernel, const Launch &launch, uint32_t number);
  void run();

private:
  [[noreturn]] void fail(const Thread &thread, const std::string &what) const;
  const Instruction &at(const Thread &thread) const { return kernel.code[thread.pc]; }

  void runThread(Thread &thread);
  /// False where the thread must wait for others.
  bool step(Thread &thread, const Instruction &i);
  void meetWarp(Thread *warp);

  uint64_t value(const Thread &thread, const Operand &operand) const;
  double real(const Thread &thread, const Operand &operand, Type type) const {
    return toDouble(value(thread, operand), type);
  }
  void set(Thread &thread, const Operand &operand, uint64_t bits, unsigned bytes) {
    thread.registers[operand.reg] = truncate(bits, bytes);
  }
  uint64_t special(const Thread &thread, const std::string &name) const;
  uint64_t addressOf(const Thread &thread, const Operand &operand) const;
  uint8_t *memory(Thread &thread, const Instruction &i, uint64_t address, unsigned bytes);

  void load(Thread &thread, const Instruction &i);
  void store(Thread &thread, const Instruction &i);
  void move(Thread &thread, const Instruction &i);
  void convert(Thread &thread, const Instruction &i);
  void compare(Thread &thread, const Instruction &i);
  void copyAsync(Thread &thread, const Instruction &i);
  void atomic(Thread &thread, const Instruction &i);
  void integer(Thread &thread, const Instruction &i, Type type);
  void floating(Thread &thread, const Instruction &i, Type type);
  void shuffle(Thread *warp, const Instruction &i);
  void loadMatrices(Thread *warp, const Instruction &i);
  void multiply(Thread *warp, const Instruction &i);

  const Module &module;
  const Kernel &kernel;
  const Launch &launch;
  uint32_t number;
  std::vector<uint8_t> shared;
  std::vector<Thread> threads;
};

} // namespace ptx
