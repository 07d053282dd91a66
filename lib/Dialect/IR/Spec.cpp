//===- Spec.cpp - building structured computations ------------------------===//
#include "dsc/Dialect/IR/Spec.h"
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

StringRef stringify(SpecKind kind) {
  switch (kind) {
  case SpecKind::Map:
    return "map";
  case SpecKind::Move:
    return "move";
  case SpecKind::Reduce:
    return "reduce";
  case SpecKind::Contract:
    return "contract";
  case SpecKind::Window:
    return "window";
  case SpecKind::Scan:
    return "scan";
  case SpecKind::Scatter:
    return "scatter";
  case SpecKind::Sort:
    return "sort";
  case SpecKind::Row:
    return "row";
  case SpecKind::Attention:
    return "attention";
  case SpecKind::Recurrent:
    return "recurrent";
  case SpecKind::Call:
    return "call";
  }
  llvm_unreachable("covered");
}

bool LoopSpec::hasReduction() const { return llvm::is_contained(iterators, Iterator::Reduction); }

FailureOr<Spec> specNotDefined(Operation *op) {
  return op->emitOpError("has no structured computation"), failure();
}

//===----------------------------------------------------------------------===//
// LoopSpecBuilder
//===----------------------------------------------------------------------===//

LoopSpecBuilder::LoopSpecBuilder(Operation *op, SpecKind kind)
    : op(op), kind(kind), spec(std::make_unique<LoopSpec>()) {}

AffineExpr LoopSpecBuilder::addLoop(Dim extent, Iterator iterator) {
  assert(spec->accesses.empty() && "all loops come before the first read");
  spec->extents.push_back(extent);
  spec->iterators.push_back(iterator);
  return getAffineDimExpr(spec->extents.size() - 1, op->getContext());
}

SmallVector<AffineExpr> LoopSpecBuilder::parallel(ArrayRef<Dim> shape) {
  return llvm::map_to_vector(shape, [&](Dim extent) { return parallel(extent); });
}

AffineExpr LoopSpecBuilder::size(Dim dim) {
  if (dim.isConstant())
    return number(dim.getConstant());
  auto *it = llvm::find(spec->symbols, dim);
  size_t position = it - spec->symbols.begin();
  if (it == spec->symbols.end())
    spec->symbols.push_back(dim);
  return getAffineSymbolExpr(position, op->getContext());
}

AffineExpr LoopSpecBuilder::number(int64_t value) {
  return getAffineConstantExpr(value, op->getContext());
}

Access LoopSpecBuilder::makeAccess(unsigned operand, ArrayRef<AffineExpr> indices) {
  assert(static_cast<int64_t>(indices.size()) == getRank(op->getOperand(operand)) &&
         "one index for each axis");
  Access access;
  access.operand = operand;
  // Symbols may still be added by later reads; take() widens the maps.
  access.map = AffineMap::get(spec->numLoops(), spec->symbols.size(), indices, op->getContext());
  access.mayBroadcast.assign(indices.size(), false);
  return access;
}

Access LoopSpecBuilder::makeBroadcast(unsigned operand, ArrayRef<AffineExpr> loops) {
  SmallVector<Dim> dims = getDims(op->getOperand(operand));
  size_t offset = loops.size() - dims.size();
  SmallVector<AffineExpr> indices;
  SmallVector<bool> mayBroadcast;
  for (auto [axis, dim] : llvm::enumerate(dims)) {
    AffineExpr loop = loops[offset + axis];
    unsigned position = cast<AffineDimExpr>(loop).getPosition();
    Dim extent = spec->extents[position];
    bool isOne = dim.isConstant(1) && !extent.isConstant(1);
    indices.push_back(isOne ? number(0) : loop);
    // A constant above 1 is the loop's length, or a guard fails; so is the length of
    // an axis that is summed over.
    bool isParallel = spec->iterators[position] == Iterator::Parallel;
    mayBroadcast.push_back(isParallel && !isOne && dim != extent && !dim.isConstant());
  }
  Access access = makeAccess(operand, indices);
  access.mayBroadcast = mayBroadcast;
  return access;
}

void LoopSpecBuilder::read(unsigned operand, ArrayRef<AffineExpr> indices, Bounds bounds) {
  spec->accesses.push_back(makeAccess(operand, indices));
  spec->accesses.back().bounds = bounds;
}

void LoopSpecBuilder::readBroadcast(unsigned operand, ArrayRef<AffineExpr> loops) {
  spec->accesses.push_back(makeBroadcast(operand, loops));
}

void LoopSpecBuilder::readInFinish(unsigned operand, ArrayRef<AffineExpr> indices) {
  spec->finishAccesses.push_back(makeAccess(operand, indices));
}

void LoopSpecBuilder::readBroadcastInFinish(unsigned operand, ArrayRef<AffineExpr> loops) {
  // An axis that goes along with a reduction has size 1.
  Access access = makeBroadcast(operand, loops);
  SmallVector<AffineExpr> indices =
      llvm::map_to_vector(access.map->getResults(), [&](AffineExpr index) -> AffineExpr {
        auto loop = dyn_cast<AffineDimExpr>(index);
        bool isReduction = loop && spec->iterators[loop.getPosition()] == Iterator::Reduction;
        return isReduction ? number(0) : index;
      });
  access.map = AffineMap::get(spec->numLoops(), spec->symbols.size(), indices, op->getContext());
  spec->finishAccesses.push_back(std::move(access));
}

void LoopSpecBuilder::readAnywhere(unsigned operand) {
  Access access;
  access.operand = operand;
  spec->accesses.push_back(std::move(access));
}

