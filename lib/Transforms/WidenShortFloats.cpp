//===- WidenShortFloats.cpp - 16-bit floats are computed in float32 -------===//
//
//   %0 = dsc.matmul %x, %w : f16[N,64], f16[64,64] -> f16[N,64]
//   %1 = dsc.relu %0       : f16[N,64] -> f16[N,64]
//   return %1
// =>
//   %a = dsc.cast %x       : f16[N,64] -> f32[N,64]
//   %0 = dsc.matmul %a, %w : f32[N,64], f16[64,64] -> f32[N,64]
//   %1 = dsc.relu %0       : f32[N,64] -> f32[N,64]
//   %2 = dsc.cast %1       : f32[N,64] -> f16[N,64]
//   return %2
//
// One walk in program order: the result of each op that computes becomes float32,
// if the op has such a form. Where 16 bits are needed (the function's results, edges
// of regions, ops without such a form), a cast rounds. Ops that only move elements
// which are 16 bits wide in memory leave them so. The reasons:
// docs/Rationale/short-floats.md.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_WIDENSHORTFLOATS
#include "dsc/Transforms/Passes.h.inc"

namespace {

class Widening {
public:
  void visit(Operation *op);

private:
  void visitMove(ComputeOp op);
  void replaceCastLike(CastLikeOp op);
  bool computeWide(ComputeOp op);
  void useNarrow(Operation *op);
  Value wide(Value value);
  Value narrow(Value value);

  /// The element types that widened values had.
  llvm::DenseMap<Value, Type> shortTypes;
  llvm::DenseMap<Value, Value> casts; ///< of values in the other form
};

struct WidenShortFloats : impl::WidenShortFloatsBase<WidenShortFloats> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
    Widening widening;
    for (Operation *op : ArrayRef(ops).drop_front())
      widening.visit(op);
  }
};

} // namespace

static bool isShort(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && (type.getElementType().isF16() || type.getElementType().isBF16());
}

static bool isConstant(Value value) {
  return isa_and_nonnull<ConstantOp, WeightOp>(value.getDefiningOp());
}

static RankedTensorType withElement(Value value, Type element) {
  auto type = cast<RankedTensorType>(value.getType());
  return RankedTensorType::get(type.getShape(), element, type.getEncoding());
}

/// `value` as another type, behind where it is defined.
static Value castBehind(Value value, Type element) {
  OpBuilder builder(value.getContext());
  builder.setInsertionPointAfterValue(value);
  NamedAttribute to = builder.getNamedAttr("to", builder.getI64IntegerAttr(onnxTypeOf(element)));
  auto made = buildOp(builder, value.getLoc(), CastOp::getOperationName(), value, to);
  assert(succeeded(made) && "floats can be cast to each other");
  Value result = (*made)->getResult(0);
  result.setType(withElement(value, element)); // the sizes are written as the value's
  return result;
}

/// The value in float32.
Value Widening::wide(Value value) {
  if (!isShort(value))
    return value;
  Value &known = casts[value];
  if (!known)
    known = castBehind(value, Float32Type::get(value.getContext()));
  return known;
}

/// The value in the type that the model gives it.
Value Widening::narrow(Value value) {
  Type element = shortTypes.lookup(value);
  if (!element)
    return value;
  Value &known = casts[value];
  if (!known)
    known = castBehind(value, element);
  return known;
}

void Widening::useNarrow(Operation *op) {
  for (OpOperand &operand : op->getOpOperands())
    operand.set(narrow(operand.get()));
}

static bool onlyMoves(ComputeOp op) {
  if (op.getViewSource())
    return true;
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  FailureOr<Spec> spec = op.getSpec();
  return succeeded(spec) && spec->kind == SpecKind::Move;
}

void Widening::visit(Operation *op) {
  auto compute = dyn_cast<ComputeOp>(op);
  auto isConcerned = [&](Value value) { return isShort(value) || shortTypes.contains(value); };
  if (isa<ConstantOp, WeightOp>(op) || llvm::none_of(op->getOperands(), isConcerned))
    return;
  if (!compute || op->getNumRegions() > 0)
    return useNarrow(op);
  if (isa<CastOp>(op)) // of the model: what it makes short is short
    return;
  if (auto castLike = dyn_cast<CastLikeOp>(op))
    return replaceCastLike(castLike);
  if (onlyMoves(compute))
    return visitMove(compute);
  if (!computeWide(compute))
    useNarrow(op);
}

/// The type that is meant is the one that `target_type` had.
void Widening::replaceCastLike(CastLikeOp op) {
  OpBuilder builder(op);
  Type element = getElementType(op.getResult());
  NamedAttribute to = builder.getNamedAttr("to", builder.getI64IntegerAttr(onnxTypeOf(element)));
  auto made = buildOp(builder, op.getLoc(), CastOp::getOperationName(), op.getInput(), to);
  assert(succeeded(made) && "cast_like has checked the types");
  (*made)->getResult(0).setType(op.getResult().getType());
  op.getResult().replaceAllUsesWith((*made)->getResult(0));
  op.erase();
}

/// What lies in memory as 16 bits is moved as it is, and what joins it is rounded, as
/// the model says (a cache, to which new rows are appended). All else is float32.
void Widening::visitMove(ComputeOp op) {
  auto isStored = [](Value value) { return isShort(value) && !isConstant(value); };
  auto isWide = [&](Value value) { return shortTypes.contains(value); };
  bool staysShort =
      llvm::any_of(op->getOperands(), isStored) || llvm::none_of(op->getOperands(), isWide);
  if (staysShort || !computeWide(op))
    useNarrow(op);
}

/// Gives the op operands in float32 and the results that follow; false, and nothing is
/// changed, where it has no such form.
bool Widening::computeWide(ComputeOp op) {
  SmallVector<Value> before(op->getOperands());
  for (OpOperand &operand : op->getOpOperands())
    if (!op.mayReadShort(operand.getOperandNumber()) || !isShort(operand.get()))
      operand.set(wide(operand.get()));
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  TypeInference inference(op);
  bool fits =
      succeeded(op.inferTypes(inference)) && inference.getResults().size() == op->getNumResults();
  auto isF32 = [](Type type) { return cast<RankedTensorType>(type).getElementType().isF32(); };
  for (unsigned i = 0; fits && i < op->getNumResults(); ++i) {
    Type is = op->getResult(i).getType(), becomes = inference.getResults()[i];
    if (!isa<RankedTensorType>(is) || !isa<RankedTensorType>(becomes))
      fits = is == becomes;
    else
      fits = getElementTypeOrSelf(is) == getElementTypeOrSelf(becomes) ||
             (isShort(op->getResult(i)) && isF32(becomes));
  }
  if (!fits) {
    op->setOperands(before);
    return false;
  }
  for (auto [result, type] : llvm::zip_equal(op->getResults(), inference.getResults()))
    if (isShort(result) && isF32(type)) {
      shortTypes[result] = getElementType(result);
      result.setType(withElement(result, getElementTypeOrSelf(type)));
    }
  return true;
}

} // namespace dsc
