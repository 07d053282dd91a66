//===- PtxScalar.cpp - instructions of one thread -------------------------===//
#include "PtxBlock.h"

#include <cstring>
#include <string>

namespace ptx {

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

} // namespace ptx
