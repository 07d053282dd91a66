//===- Epilogue.cpp - from the sums of an anchor to a group's results -----===//
#include "dsc/Codegen/Common/Epilogue.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// What is asked of a group
//===----------------------------------------------------------------------===//

/// Whether the access moves with an axis from `axis` on.
static bool usesAxes(const Access &access, unsigned axis, unsigned rank) {
  for (AffineExpr expr : access.map->getResults())
    for (unsigned i = axis; i < rank; ++i)
      if (expr.isFunctionOfDim(i))
        return true;
  return false;
}

/// Whether the access reads axes from `axis` on as they are, or not at all.
static bool isFlatAccess(Operation *op, const Access &access, unsigned axis, ArrayRef<Dim> dims) {
  if (!access.map)
    return false;
  if (!usesAxes(access, axis, dims.size()))
    return true;
  SmallVector<Dim> operand = getDims(op->getOperand(access.operand));
  unsigned count = dims.size() - axis;
  if (operand.size() < count || ArrayRef(operand).take_back(count) != dims.take_back(count))
    return false;
  for (unsigned i = 0; i < count; ++i) {
    unsigned at = operand.size() - count + i;
    auto dim = dyn_cast<AffineDimExpr>(access.map->getResult(at));
    if (!dim || dim.getPosition() != axis + i || access.mayBroadcast[at])
      return false;
  }
  for (AffineExpr expr : access.map->getResults().drop_back(count))
    for (unsigned i = axis; i < dims.size(); ++i)
      if (expr.isFunctionOfDim(i))
        return false;
  return true;
}

bool isFlatEpilogue(const GroupInfo &group, Operation *anchor, unsigned axis) {
  const LoopSpec &loops = *group.getSpec(anchor)->loops;
  SmallVector<Dim> dims = getDims(anchor->getResult(0));
  auto ignoresIndices = [&](Region &region) {
    for (unsigned i = axis; i < dims.size(); ++i)
      if (!region.front().getArgument(i).use_empty())
        return false;
    return true;
  };
  auto areFlat = [&](Operation *op, ArrayRef<Access> accesses) {
    return llvm::all_of(accesses,
                        [&](const Access &access) { return isFlatAccess(op, access, axis, dims); });
  };
  if (loops.finish && (!ignoresIndices(*loops.finish) || !areFlat(anchor, loops.finishAccesses)))
    return false;
  for (Operation &op : group.getBody().without_terminator()) {
    if (&op == anchor)
      continue;
    const LoopSpec &map = *group.getSpec(&op)->loops;
    if (map.extents != dims || !ignoresIndices(*map.body) || !areFlat(&op, map.accesses))
      return false;
  }
  return true;
}

/// Whether elements have vectors of as many lanes as those of float32.
static bool isPlain(Value tensor) {
  Type type = getElementType(tensor);
  return type.isF32() || type.isF16() || type.isBF16() || type.isInteger(8) || type.isInteger(16) ||
         type.isInteger(32);
}

/// Whether the scalar code exists for vectors too, and is short: it is repeated for
/// each vector of a register tile.
static bool isVectorizable(Region &region, unsigned numIndices) {
  constexpr size_t mostOperations = 16;
  Block &block = region.front();
  auto isUsed = [](BlockArgument argument) { return !argument.use_empty(); };
  if (llvm::any_of(block.getArguments().take_front(numIndices), isUsed))
    return false;
  auto operations = block.without_terminator();
  return llvm::range_size(operations) <= mostOperations &&
         llvm::all_of(operations, [](Operation &op) {
           return op.hasTrait<OpTrait::ConstantLike>() || op.hasTrait<OpTrait::Vectorizable>();
         });
}

bool hasVectorEpilogue(const GroupInfo &group, Operation *anchor, unsigned axis) {
  if (!isFlatEpilogue(group, anchor, axis))
    return false;
  const LoopSpec &loops = *group.getSpec(anchor)->loops;
  unsigned rank = getRank(anchor->getResult(0));
  auto areVectors = [&](Operation *op, ArrayRef<Access> accesses) {
    return llvm::all_of(accesses, [&](const Access &access) {
      if (!usesAxes(access, axis, rank))
        return true;
      Value operand = op->getOperand(access.operand);
      return isPlain(operand) && (!group.contains(operand) || access.map->isIdentity());
    });
  };
  if (loops.finish &&
      (!isVectorizable(*loops.finish, rank) || !areVectors(anchor, loops.finishAccesses)))
    return false;
  for (Operation &op : group.getBody().without_terminator()) {
    if (&op == anchor)
      continue;
    const LoopSpec &map = *group.getSpec(&op)->loops;
    if (!isVectorizable(*map.body, rank) || !areVectors(&op, map.accesses))
      return false;
  }
  return llvm::all_of(group.getYielded(), isPlain);
}

