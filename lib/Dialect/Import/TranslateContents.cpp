//===- TranslateContents.cpp - integer tensors as sizes ---------------------===//
#include "TranslateTypes.h"
#include "Translator.h"

using namespace mlir;

namespace dsc::import {

/// More elements than this are not named: no shape has so many.
static constexpr int64_t kMaxNamed = 64;
/// Limits of what is computed while importing.
static constexpr int64_t kMaxContents = 1024;
static constexpr int64_t kMaxFoldCost = 1 << 20;
static constexpr int kMaxDepth = 12;

static bool isSmallIntegerTensor(Type type, int64_t limit) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && isa<IntegerType>(tensor.getElementType()) &&
         tensor.getNumElements() <= limit;
}

static bool areConstant(ArrayRef<Dim> sizes) {
  return llvm::all_of(sizes, [](Dim dim) { return dim.isConstant(); });
}

/// dsc.sizes has two element types only; constants have any.
static bool canBuildSizes(Type element, ArrayRef<Dim> sizes) {
  return areConstant(sizes) || element.isSignlessInteger(64) || element.isSignlessInteger(32);
}

const SizeContents *Translator::findContents(Value value) const {
  for (const Scope *at = scope; at; at = at->parent)
    if (auto it = at->contents.find(value); it != at->contents.end())
      return &it->second;
  return nullptr;
}

void Translator::setContents(Value value, SizeContents contents) {
  scope->contents[value] = std::move(contents);
}

std::optional<SizeContents> Translator::needContents(Value value, StringRef hint, int depth) {
  if (const SizeContents *known = findContents(value))
    return *known;
  if (!isSmallIntegerTensor(value.getType(), kMaxContents))
    return std::nullopt;
  std::optional<SizeContents> contents;
  if (std::optional<Array> array = foldConstant(value))
    contents = sizesFrom(*array);
  if (!contents)
    contents = deriveContents(value, hint, depth);
  if (!contents && isSmallIntegerTensor(value.getType(), kMaxNamed))
    contents = bindContents(value, hint);
  if (contents)
    setContents(value, *contents);
  return contents;
}

/// Computes contents from an op's operands, naming those that are not known. Only
/// where another operand is known as symbols: the result would else have lost them.
std::optional<SizeContents> Translator::deriveContents(Value value, StringRef hint, int depth) {
  auto op = value.getDefiningOp<ComputeOp>();
  if (!op || depth > kMaxDepth)
    return std::nullopt;
  auto isSymbolic = [&](Value operand) {
    const SizeContents *known = findContents(operand);
    return known && !areConstant(*known);
  };
  if (llvm::none_of(op->getOperands(), isSymbolic))
    return std::nullopt;
  SmallVector<std::optional<SizeContents>> contents;
  for (Value operand : op->getOperands()) {
    if (isAbsent(operand)) {
      contents.push_back(std::nullopt);
      continue;
    }
    if (!findContents(operand) && !isSmallIntegerTensor(operand.getType(), kMaxNamed))
      return std::nullopt;
    contents.push_back(needContents(operand, hint, depth + 1));
    if (!contents.back())
      return std::nullopt;
  }
  return evaluateSizes(op, cast<OpResult>(value).getResultNumber(), contents);
}

SizeContents Translator::bindContents(Value value, StringRef hint) {
  bool mayBeNegative = true;
  for (const Scope *at = scope; at; at = at->parent)
    mayBeNegative &= !at->nonNegative.contains(value);
  SizeContents contents;
  SmallVector<Attribute> names;
  int64_t count = cast<RankedTensorType>(value.getType()).getNumElements();
  for (int64_t i = 0; i < count; ++i) {
    std::string name = hint.str() + (count == 1 ? "" : "_" + std::to_string(i));
    Dim symbol = symbols.fresh(name, mayBeNegative);
    contents.push_back(symbol);
    names.push_back(builder.getStringAttr(symbol.getSymbol()));
  }
  BindOp::create(builder, value.getLoc(), value, builder.getArrayAttr(names));
  return contents;
}

void Translator::simplify(Operation *op, Values &results) {
  llvm::append_range(results, op->getResults());
  SmallVector<std::optional<SizeContents>> operands;
  bool anySmall = llvm::any_of(op->getResultTypes(),
                               [](Type type) { return isSmallIntegerTensor(type, kMaxContents); });
  if (!anySmall)
    return;
  for (Value operand : op->getOperands()) {
    const SizeContents *known = findContents(operand);
    operands.push_back(known ? std::optional(*known) : std::nullopt);
    if (!known && !isAbsent(operand))
      return;
  }
  SmallVector<std::optional<SizeContents>> contents;
  bool replaceAll = true;
  for (OpResult result : op->getResults()) {
    std::optional<SizeContents> &sizes = contents.emplace_back();
    if (isSmallIntegerTensor(result.getType(), kMaxContents))
      sizes = evaluateSizes(op, result.getResultNumber(), operands);
    replaceAll &= sizes && canBuildSizes(getElementType(result), *sizes);
  }
  if (!replaceAll) {
    for (auto [result, sizes] : llvm::zip(op->getResults(), contents))
      if (sizes)
        setContents(result, std::move(*sizes));
    return;
  }
  results.clear();
  for (auto [result, sizes] : llvm::zip(op->getResults(), contents))
    results.push_back(buildSizes(op->getLoc(), cast<RankedTensorType>(result.getType()), *sizes));
  op->erase();
}

Value Translator::buildSizes(Location loc, RankedTensorType type, ArrayRef<Dim> sizes) {
  Type element = type.getElementType();
  Value value;
  if (areConstant(sizes)) {
    Array array = Array::zeros(type);
    auto bytes = static_cast<size_t>(elementBytes(element));
    for (auto [i, dim] : llvm::enumerate(sizes)) {
      int64_t number = dim.getConstant();
      std::memcpy(array.data.data() + i * bytes, &number, bytes);
    }
    value = ConstantOp::create(builder, loc, denseElements(array));
  } else {
    value = SizesOp::create(builder, loc, type, DimsAttr::get(&context, sizes));
  }
  setContents(value, SizeContents(sizes));
  return value;
}

std::optional<Array> Translator::foldConstant(Value value, int depth) {
  if (!isa<RankedTensorType>(value.getType()))
    return std::nullopt;
  if (std::optional<Array> constant = constantContents(value, weights))
    return constant;
  auto op = value.getDefiningOp<ComputeOp>();
  if (!op || depth > kMaxDepth || op->getNumOperands() == 0)
    return std::nullopt;
  SmallVector<std::optional<Array>> arrays;
  SmallVector<const Array *> operands;
  for (Value operand : op->getOperands()) {
    arrays.push_back(foldConstant(operand, depth + 1));
    if (!arrays.back() && !isAbsent(operand))
      return std::nullopt;
  }
  for (const std::optional<Array> &array : arrays)
    operands.push_back(array ? &*array : nullptr);
  // Whatever does not fold is computed at run time; no reason to complain.
  ScopedDiagnosticHandler quiet(&context, [](Diagnostic &) { return success(); });
  std::optional<int64_t> cost = interpretCost(op);
  if (!cost || *cost > kMaxFoldCost)
    return std::nullopt;
  FailureOr<std::vector<Array>> folded = interpret(op, operands);
  if (failed(folded))
    return std::nullopt;
  return (*folded)[cast<OpResult>(value).getResultNumber()];
}

} // namespace dsc::import
