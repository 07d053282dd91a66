//===- SharedStorage.cpp - tensors that lie within others -----------------===//
#include "dsc/Dialect/IR/SharedStorage.h"

#include "Axes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Elements at regular distances
//===----------------------------------------------------------------------===//

static SmallVector<Dim> denseStrides(ArrayRef<Dim> dims, MLIRContext *context) {
  SmallVector<Dim> strides(dims.size());
  Dim stride = Dim::constant(context, 1);
  for (size_t axis = dims.size(); axis-- > 0; stride = stride * dims[axis])
    strides[axis] = stride;
  return strides;
}

namespace {
/// An index of an operand: the sum of the loops by their factors, and `offset`.
struct LinearIndex {
  SmallVector<Dim> factors;
  Dim offset;
};
} // namespace

/// Empty for an expression that is not linear.
static std::optional<LinearIndex> toLinear(AffineExpr expr, const LoopSpec &loops,
                                           MLIRContext *context) {
  Dim zero = Dim::constant(context, 0);
  LinearIndex result{SmallVector<Dim>(loops.numLoops(), zero), zero};
  if (auto number = dyn_cast<AffineConstantExpr>(expr)) {
    result.offset = Dim::constant(context, number.getValue());
    return result;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    result.offset = loops.symbols[symbol.getPosition()];
    return result;
  }
  if (auto loop = dyn_cast<AffineDimExpr>(expr)) {
    // The only iteration of a loop is number 0.
    bool isOne = loops.extents[loop.getPosition()].isConstant(1);
    result.factors[loop.getPosition()] = Dim::constant(context, isOne ? 0 : 1);
    return result;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<LinearIndex> a = toLinear(binary.getLHS(), loops, context);
  std::optional<LinearIndex> b = toLinear(binary.getRHS(), loops, context);
  if (!a || !b)
    return std::nullopt;
  auto isNumber = [&](const LinearIndex &index) {
    return llvm::all_of(index.factors, [](Dim factor) { return factor.isConstant(0); });
  };
  if (expr.getKind() == AffineExprKind::Mul && isNumber(*a))
    std::swap(a, b);
  if (expr.getKind() == AffineExprKind::Mul && isNumber(*b)) {
    for (Dim &factor : a->factors)
      factor = factor * b->offset;
    a->offset = a->offset * b->offset;
    return a;
  }
  if (expr.getKind() != AffineExprKind::Add)
    return std::nullopt;
  for (auto [sum, factor] : llvm::zip(a->factors, b->factors))
    sum = sum + factor;
  a->offset = a->offset + b->offset;
  return a;
}

/// The only read of an op that passes on what it reads.
static const Access *onlyCopies(const Spec &spec) {
  if (spec.kind != SpecKind::Move || !spec.loops || spec.loops->accesses.size() != 1)
    return nullptr;
  const LoopSpec &loops = *spec.loops;
  Block &body = loops.body->front();
  const Access &access = loops.accesses.front();
  bool isPlain = access.map && access.bounds == Bounds::Inside &&
                 !llvm::is_contained(access.mayBroadcast, true) &&
                 body.getTerminator()->getOperand(0) == body.getArgument(loops.numLoops());
  return isPlain ? &access : nullptr;
}

/// Of a tensor of other sizes over the same elements; empty where axes would have to
/// be put together that do not follow each other in memory.
static std::optional<SmallVector<Dim>> reshapeStrides(ArrayRef<Dim> from, ArrayRef<Dim> strides,
                                                      ArrayRef<Dim> to, MLIRContext *context) {
  Dim one = Dim::constant(context, 1);
  SmallVector<Dim> result(to.size(), one);
  // From the innermost axes, groups of axes of equal size.
  size_t oldAxis = from.size(), newAxis = to.size();
  auto skipOnes = [](ArrayRef<Dim> dims, size_t &axis) {
    while (axis > 0 && dims[axis - 1].isConstant(1))
      --axis;
    return axis > 0;
  };
  while (skipOnes(from, oldAxis)) {
    Dim stride = strides[--oldAxis], size = from[oldAxis];
    for (;;) {
      // As many new axes as make up the size.
      size_t first = newAxis;
      Dim product = one;
      while (product != size && first > 0)
        product = product * to[--first];
      if (product == size) {
        for (Dim next = stride; newAxis > first; next = next * to[newAxis])
          result[--newAxis] = next;
        break;
      }
      // The next old axis, too, if it follows in memory.
      size_t outer = oldAxis;
      if (!skipOnes(from, outer) || strides[outer - 1] != size * stride)
        return std::nullopt;
      oldAxis = outer - 1;
      size = size * from[oldAxis];
    }
  }
  return skipOnes(to, newAxis) ? std::nullopt : std::optional(result);
}

/// What the op's result is in terms of `operand`, which is a view of something.
static std::optional<StridedView> throughOp(ComputeOp op, const StridedView &operand) {
  MLIRContext *context = op->getContext();
  SmallVector<Dim> dims = getDims(op->getResult(0));
  if (Value source = op.getViewSource()) {
    if (getElementType(source) != getElementType(op->getResult(0)))
      return std::nullopt;
    auto strides = reshapeStrides(getDims(source), operand.strides, dims, context);
    if (!strides)
      return std::nullopt;
    return StridedView{operand.source, operand.offset, std::move(*strides)};
  }
  ScopedDiagnosticHandler quiet(context, [](Diagnostic &) { return success(); });
  FailureOr<Spec> spec = op.getSpec();
  const Access *access = succeeded(spec) ? onlyCopies(*spec) : nullptr;
  if (!access || access->operand != 0)
    return std::nullopt;
  Dim zero = Dim::constant(context, 0);
  StridedView view{operand.source, operand.offset, SmallVector<Dim>(dims.size(), zero)};
  for (auto [expr, stride] : llvm::zip(access->map->getResults(), operand.strides)) {
    std::optional<LinearIndex> index = toLinear(expr, *spec->loops, context);
    if (!index)
      return std::nullopt;
    view.offset = view.offset + index->offset * stride;
    for (auto [sum, factor] : llvm::zip(view.strides, index->factors))
      sum = sum + factor * stride;
  }
  return view;
}

std::optional<StridedView> getStridedView(Value tensor, function_ref<bool(Operation *)> follow) {
  auto op = tensor.getDefiningOp<ComputeOp>();
  MLIRContext *context = tensor.getContext();
  if (!op || !follow(op))
    return StridedView{tensor, Dim::constant(context, 0), denseStrides(getDims(tensor), context)};
  bool isSimple = op->getNumResults() == 1 && op->getNumRegions() == 0 &&
                  op->getNumOperands() > 0 && isa<RankedTensorType>(op->getOperand(0).getType());
  if (!isSimple)
    return std::nullopt;
  std::optional<StridedView> operand = getStridedView(op->getOperand(0), follow);
  return operand ? throughOp(op, *operand) : std::nullopt;
}

std::optional<Dim> getPartOffset(ComputeOp op) {
  if (op.getViewSource())
    return std::nullopt;
  Operation *self = op;
  std::optional<StridedView> view =
      getStridedView(op->getResult(0), [&](Operation *each) { return each == self; });
  if (!view || view->source == op->getResult(0))
    return std::nullopt;
  SmallVector<Dim> dims = getDims(op->getResult(0));
  SmallVector<Dim> dense = denseStrides(dims, op->getContext());
  for (auto [dim, stride, wanted] : llvm::zip(dims, view->strides, dense))
    if (!dim.isConstant(1) && stride != wanted)
      return std::nullopt;
  return view->offset;
}

//===----------------------------------------------------------------------===//
// Sequences of tensors
//===----------------------------------------------------------------------===//

bool isSequence(ConcatOp concat) {
  SmallVector<Dim> dims = getDims(concat.getResult());
  int64_t axis = positiveAxis(concat.getAxis(), dims.size());
  return areAllOne(ArrayRef(dims).take_front(axis));
}

SmallVector<Dim> getInputOffsets(ConcatOp concat) {
  SmallVector<Dim> offsets;
  Dim next = Dim::constant(concat.getContext(), 0);
  for (Value input : concat.getInputs()) {
    offsets.push_back(next);
    next = next + product(concat.getContext(), getDims(input));
  }
  return offsets;
}

Value skipViews(Value tensor) {
  while (auto op = tensor.getDefiningOp<ComputeOp>()) {
    Value source = op.getViewSource();
    if (!source)
      break;
    tensor = source;
  }
  return tensor;
}

bool isReturned(Value tensor) {
  return llvm::any_of(tensor.getUsers(), [](Operation *user) { return isa<func::ReturnOp>(user); });
}

/// Symbols that are new between the two ops; whose values are placed apart.
static bool isSymbolBornBetween(Operation *from, Operation *to) {
  for (Operation *op = from->getNextNode(); op != to; op = op->getNextNode())
    if (isa<BindOp>(op) || (op->getNumRegions() > 0 && !isa<GroupOp>(op)))
      return true;
  return false;
}

bool canComputeInPlace(ConcatOp concat, unsigned number) {
  Value input = skipViews(concat.getInputs()[number]);
  Operation *producer = input.getDefiningOp();
  if (!producer || producer->getBlock() != concat->getBlock() || isReturned(input) ||
      isReturned(concat.getResult()))
    return false;
  bool isComputed =
      isa<GroupOp>(producer) || (isa<ComputeOp>(producer) && producer->getNumRegions() == 0);
  return isComputed && producer->isBeforeInBlock(concat) && !isSymbolBornBetween(producer, concat);
}

bool mayShareStorage(Operation *op) {
  // A kernel that computes a few numbers and puts them together is better than
  // several that write them in place.
  constexpr int64_t leastElements = 1024;
  auto concat = dyn_cast<ConcatOp>(op);
  if (!concat || !isSequence(concat))
    return false;
  std::optional<int64_t> elements =
      product(op->getContext(), getDims(concat.getResult())).tryConstant();
  if (elements && *elements < leastElements)
    return false;
  return llvm::any_of(llvm::seq<unsigned>(0, concat.getInputs().size()),
                      [&](unsigned number) { return canComputeInPlace(concat, number); });
}

} // namespace dsc
