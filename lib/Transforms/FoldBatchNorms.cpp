//===- FoldBatchNorms.cpp - batch normalisation into the convolution ------===//
//
//   dsc.batch_normalization (dsc.conv %x, %w, %b), %scale, %shift, %mean, %var
// =>
//   %f = %scale / sqrt(%var + epsilon)
//   dsc.conv %x, %w * %f, (%b - %mean) * %f + %shift
//
// where weights and parameters are constant, so that the new ones are folded. The
// factor of an output channel scales its row of the weights; transposed
// convolutions, whose output channels are the second axis, are left alone.
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_FOLDBATCHNORMS
#include "dsc/Transforms/Passes.h.inc"

static bool isConstantTensor(Value value) {
  return isa_and_nonnull<ConstantOp, WeightOp>(value.getDefiningOp());
}

namespace {

/// Ops on the parameters, in their element type.
struct ParameterBuilder {
  PatternRewriter &rewriter;
  Location loc;

  Value op(StringRef name, ValueRange operands, ArrayRef<NamedAttribute> attributes = {}) {
    if (llvm::any_of(operands, [](Value value) { return !value; }))
      return {};
    FailureOr<Operation *> built = buildOp(rewriter, loc, name, operands, attributes);
    return failed(built) ? Value() : (*built)->getResult(0);
  }
  Value number(Type element, double value) {
    auto type = RankedTensorType::get({}, element);
    return ConstantOp::create(rewriter, loc,
                              DenseElementsAttr::get(type, rewriter.getFloatAttr(element, value)));
  }
  /// [C] as [C, 1, ...] of this rank.
  Value column(Value vector, int64_t rank) {
    SmallVector<Dim> shape(rank, Dim::constant(vector.getContext(), 1));
    shape[0] = getDims(vector)[0];
    return op("dsc.reshape", vector,
              rewriter.getNamedAttr("shape", DimsAttr::get(vector.getContext(), shape)));
  }
};

struct FoldIntoConv : OpRewritePattern<BatchNormalizationOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(BatchNormalizationOp norm,
                                PatternRewriter &rewriter) const override {
    auto conv = norm.getX().getDefiningOp<ConvOp>();
    if (!conv || !conv->hasOneUse() || conv.getResult().getType() != norm->getResult(0).getType())
      return rewriter.notifyMatchFailure(norm, "not alone behind a convolution");
    bool hasBias = !isAbsent(conv.getB());
    if (!isConstantTensor(conv.getW()) || (hasBias && !isConstantTensor(conv.getB())) ||
        !llvm::all_of(norm->getOperands().drop_front(), isConstantTensor))
      return rewriter.notifyMatchFailure(norm, "parameters are not constant");
    Type element = getElementType(conv.getW());
    for (Value operand : norm->getOperands())
      if (getElementType(operand) != element)
        return rewriter.notifyMatchFailure(norm, "parameters of another type");
    ParameterBuilder p{rewriter, norm.getLoc()};
    Value epsilon = p.number(element, norm.getEpsilon().convertToDouble());
    Value deviation = p.op("dsc.sqrt", p.op("dsc.add", {norm.getInputVar(), epsilon}));
    Value factor = p.op("dsc.div", {norm.getScale(), deviation});
    Value weights = p.op("dsc.mul", {conv.getW(), p.column(factor, getRank(conv.getW()))});
    Value shifted = hasBias ? p.op("dsc.sub", {conv.getB(), norm.getInputMean()})
                            : p.op("dsc.neg", norm.getInputMean());
    Value bias = p.op("dsc.add", {p.op("dsc.mul", {shifted, factor}), norm.getB()});
    if (!weights || !bias)
      return rewriter.notifyMatchFailure(norm, "parameters do not fit");
    // The shapes are as before, and what guards them stays before the convolution.
    Operation *folded = rewriter.clone(*conv);
    folded->setOperands({conv.getX(), weights, bias});
    rewriter.replaceOp(norm, folded);
    return success();
  }
};

struct FoldBatchNorms : impl::FoldBatchNormsBase<FoldBatchNorms> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<FoldIntoConv>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace dsc
