//===- Attention.cpp - softmax(Q K^T) V -----------------------------------===//
#include "dsc/Dialect/IR/Decomposer.h"

#include "llvm/ADT/StringSwitch.h"

#include <limits>

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Order of axes
//===----------------------------------------------------------------------===//

using Axes = std::array<int64_t, 4>;

static std::optional<Axes> axesOf(std::optional<ArrayRef<int64_t>> perm) {
  Axes axes = {0, 1, 2, 3};
  if (!perm)
    return axes;
  if (perm->size() != 4 || !std::is_permutation(perm->begin(), perm->end(), axes.begin()))
    return std::nullopt;
  llvm::copy(*perm, axes.begin());
  return axes;
}

/// The sizes of a tensor in the order [batch, head, row, column].
static SmallVector<Dim> orderedDims(Value tensor, const Axes &axes) {
  SmallVector<Dim> dims = getDims(tensor);
  return llvm::map_to_vector(axes, [&](int64_t axis) { return dims[axis]; });
}

static FailureOr<AttentionSpec> attentionSpec(AttentionOp op, TypeInference &inference) {
  AttentionSpec spec;
  for (Value operand : {op.getQ(), op.getK(), op.getV()})
    if (getRank(operand) != 4 || !isa<FloatType>(getElementType(operand)))
      return inference.error() << "needs floats of rank 4, not "
                               << shortTypeName(operand.getType()),
             failure();
  std::optional<Axes> qAxes = axesOf(op.getQPerm()), kAxes = axesOf(op.getKPerm()),
                      vAxes = axesOf(op.getVPerm()), yAxes = axesOf(op.getYPerm());
  if (!qAxes || !kAxes || !vAxes || !yAxes)
    return inference.error() << "needs permutations of 4 axes", failure();
  spec.qAxes = *qAxes;
  spec.kAxes = *kAxes;
  spec.vAxes = *vAxes;
  // Axis i of the result is axis y_perm[i] of y.
  for (auto [i, axis] : llvm::enumerate(*yAxes))
    spec.yAxes[axis] = i;
  std::optional<unsigned> rows = llvm::StringSwitch<std::optional<unsigned>>(op.getUndefinedRows())
                                     .Case("nan", AttentionSpec::Nan)
                                     .Case("masked_zero", AttentionSpec::MaskedZero)
                                     .Case("zero", AttentionSpec::Zero)
                                     .Default(std::nullopt);
  if (!rows)
    return inference.error() << "undefined_rows has unknown value '" << op.getUndefinedRows()
                             << "'",
           failure();
  spec.undefinedRows = static_cast<AttentionSpec::UndefinedRows>(*rows);
  SmallVector<Dim> q = orderedDims(op.getQ(), spec.qAxes), k = orderedDims(op.getK(), spec.kAxes);
  spec.batch = q[0];
  spec.heads = q[1];
  spec.sharedHeads = k[1];
  spec.queries = q[2];
  spec.keys = k[2];
  spec.headSize = q[3];
  spec.valueSize = orderedDims(op.getV(), spec.vAxes)[3];
  spec.scale = op.getScale().convertToFloat();
  spec.softcap = op.getSoftcap().convertToFloat();
  if (!isAbsent(op.getMask()))
    spec.mask = 3;
  if (op.getCausal())
    spec.causalOffset = op.getCausalOffset() ? Dim(*op.getCausalOffset()) : inference.constant(0);
  return spec;
}

bool AttentionOp::mayReadShort(unsigned operand) { return operand == 1 || operand == 2; }

LogicalResult AttentionOp::inferTypes(TypeInference &inference) {
  FailureOr<AttentionSpec> spec = attentionSpec(*this, inference);
  if (failed(spec))
    return failure();
  SmallVector<Dim> q = orderedDims(getQ(), spec->qAxes), k = orderedDims(getK(), spec->kAxes),
                   v = orderedDims(getV(), spec->vAxes);
  Dim zero = inference.constant(0);
  if (failed(inference.requireEqual(k[0], q[0], "batch sizes of q and k differ")) ||
      failed(inference.requireEqual(v[0], q[0], "batch sizes of q and v differ")) ||
      failed(inference.requireEqual(v[1], k[1], "numbers of heads of k and v differ")) ||
      failed(inference.requireEqual(k[3], q[3], "head sizes of q and k differ")) ||
      failed(inference.requireEqual(v[2], k[2], "lengths of k and v differ")) ||
      failed(inference.require(Dim::eq(q[1].mod(k[1]), zero),
                               q[1].str() + " heads of q are not a multiple of " + k[1].str() +
                                   " heads of k")))
    return failure();
  if (spec->mask) {
    if (getRank(getMask()) > 4)
      return inference.error() << "mask " << shortTypeName(getMask().getType())
                               << " has more than 4 axes";
    FailureOr<SmallVector<Dim>> scores =
        inference.broadcastShapes({getDims(getMask()), {q[0], q[1], q[2], k[2]}});
    if (failed(scores))
      return failure();
  }
  SmallVector<Dim> y = {q[0], q[1], q[2], v[3]}, result(4);
  for (auto [axis, dim] : llvm::zip(spec->yAxes, y))
    result[axis] = dim;
  inference.addResult(getElementType(getQ()), result);
  return success();
}

