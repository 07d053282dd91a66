//===- RaiseSoftmax.cpp - softmax from its steps --------------------------===//
//
//   %m = dsc.reduce_max %x     %e = dsc.exp (%x - %m)     %s = dsc.reduce_sum %e
//   dsc.div %e, %s    =>    dsc.softmax %x
//
// and from what versions before 13 of ONNX mean, which see two axes only:
//
//   dsc.reshape (dsc.softmax (dsc.flatten %x))    =>    dsc.softmax %x
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_RAISESOFTMAX
#include "dsc/Transforms/Passes.h.inc"

namespace {

struct RaiseQuotient : OpRewritePattern<DivOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(DivOp op, PatternRewriter &rewriter) const override {
    auto exp = op.getA().getDefiningOp<ExpOp>();
    auto sum = op.getB().getDefiningOp<ReduceSumOp>();
    if (!exp || !sum || sum.getData() != exp.getResult())
      return rewriter.notifyMatchFailure(op, "not exp / sum(exp)");
    auto difference = exp.getX().getDefiningOp<SubOp>();
    auto maximum = difference ? difference.getB().getDefiningOp<ReduceMaxOp>() : ReduceMaxOp();
    if (!maximum || maximum.getData() != difference.getA())
      return rewriter.notifyMatchFailure(op, "the exponent is not x - max(x)");
    SmallVector<int64_t> axes = keptAxes(sum);
    if (axes.size() != 1 || keptAxes(maximum) != axes)
      return rewriter.notifyMatchFailure(op, "not along one axis");
    return replaceByOp(rewriter, op, "dsc.softmax", difference.getA(),
                       rewriter.getNamedAttr("axis", rewriter.getI64IntegerAttr(axes.front())));
  }
};

/// Rows are the same in every shape that has their axis as the last one.
struct RemoveFlatten : OpRewritePattern<ReshapeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReshapeOp op, PatternRewriter &rewriter) const override {
    Operation *rows = op.getData().getDefiningOp();
    auto flatten = isa_and_nonnull<SoftmaxOp, LogSoftmaxOp>(rows)
                       ? rows->getOperand(0).getDefiningOp<FlattenOp>()
                       : FlattenOp();
    if (!flatten || flatten.getInput().getType() != op.getType())
      return rewriter.notifyMatchFailure(op, "not the reverse of a flatten before a softmax");
    int64_t axis = rows->getAttrOfType<IntegerAttr>("axis").getInt();
    SmallVector<Dim> dims = getDims(op.getResult()), flat = getDims(flatten.getResult());
    if ((axis != -1 && axis != 1) || dims.empty() || dims.back() != flat.back())
      return rewriter.notifyMatchFailure(op, "the rows are not the last axis");
    return replaceByOp(rewriter, op, rows->getName().getStringRef(), flatten.getInput(),
                       rewriter.getNamedAttr("axis", rewriter.getI64IntegerAttr(-1)));
  }
};

struct RaiseSoftmax : impl::RaiseSoftmaxBase<RaiseSoftmax> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseQuotient, RemoveFlatten>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace dsc
