//===- RaiseAttention.cpp - attention from products and a softmax ---------===//
//
//   %s = dsc.matmul (%q * a), (dsc.transpose %k) * b
//   dsc.matmul (dsc.softmax (%s + %mask)), %v
// =>
//   dsc.attention %q, %k, %v, %mask {scale = a * b}
//
// with what exporters put in between: a select for masks of booleans, zeros for rows
// without keys, repeated heads, transpositions of operands and result.
//
//===----------------------------------------------------------------------===//
#include "Raise.h"

#include "dsc/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_RAISEATTENTION
#include "dsc/Transforms/Passes.h.inc"

namespace {

/// What is done to scores before the softmax: something is added, or where `condition`
/// does not hold (`negated`: where it does) they become `hidden`.
struct MaskStep {
  Value addend;
  double addendScale = 1;
  Value condition, hidden;
  bool negated = false;
};

/// What is found, from the last product upwards.
struct Found {
  Value q, k, v;
  SmallVector<MaskStep> steps; // the last one first
  double scale = 1;
  StringRef undefinedRows = "nan";
};

/// An operand as [B, H, rows, columns]: a tensor and the order of its axes.
struct Operand {
  Value tensor;
  SmallVector<int64_t> perm = {0, 1, 2, 3};
};

} // namespace

static bool isMinusInfinity(Value value) {
  std::optional<double> number = splatNumber(value);
  return number && std::isinf(*number) && *number < 0;
}

static bool isZero(Value value) {
  std::optional<double> number = splatNumber(value);
  return number && *number == 0;
}

static bool isPermutation(TransposeOp op, ArrayRef<int64_t> perm) {
  return op && op.getPerm() && *op.getPerm() == perm;
}

/// The node that an op comes from.
static std::string originText(Location loc) {
  auto name = dyn_cast<NameLoc>(loc);
  return name ? name.getName().str() : "attention";
}

//===----------------------------------------------------------------------===//
// Between the products
//===----------------------------------------------------------------------===//

/// The softmax under a select that makes undefined rows 0.
static Value skipGuard(Value weights, Found &found, Value &guardMask) {
  auto where = weights.getDefiningOp<WhereOp>();
  if (!where || !isZero(where.getX()))
    return weights;
  if (auto isNan = where.getCondition().getDefiningOp<IsNaNOp>();
      isNan && isNan.getX() == where.getY()) {
    found.undefinedRows = "zero";
    return where.getY();
  }
  auto equal = where.getCondition().getDefiningOp<EqualOp>();
  if (!equal)
    return weights;
  for (unsigned i : {0, 1}) {
    auto largest = equal->getOperand(i).getDefiningOp<ReduceMaxOp>();
    if (!largest || !isMinusInfinity(equal->getOperand(1 - i)))
      continue;
    SmallVector<int64_t> axes = keptAxes(largest);
    if (axes.size() != 1 || axes.front() != getRank(largest.getData()) - 1)
      continue;
    found.undefinedRows = "masked_zero";
    guardMask = largest.getData();
    return where.getY();
  }
  return weights;
}

/// A condition that is false where this mask of floats, which holds nothing but 0 and
/// minus infinity, hides.
static Value conditionOf(Value mask) {
  auto where = mask.getDefiningOp<WhereOp>();
  return where && isZero(where.getX()) && isMinusInfinity(where.getY()) ? where.getCondition()
                                                                        : Value();
}

/// Whether adding to this number leaves it as it is, so that a select of it is an
/// addition: scores are far smaller than a unit in its last place.
static bool absorbs(Value value) {
  std::optional<double> number = splatNumber(value);
  return number && *number < -1e30;
}

/// The condition before it is repeated to the shape of the scores.
static Value skipExpand(Value condition) {
  while (Operation *op = condition.getDefiningOp()) {
    bool repeats = isa<ExpandOp>(op) && getRank(op->getOperand(0)) == getRank(condition);
    bool isSame = isa<CastOp>(op) && op->getOperand(0).getType() == condition.getType();
    if (!repeats && !isSame)
      break;
    condition = op->getOperand(0);
  }
  return condition;
}