bool isLongEpilogue(const GroupInfo &group, Operation *anchor) {
  // Becomes a polynomial of about ten steps; others are an instruction or two.
  auto isLong = [](Operation &op) {
    return isa<math::ExpOp, math::ExpM1Op, math::ErfOp, math::TanhOp, math::LogOp, math::Log1pOp,
               math::PowFOp, math::SinOp, math::CosOp>(op);
  };
  return llvm::any_of(group.getBody().without_terminator(), [&](Operation &op) {
    Region *body = group.getSpec(&op)->loops->body.get();
    return &op != anchor && body && llvm::any_of(body->front(), isLong);
  });
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

Epilogue::Epilogue(KernelEmitter &kernel, Operation *anchor)
    : kernel(kernel), anchor(anchor), loops(*kernel.group.getSpec(anchor)->loops) {}

/// A point of the anchor's loops; no result depends on the loops that are summed over.
SmallVector<Value> Epilogue::loopPoint(ValueRange indices) const {
  SmallVector<Value> point;
  auto it = indices.begin();
  for (Iterator iterator : loops.iterators)
    point.push_back(iterator == Iterator::Reduction ? kernel.index(0) : *it++);
  return point;
}

void Epilogue::emitPoint(ValueRange indices, Value accumulator) const {
  SmallVector<Value> finished = kernel.finishPoint(anchor, loops, loopPoint(indices), accumulator);
  kernel.provide(anchor->getResult(0), indices, finished.front());
  SmallVector<Value> values;
  for (Value yielded : kernel.group.getYielded())
    values.push_back(kernel.element(yielded, indices));
  for (auto [i, value] : llvm::enumerate(values))
    kernel.store(i, indices, value);
}

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

/// Vectors of a group's tensors at one place.
class VectorPoint {
public:
  VectorPoint(const Epilogue &epilogue, VectorCode &code, unsigned axis, ValueRange indices,
              Value accumulators, Value mask)
      : epilogue(epilogue), kernel(epilogue.kernel), code(code), axis(axis), indices(indices),
        width(cast<VectorType>(accumulators.getType()).getNumElements()), mask(mask) {
    finish(accumulators);
  }

  Value valueOf(Value tensor);

private:
  void finish(Value accumulators);
  SmallVector<Value> read(Operation *op, const LoopSpec &spec, ArrayRef<Access> accesses,
                          ValueRange point);
  SmallVector<Value> inlineRegion(Region &region, ValueRange elements);

  const Epilogue &epilogue;
  KernelEmitter &kernel;
  VectorCode &code;
  unsigned axis;
  ValueRange indices;
  int64_t width;
  Value mask;
  llvm::DenseMap<Value, Value> known;
};

/// The elements that lie behind each other, or the one that all lanes share.
SmallVector<Value> VectorPoint::read(Operation *op, const LoopSpec &spec, ArrayRef<Access> accesses,
                                     ValueRange point) {
  SmallVector<Value> elements;
  for (const Access &access : accesses) {
    Value tensor = op->getOperand(access.operand);
    SmallVector<Value> at = kernel.accessIndices(op, spec, access, point);
    if (!usesAxes(access, axis, indices.size())) {
      elements.push_back(code.splat(kernel.element(tensor, at), width));
    } else if (kernel.group.contains(tensor)) {
      elements.push_back(valueOf(tensor));
    } else {
      const BufferView &view = kernel.view(tensor);
      Value address = kernel.address(view, at);
      elements.push_back(mask ? code.loadStored(view, address, width, mask)
                              : code.loadStored(view, address, width));
    }
  }
  return elements;
}

/// Whether a vector of floats holds integers.
static bool isIntegral(Value value) {
  if (auto splat = value.getDefiningOp<vector::BroadcastOp>())
    return isIntegral(splat.getSource());
  FloatAttr number;
  if (matchPattern(value, m_Constant(&number)))
    return number.getValue().isInteger();
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<math::RoundEvenOp, arith::SIToFPOp, arith::UIToFPOp>(op))
    return true;
  if (auto select = dyn_cast_or_null<arith::SelectOp>(op))
    return isIntegral(select.getTrueValue()) && isIntegral(select.getFalseValue());
  return isa_and_nonnull<arith::AddFOp, arith::SubFOp, arith::MaxNumFOp, arith::MinNumFOp>(op) &&
         isIntegral(op->getOperand(0)) && isIntegral(op->getOperand(1));
}

