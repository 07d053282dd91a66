//===- Decomposer.cpp - writes decompositions -----------------------------===//
#include "dsc/Dialect/IR/Decomposer.h"

using namespace mlir;

namespace dsc {

Value Decomposer::op(StringRef name, ValueRange operands, ArrayRef<Attribute> attributes) {
  if (llvm::any_of(operands, [](Value operand) { return !operand; }))
    return {};
  SmallVector<NamedAttribute> named = llvm::map_to_vector(
      attributes, [&](const Attribute &a) { return builder.getNamedAttr(a.name, a.value); });
  FailureOr<Operation *> built = buildOp(builder, loc, name, operands, named);
  return failed(built) ? Value() : (*built)->getResult(0);
}

Value Decomposer::none() { return NoneOp::create(builder, loc, builder.getNoneType()); }

Value Decomposer::scalar(Type element, double value) {
  auto type = RankedTensorType::get({}, element);
  mlir::Attribute number = isa<FloatType>(element)
                               ? mlir::Attribute(builder.getFloatAttr(element, value))
                               : builder.getIntegerAttr(element, static_cast<int64_t>(value));
  return ConstantOp::create(builder, loc, DenseElementsAttr::get(type, number));
}

Value Decomposer::cast(Value value, Type element) {
  if (!value || getElementType(value) == element)
    return value;
  return op("dsc.cast", {value}, {{"to", number(onnxTypeOf(element))}});
}

Value Decomposer::reshape(Value value, ArrayRef<Dim> shape) {
  // The sizes are meant as they are, 0 too.
  return op("dsc.reshape", {value}, {{"shape", dims(shape)}, {"allowzero", number(1)}});
}

Value Decomposer::alongAxis(Value parameter, int64_t axis, int64_t rank) {
  if (!parameter || isAbsent(parameter) || getRank(parameter) == 0)
    return parameter;
  if (isOneElement(parameter))
    return reshape(parameter, {});
  if (getRank(parameter) != 1 || axis + 1 == rank)
    return parameter;
  SmallVector<Dim> shape(rank - axis, Dim::constant(parameter.getContext(), 1));
  shape[0] = getDims(parameter)[0];
  return reshape(parameter, shape);
}

Value Decomposer::reduce(StringRef name, Value value, ArrayRef<int64_t> axes) {
  SmallVector<Dim> list = llvm::map_to_vector(
      axes, [&](int64_t axis) { return Dim::constant(builder.getContext(), axis); });
  return op(name, {value}, {{"axes", dims(list)}, {"keepdims", number(1)}});
}

Type wideType(Type element) {
  bool isShort = element.isF16() || element.isBF16();
  return isShort ? Type(Float32Type::get(element.getContext())) : element;
}

} // namespace dsc