/// Goes from the softmax's operand to the product, through factors and masks; null if
/// something else is on the way.
static Value findProduct(Value scores, Found &found) {
  constexpr size_t kMostSteps = 4;
  Factors factors = factorize(scores);
  if (factors.values.size() != 1)
    return {};
  Value inner = factors.values.front();
  double before = found.scale;
  found.scale *= factors.constant;
  if (inner.getDefiningOp<MatMulOp>())
    return inner;
  size_t depth = found.steps.size();
  auto goOn = [&](Value next, MaskStep step) {
    found.steps.push_back(step);
    Value product = depth < kMostSteps ? findProduct(next, found) : Value();
    if (!product)
      found.steps.resize(depth);
    return product;
  };
  double scale = found.scale;
  if (auto where = inner.getDefiningOp<WhereOp>(); where && factors.constant > 0) {
    MaskStep step;
    step.condition = skipExpand(where.getCondition());
    step.negated = absorbs(where.getX());
    step.hidden = step.negated ? where.getX() : where.getY();
    // A factor of what absorbs is of no consequence.
    if (absorbs(step.hidden))
      if (Value product = goOn(step.negated ? where.getY() : where.getX(), step))
        return product;
  }
  if (auto add = inner.getDefiningOp<AddOp>())
    for (unsigned i : {0, 1}) {
      MaskStep step;
      step.addend = add->getOperand(1 - i);
      step.addendScale = scale;
      if (Value product = goOn(add->getOperand(i), step))
        return product;
      found.scale = scale;
    }
  found.scale = before;
  return {};
}

/// The mask of one select of minus infinity, as booleans; null for others.
static Value booleanMask(PatternRewriter &rewriter, ArrayRef<MaskStep> steps) {
  if (steps.size() != 1)
    return {};
  const MaskStep &step = steps.front();
  if (step.addend)
    return step.addendScale == 1 ? conditionOf(step.addend) : Value();
  if (!isMinusInfinity(step.hidden))
    return {};
  if (!step.negated)
    return step.condition;
  FailureOr<Operation *> built =
      buildOp(rewriter, step.condition.getLoc(), "dsc.not", step.condition, {});
  return failed(built) ? Value() : (*built)->getResult(0);
}

/// All steps as one tensor that is added; null if they add nothing.
static FailureOr<Value> addedMask(PatternRewriter &rewriter, Location loc, ArrayRef<MaskStep> steps,
                                  Type element) {
  auto number = [&](double value) -> Value {
    auto type = RankedTensorType::get({}, element);
    return ConstantOp::create(rewriter, loc,
                              DenseElementsAttr::get(type, rewriter.getFloatAttr(element, value)));
  };
  bool failedOnce = false;
  auto build = [&](StringRef name, ValueRange operands) -> Value {
    FailureOr<Operation *> built = buildOp(rewriter, loc, name, operands, {});
    failedOnce |= failed(built);
    return failed(built) ? operands.back() : (*built)->getResult(0);
  };
  // What a step makes of a value.
  auto apply = [&](const MaskStep &step, Value value) -> Value {
    if (step.condition)
      return build("dsc.where", {step.condition, step.negated ? step.hidden : value,
                                 step.negated ? value : step.hidden});
    Value addend = step.addend;
    if (step.addendScale != 1)
      addend = build("dsc.mul", {addend, number(step.addendScale)});
    return value && !isZero(value) ? build("dsc.add", {addend, value}) : addend;
  };
  Value mask;
  for (auto [i, step] : llvm::enumerate(steps)) {
    if (step.addend) {
      if (!isZero(step.addend))
        mask = apply(step, mask);
      continue;
    }
    // What is hidden here goes through the steps behind this one.
    Value shown = mask ? mask : number(0), hidden = step.hidden;
    for (const MaskStep &later : llvm::reverse(steps.take_front(i)))
      hidden = apply(later, hidden);
    mask = build("dsc.where",
                 {step.condition, step.negated ? hidden : shown, step.negated ? shown : hidden});
  }
  if (failedOnce)
    return failure();
  return mask;
}

