//===- Sort.cpp - the first elements along an axis ------------------------===//
//
// An element becomes an entry: an integer whose upper half orders as the element does and
// whose lower half is its index, so that any sort of entries is stable, and no two are
// equal. The least k entries of a line:
//
//   minima = the least upper half (key) of each block of 32
//   bound = the key number k of the minima (of groups of blocks), if there are 2 k or more
//   for chunk in line:
//     for block in chunk:  if its minimum <= bound:  append its entries up to the bound
//     if the next chunk might not fit the buffer, or there is none:
//       sort the buffer, keep k of it, bound = the last one's key - 1
//
// Up to 64 entries are sorted by counting which are less, on vectors; more digit by digit
// (of 8 bits, the least first). So the time is linear in n, whatever the elements are.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/VectorCode.h"
#include "dsc/Format/KernelABI.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"

using namespace mlir;

namespace dsc {

/// Elements of which the least is compared with the bound before any is.
static constexpr int64_t kBlock = 32;
/// Entries up to which counting is fastest.
static constexpr int64_t kMostCounted = 64;
static constexpr int64_t kDigitBits = 8, kDigits = 1 << kDigitBits;

namespace {

class SortTemplate : public Template {
public:
  StringRef getName() const override { return "sort"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &) const override {
    return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
  }
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

class SortKernel {
public:
  SortKernel(KernelEmitter &kernel, Operation *op, const SortSpec &spec);
  void emit();

private:
  void emitLine();
  SmallVector<Value> emitChunk(Value chunk, Value count, Value bound);
  /// All entries fit the buffer, and are sorted by counting.
  bool isShort() const {
    return spec.length.tryConstant().value_or(kMostCounted + 1) <= kMostCounted;
  }
  void findMinima();
  Value findBound();
  Value appendBlock(Value start, Value end, Value count, Value bound);
  void storeResults();

  // Sorting the first `count` entries of the buffer.
  void sort(Value count);
  void sortByCounting(Value count);
  void sortByDigits(Value count);
  void sortByDigit(Value pass, Value count, const BufferView &from, const BufferView &to,
                   Value lowest);
  Value digitOf(Value mine, Value from);
  Value increment(Value place);

