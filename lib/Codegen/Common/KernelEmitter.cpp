//===- KernelEmitter.cpp - the frame of a kernel: buffers, sizes, loops ---===//
#include "dsc/Codegen/Common/KernelEmitter.h"

#include "dsc/Dialect/IR/SharedStorage.h"
#include "dsc/Format/KernelABI.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

const Spec *GroupInfo::getSpec(Operation *op) const {
  auto [it, isNew] = specs.try_emplace(op);
  if (!isNew)
    return it->second ? &*it->second : nullptr;
  FailureOr<Spec> spec = cast<ComputeOp>(op).getSpec();
  auto &slot = specs[op];
  if (succeeded(spec))
    slot = std::move(*spec);
  return slot ? &*slot : nullptr;
}

Dim broadcastsNothing(const GroupInfo &group) {
  MLIRContext *context = group.getGroup()->getContext();
  llvm::SmallSetVector<Attribute, 4> conditions;
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops)
      continue;
    const LoopSpec &loops = *spec->loops;
    for (const Access &access : llvm::concat<const Access>(loops.accesses, loops.finishAccesses))
      for (auto [axis, may] : llvm::enumerate(access.mayBroadcast)) {
        if (!may)
          continue;
        auto loop = cast<AffineDimExpr>(access.map->getResult(axis));
        Dim size = getDims(op.getOperand(access.operand))[axis];
        conditions.insert(Dim::eq(size, loops.extents[loop.getPosition()]).getAttr());
      }
  }
  Dim all = Dim::constant(context, 1);
  for (Attribute condition : conditions)
    all = Dim::logicalAnd(all, Dim(cast<DimAttr>(condition)));
  return all;
}

//===----------------------------------------------------------------------===//
// The function
//===----------------------------------------------------------------------===//

/// Field of dsc_kernel_env at a byte offset.
static Value envField(OpBuilder &b, Location loc, Value env, size_t offset, Type type) {
  Value address = LLVM::GEPOp::create(b, loc, env.getType(), b.getI8Type(), env,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return LLVM::LoadOp::create(b, loc, type, address);
}

static Value toIndex(OpBuilder &b, Location loc, Value i64) {
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), i64);
}

KernelEmitter::KernelEmitter(ModuleOp module, StringRef name, const GroupInfo &group,
                             const Target &target)
    : group(group), target(target), builder(module.getContext()),
      loc(UnknownLoc::get(module.getContext())) {
  partCount = constant(1);
  auto ptr = LLVM::LLVMPointerType::get(builder.getContext());
  builder.setInsertionPointToEnd(module.getBody());
  auto type = builder.getFunctionType({ptr, ptr, ptr}, {builder.getI32Type()});
  function = func::FuncOp::create(builder, loc, name, type);
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  Value env = entry->getArgument(0);
  buffersPtr = entry->getArgument(1);
  sizesPtr = entry->getArgument(2);
  Type i64 = builder.getI64Type();
  part = toIndex(builder, loc, envField(builder, loc, env, offsetof(dsc_kernel_env, part), i64));
  parts = toIndex(builder, loc, envField(builder, loc, env, offsetof(dsc_kernel_env, parts), i64));
  scratch = envField(builder, loc, env, offsetof(dsc_kernel_env, scratch), ptr);
  Value one = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(1));
  statusPtr = LLVM::AllocaOp::create(builder, loc, ptr, builder.getI32Type(), one);
  Value ok = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(DSC_KERNEL_OK));
  entryEnd = LLVM::StoreOp::create(builder, loc, ok, statusPtr);
  // One alias scope for each result: nothing but the result's own accesses touch it.
  auto domain =
      LLVM::AliasScopeDomainAttr::get(builder.getContext(), builder.getStringAttr("dsc"), {});
  for (size_t i = 0; i < group.getYielded().size(); ++i)
    resultScopes.push_back(LLVM::AliasScopeAttr::get(
        builder.getContext(), builder.getStringAttr("result" + Twine(i)), domain, {}));
  scratchScope =
      LLVM::AliasScopeAttr::get(builder.getContext(), builder.getStringAttr("scratch"), domain, {});
  memos.emplace_back();
}