/// A mask whose sizes are 1 or those of the scores: sizes that only turn out so when
/// running are repeated, after a guard.
static Value alignMask(PatternRewriter &rewriter, Value mask, ArrayRef<Dim> scores,
                       const Twine &origin) {
  SmallVector<Dim> dims = getDims(mask), wanted(dims);
  ArrayRef<Dim> full = scores.take_back(dims.size());
  for (auto [dim, size] : llvm::zip(wanted, full))
    if (!dim.isConstant(1))
      dim = size;
  if (dims == wanted)
    return mask;
  Location loc = mask.getLoc();
  FailureOr<Operation *> built =
      buildOp(rewriter, loc, "dsc.expand", mask,
              rewriter.getNamedAttr("shape", DimsAttr::get(mask.getContext(), wanted)));
  if (failed(built))
    return {};
  Value expanded = (*built)->getResult(0);
  for (auto [dim, size] : llvm::zip(getDims(expanded), wanted))
    if (dim != size)
      GuardOp::create(rewriter, loc, Dim::eq(dim, size).getAttr(),
                      rewriter.getStringAttr(origin + ": the mask does not fit the scores"));
  expanded.setType(makeTensorType(getElementType(mask), wanted));
  return expanded;
}

/// The factor that is no constant; null if there are more.
static Value skipScale(Value value, double &scale) {
  Factors factors = factorize(value);
  if (factors.values.size() != 1)
    return {};
  scale *= factors.constant;
  return factors.values.front();
}

/// [B, H, D, N], transposed: k [B, H, N, D].
static Value untranspose(PatternRewriter &rewriter, Value keys) {
  SmallVector<Dim> dims = getDims(keys);
  // Through three axes, batch and heads together.
  if (auto reshape = keys.getDefiningOp<ReshapeOp>()) {
    auto transpose = reshape.getData().getDefiningOp<TransposeOp>();
    if (isPermutation(transpose, {0, 2, 1})) {
      SmallVector<Dim> inner = getDims(transpose.getData());
      if (inner[1] == dims[3] && inner[2] == dims[2])
        return reshapeTo(rewriter, transpose.getData(), {dims[0], dims[1], dims[3], dims[2]});
    }
  }
  SmallVector<int64_t> perm = {0, 1, 3, 2};
  Value source = keys;
  if (auto transpose = keys.getDefiningOp<TransposeOp>(); transpose && transpose.getPerm()) {
    SmallVector<int64_t> inner(*transpose.getPerm());
    std::swap(inner[2], inner[3]);
    source = transpose.getData();
    perm = inner;
  }
  if (llvm::equal(perm, llvm::seq<int64_t>(0, 4)))
    return source;
  FailureOr<Operation *> built =
      buildOp(rewriter, keys.getLoc(), "dsc.transpose", source,
              rewriter.getNamedAttr("perm", rewriter.getDenseI64ArrayAttr(perm)));
  return failed(built) ? Value() : (*built)->getResult(0);
}

/// The heads before they are repeated: reshape(expand(x [B, Hk, 1, N, D])).
static Value skipRepeat(PatternRewriter &rewriter, Value value) {
  auto reshape = value.getDefiningOp<ReshapeOp>();
  auto expand = reshape ? reshape.getData().getDefiningOp<ExpandOp>() : ExpandOp();
  if (!expand || getRank(expand.getInput()) != 5)
    return value;
  SmallVector<Dim> from = getDims(expand.getInput()), to = getDims(expand.getResult());
  SmallVector<Dim> heads = getDims(value);
  if (!from[2].isConstant(1) || from[0] != to[0] || from[1] != to[1] || from[3] != to[3] ||
      from[4] != to[4] || heads[0] != to[0] || heads[1] != to[1] * to[2] || heads[2] != to[3])
    return value;
  return reshapeTo(rewriter, expand.getInput(), {from[0], from[1], from[3], from[4]});
}

//===----------------------------------------------------------------------===//
// Order of axes
//===----------------------------------------------------------------------===//

