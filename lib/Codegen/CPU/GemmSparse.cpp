//===- GemmSparse.cpp - matrix products with a constant full of zeros -----===//
//
//   C[m][n] = sum over the nonzeros of column n of A[m][k] * B[k][n]    in float32
//
// Rows of A become the lanes: a panel holds some vectors of rows, transposed to
// [k][rows], for a block of the depth that fits into the L1 cache. B is lists of pairs
// {place in the panel, weight}, one for each block and column (SparseEncoding.h): each
// pair costs a broadcast and a multiply-add for each vector of the panel, and what is
// zero costs nothing. Sums stay in registers for a list, and between blocks in a tile
// of C, transposed; the epilogue turns it back.
//
//===----------------------------------------------------------------------===//
#include "MatrixProduct.h"
#include "Templates.h"
#include "dsc/Codegen/Common/Anchor.h"
#include "dsc/Codegen/Common/Epilogue.h"
#include "dsc/Codegen/Common/VectorCode.h"

#include "dsc/Dialect/IR/SparseEncoding.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace dsc {

namespace {

class GemmSparseTemplate : public Template {
public:
  StringRef getName() const override { return "gemm-sparse"; }
  bool laysOutRegisters() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  std::string describeSparsity(const GroupInfo &group, ScheduleAttr schedule,
                               const Target &target) const override;
  void prepare(GroupOp group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// A product whose B is a constant matrix with known zeros.
struct SparseProduct {
  MatrixProduct product;
  AffineMap map; ///< from depth and column to B's axes
  int64_t depth = 0, columns = 0, nonzeros = 0;

  double shareOfZeros() const {
    return 1 - static_cast<double>(nonzeros) / static_cast<double>(depth * columns);
  }
};

/// Blocks of the loops.
struct SparseBlocks {
  int64_t vectors = 1;   ///< vectors of rows in a panel
  int64_t depth = 1;     ///< of a panel, a multiple of the lanes
  int64_t columns = 1;   ///< that are computed with a panel at a time
  int64_t panelRows = 1; ///< vectors * lanes

  static SparseBlocks choose(const SparseProduct &sparse, const Target &target);
  static SparseBlocks read(ScheduleAttr schedule, const Target &target);
  ScheduleAttr write(MLIRContext *context, StringRef name) const;
  /// How B is stored for these blocks.
  StorageAttr storage(const SparseProduct &sparse) const;
};

/// Emits the kernel of one product.
class SparseEmitter {
public:
  SparseEmitter(KernelEmitter &kernel, const SparseProduct &sparse, const SparseBlocks &blocks,
                Value lists);
  void emit();

private:
  struct Range {
    Value first, count;
  };
  void emitTask(Value rowPanel, Value columnBlock);
  Range rangeOf(Value number, int64_t size, Dim total);
  void pack(const Range &rows, const Range &depth);
  void packVector(const Range &rows, Value vector, const Range &depth);
  void packElements(const Range &rows, Value vector, const Range &depth);
  void multiply(int64_t vectors, const Range &columns, Value block);
  SmallVector<Value> startSums(int64_t vectors, Value line, Value block);
  SmallVector<Value> addPair(Value pair, ValueRange sums);
  void finish(const Range &rows, const Range &columns);
  void finishRow(Value row, Value line, const Range &columns);
  void forVectorCounts(Value count, function_ref<void(int64_t)> body);
  Value rowOfA(const Range &rows, Value inPanel);
  Value loadIndex(Value word);
  Value minimum(Value a, Value b) { return arith::MinSIOp::create(builder, loc, a, b); }

  KernelEmitter &kernel;
  OpBuilder &builder;
  Location loc;
  const SparseProduct &sparse;
  const MatrixProduct &product;
  SparseBlocks blocks;
  VectorCode code;
  Epilogue epilogue;
  BufferView lists, listWeights; // the same words as integers and as floats
  BufferView a, panel, tile, lines;
  Value aStart;
};

} // namespace

//===----------------------------------------------------------------------===//
// Choice
//===----------------------------------------------------------------------===//

static Match matchSparse(const GroupInfo &group, SparseProduct &found) {
  Operation *anchor = nullptr;
  MatrixProduct &product = found.product;
  if (Match match = findAnchor(group, {SpecKind::Contract}, anchor); !match)
    return match;
  if (Match match = findMatrixProduct(group, anchor, product); !match)
    return match;
  Value b = product.operandB();
  auto type = dyn_cast<RankedTensorType>(b.getType());
  if (!isa_and_nonnull<ConstantOp, WeightOp>(b.getDefiningOp()))
    return Match::no("B is not a constant");
  if (!product.batch.empty() || !product.column || product.depth.size() != 1 ||
      type.getRank() != 2 || !type.hasStaticShape())
    return Match::no("not one product of two matrices");
  StorageAttr storage = getStorage(b.getDefiningOp());
  if (!storage)
    return Match::no("no zeros of B are recorded: there are few, or --sparsity is off");
  bool isTransposed =
      product.loops->accesses[product.b].map->getResult(0).isFunctionOfDim(*product.column);
  MLIRContext *context = b.getContext();
  unsigned axes[] = {isTransposed ? 1u : 0u, isTransposed ? 0u : 1u};
  found.map = AffineMap::getPermutationMap(ArrayRef<unsigned>(axes), context);
  found.depth = type.getDimSize(axes[0]);
  found.columns = type.getDimSize(axes[1]);
  found.nonzeros = storage.getNonzeros();
  return Match::yes();
}

/// `size` in equal pieces of at most `most`, in multiples of `unit`.
static int64_t evenPiece(int64_t size, int64_t most, int64_t unit) {
  int64_t units = llvm::divideCeil(size, unit);
  int64_t pieces = llvm::divideCeil(units, std::max<int64_t>(1, most / unit));
  return llvm::divideCeil(units, pieces) * unit;
}

SparseBlocks SparseBlocks::choose(const SparseProduct &sparse, const Target &target) {
  constexpr int64_t mostVectors = 8, bytes = sizeof(float);
  int64_t lanes = target.lanes(32);
  SparseBlocks blocks;
  blocks.vectors = std::min(mostVectors, target.vectorRegisters / 2);
  if (Dim rows = sparse.product.rows(); rows.isConstant())
    blocks.vectors = evenPiece(llvm::divideCeil(rows.getConstant(), lanes), blocks.vectors, 1);
  blocks.panelRows = blocks.vectors * lanes;
  // The panel stays in the L1 cache beside what passes through it: lists and sums.
  int64_t mostDepth = target.l1Bytes * 3 / 4 / (blocks.panelRows * bytes);
  blocks.depth = evenPiece(sparse.depth, mostDepth, lanes);
  // The tile of C stays in the L2 cache. Panels are packed for each block of columns,
  // so these are few, but enough for some threads.
  int64_t mostColumns = target.l2Bytes / 2 / (blocks.panelRows * bytes);
  constexpr int64_t wantedBlocks = 4;
  mostColumns = std::min(mostColumns, std::max<int64_t>(4 * lanes, sparse.columns / wantedBlocks));
  blocks.columns = evenPiece(sparse.columns, mostColumns, lanes);
  return blocks;
}

SparseBlocks SparseBlocks::read(ScheduleAttr schedule, const Target &target) {
  int64_t vectors = schedule.getTile()[0];
  return {vectors, schedule.getBlock()[0], schedule.getBlock()[1], vectors * target.lanes(32)};
}

ScheduleAttr SparseBlocks::write(MLIRContext *context, StringRef name) const {
  return ScheduleAttr::get(context, name, {vectors}, {depth, columns}, 1, {}, 1, {});
}

StorageAttr SparseBlocks::storage(const SparseProduct &sparse) const {
  int64_t rowBytes = panelRows * static_cast<int64_t>(sizeof(float));
  return StorageAttr::get(sparse.map.getContext(), StorageKind::Csr, depth, rowBytes,
                          sparse.nonzeros);
}

/// Cycles of a pair: its two words and the vectors of the panel. Sums depend on each
/// other.
static double pairCycles(const Target &target, int64_t vectors) {
  return std::max({static_cast<double>(vectors) / static_cast<double>(target.fmaPipes),
                   static_cast<double>(vectors + 2) / static_cast<double>(target.loadPipes),
                   static_cast<double>(target.fmaLatency)});
}

/// Whether pairs alone take longer than all multiply-adds do at the full rate.
static bool hasTooFewZeros(const SparseProduct &sparse, const SparseBlocks &blocks,
                           const Target &target) {
  double share = 1 - sparse.shareOfZeros();
  return share * pairCycles(target, blocks.vectors) * static_cast<double>(target.fmaPipes) >=
         static_cast<double>(blocks.vectors);
}

Match GemmSparseTemplate::match(const GroupInfo &group, const Target &target) const {
  SparseProduct found;
  if (Match match = matchSparse(group, found); !match)
    return match;
  SparseBlocks blocks = SparseBlocks::choose(found, target);
  if (!encodedType(blocks.storage(found), found.depth, found.columns))
    return Match::no("B has too many elements");
  if (hasTooFewZeros(found, blocks, target))
    return Match::no(
        llvm::formatv("B has {0:P0} zeros; dense is cheaper", found.shareOfZeros()).str());
  return Match::yes();
}

SmallVector<ScheduleAttr> GemmSparseTemplate::candidates(const GroupInfo &group,
                                                         const Target &target) const {
  SparseProduct found;
  matchSparse(group, found);
  return {SparseBlocks::choose(found, target).write(group.getGroup()->getContext(), getName())};
}

Cost GemmSparseTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                              const Target &target) const {
  SparseProduct found;
  matchSparse(group, found);
  SparseBlocks blocks = SparseBlocks::read(schedule, target);
  auto lanes = static_cast<double>(target.lanes(32)), depth = static_cast<double>(found.depth);
  auto columns = static_cast<double>(found.columns), nonzeros = static_cast<double>(found.nonzeros);
  double rows = estimateSize(found.product.rows());
  double panels = std::ceil(rows / static_cast<double>(blocks.panelRows));
  double columnBlocks = std::ceil(columns / static_cast<double>(blocks.columns));
  double depthBlocks = std::ceil(depth / static_cast<double>(blocks.depth));
  double pair = pairCycles(target, blocks.vectors);
  // A list: its end is a jump that is not foreseen; sums come from the L2 cache.
  constexpr double jump = 15;
  double list =
      jump + 2.0 * static_cast<double>(blocks.vectors) / static_cast<double>(target.loadPipes);
  // Transposing takes a load, a store and some shuffles for each vector.
  double transpose = (std::log2(lanes) + 2) / lanes;
  double packed = depth * static_cast<double>(blocks.panelRows) * columnBlocks * transpose;
  double cycles = panels * (nonzeros * pair + depthBlocks * columns * list + packed) +
                  rows * columns * (transpose + 3 / lanes) + 100;
  Cost cost = estimateWork(group);
  double saved = depth * columns - 2 * nonzeros;
  cost.bytes -= saved * static_cast<double>(sizeof(float));
  cost.ns = overlappedTime(cycles / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

std::string GemmSparseTemplate::describeSparsity(const GroupInfo &group, ScheduleAttr schedule,
                                                 const Target &target) const {
  SparseProduct found;
  matchSparse(group, found);
  StorageAttr storage = SparseBlocks::read(schedule, target).storage(found);
  return llvm::formatv("{0}, {1:f0} % of {2}", stringifyEnum(storage.getKind()),
                       100 * (1 - found.shareOfZeros()), found.depth * found.columns);
}

void GemmSparseTemplate::prepare(GroupOp group, ScheduleAttr schedule, const Target &target) const {
  SparseProduct found;
  matchSparse(GroupInfo(group), found);
  StorageAttr storage = SparseBlocks::read(schedule, target).storage(found);
  Value b = found.product.operandB();
  if (findEncoded(b, found.map, storage))
    return;
  OpBuilder builder(group.getContext());
  builder.setInsertionPointAfterValue(b);
  RankedTensorType type = encodedType(storage, found.depth, found.columns);
  auto repack = RepackOp::create(builder, group.getLoc(), type, b, found.map);
  setStorage(repack, storage);
}

//===----------------------------------------------------------------------===//
// Emission
//===----------------------------------------------------------------------===//

SparseEmitter::SparseEmitter(KernelEmitter &kernel, const SparseProduct &sparse,
                             const SparseBlocks &blocks, Value encodedB)
    : kernel(kernel), builder(kernel.builder), loc(kernel.loc), sparse(sparse),
      product(sparse.product), blocks(blocks), code(kernel, kernel.builder.getF32Type()),
      epilogue(kernel, product.op) {
  lists = listWeights = kernel.view(encodedB);
  listWeights.element = code.compute;
  a = kernel.view(product.operandA());
  SmallVector<Value> origin(product.loops->numLoops(), kernel.index(0));
  const Access &access = product.loops->accesses[product.a];
  aStart = kernel.address(a, kernel.accessIndices(product.op, *product.loops, access, origin));
  auto scratch = [&](int64_t lines, int64_t width) {
    BufferView view =
        code.scratch(kernel.constant(lines * width), {kernel.constant(width), kernel.constant(1)});
    kernel.markScratch(view);
    return view;
  };
  panel = scratch(blocks.depth, blocks.panelRows);
  tile = scratch(blocks.columns, blocks.panelRows);
  lines = scratch(code.lanes, blocks.columns);
}

/// Part `number` of `total`, of `size` but for the last one.
SparseEmitter::Range SparseEmitter::rangeOf(Value number, int64_t size, Dim total) {
  Value first = kernel.mul(number, kernel.index(size));
  if (total.isConstant() && total.getConstant() % size == 0)
    return {first, kernel.index(size)};
  Value left = arith::SubIOp::create(builder, loc, kernel.size(total), first);
  return {first, minimum(left, kernel.index(size))};
}

/// Code for each number of vectors that `count` rows may need.
void SparseEmitter::forVectorCounts(Value count, function_ref<void(int64_t)> body) {
  Dim rows = product.rows();
  SmallVector<int64_t> counts = {blocks.vectors};
  if (rows.isConstant()) {
    int64_t rest = rows.getConstant() % blocks.panelRows;
    if (int64_t last = llvm::divideCeil(rest, code.lanes); rest && last != blocks.vectors)
      counts.push_back(last);
  } else {
    counts = llvm::to_vector(llvm::seq_inclusive<int64_t>(1, blocks.vectors));
  }
  Value vectors = arith::CeilDivUIOp::create(builder, loc, count, kernel.index(code.lanes));
  for (int64_t number : counts) {
    if (counts.size() == 1) {
      body(number);
      continue;
    }
    Value is = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, vectors,
                                     kernel.index(number));
    kernel.branch(is, [&] { body(number); });
  }
}

void SparseEmitter::emitTask(Value rowPanel, Value columnBlock) {
  Range rows = rangeOf(rowPanel, blocks.panelRows, product.rows());
  Range columns = rangeOf(columnBlock, blocks.columns, product.columns());
  Dim depth = product.depths();
  Value depthBlocks = kernel.size(depth.ceilDiv(blocks.depth));
  kernel.loop(kernel.index(0), depthBlocks, [&](Value block) {
    pack(rows, rangeOf(block, blocks.depth, depth));
    forVectorCounts(rows.count, [&](int64_t vectors) { multiply(vectors, columns, block); });
  });
  finish(rows, columns);
}

//===----------------------------------------------------------------------===//
// Panels of A
//===----------------------------------------------------------------------===//

/// Rows behind the last one repeat it: nobody reads what comes of them.
Value SparseEmitter::rowOfA(const Range &rows, Value inPanel) {
  Value last = kernel.add(kernel.size(product.rows()), kernel.index(-1));
  Value row = minimum(kernel.add(rows.first, inPanel), last);
  return code.advance(a, aStart, kernel.mul(row, kernel.size(product.aRow)));
}

void SparseEmitter::pack(const Range &rows, const Range &depth) {
  Value vectors = arith::CeilDivUIOp::create(builder, loc, rows.count, kernel.index(code.lanes));
  kernel.loop(kernel.index(0), vectors, [&](Value vector) {
    if (product.aDepth.isConstant(1))
      packVector(rows, vector, depth);
    else
      packElements(rows, vector, depth);
  });
}

/// Squares of A, transposed.
void SparseEmitter::packVector(const Range &rows, Value vector, const Range &depth) {
  int64_t lanes = code.lanes;
  Value first = kernel.mul(vector, kernel.index(lanes));
  SmallVector<Value> sources;
  for (int64_t i = 0; i < lanes; ++i)
    sources.push_back(
        code.advance(a, rowOfA(rows, kernel.add(first, kernel.index(i))), depth.first));
  auto packSquare = [&](Value k, Value mask) {
    SmallVector<Value> square;
    for (Value source : sources) {
      Value address = code.advance(a, source, k);
      square.push_back(mask ? code.load(a, address, lanes, mask) : code.load(a, address, lanes));
    }
    code.transposeSquare(square);
    for (auto [i, line] : llvm::enumerate(square)) {
      Value at = kernel.add(k, kernel.index(static_cast<int64_t>(i)));
      code.store(panel, kernel.address(panel, {at, first}), line);
    }
  };
  Value squares = arith::DivUIOp::create(builder, loc, depth.count, kernel.index(lanes));
  kernel.loop(kernel.index(0), squares,
              [&](Value square) { packSquare(kernel.mul(square, kernel.index(lanes)), {}); });
  if (sparse.depth % lanes == 0)
    return;
  Value whole = kernel.mul(squares, kernel.index(lanes));
  Value isLeft = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::slt, whole, depth.count);
  kernel.branch(isLeft, [&] { packSquare(whole, code.maskBelow(whole, depth.count, lanes)); });
}

/// Where A's rows do not lie in memory one after the other.
void SparseEmitter::packElements(const Range &rows, Value vector, const Range &depth) {
  Value first = kernel.mul(vector, kernel.index(code.lanes));
  kernel.loop(kernel.index(0), kernel.index(code.lanes), [&](Value i) {
    Value inPanel = kernel.add(first, i);
    Value source = rowOfA(rows, inPanel);
    kernel.loop(kernel.index(0), depth.count, [&](Value k) {
      Value far = kernel.mul(kernel.add(depth.first, k), kernel.size(product.aDepth));
      Value element = code.load(a, code.advance(a, source, far), 1);
      code.store(panel, kernel.address(panel, {k, inPanel}), element);
    });
  });
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// A word of the lists.
Value SparseEmitter::loadIndex(Value word) {
  Value loaded = code.load(lists, code.advance(lists, lists.ptr, word), 1);
  return arith::IndexCastUIOp::create(builder, loc, builder.getIndexType(), loaded);
}

void SparseEmitter::multiply(int64_t vectors, const Range &columns, Value block) {
  int64_t starts = countListStarts(blocks.storage(sparse), sparse.depth, sparse.columns);
  Value firstList = kernel.add(kernel.mul(block, kernel.index(sparse.columns)), columns.first);
  kernel.loop(kernel.index(0), columns.count, [&](Value column) {
    Value list = kernel.add(firstList, column);
    Value begin = kernel.add(loadIndex(list), kernel.index(starts));
    Value end = kernel.add(loadIndex(kernel.add(list, kernel.index(1))), kernel.index(starts));
    Value line = kernel.address(tile, {column, kernel.index(0)});
    SmallVector<Value> sums = startSums(vectors, line, block);
    sums = kernel.loop(begin, end, kernel.index(2), sums,
                       [&](Value pair, ValueRange carried) { return addPair(pair, carried); });
    for (auto [v, sum] : llvm::enumerate(sums)) {
      Value at = kernel.index(static_cast<int64_t>(v) * code.lanes);
      code.store(tile, code.advance(tile, line, at), sum);
    }
  });
}

/// What the blocks of the depth before this one gave.
SmallVector<Value> SparseEmitter::startSums(int64_t vectors, Value line, Value block) {
  SmallVector<Type> types(vectors, code.typeOf(code.lanes));
  Value isFirst =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, block, kernel.index(0));
  return kernel.branch(
      isFirst, types, [&] { return SmallVector<Value>(vectors, code.constant(0, code.lanes)); },
      [&] {
        SmallVector<Value> sums;
        for (int64_t v = 0; v < vectors; ++v) {
          Value at = code.advance(tile, line, kernel.index(v * code.lanes));
          sums.push_back(code.load(tile, at, code.lanes));
        }
        return sums;
      });
}

SmallVector<Value> SparseEmitter::addPair(Value pair, ValueRange sums) {
  Value offset = loadIndex(pair);
  Value wide = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), offset);
  Value row = LLVM::GEPOp::create(builder, loc, panel.ptr.getType(), builder.getI8Type(), panel.ptr,
                                  ArrayRef<LLVM::GEPArg>{wide}, LLVM::GEPNoWrapFlags::inbounds);
  Value next = kernel.add(pair, kernel.index(1));
  Value weight = code.load(listWeights, code.advance(listWeights, lists.ptr, next), 1);
  Value factor = code.splat(weight, code.lanes);
  SmallVector<Value> added;
  for (auto [v, sum] : llvm::enumerate(sums)) {
    Value at = kernel.index(static_cast<int64_t>(v) * code.lanes);
    Value elements = code.load(panel, code.advance(panel, row, at), code.lanes);
    added.push_back(code.fma(elements, factor, sum));
  }
  return added;
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

