//===- ApproximateWide.cpp - float32 functions by polynomials in float64 --===//
//
// Functions that cancel (sin near a multiple of pi) or enlarge errors (pow) are computed
// in float64 from polynomials that are exact to 2^-34 or better, so that what is left is
// the rounding to float32: 0.51 ULP. There are no branches and no tables, so LLVM makes
// vectors of the loop around them. Overflow and denormal results come by themselves.
//
// The polynomials have the least relative error on their interval (weighted least
// squares, repeated until the error's extremes are equal).
//
//===----------------------------------------------------------------------===//
#include "ApproximateWide.h"
#include "ShapedCode.h"

#include "mlir/Dialect/Math/IR/Math.h"

#include <limits>

using namespace mlir;

namespace dsc {

namespace {

/// Scalars or vectors of float64, as the float32 operand is.
class WideCode : ShapedCode {
public:
  WideCode(OpBuilder &b, Location loc, Type shape) : ShapedCode(b, loc, shape) {}

  Value widen(Value x) { return arith::ExtFOp::create(b, loc, like(b.getF64Type()), x); }
  Value narrow(Value x) { return arith::TruncFOp::create(b, loc, shape, x); }
  Value number(double value) { return splat(b.getF64FloatAttr(value)); }
  Value integer(uint64_t value) { return splat(b.getI64IntegerAttr(static_cast<int64_t>(value))); }

  Value add(Value x, Value y) { return arith::AddFOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value div(Value x, Value y) { return arith::DivFOp::create(b, loc, x, y); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, loc, x, y, z); }
  Value negate(Value x) { return arith::NegFOp::create(b, loc, x); }
  Value abs(Value x) { return math::AbsFOp::create(b, loc, x); }
  Value sqrt(Value x) { return math::SqrtOp::create(b, loc, x); }
  Value round(Value x) { return math::RoundEvenOp::create(b, loc, x); }
  Value withSign(Value x, Value sign) { return math::CopySignOp::create(b, loc, x, sign); }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) {
    return arith::CmpFOp::create(b, loc, predicate, x, y);
  }
  Value less(Value x, Value y) { return compare(arith::CmpFPredicate::OLT, x, y); }
  Value equal(Value x, Value y) { return compare(arith::CmpFPredicate::OEQ, x, y); }
  Value both(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value either(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  /// Coefficients from the highest power down; pairs side by side, for the time is that of
  /// the longest chain.
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    SmallVector<Value> terms;
    for (double coefficient : llvm::reverse(coefficients))
      terms.push_back(number(coefficient));
    for (Value power = x; terms.size() > 1; power = mul(power, power)) {
      SmallVector<Value> pairs;
      for (size_t i = 0; i < terms.size(); i += 2)
        pairs.push_back(i + 1 < terms.size() ? fma(terms[i + 1], power, terms[i]) : terms[i]);
      terms = std::move(pairs);
    }
    return terms.front();
  }

  // The bits of a float64 as an integer.
  Value bits(Value x) { return arith::BitcastOp::create(b, loc, like(b.getI64Type()), x); }
  Value fromBits(Value x) { return arith::BitcastOp::create(b, loc, like(b.getF64Type()), x); }
  Value addBits(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }
  Value subBits(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value andBits(Value x, Value y) { return arith::AndIOp::create(b, loc, x, y); }
  Value orBits(Value x, Value y) { return arith::OrIOp::create(b, loc, x, y); }
  Value xorBits(Value x, Value y) { return arith::XOrIOp::create(b, loc, x, y); }
  Value shiftLeft(Value x, uint64_t by) { return arith::ShLIOp::create(b, loc, x, integer(by)); }
  Value shiftRight(Value x, uint64_t by) { return arith::ShRUIOp::create(b, loc, x, integer(by)); }
  Value isZero(Value x) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, x, integer(0));
  }
};

} // namespace

static constexpr double kInfinity = std::numeric_limits<double>::infinity();
/// Adding it rounds to an integer, which is then found in the low bits.
static constexpr double kMagic = 0x1.8p52;
static constexpr uint64_t kSignBit = uint64_t(1) << 63;

//===----------------------------------------------------------------------===//
// sin, cos, tan
//===----------------------------------------------------------------------===//

namespace {
/// x = quadrant * pi / 2 + rest; quadrant in the low two bits.
struct Angle {
  Value rest, quadrant;
};
} // namespace

