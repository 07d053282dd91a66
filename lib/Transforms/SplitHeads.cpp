//===- SplitHeads.cpp - attention over three axes gets four ---------------===//
//
//   %s = dsc.matmul %q, %k                         f32[B * H, M, N]
//   dsc.matmul (dsc.softmax %s), %v                f32[B * H, M, D]
// =>
//   the same over f32[B, H, ...] and a reshape, so that RaiseAttention finds its form
//
// B and H are those of a reshape next to q, k, v, the scores or the result. Where there
// is none, H is 1.
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_SPLITHEADS
#include "dsc/Transforms/Passes.h.inc"

namespace {

/// What lies between the softmax and the product of its scores.
struct Chain {
  MatMulOp product;
  /// The operands on the way, from the softmax's down to the product.
  SmallVector<OpOperand *> links;
};

struct Split {
  Dim batch, heads;
};

} // namespace

/// The dims of something whose leading dims, one or two, are batch and heads.
static bool hasDims(Value value, ArrayRef<Dim> inner, Dim merged) {
  SmallVector<Dim> dims = getDims(value);
  if (dims.size() != 3 && dims.size() != 4)
    return false;
  Dim leading = dims.size() == 3 ? dims[0] : dims[0] * dims[1];
  return leading == merged && ArrayRef(dims).take_back(2) == inner;
}

/// Follows factors, masks and reshapes of scores to their product.
static bool findChain(OpOperand &operand, ArrayRef<Dim> inner, Dim merged, Chain &chain) {
  constexpr size_t kMostLinks = 10;
  Operation *op = operand.get().getDefiningOp();
  if (!op || chain.links.size() == kMostLinks || !hasDims(operand.get(), inner, merged))
    return false;
  chain.links.push_back(&operand);
  if (auto product = dyn_cast<MatMulOp>(op)) {
    chain.product = product;
    return getRank(product.getResult()) == 3 && getRank(product.getA()) == 3 &&
           getRank(product.getB()) == 3;
  }
  size_t depth = chain.links.size();
  if (isa<AddOp, SubOp, MulOp, DivOp, WhereOp, ReshapeOp, UnsqueezeOp, SqueezeOp>(op))
    for (OpOperand &next : op->getOpOperands()) {
      if (findChain(next, inner, merged, chain))
        return true;
      chain.links.truncate(depth);
    }
  return false;
}

//===----------------------------------------------------------------------===//
// Batch and heads
//===----------------------------------------------------------------------===//

/// The batch and the heads of a tensor of rank 4 with these elements.
static std::optional<Split> splitOf(Value value, Dim merged) {
  SmallVector<Dim> dims = getDims(value);
  if (dims.size() != 4 || dims[0] * dims[1] != merged)
    return std::nullopt;
  return Split{dims[0], dims[1]};
}

/// Of an operand that is, but for a factor and a transposition, a reshape.
static std::optional<Split> splitOfSource(Value value, Dim merged) {
  Factors factors = factorize(value);
  if (factors.values.size() == 1)
    value = factors.values.front();
  if (auto transpose = value.getDefiningOp<TransposeOp>())
    value = transpose.getData();
  auto reshape = value.getDefiningOp<ReshapeOp>();
  return reshape ? splitOf(reshape.getData(), merged) : std::nullopt;
}

static Split findSplit(MatMulOp op, Chain &chain, Dim merged) {
  for (OpOperand *link : chain.links)
    if (std::optional<Split> split = splitOf(link->get(), merged))
      return *split;
  for (Value operand : {chain.product.getA(), chain.product.getB(), op.getB()})
    if (std::optional<Split> split = splitOfSource(operand, merged))
      return *split;
  for (Operation *user : op.getResult().getUsers())
    if (auto reshape = dyn_cast<ReshapeOp>(user))
      if (std::optional<Split> split = splitOf(reshape.getResult(), merged))
        return *split;
  return {merged, Dim::constant(op.getContext(), 1)};
}

//===----------------------------------------------------------------------===//
// Building
//===----------------------------------------------------------------------===//

namespace {

/// Builds what is computed over three axes over four.
class FourAxes {
public:
  FourAxes(PatternRewriter &rewriter, Location loc, Split split)
      : rewriter(rewriter), loc(loc), split(split) {}

  Value build(StringRef name, ValueRange operands, ArrayRef<NamedAttribute> attributes = {}) {
    if (llvm::is_contained(operands, Value()))
      return {};
    FailureOr<Operation *> built = buildOp(rewriter, loc, name, operands, attributes);
    return failed(built) ? Value() : (*built)->getResult(0);
  }

  /// [B * H, rows, columns] as [B, H, rows, columns]; [1, rows, columns] with two ones;
  /// others as they are, which broadcasts alike.
  Value reshape(Value value) {
    SmallVector<Dim> dims = getDims(value);
    if (dims.size() != 3)
      return value;
    Dim one = Dim::constant(value.getContext(), 1);
    bool repeats = dims[0].isConstant(1);
    return reshapeTo(rewriter, value,
                     {repeats ? one : split.batch, repeats ? one : split.heads, dims[1], dims[2]});
  }