  Value keyOf(Value i);
  Value entryOf(Value key, Value i);
  Value upperHalf(Value mine);
  Value highestKey() { return integer(key, APInt::getSignedMaxValue(key.getWidth())); }
  Value loadX(Value i);
  Value load(const BufferView &view, Value i) {
    return kernel.loadAt(view, kernel.address(view, i));
  }
  void store(const BufferView &view, Value i, Value value) {
    kernel.storeAt(view, kernel.address(view, i), value);
  }
  BufferView scratch(Type type, Dim elements);
  Value integer(Type type, const APInt &value) {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  }
  Value integer(Type type, int64_t value) {
    return integer(type, APInt(type.getIntOrFloatBitWidth(), value, /*isSigned=*/true));
  }
  Value compare(arith::CmpIPredicate predicate, Value x, Value y) {
    return arith::CmpIOp::create(b, loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) {
    return arith::SelectOp::create(b, loc, condition, x, y);
  }
  Value minimum(Value x, Value y) { return arith::MinSIOp::create(b, loc, x, y); }
  Value sub(Value x, Value y) { return arith::SubIOp::create(b, loc, x, y); }
  Value index(int64_t value) { return kernel.index(value); }

  KernelEmitter &kernel;
  OpBuilder &b;
  Location loc;
  const SortSpec &spec;
  Operation *op;
  Type element;
  IntegerType key, entry; ///< of 32 or 64 bits; twice as wide
  Value length, wanted, chunkSize;
  Dim mostEntries, blocks, groupSize, groups;
  BufferView buffer, other;
  BufferView minima;       ///< the least key of each block
  BufferView counts;       ///< of entries with each digit, for each place of a digit
  SmallVector<Value> line; ///< indices of all axes; that of the sorted one is not used
};

} // namespace

//===----------------------------------------------------------------------===//
// Template
//===----------------------------------------------------------------------===//

Match SortTemplate::match(const GroupInfo &group, const Target &) const {
  Block &body = group.getBody();
  if (!llvm::hasNItems(body.without_terminator(), 1))
    return Match::no("more than one op");
  const Spec *spec = group.getSpec(&body.front());
  if (!spec || !spec->sort)
    return Match::no("nothing is sorted");
  Type element = getElementType(body.front().getOperand(0));
  if (!element.isIntOrFloat() || element.getIntOrFloatBitWidth() < 8)
    return Match::no("elements are not whole bytes");
  return Match::yes();
}

Cost SortTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  const SortSpec &spec = *group.getSpec(&group.getBody().front())->sort;
  Cost cost = estimateWork(group);
  double elements = estimateSize(getDims(group.getBody().front().getOperand(0)));
  double length = std::max(1.0, estimateSize(spec.length));
  // A comparison for each element; for those that are wanted the passes of the sort.
  double cycles = elements * (0.5 + 16 * std::min(1.0, 2 * estimateSize(spec.count) / length));
  cost.ns = cycles / target.gigahertz + cost.bytes / target.l3GBs;
  return cost;
}

LogicalResult SortTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  Operation *op = &kernel.group.getBody().front();
  SortKernel(kernel, op, *kernel.group.getSpec(op)->sort).emit();
  return success();
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

SortKernel::SortKernel(KernelEmitter &kernel, Operation *op, const SortSpec &spec)
    : kernel(kernel), b(kernel.builder), loc(kernel.loc), spec(spec), op(op),
      element(getElementType(op->getOperand(0))) {
  unsigned width = element.getIntOrFloatBitWidth() > 32 ? 64 : 32;
  key = b.getIntegerType(width);
  entry = b.getIntegerType(2 * width);
}

BufferView SortKernel::scratch(Type type, Dim elements) {
  VectorCode code(kernel, b.getF32Type());
  BufferView view = code.scratch(type, elements, kernel.constant(1));
  kernel.markScratch(view);
  return view;
}

/// The stored element number `i` of the line.
Value SortKernel::loadX(Value i) {
  SmallVector<Value> indices(line);
  indices[spec.axis] = i;
  return kernel.element(op->getOperand(0), indices);
}

/// An integer that is the less the earlier the element comes.
Value SortKernel::keyOf(Value i) {
  ScalarBuilder s(b, loc, element);
  Value x = s.compute(loadX(i)), mine;
  unsigned width = key.getWidth();
  if (s.isFloat()) {
    // -0 becomes +0. The bits of negative numbers go the other way.
    x = s.add(x, s.constant(0));
    Value bits = arith::BitcastOp::create(b, loc, key, x);
    Value sign = arith::ShRSIOp::create(b, loc, bits, integer(key, width - 1));
    Value highest = integer(key, APInt::getSignedMaxValue(width));
    Value flip = arith::AndIOp::create(b, loc, sign, highest);
    mine = arith::XOrIOp::create(b, loc, bits, flip);
    mine = select(s.isNan(x), highest, mine);
  } else {
    mine = x;
    if (x.getType() != key && s.isUnsigned())
      mine = arith::ExtUIOp::create(b, loc, key, x);
    else if (x.getType() != key)
      mine = arith::ExtSIOp::create(b, loc, key, x);
    if (s.isUnsigned())
      mine = arith::XOrIOp::create(b, loc, mine, integer(key, APInt::getSignedMinValue(width)));
  }
  return spec.largest ? arith::XOrIOp::create(b, loc, mine, integer(key, -1)) : mine;
}

Value SortKernel::entryOf(Value keyValue, Value i) {
  Value upper = arith::ExtUIOp::create(b, loc, entry, keyValue);
  upper = arith::ShLIOp::create(b, loc, upper, integer(entry, key.getWidth()));
  Value lower = arith::IndexCastOp::create(b, loc, key, i);
  return arith::OrIOp::create(b, loc, upper, arith::ExtUIOp::create(b, loc, entry, lower));
}

Value SortKernel::upperHalf(Value mine) {
  Value shifted = arith::ShRUIOp::create(b, loc, mine, integer(entry, key.getWidth()));
  return arith::TruncIOp::create(b, loc, key, shifted);
}

//===----------------------------------------------------------------------===//
// One line
//===----------------------------------------------------------------------===//

/// The least key of each block.
void SortKernel::findMinima() {
  kernel.loop(index(0), kernel.size(blocks), [&](Value block) {
    Value start = kernel.mul(block, index(kBlock));
    Value end = minimum(kernel.add(start, index(kBlock)), length);
    auto least = [&](Value i, ValueRange carried) -> SmallVector<Value> {
      return {arith::MinSIOp::create(b, loc, carried[0], keyOf(i))};
    };
    store(minima, block, kernel.loop(start, end, index(1), highestKey(), least).front());
  });
}

/// A key that at least as many elements as are wanted are not beyond: so many groups of
/// blocks have one.
Value SortKernel::findBound() {
  Value size = kernel.size(groupSize), end = kernel.size(blocks), count = kernel.size(groups);
  auto fromGroups = [&]() -> SmallVector<Value> {
    kernel.loop(index(0), count, [&](Value group) {
      Value start = kernel.mul(group, size);
      auto least = [&](Value i, ValueRange carried) -> SmallVector<Value> {
        return {arith::MinSIOp::create(b, loc, carried[0], load(minima, i))};
      };
      Value stop = minimum(kernel.add(start, size), end);
      Value key = kernel.loop(start, stop, index(1), highestKey(), least).front();
      store(buffer, group, entryOf(key, group));
    });
    sort(count);
    return {upperHalf(load(buffer, sub(wanted, index(1))))};
  };
  Value areEnough = compare(arith::CmpIPredicate::sge, count, kernel.mul(wanted, index(2)));
  return kernel.branch(areEnough, key, fromGroups, [&] { return SmallVector<Value>{highestKey()}; })
      .front();
}

/// Appends the entries of a block that are not beyond the bound; returns how many there are.
Value SortKernel::appendBlock(Value start, Value end, Value count, Value bound) {
  auto append = [&]() -> SmallVector<Value> {
    return kernel.loop(start, end, index(1), count,
                       [&](Value i, ValueRange carried) -> SmallVector<Value> {
                         // Written in any case, and counted if it stays.
                         Value mine = keyOf(i);
                         store(buffer, carried[0], entryOf(mine, i));
                         Value fits = compare(arith::CmpIPredicate::sle, mine, bound);
                         Value step = select(fits, index(1), index(0));
                         return {kernel.add(carried[0], step)};
                       });
  };
  if (isShort())
    return append().front();
  Value block = arith::DivUIOp::create(b, loc, start, index(kBlock));
  Value fits = compare(arith::CmpIPredicate::sle, load(minima, block), bound);
  return kernel.branch(fits, count.getType(), append, [&] { return SmallVector<Value>{count}; })
      .front();
}

/// Returns the number of entries and the bound after one more chunk.
SmallVector<Value> SortKernel::emitChunk(Value chunk, Value count, Value bound) {
  Value start = kernel.mul(chunk, chunkSize);
  Value end = minimum(kernel.add(start, chunkSize), length);
  count = kernel
              .loop(start, end, index(kBlock), count,
                    [&](Value i, ValueRange carried) -> SmallVector<Value> {
                      Value blockEnd = minimum(kernel.add(i, index(kBlock)), end);
                      return {appendBlock(i, blockEnd, carried[0], bound)};
                    })
              .front();
  Value isFull =
      compare(arith::CmpIPredicate::sgt, kernel.add(count, chunkSize), kernel.size(mostEntries));
  Value isLast = compare(arith::CmpIPredicate::eq, end, length);
  auto shrink = [&]() -> SmallVector<Value> {
    sort(count);
    Value last = upperHalf(load(buffer, sub(wanted, index(1))));
    return {wanted, sub(last, integer(key, 1))};
  };
  return kernel.branch(arith::OrIOp::create(b, loc, isFull, isLast), {count.getType(), key}, shrink,
                       [&] { return SmallVector<Value>{count, bound}; });
}

void SortKernel::storeResults() {
  kernel.loop(index(0), wanted, [&](Value i) {
    Value lower = arith::TruncIOp::create(b, loc, key, load(buffer, i));
    Value position = lower;
    if (key.getWidth() < 64)
      position = arith::ExtUIOp::create(b, loc, b.getI64Type(), lower);
    SmallVector<Value> indices(line);
    indices[spec.axis] = i;
    for (auto [number, yielded] : llvm::enumerate(kernel.group.getYielded())) {
      bool isIndex = cast<OpResult>(yielded).getResultNumber() == 1;
      Value from = arith::IndexCastOp::create(b, loc, b.getIndexType(), position);
      kernel.store(number, indices, isIndex ? position : loadX(from));
    }
  });
}

void SortKernel::emitLine() {
  // Chunks are at least as long as what is wanted: a buffer that is full holds more.
  Value chunks = arith::CeilDivUIOp::create(b, loc, length, chunkSize);
  if (!isShort())
    findMinima();
  Value first = isShort() ? highestKey() : findBound();
  kernel.loop(index(0), chunks, index(1), {index(0), first}, [&](Value chunk, ValueRange carried) {
    return emitChunk(chunk, carried[0], carried[1]);
  });
  storeResults();
}

//===----------------------------------------------------------------------===//
// Sorting
//===----------------------------------------------------------------------===//

/// Each entry goes where as many as are less than it are in front of it.
void SortKernel::sortByCounting(Value count) {
  kernel.loop(index(0), count, [&](Value i) {
    Value mine = load(buffer, i);
    Type wide = b.getI64Type();
    Value rank = kernel
                     .loop(index(0), count, index(1), integer(wide, 0),
                           [&](Value j, ValueRange carried) -> SmallVector<Value> {
                             Value less = compare(arith::CmpIPredicate::slt, load(buffer, j), mine);
                             Value one = arith::ExtUIOp::create(b, loc, wide, less);
                             return {arith::AddIOp::create(b, loc, carried[0], one)};
                           })
                     .front();
    store(other, arith::IndexCastOp::create(b, loc, b.getIndexType(), rank), mine);
  });
  kernel.loop(index(0), count, [&](Value i) { store(buffer, i, load(other, i)); });
}

/// The digit that starts at bit `from` of an entry.
Value SortKernel::digitOf(Value mine, Value from) {
  Type wide = b.getI64Type();
  if (entry.getWidth() > 64)
    from = arith::ExtUIOp::create(b, loc, entry, from);
  // Negative upper halves come first.
  Value sign = integer(entry, APInt::getSignedMinValue(entry.getWidth()));
  Value digit = arith::ShRUIOp::create(b, loc, arith::XOrIOp::create(b, loc, mine, sign), from);
  if (entry.getWidth() > 64)
    digit = arith::TruncIOp::create(b, loc, wide, digit);
  digit = arith::AndIOp::create(b, loc, digit, integer(wide, kDigits - 1));
  return arith::IndexCastOp::create(b, loc, b.getIndexType(), digit);
}

/// Adds 1 to a count and returns what it was.
Value SortKernel::increment(Value place) {
  Value before = load(counts, place);
  store(counts, place, arith::AddIOp::create(b, loc, before, integer(b.getI64Type(), 1)));
  return before;
}

/// Sorts by the digit number `pass` of the upper half.
void SortKernel::sortByDigit(Value pass, Value count, const BufferView &from, const BufferView &to,
                             Value lowest) {
  Value first = kernel.mul(pass, index(kDigits));
  kernel.loop(first, kernel.add(first, index(kDigits)), index(1), integer(b.getI64Type(), 0),
              [&](Value i, ValueRange sum) -> SmallVector<Value> {
                Value mine = load(counts, i);
                store(counts, i, sum[0]);
                return {arith::AddIOp::create(b, loc, sum[0], mine)};
              });
  kernel.loop(index(0), count, [&](Value i) {
    Value mine = load(from, i);
    Value place = increment(kernel.add(first, digitOf(mine, lowest)));
    store(to, arith::IndexCastOp::create(b, loc, b.getIndexType(), place), mine);
  });
}

/// From the least digit of the upper half to the highest; those that all entries share
/// are left out. Entries are in the order of their indices before the first digit, and
/// whenever some are appended.
void SortKernel::sortByDigits(Value count) {
  Type wide = b.getI64Type();
  int64_t passes = key.getWidth() / kDigitBits;
  kernel.loop(index(0), index(passes * kDigits),
              [&](Value i) { store(counts, i, integer(wide, 0)); });
  kernel.loop(index(0), count, [&](Value i) {
    Value mine = load(buffer, i);
    for (int64_t pass = 0; pass < passes; ++pass) {
      Value lowest = integer(wide, key.getWidth() + pass * kDigitBits);
      increment(kernel.add(index(pass * kDigits), digitOf(mine, lowest)));
    }
  });
  auto withPointer = [](BufferView view, Value pointer) {
    view.ptr = pointer;
    return view;
  };
  Value sorted =
      kernel
          .loop(index(0), index(passes), index(1), {buffer.ptr, other.ptr},
                [&](Value pass, ValueRange carried) -> SmallVector<Value> {
                  BufferView from = withPointer(buffer, carried[0]);
                  BufferView to = withPointer(other, carried[1]);
                  Value lowest = arith::IndexCastOp::create(
                      b, loc, wide,
                      kernel.add(kernel.mul(pass, index(kDigitBits)), index(key.getWidth())));
                  Value digit = digitOf(load(from, index(0)), lowest);
                  Value equal = load(counts, kernel.add(kernel.mul(pass, index(kDigits)), digit));
                  equal = arith::IndexCastOp::create(b, loc, b.getIndexType(), equal);
                  auto sortPass = [&]() -> SmallVector<Value> {
                    sortByDigit(pass, count, from, to, lowest);
                    return {carried[1], carried[0]};
                  };
                  return kernel.branch(compare(arith::CmpIPredicate::ne, equal, count),
                                       carried.getTypes(), sortPass,
                                       [&] { return SmallVector<Value>(carried); });
                })
          .front();
  BufferView from = withPointer(buffer, sorted);
  kernel.loop(index(0), count, [&](Value i) { store(buffer, i, load(from, i)); });
}

void SortKernel::sort(Value count) {
  Value isShort = compare(arith::CmpIPredicate::sle, count, index(kMostCounted));
  kernel.branch(isShort, [&] { sortByCounting(count); }, [&] { sortByDigits(count); });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void SortKernel::emit() {
  SmallVector<Dim> sizes = getDims(op->getOperand(0));
  unsigned axis = spec.axis;
  sizes[axis] = kernel.constant(1);
  length = kernel.size(spec.length);
  wanted = kernel.size(spec.count);
  // Of whole blocks.
  Dim chunk = Dim::max(kernel.constant(1), (spec.count * 2).ceilDiv(kBlock)) * kBlock;
  chunkSize = kernel.size(chunk);
  mostEntries = spec.count + chunk * 2;
  // Some groups for each that is wanted: the bound is then near the last of these.
  blocks = spec.length.ceilDiv(kBlock);
  groupSize = Dim::max(kernel.constant(1),
                       blocks.floorDiv(Dim::max(spec.count * 4, kernel.constant(kMostCounted))));
  groups = blocks.ceilDiv(groupSize);
  Dim capacity = Dim::max(Dim::min(spec.length, mostEntries), groups);
  buffer = scratch(entry, capacity);
  other = scratch(entry, capacity);
  minima = scratch(key, blocks);
  counts = scratch(b.getI64Type(), kernel.constant(key.getWidth() / kDigitBits * kDigits));
  // Indices must fit the lower half.
  constexpr int64_t most = int64_t(1) << 31;
  if (key.getWidth() < 64 && spec.length.tryConstant().value_or(most + 1) > most)
    kernel.recordError(compare(arith::CmpIPredicate::sgt, length, index(most)),
                       DSC_KERNEL_BAD_VALUE);
  Dim lines = product(b.getContext(), sizes);
  // About a part for every 16384 elements.
  Dim worth = (lines * spec.length).floorDiv(16384);
  kernel.partCount =
      Dim::max(kernel.constant(1), Dim::min(Dim::min(lines, worth), kernel.constant(64)));
  auto [first, end] = kernel.share(kernel.size(lines));
  // Without anything wanted there is no last entry.
  Value isNone = compare(arith::CmpIPredicate::eq, wanted, index(0));
  end = select(isNone, first, end);
  kernel.loop(first, end, [&](Value linear) {
    line = kernel.delinearize(linear, sizes);
    emitLine();
  });
}

const Template &sortTemplate() {
  static const SortTemplate instance;
  return instance;
}

} // namespace dsc
