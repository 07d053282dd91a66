//===- VectorCode.cpp - vector loads, stores, dot products of a kernel ----===//
#include "dsc/Codegen/Common/VectorCode.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

#include <numeric>

using namespace mlir;

namespace dsc {

VectorCode::VectorCode(KernelEmitter &kernel, Type element)
    : kernel(kernel), builder(kernel.builder), loc(kernel.loc) {
  compute = element.isF64() || element.isInteger(32) ? element : Type(builder.getF32Type());
  lanes = kernel.target.lanes(compute.getIntOrFloatBitWidth());
}

Type VectorCode::typeOf(int64_t width) const {
  return width == 1 ? compute : VectorType::get(width, compute);
}

Value VectorCode::constant(double value, int64_t width) {
  TypedAttr attribute = isa<FloatType>(compute)
                            ? TypedAttr(builder.getFloatAttr(compute, value))
                            : builder.getIntegerAttr(compute, static_cast<int64_t>(value));
  if (width > 1)
    attribute = DenseElementsAttr::get(cast<VectorType>(typeOf(width)), Attribute(attribute));
  return arith::ConstantOp::create(builder, loc, attribute);
}

Value VectorCode::splat(Value scalar, int64_t width) {
  if (width == 1)
    return scalar;
  auto type = VectorType::get(width, scalar.getType());
  return vector::BroadcastOp::create(builder, loc, type, scalar);
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static unsigned alignmentOf(Type element) { return (element.getIntOrFloatBitWidth() + 7) / 8; }

Value VectorCode::extend(Value stored) {
  Type element = getElementTypeOrSelf(stored);
  if (element == compute || !isa<FloatType>(compute))
    return stored;
  Type type = compute;
  if (auto vector = dyn_cast<VectorType>(stored.getType()))
    type = VectorType::get(vector.getShape(), compute);
  return arith::ExtFOp::create(builder, loc, type, stored);
}

Value VectorCode::loadStored(const BufferView &view, Value address, int64_t width, Value mask) {
  Type type = width == 1 ? view.element : VectorType::get(width, view.element);
  unsigned alignment = alignmentOf(view.element);
  if (mask) {
    Value zero = arith::ConstantOp::create(builder, loc, builder.getZeroAttr(type));
    return LLVM::MaskedLoadOp::create(builder, loc, type, address, mask, zero, alignment);
  }
  auto op = LLVM::LoadOp::create(builder, loc, type, address, alignment);
  op.setAliasScopesAttr(view.aliasScopes);
  op.setNoaliasScopesAttr(view.noaliasScopes);
  return op;
}

Value VectorCode::load(const BufferView &view, Value address, int64_t width, Value mask) {
  Value stored = loadStored(view, address, width, mask);
  return isa<FloatType>(view.element) ? extend(stored) : stored;
}

/// `value` in the element type of `view`.
static Value rounded(OpBuilder &builder, Location loc, const BufferView &view, Value value) {
  if (getElementTypeOrSelf(value) == view.element)
    return value;
  Type type = view.element;
  if (auto vector = dyn_cast<VectorType>(value.getType()))
    type = VectorType::get(vector.getShape(), view.element);
  return arith::TruncFOp::create(builder, loc, type, value);
}

void VectorCode::store(const BufferView &view, Value address, Value value) {
  value = rounded(builder, loc, view, value);
  auto op = LLVM::StoreOp::create(builder, loc, value, address, alignmentOf(view.element));
  op.setAliasScopesAttr(view.aliasScopes);
  op.setNoaliasScopesAttr(view.noaliasScopes);
}

void VectorCode::store(const BufferView &view, Value address, Value value, Value mask) {
  value = rounded(builder, loc, view, value);
  LLVM::MaskedStoreOp::create(builder, loc, value, address, mask, alignmentOf(view.element));
}

Value VectorCode::advance(const BufferView &view, Value address, Value index) {
  if (isConstantIntValue(index, 0))
    return address;
  Value wide = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), index);
  return LLVM::GEPOp::create(builder, loc, address.getType(), view.element, address,
                             ArrayRef<LLVM::GEPArg>{wide}, LLVM::GEPNoWrapFlags::inbounds);
}

