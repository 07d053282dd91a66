//===- Views.cpp - operators that only give elements another shape --------===//
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> ReshapeOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "shape"}};
  return operands;
}

/// Drops the factors that both lists have, so that what is left of the quotient
/// does not depend on how a product of sums is written.
static void cancelFactors(SmallVectorImpl<Dim> &a, SmallVectorImpl<Dim> &b) {
  for (auto *it = a.begin(); it != a.end();) {
    auto *same = llvm::find(b, *it);
    // A size of 0 does not cancel: 0 elements remain 0 elements.
    if (same == b.end() || it->isConstant(0)) {
      ++it;
      continue;
    }
    b.erase(same);
    it = a.erase(it);
  }
}

/// Whether a size asked for is no -1: the sizes that the input has are none, whatever
/// is known of their expressions.
static bool isSize(Dim size, ArrayRef<Dim> input) {
  return size.isKnownNonNegative() || llvm::is_contained(input, size);
}

/// Several sizes that only the run knows, one of which may be -1: it takes what the
/// others leave.
static void resolveRest(MutableArrayRef<Dim> shape, ArrayRef<Dim> input) {
  MLIRContext *context = shape.front().getContext();
  Dim one = Dim::constant(context, 1), rest = Dim::constant(context, -1);
  SmallVector<Dim> others = llvm::map_to_vector(shape, [&](Dim size) {
    return isSize(size, input) ? size : Dim::select(Dim::eq(size, rest), one, size);
  });
  // Where a size is 0, so is the total.
  Dim known = Dim::max(product(context, others), one);
  Dim left = product(context, input).floorDiv(known);
  for (Dim &size : shape)
    if (!isSize(size, input))
      size = Dim::select(Dim::eq(size, rest), left, size);
}

static LogicalResult requireSameCount(ReshapeOp op, TypeInference &inference, Dim from, Dim to) {
  std::string text = "cannot reshape " + shortTypeName(op.getData().getType()) + " to [";
  llvm::raw_string_ostream os(text);
  llvm::interleaveComma(op.getShape().getDims(), os);
  os << "]";
  if (from.isConstant() && to.isConstant())
    os << " (" << from << " vs " << to << " elements)";
  return inference.require(Dim::eq(from, to), text);
}

LogicalResult ReshapeOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getData()), shape = getShape().getDims();
  MLIRContext *context = getContext();
  // The axis that takes what the others leave: -1, or a size that may turn out so.
  std::optional<size_t> rest;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (size.isConstant(0) && getAllowzero() == 0) {
      if (axis >= input.size())
        return inference.error() << "shape has 0 for axis " << axis << ", which the input of rank "
                                 << input.size() << " does not have";
      size = input[axis];
    }
    bool mayCopy = getAllowzero() == 0 && axis < input.size() && !isSize(size, input);
    if (mayCopy && !size.isConstant())
      size = Dim::select(Dim::eq(size, inference.constant(0)), input[axis], size);
    if (size.isConstant() && size.getConstant() < -1)
      return inference.error() << "shape has the size " << size.getConstant();
    if (!size.isConstant(-1))
      continue;
    if (rest)
      return inference.error() << "shape has -1 for axes " << *rest << " and " << axis;
    rest = axis;
  }
  auto isUnknown = [&](Dim size) { return !isSize(size, input); };
  if (!rest && llvm::count_if(shape, isUnknown) > 1) {
    resolveRest(shape, input);
    if (failed(
            requireSameCount(*this, inference, product(context, input), product(context, shape))))
      return failure();
    inference.addResult(getElementType(getData()), shape);
    return success();
  }
  bool mayBeRest = false;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (rest || !isUnknown(size))
      continue;
    rest = axis;
    mayBeRest = true;
  }
  SmallVector<Dim> from(input), to;
  for (auto [axis, size] : llvm::enumerate(shape))
    if (!rest || axis != *rest)
      to.push_back(size);
  cancelFactors(from, to);
  Dim total = product(context, from), known = product(context, to);
  if (!rest) {
    if (failed(requireSameCount(*this, inference, total, known)))
      return failure();
    inference.addResult(getElementType(getData()), shape);
    return success();
  }
  if (known.isConstant(0))
    return inference.error() << "shape has -1 for axis " << *rest
                             << ", which the other sizes do not determine";
  Dim left = total.floorDiv(known);
  Dim &size = shape[*rest];
  size = mayBeRest ? Dim::select(Dim::eq(size, inference.constant(-1)), left, size) : left;
  if (failed(requireSameCount(*this, inference, total, size * known)))
    return failure();
  inference.addResult(getElementType(getData()), shape);
  return success();
}

//===----------------------------------------------------------------------===//
// Squeeze, Unsqueeze
//===----------------------------------------------------------------------===//

ArrayRef<ContentOperand> SqueezeOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "axes"}};
  return operands;
}

LogicalResult SqueezeOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getData()), shape;
  Dim one = inference.constant(1);
  SmallVector<int64_t> dropped;
  if (std::optional<DimsAttr> axes = getAxes()) {
    FailureOr<SmallVector<int64_t>> normalized =
        inference.normalizeAxes(axes->getDims(), input.size());
    if (failed(normalized))
      return failure();
    dropped = *normalized;
  }
  for (auto [axis, dim] : llvm::enumerate(input)) {
    bool drop = getAxes() ? llvm::is_contained(dropped, axis) : dim.isConstant(1);
    Dim isOne = Dim::eq(dim, one);
    // Without axes, a size of 1 at run time would have changed the rank.
    Dim condition = drop || getAxes() ? isOne : Dim::logicalNot(isOne);
    if ((drop || !getAxes()) &&
        failed(inference.require(condition, "squeeze of axis " + Twine(axis) + " with size " +
                                                dim.str() + (drop ? "" : " needs axes"))))
      return failure();
    if (!drop)
      shape.push_back(dim);
  }
  inference.addResult(getElementType(getData()), shape);
  return success();
}

ArrayRef<ContentOperand> UnsqueezeOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {{1, "axes"}};
  return operands;
}

LogicalResult UnsqueezeOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getData()), axes = getAxes().getDims();
  size_t rank = input.size() + axes.size();
  FailureOr<SmallVector<int64_t>> inserted = inference.normalizeAxes(axes, rank);
  if (failed(inserted))
    return failure();
  SmallVector<Dim> shape;
  auto *next = input.begin();
  for (size_t axis = 0; axis < rank; ++axis)
    shape.push_back(llvm::is_contained(*inserted, axis) ? inference.constant(1) : *next++);
  inference.addResult(getElementType(getData()), shape);
  return success();
}

//===----------------------------------------------------------------------===//
// Flatten
//===----------------------------------------------------------------------===//

LogicalResult FlattenOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> input = getDims(getInput());
  int64_t rank = input.size(), axis = getAxis();
  // Unlike elsewhere, the rank itself is an axis.
  if (axis < -rank || axis > rank)
    return inference.error() << "axis " << axis << " is outside [" << -rank << ", " << rank << "]";
  if (axis < 0)
    axis += rank;
  ArrayRef<Dim> dims(input);
  inference.addResult(getElementType(getInput()), {product(getContext(), dims.take_front(axis)),
                                                   product(getContext(), dims.drop_front(axis))});
  return success();
}

} // namespace dsc