  /// An operand of a product, the reshape before factors and a transposition.
  Value operand(Value value) {
    if (auto transpose = value.getDefiningOp<TransposeOp>();
        transpose && transpose.getPerm() && *transpose.getPerm() == ArrayRef<int64_t>{0, 2, 1})
      return build("dsc.transpose", operand(transpose.getData()),
                   rewriter.getNamedAttr("perm", rewriter.getDenseI64ArrayAttr({0, 1, 3, 2})));
    if (isa_and_nonnull<MulOp, DivOp>(value.getDefiningOp())) {
      Operation *op = value.getDefiningOp();
      Value a = op->getOperand(0), b = op->getOperand(1);
      if (splatNumber(b) && a.getType() == value.getType() && getRank(b) < 3)
        return build(op->getName().getStringRef(), {operand(a), b});
    }
    return reshape(value);
  }

  Value softmax(Chain &chain) {
    Value value =
        build("dsc.matmul", {operand(chain.product.getA()), operand(chain.product.getB())});
    for (OpOperand *link : llvm::reverse(ArrayRef(chain.links).drop_front())) {
      // The op that has this operand; reshapes have none left to do.
      Operation *user = link->getOwner();
      if (isa<ReshapeOp, UnsqueezeOp, SqueezeOp>(user))
        continue;
      SmallVector<Value> operands =
          llvm::map_to_vector(user->getOperands(), [&](Value other) { return reshape(other); });
      operands[link->getOperandNumber()] = value;
      value = build(user->getName().getStringRef(), operands, user->getAttrs());
    }
    return build("dsc.softmax", value,
                 rewriter.getNamedAttr("axis", rewriter.getI64IntegerAttr(-1)));
  }

private:
  PatternRewriter &rewriter;
  Location loc;
  Split split;
};

struct SplitProducts : OpRewritePattern<MatMulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatMulOp op, PatternRewriter &rewriter) const override;
};

} // namespace

/// The result under what follows it: a reshape to four axes and an exchange of the first
/// two of three are those of the value with four axes.
static void replaceUsers(PatternRewriter &rewriter, MatMulOp op, Value value, FourAxes &build) {
  for (Operation *user : llvm::make_early_inc_range(op.getResult().getUsers())) {
    if (isa<ReshapeOp>(user) && user->getResult(0).getType() == value.getType()) {
      rewriter.replaceOp(user, value);
      continue;
    }
    auto transpose = dyn_cast<TransposeOp>(user);
    if (!transpose || !transpose.getPerm() || *transpose.getPerm() != ArrayRef<int64_t>{1, 0, 2})
      continue;
    rewriter.setInsertionPointAfterValue(value);
    Value exchanged =
        build.build("dsc.transpose", value,
                    rewriter.getNamedAttr("perm", rewriter.getDenseI64ArrayAttr({2, 0, 1, 3})));
    if (Value result =
            exchanged ? reshapeTo(rewriter, exchanged, getDims(user->getResult(0))) : Value())
      rewriter.replaceOp(user, result);
  }
  rewriter.setInsertionPointAfterValue(value);
}

LogicalResult SplitProducts::matchAndRewrite(MatMulOp op, PatternRewriter &rewriter) const {
  auto softmax = op.getA().getDefiningOp<SoftmaxOp>();
  SmallVector<Dim> dims = getDims(op.getA());
  if (!softmax || dims.size() != 3 || getRank(op.getB()) != 3 || getDims(op.getB())[0] != dims[0])
    return rewriter.notifyMatchFailure(op, "not a product of three axes with a softmax");
  if (int64_t axis = softmax.getAxis(); axis != -1 && axis != 2)
    return rewriter.notifyMatchFailure(op, "the softmax is along another axis");
  Chain chain;
  if (!findChain(softmax->getOpOperand(0), ArrayRef(dims).take_back(2), dims[0], chain))
    return rewriter.notifyMatchFailure(op, "the scores are no product");
  SmallVector<Dim> result = getDims(op.getResult());
  FourAxes build(rewriter, op.getLoc(), findSplit(op, chain, dims[0]));
  // Values that turn out not to fit are left unused.
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  Value value = build.build("dsc.matmul", {build.softmax(chain), build.operand(op.getB())});
  if (!value)
    return rewriter.notifyMatchFailure(op, "an operand does not fit");
  replaceUsers(rewriter, op, value, build);
  Value merged = reshapeTo(rewriter, value, result);
  if (!merged)
    return rewriter.notifyMatchFailure(op, "the result does not fit");
  rewriter.replaceOp(op, merged);
  return success();
}

namespace {
struct SplitHeads : impl::SplitHeadsBase<SplitHeads> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<SplitProducts>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

} // namespace dsc
