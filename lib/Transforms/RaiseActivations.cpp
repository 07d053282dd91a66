//===- RaiseActivations.cpp - GELU, SiLU, hard swish from their formulas --===//
//
//   0.5 * x * (1 + erf(x / sqrt(2)))                                  =>  dsc.gelu
//   0.5 * x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 * x^3)))         =>  dsc.gelu, "tanh"
//   x * sigmoid(a * x)                                                =>  dsc.swish
//   x * clip(x + 3, 0, 6) / 6,  x * hard_sigmoid(x; 1/6, 1/2)         =>  dsc.hard_swish
//
// in any order of the factors. All are a constant times x times a function of x.
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>
#include <numbers>

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_RAISEACTIVATIONS
#include "dsc/Transforms/Passes.h.inc"

/// Whether value = c * x^power.
static bool isPower(Value value, Value x, double c, unsigned power) {
  Type element = getElementType(x);
  Factors factors = factorize(value);
  unsigned count = 0;
  for (Value factor : factors.values) {
    auto pow = factor.getDefiningOp<PowOp>();
    if (factor == x)
      ++count;
    else if (pow && pow.getX() == x && isNumber(pow.getY(), power))
      count += power;
    else
      return false;
  }
  return count == power && isClose(factors.constant, c, element);
}

/// Whether u = sqrt(2 / pi) * (x + 0.044715 * x^3).
static bool isGeluCubic(Value u, Value x) {
  constexpr double kCubic = 0.044715;
  Factors factors = factorize(u);
  if (!isClose(factors.constant, std::sqrt(2 / std::numbers::pi), getElementType(x)))
    return false;
  auto isSum = [](Value value, auto isFirst, auto isSecond) {
    auto add = value.getDefiningOp<AddOp>();
    return add && ((isFirst(add.getA()) && isSecond(add.getB())) ||
                   (isFirst(add.getB()) && isSecond(add.getA())));
  };
  auto isX = [&](Value value) { return value == x; };
  auto isCube = [&](Value value) { return isPower(value, x, kCubic, 3); };
  auto isOne = [](Value value) { return isNumber(value, 1); };
  auto isSquare = [&](Value value) { return isPower(value, x, kCubic, 2); };
  ArrayRef<Value> values = factors.values;
  if (values.size() == 1)
    return isSum(values[0], isX, isCube);
  if (values.size() != 2 || !llvm::is_contained(values, x))
    return false;
  return isSum(values[0] == x ? values[1] : values[0], isOne, isSquare);
}

/// Whether value = min(max(x, low), high).
static bool isClip(Value value, double low, double high, function_ref<bool(Value)> isX) {
  auto clip = value.getDefiningOp<ClipOp>();
  return clip && !isAbsent(clip.getMin()) && !isAbsent(clip.getMax()) &&
         isNumber(clip.getMin(), low) && isNumber(clip.getMax(), high) && isX(clip.getInput());
}

namespace {

/// What constant * x * f is.
struct KnownActivation {
  StringRef name;
  std::optional<NamedAttribute> attribute;
};

template <typename OpTy> struct RaiseProduct : OpRewritePattern<OpTy> {
  using OpRewritePattern<OpTy>::OpRewritePattern;
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override;
};

struct RaiseActivations : impl::RaiseActivationsBase<RaiseActivations> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseProduct<MulOp>, RaiseProduct<DivOp>>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

static std::optional<KnownActivation> recognize(Builder &builder, double constant, Value x,
                                                Value f) {
  Type element = getElementType(x);
  if (Value function = addendOf(f, 1); function && isClose(constant, 0.5, element)) {
    if (auto erf = function.getDefiningOp<ErfOp>()) {
      std::optional<double> scale = coefficient(erf.getX(), x);
      if (scale && isClose(*scale, std::sqrt(0.5), element))
        return KnownActivation{"dsc.gelu", std::nullopt};
    }
    auto tanh = function.getDefiningOp<TanhOp>();
    if (tanh && isGeluCubic(tanh.getX(), x))
      return KnownActivation{"dsc.gelu",
                             builder.getNamedAttr("approximate", builder.getStringAttr("tanh"))};
  }
  if (auto sigmoid = f.getDefiningOp<SigmoidOp>(); sigmoid && isClose(constant, 1, element))
    if (std::optional<double> alpha = coefficient(sigmoid.getX(), x))
      return KnownActivation{"dsc.swish",
                             builder.getNamedAttr("alpha", builder.getF32FloatAttr(*alpha))};
  auto isShifted = [&](Value value) { return addendOf(value, 3) == x; };
  if (isClose(constant, 1.0 / 6, element) && isClip(f, 0, 6, isShifted))
    return KnownActivation{"dsc.hard_swish", std::nullopt};
  auto hard = f.getDefiningOp<HardSigmoidOp>();
  if (hard && hard.getX() == x && isClose(constant, 1, element) &&
      isClose(hard.getAlpha().convertToDouble(), 1.0 / 6, element) &&
      isClose(hard.getBeta().convertToDouble(), 0.5, element))
    return KnownActivation{"dsc.hard_swish", std::nullopt};
  return std::nullopt;
}

template <typename OpTy>
LogicalResult RaiseProduct<OpTy>::matchAndRewrite(OpTy op, PatternRewriter &rewriter) const {
  Factors factors = factorize(op->getResult(0));
  if (factors.values.size() != 2)
    return rewriter.notifyMatchFailure(op, "not a product of two values");
  for (unsigned i : {0, 1}) {
    Value x = factors.values[i];
    std::optional<KnownActivation> found =
        recognize(rewriter, factors.constant, x, factors.values[1 - i]);
    if (!found)
      continue;
    SmallVector<NamedAttribute> attributes;
    if (found->attribute)
      attributes.push_back(*found->attribute);
    return replaceByOp(rewriter, op, found->name, x, attributes);
  }
  return rewriter.notifyMatchFailure(op, "not a known activation");
}

} // namespace dsc