/// Adds the block argument of each access: an element, or the tensor.
static void addAccessArguments(Block &block, Operation *op, ArrayRef<Access> accesses) {
  for (const Access &access : accesses) {
    Type type = op->getOperand(access.operand).getType();
    block.addArgument(access.map ? storageType(cast<RankedTensorType>(type).getElementType())
                                 : type,
                      op->getLoc());
  }
}

void LoopSpecBuilder::body(Type element, BodyFn fn) {
  MLIRContext *context = op->getContext();
  Location loc = op->getLoc();
  spec->body = std::make_unique<Region>();
  Block &block = spec->body->emplaceBlock();
  for (size_t i = 0; i < spec->extents.size(); ++i)
    block.addArgument(IndexType::get(context), loc);
  addAccessArguments(block, op, spec->accesses);
  for (TypedAttr init : spec->init)
    block.addArgument(init.getType(), loc);

  // Not atBlockEnd: the region has no op to take the context from.
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&block);
  ScalarBuilder scalar(builder, loc, element);
  ValueRange all = block.getArguments();
  size_t loops = spec->extents.size(), reads = spec->accesses.size();
  SmallVector<Value> results =
      fn(scalar, {all.take_front(loops), all.slice(loops, reads), all.drop_front(loops + reads)});
  YieldOp::create(builder, loc, results);
}

void LoopSpecBuilder::finish(Type element, BodyFn fn) {
  Location loc = op->getLoc();
  spec->finish = std::make_unique<Region>();
  Block &block = spec->finish->emplaceBlock();
  for (Iterator iterator : spec->iterators)
    if (iterator != Iterator::Reduction)
      block.addArgument(IndexType::get(op->getContext()), loc);
  size_t loops = block.getNumArguments(), reads = spec->finishAccesses.size();
  addAccessArguments(block, op, spec->finishAccesses);
  for (TypedAttr init : spec->init)
    block.addArgument(init.getType(), loc);
  // Not atBlockEnd: the region has no op to take the context from.
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&block);
  ScalarBuilder scalar(builder, loc, element);
  ValueRange all = block.getArguments();
  YieldOp::create(
      builder, loc,
      fn(scalar, {all.take_front(loops), all.slice(loops, reads), all.drop_front(loops + reads)}));
}

std::unique_ptr<LoopSpec> LoopSpecBuilder::takeLoops() {
  auto widen = [&](Access &access) {
    if (access.map)
      access.map = AffineMap::get(spec->numLoops(), spec->symbols.size(), access.map->getResults(),
                                  op->getContext());
  };
  llvm::for_each(spec->accesses, widen);
  llvm::for_each(spec->finishAccesses, widen);
  return std::move(spec);
}

Spec LoopSpecBuilder::take() {
  Spec result;
  result.kind = kind;
  result.loops = takeLoops();
  return result;
}

Spec LoopSpecBuilder::takeScatter(CombineFn combine) {
  assert(kind == SpecKind::Scatter && "the builder's kind is Scatter");
  Spec result;
  result.kind = kind;
  result.scatter = std::make_shared<ScatterSpec>();
  result.scatter->updates = std::move(*takeLoops());
  if (!combine)
    return result;
  Location loc = op->getLoc();
  Type element = getElementType(op->getResult(0));
  auto region = std::make_unique<Region>();
  Block &block = region->emplaceBlock();
  block.addArguments({storageType(element), storageType(element)}, {loc, loc});
  // Not atBlockEnd: the region has no op to take the context from.
  OpBuilder builder(op->getContext());
  builder.setInsertionPointToEnd(&block);
  ScalarBuilder s(builder, loc, element);
  Value combined = combine(s, s.compute(block.getArgument(0)), s.compute(block.getArgument(1)));
  YieldOp::create(builder, loc, s.round(combined));
  result.scatter->combine = std::move(region);
  return result;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

FailureOr<Spec> elementwiseSpec(Operation *op,
                                function_ref<Value(ScalarBuilder &, ValueRange)> scalar) {
  LoopSpecBuilder spec(op, SpecKind::Map);
  SmallVector<AffineExpr> loops = spec.parallel(getDims(op->getResult(0)));
  Type element;
  for (auto [i, operand] : llvm::enumerate(op->getOperands())) {
    if (isAbsent(operand))
      continue;
    spec.readBroadcast(i, loops);
    if (!element)
      element = getElementType(operand);
  }
  Type resultElement = getElementType(op->getResult(0));
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    SmallVector<Value> inputs =
        llvm::map_to_vector(args.operands, [&](Value stored) { return s.compute(stored); });
    return {s.with(resultElement).round(scalar(s, inputs))};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

Spec sizesSpec(Operation *op, ArrayRef<Dim> sizes) {
  LoopSpecBuilder spec(op, SpecKind::Map);
  SmallVector<Dim> shape = getDims(op->getResult(0));
  spec.parallel(shape);
  spec.body(getElementType(op->getResult(0)),
            [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
              // The position in row-major order selects the size.
              Value position = s.index(0);
              for (auto [index, extent] : llvm::zip(args.indices, shape))
                position = s.indexAdd(s.indexMul(position, s.size(extent)), index);
              ScalarBuilder onIndex = s.with(s.builder.getIndexType());
              Value result = s.integer(0);
              for (auto [i, size] : llvm::enumerate(sizes))
                result =
                    s.select(onIndex.eq(position, s.index(i)), s.fromIndex(s.size(size)), result);
              return {result};
            });
  return spec.take();
}

} // namespace dsc
