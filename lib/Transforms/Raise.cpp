//===- Raise.cpp - what passes that recognise decomposed operators share --===//
#include "Raise.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/PatternMatch.h"

#include <cmath>

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

std::optional<double> splatNumber(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : DenseElementsAttr();
  if (!elements || !elements.isSplat() || !isa<FloatType>(elements.getElementType()))
    return std::nullopt;
  return elements.getSplatValue<APFloat>().convertToDouble();
}

bool isClose(double a, double b, Type element) {
  // A few units in the last place.
  unsigned precision = cast<FloatType>(element).getFPMantissaWidth();
  double tolerance = std::ldexp(4.0, -static_cast<int>(std::min(precision, 24u)));
  return std::abs(a - b) <= tolerance * std::max(std::abs(a), std::abs(b));
}

bool isNumber(Value value, double expected) {
  std::optional<double> number = splatNumber(value);
  return number && isClose(*number, expected, getElementType(value));
}

//===----------------------------------------------------------------------===//
// Products and sums
//===----------------------------------------------------------------------===//

static void factorize(Value value, Factors &factors, unsigned depth) {
  constexpr unsigned kMaxDepth = 6;
  if (std::optional<double> number = splatNumber(value)) {
    factors.constant *= *number;
    return;
  }
  Operation *op = value.getDefiningOp();
  if (depth < kMaxDepth && isa_and_nonnull<MulOp>(op)) {
    for (Value operand : op->getOperands())
      factorize(operand, factors, depth + 1);
    return;
  }
  if (depth < kMaxDepth && isa_and_nonnull<DivOp>(op))
    if (std::optional<double> divisor = splatNumber(op->getOperand(1)); divisor && *divisor != 0) {
      factors.constant /= *divisor;
      factorize(op->getOperand(0), factors, depth + 1);
      return;
    }
  factors.values.push_back(value);
}

Factors factorize(Value value) {
  Factors factors;
  if (isa<FloatType>(getElementType(value)))
    factorize(value, factors, 0);
  else
    factors.values.push_back(value);
  return factors;
}

std::optional<double> coefficient(Value value, Value x) {
  Factors factors = factorize(value);
  if (factors.values.size() != 1 || factors.values.front() != x)
    return std::nullopt;
  return factors.constant;
}

Value addendOf(Value value, double number) {
  auto add = value.getDefiningOp<AddOp>();
  if (!add)
    return {};
  for (unsigned i : {0, 1})
    if (isNumber(add->getOperand(i), number))
      return add->getOperand(1 - i);
  return {};
}

Value otherOperand(Operation *op, Value operand) {
  if (!op || op->getNumOperands() != 2)
    return {};
  if (op->getOperand(0) == operand)
    return op->getOperand(1);
  return op->getOperand(1) == operand ? op->getOperand(0) : Value();
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

SmallVector<int64_t> keptAxes(Operation *reduction) {
  auto keeps = reduction->getAttrOfType<IntegerAttr>("keepdims");
  int64_t rank = getRank(reduction->getOperand(0));
  if (!keeps || keeps.getInt() == 0)
    return {};
  auto attribute = reduction->getAttrOfType<DimsAttr>("axes");
  if (!attribute || attribute.size() == 0)
    return {};
  SmallVector<int64_t> axes;
  for (Dim dim : attribute.getDims()) {
    std::optional<int64_t> axis = dim.tryConstant();
    if (!axis)
      return {};
    axes.push_back(*axis < 0 ? *axis + rank : *axis);
  }
  llvm::sort(axes);
  return axes;
}

std::optional<int64_t> firstTrailingAxis(ArrayRef<int64_t> axes, int64_t rank) {
  if (axes.empty())
    return std::nullopt;
  for (auto [i, axis] : llvm::enumerate(axes))
    if (axis != rank - static_cast<int64_t>(axes.size() - i))
      return std::nullopt;
  return axes.front();
}

//===----------------------------------------------------------------------===//
// Replacing
//===----------------------------------------------------------------------===//

LogicalResult replaceByOp(RewriterBase &rewriter, Operation *op, StringRef name,
                          ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  // What does not fit is no error: the op stays what it is.
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  SmallVector<TypeInference::Guard> guards;
  rewriter.setInsertionPoint(op);
  FailureOr<Operation *> built =
      buildOp(rewriter, op->getLoc(), name, operands, attributes, 1, &guards);
  if (failed(built))
    return failure();
  if (!guards.empty() || (*built)->getResultTypes() != op->getResultTypes()) {
    rewriter.eraseOp(*built);
    return failure();
  }
  rewriter.replaceOp(op, *built);
  return success();
}

Value reshapeTo(RewriterBase &rewriter, Value value, ArrayRef<Dim> shape) {
  Type wanted = makeTensorType(getElementType(value), shape);
  for (Value source = value; source;) {
    if (source.getType() == wanted)
      return source;
    auto view = source.getDefiningOp<ComputeOp>();
    source = view ? view.getViewSource() : Value();
  }
  NamedAttribute attributes[] = {
      rewriter.getNamedAttr("shape", DimsAttr::get(value.getContext(), shape)),
      rewriter.getNamedAttr("allowzero", rewriter.getI64IntegerAttr(1)),
  };
  FailureOr<Operation *> built =
      buildOp(rewriter, value.getLoc(), "dsc.reshape", value, attributes);
  return failed(built) ? Value() : (*built)->getResult(0);
}

} // namespace dsc
