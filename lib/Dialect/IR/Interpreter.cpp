//===- Interpreter.cpp - runs one op on arrays ----------------------------===//
#include "dsc/Dialect/IR/Interpreter.h"
#include "InterpreterBody.h"

#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Threading.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

static std::optional<int64_t> symbolValue(StringRef name, const SymbolValues &symbols) {
  auto it = symbols.find(name);
  // The mark of a symbol that may be negative is not part of what users write.
  if (it == symbols.end() && name.consume_back("~"))
    it = symbols.find(name);
  if (it == symbols.end())
    return std::nullopt;
  return it->second;
}

/// Sum or product with overflow checks.
static std::optional<int64_t> evaluateNary(DimKind kind, ArrayRef<int64_t> values) {
  int64_t result = kind == DimKind::Mul;
  for (int64_t value : values)
    if (kind == DimKind::Mul ? llvm::MulOverflow(result, value, result)
                             : llvm::AddOverflow(result, value, result))
      return std::nullopt;
  return result;
}

static std::optional<int64_t> evaluateDivision(DimKind kind, int64_t a, int64_t b) {
  if (b == 0 || (a == INT64_MIN && b == -1))
    return std::nullopt;
  if (kind == DimKind::FloorDiv)
    return llvm::divideFloorSigned(a, b);
  if (kind == DimKind::CeilDiv)
    return llvm::divideCeilSigned(a, b);
  return a - llvm::divideFloorSigned(a, b) * b;
}

std::optional<int64_t> evaluateDim(Dim dim, const SymbolValues &symbols) {
  if (dim.isConstant())
    return dim.getConstant();
  if (dim.getKind() == DimKind::Symbol)
    return symbolValue(dim.getSymbol(), symbols);
  SmallVector<Dim, 3> operands = dim.getOperands();
  // The branch that is not taken may divide by zero.
  if (dim.getKind() == DimKind::Select) {
    std::optional<int64_t> condition = evaluateDim(operands[0], symbols);
    if (!condition)
      return std::nullopt;
    return evaluateDim(operands[*condition ? 1 : 2], symbols);
  }
  SmallVector<int64_t, 3> values;
  for (Dim operand : operands) {
    std::optional<int64_t> value = evaluateDim(operand, symbols);
    if (!value)
      return std::nullopt;
    values.push_back(*value);
  }
  switch (dim.getKind()) {
  case DimKind::Add:
  case DimKind::Mul:
    return evaluateNary(dim.getKind(), values);
  case DimKind::FloorDiv:
  case DimKind::CeilDiv:
  case DimKind::Mod:
    return evaluateDivision(dim.getKind(), values[0], values[1]);
  case DimKind::Min:
    return std::min(values[0], values[1]);
  case DimKind::Max:
    return std::max(values[0], values[1]);
  case DimKind::Eq:
    return values[0] == values[1];
  case DimKind::Lt:
    return values[0] < values[1];
  case DimKind::Le:
    return values[0] <= values[1];
  case DimKind::And:
    return values[0] && values[1];
  case DimKind::Or:
    return values[0] || values[1];
  case DimKind::Not:
    return !values[0];
  case DimKind::Const:
  case DimKind::Symbol:
  case DimKind::Select:
    break;
  }
  llvm_unreachable("handled above");
}

/// The static, unencoded type of a result.
static FailureOr<RankedTensorType> staticType(Operation *op, Type type,
                                              const SymbolValues &symbols) {
  SmallVector<int64_t> shape;
  for (Dim dim : getDims(type)) {
    std::optional<int64_t> size = evaluateDim(dim, symbols);
    if (!size || *size < 0)
      return op->emitOpError() << "the size " << dim.str() << " of a result has no value",
             failure();
    shape.push_back(*size);
  }
  return RankedTensorType::get(shape, cast<RankedTensorType>(type).getElementType());
}

//===----------------------------------------------------------------------===//
// Specs and decompositions
//===----------------------------------------------------------------------===//

