//===- KernelElements.cpp - scalar code for elements of a group's tensors -===//
//
// element() walks from a value to what it is computed from, so that a whole group
// becomes one piece of scalar code without intermediate tensors. Values are
// remembered within the loop body in which they were emitted.
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Common/KernelEmitter.h"

#include "dsc/Format/KernelABI.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace dsc {

KernelEmitter::MemoKey KernelEmitter::memoKey(Value tensor, ValueRange indices) const {
  MemoKey key{tensor.getAsOpaquePointer(), {}};
  for (Value i : indices)
    key.second.push_back(i.getAsOpaquePointer());
  return key;
}

Value KernelEmitter::element(Value tensor, ValueRange indices) {
  MemoKey key = memoKey(tensor, indices);
  for (Memo &memo : llvm::reverse(memos))
    if (auto it = memo.values.find(key); it != memo.values.end())
      return it->second;
  if (!group.contains(tensor))
    return memos.back().values[key] = loadElement(tensor, indices);

  Operation *op = tensor.getDefiningOp();
  if (Value source = cast<ComputeOp>(op).getViewSource())
    return memos.back().values[key] = viewElement(op, source, indices);
  SmallVector<Value> values = computeAt(op, indices);
  for (auto [result, value] : llvm::zip(op->getResults(), values))
    memos.back().values[memoKey(result, indices)] = value;
  return values[cast<OpResult>(tensor).getResultNumber()];
}

void KernelEmitter::provide(Value tensor, ValueRange indices, Value value) {
  memos.back().values[memoKey(tensor, indices)] = value;
}

/// Numbers that code can be simplified by (2, 0.5, 6) have few digits; others are
/// learned, and differ between kernels that are equal otherwise.
static bool isLearned(Attribute value) {
  auto number = dyn_cast<FloatAttr>(value);
  if (!number || !number.getType().isF32() || !number.getValue().isFinite())
    return false;
  constexpr unsigned fractionBits = 23, fewBits = 8;
  uint64_t bits = number.getValue().bitcastToAPInt().getZExtValue();
  return bits << (64 - fractionBits + fewBits) != 0;
}

/// The element of a constant whose elements are all the same. What was learned is
/// passed with the sizes, as its bits, so that one kernel serves several layers.
Value KernelEmitter::splatElement(DenseElementsAttr splat) {
  auto value = splat.getSplatValue<Attribute>();
  OpBuilder entry(entryEnd);
  if (isLearned(value)) {
    int64_t bits = cast<FloatAttr>(value).getValue().bitcastToAPInt().getZExtValue();
    Value word = loadSize(constant(bits));
    Value narrow = arith::IndexCastOp::create(entry, loc, entry.getI32Type(), word);
    return arith::BitcastOp::create(entry, loc, entry.getF32Type(), narrow);
  }
  // Unsigned elements are signless in scalar code.
  if (auto integer = dyn_cast<IntegerAttr>(value))
    value = IntegerAttr::get(storageType(splat.getElementType()), integer.getValue());
  return arith::ConstantOp::create(entry, loc, cast<TypedAttr>(value));
}

Value KernelEmitter::loadElement(Value tensor, ValueRange indices) {
  if (auto constant = tensor.getDefiningOp<ConstantOp>())
    if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue()); dense && dense.isSplat())
      return splatElement(dense);
  const BufferView &from = view(tensor);
  Value stored = loadAt(from, address(from, indices));
  stored.getDefiningOp()->setAttr(kReadAttr, builder.getUnitAttr());
  if (!getElementType(tensor).isInteger(1))
    return stored;
  Value zero = arith::ConstantOp::create(builder, loc, builder.getI8IntegerAttr(0));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, stored, zero);
}

