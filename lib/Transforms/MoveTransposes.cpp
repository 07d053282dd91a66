//===- MoveTransposes.cpp - transpositions that meet their inverse --------===//
//
//   %0 = dsc.transpose %x {perm = [0, 2, 3, 1]}
//   %1 = dsc.relu %0
//   dsc.transpose %1 {perm = [0, 3, 1, 2]}
// =>
//   dsc.relu %x
//
// as it is between the convolutions of models whose pictures are [N, H, W, C].
// In program order, an op that treats all elements alike is moved in front of the
// transposition of its operands, which then follows it; constant operands are
// transposed back. Only where an op behind it undoes the transposition; then neither is
// left. Each op moves at most once, so that this ends.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_MOVETRANSPOSES
#include "dsc/Transforms/Passes.h.inc"

using Permutation = SmallVector<int64_t>;

/// Axis i of the result is axis perm[i] of the operand; empty where that is left out.
static Permutation permutationOf(TransposeOp op) {
  return Permutation(op.getPerm().value_or(ArrayRef<int64_t>()));
}

static Permutation inverse(ArrayRef<int64_t> perm) {
  Permutation result(perm.size());
  for (auto [i, axis] : llvm::enumerate(perm))
    result[axis] = i;
  return result;
}

/// What `second` makes of the result of `first`.
static Permutation compose(ArrayRef<int64_t> first, ArrayRef<int64_t> second) {
  return llvm::map_to_vector(second, [&](int64_t axis) { return first[axis]; });
}

static bool isIdentity(ArrayRef<int64_t> perm) {
  return llvm::equal(perm, llvm::seq<int64_t>(0, perm.size()));
}

/// Whether operand axes belong to the last loops in order, as ONNX broadcasts.
static bool readsBroadcast(const Access &access, unsigned loops) {
  if (!access.map || access.map->getNumResults() > loops)
    return false;
  unsigned first = loops - access.map->getNumResults();
  return llvm::all_of(llvm::enumerate(access.map->getResults()), [&](auto axis) {
    auto loop = dyn_cast<AffineDimExpr>(axis.value());
    auto number = dyn_cast<AffineConstantExpr>(axis.value());
    return loop ? loop.getPosition() == first + axis.index() : number && number.getValue() == 0;
  });
}

/// Whether the op computes each element from those at the same place, wherever it is.
static bool isElementwise(Operation *op) {
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute || op->getNumResults() != 1 || compute.getViewSource())
    return false;
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  FailureOr<Spec> spec = compute.getSpec();
  if (failed(spec) || spec->kind != SpecKind::Map || !spec->loops)
    return false;
  const LoopSpec &loops = *spec->loops;
  if (loops.hasReduction() || loops.extents != getDims(op->getResult(0)))
    return false;
  auto indices = loops.body->getArguments().take_front(loops.numLoops());
  return llvm::all_of(indices, [](BlockArgument index) { return index.use_empty(); }) &&
         llvm::all_of(loops.accesses, [&](const Access &access) {
           return readsBroadcast(access, loops.numLoops());
         });
}

/// Whether axes only have other numbers in the op on transposed operands.
static bool canMove(Operation *op) { return isa<ConcatOp>(op) || isElementwise(op); }

static bool isConstantTensor(Value value) {
  return isa_and_nonnull<ConstantOp, WeightOp>(value.getDefiningOp());
}

namespace {

class Mover {
public:
  explicit Mover(MLIRContext *context) : rewriter(context) {}
  void visit(Operation *op);
  void eraseUnused();

private:
  void cancel(TransposeOp op);
  void tryMove(Operation *op);
  bool meetsInverse(Value value, ArrayRef<int64_t> perm, unsigned depth = 0);
  Value operandBefore(Value operand, ArrayRef<int64_t> perm, int64_t rank);
  Value build(Location loc, StringRef name, ValueRange operands,
              ArrayRef<NamedAttribute> attributes);
  Value transpose(Location loc, Value value, ArrayRef<int64_t> perm);

  IRRewriter rewriter;
  SmallVector<Operation *> replaced;
};

struct MoveTransposes : impl::MoveTransposesBase<MoveTransposes> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    bool hasTransposes = false;
    getOperation()->walk([&](ComputeOp op) {
      ops.push_back(op);
      hasTransposes |= isa<TransposeOp>(op);
    });
    if (!hasTransposes)
      return;
    Mover mover(&getContext());
    for (Operation *op : ops)
      mover.visit(op);
    mover.eraseUnused();
  }
};

} // namespace

void Mover::visit(Operation *op) {
  if (auto transpose = dyn_cast<TransposeOp>(op))
    cancel(transpose);
  else
    tryMove(op);
}