/// Up to 2^50 pi / 2 in two parts is exact enough, since no float32 is nearer to a multiple
/// of it than 2^-30. From there on x is a multiple of 2^27: the bits of 1 / (2 pi) from
/// 2^-28 on are cut so that each product but the last, which is below 2^-15, is exact, and
/// of each the whole turns go.
static Angle reduce(WideCode &c, Value x) {
  Value shifted = c.fma(x, c.number(0x1.45f306dc9c883p-1), c.number(kMagic));
  // Negated last, so that sin(-0) is -0.
  Value minus = c.negate(c.sub(shifted, c.number(kMagic)));
  Value rest = c.fma(minus, c.number(0x1.921fb54442d18p+0), x);
  rest = c.fma(minus, c.number(0x1.1a62633145c07p-54), rest);

  static constexpr double parts[] = {0x1.b939105p-28, 0x1.29fc274p-58, 0x1.7d1f534p-86,
                                     0x1.bb81b6cp-115};
  SmallVector<Value> turns;
  for (double part : parts) {
    Value product = c.mul(x, c.number(part));
    turns.push_back(c.sub(product, c.round(product)));
  }
  Value sum = c.add(c.add(turns[0], turns[1]), c.add(turns[2], turns[3]));
  turns.push_back(c.mul(x, c.number(0x1.4acc9e21c820ep-145)));
  Value shiftedOfBig = c.fma(sum, c.number(4), c.number(kMagic));
  Value quarters = c.sub(shiftedOfBig, c.number(kMagic));
  // In this order sums are exact where they cancel.
  Value left = c.fma(quarters, c.number(-0.25), turns.front());
  for (Value part : ArrayRef(turns).drop_front())
    left = c.add(left, part);
  Value restOfBig = c.mul(left, c.number(0x1.921fb54442d18p+2));

  Value isBig = c.compare(arith::CmpFPredicate::OGE, c.abs(x), c.number(0x1p50));
  return {c.select(isBig, restOfBig, rest), c.bits(c.select(isBig, shiftedOfBig, shifted))};
}

static Value sine(WideCode &c, Value r, Value square) {
  static constexpr double p[] = {2.717144982571979e-06, -0.00019839177502581077,
                                 0.008333328687296018, -0.16666666630416282, 0.9999999999954456};
  return c.mul(r, c.polynomial(square, p));
}

static Value cosine(WideCode &c, Value square) {
  static constexpr double p[] = {2.4372592342316144e-05, -0.0013886528186482744,
                                 0.04166661320068275, -0.4999999957120423, 0.9999999999438791};
  return c.polynomial(square, p);
}

/// sin(x + quarters * pi / 2).
static Value sineFrom(WideCode &c, Value x, uint64_t quarters) {
  Angle angle = reduce(c, x);
  Value quadrant = quarters ? c.addBits(angle.quadrant, c.integer(quarters)) : angle.quadrant;
  Value square = c.mul(angle.rest, angle.rest);
  Value isEven = c.isZero(c.andBits(quadrant, c.integer(1)));
  Value value = c.select(isEven, sine(c, angle.rest, square), cosine(c, square));
  Value sign = c.andBits(c.shiftLeft(quadrant, 62), c.integer(kSignBit));
  return c.fromBits(c.xorBits(c.bits(value), sign));
}

static Value computeSin(WideCode &c, Value x) { return sineFrom(c, x, 0); }
static Value computeCos(WideCode &c, Value x) { return sineFrom(c, x, 1); }

static Value computeTan(WideCode &c, Value x) {
  Angle angle = reduce(c, x);
  Value square = c.mul(angle.rest, angle.rest);
  Value s = sine(c, angle.rest, square), k = cosine(c, square);
  Value isEven = c.isZero(c.andBits(angle.quadrant, c.integer(1)));
  Value quotient = c.div(c.select(isEven, s, k), c.select(isEven, k, s));
  Value sign = c.shiftLeft(angle.quadrant, 63);
  return c.fromBits(c.xorBits(c.bits(quotient), sign));
}

//===----------------------------------------------------------------------===//
// Powers and logarithms of 2
//===----------------------------------------------------------------------===//

/// log2 of a positive normal number; anything of others.
static Value log2OfNormal(WideCode &c, Value x) {
  // x = 2^k m, sqrt(1/2) <= m < sqrt(2); the exponent k has 1024 added.
  constexpr uint64_t bias = uint64_t(1024) << 52, sqrtHalf = 0x3FE6A09E667F3BCD;
  Value shifted = c.addBits(c.bits(x), c.integer(bias - sqrtHalf));
  Value exponent = c.andBits(shifted, c.integer(uint64_t(0xFFF) << 52));
  Value m = c.fromBits(c.addBits(c.subBits(c.bits(x), exponent), c.integer(bias)));
  Value k = c.fromBits(c.orBits(c.shiftRight(shifted, 52), c.integer(0x4330000000000000)));
  k = c.sub(k, c.number(0x1p52 + 1024));
  Value s = c.div(c.sub(m, c.number(1)), c.add(m, c.number(1)));
  static constexpr double p[] = {0.340732150119399, 0.41167261376422226, 0.5770835866255758,
                                 0.9617966733336251, 2.885390081790092};
  return c.fma(s, c.polynomial(c.mul(s, s), p), k);
}