/// An element of a reshaped tensor. Axes that correspond one to one, up to axes of
/// size 1, keep their indices; otherwise the row-major position is decomposed.
Value KernelEmitter::viewElement(Operation *op, Value source, ValueRange indices) {
  SmallVector<Dim> to = getDims(op->getResult(0)), from = getDims(source);
  SmallVector<Value> kept;
  SmallVector<Dim> keptDims;
  for (auto [dim, i] : llvm::zip(to, indices))
    if (!dim.isConstant(1)) {
      kept.push_back(i);
      keptDims.push_back(dim);
    }
  SmallVector<Dim> wanted;
  llvm::copy_if(from, std::back_inserter(wanted), [](Dim dim) { return !dim.isConstant(1); });
  if (wanted != keptDims) {
    Value linear = index(0);
    for (auto [dim, i] : llvm::zip(to, indices))
      linear = add(mul(linear, size(dim)), i);
    return element(source, delinearize(linear, from));
  }
  SmallVector<Value> mapped;
  auto next = kept.begin();
  for (Dim dim : from)
    mapped.push_back(dim.isConstant(1) ? index(0) : *next++);
  return element(source, mapped);
}

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// i1: an index is inside the tensor.
Value KernelEmitter::insideAxis(Value tensor, unsigned axis, Value index) {
  // Unsigned: negative indices are above any size.
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, index,
                               size(getDims(tensor)[axis]));
}

/// i1: all indices are inside the tensor.
Value KernelEmitter::inside(Value tensor, ValueRange indices) {
  Value result = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
  for (auto [axis, index] : llvm::enumerate(indices))
    result = arith::AndIOp::create(builder, loc, result, insideAxis(tensor, axis, index));
  return result;
}

/// Of `isInside ? shifted : other` the shifted index.
static Value shiftedWhereInside(Value index) {
  auto select = index.getDefiningOp<arith::SelectOp>();
  auto test = select ? select.getCondition().getDefiningOp<arith::CmpIOp>() : arith::CmpIOp();
  bool isInside = test && test.getPredicate() == arith::CmpIPredicate::ult &&
                  test.getLhs() == select.getTrueValue();
  return isInside ? select.getTrueValue() : index;
}

std::optional<ShiftedIndex> matchShiftedIndex(Value index) {
  index = shiftedWhereInside(index);
  auto sub = index.getDefiningOp<arith::SubIOp>();
  Dim begin = Dim::constant(index.getContext(), 0);
  if (sub) {
    if (auto symbolic = sub.getRhs().getDefiningOp<SizeOp>())
      begin = symbolic.getSize();
    else if (std::optional<int64_t> known = getConstantIntValue(sub.getRhs()))
      begin = Dim::constant(index.getContext(), *known);
    else
      return std::nullopt;
  }
  auto loop = dyn_cast<BlockArgument>(sub ? sub.getLhs() : index);
  return loop ? std::optional(ShiftedIndex{loop, begin, index}) : std::nullopt;
}

/// Whether a read is inside along an axis, from what is assumed about the index.
std::optional<bool> KernelEmitter::isKnownInside(AtOp op, unsigned axis,
                                                 const IRMapping &map) const {
  std::optional<ShiftedIndex> index = matchShiftedIndex(op.getIndices()[axis]);
  if (!index)
    return std::nullopt;
  auto found = pieces.find(map.lookupOrDefault(Value(index->loop)));
  if (found == pieces.end())
    return std::nullopt;
  const auto &[boundaries, number] = found->second;
  Value tensor = map.lookupOrDefault(op.getSource());
  const Dim *begin = llvm::find(boundaries, index->begin);
  const Dim *end = llvm::find(boundaries, index->begin + getDims(tensor)[axis]);
  if (begin == boundaries.end() || end == boundaries.end())
    return std::nullopt;
  return begin - boundaries.begin() <= number && number < end - boundaries.begin();
}

