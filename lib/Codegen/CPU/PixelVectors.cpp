//===- PixelVectors.cpp - vectors of pixels at even distances -------------===//
#include "PixelVectors.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;

namespace dsc {

Value PixelVectors::inside(Value first, int64_t step, Value size) {
  OpBuilder &b = code.builder;
  auto narrow = [&](Value index) {
    Value scalar = arith::IndexCastOp::create(b, code.loc, b.getI32Type(), index);
    return code.splat(scalar, code.lanes);
  };
  SmallVector<int32_t> offsets;
  for (int64_t i = 0; i < code.lanes; ++i)
    offsets.push_back(static_cast<int32_t>(i * step));
  Value lanes = arith::ConstantOp::create(b, code.loc, b.getI32VectorAttr(offsets));
  Value at = arith::AddIOp::create(b, code.loc, lanes, narrow(first));
  // Unsigned: what is before the line is above any size.
  return arith::CmpIOp::create(b, code.loc, arith::CmpIPredicate::ult, at, narrow(size));
}

Value PixelVectors::mask(Value position, Value size) { return inside(position, stride, size); }

/// Lanes first, first + 2, first + 4 ... of two vectors behind each other.
Value PixelVectors::everySecond(Value low, Value high, int64_t first) {
  SmallVector<int64_t> lanes;
  for (int64_t i = 0; i < code.lanes; ++i)
    lanes.push_back(2 * i + first);
  return vector::ShuffleOp::create(code.builder, code.loc, low, high, lanes);
}

SmallVector<Value> PixelVectors::loadPhases(Value address, Value position, Value size,
                                            bool areInside) {
  assert(stride <= 2 && "other strides are gathered");
  SmallVector<Value> loaded;
  for (int64_t i = 0; i < stride; ++i) {
    Value offset = code.kernel.index(i * code.lanes);
    Value at = code.advance(x, address, offset);
    loaded.push_back(areInside ? code.load(x, at, code.lanes)
                               : code.load(x, at, code.lanes,
                                           inside(code.kernel.add(position, offset), 1, size)));
  }
  if (stride == 1)
    return loaded;
  return {everySecond(loaded[0], loaded[1], 0), everySecond(loaded[0], loaded[1], 1)};
}

Value PixelVectors::load(Value address, Value position, Value size, Value mask) {
  int64_t lanes = code.lanes;
  if (stride == 1)
    return mask ? code.load(x, address, lanes, mask) : code.load(x, address, lanes);
  if (stride == 2) {
    Value next = code.kernel.index(lanes);
    Value second = code.advance(x, address, next);
    if (!mask)
      return everySecond(code.load(x, address, lanes), code.load(x, second, lanes), 0);
    Value low = inside(position, 1, size);
    Value high = inside(code.kernel.add(position, next), 1, size);
    return everySecond(code.load(x, address, lanes, low), code.load(x, second, lanes, high), 0);
  }
  OpBuilder &b = code.builder;
  SmallVector<int32_t> offsets;
  for (int64_t i = 0; i < lanes; ++i)
    offsets.push_back(static_cast<int32_t>(i * stride));
  Value at = arith::ConstantOp::create(b, code.loc, b.getI32VectorAttr(offsets));
  Value pointers = LLVM::GEPOp::create(b, code.loc, VectorType::get(lanes, x.ptr.getType()),
                                       x.element, address, ArrayRef<LLVM::GEPArg>{at});
  if (!mask)
    mask = arith::ConstantOp::create(
        b, code.loc, DenseElementsAttr::get(VectorType::get(lanes, b.getI1Type()), true));
  Value zero = code.constant(0, lanes);
  return LLVM::masked_gather::create(b, code.loc, zero.getType(), pointers, mask, zero,
                                     b.getI32IntegerAttr(4));
}

} // namespace dsc