/// 2^x for |x| up to 1000; beyond as there, NaN of NaN.
static Value exp2OfModerate(WideCode &c, Value x) {
  Value high = c.number(1000), low = c.number(-1000);
  x = c.select(c.less(high, x), high, x);
  x = c.select(c.less(x, low), low, x);
  Value shifted = c.add(x, c.number(kMagic));
  Value f = c.sub(x, c.sub(shifted, c.number(kMagic)));
  static constexpr double p[] = {1.5201920176210679e-05, 0.000154692910363562, 0.00133339225679245,
                                 0.009618027254085471,   0.05550410353445536,  0.24022651198153347,
                                 0.693147180728446,      0.9999999999616827};
  return c.fromBits(c.addBits(c.bits(c.polynomial(f, p)), c.shiftLeft(c.bits(shifted), 52)));
}

/// IEEE 754's pow.
static Value computePow(WideCode &c, Value x, Value y) {
  Value magnitude = c.abs(x), zero = c.number(0), infinity = c.number(kInfinity);
  Value logarithm = log2OfNormal(c, magnitude);
  // Infinity and NaN are their own logarithms.
  logarithm = c.select(c.less(magnitude, infinity), logarithm, magnitude);
  logarithm = c.select(c.equal(magnitude, zero), c.number(-kInfinity), logarithm);
  Value exponent = c.mul(y, logarithm);
  // pow(1, y) and pow(x, 0) are 1 whatever y and x are; pow(-1, infinity) too.
  Value isOne = c.either(c.equal(y, zero), c.equal(logarithm, zero));
  exponent = c.select(isOne, zero, exponent);
  Value result = exp2OfModerate(c, exponent);
  // The sign of x stays if y is odd: a whole number, but half of it is not.
  Value half = c.mul(y, c.number(0.5));
  Value isWhole = c.equal(c.round(y), y);
  Value isOdd = c.both(isWhole, c.compare(arith::CmpFPredicate::ONE, c.round(half), half));
  result = c.select(isOdd, c.withSign(result, x), result);
  Value isNegative = c.both(c.less(x, zero), c.less(magnitude, infinity));
  Value hasNoPower = c.both(isNegative, c.compare(arith::CmpFPredicate::UNE, c.round(y), y));
  return c.select(hasNoPower, c.number(std::numeric_limits<double>::quiet_NaN()), result);
}

//===----------------------------------------------------------------------===//
// Inverse and hyperbolic functions
//===----------------------------------------------------------------------===//

/// asin of |x| up to 1/2, and what is beyond from pi / 2 - 2 asin(sqrt((1 - |x|) / 2)); NaN
/// beyond 1.
static Value arcsine(WideCode &c, Value magnitude, Value isSmall, Value &inner) {
  Value half = c.mul(c.sub(c.number(1), magnitude), c.number(0.5));
  Value square = c.select(isSmall, c.mul(magnitude, magnitude), half);
  inner = c.select(isSmall, magnitude, c.sqrt(half));
  static constexpr double p[] = {0.03495157349817646, 0.007223812035370258, 0.024711548084806467,
                                 0.03009220840348366, 0.04466203561482744,  0.07499938198782408,
                                 0.16666667421670767, 0.9999999999849033};
  return c.mul(inner, c.polynomial(square, p));
}

static constexpr double kHalfPi = 0x1.921fb54442d18p+0;

static Value computeAsin(WideCode &c, Value x) {
  Value magnitude = c.abs(x), inner;
  Value isSmall = c.less(magnitude, c.number(0.5));
  Value value = arcsine(c, magnitude, isSmall, inner);
  Value beyond = c.fma(value, c.number(-2), c.number(kHalfPi));
  return c.withSign(c.select(isSmall, value, beyond), x);
}

static Value computeAcos(WideCode &c, Value x) {
  Value magnitude = c.abs(x), inner;
  Value isSmall = c.less(magnitude, c.number(0.5));
  Value value = arcsine(c, magnitude, isSmall, inner);
  Value inMiddle = c.sub(c.number(kHalfPi), c.withSign(value, x));
  Value twice = c.mul(value, c.number(2));
  Value isNegative = c.less(x, c.number(0));
  Value atEnds = c.select(isNegative, c.sub(c.number(2 * kHalfPi), twice), twice);
  return c.select(isSmall, inMiddle, atEnds);
}