func::FuncOp KernelEmitter::finish() {
  Value status = LLVM::LoadOp::create(builder, loc, builder.getI32Type(), statusPtr);
  func::ReturnOp::create(builder, loc, status);
  return function;
}

SmallVector<Dim> KernelEmitter::getSizes() const {
  return llvm::map_to_vector(sizeDims, [](Attribute dim) { return Dim(cast<DimAttr>(dim)); });
}

void KernelEmitter::recordError(Value condition, int32_t code) {
  branch(condition, [&] {
    Value status = arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(code));
    LLVM::StoreOp::create(builder, loc, status, statusPtr);
  });
}

//===----------------------------------------------------------------------===//
// Sizes and index arithmetic
//===----------------------------------------------------------------------===//

Value KernelEmitter::index(int64_t value) {
  Value &cached = constants[value];
  if (!cached) {
    OpBuilder entry(entryEnd);
    cached = arith::ConstantIndexOp::create(entry, loc, value);
  }
  return cached;
}

Value KernelEmitter::size(Dim dim) {
  return dim.isConstant() ? index(dim.getConstant()) : loadSize(dim);
}

Value KernelEmitter::loadSize(Dim dim) {
  Attribute key = dim.getAttr();
  if (!sizeDims.insert(key))
    return sizeValues[llvm::find(sizeDims, key) - sizeDims.begin()];
  OpBuilder entry(entryEnd);
  int32_t position = sizeValues.size();
  Type i64 = entry.getI64Type();
  Value address = LLVM::GEPOp::create(entry, loc, sizesPtr.getType(), i64, sizesPtr,
                                      ArrayRef<LLVM::GEPArg>{position});
  auto load = LLVM::LoadOp::create(entry, loc, i64, address);
  load.setInvariant(true);
  sizeValues.push_back(toIndex(entry, loc, load));
  return sizeValues.back();
}

Value KernelEmitter::add(Value a, Value b) {
  if (isConstantIntValue(a, 0))
    return b;
  if (isConstantIntValue(b, 0))
    return a;
  return arith::AddIOp::create(builder, loc, a, b, arith::IntegerOverflowFlags::nsw);
}

Value KernelEmitter::mul(Value a, Value b) {
  if (isConstantIntValue(a, 1) || isConstantIntValue(b, 0))
    return b;
  if (isConstantIntValue(b, 1) || isConstantIntValue(a, 0))
    return a;
  return arith::MulIOp::create(builder, loc, a, b, arith::IntegerOverflowFlags::nsw);
}

Value KernelEmitter::apply(AffineExpr expr, ValueRange dims, ArrayRef<Dim> symbols) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return size(symbols[symbol.getPosition()]);
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return index(number.getValue());
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value lhs = apply(binary.getLHS(), dims, symbols);
  Value rhs = apply(binary.getRHS(), dims, symbols);
  if (auto divisor = dyn_cast<AffineConstantExpr>(binary.getRHS());
      divisor && expr.getKind() == AffineExprKind::FloorDiv)
    if (Value quotient = quotients.lookup({lhs, divisor.getValue()}))
      return quotient;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return add(lhs, rhs);
  case AffineExprKind::Mul:
    return mul(lhs, rhs);
  case AffineExprKind::FloorDiv:
    return arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::CeilDiv:
    return arith::CeilDivSIOp::create(builder, loc, lhs, rhs);
  case AffineExprKind::Mod: {
    Value quotient = arith::FloorDivSIOp::create(builder, loc, lhs, rhs);
    return arith::SubIOp::create(builder, loc, lhs, mul(quotient, rhs));
  }
  default:
    llvm_unreachable("not a binary expression");
  }
}

void KernelEmitter::assumeInPiece(Value index, ArrayRef<Dim> boundaries, unsigned piece) {
  pieces[index] = {SmallVector<Dim>(boundaries), piece};
}

void KernelEmitter::assumeQuotient(Value index, int64_t divisor, Value quotient) {
  quotients[{index, divisor}] = quotient;
}

