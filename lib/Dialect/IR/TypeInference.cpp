//===- TypeInference.cpp - result types and run-time conditions -----------===//
#include "dsc/Dialect/IR/TypeInference.h"
#include "dsc/Dialect/IR/DscDialect.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace dsc {

SmallVector<Dim> getDims(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  if (auto encoding = dyn_cast_or_null<TensorAttr>(tensor.getEncoding()))
    return encoding.getDims().getDims();
  SmallVector<Dim> dims;
  for (auto [axis, size] : llvm::enumerate(tensor.getShape())) {
    // A dynamic size without a name: possible only in hand-written tests.
    if (ShapedType::isDynamic(size))
      dims.push_back(Dim::symbol(type.getContext(), "d" + std::to_string(axis)));
    else
      dims.push_back(Dim::constant(type.getContext(), size));
  }
  return dims;
}

int64_t getRank(Type type) { return cast<RankedTensorType>(type).getRank(); }

Type getElementType(Value value) {
  return cast<RankedTensorType>(value.getType()).getElementType();
}

RankedTensorType makeTensorType(Type elementType, ArrayRef<Dim> dims) {
  SmallVector<int64_t> shape;
  for (Dim dim : dims)
    shape.push_back(dim.tryConstant().value_or(ShapedType::kDynamic));
  if (llvm::none_of(shape, ShapedType::isDynamic))
    return RankedTensorType::get(shape, elementType);
  MLIRContext *context = elementType.getContext();
  auto encoding = TensorAttr::get(context, DimsAttr::get(context, dims), {}, {});
  return RankedTensorType::get(shape, elementType, encoding);
}

Type elementTypeOfOnnx(MLIRContext *context, int64_t dataType) {
  Builder b(context);
  auto unsignedType = [&](unsigned width) { return b.getIntegerType(width, /*isSigned=*/false); };
  switch (dataType) {
  case 1:
    return b.getF32Type();
  case 2:
    return unsignedType(8);
  case 3:
    return b.getI8Type();
  case 4:
    return unsignedType(16);
  case 5:
    return b.getI16Type();
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
    return unsignedType(32);
  case 13:
    return unsignedType(64);
  case 16:
    return b.getBF16Type();
  case 17:
    return Float8E4M3FNType::get(context);
  case 18:
    return Float8E4M3FNUZType::get(context);
  case 19:
    return Float8E5M2Type::get(context);
  case 20:
    return Float8E5M2FNUZType::get(context);
  case 21:
    return unsignedType(4);
  case 22:
    return b.getIntegerType(4);
  case 23:
    return Float4E2M1FNType::get(context);
  case 24:
    return Float8E8M0FNUType::get(context);
  case 25:
    return unsignedType(2);
  case 26:
    return b.getIntegerType(2);
  default:
    return {};
  }
}

int64_t onnxTypeOf(Type elementType) {
  for (int64_t dataType = 1; dataType <= 26; ++dataType)
    if (elementTypeOfOnnx(elementType.getContext(), dataType) == elementType)
      return dataType;
  return 0;
}

bool isAbsent(Value value) { return isa<NoneType>(value.getType()); }

/// The text without the marks of symbols that may be negative: users do not know them.
static std::string withoutMarks(std::string text, Dim condition) {
  SmallVector<StringRef> names;
  condition.collectSymbols(names);
  for (StringRef name : names) {
    std::string marked = Dim::symbol(condition.getContext(), name).str();
    if (!name.consume_back("~"))
      continue;
    for (size_t at; (at = text.find(marked)) != std::string::npos;)
      text.replace(at, marked.size(), name.str());
  }
  return text;
}

LogicalResult TypeInference::require(Dim condition, const Twine &message) {
  if (condition.isConstant(0)) {
    InFlightDiagnostic diagnostic = error() << message;
    // For the importer: no other way to compute the operator will do.
    diagnostic.getUnderlyingDiagnostic()->getMetadata().emplace_back(StringRef("broken rule"));
    return diagnostic;
  }
  if (!condition.isConstant())
    guards.push_back({condition, withoutMarks(message.str(), condition)});
  return success();
}

LogicalResult TypeInference::requireEqual(Dim a, Dim b, const Twine &what) {
  return require(Dim::eq(a, b), what + " (" + a.str() + " vs " + b.str() + ")");
}

FailureOr<SmallVector<Dim>> TypeInference::broadcastShapes(ArrayRef<Value> values) {
  SmallVector<SmallVector<Dim>> shapes =
      llvm::map_to_vector(values, [](Value value) { return getDims(value); });
  return broadcastShapes(shapes);
}

