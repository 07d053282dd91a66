//===- TypeInference.cpp - result types and run-time conditions -----------===//
#include "dsc/Dialect/IR/TypeInference.h"
#include "dsc/Dialect/IR/DscDialect.h"

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

Type getElementType(Value value) { return cast<RankedTensorType>(value.getType()).getElementType(); }

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

bool isAbsent(Value value) { return isa<NoneType>(value.getType()); }

LogicalResult TypeInference::require(Dim condition, const Twine &message) {
  if (condition.isConstant(0))
    return error() << message;
  if (!condition.isConstant())
    guards.push_back({condition, message.str()});
  return success();
}

LogicalResult TypeInference::requireEqual(Dim a, Dim b, const Twine &what) {
  return require(Dim::eq(a, b), what + " (" + a.str() + " vs " + b.str() + ")");
}

FailureOr<SmallVector<Dim>> TypeInference::broadcastShapes(ArrayRef<Value> values) {
  size_t rank = 0;
  for (Value value : values)
    rank = std::max<size_t>(rank, getRank(value));
  Dim one = constant(1);
  SmallVector<Dim> shape(rank, one);
  for (Value value : values) {
    SmallVector<Dim> dims = getDims(value);
    size_t offset = rank - dims.size();
    for (auto [i, dim] : llvm::enumerate(dims)) {
      Dim &size = shape[offset + i];
      Dim merged = broadcast(size, dim);
      std::string message = ("shapes do not broadcast on axis " + Twine(offset + i) + " (" +
                             size.str() + " vs " + dim.str() + ")")
                                .str();
      if (!merged)
        return error() << message, failure();
      Dim fits = Dim::logicalOr(Dim::eq(size, dim),
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

FailureOr<Operation *> buildOp(OpBuilder &builder, Location loc, StringRef name,
                               ValueRange operands, ArrayRef<NamedAttribute> attributes,
                               unsigned numResults,
                               SmallVectorImpl<TypeInference::Guard> *guards) {
  OperationState state(loc, name, operands, SmallVector<Type>(numResults, builder.getNoneType()),
                       attributes);
  Operation *op = Operation::create(state);
  TypeInference inference(op);
  LogicalResult inferred = cast<ComputeOp>(op).inferTypes(inference);
  if (succeeded(inferred) && inference.getResults().size() != numResults)
    inferred = inference.error() << "has " << inference.getResults().size()
                                 << " results, not " << numResults;
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
        return op->emitOpError() << "result type is " << result.getType() << ", expected " << inferred;
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
  inference.addResult(resultElement(element), *shape);
  return success();
}

} // namespace dsc