namespace interpreter {

/// Keeps this thread's diagnostics from being reported.
static ScopedDiagnosticHandler quiet(MLIRContext *context) {
  uint64_t thread = llvm::get_threadid();
  return ScopedDiagnosticHandler(
      context, [thread](Diagnostic &) { return success(llvm::get_threadid() == thread); });
}

std::optional<Spec> specOf(Operation *op) {
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute)
    return std::nullopt;
  ScopedDiagnosticHandler handler = quiet(op->getContext());
  FailureOr<Spec> spec = compute.getSpec();
  if (failed(spec))
    return std::nullopt;
  return *spec;
}

std::unique_ptr<Decomposition> Decomposition::create(Operation *op) {
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute)
    return nullptr;
  auto result = std::make_unique<Decomposition>();
  // Not atBlockEnd(), which asks the block's region for the context.
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&result->block);
  ScopedDiagnosticHandler handler = quiet(op->getContext());
  if (failed(compute.decompose(builder, result->results)) ||
      result->results.size() != op->getNumResults())
    return nullptr;
  return result;
}

Decomposition::~Decomposition() {
  results.clear();
  while (!block.empty())
    block.back().erase();
}

} // namespace interpreter

using interpreter::Decomposition;

static bool isRunnable(const Spec &spec) {
  // Row and Attention have stages, which their decompositions say with loops.
  return spec.scatter || spec.sort || spec.recurrent || (spec.loops && spec.loops->body);
}

static FailureOr<std::vector<Array>> interpretDecomposition(Operation *op,
                                                            Decomposition &decomposition,
                                                            ArrayRef<const Array *> operands,
                                                            const SymbolValues &symbols) {
  llvm::DenseMap<Value, const Array *> values;
  std::vector<std::unique_ptr<Array>> owned;
  for (auto [value, array] : llvm::zip_equal(op->getOperands(), operands))
    values[value] = array;
  for (Operation &inner : decomposition.block) {
    if (isa<NoneOp>(inner)) {
      values[inner.getResult(0)] = nullptr;
      continue;
    }
    auto inputs =
        llvm::map_to_vector(inner.getOperands(), [&](Value value) { return values.lookup(value); });
    FailureOr<std::vector<Array>> results = interpret(&inner, inputs, symbols);
    if (failed(results))
      return failure();
    for (auto [value, array] : llvm::zip_equal(inner.getResults(), *results)) {
      owned.push_back(std::make_unique<Array>(std::move(array)));
      values[value] = owned.back().get();
    }
  }
  std::vector<Array> results;
  for (Value value : decomposition.results) {
    const Array *array = values.lookup(value);
    if (!array)
      return op->emitOpError("not interpretable: a result is left out"), failure();
    results.push_back(*array);
  }
  return results;
}

//===----------------------------------------------------------------------===//
// interpret
//===----------------------------------------------------------------------===//

static FailureOr<std::vector<Array>> interpretSpec(Operation *op, const Spec &spec,
                                                   ArrayRef<const Array *> operands,
                                                   const SymbolValues &symbols) {
  std::vector<Array> results;
  for (Type type : op->getResultTypes()) {
    FailureOr<RankedTensorType> resultType = staticType(op, type, symbols);
    if (failed(resultType))
      return failure();
    results.push_back(Array::zeros(*resultType));
  }
  LogicalResult done = success();
  if (spec.scatter)
    done = interpreter::runScatter(op, *spec.scatter, operands, symbols, results);
  else if (spec.sort)
    done = interpreter::runSort(op, *spec.sort, operands, results);
  else if (spec.recurrent)
    done = interpreter::runRecurrent(op, *spec.recurrent, operands, symbols, results);
  else
    done = interpreter::runLoops(op, *spec.loops, operands, symbols, results);
  if (failed(done))
    return failure();
  return results;
}