Value VectorCode::maskBelow(Value first, Value end, int64_t width) {
  Value left = arith::SubIOp::create(builder, loc, end, first);
  Value narrow = arith::IndexCastOp::create(builder, loc, builder.getI32Type(), left);
  SmallVector<int32_t> numbers = llvm::to_vector(llvm::seq<int32_t>(0, width));
  Value lane = arith::ConstantOp::create(builder, loc, builder.getI32VectorAttr(numbers));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, lane, splat(narrow, width));
}

BufferView VectorCode::scratch(Dim elements, ArrayRef<Dim> strides) {
  return scratch(compute, elements, strides);
}

BufferView VectorCode::scratch(Type type, Dim elements, ArrayRef<Dim> strides) {
  // Each buffer starts at a cache line.
  constexpr int64_t line = 64;
  Dim start = kernel.scratchBytes ? kernel.scratchBytes : kernel.constant(0);
  BufferView view;
  Value offset = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), kernel.size(start));
  view.ptr = LLVM::GEPOp::create(builder, loc, kernel.scratch.getType(), builder.getI8Type(),
                                 kernel.scratch, ArrayRef<LLVM::GEPArg>{offset});
  view.element = type;
  for (Dim stride : strides)
    view.strides.push_back(kernel.size(stride));
  Dim bytes = (elements * alignmentOf(type)).ceilDiv(line) * line;
  kernel.scratchBytes = start + bytes;
  return view;
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

Value VectorCode::add(Value a, Value b) { return arith::AddFOp::create(builder, loc, a, b); }
Value VectorCode::sub(Value a, Value b) { return arith::SubFOp::create(builder, loc, a, b); }
Value VectorCode::mul(Value a, Value b) { return arith::MulFOp::create(builder, loc, a, b); }
Value VectorCode::div(Value a, Value b) { return arith::DivFOp::create(builder, loc, a, b); }
Value VectorCode::fma(Value a, Value b, Value c) {
  return math::FmaOp::create(builder, loc, a, b, c);
}

/// Halves of int32, as int32.
static std::pair<Value, Value> splitPair(VectorCode &code, Value pair) {
  Type type = pair.getType();
  TypedAttr number = code.builder.getIntegerAttr(getElementTypeOrSelf(type), 16);
  if (auto vector = dyn_cast<VectorType>(type))
    number = DenseElementsAttr::get(vector, Attribute(number));
  Value half = arith::ConstantOp::create(code.builder, code.loc, number);
  Value left = arith::ShLIOp::create(code.builder, code.loc, pair, half);
  return {arith::ShRSIOp::create(code.builder, code.loc, left, half),
          arith::ShRSIOp::create(code.builder, code.loc, pair, half)};
}

/// x86's instruction for pairs in vectors of so many lanes; empty: the target has none.
static StringRef pairInstruction(const Target &target, int64_t lanes) {
  if (target.architecture() != "x86_64")
    return {};
  if (lanes == 16)
    return target.has("avx512bw") ? "llvm.x86.avx512.pmaddw.d.512" : "";
  if (lanes == 8)
    return target.has("avx2") ? "llvm.x86.avx2.pmadd.wd" : "";
  return lanes == 4 ? "llvm.x86.sse2.pmadd.wd" : "";
}