FailureOr<Spec> AttentionOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<AttentionSpec> attention = attentionSpec(*this, inference);
  if (failed(attention))
    return failure();
  Spec spec;
  spec.kind = SpecKind::Attention;
  spec.attention = std::make_shared<AttentionSpec>(*attention);
  return spec;
}

//===----------------------------------------------------------------------===//
// Decomposition
//===----------------------------------------------------------------------===//

static Value transposed(Decomposer &d, OpBuilder &builder, Value value,
                        std::optional<ArrayRef<int64_t>> perm) {
  return perm ? d.op("dsc.transpose", {value}, {{"perm", builder.getDenseI64ArrayAttr(*perm)}})
              : value;
}

/// Scores with hidden keys at minus infinity.
static Value masked(AttentionOp op, Decomposer &d, Value scores) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Type element = getElementType(op.getQ());
  if (!isAbsent(op.getMask())) {
    if (getElementType(op.getMask()).isInteger(1))
      scores = d.op("dsc.where", {op.getMask(), scores, d.scalar(element, -kInfinity)});
    else
      scores = d.op("dsc.add", {scores, d.cast(op.getMask(), element)});
  }
  if (op.getCausal()) {
    SmallVector<Decomposer::Attribute> attributes;
    if (std::optional<DimAttr> offset = op.getCausalOffset())
      attributes.push_back({"offset", *offset});
    scores = d.op("dsc.causal_mask", {scores}, attributes);
  }
  return scores;
}

/// Softmax with 0 where it is not defined.
static Value guarded(Decomposer &d, Value scores, Value weights,
                     AttentionSpec::UndefinedRows rows) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Type element = getElementType(weights);
  if (rows == AttentionSpec::Zero)
    return d.op("dsc.where", {d.op("dsc.is_nan", {weights}), d.scalar(element, 0), weights});
  if (rows == AttentionSpec::Nan)
    return weights;
  Value largest = d.reduce("dsc.reduce_max", scores, getRank(scores) - 1);
  Value isHidden = d.op("dsc.equal", {largest, d.scalar(element, -kInfinity)});
  return d.op("dsc.where", {isHidden, d.scalar(element, 0), weights});
}

LogicalResult AttentionOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  TypeInference inference(*this);
  FailureOr<AttentionSpec> spec = attentionSpec(*this, inference);
  if (failed(spec))
    return failure();
  Decomposer d(builder, getLoc());
  Value query = transposed(d, builder, getQ(), getQPerm());
  Value key = transposed(d, builder, getK(), getKPerm());
  Value value = transposed(d, builder, getV(), getVPerm());
  if (!query || !key || !value)
    return failure();
  SmallVector<Dim> q = getDims(query), k = getDims(key), v = getDims(value);
  Type element = getElementType(getQ());
  // Heads that share k and v are rows of one product.
  bool isShared = q[1] != k[1];
  auto group = [&](Value tensor, Dim last) {
    return isShared ? d.reshape(tensor, {q[0], k[1], q[1].floorDiv(k[1]) * q[2], last}) : tensor;
  };
  auto ungroup = [&](Value tensor, Dim last) {
    return isShared ? d.reshape(tensor, {q[0], q[1], q[2], last}) : tensor;
  };
  Value scaled =
      spec->scale != 1 ? d.op("dsc.mul", {query, d.scalar(element, spec->scale)}) : query;
  Value keys = d.op("dsc.transpose", {key}, {{"perm", builder.getDenseI64ArrayAttr({0, 1, 3, 2})}});
  Value scores = ungroup(d.op("dsc.matmul", {group(scaled, q[3]), keys}), k[2]);
  if (spec->softcap != 0) {
    Value cap = d.scalar(element, spec->softcap);
    scores = d.op("dsc.mul", {d.op("dsc.tanh", {d.op("dsc.div", {scores, cap})}), cap});
  }
  scores = masked(*this, d, scores);
  Value weights =
      scores ? guarded(d, scores, d.op("dsc.softmax", {scores}), spec->undefinedRows) : Value();
  if (!weights)
    return failure();
  Value y = ungroup(d.op("dsc.matmul", {group(weights, k[2]), value}), v[3]);
  values.push_back(y ? transposed(d, builder, y, getYPerm()) : y);
  return success(values.back() != nullptr);
}

//===----------------------------------------------------------------------===//
// Causal mask
//===----------------------------------------------------------------------===//

LogicalResult CausalMaskOp::inferTypes(TypeInference &inference) {
  if (getRank(getScores()) < 2 || !isa<FloatType>(getElementType(getScores())))
    return inference.error() << "needs floats of rank 2 or more, not "
                             << shortTypeName(getScores().getType());
  inference.addResult(getElementType(getScores()), getDims(getScores()));
  return success();
}

FailureOr<Spec> CausalMaskOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  SmallVector<Dim> shape = getDims(getScores());
  spec.read(0, spec.parallel(ArrayRef<Dim>(shape)));
  Dim offset = getOffset() ? Dim(*getOffset()) : Dim::constant(getContext(), 0);
  spec.body(getElementType(getScores()),
            [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
              Value m = args.indices[shape.size() - 2], n = args.indices.back();
              ScalarBuilder onIndex = s.with(s.builder.getIndexType());
              Value isSeen = onIndex.le(n, s.indexAdd(m, s.size(offset)));
              Value hidden = s.constant(-std::numeric_limits<double>::infinity());
              return {s.round(s.select(isSeen, s.compute(args.operands[0]), hidden))};
            });
  return spec.take();
}

} // namespace dsc
