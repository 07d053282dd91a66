//===- Fill.cpp - tensors made from sizes and positions -------------------===//
#include "dsc/Dialect/IR/DscDialect.h"

#include <cmath>

using namespace mlir;

namespace dsc {

using Args = LoopSpecBuilder::Args;

//===----------------------------------------------------------------------===//
// Shape, Size
//===----------------------------------------------------------------------===//

/// The sizes that a Shape gives: those of the axes from start to before end.
static SmallVector<Dim> shapeSizes(ShapeOp op) {
  SmallVector<Dim> dims = getDims(op.getData());
  int64_t rank = dims.size();
  auto bound = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  int64_t begin = bound(op.getStart()), end = bound(op.getEnd().value_or(rank));
  return SmallVector<Dim>(ArrayRef(dims).slice(begin, std::max<int64_t>(end - begin, 0)));
}

LogicalResult ShapeOp::inferTypes(TypeInference &inference) {
  inference.addResult(IntegerType::get(getContext(), 64),
                      inference.constant(shapeSizes(*this).size()));
  return success();
}

FailureOr<Spec> ShapeOp::getSpec() { return sizesSpec(*this, shapeSizes(*this)); }

LogicalResult ElementCountOp::inferTypes(TypeInference &inference) {
  inference.addResult(IntegerType::get(getContext(), 64), ArrayRef<Dim>());
  return success();
}

FailureOr<Spec> ElementCountOp::getSpec() {
  return sizesSpec(*this, product(getContext(), getDims(getData())));
}

//===----------------------------------------------------------------------===//
// ConstantOfShape
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> ConstantOfShapeOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{0, "shape"}};
  return operands;
}

LogicalResult ConstantOfShapeOp::inferTypes(TypeInference &inference) {
  Type element = Float32Type::get(getContext());
  if (std::optional<ElementsAttr> value = getValue()) {
    if (value->getNumElements() != 1 || !isa<DenseElementsAttr>(*value))
      return inference.error() << "value has " << value->getNumElements()
                               << " elements, expected one";
    element = value->getElementType();
  }
  SmallVector<Dim> shape = getShape().getDims();
  for (Dim size : shape)
    if (failed(inference.require(Dim::le(inference.constant(0), size),
                                 "shape has the size " + size.str())))
      return failure();
  inference.addResult(element, shape);
  return success();
}

/// The only element of an attribute, of the type that scalar code stores it in.
static TypedAttr storedElement(DenseElementsAttr attr) {
  auto element = cast<TypedAttr>(*attr.getValues<Attribute>().begin());
  if (auto integer = dyn_cast<IntegerAttr>(element))
    return IntegerAttr::get(storageType(integer.getType()), integer.getValue());
  return element;
}