/// The tile's sums as lines of columns, a vector of rows at a time, for the epilogue.
void SparseEmitter::finish(const Range &rows, const Range &columns) {
  int64_t lanes = code.lanes;
  Value vectors = arith::CeilDivUIOp::create(builder, loc, rows.count, kernel.index(lanes));
  Value squares = arith::CeilDivUIOp::create(builder, loc, columns.count, kernel.index(lanes));
  kernel.loop(kernel.index(0), vectors, [&](Value vector) {
    Value firstRow = kernel.mul(vector, kernel.index(lanes));
    kernel.loop(kernel.index(0), squares, [&](Value number) {
      Value column = kernel.mul(number, kernel.index(lanes));
      SmallVector<Value> square;
      for (int64_t i = 0; i < lanes; ++i) {
        Value at = kernel.add(column, kernel.index(i));
        square.push_back(code.load(tile, kernel.address(tile, {at, firstRow}), lanes));
      }
      code.transposeSquare(square);
      for (int64_t i = 0; i < lanes; ++i)
        code.store(lines, kernel.address(lines, {kernel.index(i), column}), square[i]);
    });
    Value left = arith::SubIOp::create(builder, loc, rows.count, firstRow);
    kernel.loop(kernel.index(0), minimum(left, kernel.index(lanes)), [&](Value i) {
      Value row = kernel.add(kernel.add(rows.first, firstRow), i);
      finishRow(row, kernel.address(lines, {i, kernel.index(0)}), columns);
    });
  });
}