Value KernelEmitter::atElement(AtOp op, const IRMapping &map) {
  Value tensor = map.lookupOrDefault(op.getSource());
  auto indices =
      llvm::map_to_vector(op.getIndices(), [&](Value value) { return map.lookupOrDefault(value); });
  if (op.getMode() == AtMode::InBounds)
    return element(tensor, indices);
  Value otherwise = op.getOtherwise() ? map.lookupOrDefault(op.getOtherwise()) : Value();
  // Where there is an element, reading any is cheaper than a branch.
  bool isChecked = op.getMode() == AtMode::Checked;
  bool hasElements =
      llvm::all_of(getDims(tensor), [](Dim dim) { return dim.tryConstant().value_or(0) > 0; });
  Value fits;
  for (auto [axis, index] : llvm::enumerate(indices)) {
    std::optional<bool> known = isKnownInside(op, axis, map);
    if (known && !*known && otherwise)
      return otherwise;
    if (known && *known) {
      index = map.lookupOrDefault(matchShiftedIndex(op.getIndices()[axis])->value);
      continue;
    }
    Value here = insideAxis(tensor, axis, index);
    fits = fits ? arith::AndIOp::create(builder, loc, fits, here).getResult() : here;
    if (!isChecked)
      continue;
    // Axis by axis, so that what does not change leaves the inner loops.
    Value yes = arith::ConstantOp::create(builder, loc, builder.getBoolAttr(true));
    recordError(arith::XOrIOp::create(builder, loc, here, yes), DSC_KERNEL_INDEX_OUT_OF_RANGE);
    if (hasElements)
      index = arith::SelectOp::create(builder, loc, here, index, this->index(0));
  }
  if (!fits || (isChecked && hasElements))
    return element(tensor, indices);
  if (isChecked)
    otherwise = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(op.getType()));
  return branch(
             fits, op.getType(), [&] { return SmallVector<Value>{element(tensor, indices)}; },
             [&] { return SmallVector<Value>{otherwise}; })
      .front();
}

void KernelEmitter::tabulate(Value value, BlockArgument loop, const BufferView &table) {
  tables[value] = {loop, table};
}

SmallVector<Value> KernelEmitter::inlineRegion(Region &region, ValueRange arguments) {
  IRMapping map;
  Block &block = region.front();
  map.map(block.getArguments(), arguments);
  auto mapped = [&](ValueRange values) {
    return llvm::map_to_vector(values, [&](Value value) { return map.lookupOrDefault(value); });
  };
  for (Operation &op : block.without_terminator()) {
    auto table = op.getNumResults() == 1 ? tables.find(op.getResult(0)) : tables.end();
    if (table != tables.end()) {
      const auto &[loop, view] = table->second;
      Value value = loadAt(view, address(view, map.lookup(Value(loop))));
      if (op.getResult(0).getType().isIndex())
        value = arith::IndexCastOp::create(builder, loc, builder.getIndexType(), value);
      map.map(op.getResult(0), value);
    } else if (auto at = dyn_cast<AtOp>(op)) {
      map.map(at.getResult(), atElement(at, map));
    } else if (auto sizeOp = dyn_cast<SizeOp>(op)) {
      map.map(sizeOp.getResult(), size(sizeOp.getSize()));
    } else {
      builder.clone(op, map);
    }
  }
  return mapped(block.getTerminator()->getOperands());
}

SmallVector<Value> KernelEmitter::accessIndices(Operation *op, const LoopSpec &spec,
                                                const Access &access, ValueRange point) {
  SmallVector<Dim> dims = getDims(op->getOperand(access.operand));
  SmallVector<Value> indices;
  for (auto [axis, expr] : llvm::enumerate(access.map->getResults())) {
    Value i = apply(expr, point, spec.symbols);
    if (access.mayBroadcast[axis] && !assumesNoBroadcast) {
      Value isOne =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, size(dims[axis]), index(1));
      i = arith::SelectOp::create(builder, loc, isOne, index(0), i);
    }
    indices.push_back(i);
  }
  return indices;
}

void KernelEmitter::readAccesses(Operation *op, const LoopSpec &spec, ArrayRef<Access> accesses,
                                 ValueRange point, SmallVectorImpl<Value> &arguments) {
  for (const Access &access : accesses) {
    Value tensor = op->getOperand(access.operand);
    if (!access.map) {
      arguments.push_back(tensor);
      continue;
    }
    arguments.push_back(element(tensor, accessIndices(op, spec, access, point)));
  }
}

SmallVector<Value> KernelEmitter::bodyArguments(Operation *op, const LoopSpec &spec,
                                                ValueRange point) {
  SmallVector<Value> arguments(point);
  readAccesses(op, spec, spec.accesses, point, arguments);
  return arguments;
}

