//===- Pad.cpp - elements added around a tensor ---------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

namespace {
/// Elements added (negative: taken away) before and after an axis.
struct AxisPad {
  Dim begin, end;
};
} // namespace

ArrayRef<ContentOperand> PadOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "pads"}, {3, "axes"}};
  return operands;
}

/// One entry per axis of the operand.
static FailureOr<SmallVector<AxisPad>> axisPads(PadOp op, TypeInference &inference) {
  size_t rank = getRank(op.getData());
  SmallVector<Dim> pads = op.getPads().getDims(), axes;
  for (size_t axis = 0; axis < rank; ++axis)
    axes.push_back(inference.constant(axis));
  if (op.getAxes())
    axes = op.getAxes()->getDims();
  FailureOr<SmallVector<int64_t>> normalized = inference.normalizeAxes(axes, rank);
  if (failed(normalized))
    return failure();
  if (pads.size() != 2 * axes.size())
    return inference.error() << "has " << pads.size() << " pads for " << axes.size() << " axes",
           failure();
  Dim zero = inference.constant(0);
  SmallVector<AxisPad> result(rank, {zero, zero});
  for (auto [i, axis] : llvm::enumerate(*normalized))
    result[axis] = {pads[i], pads[axes.size() + i]};
  return result;
}

LogicalResult PadOp::inferTypes(TypeInference &inference) {
  if (!llvm::is_contained({"constant", "edge", "reflect", "wrap"}, getMode()))
    return inference.error() << "mode is '" << getMode()
                             << "', expected constant, edge, reflect or wrap";
  if (!isAbsent(getConstantValue())) {
    if (getElementType(getConstantValue()) != getElementType(getData()))
      return inference.error() << "constant_value is "
                               << shortTypeName(getConstantValue().getType())
                               << " for data of type " << shortTypeName(getData().getType());
    Dim count = product(getContext(), getDims(getConstantValue()));
    if (failed(inference.requireEqual(count, inference.constant(1),
                                      "constant_value must be one element")))
      return failure();
  }
  FailureOr<SmallVector<AxisPad>> pads = axisPads(*this, inference);
  if (failed(pads))
    return failure();
  SmallVector<Dim> shape = getDims(getData());
  for (auto [axis, dim, pad] : llvm::enumerate(shape, *pads)) {
    Dim padded = dim + pad.begin + pad.end;
    if (failed(inference.require(Dim::le(inference.constant(0), padded),
                                 "pads take away more than the " + dim.str() +
                                     " elements of axis " + Twine(axis))))
      return failure();
    dim = padded;
  }
  inference.addResult(getElementType(getData()), shape);
  return success();
}

/// The index in the operand for the index `i` in the result, of an axis with size
/// `size`. Elements that negative pads take away are not there for edge, reflect
/// and wrap: they see the `kept` elements from `low` on.
static Value sourceIndex(ScalarBuilder &s, Value i, Dim size, AxisPad pad, StringRef mode) {
  if (pad.begin.isConstant(0) && pad.end.isConstant(0))
    return i;
  Value shifted = s.indexSub(i, s.size(pad.begin));
  if (mode == "constant")
    return shifted;
  ScalarBuilder onIndex = s.with(s.builder.getIndexType());
  Dim zero = size * 0, one = zero + 1;
  Dim low = Dim::max(pad.begin * -1, zero);
  Dim kept = size - low - Dim::max(pad.end * -1, zero);
  Value inside = low.isConstant(0) ? shifted : s.indexSub(shifted, s.size(low));
  if (mode == "edge") {
    inside = onIndex.max(onIndex.min(inside, s.size(kept - 1)), s.index(0));
  } else if (mode == "wrap") {
    inside = s.indexMod(inside, s.size(Dim::max(kept, one)));
  } else {
    // To the last element and back, without repeating the ends; a single element
    // is its own mirror image.
    Dim period = Dim::max((kept - 1) * 2, one);
    Value forth = s.indexMod(inside, s.size(period));
    inside = onIndex.min(forth, s.indexSub(s.size(period), forth));
    if (!kept.isConstant() || kept.getConstant() <= 1)
      inside = onIndex.min(inside, s.size(Dim::max(kept - 1, zero)));
  }
  if (!low.isConstant(0))
    return s.indexAdd(inside, s.size(low));
  // A copy where nothing is added: loops know where that is. Unsigned: what is in front
  // is above any size.
  Value isInside =
      arith::CmpIOp::create(s.builder, s.loc, arith::CmpIPredicate::ult, shifted, s.size(size));
  return s.select(isInside, shifted, inside);
}

FailureOr<Spec> PadOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<SmallVector<AxisPad>> pads = axisPads(*this, inference);
  if (failed(pads))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Move);
  spec.parallel(getDims(getResult()));
  spec.readAnywhere(0);
  bool isConstant = getMode() == "constant";
  if (isConstant && !isAbsent(getConstantValue()))
    spec.read(1, SmallVector<AffineExpr>(getRank(getConstantValue()), spec.number(0)));
  spec.body(getElementType(getData()),
            [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
              SmallVector<Value> indices;
              for (auto [i, size, pad] : llvm::zip(args.indices, getDims(getData()), *pads))
                indices.push_back(sourceIndex(s, i, size, pad, getMode()));
              if (!isConstant)
                return {s.stored(args.operands[0], indices, AtMode::Checked)};
              Value outside = args.operands.size() > 1 ? args.operands[1] : s.round(s.constant(0));
              return {s.stored(args.operands[0], indices, AtMode::OrElse, outside)};
            });
  return spec.take();
}

} // namespace dsc