static constexpr double kLog2OfE = 1.4426950408889634, kLogOf2 = 0.6931471805599453;

static Value computeSinh(WideCode &c, Value x) {
  Value up = exp2OfModerate(c, c.mul(x, c.number(kLog2OfE)));
  Value big = c.mul(c.sub(up, c.div(c.number(1), up)), c.number(0.5));
  static constexpr double p[] = {2.8185239273181145e-06, 0.0001983581245056775,
                                 0.008333352592887765, 0.1666666643024728, 1.000000000045976};
  Value small = c.mul(x, c.polynomial(c.mul(x, x), p));
  return c.select(c.less(c.abs(x), c.number(1)), small, big);
}

static Value computeCosh(WideCode &c, Value x) {
  Value up = exp2OfModerate(c, c.mul(x, c.number(kLog2OfE)));
  return c.mul(c.add(up, c.div(c.number(1), up)), c.number(0.5));
}

/// The natural logarithm of a number that is 0, positive, infinite or NaN.
static Value naturalLog(WideCode &c, Value x) {
  Value value = c.mul(log2OfNormal(c, x), c.number(kLogOf2));
  value = c.select(c.less(x, c.number(kInfinity)), value, x);
  return c.select(c.equal(x, c.number(0)), c.number(-kInfinity), value);
}

/// Below 2^-12 the first terms of the series are exact enough, above the logarithm is.
static constexpr double kTiny = 0x1p-12;

static Value computeAsinh(WideCode &c, Value x) {
  Value magnitude = c.abs(x), square = c.mul(x, x);
  Value root = c.sqrt(c.add(square, c.number(1)));
  Value value = naturalLog(c, c.add(magnitude, root));
  Value tiny = c.mul(magnitude, c.fma(square, c.number(-1.0 / 6), c.number(1)));
  return c.withSign(c.select(c.less(magnitude, c.number(kTiny)), tiny, value), x);
}

static Value computeAcosh(WideCode &c, Value x) {
  // NaN below 1: from the roots of negative numbers.
  Value one = c.number(1);
  Value root = c.mul(c.sqrt(c.sub(x, one)), c.sqrt(c.add(x, one)));
  return naturalLog(c, c.add(x, root));
}

static Value computeAtanh(WideCode &c, Value x) {
  Value one = c.number(1), magnitude = c.abs(x);
  Value quotient = c.div(c.add(one, magnitude), c.sub(one, magnitude));
  Value value = c.mul(naturalLog(c, quotient), c.number(0.5));
  Value tiny = c.mul(magnitude, c.fma(c.mul(x, x), c.number(1.0 / 3), one));
  value = c.select(c.less(magnitude, c.number(kTiny)), tiny, value);
  Value isOutside = c.less(one, magnitude);
  value = c.select(isOutside, c.number(std::numeric_limits<double>::quiet_NaN()), value);
  return c.withSign(value, x);
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

template <typename Op, auto compute> struct ApproximateWide : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Type type = op.getType();
    auto vector = dyn_cast<VectorType>(type);
    if (!getElementTypeOrSelf(type).isF32() || (vector && vector.isScalable()))
      return rewriter.notifyMatchFailure(op, "not float32 of a known number of lanes");
    WideCode code(rewriter, op.getLoc(), type);
    Value result;
    if constexpr (std::is_same_v<Op, math::PowFOp>)
      result = compute(code, code.widen(op.getLhs()), code.widen(op.getRhs()));
    else
      result = compute(code, code.widen(op.getOperand()));
    rewriter.replaceOp(op, code.narrow(result));
    return success();
  }
};

} // namespace

bool isWideApproximated(Operation *op) {
  return isa<math::SinOp, math::CosOp, math::TanOp, math::PowFOp, math::AsinOp, math::AcosOp,
             math::SinhOp, math::CoshOp, math::AsinhOp, math::AcoshOp, math::AtanhOp>(op);
}

void populateWideApproximations(RewritePatternSet &patterns) {
  patterns.add<
      ApproximateWide<math::SinOp, computeSin>, ApproximateWide<math::CosOp, computeCos>,
      ApproximateWide<math::TanOp, computeTan>, ApproximateWide<math::PowFOp, computePow>,
      ApproximateWide<math::AsinOp, computeAsin>, ApproximateWide<math::AcosOp, computeAcos>,
      ApproximateWide<math::SinhOp, computeSinh>, ApproximateWide<math::CoshOp, computeCosh>,
      ApproximateWide<math::AsinhOp, computeAsinh>, ApproximateWide<math::AcoshOp, computeAcosh>,
      ApproximateWide<math::AtanhOp, computeAtanh>>(patterns.getContext(), /*benefit=*/0);
}

} // namespace dsc
