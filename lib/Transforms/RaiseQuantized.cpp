//===- RaiseQuantized.cpp - products of dequantized tensors in integers ---===//
//
//   conv(dequantize(x), dequantize(w), dequantize(b))         (matmul, gemm the same)
// =>
//   s = conv_integer(x, w) + b,   y = float(s) * (scale_x * scale_w)
// and where that is quantized again, also behind a relu or clip that saturation does,
//   y = requantize(s, scale_x * scale_w / scale_y, zero_y)
//
//   quantize(dequantize(a) + dequantize(b))                   =>  quantized_sum(a, b)
//   quantize(dequantize(q))                                   =>  requantize(q - zero, scale /
//   scale_y)
//
// Sums in int32 are exact, so that nothing is left to be rounded but the scaling. A
// bias of another scale than scale_x * scale_w is added in float32.
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Dialect/IR/Decomposer.h"
#include "dsc/Dialect/IR/Weights.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_RAISEQUANTIZED
#include "dsc/Transforms/Passes.h.inc"

namespace {

/// A dequantized tensor: (q - zero) * scale.
struct Dequantized {
  Value q, scale, zero;
  /// The axis that scales belong to; empty: one scale for all.
  std::optional<int64_t> axis;
};

/// A tensor that is quantized: its users see only that.
struct Quantized {
  QuantizeLinearOp op;
  double scale = 1, zero = 0, least = 0, most = 0;
};

} // namespace

/// Empty for what is not a tensor of integers of `bits` bits with float32 scales.
static std::optional<Dequantized> matchDequantized(Value value, unsigned bits = 8) {
  auto op = value.getDefiningOp<DequantizeLinearOp>();
  if (!op || !getElementType(op.getX()).isInteger(bits) || op.getBlockSize() != 0 ||
      !getElementType(op.getXScale()).isF32() || !getElementType(value).isF32())
    return std::nullopt;
  Dequantized found{op.getX(), op.getXScale(), op.getXZeroPoint(), std::nullopt};
  int64_t rank = getRank(value), axis = op.getAxis();
  if (!isOneElement(found.scale))
    found.axis = rank == 1 ? 0 : axis < 0 ? axis + rank : axis;
  return found;
}

/// The number that a constant of one element is.
static std::optional<double> oneNumber(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!elements || elements.getNumElements() != 1)
    return std::nullopt;
  if (isa<FloatType>(elements.getElementType()))
    return elements.getSplatValue<APFloat>().convertToDouble();
  APInt number = elements.getSplatValue<APInt>();
  bool isUnsigned = cast<IntegerType>(elements.getElementType()).isUnsigned();
  return isUnsigned ? static_cast<double>(number.getZExtValue())
                    : static_cast<double>(number.getSExtValue());
}

static std::optional<Quantized> matchQuantized(Operation *op) {
  auto quantize = dyn_cast<QuantizeLinearOp>(op);
  if (!quantize || !getElementType(quantize.getX()).isF32() || isAbsent(quantize.getYZeroPoint()))
    return std::nullopt;
  auto type = dyn_cast<IntegerType>(getElementType(quantize.getY()));
  Type scaleType = getElementType(quantize.getYScale());
  std::optional<double> scale = oneNumber(quantize.getYScale());
  std::optional<double> zero = oneNumber(quantize.getYZeroPoint());
  bool isPlain = quantize.getPrecision() == 0 && type && type.getWidth() == 8 && scaleType.isF32();
  if (!isPlain || !scale || !zero)
    return std::nullopt;
  Quantized found{quantize, *scale, *zero, 0, 255};
  if (!type.isUnsigned())
    std::tie(found.least, found.most) = std::pair(-128.0, 127.0);
  return found;
}

/// Whether saturation bounds values at least as much as the op does.
static bool isSaturation(Operation *op, const Quantized &quantized) {
  double least = (quantized.least - quantized.zero) * quantized.scale;
  double most = (quantized.most - quantized.zero) * quantized.scale;
  if (isa<ReluOp>(op))
    return least >= 0;
  auto clip = dyn_cast<ClipOp>(op);
  if (!clip)
    return false;
  auto fits = [](Value bound, auto compare) {
    std::optional<double> number = isAbsent(bound) ? std::nullopt : oneNumber(bound);
    return isAbsent(bound) || (number && compare(*number));
  };
  return fits(clip.getMin(), [&](double bound) { return bound <= least; }) &&
         fits(clip.getMax(), [&](double bound) { return bound >= most; });
}

