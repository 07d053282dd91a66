//===- FindSparsity.cpp - zeros in the constants of matrix products -------===//
//
//   %w = dsc.weight <0, 0, 2359296> : f32[768,768]
//   dsc.matmul %x, %w
// =>
//   %w = dsc.weight <0, 0, 2359296>
//          {storage = #dsc.storage<csr, a = 1, b = 1, nonzeros = 58982>} : f32[768,768]
//   dsc.matmul %x, %w
//
// Counts, and decides nothing: which storage a kernel reads is the choice of its
// template, by cost.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/SparseEncoding.h"
#include "dsc/Transforms/Passes.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_FINDSPARSITY
#include "dsc/Transforms/Passes.h.inc"

static int64_t countNonzeros(ArrayRef<uint8_t> bytes) {
  int64_t count = 0;
  for (size_t i = 0; i + sizeof(uint32_t) <= bytes.size(); i += sizeof(uint32_t)) {
    uint32_t bits;
    std::memcpy(&bits, bytes.data() + i, sizeof bits);
    count += !isZeroBits(bits);
  }
  return count;
}

/// Empty where the contents are not known.
static std::optional<int64_t> countNonzeros(Operation *constant, const WeightStore &store) {
  if (auto weight = dyn_cast<WeightOp>(constant)) {
    if (!store.contains(weight.getSource()))
      return std::nullopt;
    return countNonzeros(store.bytes(weight.getSource()));
  }
  std::optional<Array> contents = constantContents(constant->getResult(0), store);
  return contents ? std::optional(countNonzeros(contents->data)) : std::nullopt;
}

static bool isConstantMatrix(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.getRank() == 2 && type.getElementType().isF32() && type.hasStaticShape() &&
         type.getNumElements() > 0 && isa_and_nonnull<ConstantOp, WeightOp>(value.getDefiningOp());
}

static bool isContraction(ComputeOp op) {
  ScopedDiagnosticHandler quiet(op->getContext(), [](Diagnostic &) { return success(); });
  FailureOr<Spec> spec = op.getSpec();
  return succeeded(spec) && spec->loops && spec->kind == SpecKind::Contract;
}

namespace {
struct FindSparsity : impl::FindSparsityBase<FindSparsity> {
  using FindSparsityBase::FindSparsityBase;
  FindSparsity(WeightStore &store, const FindSparsityOptions &options)
      : FindSparsityBase(options), store(&store) {}

  void runOnOperation() override {
    WeightStore own;
    const WeightStore &weights = store ? *store : own;
    llvm::SetVector<Operation *> constants;
    getOperation()->walk([&](ComputeOp op) {
      if (llvm::any_of(op->getOperands(), isConstantMatrix) && isContraction(op))
        for (Value operand : llvm::make_filter_range(op->getOperands(), isConstantMatrix))
          constants.insert(operand.getDefiningOp());
    });
    for (Operation *constant : constants)
      if (auto nonzeros = countNonzeros(constant, weights))
        record(constant, *nonzeros);
  }

  void record(Operation *constant, int64_t nonzeros) {
    int64_t elements = cast<RankedTensorType>(constant->getResult(0).getType()).getNumElements();
    if (static_cast<double>(elements - nonzeros) < minZeros * static_cast<double>(elements))
      return;
    setStorage(constant, StorageAttr::get(&getContext(), StorageKind::Csr, 1, 1, nonzeros));
  }

  WeightStore *store = nullptr;
};
} // namespace

std::unique_ptr<Pass> createFindSparsityPass(WeightStore &store,
                                             const FindSparsityOptions &options) {
  return std::make_unique<FindSparsity>(store, options);
}

} // namespace dsc
