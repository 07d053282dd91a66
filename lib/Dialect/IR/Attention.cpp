//===- Attention.cpp - softmax(Q K^T) V -----------------------------------===//
#include "Decomposer.h"

#include <limits>

using namespace mlir;

namespace dsc {

LogicalResult AttentionOp::inferTypes(TypeInference &inference) {
  for (Value operand : {getQ(), getK(), getV()})
    if (getRank(operand) != 4 || !isa<FloatType>(getElementType(operand)))
      return inference.error() << "needs floats of rank 4, not "
                               << shortTypeName(operand.getType());
  SmallVector<Dim> q = getDims(getQ()), k = getDims(getK()), v = getDims(getV());
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
  if (!isAbsent(getMask())) {
    FailureOr<SmallVector<Dim>> scores =
        inference.broadcastShapes({getDims(getMask()), {q[0], q[1], q[2], k[2]}});
    if (failed(scores))
      return failure();
    if (getRank(getMask()) > 4)
      return inference.error() << "mask " << shortTypeName(getMask().getType())
                               << " has more than 4 axes";
  }
  inference.addResult(getElementType(getQ()), {q[0], q[1], q[2], v[3]});
  return success();
}

LogicalResult AttentionOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer d(builder, getLoc());
  SmallVector<Dim> q = getDims(getQ()), k = getDims(getK()), v = getDims(getV());
  Type element = getElementType(getQ());
  // Heads that share k and v are rows of one product.
  bool isShared = q[1] != k[1];
  auto group = [&](Value value, Dim last) {
    return isShared ? d.reshape(value, {q[0], k[1], q[1].floorDiv(k[1]) * q[2], last}) : value;
  };
  auto ungroup = [&](Value value, Dim last) {
    return isShared ? d.reshape(value, {q[0], q[1], q[2], last}) : value;
  };
  Value scaled = getQ();
  if (float scale = getScale().convertToFloat(); scale != 1)
    scaled = d.op("dsc.mul", {scaled, d.scalar(element, scale)});
  Value keys =
      d.op("dsc.transpose", {getK()}, {{"perm", builder.getDenseI64ArrayAttr({0, 1, 3, 2})}});
  Value scores = ungroup(d.op("dsc.matmul", {group(scaled, q[3]), keys}), k[2]);
  if (!isAbsent(getMask()))
    scores = d.op("dsc.add", {scores, d.cast(getMask(), element)});
  if (getCausal()) {
    SmallVector<Decomposer::Attribute> attributes;
    if (std::optional<DimAttr> offset = getCausalOffset())
      attributes.push_back({"offset", *offset});
    scores = d.op("dsc.causal_mask", {scores}, attributes);
  }
  Value weights = d.op("dsc.softmax", {scores});
  values.push_back(ungroup(d.op("dsc.matmul", {group(weights, k[2]), getV()}), v[3]));
  return success(values.back() != nullptr);
}

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