SmallVector<Value> KernelEmitter::finishPoint(Operation *op, const LoopSpec &spec, ValueRange point,
                                              ValueRange accumulators) {
  if (!spec.finish)
    return SmallVector<Value>(accumulators);
  SmallVector<Value> arguments;
  for (auto [i, iterator] : llvm::zip(point, spec.iterators))
    if (iterator != Iterator::Reduction)
      arguments.push_back(i);
  readAccesses(op, spec, spec.finishAccesses, point, arguments);
  llvm::append_range(arguments, accumulators);
  return inlineRegion(*spec.finish, arguments);
}

SmallVector<Value> KernelEmitter::computeAt(Operation *op, ValueRange indices) {
  const Spec *spec = group.getSpec(op);
  assert(spec && spec->loops && "templates match before they emit");
  const LoopSpec &loops = *spec->loops;
  if (loops.hasReduction())
    return reduceAt(op, loops, indices);
  return inlineRegion(*loops.body, bodyArguments(op, loops, indices));
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

/// Lets the vectoriser split a floating-point reduction into lanes: the order of
/// additions is then fixed by the code, not by the number of threads. Which of +0 and -0
/// is the largest is not worth an instruction.
static void allowReassociation(ValueRange carried) {
  for (Value accumulator : carried)
    for (Operation *user : accumulator.getUsers())
      if (isa<arith::AddFOp, arith::MulFOp>(user))
        user->setAttr("fastmath", arith::FastMathFlagsAttr::get(
                                      user->getContext(), arith::FastMathFlags::reassoc |
                                                              arith::FastMathFlags::contract));
      else if (isa<arith::MaximumFOp, arith::MinimumFOp>(user))
        user->setAttr("fastmath",
                      arith::FastMathFlagsAttr::get(user->getContext(), arith::FastMathFlags::nsz));
}

SmallVector<Value> KernelEmitter::reductionStep(Operation *op, const LoopSpec &spec,
                                                ValueRange point, ValueRange carried) {
  // Which reads may fall outside, and then contribute nothing.
  Value fits;
  for (const Access &access : spec.accesses) {
    if (access.bounds != Bounds::Skip)
      continue;
    SmallVector<Value> indices;
    for (AffineExpr expr : access.map->getResults())
      indices.push_back(apply(expr, point, spec.symbols));
    Value here = inside(op->getOperand(access.operand), indices);
    fits = fits ? arith::AndIOp::create(builder, loc, fits, here).getResult() : here;
  }
  auto step = [&]() -> SmallVector<Value> {
    SmallVector<Value> arguments = bodyArguments(op, spec, point);
    llvm::append_range(arguments, carried);
    return inlineRegion(*spec.body, arguments);
  };
  if (!fits) {
    SmallVector<Value> next = step();
    allowReassociation(carried);
    return next;
  }
  return branch(fits, carried.getTypes(), step, [&] { return SmallVector<Value>(carried); });
}

SmallVector<Value> KernelEmitter::reduceAt(Operation *op, const LoopSpec &spec,
                                           ValueRange indices) {
  SmallVector<Value> initial;
  for (TypedAttr init : spec.init) {
    OpBuilder entry(entryEnd);
    initial.push_back(arith::ConstantOp::create(entry, loc, init));
  }
  // Parallel loops come from the result's indices, reductions become loops.
  SmallVector<Value> point(spec.numLoops());
  SmallVector<unsigned> reductions;
  auto nextIndex = indices.begin();
  for (auto [i, iterator] : llvm::enumerate(spec.iterators)) {
    if (iterator == Iterator::Reduction)
      reductions.push_back(i);
    else
      point[i] = *nextIndex++;
  }
  std::function<SmallVector<Value>(size_t, ValueRange)> nest =
      [&](size_t depth, ValueRange carried) -> SmallVector<Value> {
    if (depth == reductions.size())
      return reductionStep(op, spec, point, carried);
    unsigned position = reductions[depth];
    return loop(index(0), size(spec.extents[position]), index(1), carried,
                [&](Value i, ValueRange inner) {
                  point[position] = i;
                  return nest(depth + 1, inner);
                });
  };
  SmallVector<Value> accumulators = nest(0, initial);
  // What finish reads does not depend on the reduction loops.
  for (unsigned position : reductions)
    point[position] = index(0);
  return finishPoint(op, spec, point, accumulators);
}

} // namespace dsc