/// The quantization that is all that is done with a value, but for what saturates.
static std::optional<Quantized> findQuantized(Value value) {
  SmallVector<Operation *, 2> between;
  while (value.hasOneUse()) {
    Operation *user = *value.getUsers().begin();
    if (std::optional<Quantized> quantized = matchQuantized(user)) {
      bool saturates = user->getOperand(0) == value && llvm::all_of(between, [&](Operation *op) {
                         return isSaturation(op, *quantized);
                       });
      return saturates ? quantized : std::nullopt;
    }
    if (!isa<ReluOp, ClipOp>(user) || user->getOperand(0) != value)
      return std::nullopt;
    between.push_back(user);
    value = user->getResult(0);
  }
  return std::nullopt;
}

namespace {

/// Builds what follows a product's sums in int32.
class ProductBuilder {
public:
  ProductBuilder(PatternRewriter &rewriter, Operation *op, const WeightStore &weights)
      : rewriter(rewriter), op(op), weights(weights), build(rewriter, op->getLoc()) {}

  /// `b`'s scales belong to the axis `channel` of the result. `bias` in float32; null or
  /// absent: none.
  LogicalResult replace(Value sums, const Dequantized &a, const Dequantized &b, int64_t channel,
                        Value bias);

private:
  Value alongChannel(Value parameter, int64_t channel);
  bool isIntegerBias(const Dequantized &bias, const Dequantized &a, const Dequantized &b) const;
  std::optional<SmallVector<float>> contents(Value value) const;

  PatternRewriter &rewriter;
  Operation *op;
  const WeightStore &weights;
  Decomposer build;
};

template <typename OpTy> struct RaiseProduct : OpRewritePattern<OpTy> {
  RaiseProduct(MLIRContext *context, const WeightStore &weights)
      : OpRewritePattern<OpTy>(context), weights(weights) {}
  LogicalResult matchAndRewrite(OpTy op, PatternRewriter &rewriter) const override;

  const WeightStore &weights;
};

struct RaiseSum : OpRewritePattern<QuantizeLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeLinearOp op, PatternRewriter &rewriter) const override;
};

/// Quantized to other parameters, without a division.
struct RaiseRescaling : OpRewritePattern<QuantizeLinearOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(QuantizeLinearOp op, PatternRewriter &rewriter) const override;
};

struct RaiseQuantized : impl::RaiseQuantizedBase<RaiseQuantized> {
  RaiseQuantized() = default;
  explicit RaiseQuantized(WeightStore &store) : store(&store) {}

  void runOnOperation() override {
    WeightStore own;
    const WeightStore &weights = store ? *store : own;
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseProduct<ConvOp>, RaiseProduct<MatMulOp>, RaiseProduct<GemmOp>>(&getContext(),
                                                                                     weights);
    patterns.add<RaiseSum, RaiseRescaling>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }

  WeightStore *store = nullptr;
};

} // namespace

//===----------------------------------------------------------------------===//
// Behind the sums
//===----------------------------------------------------------------------===//

/// A parameter of one element, or of one for each channel, so that it broadcasts to the
/// result.
Value ProductBuilder::alongChannel(Value parameter, int64_t channel) {
  return build.alongAxis(parameter, channel, getRank(op->getResult(0)));
}

std::optional<SmallVector<float>> ProductBuilder::contents(Value value) const {
  std::optional<Array> array = constantContents(value, weights);
  if (!array || !getElementType(value).isF32())
    return std::nullopt;
  SmallVector<float> numbers(array->numElements());
  std::memcpy(numbers.data(), array->data.data(), array->data.size());
  return numbers;
}

/// Whether the bias has the scales of the sums.
bool ProductBuilder::isIntegerBias(const Dequantized &bias, const Dequantized &a,
                                   const Dequantized &b) const {
  if (!isAbsent(bias.zero)) {
    std::optional<Array> zeros = constantContents(bias.zero, weights);
    if (!zeros || llvm::any_of(zeros->data, [](uint8_t byte) { return byte != 0; }))
      return false;
  }
  auto mine = contents(bias.scale), left = contents(a.scale), right = contents(b.scale);
  if (!mine || !left || !right || left->size() != 1)
    return false;
  for (size_t i = 0, count = std::max(mine->size(), right->size()); i < count; ++i) {
    float product = left->front() * (*right)[right->size() == 1 ? 0 : i];
    if ((*mine)[mine->size() == 1 ? 0 : i] != product)
      return false;
  }
  return true;
}

