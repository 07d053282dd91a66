//===- PairProducts.cpp - integer products in the form of fast kernels ----===//
//
//   matmul_integer(a, b)                =>  matmul_pairs(join_pairs(int16(a) - zero), pair(b))
//   conv_integer(x, w)                  =>  conv_pairs(pair(x), pair(w)), channels in pairs
//   conv_integer(x, w), depthwise       =>  cast(conv(float(x), float(w)))
//
// Zero points are taken off where elements are widened: an element less its zero point
// fits into int16, the sum of two products into int32, and an instruction of most
// processors computes it. The sums of a depthwise convolution are below 2^24, so
// float32 holds them exactly.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/Decomposer.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_PAIRPRODUCTS
#include "dsc/Transforms/Passes.h.inc"

namespace {

struct PairMatMul : OpRewritePattern<MatMulIntegerOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(MatMulIntegerOp op, PatternRewriter &rewriter) const override;
};

struct PairConv : OpRewritePattern<ConvIntegerOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ConvIntegerOp op, PatternRewriter &rewriter) const override;
};

struct PairProducts : impl::PairProductsBase<PairProducts> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<PairMatMul, PairConv>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

static Value pair(Decomposer &build, Value x, Value zeroPoint, int64_t axis) {
  return build.op("dsc.pair", {x, zeroPoint}, {{"axis", build.number(axis)}});
}

/// Pairs along the last axis: where their number is even they lie as they are read.
static Value pairRows(Decomposer &build, Value x, Value zeroPoint) {
  SmallVector<Dim> dims = getDims(x);
  if (!dims.back().isConstant() || dims.back().getConstant() % 2 != 0)
    return pair(build, x, zeroPoint, getRank(x) - 1);
  Type i16 = IntegerType::get(x.getContext(), 16);
  Value wide = build.cast(x, i16);
  if (!isAbsent(zeroPoint))
    wide = build.op("dsc.sub", {wide, build.cast(zeroPoint, i16)});
  return build.op("dsc.join_pairs", {wide});
}

LogicalResult PairMatMul::matchAndRewrite(MatMulIntegerOp op, PatternRewriter &rewriter) const {
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  Decomposer build(rewriter, op->getLoc());
  int64_t rankA = getRank(op.getA()), rankB = getRank(op.getB());
  Value zeroA = build.alongAxis(op.getAZeroPoint(), std::max<int64_t>(rankA - 2, 0), rankA);
  Value zeroB = build.alongAxis(op.getBZeroPoint(), rankB - 1, rankB);
  Value a = pairRows(build, op.getA(), zeroA);
  Value b = pair(build, op.getB(), zeroB, std::max<int64_t>(rankB - 2, 0));
  Value sums = build.op("dsc.matmul_pairs", {a, b});
  if (!sums || sums.getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "zero points do not broadcast");
  rewriter.replaceOp(op, sums);
  return success();
}

/// Products below 2^16 of so many taps are below 2^24.
static constexpr int64_t kMostTaps = 256;

/// The convolution in float32, exact.
static Value inFloat(Decomposer &build, ConvIntegerOp op,
                     ArrayRef<Decomposer::Attribute> attributes) {
  Type f32 = Float32Type::get(op.getContext());
  auto centered = [&](Value x, Value zeroPoint) {
    Value wide = build.cast(x, f32);
    if (isAbsent(zeroPoint))
      return wide;
    return build.op("dsc.sub", {wide, build.cast(build.alongAxis(zeroPoint, 0, getRank(x)), f32)});
  };
  Value x = centered(op.getX(), op.getXZeroPoint()), w = centered(op.getW(), op.getWZeroPoint());
  Value sums = build.op("dsc.conv", {x, w, build.none()}, attributes);
  return sums ? build.cast(sums, getElementType(op.getY())) : Value();
}

/// Input channels in pairs within their group. Positions are taken as one axis: long loops.
static Value pairChannels(Decomposer &build, ConvIntegerOp op, Dim groupInputs) {
  MLIRContext *context = op.getContext();
  Value x = op.getX(), zero = build.alongAxis(op.getXZeroPoint(), 0, getRank(x));
  SmallVector<Dim> dims = getDims(x);
  Dim group = Dim::constant(context, op.getGroup());
  Dim positions = product(context, ArrayRef(dims).drop_front(2));
  Value pairs = pair(build, build.reshape(x, {dims[0], group, groupInputs, positions}), zero, 2);
  dims[1] = groupInputs.ceilDiv(2) * op.getGroup();
  return pairs ? build.reshape(pairs, dims) : Value();
}

LogicalResult PairConv::matchAndRewrite(ConvIntegerOp op, PatternRewriter &rewriter) const {
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  Decomposer build(rewriter, op->getLoc());
  SmallVector<Decomposer::Attribute> attributes;
  for (NamedAttribute attribute : op->getAttrs())
    attributes.push_back({attribute.getName(), attribute.getValue()});
  SmallVector<Dim> kernel = getDims(op.getW());
  std::optional<int64_t> taps =
      product(op.getContext(), ArrayRef(kernel).drop_front(2)).tryConstant();
  Value sums;
  if (kernel[1].isConstant(1) && taps && *taps <= kMostTaps) {
    sums = inFloat(build, op, attributes);
  } else {
    Value x = pairChannels(build, op, kernel[1]);
    Value zero = build.alongAxis(op.getWZeroPoint(), 0, getRank(op.getW()));
    Value w = pair(build, op.getW(), zero, 1);
    sums = build.op("dsc.conv_pairs", {x, w}, attributes);
  }
  if (!sums || sums.getType() != op.getType())
    return rewriter.notifyMatchFailure(op, "shapes do not fit");
  rewriter.replaceOp(op, sums);
  return success();
}

} // namespace dsc