/// Takes a transposition in front of an operand into the order of its axes, as long
/// as its last axis stays the last.
static Operand absorbTranspose(PatternRewriter &rewriter, Value value) {
  if (auto transpose = value.getDefiningOp<TransposeOp>())
    if (transpose.getPerm() && transpose.getPerm()->back() == 3)
      return {transpose.getData(), SmallVector<int64_t>(*transpose.getPerm())};
  // [M, B * H, D] => [B * H, M, D] => [B, H, M, D].
  auto reshape = value.getDefiningOp<ReshapeOp>();
  auto transpose = reshape ? reshape.getData().getDefiningOp<TransposeOp>() : TransposeOp();
  if (!isPermutation(transpose, {1, 0, 2}))
    return {value};
  SmallVector<Dim> dims = getDims(value), inner = getDims(transpose.getData());
  if (inner[0] != dims[2] || inner[2] != dims[3])
    return {value};
  Value tensor = reshapeTo(rewriter, transpose.getData(), {dims[2], dims[0], dims[1], dims[3]});
  return tensor ? Operand{tensor, {1, 2, 0, 3}} : Operand{value};
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

namespace {

struct RaiseProducts : OpRewritePattern<MatMulOp> {
  RaiseProducts(MLIRContext *context, bool shortFloats)
      : OpRewritePattern(context), shortFloats(shortFloats) {}
  LogicalResult matchAndRewrite(MatMulOp op, PatternRewriter &rewriter) const override;

  bool shortFloats;
};

/// transpose(attention) => attention with the result's axes in that order.
struct AbsorbResultTranspose : OpRewritePattern<TransposeOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(TransposeOp op, PatternRewriter &rewriter) const override {
    auto attention = op.getData().getDefiningOp<AttentionOp>();
    if (!attention || !attention->hasOneUse() || attention.getYPerm() || !op.getPerm() ||
        op.getPerm()->back() != 3)
      return rewriter.notifyMatchFailure(op, "no attention alone before it");
    NamedAttrList attributes(attention->getAttrs());
    attributes.set("y_perm", op.getPermAttr());
    return replaceByOp(rewriter, op, "dsc.attention", attention->getOperands(), attributes);
  }
};

} // namespace

/// Whether both stand for the same hidden keys.
static bool isSameMask(Value guard, ArrayRef<MaskStep> steps) {
  if (steps.size() != 1)
    return false;
  Value mask = steps.front().addend ? steps.front().addend : steps.front().condition;
  return guard == mask || conditionOf(guard) == mask;
}

static std::optional<Found> findParts(MatMulOp op) {
  Found found;
  found.v = op.getB();
  Value guardMask;
  auto softmax = skipGuard(op.getA(), found, guardMask).getDefiningOp<SoftmaxOp>();
  if (!softmax || getRank(softmax.getInput()) != 4 || getRank(found.v) != 4)
    return std::nullopt;
  int64_t axis = softmax.getAxis();
  if (axis != -1 && axis != 3)
    return std::nullopt;
  Value product = findProduct(softmax.getInput(), found);
  if (!product)
    return std::nullopt;
  auto scores = product.getDefiningOp<MatMulOp>();
  found.q = skipScale(scores.getA(), found.scale);
  found.k = skipScale(scores.getB(), found.scale);
  if (!found.q || !found.k || getRank(found.q) != 4 || getRank(found.k) != 4)
    return std::nullopt;
  if (guardMask) {
    // A mask that never hides all keys of a row needs no guard.
    bool hidesNothing = found.steps.empty() && isZero(guardMask);
    if (!hidesNothing && !isSameMask(guardMask, found.steps))
      return std::nullopt;
  }
  return found;
}

