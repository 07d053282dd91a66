//===- ApproximateExp.cpp - exp in float32 by a polynomial ----------------===//
//
//   exp(x) = 2^k exp(r),  k = round(x / ln 2),  |r| <= ln(2) / 2
//
// exp(r) = 1 + r + r^2 q(r), q of degree 4 with the least relative error of exp(r),
// 3e-9. The error of the result is below 1.01 ULP; NaN, infinities, overflow and denormal
// results are exact. 18 instructions on vectors.
//
//===----------------------------------------------------------------------===//
#include "ApproximateExp.h"
#include "ShapedCode.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;

namespace dsc {

namespace {

struct ApproximateExp : OpRewritePattern<math::ExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const override;
};

/// Scalars or vectors, as the operand is.
class Code : ShapedCode {
public:
  Code(OpBuilder &b, Location loc, Type shape) : ShapedCode(b, loc, shape) {}

  Value number(double value) { return splat(b.getF32FloatAttr(static_cast<float>(value))); }
  Value integer(int32_t value) { return splat(b.getI32IntegerAttr(value)); }
  Value sub(Value x, Value y) { return arith::SubFOp::create(b, loc, x, y); }
  Value mul(Value x, Value y) { return arith::MulFOp::create(b, loc, x, y); }
  Value fma(Value x, Value y, Value z) { return math::FmaOp::create(b, loc, x, y, z); }
  /// `bound` where x is beyond it; NaN stays NaN.
  Value limit(Value x, arith::CmpFPredicate beyond, Value bound) {
    Value isBeyond = arith::CmpFOp::create(b, loc, beyond, x, bound);
    return arith::SelectOp::create(b, loc, isBeyond, bound, x);
  }
  Value bits(Value x) { return arith::BitcastOp::create(b, loc, like(b.getI32Type()), x); }
  /// 2^(n - 127) from the low bits of n.
  Value powerOfTwo(Value n) {
    Value exponent = arith::ShLIOp::create(b, loc, n, integer(23));
    return arith::BitcastOp::create(b, loc, like(b.getF32Type()), exponent);
  }
};

} // namespace

LogicalResult ApproximateExp::matchAndRewrite(math::ExpOp op, PatternRewriter &rewriter) const {
  Type type = op.getType();
  auto vector = dyn_cast<VectorType>(type);
  if (!getElementTypeOrSelf(type).isF32() || (vector && vector.isScalable()))
    return rewriter.notifyMatchFailure(op, "not float32 of a known number of lanes");
  Location loc = op.getLoc();
  Code code(rewriter, loc, type);
  // Beyond these bounds results are infinite, or round to zero.
  Value x = code.limit(op.getOperand(), arith::CmpFPredicate::OGT, code.number(89));
  x = code.limit(x, arith::CmpFPredicate::OLT, code.number(-104));
  // Adding 1.5 * 2^23 rounds to an integer, which is then found in the low bits; with 254
  // more these hold the biased exponents of two factors whose product is 2^k. Two, for
  // 2^k itself may be no normal number.
  Value magic = code.number(12582912.0 + 254);
  Value shifted = code.fma(x, code.number(1.4426950408889634), magic);
  Value k = code.sub(shifted, code.number(12582912.0 + 254));
  // ln 2 in two parts; the products with the first are exact.
  Value r = code.fma(k, code.number(-0.693359375), x);
  r = code.fma(k, code.number(2.12194440e-4), r);
  // q4 r^4 + q3 r^3 + q2 r^2 + q1 r + q0: pairs side by side, for the time is that of the
  // longest chain.
  static constexpr double q[] = {0.4999999403953552, 0.1666652113199234, 0.04166838899254799,
                                 0.00836874544620514, 0.0013814539415761828};
  auto pair = [&](int i) { return code.fma(r, code.number(q[i + 1]), code.number(q[i])); };
  Value square = code.mul(r, r);
  Value sum = code.fma(code.number(q[4]), square, pair(2));
  sum = code.fma(sum, square, pair(0));
  Value exponential = code.fma(sum, square, r);
  Value both = code.bits(shifted);
  Value half = arith::ShRUIOp::create(rewriter, loc, both, code.integer(1));
  Value rest = arith::SubIOp::create(rewriter, loc, both, half);
  // (1 + exponential) times the first factor.
  Value factor = code.powerOfTwo(half);
  exponential = code.fma(exponential, factor, factor);
  rewriter.replaceOp(op, code.mul(exponential, code.powerOfTwo(rest)));
  return success();
}

void populateExpApproximation(RewritePatternSet &patterns) {
  patterns.add<ApproximateExp>(patterns.getContext());
}

} // namespace dsc