/// The source's elements in another shape, or its bytes as other elements.
static FailureOr<std::vector<Array>> interpretView(Operation *op, const Array &source,
                                                   const SymbolValues &symbols) {
  FailureOr<RankedTensorType> type = staticType(op, op->getResult(0).getType(), symbols);
  if (failed(type))
    return failure();
  int64_t bytes = type->getNumElements() * elementBytes(type->getElementType());
  if (bytes != static_cast<int64_t>(source.data.size()))
    return op->emitOpError() << "cannot view " << source.numElements() << " elements as "
                             << shortTypeName(*type),
           failure();
  return std::vector<Array>{Array{*type, source.data}};
}

FailureOr<std::vector<Array>> interpret(Operation *op, ArrayRef<const Array *> operands,
                                        const SymbolValues &symbols) {
  assert(operands.size() == op->getNumOperands() && "an array for each operand");
  if (isa<ConstantOp>(op))
    if (std::optional<Array> array = constantContents(op->getResult(0), WeightStore()))
      return std::vector<Array>{std::move(*array)};
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute)
    return op->emitOpError("not interpretable: not an operator"), failure();
  if (Value source = compute.getViewSource())
    for (auto [operand, array] : llvm::zip_equal(op->getOperands(), operands))
      if (operand == source && array)
        return interpretView(op, *array, symbols);

  std::optional<Spec> spec = interpreter::specOf(op);
  if (spec && isRunnable(*spec))
    return interpretSpec(op, *spec, operands, symbols);
  if (std::unique_ptr<Decomposition> decomposition = Decomposition::create(op))
    return interpretDecomposition(op, *decomposition, operands, symbols);
  if (spec)
    return op->emitOpError() << "not interpretable: computation of kind " << stringify(spec->kind),
           failure();
  // Once more, for its diagnostic.
  if (failed(compute.getSpec()))
    return failure();
  return op->emitOpError("not interpretable"), failure();
}

//===----------------------------------------------------------------------===//
// interpretCost
//===----------------------------------------------------------------------===//

static std::optional<int64_t> loopCost(const LoopSpec &spec) {
  int64_t cost = std::max<size_t>(spec.body->front().getOperations().size(), 1);
  // Reading an operand costs about as much as an operation.
  cost += spec.accesses.size();
  for (Dim extent : spec.extents) {
    std::optional<int64_t> size = extent.tryConstant();
    if (!size || llvm::MulOverflow(cost, *size, cost))
      return std::nullopt;
  }
  return cost;
}

/// A logarithm of comparisons for each element.
static std::optional<int64_t> sortCost(Operation *op, const SortSpec &spec) {
  std::optional<int64_t> length = spec.length.tryConstant();
  int64_t cost = length ? llvm::Log2_64_Ceil(*length + 1) + 1 : 0;
  for (Dim dim : getDims(op->getOperand(0))) {
    std::optional<int64_t> size = dim.tryConstant();
    if (!size || llvm::MulOverflow(cost, *size, cost))
      return std::nullopt;
  }
  return cost;
}

std::optional<int64_t> interpretCost(Operation *op) {
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute)
    return isa<ConstantOp, NoneOp>(op) ? std::optional<int64_t>(0) : std::nullopt;
  if (Value source = compute.getViewSource()) {
    auto type = cast<RankedTensorType>(source.getType());
    return type.hasStaticShape() ? std::optional<int64_t>(type.getNumElements()) : std::nullopt;
  }
  std::optional<Spec> spec = interpreter::specOf(op);
  if (spec && spec->recurrent) // models have no constant sequences
    return std::nullopt;
  if (spec && spec->sort)
    return sortCost(op, *spec->sort);
  if (spec && isRunnable(*spec))
    return loopCost(spec->scatter ? spec->scatter->updates : *spec->loops);
  std::unique_ptr<Decomposition> decomposition = Decomposition::create(op);
  if (!decomposition)
    return std::nullopt;
  int64_t sum = 0;
  for (Operation &inner : decomposition->block) {
    std::optional<int64_t> cost = interpretCost(&inner);
    if (!cost || llvm::AddOverflow(sum, *cost, sum))
      return std::nullopt;
  }
  return sum;
}

} // namespace dsc
