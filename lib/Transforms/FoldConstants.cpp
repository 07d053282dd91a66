//===- FoldConstants.cpp - computes operators on constants ----------------===//
//
//   %c = dsc.add %a, %b      with constant %a and %b     =>  %c = dsc.constant ...
//   %r = dsc.reshape %w ...  with a weight %w            =>  %r = dsc.weight ...
//
// One walk in program order, so that a result that became constant is seen as one
// by its users.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/Interpreter.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_FOLDCONSTANTS
#include "dsc/Transforms/Passes.h.inc"

/// Bytes of all elements of a tensor; empty if its shape is not static.
static std::optional<int64_t> tensorBytes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !tensor.getElementType().isIntOrFloat())
    return std::nullopt;
  return tensor.getNumElements() * elementBytes(tensor.getElementType());
}

static bool isConstant(Value value, const WeightStore &store) {
  if (isAbsent(value))
    return true;
  if (!tensorBytes(value.getType()))
    return false;
  if (auto weight = value.getDefiningOp<WeightOp>())
    return store.contains(weight.getSource());
  return value.getDefiningOp<ConstantOp>() != nullptr;
}

/// The result would take far more memory than what it is computed from.
static bool onlySpreads(int64_t inputBytes, int64_t resultBytes) {
  constexpr int64_t smallResult = 1 << 20, growth = 8;
  return resultBytes > smallResult && resultBytes / growth > inputBytes;
}

static bool isWorthFolding(Operation *op, int64_t maxCost, int64_t maxBytes) {
  int64_t inputBytes = 0, resultBytes = 0;
  for (Value operand : op->getOperands())
    if (!isAbsent(operand))
      inputBytes += *tensorBytes(operand.getType());
  for (Type type : op->getResultTypes()) {
    std::optional<int64_t> bytes = tensorBytes(type);
    if (!bytes)
      return false;
    resultBytes += *bytes;
  }
  if (resultBytes > maxBytes || onlySpreads(inputBytes, resultBytes))
    return false;
  std::optional<int64_t> cost = interpretCost(op);
  return cost && *cost <= maxCost;
}

/// A view of a weight: the same bytes with the result's type.
static bool foldWeightView(ComputeOp op) {
  Value source = op.getViewSource();
  auto weight = source ? source.getDefiningOp<WeightOp>() : nullptr;
  Type type = weight ? op->getResult(0).getType() : Type();
  if (!weight || tensorBytes(type) != tensorBytes(source.getType()))
    return false;
  OpBuilder builder(op);
  Value view =
      WeightOp::create(builder, op.getLoc(), type, weight.getSource(), weight.getNameAttr());
  op->getResult(0).replaceAllUsesWith(view);
  return true;
}

static bool foldByInterpreter(Operation *op, WeightStore &store) {
  SmallVector<std::optional<Array>> arrays;
  for (Value operand : op->getOperands()) {
    arrays.push_back(constantContents(operand, store));
    if (!arrays.back() && !isAbsent(operand))
      return false;
  }
  auto pointers = llvm::map_to_vector(
      arrays, [](const std::optional<Array> &array) { return array ? &*array : nullptr; });
  // What fails here (an index out of range) is reported where it is run, if it is.
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  FailureOr<std::vector<Array>> results = interpret(op, pointers);
  if (failed(results))
    return false;
  OpBuilder builder(op);
  for (auto [result, array] : llvm::zip_equal(op->getResults(), *results))
    result.replaceAllUsesWith(buildConstant(builder, op->getLoc(), std::move(array), store));
  return true;
}

/// Erases an op without uses, and then constants that only it used.
static void eraseWithOperands(Operation *op) {
  llvm::SmallSetVector<Operation *, 4> sources;
  for (Value operand : op->getOperands())
    if (Operation *source = operand.getDefiningOp())
      sources.insert(source);
  op->erase();
  for (Operation *source : sources)
    if (isa<ConstantOp, WeightOp, NoneOp>(source) && source->use_empty())
      source->erase();
}

namespace {
struct FoldConstants : impl::FoldConstantsBase<FoldConstants> {
  using FoldConstantsBase::FoldConstantsBase;
  FoldConstants(WeightStore &store, const FoldConstantsOptions &options)
      : FoldConstantsBase(options), store(&store) {}

  void runOnOperation() override {
    WeightStore own;
    WeightStore &weights = store ? *store : own;
    SmallVector<ComputeOp> ops;
    getOperation()->walk([&](ComputeOp op) { ops.push_back(op); });
    for (ComputeOp op : ops)
      if (fold(op, weights))
        eraseWithOperands(op);
  }

  bool fold(ComputeOp op, WeightStore &weights) {
    if (!isMemoryEffectFree(op) || op->getNumRegions() != 0 || op->use_empty())
      return false;
    if (foldWeightView(op))
      return true;
    auto constant = [&](Value value) { return isConstant(value, weights); };
    return llvm::all_of(op->getOperands(), constant) && isWorthFolding(op, maxCost, maxBytes) &&
           foldByInterpreter(op, weights);
  }

  WeightStore *store = nullptr;
};
} // namespace

std::unique_ptr<Pass> createFoldConstantsPass(WeightStore &store,
                                              const FoldConstantsOptions &options) {
  return std::make_unique<FoldConstants>(store, options);
}

} // namespace dsc