/// A transposition and its inverse are none.
void Mover::cancel(TransposeOp op) {
  auto first = op.getData().getDefiningOp<TransposeOp>();
  if (!first || !first.getPerm() || !op.getPerm() ||
      !isIdentity(compose(permutationOf(first), permutationOf(op))) ||
      first.getData().getType() != op.getType())
    return;
  rewriter.replaceAllUsesWith(op, first.getData());
  replaced.append({op, first});
}

/// Whether the transposition, moved behind `value`'s users again and again, comes to one
/// that undoes it.
bool Mover::meetsInverse(Value value, ArrayRef<int64_t> perm, unsigned depth) {
  constexpr unsigned most = 6;
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    if (auto transpose = dyn_cast<TransposeOp>(user))
      return transpose.getPerm() && isIdentity(compose(perm, permutationOf(transpose)));
    return depth < most && user->getNumResults() == 1 &&
           getRank(user->getResult(0)) == static_cast<int64_t>(perm.size()) && canMove(user) &&
           meetsInverse(user->getResult(0), perm, depth + 1);
  });
}

/// The operand of the op in front of the transposition; null: there is none.
Value Mover::operandBefore(Value operand, ArrayRef<int64_t> perm, int64_t rank) {
  if (isAbsent(operand))
    return operand;
  if (auto transpose = operand.getDefiningOp<TransposeOp>();
      transpose && llvm::equal(permutationOf(transpose), perm))
    return transpose.getData();
  if (isOneElement(operand))
    return operand;
  if (!isConstantTensor(operand))
    return {};
  SmallVector<Dim> shape(rank - getRank(operand), Dim::constant(operand.getContext(), 1));
  llvm::append_range(shape, getDims(operand));
  NamedAttribute attribute =
      rewriter.getNamedAttr("shape", DimsAttr::get(operand.getContext(), shape));
  Value whole = build(operand.getLoc(), "dsc.reshape", operand, attribute);
  return whole ? transpose(operand.getLoc(), whole, inverse(perm)) : Value();
}

Value Mover::build(Location loc, StringRef name, ValueRange operands,
                   ArrayRef<NamedAttribute> attributes) {
  // What does not fit is no error: the op stays where it is.
  ScopedDiagnosticHandler quiet(rewriter.getContext(), [](Diagnostic &) { return success(); });
  SmallVector<TypeInference::Guard> guards;
  FailureOr<Operation *> built =
      buildOp(rewriter, loc, name, operands, attributes, /*numResults=*/1, &guards);
  if (failed(built))
    return {};
  if (!guards.empty()) {
    rewriter.eraseOp(*built);
    return {};
  }
  return (*built)->getResult(0);
}

Value Mover::transpose(Location loc, Value value, ArrayRef<int64_t> perm) {
  return build(loc, TransposeOp::getOperationName(), value,
               rewriter.getNamedAttr("perm", rewriter.getDenseI64ArrayAttr(perm)));
}

void Mover::tryMove(Operation *op) {
  if (op->getNumResults() != 1)
    return;
  int64_t rank = getRank(op->getResult(0));
  Permutation perm;
  for (Value operand : op->getOperands())
    if (auto transpose = operand.getDefiningOp<TransposeOp>(); transpose && perm.empty())
      perm = permutationOf(transpose);
  if (static_cast<int64_t>(perm.size()) != rank || !canMove(op) ||
      !meetsInverse(op->getResult(0), perm))
    return;
  rewriter.setInsertionPoint(op);
  SmallVector<Value> operands;
  for (Value operand : op->getOperands()) {
    Value before = operandBefore(operand, perm, rank);
    bool isAligned = !isa<ConcatOp>(op) || (before && getRank(before) == rank);
    if (!before || !isAligned || (isa<ConcatOp>(op) && before == operand))
      return;
    operands.push_back(before);
  }
  SmallVector<NamedAttribute> attributes(op->getAttrs());
  if (auto concat = dyn_cast<ConcatOp>(op)) {
    auto axis = static_cast<int64_t>(concat.getAxis());
    axis += axis < 0 ? rank : 0;
    NamedAttrList list(attributes);
    list.set("axis", rewriter.getI64IntegerAttr(perm[axis]));
    attributes.assign(list.begin(), list.end());
  }
  Value moved = build(op->getLoc(), op->getName().getStringRef(), operands, attributes);
  if (!moved || !canMove(moved.getDefiningOp()))
    return;
  Value result = transpose(op->getLoc(), moved, perm);
  if (!result || result.getType() != op->getResult(0).getType())
    return;
  rewriter.replaceAllUsesWith(op->getResult(0), result);
  replaced.push_back(op);
}

/// Erases what was replaced, and then has no users.
void Mover::eraseUnused() {
  llvm::SetVector<Operation *> unique(replaced.begin(), replaced.end());
  for (bool changed = true; changed;) {
    changed = false;
    unique.remove_if([&](Operation *op) {
      if (!op->use_empty())
        return false;
      rewriter.eraseOp(op);
      return changed = true;
    });
  }
}

} // namespace dsc