FailureOr<SmallVector<Dim>> TypeInference::broadcastShapes(ArrayRef<SmallVector<Dim>> shapes) {
  size_t rank = 0;
  for (ArrayRef<Dim> dims : shapes)
    rank = std::max(rank, dims.size());
  Dim one = constant(1);
  SmallVector<Dim> shape(rank, one);
  for (ArrayRef<Dim> dims : shapes) {
    size_t offset = rank - dims.size();
    for (auto [i, dim] : llvm::enumerate(dims)) {
      Dim &size = shape[offset + i];
      Dim merged = broadcast(size, dim);
      std::string message = ("shapes do not broadcast on axis " + Twine(offset + i) + " (" +
                             size.str() + " vs " + dim.str() + ")")
                                .str();
      if (!merged)
        return error() << message, failure();
      bool isKnown = !size.isConstant() && !dim.isConstant() &&
                     (isBroadcastOf(size, dim) || isBroadcastOf(dim, size));
      Dim fits = isKnown ? one
                         : Dim::logicalOr(Dim::eq(size, dim),
                                          Dim::logicalOr(Dim::eq(size, one), Dim::eq(dim, one)));
      if (failed(require(fits, message)))
        return failure();
      size = merged;
    }
  }
  return shape;
}

FailureOr<int64_t> TypeInference::normalizeAxis(int64_t axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return error() << "axis " << axis << " is outside [" << -rank << ", " << rank << ")", failure();
  return axis < 0 ? axis + rank : axis;
}

FailureOr<SmallVector<int64_t>> TypeInference::normalizeAxes(ArrayRef<Dim> axes, int64_t rank) {
  SmallVector<int64_t> result;
  for (Dim dim : axes) {
    if (!dim.isConstant())
      return error() << "axis " << dim.str() << " is not known when compiling", failure();
    FailureOr<int64_t> axis = normalizeAxis(dim.getConstant(), rank);
    if (failed(axis))
      return failure();
    if (llvm::is_contained(result, *axis))
      return error() << "axis " << *axis << " is named twice", failure();
    result.push_back(*axis);
  }
  return result;
}

FailureOr<Operation *> buildOp(OpBuilder &builder, Location loc, StringRef name,
                               ValueRange operands, ArrayRef<NamedAttribute> attributes,
                               unsigned numResults, SmallVectorImpl<TypeInference::Guard> *guards) {
  OperationState state(loc, name, operands, SmallVector<Type>(numResults, builder.getNoneType()),
                       attributes);
  Operation *op = Operation::create(state);
  TypeInference inference(op);
  LogicalResult inferred = cast<ComputeOp>(op).inferTypes(inference);
  if (succeeded(inferred) && inference.getResults().size() != numResults)
    inferred = inference.error() << "has " << inference.getResults().size() << " results, not "
                                 << numResults;
  if (failed(inferred)) {
    op->destroy();
    return failure();
  }
  for (auto [result, type] : llvm::zip_equal(op->getResults(), inference.getResults()))
    result.setType(type);
  if (guards)
    llvm::append_range(*guards, inference.getGuards());
  return builder.insert(op);
}

LogicalResult verifyComputeOp(Operation *op) {
  TypeInference inference(op);
  if (failed(cast<ComputeOp>(op).inferTypes(inference)))
    return failure();
  if (inference.getResults().size() != op->getNumResults())
    return op->emitOpError() << "has " << op->getNumResults() << " results, expected "
                             << inference.getResults().size();
  for (auto [result, inferred] : llvm::zip(op->getResults(), inference.getResults())) {
    auto actual = dyn_cast<RankedTensorType>(result.getType());
    auto expected = dyn_cast<RankedTensorType>(inferred);
    if (!actual || !expected) {
      if (result.getType() != inferred)
        return op->emitOpError() << "result type is " << result.getType() << ", expected "
                                 << inferred;
      continue;
    }
    // Symbolic sizes may be written in different ways; constants must agree.
    bool fits = actual.getElementType() == expected.getElementType() &&
                actual.getRank() == expected.getRank();
    for (int64_t i = 0; fits && i < actual.getRank(); ++i)
      fits = actual.isDynamicDim(i) || expected.isDynamicDim(i) ||
             actual.getDimSize(i) == expected.getDimSize(i);
    if (!fits)
      return op->emitOpError() << "result type is " << shortTypeName(actual) << ", expected "
                               << shortTypeName(expected);
  }
  return success();
}

LogicalResult inferElementwise(Operation *op, TypeInference &inference,
                               function_ref<Type(Type)> resultElement, bool allowMixed) {
  SmallVector<Value> present;
  for (Value operand : op->getOperands())
    if (!isAbsent(operand))
      present.push_back(operand);
  if (present.empty())
    return inference.error() << "needs at least one input";
  Type element = getElementType(present.front());
  for (Value operand : present)
    if (!allowMixed && getElementType(operand) != element)
      return inference.error() << "inputs have different element types ("
                               << shortTypeName(present.front().getType()) << " and "
                               << shortTypeName(operand.getType()) << ")";
  FailureOr<SmallVector<Dim>> shape = inference.broadcastShapes(present);
  if (failed(shape))
    return failure();
  Type result = resultElement(element);
  if (!result)
    return failure();
  inference.addResult(result, *shape);
  return success();
}

} // namespace dsc