Value VectorCode::multiplyPairs(Value a, Value b) {
  auto type = dyn_cast<VectorType>(a.getType());
  int64_t width = type ? type.getNumElements() : 1;
  StringRef instruction = pairInstruction(kernel.target, width);
  if (!instruction.empty()) {
    auto halves = VectorType::get(2 * width, builder.getI16Type());
    Value left = LLVM::BitcastOp::create(builder, loc, halves, a);
    Value right = LLVM::BitcastOp::create(builder, loc, halves, b);
    return LLVM::CallIntrinsicOp::create(builder, loc, type, builder.getStringAttr(instruction),
                                         ValueRange{left, right})
        .getResult(0);
  }
  if (width > 1 && !pairInstruction(kernel.target, width / 2).empty()) {
    // A vector that the target emulates: two of its own.
    SmallVector<int64_t> low = llvm::to_vector(llvm::seq<int64_t>(0, width / 2)), high, all;
    for (int64_t lane : low)
      high.push_back(lane + width / 2);
    all = llvm::to_vector(llvm::seq<int64_t>(0, width));
    auto part = [&](Value x, ArrayRef<int64_t> lanes) -> Value {
      return vector::ShuffleOp::create(builder, loc, x, x, lanes);
    };
    Value first = multiplyPairs(part(a, low), part(b, low));
    Value second = multiplyPairs(part(a, high), part(b, high));
    return vector::ShuffleOp::create(builder, loc, first, second, all);
  }
  auto [lowA, highA] = splitPair(*this, a);
  auto [lowB, highB] = splitPair(*this, b);
  return arith::AddIOp::create(builder, loc, arith::MulIOp::create(builder, loc, lowA, lowB),
                               arith::MulIOp::create(builder, loc, highA, highB));
}

Value VectorCode::fmaPairs(Value a, Value b, Value c) {
  Value sum = arith::AddIOp::create(builder, loc, c, multiplyPairs(a, b));
  auto type = dyn_cast<VectorType>(sum.getType());
  if (!type || pairInstruction(kernel.target, type.getNumElements()).empty())
    return sum;
  // One sum after the other: LLVM would add up several products first, for which there are
  // no registers. There is no such fence for integers.
  Type floats = VectorType::get(type.getShape(), builder.getF32Type());
  Value fenced = LLVM::CallIntrinsicOp::create(
                     builder, loc, floats, builder.getStringAttr("llvm.arithmetic.fence"),
                     ValueRange{LLVM::BitcastOp::create(builder, loc, floats, sum)})
                     .getResult(0);
  return LLVM::BitcastOp::create(builder, loc, type, fenced);
}

Value VectorCode::max(Value a, Value b) {
  Value greater = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OGT, a, b);
  return select(greater, a, b);
}

Value VectorCode::min(Value a, Value b) {
  Value less = arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::OLT, a, b);
  return select(less, a, b);
}

Value VectorCode::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(builder, loc, condition, a, b);
}

