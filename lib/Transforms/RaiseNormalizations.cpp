//===- RaiseNormalizations.cpp - layer and RMS normalisation --------------===//
//
//   d = x - mean(x);  d / sqrt(mean(d * d) + epsilon)    =>  dsc.layer_normalization
//   x / sqrt(mean(x * x) + epsilon)                      =>  dsc.rms_normalization
//
// over the last axes, with scale 1; then products and sums behind them become scale
// and bias:  norm(x, 1) * s => norm(x, s),  norm(x, s) + b => norm(x, s, b).
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_RAISENORMALIZATIONS
#include "dsc/Transforms/Passes.h.inc"

//===----------------------------------------------------------------------===//
// Matching
//===----------------------------------------------------------------------===//

/// r where value = 1 / r or r^-1, else null; r^-0.5 has the root in it.
static Value reciprocalOf(Value value) {
  if (auto reciprocal = value.getDefiningOp<ReciprocalOp>())
    return reciprocal.getX();
  auto div = value.getDefiningOp<DivOp>();
  return div && isNumber(div.getA(), 1) ? div.getB() : Value();
}

/// v where value is 1 / sqrt(v).
static Value underInverseRoot(Value value) {
  if (auto pow = value.getDefiningOp<PowOp>(); pow && isNumber(pow.getY(), -0.5))
    return pow.getX();
  Value root = reciprocalOf(value);
  auto sqrt = root ? root.getDefiningOp<SqrtOp>() : SqrtOp();
  return sqrt ? sqrt.getX() : Value();
}

/// v where value is sqrt(v).
static Value underRoot(Value value) {
  if (auto sqrt = value.getDefiningOp<SqrtOp>())
    return sqrt.getX();
  auto pow = value.getDefiningOp<PowOp>();
  return pow && isNumber(pow.getY(), 0.5) ? pow.getX() : Value();
}

namespace {

/// x / sqrt(variance + epsilon).
struct Quotient {
  Value dividend, variance;
  double epsilon = 0;
};

} // namespace

/// The quotient that a division, or a product with an inverse root, is.
static std::optional<Quotient> matchQuotient(Operation *op) {
  SmallVector<std::pair<Value, Value>> candidates;
  if (isa<DivOp>(op))
    candidates = {{op->getOperand(0), underRoot(op->getOperand(1))}};
  else
    candidates = {{op->getOperand(0), underInverseRoot(op->getOperand(1))},
                  {op->getOperand(1), underInverseRoot(op->getOperand(0))}};
  for (auto [dividend, shifted] : candidates) {
    auto add = shifted ? shifted.getDefiningOp<AddOp>() : AddOp();
    if (!add)
      continue;
    for (unsigned i : {0, 1})
      if (std::optional<double> epsilon = splatNumber(add->getOperand(i)))
        return Quotient{dividend, add->getOperand(1 - i), *epsilon};
  }
  return std::nullopt;
}

/// Whether value = x * x.
static bool isSquare(Value value, Value x) {
  if (auto pow = value.getDefiningOp<PowOp>())
    return pow.getX() == x && isNumber(pow.getY(), 2);
  auto mul = value.getDefiningOp<MulOp>();
  return mul && mul.getA() == x && mul.getB() == x;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

static Value makeOne(PatternRewriter &rewriter, Location loc, Type element) {
  auto type = RankedTensorType::get({}, element);
  return ConstantOp::create(rewriter, loc,
                            DenseElementsAttr::get(type, rewriter.getFloatAttr(element, 1)));
}

namespace {

template <typename OpTy> struct RaiseQuotient : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override {
    std::optional<Quotient> quotient = matchQuotient(op);
    if (!quotient)
      return rewriter.notifyMatchFailure(op, "not divided by a root");
    auto variance = quotient->variance.getDefiningOp<ReduceMeanOp>();
    if (!variance || !isSquare(variance.getData(), quotient->dividend))
      return rewriter.notifyMatchFailure(op, "not the mean of the squares of what is divided");
    SmallVector<int64_t> axes = keptAxes(variance);
    std::optional<int64_t> axis = firstTrailingAxis(axes, getRank(quotient->dividend));
    if (!axis)
      return rewriter.notifyMatchFailure(op, "not over the last axes");
    Value x = quotient->dividend;
    StringRef name = "dsc.rms_normalization";
    auto difference = x.getDefiningOp<SubOp>();
    auto mean = difference ? difference.getB().getDefiningOp<ReduceMeanOp>() : ReduceMeanOp();
    if (mean && mean.getData() == difference.getA() && keptAxes(mean) == axes) {
      x = difference.getA();
      name = "dsc.layer_normalization";
    }
    Type element = getElementType(x);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands = {x, makeOne(rewriter, op.getLoc(), element)};
    if (name == "dsc.layer_normalization")
      operands.push_back(NoneOp::create(rewriter, op.getLoc(), rewriter.getNoneType()));
    NamedAttribute attributes[] = {
        rewriter.getNamedAttr("axis", rewriter.getI64IntegerAttr(*axis)),
        rewriter.getNamedAttr("epsilon", rewriter.getF32FloatAttr(quotient->epsilon)),
        rewriter.getNamedAttr("stash_type", rewriter.getI64IntegerAttr(1)),
    };
    return replaceByOp(rewriter, op, name, operands, attributes);
  }
};

/// norm(x, 1) * s => norm(x, s).
struct AbsorbScale : OpRewritePattern<MulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MulOp op, PatternRewriter &rewriter) const override {
    for (unsigned i : {0, 1}) {
      Operation *norm = op->getOperand(i).getDefiningOp();
      Value scale = op->getOperand(1 - i);
      auto layer = dyn_cast_if_present<LayerNormalizationOp>(norm);
      bool fits = isa_and_nonnull<LayerNormalizationOp, RMSNormalizationOp>(norm) &&
                  norm->hasOneUse() && norm->getNumResults() == 1 &&
                  isNumber(norm->getOperand(1), 1) && (!layer || isAbsent(layer.getB())) &&
                  getElementType(scale) == getElementType(op.getResult());
      if (!fits)
        continue;
      SmallVector<Value> operands(norm->getOperands());
      operands[1] = scale;
      return replaceByOp(rewriter, op, norm->getName().getStringRef(), operands, norm->getAttrs());
    }
    return rewriter.notifyMatchFailure(op, "no normalisation with scale 1");
  }
};

/// norm(x, s) + b => norm(x, s, b).
struct AbsorbBias : OpRewritePattern<AddOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(AddOp op, PatternRewriter &rewriter) const override {
    for (unsigned i : {0, 1}) {
      auto norm = op->getOperand(i).getDefiningOp<LayerNormalizationOp>();
      if (!norm || !norm->hasOneUse() || norm->getNumResults() != 1 || !isAbsent(norm.getB()))
        continue;
      Value bias = op->getOperand(1 - i);
      // A residual connection is no bias.
      if (getRank(bias) >= getRank(norm.getX()))
        continue;
      SmallVector<Value> operands = {norm.getX(), norm.getScale(), bias};
      return replaceByOp(rewriter, op, norm->getName().getStringRef(), operands, norm->getAttrs());
    }
    return rewriter.notifyMatchFailure(op, "no normalisation without bias");
  }
};

struct RaiseNormalizations : impl::RaiseNormalizationsBase<RaiseNormalizations> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseQuotient<DivOp>, RaiseQuotient<MulOp>, AbsorbScale, AbsorbBias>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace dsc