SmallVector<Value> KernelEmitter::delinearize(Value linear, ArrayRef<Dim> sizes) {
  SmallVector<Value> indices(sizes.size());
  for (size_t i = sizes.size(); i-- > 0;) {
    if (sizes[i].isConstant(1)) {
      indices[i] = index(0);
    } else if (areAllOne(sizes.take_front(i))) {
      indices[i] = linear;
      linear = index(0);
    } else {
      Value extent = size(sizes[i]);
      indices[i] = arith::RemUIOp::create(builder, loc, linear, extent);
      linear = arith::DivUIOp::create(builder, loc, linear, extent);
    }
  }
  return indices;
}

std::pair<Value, Value> KernelEmitter::share(Value total) {
  Value next = arith::AddIOp::create(builder, loc, part, index(1));
  Value first =
      arith::DivUIOp::create(builder, loc, arith::MulIOp::create(builder, loc, part, total), parts);
  Value end =
      arith::DivUIOp::create(builder, loc, arith::MulIOp::create(builder, loc, next, total), parts);
  return {first, end};
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelEmitter::loop(Value from, Value to, Value step, ValueRange carried,
                                       LoopBody body) {
  auto forOp = scf::ForOp::create(builder, loc, from, to, step, carried);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = forOp.getBody();
  if (carried.empty())
    builder.setInsertionPoint(block->getTerminator());
  else
    builder.setInsertionPointToEnd(block);
  memos.emplace_back();
  SmallVector<Value> next = body(forOp.getInductionVar(), forOp.getRegionIterArgs());
  memos.pop_back();
  if (!carried.empty())
    scf::YieldOp::create(builder, loc, next);
  return SmallVector<Value>(forOp.getResults());
}

void KernelEmitter::loop(Value from, Value to, Value step, function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

void KernelEmitter::loop(Value from, Value to, function_ref<void(Value)> body) {
  loop(from, to, index(1), body);
}

SmallVector<Value> KernelEmitter::branch(Value condition, TypeRange types,
                                         function_ref<SmallVector<Value>()> then,
                                         function_ref<SmallVector<Value>()> otherwise) {
  auto ifOp = scf::IfOp::create(builder, loc, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(builder);
  auto emit = [&](Block *block, function_ref<SmallVector<Value>()> body) {
    // Without results the builder has put the terminators there.
    if (!block->empty() && block->back().hasTrait<OpTrait::IsTerminator>())
      builder.setInsertionPoint(&block->back());
    else
      builder.setInsertionPointToEnd(block);
    memos.emplace_back();
    SmallVector<Value> values = body();
    memos.pop_back();
    if (block->empty() || !block->back().hasTrait<OpTrait::IsTerminator>())
      scf::YieldOp::create(builder, loc, values);
  };
  emit(ifOp.thenBlock(), then);
  emit(ifOp.elseBlock(), otherwise);
  return SmallVector<Value>(ifOp.getResults());
}

void KernelEmitter::branch(Value condition, function_ref<void()> then,
                           function_ref<void()> otherwise) {
  auto run = [](function_ref<void()> body) {
    if (body)
      body();
    return SmallVector<Value>();
  };
  branch(condition, TypeRange(), [&] { return run(then); }, [&] { return run(otherwise); });
}

Value KernelEmitter::isNonzero(Dim dim) {
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, size(dim), index(0));
}

//===----------------------------------------------------------------------===//
// Buffers
//===----------------------------------------------------------------------===//

BufferView KernelEmitter::makeView(Value tensor, unsigned buffer) {
  OpBuilder entry(entryEnd);
  auto ptr = LLVM::LLVMPointerType::get(builder.getContext());
  Value address = LLVM::GEPOp::create(entry, loc, ptr, ptr, buffersPtr,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(buffer)});
  auto load = LLVM::LoadOp::create(entry, loc, ptr, address);
  load.setInvariant(true);
  BufferView view;
  view.ptr = load;
  view.element = storageType(getElementType(tensor));
  if (view.element.isInteger(1))
    view.element = builder.getI8Type();
  SmallVector<Dim> dims = getDims(tensor);
  Dim stride = constant(1);
  view.strides.resize(dims.size());
  for (size_t i = dims.size(); i-- > 0;) {
    view.strides[i] = size(stride);
    stride = stride * dims[i];
  }
  return view;
}

const BufferView &KernelEmitter::view(Value tensor) {
  auto it = views.find(tensor);
  if (it != views.end())
    return it->second;
  if (group.contains(tensor)) {
    // Templates see to it that it is only moved.
    auto strided =
        getStridedView(tensor, [&](Operation *op) { return op->getBlock() == &group.getBody(); });
    BufferView made = view(strided->source);
    Value offset = size(strided->offset);
    OpBuilder entry(entryEnd);
    Value wide = arith::IndexCastOp::create(entry, loc, entry.getI64Type(), offset);
    made.ptr = LLVM::GEPOp::create(entry, loc, made.ptr.getType(), made.element, made.ptr,
                                   ArrayRef<LLVM::GEPArg>{wide}, LLVM::GEPNoWrapFlags::inbounds);
    made.strides = llvm::map_to_vector(strided->strides, [&](Dim dim) { return size(dim); });
    return views[tensor] = made;
  }
  BufferView made = makeView(tensor, bufferValues.size());
  bufferValues.push_back(tensor);
  SmallVector<Attribute> others(resultScopes);
  others.push_back(scratchScope);
  made.noaliasScopes = builder.getArrayAttr(others);
  return views[tensor] = made;
}

const BufferView &KernelEmitter::resultView(unsigned result) {
  auto it = resultViews.find(result);
  if (it != resultViews.end())
    return it->second;
  Value tensor = group.getGroup()->getResult(result);
  BufferView made = makeView(tensor, bufferValues.size());
  bufferValues.push_back(tensor);
  SmallVector<Attribute> others(resultScopes);
  others.erase(others.begin() + result);
  others.push_back(scratchScope);
  made.aliasScopes = builder.getArrayAttr(resultScopes[result]);
  made.noaliasScopes = builder.getArrayAttr(others);
  return resultViews[result] = made;
}

void KernelEmitter::markScratch(BufferView &view) {
  view.aliasScopes = builder.getArrayAttr(scratchScope);
  view.noaliasScopes = builder.getArrayAttr(resultScopes);
}

/// `offset` elements behind `start`, in the same tensor.
static Value advance(KernelEmitter &kernel, const BufferView &view, Value start, Value offset) {
  if (isConstantIntValue(offset, 0))
    return start;
  OpBuilder &builder = kernel.builder;
  Value wide = arith::IndexCastOp::create(builder, kernel.loc, builder.getI64Type(), offset);
  return LLVM::GEPOp::create(builder, kernel.loc, start.getType(), view.element, start,
                             ArrayRef<LLVM::GEPArg>{wide}, LLVM::GEPNoWrapFlags::inbounds);
}

Value KernelEmitter::address(const BufferView &view, ValueRange indices) {
  if (indices.empty())
    return view.ptr;
  // The last index by itself: so LLVM sees that an address that steps with it does not
  // wrap, and asks nothing in front of a vectorised loop.
  Value offset = index(0), last = mul(indices.back(), view.strides.back());
  for (auto [i, stride] : llvm::drop_end(llvm::zip(indices, view.strides)))
    offset = add(offset, mul(i, stride));
  return advance(*this, view, advance(*this, view, view.ptr, offset), last);
}

Value KernelEmitter::loadAt(const BufferView &view, Value address) {
  auto load = LLVM::LoadOp::create(builder, loc, view.element, address);
  load.setAliasScopesAttr(view.aliasScopes);
  load.setNoaliasScopesAttr(view.noaliasScopes);
  return load;
}

void KernelEmitter::storeAt(const BufferView &view, Value address, Value stored) {
  if (stored.getType().isInteger(1))
    stored = arith::ExtUIOp::create(builder, loc, view.element, stored);
  auto op = LLVM::StoreOp::create(builder, loc, stored, address);
  op.setAliasScopesAttr(view.aliasScopes);
  op.setNoaliasScopesAttr(view.noaliasScopes);
}

void KernelEmitter::store(unsigned result, ValueRange indices, Value stored) {
  const BufferView &view = resultView(result);
  storeAt(view, address(view, indices), stored);
}

} // namespace dsc
