//===- Repack.cpp - weights in a kernel's layout --------------------------===//
#include "dsc/Dialect/IR/SparseEncoding.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Types and meaning
//===----------------------------------------------------------------------===//

/// Whether the expression is a sum of dimensions times constants.
static bool isLinear(AffineExpr expr) {
  if (isa<AffineDimExpr, AffineConstantExpr>(expr))
    return true;
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  return binary &&
         (expr.getKind() == AffineExprKind::Add || expr.getKind() == AffineExprKind::Mul) &&
         isLinear(binary.getLHS()) && isLinear(binary.getRHS());
}

LogicalResult RepackOp::inferTypes(TypeInference &inference) {
  if (getStorage(*this)) {
    if (std::optional<std::string> reason = checkEncoding(*this))
      return inference.error() << *reason;
    inference.addResult(getType());
    return success();
  }
  auto from = dyn_cast<RankedTensorType>(getSource().getType());
  auto to = dyn_cast<RankedTensorType>(getType());
  if (!from || !to || !from.hasStaticShape() || !to.hasStaticShape() ||
      from.getElementType() != to.getElementType())
    return inference.error() << "needs a source and a result of known shapes and one element type";
  AffineMap map = getMap();
  if (map.getNumDims() != to.getRank() || map.getNumSymbols() != 0 ||
      map.getNumResults() != from.getRank() || !llvm::all_of(map.getResults(), isLinear))
    return inference.error() << "map must give a source index for each result index, as sums of "
                                "indices times constants";
  inference.addResult(to);
  return success();
}

/// The expression's value in scalar code.
static Value indexOf(ScalarBuilder &s, AffineExpr expr, ValueRange dims) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto number = dyn_cast<AffineConstantExpr>(expr))
    return s.index(number.getValue());
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Value a = indexOf(s, binary.getLHS(), dims), b = indexOf(s, binary.getRHS(), dims);
  return expr.getKind() == AffineExprKind::Add ? s.indexAdd(a, b) : s.indexMul(a, b);
}

FailureOr<Spec> RepackOp::getSpec() {
  if (getStorage(*this))
    return emitOpError("keeps nonzeros alone: that is no loop over elements");
  LoopSpecBuilder spec(*this, SpecKind::Move);
  spec.parallel(getDims(getResult()));
  spec.readAnywhere(0);
  Type element = getElementType(getSource());
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    SmallVector<Value> indices;
    for (AffineExpr expr : getMap().getResults())
      indices.push_back(indexOf(s, expr, args.indices));
    Value zero =
        arith::ConstantOp::create(s.builder, s.loc, s.builder.getZeroAttr(storageType(element)));
    return {s.stored(args.operands[0], indices, AtMode::OrElse, zero)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

namespace {
/// Copies line after line of the result's last axis. Source indices are linear in
/// the result's: `base` plus index times `factors`.
class Repacker {
public:
  Repacker(AffineMap map, const Array &from, Array &to);
  void run() { visit(0, base); }

private:
  void visit(unsigned axis, ArrayRef<int64_t> start);
  void copyLine(ArrayRef<int64_t> start, int64_t length, ArrayRef<int64_t> step);

  const Array &from;
  Array &to;
  int64_t width;
  SmallVector<int64_t> base;
  SmallVector<SmallVector<int64_t>> factors; // of each result axis, for each source axis
  int64_t position = 0;                      // in `to`, in elements
};
} // namespace

Repacker::Repacker(AffineMap map, const Array &from, Array &to)
    : from(from), to(to), width(elementBytes(from.type.getElementType())) {
  SmallVector<int64_t> unit(map.getNumDims(), 0);
  base = map.compose(unit);
  for (int64_t &component : unit) {
    component = 1;
    factors.push_back(map.compose(unit));
    for (auto [factor, constant] : llvm::zip(factors.back(), base))
      factor -= constant;
    component = 0;
  }
}

void Repacker::visit(unsigned axis, ArrayRef<int64_t> start) {
  if (axis == factors.size())
    return copyLine(start, 1, SmallVector<int64_t>(start.size(), 0));
  if (axis + 1 == factors.size())
    return copyLine(start, to.type.getDimSize(axis), factors[axis]);
  SmallVector<int64_t> at(start);
  for (int64_t i = 0; i < to.type.getDimSize(axis); ++i) {
    visit(axis + 1, at);
    for (auto [index, factor] : llvm::zip(at, factors[axis]))
      index += factor;
  }
}

void Repacker::copyLine(ArrayRef<int64_t> start, int64_t length, ArrayRef<int64_t> step) {
  // Elements [begin, end) of the line are inside of the source.
  int64_t begin = 0, end = length, offset = 0, stride = 0;
  for (auto [axis, size] : llvm::enumerate(from.type.getShape())) {
    auto isOutside = [&, size = size, axis = axis](int64_t i) {
      int64_t at = start[axis] + i * step[axis];
      return at < 0 || at >= size;
    };
    while (begin < end && isOutside(begin))
      ++begin;
    while (begin < end && isOutside(end - 1))
      --end;
    offset = offset * size + start[axis];
    stride = stride * size + step[axis];
  }
  const uint8_t *source = from.data.data() + (offset + begin * stride) * width;
  uint8_t *target = to.data.data() + (position + begin) * width;
  int64_t run = stride == 1 ? std::max<int64_t>(1, end - begin) : 1;
  for (int64_t i = begin; i < end; i += run) {
    std::memcpy(target, source, run * width);
    source += stride * run * width;
    target += run * width;
  }
  position += length;
}

Array repacked(RepackOp op, const Array &source) {
  if (getStorage(op))
    return encoded(op, source);
  Array result = Array::zeros(cast<RankedTensorType>(op.getType()));
  Repacker(op.getMap(), source, result).run();
  return result;
}

Value findRepacked(Value source, AffineMap map, Type type) {
  for (Operation *user : source.getUsers())
    if (auto repack = dyn_cast<RepackOp>(user))
      if (repack.getMap() == map && repack.getType() == type)
        return repack.getResult();
  return {};
}

} // namespace dsc