LogicalResult RaiseProducts::matchAndRewrite(MatMulOp op, PatternRewriter &rewriter) const {
  std::optional<Found> found = findParts(op);
  if (!found)
    return rewriter.notifyMatchFailure(op, "not a product with a softmax of scores");
  // Neither product may broadcast.
  auto sameBatch = [](Value a, Value b) {
    return ArrayRef(getDims(a)).take_front(2) == ArrayRef(getDims(b)).take_front(2);
  };
  Value y = op.getResult();
  if (!sameBatch(found->q, found->k) || !sameBatch(found->q, found->v) || !sameBatch(found->q, y))
    return rewriter.notifyMatchFailure(op, "batch sizes or heads are broadcast");
  if (getElementType(found->q) != getElementType(y))
    return rewriter.notifyMatchFailure(op, "element types differ");
  if (getElementType(y).getIntOrFloatBitWidth() < 32 && !shortFloats)
    return rewriter.notifyMatchFailure(op, "each step rounds to a short type");
  Dim rows = getDims(found->q)[2], scoredRows = getDims(y)[2];
  bool sameRows = rows == scoredRows;
  if (!sameRows && (rows.isConstant() || !isBroadcastOf(scoredRows, rows)))
    return rewriter.notifyMatchFailure(op, "the mask has more rows than the queries");
  for (const MaskStep &step : found->steps)
    if (getRank(step.addend ? step.addend : step.condition) > 4)
      return rewriter.notifyMatchFailure(op, "the mask has more than 4 axes");
  rewriter.setInsertionPoint(op);
  Value k = untranspose(rewriter, found->k);
  if (!k)
    return rewriter.notifyMatchFailure(op, "keys do not fit");
  SmallVector<Dim> scores = {getDims(y)[0], getDims(y)[1], rows, getDims(k)[2]};
  Value mask = booleanMask(rewriter, found->steps);
  if (!mask) {
    FailureOr<Value> added =
        addedMask(rewriter, op.getLoc(), found->steps, getElementType(found->q));
    if (failed(added))
      return failure();
    mask = *added;
  }
  if (mask)
    mask = alignMask(rewriter, mask, scores, originText(op.getLoc()));
  if (!mask)
    mask = NoneOp::create(rewriter, op.getLoc(), rewriter.getNoneType());
  Value fewK = skipRepeat(rewriter, k), fewV = skipRepeat(rewriter, found->v);
  bool bothShared = fewK && fewV && getDims(fewK)[1] == getDims(fewV)[1];
  Operand q = absorbTranspose(rewriter, found->q);
  Operand keys = absorbTranspose(rewriter, bothShared ? fewK : k);
  Operand values = absorbTranspose(rewriter, bothShared ? fewV : found->v);
  SmallVector<NamedAttribute> attributes = {
      rewriter.getNamedAttr("scale", rewriter.getF32FloatAttr(found->scale)),
  };
  if (found->undefinedRows != "nan")
    attributes.push_back(
        rewriter.getNamedAttr("undefined_rows", rewriter.getStringAttr(found->undefinedRows)));
  auto addPerm = [&](StringRef name, const Operand &operand) {
    if (!llvm::equal(operand.perm, llvm::seq<int64_t>(0, 4)))
      attributes.push_back(
          rewriter.getNamedAttr(name, rewriter.getDenseI64ArrayAttr(operand.perm)));
  };
  addPerm("q_perm", q);
  addPerm("k_perm", keys);
  addPerm("v_perm", values);
  if (!sameRows)
    GuardOp::create(rewriter, op.getLoc(), Dim::eq(rows, scoredRows).getAttr(),
                    rewriter.getStringAttr(originText(op.getLoc()) +
                                           ": the mask has more rows than the queries"));
  // What is left to be checked has been checked for the products.
  FailureOr<Operation *> attention =
      buildOp(rewriter, op.getLoc(), "dsc.attention", {q.tensor, keys.tensor, values.tensor, mask},
              attributes);
  if (failed(attention))
    return failure();
  rewriter.replaceOp(op, *attention);
  return success();
}

namespace {
struct RaiseAttention : impl::RaiseAttentionBase<RaiseAttention> {
  using RaiseAttentionBase::RaiseAttentionBase;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseProducts>(&getContext(), shortFloats);
    patterns.add<AbsorbResultTranspose>(&getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns))))
      signalPassFailure();
  }
};
} // namespace

} // namespace dsc
