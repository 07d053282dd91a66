//===- PtxMachine.cpp - runs the threads of a grid ------------------------===//
//
// Blocks run one after another. A thread runs alone until it meets an instruction
// that needs others (a warp's mma, ldmatrix or shfl, or a barrier); the one after
// which nobody can go on ends the launch.
//
// Addresses: global ones are addresses of this process, shared and local ones start
// at 0. A generic address of shared or local memory carries a mark.
//
//===----------------------------------------------------------------------===//
#include "Ptx.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <deque>
#include <stdexcept>

namespace ptx {

namespace {

constexpr int kWarp = 32;
constexpr uint64_t kSharedMark = uint64_t(1) << 62, kLocalMark = uint64_t(1) << 61;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

uint64_t truncate(uint64_t bits, unsigned bytes) {
  return bytes >= 8 ? bits : bits & ((uint64_t(1) << bytes * 8) - 1);
}

int64_t extend(uint64_t bits, unsigned bytes) {
  unsigned shift = 64 - std::min(8u, bytes) * 8;
  return static_cast<int64_t>(bits << shift) >> shift;
}

float halfToFloat(uint16_t half) {
  int exponent = half >> 10 & 31;
  auto fraction = static_cast<float>(half & 1023);
  float value = exponent == 31 ? (half & 1023 ? NAN : INFINITY)
                : exponent     ? std::ldexp(fraction + 1024, exponent - 25)
                               : std::ldexp(fraction, -24);
  return half & 0x8000 ? -value : value;
}

/// To nearest, ties to even.
uint16_t floatToHalf(double value) {
  uint16_t sign = std::signbit(value) ? 0x8000 : 0;
  double magnitude = std::fabs(value);
  if (std::isnan(value))
    return 0x7fff;
  if (magnitude >= 65520)
    return sign | 0x7c00;
  int exponent;
  std::frexp(magnitude, &exponent);
  exponent = std::max(exponent - 11, -24); // of the last bit
  auto units = static_cast<uint32_t>(std::nearbyint(std::ldexp(magnitude, -exponent)));
  // A carry into the exponent is right as it is.
  uint32_t biased = units >= 1024 ? ((exponent + 24) << 10) + units : units;
  return sign | static_cast<uint16_t>(biased);
}

uint16_t floatToBFloat(float value) {
  auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value))
    return 0x7fff;
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

double toDouble(uint64_t bits, Type type) {
  if (type.kind == Kind::BFloat)
    return std::bit_cast<float>(static_cast<uint32_t>(bits << 16));
  if (type.bytes == 2)
    return halfToFloat(static_cast<uint16_t>(bits));
  if (type.bytes == 4)
    return std::bit_cast<float>(static_cast<uint32_t>(bits));
  return std::bit_cast<double>(bits);
}

uint64_t fromDouble(double value, Type type) {
  if (type.kind == Kind::BFloat)
    return floatToBFloat(static_cast<float>(value));
  if (type.bytes == 2)
    return floatToHalf(value);
  if (type.bytes == 4)
    return std::bit_cast<uint32_t>(static_cast<float>(value));
  return std::bit_cast<uint64_t>(value);
}

/// Nearest tf32, ties away from zero.
uint32_t roundToTf32(uint32_t bits) {
  bool isSpecial = (bits >> 23 & 255) == 255;
  return (isSpecial ? bits : bits + 0x1000) & ~uint32_t(0x1fff);
}

bool isFloat(Type type) { return type.kind == Kind::Float || type.kind == Kind::BFloat; }

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

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

//===----------------------------------------------------------------------===//
// Scalar instructions
//===----------------------------------------------------------------------===//

/// mov, between registers and into and out of their parts.
void Block::move(Thread &thread, const Instruction &i) {
  const Operand &to = i.operands[0], &from = i.operands[1];
  unsigned bytes = i.types.back().bytes;
  if (to.form == Operand::Vector) {
    unsigned part = bytes / static_cast<unsigned>(to.parts.size());
    uint64_t bits = value(thread, from);
    for (const Operand &each : to.parts) {
      set(thread, each, bits, part);
      bits >>= part * 8;
    }
  } else if (from.form == Operand::Vector) {
    unsigned part = bytes / static_cast<unsigned>(from.parts.size());
    uint64_t bits = 0;
    for (size_t n = 0; n < from.parts.size(); ++n)
      bits |= truncate(value(thread, from.parts[n]), part) << n * part * 8;
    set(thread, to, bits, bytes);
  } else if (from.form == Operand::Special && !from.parts.empty()) {
    fail(thread, "bad operand");
  } else {
    set(thread, to, value(thread, from), bytes);
  }
}

void Block::convert(Thread &thread, const Instruction &i) {
  if (i.has("bf16x2") || i.has("f16x2")) { // the first operand is the upper half
    Type half{i.has("bf16x2") ? Kind::BFloat : Kind::Float, 2}, single{Kind::Float, 4};
    uint64_t high = fromDouble(real(thread, i.operands[1], single), half);
    uint64_t low = fromDouble(real(thread, i.operands[2], single), half);
    return set(thread, i.operands[0], high << 16 | low, 4);
  }
  if (i.types.size() != 2)
    fail(thread, "unknown conversion");
  Type to = i.types[0], from = i.types[1];
  uint64_t bits = value(thread, i.operands[1]);
  if (to.kind == Kind::Tf32) {
    if (!i.has("rna"))
      fail(thread, "unknown rounding");
    return set(thread, i.operands[0], roundToTf32(static_cast<uint32_t>(bits)), 4);
  }
  if (isFloat(from)) {
    double x = toDouble(bits, from);
    if (i.has("rni") || i.has("rn"))
      x = isFloat(to) && !i.has("rni") ? x : std::nearbyint(x);
    else if (i.has("rzi"))
      x = std::trunc(x);
    else if (i.has("rmi"))
      x = std::floor(x);
    else if (i.has("rpi"))
      x = std::ceil(x);
    if (i.has("sat"))
      x = std::isnan(x) ? 0 : std::clamp(x, 0.0, 1.0);
    if (isFloat(to))
      return set(thread, i.operands[0], fromDouble(x, to), to.bytes);
    // Saturates; NaN becomes 0.
    double most = std::ldexp(1.0, to.bytes * 8 - (to.kind == Kind::Signed));
    if (std::isnan(x))
      bits = 0;
    else if (to.kind == Kind::Signed)
      bits = x >= most    ? (uint64_t(1) << (to.bytes * 8 - 1)) - 1
             : x <= -most ? uint64_t(1) << (to.bytes * 8 - 1)
                          : static_cast<uint64_t>(static_cast<int64_t>(x));
    else
      bits = x >= most ? ~uint64_t(0) : x <= 0 ? 0 : static_cast<uint64_t>(x);
    return set(thread, i.operands[0], bits, to.bytes);
  }
  bits = from.kind == Kind::Signed ? static_cast<uint64_t>(extend(bits, from.bytes))
                                   : truncate(bits, from.bytes);
  if (!isFloat(to)) {
    if (i.has("sat"))
      fail(thread, "saturating conversions of integers are not known");
    // A narrow signed result fills its register's sign.
    thread.registers[i.operands[0].reg] = to.kind == Kind::Signed
                                              ? static_cast<uint64_t>(extend(bits, to.bytes))
                                              : truncate(bits, to.bytes);
    return;
  }
  if (to.bytes == 4) // rounded once
    return set(thread, i.operands[0],
               std::bit_cast<uint32_t>(from.kind == Kind::Signed
                                           ? static_cast<float>(static_cast<int64_t>(bits))
                                           : static_cast<float>(bits)),
               4);
  double x = from.kind == Kind::Signed ? static_cast<double>(static_cast<int64_t>(bits))
                                       : static_cast<double>(bits);
  set(thread, i.operands[0], fromDouble(x, to), to.bytes);
}

/// setp.CMP[.BOOL][.ftz].TYPE p[|q], a, b[, c]
void Block::compare(Thread &thread, const Instruction &i) {
  Type type = i.types.back();
  const std::string &name = i.words[0];
  uint64_t a = value(thread, i.operands[1]), b = value(thread, i.operands[2]);
  bool result;
  if (isFloat(type)) {
    double x = toDouble(a, type), y = toDouble(b, type);
    bool isUnordered = std::isnan(x) || std::isnan(y);
    if (name == "num" || name == "nan") {
      result = isUnordered == (name == "nan");
    } else {
      bool orUnordered = name.size() == 3; // equ, ltu ...
      std::string base = name.substr(0, 2);
      result = base == "eq"   ? x == y
               : base == "ne" ? x != y && !isUnordered
               : base == "lt" ? x < y
               : base == "le" ? x <= y
               : base == "gt" ? x > y
                              : x >= y;
      result |= orUnordered && isUnordered;
    }
  } else {
    int64_t x = extend(a, type.bytes), y = extend(b, type.bytes);
    uint64_t u = truncate(a, type.bytes), v = truncate(b, type.bytes);
    bool isSigned = type.kind == Kind::Signed;
    auto less = [&] { return isSigned ? x < y : u < v; };
    auto more = [&] { return isSigned ? x > y : u > v; };
    if (name == "eq")
      result = u == v;
    else if (name == "ne")
      result = u != v;
    else if (name == "lt" || name == "lo")
      result = less();
    else if (name == "le" || name == "ls")
      result = !more();
    else if (name == "gt" || name == "hi")
      result = more();
    else if (name == "ge" || name == "hs")
      result = !less();
    else
      fail(thread, "unknown comparison");
  }
  bool other = !result;
  if (i.operands.size() > 3) {
    bool with = value(thread, i.operands[3]);
    auto combine = [&](bool x) {
      return i.words[1] == "and" ? x && with : i.words[1] == "or" ? x || with : x != with;
    };
    result = combine(result), other = combine(other);
  }
  set(thread, i.operands[0], result, 1);
  if (!i.operands[0].parts.empty())
    set(thread, i.operands[0].parts[0], other, 1);
}

void Block::integer(Thread &thread, const Instruction &i, Type type) {
  bool isSigned = type.kind == Kind::Signed;
  unsigned bytes = type.kind == Kind::Predicate ? 1 : type.bytes, bitCount = bytes * 8;
  auto get = [&](size_t n) -> uint64_t {
    uint64_t bits = value(thread, i.operands[n]);
    return isSigned ? static_cast<uint64_t>(extend(bits, bytes)) : truncate(bits, bytes);
  };
  auto done = [&](uint64_t bits) { set(thread, i.operands[0], bits, bytes); };
  auto product = [&] {
    return isSigned ? static_cast<unsigned __int128>(
                          static_cast<__int128>(static_cast<int64_t>(get(1))) *
                          static_cast<int64_t>(get(2)))
                    : static_cast<unsigned __int128>(get(1)) * get(2);
  };
  if (i.op == Op::Add)
    return done(get(1) + get(2));
  if (i.op == Op::Sub)
    return done(get(1) - get(2));
  if (i.op == Op::Mul || i.op == Op::Mad) {
    uint64_t c = i.op == Op::Mad ? value(thread, i.operands[3]) : 0;
    if (i.has("wide"))
      return set(thread, i.operands[0], static_cast<uint64_t>(product()) + c, bytes * 2);
    return done((i.has("hi") ? static_cast<uint64_t>(product() >> bitCount)
                             : static_cast<uint64_t>(product())) +
                c);
  }
  if (i.op == Op::Div || i.op == Op::Rem) {
    uint64_t a = get(1), b = get(2);
    if (b == 0)
      return done(~uint64_t(0)); // what hardware does
    if (isSigned && b == ~uint64_t(0))
      return done(i.op == Op::Div ? -a : 0);
    auto x = static_cast<int64_t>(a), y = static_cast<int64_t>(b);
    if (i.op == Op::Div)
      return done(isSigned ? static_cast<uint64_t>(x / y) : a / b);
    return done(isSigned ? static_cast<uint64_t>(x % y) : a % b);
  }
  if (i.op == Op::Min || i.op == Op::Max) {
    uint64_t a = get(1), b = get(2);
    bool isLess = isSigned ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
    return done(isLess == (i.op == Op::Min) ? a : b);
  }
  if (i.op == Op::Abs)
    return done(static_cast<uint64_t>(std::abs(static_cast<int64_t>(get(1)))));
  if (i.op == Op::Neg)
    return done(-get(1));
  bool isPredicate = type.kind == Kind::Predicate;
  if (i.op == Op::Not)
    return done(isPredicate ? !get(1) : ~get(1));
  if (i.op == Op::And)
    return done(get(1) & get(2));
  if (i.op == Op::Or)
    return done(get(1) | get(2));
  if (i.op == Op::Xor)
    return done(get(1) ^ get(2));
  if (i.op == Op::Shl || i.op == Op::Shr) {
    uint64_t by = truncate(value(thread, i.operands[2]), 4);
    if (by >= bitCount)
      return done(i.op == Op::Shr && isSigned && static_cast<int64_t>(get(1)) < 0 ? ~uint64_t(0)
                                                                                  : 0);
    if (i.op == Op::Shl)
      return done(get(1) << by);
    return done(isSigned ? static_cast<uint64_t>(static_cast<int64_t>(get(1)) >> by)
                         : get(1) >> by);
  }
  if (i.op == Op::Shf) {
    uint64_t both = get(1) | get(2) << 32, by = get(3);
    by = i.has("wrap") ? by & 31 : std::min<uint64_t>(by, 32);
    return done(i.has("l") ? both << by >> 32 : both >> by);
  }
  if (i.op == Op::Popc)
    return set(thread, i.operands[0], std::popcount(get(1)), 4);
  if (i.op == Op::Clz)
    return set(thread, i.operands[0], std::countl_zero(truncate(get(1), bytes)) - (64 - bitCount),
               4);
  if (i.op == Op::Bfe) {
    uint64_t position = value(thread, i.operands[2]) & 255,
             length = value(thread, i.operands[3]) & 255;
    uint64_t bits = position < 64 ? truncate(get(1), bytes) >> position : 0;
    if (length < 64)
      bits &= (uint64_t(1) << length) - 1;
    if (isSigned && length && length < 64 && bits >> (length - 1) & 1)
      bits |= ~uint64_t(0) << length;
    return done(bits);
  }
  if (i.op == Op::Prmt) {
    uint64_t both = truncate(get(1), 4) | truncate(get(2), 4) << 32, how = get(3), bits = 0;
    for (int n = 0; n < 4; ++n) {
      uint64_t select = how >> n * 4 & 15, byte = both >> (select & 7) * 8 & 255;
      if (select & 8)
        byte = byte & 128 ? 255 : 0;
      bits |= byte << n * 8;
    }
    return done(bits);
  }
  if (i.op == Op::Lop3) {
    uint64_t a = get(1), b = get(2), c = get(3), table = value(thread, i.operands[4]), bits = 0;
    for (unsigned n = 0; n < bitCount; ++n)
      bits |= (table >> ((a >> n & 1) << 2 | (b >> n & 1) << 1 | (c >> n & 1)) & 1) << n;
    return done(bits);
  }
  fail(thread, "unknown instruction");
}

void Block::floating(Thread &thread, const Instruction &i, Type type) {
  auto get = [&](size_t n) { return real(thread, i.operands[n], type); };
  auto done = [&](double x) { set(thread, i.operands[0], fromDouble(x, type), type.bytes); };
  auto single = [&](size_t n) { return static_cast<float>(get(n)); };
  // A double holds sums and products of floats so well that the second rounding does
  // no harm; a fused one is left to the library.
  if (i.op == Op::Add)
    return done(get(1) + get(2));
  if (i.op == Op::Sub)
    return done(get(1) - get(2));
  if (i.op == Op::Mul)
    return done(get(1) * get(2));
  if (i.op == Op::Fma || i.op == Op::Mad)
    return done(type.bytes == 4 ? std::fma(single(1), single(2), single(3))
                                : std::fma(get(1), get(2), get(3)));
  if (i.op == Op::Div)
    return done(get(1) / get(2));
  if (i.op == Op::Rcp)
    return done(1 / get(1));
  if (i.op == Op::Sqrt)
    return done(std::sqrt(get(1)));
  if (i.op == Op::Rsqrt)
    return done(1 / std::sqrt(get(1)));
  if (i.op == Op::Ex2)
    return done(std::exp2(get(1)));
  if (i.op == Op::Lg2)
    return done(std::log2(get(1)));
  if (i.op == Op::Tanh)
    return done(std::tanh(get(1)));
  if (i.op == Op::Abs)
    return done(std::fabs(get(1)));
  if (i.op == Op::Neg)
    return done(-get(1));
  if (i.op == Op::Copysign) // the sign of the first
    return done(std::copysign(get(2), get(1)));
  if (i.op == Op::Min || i.op == Op::Max) {
    double a = get(1), b = get(2);
    if (std::isnan(a) || std::isnan(b))
      return done(i.has("NaN") ? NAN : std::isnan(a) ? b : a);
    bool isLess = a < b || (a == b && std::signbit(a));
    return done(isLess == (i.op == Op::Min) ? a : b);
  }
  fail(thread, "unknown instruction");
}

bool Block::step(Thread &thread, const Instruction &i) {
  if (i.op == Op::Shfl || i.op == Op::Ldmatrix || i.op == Op::Mma) {
    thread.state = Thread::AtWarp;
    return false;
  }
  if ((i.op == Op::Bar || i.op == Op::Barrier) && i.has("sync") && !i.has("warp")) {
    thread.state = Thread::AtBarrier;
    return false;
  }
  if (i.op == Op::Ret || i.op == Op::Exit) {
    thread.state = Thread::Done;
    return false;
  }
  if (i.op == Op::Ld || i.op == Op::Ldu)
    load(thread, i);
  else if (i.op == Op::St)
    store(thread, i);
  else if (i.op == Op::Mov)
    move(thread, i);
  else if (i.op == Op::Cvt)
    convert(thread, i);
  else if (i.op == Op::Setp)
    compare(thread, i);
  else if (i.op == Op::Selp)
    set(thread, i.operands[0], value(thread, i.operands[value(thread, i.operands[3]) ? 1 : 2]),
        i.types.back().bytes);
  else if (i.op == Op::Cp)
    copyAsync(thread, i);
  else if (i.op == Op::Atom || i.op == Op::Red)
    atomic(thread, i);
  else if (i.op == Op::Cvta)
    set(thread, i.operands[0],
        i.has("to") ? value(thread, i.operands[1]) & ~(kSharedMark | kLocalMark)
                    : value(thread, i.operands[1]) | (i.has("shared")  ? kSharedMark
                                                      : i.has("local") ? kLocalMark
                                                                       : 0),
        8);
  else if (i.op == Op::Bar || i.op == Op::Membar || i.op == Op::Fence)
    return true;
  else if (i.types.empty())
    fail(thread, "unknown instruction");
  else if (isFloat(i.types.back()))
    floating(thread, i, i.types.back());
  else
    integer(thread, i, i.types.back());
  return true;
}

//===----------------------------------------------------------------------===//
// Instructions of a warp
//===----------------------------------------------------------------------===//

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

} // namespace

void run(const Module &module, const Kernel &kernel, const Launch &launch) {
  if (kernel.requiredThreads && kernel.requiredThreads != static_cast<int>(launch.threads))
    throw std::runtime_error(kernel.name + ": needs blocks of " +
                             std::to_string(kernel.requiredThreads) + " threads");
  for (uint32_t block = 0; block < launch.blocks; ++block)
    Block(module, kernel, launch, block).run();
}

} // namespace ptx