/// Exchanges blocks of 1, 2, 4 ... lanes.
void VectorCode::transposeSquare(MutableArrayRef<Value> rows) {
  int64_t size = rows.size();
  for (int64_t step = 1; step < size; step *= 2) {
    SmallVector<int64_t> low, high;
    for (int64_t lane = 0; lane < size; ++lane) {
      bool isOdd = lane & step;
      low.push_back(isOdd ? size + lane - step : lane);
      high.push_back(isOdd ? size + lane : lane + step);
    }
    for (int64_t i = 0; i < size; ++i) {
      if (i & step)
        continue;
      Value a = rows[i], b = rows[i + step];
      rows[i] = vector::ShuffleOp::create(builder, loc, a, b, low);
      rows[i + step] = vector::ShuffleOp::create(builder, loc, a, b, high);
    }
  }
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

void VectorCode::forVectors(Value from, Value to, int64_t width,
                            function_ref<void(Value, int64_t)> body) {
  std::optional<int64_t> first = getConstantIntValue(from), last = getConstantIntValue(to);
  std::optional<int64_t> known = first && last ? std::optional(*last - *first) : std::nullopt;
  Value whole = known ? kernel.index(*first + *known / width * width) : Value();
  if (!whole) {
    Value total = arith::SubIOp::create(builder, loc, to, from);
    Value count = arith::DivUIOp::create(builder, loc, total, kernel.index(width));
    whole = kernel.add(from, kernel.mul(count, kernel.index(width)));
  }
  auto run = [&](Value begin, Value end, int64_t step) {
    kernel.loop(begin, end, kernel.index(step), [&](Value i) { body(i, step); });
  };
  if (!known || *known >= width)
    run(from, whole, width);
  if (!known || *known % width)
    run(whole, to, 1);
}

void VectorCode::forTiles(Value total, int64_t tile, function_ref<void(Value, int64_t)> body) {
  // Sizes of tiles by what is left over: where that is 1, two tiles of about half the
  // size instead of a full one and one of 1.
  auto plan = [&](int64_t rest, bool isLong) {
    if (rest == 1 && isLong && tile > 2)
      return SmallVector<int64_t>{(tile + 2) / 2, (tile + 1) / 2};
    return rest ? SmallVector<int64_t>{rest} : SmallVector<int64_t>{};
  };
  auto emitRest = [&](Value from, ArrayRef<int64_t> sizes) {
    for (int64_t size : sizes) {
      body(from, size);
      from = kernel.add(from, kernel.index(size));
    }
  };
  auto emitWhole = [&](Value end) {
    kernel.loop(kernel.index(0), end, kernel.index(tile), [&](Value i) { body(i, tile); });
  };
  if (std::optional<int64_t> known = getConstantIntValue(total)) {
    SmallVector<int64_t> rest = plan(*known % tile, *known > tile);
    Value end = kernel.index(*known - std::accumulate(rest.begin(), rest.end(), int64_t(0)));
    emitWhole(end);
    return emitRest(end, rest);
  }
  Value rest = arith::RemUIOp::create(builder, loc, total, kernel.index(tile));
  Value isLong =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ugt, total, kernel.index(tile));
  auto restIs = [&](int64_t count) -> Value {
    return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, rest, kernel.index(count));
  };
  Value whole = arith::SubIOp::create(builder, loc, total, rest);
  Value split = arith::AndIOp::create(builder, loc, restIs(1), isLong);
  if (tile > 2) {
    Value less = arith::SubIOp::create(builder, loc, whole, kernel.index(tile));
    whole = arith::SelectOp::create(builder, loc, split, less, whole);
  }
  emitWhole(whole);
  auto emitIf = [&](Value condition, ArrayRef<int64_t> sizes) {
    kernel.branch(condition, [&] { emitRest(whole, sizes); });
  };
  for (int64_t count = 1; count < tile; ++count) {
    bool maySplit = count == 1 && tile > 2;
    Value fits = restIs(count);
    if (maySplit) {
      emitIf(split, plan(1, true));
      Value isShort =
          arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, total, kernel.index(tile));
      fits = arith::AndIOp::create(builder, loc, fits, isShort);
    }
    emitIf(fits, plan(count, false));
  }
}

//===----------------------------------------------------------------------===//
// Dot products
//===----------------------------------------------------------------------===//

namespace {

/// Which lanes of two vectors (of one, where both are the same) a fold adds up.
struct Fold {
  SmallVector<int64_t> low, high;
  void add(int64_t lowLane, int64_t highLane) {
    low.push_back(lowLane);
    high.push_back(highLane);
  }
  Value apply(VectorCode &code, Value a, Value b) const {
    return code.add(vector::ShuffleOp::create(code.builder, code.loc, a, b, low),
                    vector::ShuffleOp::create(code.builder, code.loc, a, b, high));
  }
};

} // namespace

/// Neighbours: [a0 a1 a2 a3], [b0 b1 b2 b3] => [a0+a1 a2+a3 b0+b1 b2+b3] in each part
/// of `part` lanes, within which shuffles are cheap.
static Fold foldNeighbours(int64_t width, int64_t part, int64_t sources) {
  Fold fold;
  for (int64_t start = 0; start < width; start += part)
    for (int64_t source = 0; source < sources; ++source)
      for (int64_t lane = 0; lane < part; lane += 2)
        fold.add(source * width + start + lane, source * width + start + lane + 1);
  return fold;
}

/// Halves of blocks: [a0 a1], [b0 b1] => [a0+a1 b0+b1], where a0 is half a block.
static Fold foldHalves(int64_t width, int64_t block, int64_t sources) {
  Fold fold;
  for (int64_t source = 0; source < sources; ++source)
    for (int64_t start = 0; start < width; start += block)
      for (int64_t lane = 0; lane < block / 2; ++lane)
        fold.add(source * width + start + lane, source * width + start + block / 2 + lane);
  return fold;
}

