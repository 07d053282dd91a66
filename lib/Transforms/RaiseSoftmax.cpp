//===- RaiseSoftmax.cpp - softmax from its steps --------------------------===//
//
//   %m = dsc.reduce_max %x     %e = dsc.exp (%x - %m)     %s = dsc.reduce_sum %e
//   dsc.div %e, %s    =>    dsc.softmax %x
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

struct RaiseSoftmax : impl::RaiseSoftmaxBase<RaiseSoftmax> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseQuotient>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace

} // namespace dsc
