//===- ProgramState.cpp - expressions, values and weights of a program ----===//
#include "BlockBuilder.h"

#include "dsc/Dialect/IR/SparseEncoding.h"

using namespace mlir;

namespace dsc {

using format::Expr;
using format::ExprId;
using format::ValueId;

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

uint32_t ProgramState::symbol(StringRef name) {
  auto [it, isNew] = symbols.try_emplace(name, program().symbols.size());
  // The mark of a symbol that may be negative is for the compiler only.
  if (isNew)
    program().symbols.push_back(name.substr(0, name.size() - name.ends_with("~")).str());
  return it->second;
}

static Expr::Op exprOp(DimKind kind) {
  switch (kind) {
  case DimKind::Const:
    return Expr::Const;
  case DimKind::Symbol:
    return Expr::Symbol;
  case DimKind::Add:
    return Expr::Add;
  case DimKind::Mul:
    return Expr::Mul;
  case DimKind::FloorDiv:
    return Expr::FloorDiv;
  case DimKind::CeilDiv:
    return Expr::CeilDiv;
  case DimKind::Mod:
    return Expr::Mod;
  case DimKind::Min:
    return Expr::Min;
  case DimKind::Max:
    return Expr::Max;
  case DimKind::Eq:
    return Expr::Eq;
  case DimKind::Lt:
    return Expr::Lt;
  case DimKind::Le:
    return Expr::Le;
  case DimKind::And:
    return Expr::And;
  case DimKind::Or:
    return Expr::Or;
  case DimKind::Not:
    return Expr::Not;
  case DimKind::Select:
    return Expr::Select;
  }
  llvm_unreachable("covered");
}

ExprId ProgramState::makeExpr(Dim dim) {
  Expr expr;
  expr.op = exprOp(dim.getKind());
  if (dim.isConstant()) {
    expr.imm = dim.getConstant();
  } else if (dim.getKind() == DimKind::Symbol) {
    expr.imm = symbol(dim.getSymbol());
  } else {
    SmallVector<ExprId> operands;
    for (Dim operand : dim.getOperands())
      operands.push_back(this->expr(operand));
    // Sums and products of many become chains of two.
    expr.a = operands[0];
    for (size_t i = 1; i + 1 < operands.size() && expr.op != Expr::Select; ++i) {
      expr.b = operands[i];
      program().exprs.push_back(expr);
      expr.a = program().exprs.size() - 1;
    }
    if (expr.op == Expr::Select) {
      expr.b = operands[1];
      expr.c = operands[2];
    } else if (operands.size() > 1) {
      expr.b = operands.back();
    }
  }
  program().exprs.push_back(expr);
  return program().exprs.size() - 1;
}

ExprId ProgramState::expr(Dim dim) {
  if (auto it = exprs.find(dim.getAttr()); it != exprs.end())
    return it->second;
  ExprId made = makeExpr(dim);
  exprs[dim.getAttr()] = made;
  return made;
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

ValueId ProgramState::declare(Type type, format::Value::Kind kind) {
  Type element = cast<RankedTensorType>(type).getElementType();
  SmallVector<Dim> dims = dsc::getDims(type);
  format::Value value;
  value.kind = kind;
  value.dtype = dtypeOf(element);
  for (Dim dim : dims)
    value.dims.push_back(expr(dim));
  Dim bytes = product(type.getContext(), dims) * static_cast<int64_t>(byteSize(value.dtype));
  value.bytes = expr(bytes);
  program().values.push_back(std::move(value));
  return program().values.size() - 1;
}

ValueId ProgramState::declare(Value tensor, format::Value::Kind kind) {
  return ids[tensor] = declare(tensor.getType(), kind);
}

ValueId ProgramState::declareWithin(Value tensor, Value whole, Dim offset) {
  ValueId outer = id(whole), part = declare(tensor, format::Value::Alias);
  const format::Value &around = program().values[outer];
  format::Value &value = program().values[part];
  value.root = root(outer);
  Dim bytes = offset * static_cast<int64_t>(byteSize(value.dtype));
  bool isNested = around.kind == format::Value::Alias;
  if (isNested && offset.isConstant(0)) {
    value.byteOffset = around.byteOffset;
    return part;
  }
  ExprId start = expr(bytes);
  if (isNested) {
    program().exprs.push_back({format::Expr::Add, around.byteOffset, start, 0, 0});
    start = program().exprs.size() - 1;
  }
  value.byteOffset = start;
  return part;
}

ValueId ProgramState::root(ValueId id) const {
  const format::Value &value = built.program.values[id];
  return value.kind == format::Value::Alias ? value.root : id;
}

ValueId ProgramState::id(Value tensor) {
  if (auto it = ids.find(tensor); it != ids.end())
    return it->second;
  Operation *op = tensor.getDefiningOp();
  assert((isa_and_nonnull<ConstantOp, WeightOp, RepackOp>(op)));
  return placeWeight(op);
}

Attribute recipeOf(Operation *op, function_ref<Attribute(WeightAttr)> canonical) {
  if (auto constant = dyn_cast<ConstantOp>(op))
    return constant.getValue();
  if (auto repack = dyn_cast<RepackOp>(op)) {
    SmallVector<Attribute> facts = {recipeOf(repack.getSource().getDefiningOp(), canonical),
                                    TypeAttr::get(repack.getSource().getType()),
                                    repack.getMapAttr(), TypeAttr::get(repack.getType())};
    if (StorageAttr storage = getStorage(repack))
      facts.push_back(storage);
    return ArrayAttr::get(op->getContext(), facts);
  }
  return canonical(cast<WeightOp>(op).getSource());
}

ValueId ProgramState::placeWeight(Operation *op) {
  ValueId id = declare(op->getResult(0), format::Value::Weight);
  auto [it, isNew] = weightOffsets.try_emplace(
      recipeOf(op, [](WeightAttr reference) { return reference; }), built.weightBytes);
  if (isNew) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    uint64_t bytes = type.getNumElements() * elementBytes(type.getElementType());
    built.weights.push_back({op, built.weightBytes, bytes});
    built.weightBytes += llvm::alignTo(bytes, 64);
  }
  program().values[id].weightOffset = it->second;
  return id;
}

/// Names from the location that the importer gave.
static void collectNames(Location loc, SmallVectorImpl<StringRef> &names) {
  if (auto name = dyn_cast<NameLoc>(loc)) {
    if (!llvm::is_contained(names, name.getName().strref()))
      names.push_back(name.getName().strref());
  } else if (auto fused = dyn_cast<FusedLoc>(loc)) {
    for (Location part : fused.getLocations())
      collectNames(part, names);
  }
}

std::string nodesOf(Location loc) {
  SmallVector<StringRef> names;
  collectNames(loc, names);
  return llvm::join(names, ", ");
}

uint32_t ProgramState::origin(Location loc) {
  std::string text = nodesOf(loc);
  if (text.empty())
    return format::kNone;
  auto [it, isNew] = origins.try_emplace(text, program().origins.size());
  if (isNew)
    program().origins.push_back(text);
  return it->second;
}

} // namespace dsc