/// The float32 vector from which the 8-bit integers were converted, if it held integers;
/// null for others.
static Value beforeConversion(Value integers, bool isUnsigned) {
  if (isUnsigned) {
    auto extended = integers.getDefiningOp<arith::ExtUIOp>();
    auto converted = (extended ? extended.getIn() : integers).getDefiningOp<arith::FPToUIOp>();
    return converted && isIntegral(converted.getIn()) ? converted.getIn() : Value();
  }
  auto extended = integers.getDefiningOp<arith::ExtSIOp>();
  auto converted = (extended ? extended.getIn() : integers).getDefiningOp<arith::FPToSIOp>();
  return converted && isIntegral(converted.getIn()) ? converted.getIn() : Value();
}

/// Whether the integers are those of 8 bits.
static bool isSmall(Value integers) {
  if (auto splat = integers.getDefiningOp<vector::BroadcastOp>())
    return isSmall(splat.getSource());
  APInt number;
  if (matchPattern(integers, m_ConstantInt(&number)))
    return number.abs().ult(256);
  Operation *op = integers.getDefiningOp();
  return isa_and_nonnull<arith::ExtSIOp, arith::ExtUIOp>(op) &&
         getElementTypeOrSelf(op->getOperand(0)).isInteger(8);
}

/// The floats that such integers are, without a way through integers; null for others. They
/// may also be less a zero point: all are small, so that float32 is exact.
static Value asFloats(OpBuilder &b, Location loc, Value integers, bool isUnsigned) {
  auto floats = [&](Value value) -> Value {
    Value found = beforeConversion(value, /*isUnsigned=*/true);
    if (!found && !(found = beforeConversion(value, /*isUnsigned=*/false)))
      return {};
    // Integers have no negative zero.
    Type type = found.getType();
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
    return arith::AddFOp::create(b, loc, found, zero);
  };
  if (Value found = beforeConversion(integers, isUnsigned))
    return floats(integers);
  auto sub = integers.getDefiningOp<arith::SubIOp>();
  if (!sub || isUnsigned)
    return {};
  if (!isSmall(sub.getRhs()))
    return {};
  Value left = floats(sub.getLhs());
  if (!left)
    return {};
  Value right = arith::SIToFPOp::create(b, loc, left.getType(), sub.getRhs());
  return arith::SubFOp::create(b, loc, left, right);
}

/// What the region yields, each of its operations on vectors.
SmallVector<Value> VectorPoint::inlineRegion(Region &region, ValueRange elements) {
  Block &block = region.front();
  IRMapping map;
  map.map(block.getArguments().take_back(elements.size()), elements);
  for (Operation &op : block.without_terminator()) {
    if (isa<arith::SIToFPOp, arith::UIToFPOp>(op) && op.getResult(0).getType().isF32())
      if (Value floats = asFloats(kernel.builder, kernel.loc, map.lookup(op.getOperand(0)),
                                  isa<arith::UIToFPOp>(op))) {
        map.map(op.getResult(0), floats);
        continue;
      }
    Operation *clone = kernel.builder.clone(op, map);
    for (auto [scalar, result] : llvm::zip(op.getResults(), clone->getResults())) {
      if (op.hasTrait<OpTrait::ConstantLike>()) {
        map.map(scalar, code.splat(result, width));
        continue;
      }
      result.setType(VectorType::get(width, result.getType()));
    }
  }
  return llvm::map_to_vector(block.getTerminator()->getOperands(),
                             [&](Value value) { return map.lookup(value); });
}

void VectorPoint::finish(Value accumulators) {
  const LoopSpec &loops = epilogue.loops;
  SmallVector<Value> values = {accumulators};
  if (loops.finish) {
    SmallVector<Value> elements =
        read(epilogue.anchor, loops, loops.finishAccesses, epilogue.loopPoint(indices));
    elements.push_back(accumulators);
    values = inlineRegion(*loops.finish, elements);
  }
  known[epilogue.anchor->getResult(0)] = values.front();
}

Value VectorPoint::valueOf(Value tensor) {
  if (Value value = known.lookup(tensor))
    return value;
  Operation *op = tensor.getDefiningOp();
  const LoopSpec &map = *kernel.group.getSpec(op)->loops;
  SmallVector<Value> values = inlineRegion(*map.body, read(op, map, map.accesses, indices));
  for (auto [result, value] : llvm::zip(op->getResults(), values))
    known[result] = value;
  return known.lookup(tensor);
}

void Epilogue::emitVector(VectorCode &code, unsigned axis, ValueRange indices, Value accumulators,
                          Value mask) const {
  VectorPoint point(*this, code, axis, indices, accumulators, mask);
  SmallVector<Value> values = llvm::map_to_vector(
      kernel.group.getYielded(), [&](Value yielded) { return point.valueOf(yielded); });
  for (auto [i, value] : llvm::enumerate(values)) {
    const BufferView &view = kernel.resultView(i);
    Value address = kernel.address(view, indices);
    if (mask)
      code.store(view, address, value, mask);
    else
      code.store(view, address, value);
  }
}

} // namespace dsc