void SparseEmitter::finishRow(Value row, Value line, const Range &columns) {
  SmallVector<Value> point(product.loops->numLoops());
  for (auto [loop, i] :
       llvm::zip(product.row, kernel.delinearize(row, product.extents(product.row))))
    point[loop] = i;
  kernel.loop(kernel.index(0), columns.count, [&](Value column) {
    point[*product.column] = kernel.add(columns.first, column);
    SmallVector<Value> indices;
    for (auto [i, iterator] : llvm::zip(point, product.loops->iterators))
      if (iterator != Iterator::Reduction)
        indices.push_back(i);
    epilogue.emitPoint(indices, code.load(lines, code.advance(lines, line, column), 1));
  });
  annotateVectorLoop(kernel, code.lanes);
}

/// Multiply-adds that a part should have at least.
static constexpr double kWorkPerPart = 1 << 16;

void SparseEmitter::emit() {
  SmallVector<Dim> tasks = {product.rows().ceilDiv(blocks.panelRows),
                            product.columns().ceilDiv(blocks.columns)};
  double perTask =
      static_cast<double>(sparse.nonzeros) * estimateSize(product.rows()) / estimateSize(tasks);
  Dim total = dsc::product(builder.getContext(), tasks);
  kernel.partCount = countParts(total, perTask, kWorkPerPart);
  auto [first, end] = kernel.share(kernel.size(total));
  kernel.loop(first, end, [&](Value task) {
    SmallVector<Value> indices = kernel.delinearize(task, tasks);
    emitTask(indices[0], indices[1]);
  });
}

LogicalResult GemmSparseTemplate::emit(KernelEmitter &kernel, ScheduleAttr schedule) const {
  SparseProduct found;
  if (Match match = matchSparse(kernel.group, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  SparseBlocks blocks = SparseBlocks::read(schedule, kernel.target);
  Value lists = findEncoded(found.product.operandB(), found.map, blocks.storage(found));
  if (!lists)
    return kernel.group.getGroup()->emitOpError("B has no lists of nonzeros");
  SparseEmitter(kernel, found, blocks, lists).emit();
  return success();
}

const Template &gemmSparseTemplate() {
  static const GemmSparseTemplate instance;
  return instance;
}

} // namespace dsc
