//===- PtxMachine.cpp - runs the threads of a grid ------------------------===//
//
// Blocks run one after another. A thread runs alone until it meets an instruction
// that needs others (a warp's mma, ldmatrix or shfl, or a barrier); the one after
// which nobody can go on ends the launch.
//
//===----------------------------------------------------------------------===//
#include "PtxBlock.h"

#include <cstring>
#include <stdexcept>

namespace ptx {

Block::Block(const Module &module, const Kernel &kernel, const Launch &launch, uint32_t number)
    : module(module), kernel(kernel), launch(launch), number(number),
      shared(launch.sharedBytes, 0xff), threads(launch.threads) {
  for (uint32_t i = 0; i < threads.size(); ++i) {
    threads[i].number = i;
    threads[i].registers.resize(kernel.registers);
    threads[i].local.resize(kernel.localBytes, 0xff);
    threads[i].groups.emplace_back();
  }
}

void Block::fail(const Thread &thread, const std::string &what) const {
  std::string text = thread.pc < static_cast<int32_t>(kernel.code.size()) ? at(thread).text : "end";
  throw std::runtime_error(kernel.name + ", block " + std::to_string(number) + ", thread " +
                           std::to_string(thread.number) + ", instruction " +
                           std::to_string(thread.pc) + " '" + text + "': " + what);
}

void Block::runThread(Thread &thread) {
  while (thread.state == Thread::Running) {
    if (thread.pc >= static_cast<int32_t>(kernel.code.size())) {
      thread.state = Thread::Done;
      return;
    }
    const Instruction &i = at(thread);
    if (i.predicate >= 0 && bool(thread.registers[i.predicate]) == i.isNegated) {
      ++thread.pc;
      continue;
    }
    if (i.op == Op::Bra)
      thread.pc = i.target;
    else if (step(thread, i))
      ++thread.pc;
  }
}

void Block::run() {
  size_t warps = (threads.size() + kWarp - 1) / kWarp;
  if (threads.size() % kWarp != 0)
    throw std::runtime_error(kernel.name + ": blocks are not whole warps");
  // Which thread is first must not matter.
  bool isReversed = (number + launch.number) % 2;
  while (true) {
    for (size_t w = 0; w < warps; ++w) {
      Thread *warp = &threads[(isReversed ? warps - 1 - w : w) * kWarp];
      while (true) {
        for (int lane = 0; lane < kWarp; ++lane)
          runThread(warp[isReversed ? kWarp - 1 - lane : lane]);
        if (warp[0].state != Thread::AtWarp)
          break;
        meetWarp(warp);
      }
      for (int lane = 1; lane < kWarp; ++lane)
        if (warp[lane].state != warp[0].state)
          fail(warp[lane], "a warp's threads do not meet");
    }
    if (threads[0].state == Thread::Done)
      break;
    for (Thread &thread : threads) {
      if (thread.state != Thread::AtBarrier)
        fail(thread, "not all threads reach the barrier");
      thread.state = Thread::Running;
      ++thread.pc;
    }
  }
  for (Thread &thread : threads)
    if (thread.state != Thread::Done)
      fail(thread, "not all threads end");
}

void Block::meetWarp(Thread *warp) {
  for (int lane = 0; lane < kWarp; ++lane)
    if (warp[lane].state != Thread::AtWarp || warp[lane].pc != warp[0].pc)
      fail(warp[lane], "a warp's threads do not meet");
  const Instruction &i = at(warp[0]);
  if (i.op == Op::Shfl)
    shuffle(warp, i);
  else if (i.op == Op::Ldmatrix)
    loadMatrices(warp, i);
  else if (i.op == Op::Mma)
    multiply(warp, i);
  for (int lane = 0; lane < kWarp; ++lane) {
    warp[lane].state = Thread::Running;
    ++warp[lane].pc;
  }
}

//===----------------------------------------------------------------------===//
// Operands and memory
//===----------------------------------------------------------------------===//

uint64_t Block::special(const Thread &thread, const std::string &name) const {
  if (name == "%tid.x")
    return thread.number;
  if (name == "%ctaid.x")
    return number;
  if (name == "%ntid.x")
    return launch.threads;
  if (name == "%nctaid.x")
    return launch.blocks;
  if (name == "%laneid")
    return thread.number % kWarp;
  if (auto it = module.constants.find(name); it != module.constants.end())
    return reinterpret_cast<uint64_t>(it->second.data());
  if (name[0] == '%')
    fail(thread, "unknown register " + name);
  return 0; // the shared memory
}

uint64_t Block::value(const Thread &thread, const Operand &operand) const {
  switch (operand.form) {
  case Operand::Register:
    return thread.registers[operand.reg];
  case Operand::Number:
    return operand.bits;
  case Operand::Special:
    return special(thread, operand.name);
  default:
    fail(thread, "a vector or address where a value is expected");
  }
}

uint64_t Block::addressOf(const Thread &thread, const Operand &operand) const {
  uint64_t base = operand.reg >= 0 ? thread.registers[operand.reg] : 0;
  return base + operand.bits + (operand.name.empty() ? 0 : special(thread, operand.name));
}

uint8_t *Block::memory(Thread &thread, const Instruction &i, uint64_t address, unsigned bytes) {
  if (address % bytes != 0)
    fail(thread, "misaligned address");
  bool isShared = i.has("shared"), isLocal = i.has("local");
  if (!isShared && !isLocal && !i.has("global") && !i.has("const")) {
    isShared = address & kSharedMark, isLocal = address & kLocalMark;
    address &= ~(kSharedMark | kLocalMark);
  }
  if (isShared || isLocal) {
    std::vector<uint8_t> &space = isShared ? shared : thread.local;
    if (address + bytes > space.size() || address + bytes < address)
      fail(thread, std::string("outside of ") + (isShared ? "shared" : "local") + " memory");
    return space.data() + address;
  }
  bool isConstant = false;
  for (const auto &[name, table] : module.constants) {
    auto start = reinterpret_cast<uint64_t>(table.data());
    isConstant |= address >= start && address + bytes <= start + table.size();
  }
  if (!isConstant && !launch.isMapped(address, bytes))
    fail(thread, "an address outside of the device's memory");
  return reinterpret_cast<uint8_t *>(address);
}

void Block::load(Thread &thread, const Instruction &i) {
  const Operand &to = i.operands[0], &from = i.operands[1];
  Type type = i.types.back();
  std::vector<const Operand *> targets;
  if (to.form == Operand::Vector)
    for (const Operand &part : to.parts)
      targets.push_back(&part);
  else
    targets.push_back(&to);
  unsigned bytes = type.bytes * static_cast<unsigned>(targets.size());
  const uint8_t *source = nullptr;
  if (i.has("param")) {
    auto it = std::find_if(kernel.parameters.begin(), kernel.parameters.end(),
                           [&](const Parameter &each) { return each.name == from.name; });
    if (it == kernel.parameters.end())
      fail(thread, "no parameter " + from.name);
    source = launch.parameters.data() + it->offset + from.bits;
  } else {
    source = memory(thread, i, addressOf(thread, from), bytes);
  }
  for (size_t n = 0; n < targets.size(); ++n) {
    uint64_t bits = 0;
    std::memcpy(&bits, source + n * type.bytes, type.bytes);
    // Narrow signed loads fill the register's sign.
    thread.registers[targets[n]->reg] =
        type.kind == Kind::Signed ? static_cast<uint64_t>(extend(bits, type.bytes)) : bits;
  }
}

void Block::store(Thread &thread, const Instruction &i) {
  const Operand &from = i.operands[1];
  Type type = i.types.back();
  unsigned count = from.form == Operand::Vector ? static_cast<unsigned>(from.parts.size()) : 1;
  uint8_t *to = memory(thread, i, addressOf(thread, i.operands[0]), type.bytes * count);
  for (unsigned n = 0; n < count; ++n) {
    uint64_t bits = value(thread, from.form == Operand::Vector ? from.parts[n] : from);
    std::memcpy(to + n * type.bytes, &bits, type.bytes);
  }
}

void Block::atomic(Thread &thread, const Instruction &i) {
  bool hasResult = i.op == Op::Atom;
  Type type = i.types.back();
  uint8_t *cell = memory(thread, i, addressOf(thread, i.operands[hasResult]), type.bytes);
  uint64_t old = 0, given = value(thread, i.operands[hasResult + 1]);
  std::memcpy(&old, cell, type.bytes);
  uint64_t updated = 0;
  if (i.has("max"))
    updated = std::max(old, truncate(given, type.bytes));
  else if (i.has("or"))
    updated = old | given;
  else
    fail(thread, "unknown atomic operation");
  std::memcpy(cell, &updated, type.bytes);
  if (hasResult)
    set(thread, i.operands[0], old, type.bytes);
}

/// Asynchronous copies: the bytes arrive when they are waited for; until then there
/// is rubbish.
void Block::copyAsync(Thread &thread, const Instruction &i) {
  if (i.has("commit_group")) {
    thread.groups.emplace_back();
    return;
  }
  if (i.has("wait_group") || i.has("wait_all")) {
    uint64_t pending = i.has("wait_group") ? value(thread, i.operands[0]) : 0;
    while (thread.groups.size() > pending + 1 || (i.has("wait_all") && !thread.groups.empty())) {
      for (const Copy &copy : thread.groups.front()) {
        std::memset(shared.data() + copy.to, 0, copy.bytes);
        std::memcpy(shared.data() + copy.to, reinterpret_cast<void *>(copy.from), copy.sourceBytes);
      }
      thread.groups.pop_front();
    }
    if (thread.groups.empty())
      thread.groups.emplace_back();
    return;
  }
  Copy copy;
  copy.to = addressOf(thread, i.operands[0]);
  copy.from = addressOf(thread, i.operands[1]);
  copy.bytes = static_cast<unsigned>(value(thread, i.operands[2]));
  copy.sourceBytes = i.operands.size() > 3
                         ? static_cast<unsigned>(value(thread, i.operands[3]) & 0xffffffff)
                         : copy.bytes;
  if (copy.sourceBytes > copy.bytes || (i.has("cg") && copy.bytes != 16))
    fail(thread, "bad sizes of an asynchronous copy");
  if (copy.to % copy.bytes != 0 || copy.from % copy.bytes != 0)
    fail(thread, "misaligned asynchronous copy");
  if (copy.to + copy.bytes > shared.size())
    fail(thread, "outside of shared memory");
  if (copy.sourceBytes && !launch.isMapped(copy.from, copy.sourceBytes))
    fail(thread, "an address outside of the device's memory");
  std::memset(shared.data() + copy.to, 0xff, copy.bytes);
  thread.groups.back().push_back(copy);
}

void run(const Module &module, const Kernel &kernel, const Launch &launch) {
  if (kernel.requiredThreads && kernel.requiredThreads != static_cast<int>(launch.threads))
    throw std::runtime_error(kernel.name + ": needs blocks of " +
                             std::to_string(kernel.requiredThreads) + " threads");
  for (uint32_t block = 0; block < launch.blocks; ++block)
    Block(module, kernel, launch, block).run();
}

} // namespace ptx
