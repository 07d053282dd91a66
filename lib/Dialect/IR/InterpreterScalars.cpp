//===- InterpreterScalars.cpp - arith and math ops on columns -------------===//
#include "InterpreterBody.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/ADT/bit.h"

#include <cmath>
#include <numeric>

using namespace mlir;

namespace dsc::interpreter {

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

template <typename Out, typename Fn, typename... In>
static auto makeStep(Out *out, Fn fn, const In *...in) {
  return [=](int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      out[i] = static_cast<Out>(fn(in[i]...));
  };
}

template <typename Out, typename... In, typename Fn>
void BodyProgram::add(Operation &inner, Fn fn) {
  Out *out = column(inner.getResult(0)).data<Out>();
  [&]<size_t... I>(std::index_sequence<I...>) {
    steps.push_back(makeStep(
        out, fn, static_cast<const In *>(column(inner.getOperand(I)).template data<In>())...));
  }(std::index_sequence_for<In...>());
}

/// `Same...`: one per operand; the types themselves do not matter.
template <typename... Same, typename Fn> void BodyProgram::addFloat(Operation &inner, Fn fn) {
  Column &out = column(inner.getResult(0));
  if (out.kind == Column::Double)
    add<double, std::conditional_t<true, double, Same>...>(inner, fn);
  else
    add<float, std::conditional_t<true, float, Same>...>(inner, fn);
  addRounding(out);
}

/// A predicate of floats.
template <typename... Same, typename Fn> void BodyProgram::addTest(Operation &inner, Fn fn) {
  auto truth = [fn](auto... x) { return -static_cast<int64_t>(fn(x...)); };
  if (column(inner.getOperand(0)).kind == Column::Double)
    add<int64_t, std::conditional_t<true, double, Same>...>(inner, truth);
  else
    add<int64_t, std::conditional_t<true, float, Same>...>(inner, truth);
}

void BodyProgram::addRounding(Column &out) {
  if (out.kind != Column::Single || out.type.isF32())
    return;
  steps.push_back([&out, type = cast<FloatType>(out.type)](int64_t count) {
    for (int64_t i = 0; i < count; ++i)
      out.singles[i] = static_cast<float>(roundTo(out.singles[i], type));
  });
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

// Division where it is undefined (by 0, or the smallest by -1) gives 0 and the
// wrapped quotient: points that are not active have any values.
static int64_t divideSigned(int64_t a, int64_t b) {
  if (b == 0)
    return 0;
  return b == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : a / b;
}
static int64_t remainderSigned(int64_t a, int64_t b) { return b == 0 || b == -1 ? 0 : a % b; }
static int64_t divideFloor(int64_t a, int64_t b) {
  return divideSigned(a, b) - (remainderSigned(a, b) != 0 && (a < 0) != (b < 0));
}
static int64_t divideCeil(int64_t a, int64_t b) {
  return divideSigned(a, b) + (remainderSigned(a, b) != 0 && (a < 0) == (b < 0));
}

static bool compare(arith::CmpIPredicate predicate, int64_t a, int64_t b) {
  auto ua = static_cast<uint64_t>(a), ub = static_cast<uint64_t>(b);
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  case arith::CmpIPredicate::sge:
    return a >= b;
  // Sign extension keeps the order of unsigned numbers.
  case arith::CmpIPredicate::ult:
    return ua < ub;
  case arith::CmpIPredicate::ule:
    return ua <= ub;
  case arith::CmpIPredicate::ugt:
    return ua > ub;
  case arith::CmpIPredicate::uge:
    return ua >= ub;
  }
  llvm_unreachable("covered");
}

bool BodyProgram::compileIntegers(Operation &inner) {
  if (inner.getNumOperands() == 0 || inner.getNumResults() != 1)
    return false;
  using I = int64_t;
  using U = uint64_t;
  Type operandType = inner.getOperand(0).getType();
  unsigned width = operandType.isIndex() ? 64 : operandType.getIntOrFloatBitWidth();
  // Binary ops on sign-extended values; the result is wrapped.
  auto onSigned = [&](auto fn) {
    add<I, I, I>(inner, [=](I a, I b) { return wrap(fn(a, b), width); });
  };
  auto onUnsigned = [&](auto fn) {
    add<I, I, I>(inner, [=](I a, I b) {
      return wrap(fn(unsignedBits(a, width), unsignedBits(b, width)), width);
    });
  };
  auto onBits = [&](auto fn) {
    add<I, I>(inner, [=](I a) { return wrap(fn(unsignedBits(a, width)), width); });
  };
  return TypeSwitch<Operation &, bool>(inner)
      .Case([&](arith::AddIOp) { return onSigned([](U a, U b) { return a + b; }), true; })
      .Case([&](arith::SubIOp) { return onSigned([](U a, U b) { return a - b; }), true; })
      .Case([&](arith::MulIOp) { return onSigned([](U a, U b) { return a * b; }), true; })
      .Case([&](arith::DivSIOp) { return onSigned(divideSigned), true; })
      .Case([&](arith::RemSIOp) { return onSigned(remainderSigned), true; })
      .Case([&](arith::FloorDivSIOp) { return onSigned(divideFloor), true; })
      .Case([&](arith::CeilDivSIOp) { return onSigned(divideCeil), true; })
      .Case([&](arith::DivUIOp) {
        return onUnsigned([](U a, U b) { return b == 0 ? 0 : a / b; }), true;
      })
      .Case([&](arith::RemUIOp) {
        return onUnsigned([](U a, U b) { return b == 0 ? 0 : a % b; }), true;
      })
      .Case([&](arith::CeilDivUIOp) {
        return onUnsigned([](U a, U b) { return b == 0 ? 0 : a / b + (a % b != 0); }), true;
      })
      .Case([&](arith::AndIOp) { return onSigned([](I a, I b) { return a & b; }), true; })
      .Case([&](arith::OrIOp) { return onSigned([](I a, I b) { return a | b; }), true; })
      .Case([&](arith::XOrIOp) { return onSigned([](I a, I b) { return a ^ b; }), true; })
      .Case([&](arith::ShLIOp) {
        return onUnsigned([=](U a, U b) { return b < width ? a << b : 0; }), true;
      })
      .Case([&](arith::ShRUIOp) {
        return onUnsigned([=](U a, U b) { return b < width ? a >> b : 0; }), true;
      })
      .Case([&](arith::ShRSIOp) {
        return onSigned([=](I a, I b) { return a >> (static_cast<U>(b) < width ? b : 63); }), true;
      })
      .Case([&](arith::MaxSIOp) { return onSigned([](I a, I b) { return std::max(a, b); }), true; })
      .Case([&](arith::MinSIOp) { return onSigned([](I a, I b) { return std::min(a, b); }), true; })
      .Case(
          [&](arith::MaxUIOp) { return onUnsigned([](U a, U b) { return std::max(a, b); }), true; })
      .Case(
          [&](arith::MinUIOp) { return onUnsigned([](U a, U b) { return std::min(a, b); }), true; })
      .Case([&](math::AbsIOp) {
        return add<I, I>(inner, [=](I a) { return wrap(a < 0 ? -static_cast<U>(a) : a, width); }),
               true;
      })
      .Case([&](math::CtPopOp) { return onBits([](U a) { return llvm::popcount(a); }), true; })
      .Case([&](math::CountLeadingZerosOp) {
        return onBits([=](U a) { return llvm::countl_zero(a) - (64 - width); }), true;
      })
      .Case([&](math::CountTrailingZerosOp) {
        return onBits([=](U a) { return std::min<U>(llvm::countr_zero(a), width); }), true;
      })
      .Case([&](arith::CmpIOp cmp) {
        arith::CmpIPredicate predicate = cmp.getPredicate();
        return add<I, I, I>(inner, [=](I a, I b) { return -I(compare(predicate, a, b)); }), true;
      })
      .Default([](Operation &) { return false; });
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

/// Bits of how two floats compare: 1 equal, 2 greater, 4 less, 8 unordered. The
/// predicates are sets of them.
template <typename T> static unsigned relation(T a, T b) {
  if (a == b)
    return 1;
  if (a > b)
    return 2;
  return a < b ? 4 : 8;
}

static unsigned accepted(arith::CmpFPredicate predicate) {
  switch (predicate) {
  case arith::CmpFPredicate::AlwaysFalse:
    return 0;
  case arith::CmpFPredicate::OEQ:
    return 1;
  case arith::CmpFPredicate::OGT:
    return 2;
  case arith::CmpFPredicate::OGE:
    return 3;
  case arith::CmpFPredicate::OLT:
    return 4;
  case arith::CmpFPredicate::OLE:
    return 5;
  case arith::CmpFPredicate::ONE:
    return 6;
  case arith::CmpFPredicate::ORD:
    return 7;
  case arith::CmpFPredicate::UNO:
    return 8;
  case arith::CmpFPredicate::UEQ:
    return 9;
  case arith::CmpFPredicate::UGT:
    return 10;
  case arith::CmpFPredicate::UGE:
    return 11;
  case arith::CmpFPredicate::ULT:
    return 12;
  case arith::CmpFPredicate::ULE:
    return 13;
  case arith::CmpFPredicate::UNE:
    return 14;
  case arith::CmpFPredicate::AlwaysTrue:
    return 15;
  }
  llvm_unreachable("covered");
}

/// Minimum and maximum that give NaN if an operand is, and order -0 below 0.
template <typename T> static T minimum(T a, T b) {
  if (std::isnan(a) || std::isnan(b))
    return a + b;
  return a < b || (a == b && std::signbit(a)) ? a : b;
}
template <typename T> static T maximum(T a, T b) { return -minimum(-a, -b); }
/// The same, but of a NaN and a number the number.
template <typename T> static T minimumNumber(T a, T b) {
  return std::isnan(a) ? b : std::isnan(b) ? a : minimum(a, b);
}
template <typename T> static T maximumNumber(T a, T b) { return -minimumNumber(-a, -b); }

bool BodyProgram::compileFloats(Operation &inner) {
  using F = float;
  auto unary = [&](auto fn) { return addFloat<F>(inner, fn), true; };
  auto binary = [&](auto fn) { return addFloat<F, F>(inner, fn), true; };
  return TypeSwitch<Operation &, bool>(inner)
      .Case([&](arith::AddFOp) { return binary([](auto a, auto b) { return a + b; }); })
      .Case([&](arith::SubFOp) { return binary([](auto a, auto b) { return a - b; }); })
      .Case([&](arith::MulFOp) { return binary([](auto a, auto b) { return a * b; }); })
      .Case([&](arith::DivFOp) { return binary([](auto a, auto b) { return a / b; }); })
      .Case([&](arith::RemFOp) { return binary([](auto a, auto b) { return std::fmod(a, b); }); })
      .Case([&](arith::NegFOp) { return unary([](auto a) { return -a; }); })
      .Case([&](arith::MinimumFOp) { return binary([](auto a, auto b) { return minimum(a, b); }); })
      .Case([&](arith::MaximumFOp) { return binary([](auto a, auto b) { return maximum(a, b); }); })
      .Case([&](arith::MinNumFOp) {
        return binary([](auto a, auto b) { return minimumNumber(a, b); });
      })
      .Case([&](arith::MaxNumFOp) {
        return binary([](auto a, auto b) { return maximumNumber(a, b); });
      })
      .Case([&](math::FmaOp) {
        return addFloat<F, F, F>(inner, [](auto a, auto b, auto c) { return std::fma(a, b, c); }),
               true;
      })
      .Case([&](arith::CmpFOp cmp) {
        unsigned mask = accepted(cmp.getPredicate());
        return addTest<F, F>(inner, [=](auto a, auto b) { return (relation(a, b) & mask) != 0; }),
               true;
      })
      .Default([](Operation &) { return false; });
}

//===----------------------------------------------------------------------===//
// math
//===----------------------------------------------------------------------===//

namespace {
template <typename Fn> struct NamedFunction {
  StringLiteral name;
  Fn *fn;
};
} // namespace

// Computed in double also for float, so that the result is correctly rounded in
// all but very few cases.
static constexpr NamedFunction<double(double)> kUnary[] = {
    {"math.absf", [](double x) { return std::fabs(x); }},
    {"math.acos", [](double x) { return std::acos(x); }},
    {"math.acosh", [](double x) { return std::acosh(x); }},
    {"math.asin", [](double x) { return std::asin(x); }},
    {"math.asinh", [](double x) { return std::asinh(x); }},
    {"math.atan", [](double x) { return std::atan(x); }},
    {"math.atanh", [](double x) { return std::atanh(x); }},
    {"math.cbrt", [](double x) { return std::cbrt(x); }},
    {"math.ceil", [](double x) { return std::ceil(x); }},
    {"math.cos", [](double x) { return std::cos(x); }},
    {"math.cosh", [](double x) { return std::cosh(x); }},
    {"math.erf", [](double x) { return std::erf(x); }},
    {"math.erfc", [](double x) { return std::erfc(x); }},
    {"math.exp", [](double x) { return std::exp(x); }},
    {"math.exp2", [](double x) { return std::exp2(x); }},
    {"math.expm1", [](double x) { return std::expm1(x); }},
    {"math.floor", [](double x) { return std::floor(x); }},
    {"math.log", [](double x) { return std::log(x); }},
    {"math.log10", [](double x) { return std::log10(x); }},
    {"math.log1p", [](double x) { return std::log1p(x); }},
    {"math.log2", [](double x) { return std::log2(x); }},
    {"math.round", [](double x) { return std::round(x); }},
    {"math.roundeven", [](double x) { return std::nearbyint(x); }},
    {"math.rsqrt", [](double x) { return 1 / std::sqrt(x); }},
    {"math.sin", [](double x) { return std::sin(x); }},
    {"math.sinh", [](double x) { return std::sinh(x); }},
    {"math.sqrt", [](double x) { return std::sqrt(x); }},
    {"math.tan", [](double x) { return std::tan(x); }},
    {"math.tanh", [](double x) { return std::tanh(x); }},
    {"math.trunc", [](double x) { return std::trunc(x); }},
};
static constexpr NamedFunction<double(double, double)> kBinary[] = {
    {"math.atan2", [](double x, double y) { return std::atan2(x, y); }},
    {"math.copysign", [](double x, double y) { return std::copysign(x, y); }},
    {"math.powf", [](double x, double y) { return std::pow(x, y); }},
};
// Of floats that are in double exactly.
static constexpr NamedFunction<bool(double)> kTests[] = {
    {"math.isfinite", [](double x) { return std::isfinite(x); }},
    {"math.isinf", [](double x) { return std::isinf(x); }},
    {"math.isnan", [](double x) { return std::isnan(x); }},
};

template <typename Fn, size_t n>
static Fn *lookUp(const NamedFunction<Fn> (&table)[n], Operation &inner) {
  for (const NamedFunction<Fn> &entry : table)
    if (entry.name == inner.getName().getStringRef())
      return entry.fn;
  return nullptr;
}

/// x to an integer power by squaring, wrapping as integers do.
static uint64_t integerPower(uint64_t base, uint64_t exponent) {
  uint64_t result = 1;
  for (; exponent != 0; exponent >>= 1, base *= base)
    if (exponent & 1)
      result *= base;
  return result;
}

static int64_t integerPower(int64_t base, int64_t exponent) {
  if (exponent >= 0)
    return integerPower(static_cast<uint64_t>(base), static_cast<uint64_t>(exponent));
  // 1 / base^n, truncated.
  if (base == -1)
    return exponent % 2 ? -1 : 1;
  return base == 1;
}

bool BodyProgram::compileMath(Operation &inner) {
  if (auto *fn = lookUp(kUnary, inner))
    return addFloat<float>(inner, fn), true;
  if (auto *fn = lookUp(kBinary, inner))
    return addFloat<float, float>(inner, fn), true;
  if (auto *fn = lookUp(kTests, inner))
    return addTest<float>(inner, fn), true;
  return TypeSwitch<Operation &, bool>(inner)
      .Case([&](math::IPowIOp) {
        unsigned width = column(inner.getResult(0)).width;
        return add<int64_t, int64_t, int64_t>(
                   inner, [=](int64_t a, int64_t b) { return wrap(integerPower(a, b), width); }),
               true;
      })
      .Case([&](math::FPowIOp) {
        auto power = [](double a, int64_t b) { return std::pow(a, static_cast<double>(b)); };
        if (column(inner.getResult(0)).kind == Column::Double)
          add<double, double, int64_t>(inner, power);
        else
          add<float, float, int64_t>(inner, power);
        return addRounding(column(inner.getResult(0))), true;
      })
      .Default([](Operation &) { return false; });
}

//===----------------------------------------------------------------------===//
// Conversions and select
//===----------------------------------------------------------------------===//

/// Saturates, so that the conversion is defined for every float.
template <typename Integer> static int64_t truncateTo(double value, unsigned width) {
  constexpr bool isSigned = std::is_signed_v<Integer>;
  double high = std::ldexp(1.0, isSigned ? width - 1 : width), low = isSigned ? -high : 0;
  if (!(value > low))
    return std::isnan(value) ? 0 : wrap(isSigned ? uint64_t(1) << (width - 1) : 0, width);
  if (value >= high)
    return isSigned ? static_cast<int64_t>((uint64_t(1) << (width - 1)) - 1) : -1;
  return wrap(static_cast<Integer>(value), width);
}

bool BodyProgram::compileConversions(Operation &inner) {
  if (inner.getNumOperands() == 0 || inner.getNumResults() != 1)
    return false;
  Column &from = column(inner.getOperand(0)), &to = column(inner.getResult(0));
  unsigned fromWidth = from.width, width = to.width;
  auto fromFloat = [&](auto fn) {
    if (from.kind == Column::Double)
      add<int64_t, double>(inner, fn);
    else
      add<int64_t, float>(inner, fn);
    return true;
  };
  auto toFloat = [&](auto fn) {
    if (to.kind == Column::Double)
      add<double, int64_t>(inner, fn);
    else
      add<float, int64_t>(inner, fn);
    return addRounding(to), true;
  };
  auto widen = [&] { return add<int64_t, int64_t>(inner, [](int64_t a) { return a; }), true; };
  auto zeroExtend = [&] {
    auto fn = [=](int64_t a) { return wrap(unsignedBits(a, fromWidth), width); };
    return add<int64_t, int64_t>(inner, fn), true;
  };
  auto narrow = [&] {
    return add<int64_t, int64_t>(inner, [=](int64_t a) { return wrap(a, width); }), true;
  };
  return TypeSwitch<Operation &, bool>(inner)
      .Case<arith::ExtSIOp>([&](auto) { return widen(); })
      .Case<arith::TruncIOp, arith::IndexCastOp>([&](auto) { return narrow(); })
      .Case<arith::ExtUIOp, arith::IndexCastUIOp>([&](auto) { return zeroExtend(); })
      .Case<arith::ExtFOp, arith::TruncFOp>([&](auto) { return convertFloat(inner), true; })
      .Case<arith::SIToFPOp>([&](auto) { return toFloat([](int64_t a) { return a; }); })
      .Case<arith::UIToFPOp>(
          [&](auto) { return toFloat([=](int64_t a) { return unsignedBits(a, fromWidth); }); })
      .Case<arith::FPToSIOp>(
          [&](auto) { return fromFloat([=](double a) { return truncateTo<int64_t>(a, width); }); })
      .Case<arith::FPToUIOp>(
          [&](auto) { return fromFloat([=](double a) { return truncateTo<uint64_t>(a, width); }); })
      .Case<arith::BitcastOp>([&](auto) { return reinterpret(from, to), true; })
      .Case<arith::SelectOp>([&](auto) { return addSelect(inner), true; })
      .Default([](Operation &) { return false; });
}

void BodyProgram::convertFloat(Operation &inner) {
  bool fromDouble = column(inner.getOperand(0)).kind == Column::Double;
  Column &to = column(inner.getResult(0));
  auto type = cast<FloatType>(to.type);
  auto round = [type](double a) { return roundTo(a, type); };
  auto same = [](auto a) { return a; };
  if (to.kind == Column::Double)
    fromDouble ? add<double, double>(inner, same) : add<double, float>(inner, same);
  else if (type.isF32())
    fromDouble ? add<float, double>(inner, same) : add<float, float>(inner, same);
  else
    fromDouble ? add<float, double>(inner, round) : add<float, float>(inner, round);
}

/// Through the storage form.
void BodyProgram::reinterpret(Column &from, Column &to) {
  steps.push_back([&from, &to](int64_t count) {
    uint8_t bytes[kLanes * sizeof(uint64_t)];
    int64_t positions[kLanes];
    std::iota(positions, positions + count, 0);
    from.store(bytes, positions, count, nullptr);
    to.load(bytes, positions, count);
  });
}

void BodyProgram::addSelect(Operation &inner) {
  auto choose = [](int64_t condition, auto a, auto b) { return condition ? a : b; };
  switch (column(inner.getResult(0)).kind) {
  case Column::Integer:
    return add<int64_t, int64_t, int64_t, int64_t>(inner, choose);
  case Column::Single:
    return add<float, int64_t, float, float>(inner, choose);
  case Column::Double:
    return add<double, int64_t, double, double>(inner, choose);
  }
}

} // namespace dsc::interpreter
