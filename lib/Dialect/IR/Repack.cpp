//===- Repack.cpp - weights in a kernel's layout --------------------------===//
#include "dsc/Dialect/IR/ConstantStream.h"
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
using Bytes = ArrayRef<uint8_t>;

/// Makes line after line of the result's last axis, and passes on a buffer full of them.
/// Source indices are linear in the result's: `base` plus index times `factors`.
class Repacker {
public:
  Repacker(RepackOp op, Bytes from, function_ref<LogicalResult(Bytes)> sink);
  /// Fails when the sink does.
  LogicalResult run();

private:
  LogicalResult visit(unsigned axis, ArrayRef<int64_t> start);
  LogicalResult makeLine(ArrayRef<int64_t> start, int64_t length, ArrayRef<int64_t> step);
  LogicalResult flush();

  RankedTensorType source, result;
  const uint8_t *from;
  function_ref<LogicalResult(Bytes)> sink;
  int64_t width;
  SmallVector<int64_t> base;
  SmallVector<SmallVector<int64_t>> factors; // of each result axis, for each source axis
  std::vector<uint8_t> buffer;
  size_t filled = 0;
};
} // namespace

/// Lines are gathered in a buffer of this size, which stays in the L2 cache.
static constexpr size_t kPieceBytes = 1 << 18;

Repacker::Repacker(RepackOp op, Bytes from, function_ref<LogicalResult(Bytes)> sink)
    : source(cast<RankedTensorType>(op.getSource().getType())),
      result(cast<RankedTensorType>(op.getType())), from(from.data()), sink(sink),
      width(elementBytes(source.getElementType())) {
  AffineMap map = op.getMap();
  SmallVector<int64_t> unit(map.getNumDims(), 0);
  base = map.compose(unit);
  for (int64_t &component : unit) {
    component = 1;
    factors.push_back(map.compose(unit));
    for (auto [factor, constant] : llvm::zip(factors.back(), base))
      factor -= constant;
    component = 0;
  }
  int64_t line = result.getRank() ? result.getShape().back() : 1;
  buffer.resize(std::max<size_t>(kPieceBytes, line * width));
}

LogicalResult Repacker::run() { return success(succeeded(visit(0, base)) && succeeded(flush())); }

LogicalResult Repacker::flush() {
  LogicalResult passed = filled ? sink(Bytes(buffer).take_front(filled)) : success();
  filled = 0;
  return passed;
}

LogicalResult Repacker::visit(unsigned axis, ArrayRef<int64_t> start) {
  if (axis == factors.size())
    return makeLine(start, 1, SmallVector<int64_t>(start.size(), 0));
  if (axis + 1 == factors.size())
    return makeLine(start, result.getDimSize(axis), factors[axis]);
  SmallVector<int64_t> at(start);
  for (int64_t i = 0; i < result.getDimSize(axis); ++i) {
    if (failed(visit(axis + 1, at)))
      return failure();
    for (auto [index, factor] : llvm::zip(at, factors[axis]))
      index += factor;
  }
  return success();
}

/// Copies elements that are `stride` elements apart in the source.
template <typename Element>
static void gather(const uint8_t *source, uint8_t *target, int64_t count, int64_t stride) {
  for (int64_t i = 0; i < count; ++i)
    std::memcpy(target + i * sizeof(Element), source + i * stride * sizeof(Element),
                sizeof(Element));
}

static void gather(const uint8_t *source, uint8_t *target, int64_t count, int64_t stride,
                   int64_t width) {
  if (stride == 1)
    std::memcpy(target, source, count * width);
  else if (width == 1)
    gather<uint8_t>(source, target, count, stride);
  else if (width == 2)
    gather<uint16_t>(source, target, count, stride);
  else if (width == 4)
    gather<uint32_t>(source, target, count, stride);
  else
    gather<uint64_t>(source, target, count, stride);
}

LogicalResult Repacker::makeLine(ArrayRef<int64_t> start, int64_t length, ArrayRef<int64_t> step) {
  if (filled + length * width > buffer.size() && failed(flush()))
    return failure();
  // Elements [begin, end) of the line are inside of the source.
  int64_t begin = 0, end = length, offset = 0, stride = 0;
  for (auto [axis, size] : llvm::enumerate(source.getShape())) {
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
  uint8_t *line = buffer.data() + filled;
  std::memset(line, 0, begin * width);
  if (begin < end)
    gather(from + (offset + begin * stride) * width, line + begin * width, end - begin, stride,
           width);
  std::memset(line + end * width, 0, (length - end) * width);
  filled += length * width;
  return success();
}

Array repacked(RepackOp op, const Array &source) {
  if (getStorage(op))
    return encoded(op, source);
  Array result = Array::zeros(cast<RankedTensorType>(op.getType()));
  uint8_t *end = result.data.data();
  auto append = [&](Bytes piece) {
    end = llvm::copy(piece, end);
    return success();
  };
  LogicalResult appended = Repacker(op, source.data, append).run();
  assert(succeeded(appended) && "this sink takes everything");
  (void)appended;
  return result;
}

LogicalResult streamConstant(Value value, const WeightStore &store,
                             function_ref<LogicalResult(Bytes)> sink) {
  auto isWhole = [](WeightOp weight, Bytes bytes) {
    auto type = cast<RankedTensorType>(weight.getType());
    return static_cast<int64_t>(bytes.size()) ==
           type.getNumElements() * elementBytes(type.getElementType());
  };
  auto repack = value.getDefiningOp<RepackOp>();
  bool isPacked = repack && !getStorage(repack);
  if (auto weight = (isPacked ? repack.getSource() : value).getDefiningOp<WeightOp>()) {
    Bytes bytes = store.bytes(weight.getSource());
    if (!isWhole(weight, bytes))
      return failure();
    return isPacked ? Repacker(repack, bytes, sink).run() : sink(bytes);
  }
  std::optional<Array> contents = constantContents(value, store);
  return contents ? sink(contents->data) : failure();
}

Value findRepacked(Value source, AffineMap map, Type type) {
  for (Operation *user : source.getUsers())
    if (auto repack = dyn_cast<RepackOp>(user))
      if (repack.getMap() == map && repack.getType() == type)
        return repack.getResult();
  return {};
}

} // namespace dsc