FailureOr<Spec> ConstantOfShapeOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  spec.parallel(getDims(getResult()));
  spec.body(getElementType(getResult()), [&](ScalarBuilder &s, Args) -> SmallVector<Value> {
    if (!getValue())
      return {s.constant(0)};
    TypedAttr element = storedElement(cast<DenseElementsAttr>(*getValue()));
    return {arith::ConstantOp::create(s.builder, s.loc, element)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Range
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> RangeOp::getContentOperands() {
  static constexpr auto kDims = ContentOperand::Dims, kFloats = ContentOperand::Floats;
  static constexpr ContentOperand operands[] = {
      {0, "start", kDims, /*keep=*/true},         {1, "limit", kDims, /*keep=*/true},
      {2, "delta", kDims, /*keep=*/true},         {0, "start_value", kFloats, /*keep=*/true},
      {1, "limit_value", kFloats, /*keep=*/true}, {2, "delta_value", kFloats, /*keep=*/true}};
  return operands;
}

/// max(ceil((limit - start) / delta), 0) of sizes.
static FailureOr<Dim> countIntegers(RangeOp op, TypeInference &inference) {
  SmallVector<Dim> start = op.getStart()->getDims(), limit = op.getLimit()->getDims(),
                   delta = op.getDelta()->getDims();
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1)
    return inference.error() << "needs scalars as start, limit and delta", failure();
  Dim zero = inference.constant(0), one = inference.constant(1), step = delta[0];
  if (failed(inference.require(Dim::logicalNot(Dim::eq(step, zero)), "delta is 0")))
    return failure();
  Dim distance = limit[0] - start[0];
  Dim up = distance.ceilDiv(Dim::max(step, one));
  Dim down = (distance * -1).ceilDiv(Dim::max(step * -1, one));
  return Dim::max(Dim::select(Dim::lt(zero, step), up, down), zero);
}

/// The same of constant floats.
static FailureOr<Dim> countFloats(RangeOp op, TypeInference &inference) {
  ArrayRef<float> start = *op.getStartValue(), limit = *op.getLimitValue(),
                  delta = *op.getDeltaValue();
  if (start.size() != 1 || limit.size() != 1 || delta.size() != 1)
    return inference.error() << "needs scalars as start, limit and delta", failure();
  double count = std::ceil((double(limit[0]) - start[0]) / delta[0]);
  // Written so that a NaN fails.
  if (!(count < 9e15))
    return inference.error() << "from " << start[0] << " to " << limit[0] << " by " << delta[0]
                             << " has no end",
           failure();
  return inference.constant(static_cast<int64_t>(std::max(count, 0.0)));
}

LogicalResult RangeOp::inferTypes(TypeInference &inference) {
  Type element = getElementType(getStartOperand());
  for (Value operand : getOperands())
    if (getElementType(operand) != element || getRank(operand) > 1)
      return inference.error() << "needs scalars of one type, not "
                               << shortTypeName(operand.getType());
  FailureOr<Dim> count = failure();
  if (getStart() && getLimit() && getDelta())
    count = countIntegers(*this, inference);
  else if (getStartValue() && getLimitValue() && getDeltaValue())
    count = countFloats(*this, inference);
  else
    return inference.error() << "needs the contents of start, limit and delta";
  if (failed(count))
    return failure();
  inference.addResult(element, *count);
  return success();
}

FailureOr<Spec> RangeOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  spec.parallel(getDims(getResult()));
  for (unsigned operand : {0, 2})
    spec.read(operand, SmallVector<AffineExpr>(getRank(getOperand(operand)), spec.number(0)));
  spec.body(getElementType(getResult()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    Value start = s.compute(args.operands[0]), delta = s.compute(args.operands[1]);
    return {s.round(s.add(start, s.mul(s.fromIndex(args.indices[0]), delta)))};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// EyeLike, Trilu
//===----------------------------------------------------------------------===//

/// The type for an onnx::TensorProto::DataType; null for those without values here.
static Type elementTypeFromOnnx(MLIRContext *context, int64_t dataType) {
  Builder b(context);
  auto isUnsigned = [&](unsigned width) { return b.getIntegerType(width, /*isSigned=*/false); };
  switch (dataType) {
  case 1:
    return b.getF32Type();
  case 2:
    return isUnsigned(8);
  case 3:
    return b.getIntegerType(8);
  case 4:
    return isUnsigned(16);
  case 5:
    return b.getIntegerType(16);
  case 6:
    return b.getI32Type();
  case 7:
    return b.getI64Type();
  case 9:
    return b.getI1Type();
  case 10:
    return b.getF16Type();
  case 11:
    return b.getF64Type();
  case 12:
    return isUnsigned(32);
  case 13:
    return isUnsigned(64);
  case 16:
    return b.getBF16Type();
  default:
    return {};
  }
}

LogicalResult EyeLikeOp::inferTypes(TypeInference &inference) {
  if (getRank(getInput()) != 2)
    return inference.error() << "needs a matrix, not " << shortTypeName(getInput().getType());
  Type element = getElementType(getInput());
  if (getDtype())
    element = elementTypeFromOnnx(getContext(), *getDtype());
  if (!element)
    return inference.error() << "dtype " << *getDtype() << " is not supported";
  inference.addResult(element, getDims(getInput()));
  return success();
}

FailureOr<Spec> EyeLikeOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  spec.parallel(getDims(getResult()));
  spec.body(getElementType(getResult()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value diagonal = s.indexAdd(args.indices[0], s.index(getK()));
    Value isOne = onIndex.eq(diagonal, args.indices[1]);
    return {s.round(s.select(isOne, s.constant(1), s.constant(0)))};
  });
  return spec.take();
}

ArrayRef<ContentOperand> TriluOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "k"}};
  return operands;
}

LogicalResult TriluOp::inferTypes(TypeInference &inference) {
  if (getRank(getInput()) < 2)
    return inference.error() << "needs matrices, not " << shortTypeName(getInput().getType());
  if (getK() && getK()->size() != 1)
    return inference.error() << "needs one number as k, got " << getK()->size();
  inference.addResult(getElementType(getInput()), getDims(getInput()));
  return success();
}

FailureOr<Spec> TriluOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Map);
  spec.read(0, spec.parallel(getDims(getResult())));
  Dim k = getK() ? getK()->getDims().front() : Dim::constant(getContext(), 0);
  spec.body(getElementType(getResult()), [&](ScalarBuilder &s, Args args) -> SmallVector<Value> {
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    Value column = args.indices.back();
    Value diagonal = s.indexAdd(args.indices.drop_back().back(), s.size(k));
    Value keeps = getUpper() != 0 ? onIndex.ge(column, diagonal) : onIndex.le(column, diagonal);
    return {s.select(keeps, args.operands[0], s.round(s.constant(0)))};
  });
  return spec.take();
}

} // namespace dsc