/// Lane i of the result is the sum of all lanes of vectors[i]; their number is a
/// power of two. Two vectors fold into one that holds partial sums of both, so that
/// all sums together take about three instructions a vector.
Value VectorCode::sumLanes(SmallVector<Value> vectors) {
  int64_t count = vectors.size(), width = lanes;
  int64_t part = std::min(width, 128 / int64_t(compute.getIntOrFloatBitWidth()));
  int64_t inPart = part, block = width; // lanes that belong to one sum
  auto foldPairs = [&](const Fold &fold) {
    for (size_t i = 0; i < vectors.size() / 2; ++i)
      vectors[i] = fold.apply(*this, vectors[2 * i], vectors[2 * i + 1]);
    vectors.resize(vectors.size() / 2);
  };
  for (; vectors.size() > 1 && inPart > 1; inPart /= 2)
    foldPairs(foldNeighbours(width, part, 2));
  for (; vectors.size() > 1; block /= 2)
    foldPairs(foldHalves(width, block, 2));
  Value sum = vectors.front();
  for (; block > part; block /= 2, width /= 2)
    sum = foldHalves(width, block, 1).apply(*this, sum, sum);
  for (; inPart > 1; inPart /= 2, width /= 2, part /= 2)
    sum = foldNeighbours(width, part, 1).apply(*this, sum, sum);
  return count == 1 ? vector::ExtractOp::create(builder, loc, sum, 0).getResult() : sum;
}

SmallVector<Value> VectorCode::dotStep(const Rows &a, const Rows &b, Value k, Value mask,
                                       ValueRange sums) {
  auto loadRow = [&](const Rows &rows, Value row) {
    Value address = advance(*rows.view, row, k);
    if (mask)
      return load(*rows.view, address, lanes, mask);
    Value vector = load(*rows.view, address, lanes);
    if (rows.prefetch) {
      Value ahead = advance(*rows.view, row, kernel.add(k, rows.prefetch));
      LLVM::Prefetch::create(builder, loc, ahead, /*rw=*/0, /*hint=*/3, /*cache=*/1);
    }
    return vector;
  };
  SmallVector<Value> right, next(sums.size());
  for (Value row : b.addresses)
    right.push_back(loadRow(b, row));
  // One row of `a` at a time: more would not fit into the registers.
  size_t count = a.addresses.size();
  for (auto [i, row] : llvm::enumerate(a.addresses)) {
    Value x = loadRow(a, row);
    for (auto [j, y] : llvm::enumerate(right))
      next[j * count + i] = fma(x, y, sums[j * count + i]);
  }
  return next;
}

SmallVector<Value> VectorCode::dotProducts(const Rows &a, const Rows &b, Value depth) {
  size_t count = a.addresses.size();
  SmallVector<Value> sums(count * b.addresses.size(), constant(0, lanes));
  std::optional<int64_t> known = getConstantIntValue(depth);
  Value whole;
  if (known) {
    whole = kernel.index(*known / lanes * lanes);
  } else {
    Value vectors = arith::DivUIOp::create(builder, loc, depth, kernel.index(lanes));
    whole = kernel.mul(vectors, kernel.index(lanes));
  }
  if (!known || *known >= lanes)
    sums = kernel.loop(kernel.index(0), whole, kernel.index(lanes), sums,
                       [&](Value k, ValueRange carried) { return dotStep(a, b, k, {}, carried); });
  if (!known || *known % lanes) {
    auto tail = [&] { return dotStep(a, b, whole, maskBelow(whole, depth, lanes), sums); };
    if (known) {
      sums = tail();
    } else {
      Value some = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ne, whole, depth);
      sums = kernel.branch(some, ValueRange(sums).getTypes(), tail, [&] { return sums; });
    }
  }
  SmallVector<Value> results;
  for (size_t j = 0; j < b.addresses.size(); ++j)
    results.push_back(sumLanes(SmallVector<Value>(ArrayRef(sums).slice(j * count, count))));
  return results;
}

} // namespace dsc