LogicalResult ProductBuilder::replace(Value sums, const Dequantized &a, const Dequantized &b,
                                      int64_t channel, Value bias) {
  bool hasBias = bias && !isAbsent(bias);
  std::optional<Dequantized> dequantized = hasBias ? matchDequantized(bias, 32) : std::nullopt;
  bool isInteger = dequantized && getRank(bias) == 1 && isIntegerBias(*dequantized, a, b);
  if (isInteger)
    sums = build.op("dsc.add", {sums, alongChannel(dequantized->q, channel)});
  Value scale =
      build.op("dsc.mul", {alongChannel(a.scale, channel), alongChannel(b.scale, channel)});
  std::optional<Quantized> quantized = findQuantized(op->getResult(0));
  bool isFloat = hasBias && !isInteger;
  if (quantized && !isFloat) {
    Value yScale = alongChannel(quantized->op.getYScale(), channel);
    Value zero = alongChannel(quantized->op.getYZeroPoint(), channel);
    Value result = build.op("dsc.requantize", {sums, build.op("dsc.div", {scale, yScale}), zero});
    if (!result || result.getType() != quantized->op.getType())
      return failure();
    rewriter.replaceOp(quantized->op, result);
    return success();
  }
  Value result = build.op("dsc.mul", {build.cast(sums, getElementType(a.scale)), scale});
  if (isFloat)
    result = build.op("dsc.add", {result, alongChannel(bias, channel)});
  if (!result || result.getType() != op->getResult(0).getType())
    return failure();
  rewriter.replaceOp(op, result);
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Builds the sums of the product of `a` and `b` and what follows; fails where scales do
/// not belong to the whole tensor `a` and to channels of `b`.
static LogicalResult raise(ConvOp op, const Dequantized &x, const Dequantized &w, Decomposer &build,
                           ProductBuilder &product) {
  if (w.axis && *w.axis != 0)
    return failure();
  SmallVector<Decomposer::Attribute> attributes;
  for (NamedAttribute attribute : op->getAttrs())
    attributes.push_back({attribute.getName(), attribute.getValue()});
  Value sums = build.op("dsc.conv_integer", {x.q, w.q, x.zero, w.zero}, attributes);
  return product.replace(sums, x, w, 1, op.getB());
}

static LogicalResult raise(MatMulOp op, const Dequantized &a, const Dequantized &b,
                           Decomposer &build, ProductBuilder &product) {
  int64_t last = getRank(op.getB()) - 1;
  if (last < 1 || getRank(op.getA()) < 2 || (b.axis && *b.axis != last))
    return failure();
  Value sums = build.op("dsc.matmul_integer", {a.q, b.q, a.zero, b.zero});
  return product.replace(sums, a, b, getRank(op.getY()) - 1, {});
}

static LogicalResult raise(GemmOp op, const Dequantized &a, const Dequantized &b, Decomposer &build,
                           ProductBuilder &product) {
  int64_t columns = op.getTransB() ? 0 : 1;
  bool isPlain = op.getTransA() == 0 && op.getAlpha().convertToFloat() == 1 &&
                 (isAbsent(op.getC()) || op.getBeta().convertToFloat() == 1);
  if (!isPlain || (b.axis && *b.axis != columns))
    return failure();
  Value matrix = b.q;
  if (op.getTransB()) {
    Builder builder(op.getContext());
    matrix = build.op("dsc.transpose", {matrix}, {{"perm", builder.getDenseI64ArrayAttr({1, 0})}});
  }
  Value sums = build.op("dsc.matmul_integer", {a.q, matrix, a.zero, b.zero});
  return product.replace(sums, a, b, 1, op.getC());
}

template <typename OpTy>
LogicalResult RaiseProduct<OpTy>::matchAndRewrite(OpTy op, PatternRewriter &rewriter) const {
  std::optional<Dequantized> a = matchDequantized(op->getOperand(0));
  std::optional<Dequantized> b = matchDequantized(op->getOperand(1));
  if (!a || !b || a->axis)
    return rewriter.notifyMatchFailure(op, "not a product of dequantized tensors");
  // What does not fit is no error: the op stays what it is.
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  // Behind everything that the result is made of: it may replace a later op.
  std::optional<Quantized> quantized = findQuantized(op->getResult(0));
  rewriter.setInsertionPoint(quantized ? quantized->op.getOperation() : op.getOperation());
  Decomposer build(rewriter, op->getLoc());
  ProductBuilder product(rewriter, op, weights);
  return raise(op, *a, *b, build, product);
}

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

LogicalResult RaiseSum::matchAndRewrite(QuantizeLinearOp op, PatternRewriter &rewriter) const {
  std::optional<Quantized> quantized = matchQuantized(op);
  auto add = op.getX().getDefiningOp<AddOp>();
  if (!quantized || !add || !add->hasOneUse())
    return rewriter.notifyMatchFailure(op, "not a sum that is only quantized");
  std::optional<Dequantized> a = matchDequantized(add.getOperand(0));
  std::optional<Dequantized> b = matchDequantized(add.getOperand(1));
  if (!a || !b || a->axis || b->axis)
    return rewriter.notifyMatchFailure(op, "not a sum of tensors with one scale each");
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  rewriter.setInsertionPoint(op);
  Decomposer build(rewriter, op->getLoc());
  Type f32 = rewriter.getF32Type();
  auto scalar = [&](Value value) { return getRank(value) == 0 ? value : build.reshape(value, {}); };
  Value scale = scalar(op.getYScale()), offset = build.cast(scalar(op.getYZeroPoint()), f32);
  Value centre;
  SmallVector<Value, 2> factors;
  for (const Dequantized *part : {&*a, &*b}) {
    factors.push_back(build.op("dsc.div", {scalar(part->scale), scale}));
    if (isAbsent(part->zero))
      continue;
    Value zero = build.op("dsc.mul", {factors.back(), build.cast(scalar(part->zero), f32)});
    centre = centre ? build.op("dsc.add", {centre, zero}) : zero;
  }
  if (centre)
    offset = build.op("dsc.sub", {offset, centre});
  Value result = build.op("dsc.quantized_sum", {a->q, b->q, factors[0], factors[1], offset},
                          {{"output_dtype", build.number(onnxTypeOf(getElementType(op.getY())))}});
  if (!result || result.getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "shapes do not fit");
  rewriter.replaceOp(op, result);
  return success();
}

//===----------------------------------------------------------------------===//
// Other parameters
//===----------------------------------------------------------------------===//

/// Whether a multiplication gives what dequantizing and quantizing give, for each of the 256
/// values that there are.
static bool isSameByMultiplier(const Quantized &to, IntegerType type, double zero, double scale) {
  auto from = static_cast<float>(scale), by = static_cast<float>(to.scale);
  int first = type.isUnsigned() ? 0 : -128;
  for (int value = first; value < first + 256; ++value) {
    float centered = static_cast<float>(value) - static_cast<float>(zero);
    float steps = std::nearbyint(centered * from / by);
    float product = std::nearbyint(centered * (from / by));
    auto saturated = [&](float x) { return std::clamp<double>(x + to.zero, to.least, to.most); };
    if (saturated(steps) != saturated(product))
      return false;
  }
  return true;
}

LogicalResult RaiseRescaling::matchAndRewrite(QuantizeLinearOp op,
                                              PatternRewriter &rewriter) const {
  std::optional<Quantized> quantized = matchQuantized(op);
  Operation *before = op.getX().getDefiningOp();
  if (!quantized || !before)
    return rewriter.notifyMatchFailure(op, "not quantized by one constant scale");
  if (isSaturation(before, *quantized)) {
    rewriter.modifyOpInPlace(op, [&] { op.getXMutable().assign(before->getOperand(0)); });
    return success();
  }
  std::optional<Dequantized> x = matchDequantized(op.getX());
  std::optional<double> scale = x && !x->axis ? oneNumber(x->scale) : std::nullopt;
  bool isCentered = x && isAbsent(x->zero);
  std::optional<double> zero = isCentered ? 0 : x ? oneNumber(x->zero) : std::nullopt;
  if (!scale || !zero)
    return rewriter.notifyMatchFailure(op, "not of a tensor dequantized by constants");
  auto type = cast<IntegerType>(getElementType(x->q));
  bool isSame = *scale == quantized->scale && *zero == quantized->zero;
  if (isSame && x->q.getType() == op.getType()) {
    rewriter.replaceOp(op, x->q);
    return success();
  }
  if (!isSameByMultiplier(*quantized, type, *zero, *scale))
    return rewriter.notifyMatchFailure(op, "a multiplication rounds otherwise");
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  rewriter.setInsertionPoint(op);
  Decomposer build(rewriter, op->getLoc());
  Type i32 = rewriter.getI32Type();
  auto scalar = [&](Value value) { return getRank(value) == 0 ? value : build.reshape(value, {}); };
  Value sums = build.cast(x->q, i32);
  if (!isCentered)
    sums = build.op("dsc.sub", {sums, build.cast(scalar(x->zero), i32)});
  Value multiplier = build.op("dsc.div", {scalar(x->scale), scalar(op.getYScale())});
  Value result = build.op("dsc.requantize", {sums, multiplier, scalar(op.getYZeroPoint())});
  if (!result || result.getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "shapes do not fit");
  rewriter.replaceOp(op, result);
  return success();
}

std::unique_ptr<Pass> createRaiseQuantizedPass(WeightStore &store) {
  return std::make_unique<RaiseQuantized>(store);
}

} // namespace dsc
