//===- PanelEngine.cpp - products of matrices in register tiles -----------===//
#include "PanelEngine.h"

#include "dsc/Codegen/Common/Anchor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Choosing tiles and blocks
//===----------------------------------------------------------------------===//

PanelBlocks PanelBlocks::read(ScheduleAttr schedule) {
  ArrayRef<int64_t> tile = schedule.getTile(), block = schedule.getBlock();
  return {tile[0], tile[1], block[0], block[1], block[2], block[3]};
}

ScheduleAttr PanelBlocks::write(MLIRContext *context, StringRef name, DictionaryAttr params) const {
  return ScheduleAttr::get(context, name, {rows, vectors},
                           {blockRows, blockPanels, blockDepth, cacheRows}, 1, {}, 1, params);
}

int64_t maxTileRows(const Target &target, int64_t vectors) {
  // Sums, the shorter side's operands, and one register for the other side's.
  int64_t rows = 0;
  while ((rows + 1) * vectors + std::min(rows + 1, vectors) + 1 <= target.vectorRegisters)
    ++rows;
  return rows;
}

/// Cycles of one step of k for one register tile.
static double tileCycles(const Target &target, int64_t rows, int64_t vectors) {
  double multiplies = static_cast<double>(rows * vectors) / target.fmaPipes;
  double loads = static_cast<double>(rows + vectors) / target.loadPipes;
  return std::max({multiplies, loads, static_cast<double>(target.fmaLatency)});
}

/// Cycles of one step of k for `rows` rows of one panel, evenly split.
static double rowCycles(const Target &target, int64_t rows, int64_t tileRows, int64_t vectors) {
  int64_t tiles = llvm::divideCeil(rows, tileRows), low = rows / tiles, high = rows - low * tiles;
  return static_cast<double>(high) * tileCycles(target, low + 1, vectors) +
         static_cast<double>(tiles - high) * tileCycles(target, low, vectors);
}

double panelCycles(const Target &target, double rows, double columns, const PanelBlocks &blocks,
                   bool arePacked) {
  auto wholeRows = std::max<int64_t>(1, std::llround(rows));
  auto vectors = static_cast<int64_t>(std::ceil(columns / static_cast<double>(target.lanes(32))));
  int64_t panels = llvm::divideCeil(vectors, blocks.vectors);
  auto cycles = [&](int64_t width) {
    int64_t tileRows = width == blocks.vectors ? blocks.rows : maxTileRows(target, width);
    return rowCycles(target, wholeRows, std::min(wholeRows, tileRows), width);
  };
  if (arePacked)
    return static_cast<double>(panels) * cycles(blocks.vectors);
  int64_t narrow = vectors / panels, wide = vectors - narrow * panels;
  return static_cast<double>(panels - wide) * cycles(narrow) +
         (wide > 0 ? static_cast<double>(wide) * cycles(narrow + 1) : 0);
}

/// `size` cut into equal pieces of at most `most`, in multiples of `unit`.
static int64_t evenPiece(int64_t size, int64_t most, int64_t unit) {
  int64_t units = llvm::divideCeil(size, unit);
  int64_t mostUnits = std::max<int64_t>(1, most / unit);
  int64_t pieces = llvm::divideCeil(units, mostUnits);
  return llvm::divideCeil(units, std::max<int64_t>(1, pieces)) * unit;
}

PanelBlocks choosePanelBlocks(const Target &target, const PanelSizes &sizes, int64_t vectors,
                              bool arePacked, int64_t depthUnit, const PanelRows &rowsOfB) {
  PanelBlocks blocks;
  blocks.vectors = vectors;
  blocks.rows = maxTileRows(target, vectors);
  auto rows = static_cast<int64_t>(estimateSize(sizes.rows));
  // Blocks of nothing have a size as well.
  auto depth = std::max<int64_t>(1, static_cast<int64_t>(estimateSize(sizes.depth)));
  if (sizes.rows.isConstant())
    blocks.rows = std::max<int64_t>(1, std::min(blocks.rows, rows));
  constexpr int64_t bytes = sizeof(float);
  int64_t columns = vectors * target.lanes(32);
  // A panel's part stays in the L2 cache while all rows pass over it: the longer it is,
  // the less often are sums stored.
  int64_t mostPanelRows = target.l2Bytes / 8 / (rowsOfB.width(vectors, target.lanes(32)) * bytes);
  auto stepsOfRow = static_cast<int64_t>(rowsOfB.steps.size());
  int64_t mostDepth = std::max(depthUnit, mostPanelRows * stepsOfRow);
  blocks.blockDepth = sizes.depth.isConstant()
                          ? evenPiece(depth, mostDepth, depthUnit)
                          : std::max(depthUnit, mostDepth / depthUnit * depthUnit);
  // What is read once needs no cache.
  if (arePacked && sizes.depth.isConstant() && sizes.rows.isConstant() && rows <= blocks.rows)
    blocks.blockDepth = depth;
  // Rows: their part of A stays in the L2 cache while panels pass over it. Where each
  // block of rows has to pack the panels again, blocks are large, and go through
  // the panels in several turns.
  constexpr int64_t fewRows = 128, manyRows = 256;
  int64_t cachedRows = target.l2Bytes / 2 / (blocks.blockDepth * bytes);
  int64_t mostRows = arePacked ? fewRows : manyRows;
  blocks.blockRows = sizes.rows.isConstant() ? evenPiece(rows, mostRows, 1) : mostRows;
  // All of the rows' part of A in the cache: one panel after the other may go through
  // the whole depth. Else several panels share what is loaded.
  bool fits = blocks.blockRows * depth * bytes <= target.l2Bytes / 2;
  int64_t panels = llvm::divideCeil(static_cast<int64_t>(estimateSize(sizes.columns)), columns);
  if (sizes.lines)
    panels *= static_cast<int64_t>(estimateSize(sizes.lines));
  constexpr int64_t sharingPanels = 4;
  blocks.blockPanels = fits ? 1 : evenPiece(std::max<int64_t>(1, panels), sharingPanels, 1);
  int64_t turns = arePacked || blocks.blockPanels == 1
                      ? 1
                      : llvm::divideCeil(blocks.blockRows, std::max(2 * blocks.rows, cachedRows));
  blocks.cacheRows = llvm::divideCeil(blocks.blockRows, turns);
  return blocks;
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

PanelEngine::PanelEngine(VectorCode &code, const PanelSizes &sizes, const PanelBlocks &blocks,
                         const PanelRows &rows)
    : code(code), kernel(code.kernel), builder(code.builder), loc(code.loc), sizes(sizes),
      blocks(blocks), rowsOfB(rows) {
  elements.element = code.compute;
  kernel.markScratch(elements);
}

BufferView PanelEngine::scratch(int64_t elements, int64_t rowStride) {
  BufferView view =
      code.scratch(kernel.constant(elements), {kernel.constant(rowStride), kernel.constant(1)});
  kernel.markScratch(view);
  return view;
}

Dim PanelEngine::panels() const {
  Dim ofLine = sizes.columns.ceilDiv(panelColumns());
  return sizes.lines ? sizes.lines * ofLine : ofLine;
}

Value PanelEngine::panelsOfLine() { return kernel.size(sizes.columns.ceilDiv(panelColumns())); }

/// Vectors of a line before its panel `number`.
Value PanelEngine::vectorsBefore(Value number) {
  if (!widePanels)
    return kernel.mul(number, kernel.index(blocks.vectors));
  Value vectors = kernel.mul(number, kernel.index(narrowVectors));
  if (*widePanels == 0)
    return vectors;
  return kernel.add(vectors, minimum(number, kernel.index(*widePanels)));
}

/// Where a panel starts.
PanelColumn PanelEngine::columnOf(Value number) {
  Value line = kernel.index(0);
  if (sizes.lines) {
    line = arith::DivUIOp::create(builder, loc, number, panelsOfLine());
    number = arith::RemUIOp::create(builder, loc, number, panelsOfLine());
  }
  return {line, kernel.mul(vectorsBefore(number), kernel.index(code.lanes))};
}

/// Rows of a tile that is `vectors` wide.
int64_t PanelEngine::mostRows(int64_t vectors) const {
  if (vectors == blocks.vectors)
    return blocks.rows;
  int64_t rows = maxTileRows(kernel.target, vectors);
  return sizes.rows.isConstant() ? std::min(rows, sizes.rows.getConstant()) : rows;
}

Dim PanelEngine::countRowBlocks() const { return sizes.rows.ceilDiv(blocks.blockRows); }
Dim PanelEngine::countColumnBlocks() const { return panels().ceilDiv(blocks.blockPanels); }

Value PanelEngine::minimum(Value a, Value b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return *x < *y ? a : b;
  return arith::MinSIOp::create(builder, loc, a, b);
}

Value PanelEngine::maximum(Value a, Value b) {
  std::optional<int64_t> x = getConstantIntValue(a), y = getConstantIntValue(b);
  if (x && y)
    return *x > *y ? a : b;
  return arith::MaxSIOp::create(builder, loc, a, b);
}

/// Part `number` of `count` nearly equal parts of `total`.
PanelEngine::Range PanelEngine::split(Dim total, Dim count, Value number) {
  if (count.isConstant(1))
    return {kernel.index(0), kernel.size(total)};
  auto bound = [&](Value i) -> Value {
    return arith::DivUIOp::create(builder, loc, kernel.mul(i, kernel.size(total)),
                                  kernel.size(count));
  };
  return {bound(number), bound(kernel.add(number, kernel.index(1)))};
}

/// Calls `body` with the sizes that nearly equal parts of `total` have.
static void forParts(int64_t total, int64_t count, function_ref<void(int64_t)> body) {
  if (count == 0)
    return;
  body(total / count);
  if (total % count != 0)
    body(total / count + 1);
}

/// All numbers of rows that tiles may have.
SmallVector<int64_t> PanelEngine::tileRows(int64_t vectors) const {
  llvm::SmallSet<int64_t, 8> counts;
  int64_t most = mostRows(vectors);
  if (!sizes.rows.isConstant()) {
    for (int64_t count = 1; count <= most; ++count)
      counts.insert(count);
  } else {
    int64_t rows = sizes.rows.getConstant();
    int64_t turns = llvm::divideCeil(blocks.blockRows, blocks.cacheRows);
    forParts(rows, llvm::divideCeil(rows, blocks.blockRows), [&](int64_t block) {
      forParts(block, turns, [&](int64_t turn) {
        forParts(turn, llvm::divideCeil(turn, most), [&](int64_t count) { counts.insert(count); });
      });
    });
  }
  SmallVector<int64_t> sorted(counts.begin(), counts.end());
  llvm::sort(sorted);
  return sorted;
}

bool PanelEngine::isOneDepthBlock() const {
  return sizes.depth.isConstant() && sizes.depth.getConstant() <= blocks.blockDepth;
}

/// Splits the vectors of a line evenly, where that is known.
void PanelEngine::splitColumns() {
  if (!sizes.columns.isConstant() || sizes.columns.getConstant() <= 0)
    return;
  int64_t vectors = llvm::divideCeil(sizes.columns.getConstant(), code.lanes);
  int64_t count = llvm::divideCeil(vectors, blocks.vectors);
  narrowVectors = vectors / count;
  widePanels = vectors - narrowVectors * count;
}

void PanelEngine::emitBlock(Value rowBlock, Value columnBlock, const PanelOperands &operands) {
  Range rows = split(sizes.rows, countRowBlocks(), rowBlock);
  Range panelRange = split(panels(), countColumnBlocks(), columnBlock);
  int64_t tileWidth = blocks.blockPanels * panelColumns();
  if (operands.pack)
    splitColumns();
  bool keepsSums = !operands.vectorEpilogue || !isOneDepthBlock();
  if (keepsSums && !buffer.ptr)
    buffer = scratch(blocks.blockRows * tileWidth, tileWidth);
  if (operands.pack && !panel.ptr) {
    int64_t packedPanels = keepsRows() ? blocks.blockPanels : 1;
    int64_t width = rowsOfB.width(blocks.vectors, code.lanes);
    auto steps = static_cast<int64_t>(rowsOfB.steps.size());
    panel = scratch(packedPanels * (blocks.blockDepth / steps) * width, width);
  }
  Value depth = kernel.size(sizes.depth), step = kernel.index(blocks.blockDepth);
  // Sums of nothing are stored too.
  Value end = maximum(depth, kernel.index(1));
  kernel.loop(kernel.index(0), end, step, {}, [&](Value first, ValueRange) {
    Value count = minimum(step, arith::SubIOp::create(builder, loc, depth, first));
    if (isOneDepthBlock()) {
      first = kernel.index(0);
      count = depth;
    }
    emitDepthBlock(first, count, rows, panelRange, operands);
    return SmallVector<Value>();
  });
  if (!operands.vectorEpilogue)
    emitEpilogue(rows, panelRange, operands);
}

/// Rows [first, first + count) of B, in the block's panel `number`.
PanelEngine::Panel PanelEngine::panelAt(Value number, int64_t vectors, Value first, Value count,
                                        Range panelRange, const PanelOperands &operands) {
  Panel found{{}, first, count, {}, columnOf(number), vectors};
  Value inBlock = arith::SubIOp::create(builder, loc, number, panelRange.begin);
  if (buffer.ptr) {
    // Without lines there are no gaps between columns.
    Value columns = kernel.mul(inBlock, kernel.index(panelColumns()));
    if (!sizes.lines)
      columns = arith::SubIOp::create(builder, loc, found.first.column,
                                      columnOf(panelRange.begin).column);
    found.sums = code.advance(elements, buffer.ptr, columns);
  }
  if (operands.pack) {
    found.address = panel.ptr;
    int64_t most = blocks.blockDepth / static_cast<int64_t>(rowsOfB.steps.size()) *
                   rowsOfB.width(blocks.vectors, code.lanes);
    if (keepsRows())
      found.address = code.advance(elements, panel.ptr, kernel.mul(inBlock, kernel.index(most)));
    return found;
  }
  found.address = code.advance(elements, operands.packed(found.first.column),
                               kernel.mul(first, kernel.index(operands.groupColumns)));
  return found;
}

void PanelEngine::pack(const Panel &filled, const PanelOperands &operands) {
  if (!operands.pack)
    return;
  BufferView view = panel;
  view.ptr = filled.address;
  view.strides = {kernel.index(rowsOfB.width(filled.vectors, code.lanes)), kernel.index(1)};
  operands.pack(view, filled.vectors, filled.first, filled.depth, filled.count);
}

/// Calls `body` for panels with their number of vectors.
void PanelEngine::forPanels(Range range, function_ref<void(Value, int64_t)> body) {
  kernel.loop(range.begin, range.end, [&](Value number) {
    if (!widePanels || *widePanels == 0)
      return body(number, widePanels ? narrowVectors : blocks.vectors);
    Value inLine =
        sizes.lines ? arith::RemUIOp::create(builder, loc, number, panelsOfLine()) : number;
    Value isWide = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, inLine,
                                         kernel.index(*widePanels));
    kernel.branch(
        isWide, {}, [&] { return body(number, narrowVectors + 1), SmallVector<Value>(); },
        [&] { return body(number, narrowVectors), SmallVector<Value>(); });
  });
}

void PanelEngine::emitDepthBlock(Value first, Value count, Range rows, Range panelRange,
                                 const PanelOperands &operands) {
  auto forEach = [&](function_ref<void(const Panel &)> body) {
    forPanels(panelRange, [&](Value number, int64_t vectors) {
      body(panelAt(number, vectors, first, count, panelRange, operands));
    });
  };
  if (!keepsRows()) {
    forEach([&](const Panel &panel) {
      pack(panel, operands);
      emitPanel(panel, rows, rows.begin, operands);
    });
    return;
  }
  forEach([&](const Panel &panel) { pack(panel, operands); });
  int64_t turns = llvm::divideCeil(blocks.blockRows, blocks.cacheRows);
  Value total = arith::SubIOp::create(builder, loc, rows.end, rows.begin);
  auto bound = [&](Value turn) -> Value {
    Value part = arith::DivUIOp::create(builder, loc, kernel.mul(turn, total), kernel.index(turns));
    return kernel.add(rows.begin, part);
  };
  kernel.loop(kernel.index(0), kernel.index(turns), [&](Value turn) {
    Range some{bound(turn), bound(kernel.add(turn, kernel.index(1)))};
    forEach([&](const Panel &panel) { emitPanel(panel, some, rows.begin, operands); });
  });
}

/// Rows by one panel: tiles of one more row first. `firstRow`: where `buffer` starts.
void PanelEngine::emitPanel(const Panel &panel, Range rows, Value firstRow,
                            const PanelOperands &operands) {
  Value total = arith::SubIOp::create(builder, loc, rows.end, rows.begin);
  Value tiles =
      arith::CeilDivUIOp::create(builder, loc, total, kernel.index(mostRows(panel.vectors)));
  // A turn may have no rows.
  tiles = maximum(tiles, kernel.index(1));
  Value low = arith::DivUIOp::create(builder, loc, total, tiles);
  Value high = arith::SubIOp::create(builder, loc, total, kernel.mul(low, tiles));
  Value a = code.advance(operands.aView, operands.a, kernel.mul(panel.depth, operands.aDepth));
  for (int64_t count : tileRows(panel.vectors)) {
    auto equals = [&](Value x) -> Value {
      return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, x, kernel.index(count));
    };
    Value isLow = equals(low), isHigh = equals(kernel.add(low, kernel.index(1)));
    auto choose = [&](Value condition, Value yes, Value no) -> Value {
      return arith::SelectOp::create(builder, loc, condition, yes, no);
    };
    Value from = choose(isLow, high, kernel.index(0));
    Value to = choose(isLow, tiles, choose(isHigh, high, kernel.index(0)));
    kernel.loop(from, to, [&](Value number) {
      Value row = kernel.add(kernel.mul(number, low), minimum(number, high));
      Value absolute = kernel.add(rows.begin, row);
      Tile tile{count, absolute, {}, {}};
      tile.a = code.advance(operands.aView, a, kernel.mul(absolute, operands.aRow));
      if (buffer.ptr) {
        Value inBlock = arith::SubIOp::create(builder, loc, absolute, firstRow);
        tile.sums = code.advance(elements, panel.sums, kernel.mul(inBlock, buffer.strides[0]));
      }
      emitTile(tile, panel, operands);
    });
  }
}

//===----------------------------------------------------------------------===//
// Register tiles
//===----------------------------------------------------------------------===//

/// The address, as a value of which LLVM does not know where it comes from: it would
/// compute it again for each load in the loop, as it moves no division out of loops.
Value PanelEngine::keepOutside(Value address) {
  return LLVM::LaunderInvariantGroupOp::create(builder, loc, address);
}

/// The address of sums of a tile in `buffer`.
Value PanelEngine::inBuffer(const Tile &tile, int64_t row, int64_t vector) {
  int64_t columns = blocks.blockPanels * panelColumns();
  return code.advance(elements, tile.sums, kernel.index(row * columns + vector * code.lanes));
}

/// Zeros, or the sums of the depth before the panel's.
SmallVector<Value> PanelEngine::startSums(const Tile &tile, const Panel &panel) {
  auto zeros = [&] {
    return SmallVector<Value>(tile.rows * panel.vectors, code.constant(0, code.lanes));
  };
  auto loaded = [&] {
    SmallVector<Value> sums;
    for (int64_t row = 0; row < tile.rows; ++row)
      for (int64_t v = 0; v < panel.vectors; ++v)
        sums.push_back(code.load(buffer, inBuffer(tile, row, v), code.lanes));
    return sums;
  };
  if (isConstantIntValue(panel.depth, 0))
    return zeros();
  Value isFirst =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, panel.depth, kernel.index(0));
  SmallVector<Type> types(tile.rows * panel.vectors, code.typeOf(code.lanes));
  return kernel.branch(isFirst, types, zeros, loaded);
}

/// Whether A is one row behind the other, and all of their depth in one block.
bool PanelEngine::areRowsDense(const PanelOperands &operands) const {
  return isOneDepthBlock() && isConstantIntValue(operands.aRow, sizes.depth.getConstant());
}

/// Where the next tile's rows of A start to be fetched while this one is computed, and
/// how much is left of the first; nothing where A is not read along its rows, or where
/// finding their ends would take as long as the steps.
SmallVector<Value> PanelEngine::startAhead(const Tile &tile, const Panel &panel,
                                           const PanelOperands &operands) {
  bool isCheap =
      areRowsDense(operands) || (rowsOfB.steps.size() > 1 && getConstantIntValue(operands.aRow));
  if (!isConstantIntValue(operands.aDepth, 1) || !isCheap)
    return {};
  Value ofTile = kernel.mul(kernel.index(tile.rows), operands.aRow);
  return {keepOutside(code.advance(operands.aView, tile.a, ofTile)), panel.count};
}

/// Fetches a line of the next tile. A step of this tile reads one element of each row,
/// so that many elements of one row are passed; at its end follows the next row.
SmallVector<Value> PanelEngine::fetchAhead(ArrayRef<Value> ahead, int64_t elements,
                                           const Panel &panel, const PanelOperands &operands) {
  LLVM::Prefetch::create(builder, loc, ahead[0], /*rw=*/0, /*hint=*/3, /*cache=*/1);
  Value next = code.advance(operands.aView, ahead[0], kernel.index(elements));
  if (areRowsDense(operands))
    return {next, ahead[1]};
  Value left = arith::SubIOp::create(builder, loc, ahead[1], kernel.index(elements));
  Value isEnd =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, left, kernel.index(0));
  Value gap = arith::SubIOp::create(builder, loc, operands.aRow, panel.count);
  return {code.select(isEnd, code.advance(operands.aView, next, gap), next),
          code.select(isEnd, kernel.add(left, panel.count), left)};
}

/// Rows of a panel that a round of the innermost loop takes: products of pairs are two
/// instructions each, so that what the loop itself needs counts.
int64_t PanelEngine::rowsAtOnce() const {
  bool isShort = rowsOfB.steps.size() == 1 && !isa<FloatType>(code.compute);
  return isShort && isOneDepthBlock() && sizes.depth.getConstant() % 2 == 0 ? 2 : 1;
}

void PanelEngine::emitTile(const Tile &tile, const Panel &panel, const PanelOperands &operands) {
  SmallVector<Value> sums = startSums(tile, panel);
  SmallVector<Value> rowOffsets;
  for (int64_t row = 0; row < tile.rows; ++row)
    rowOffsets.push_back(kernel.mul(kernel.index(row), operands.aRow));
  int64_t rows = rowsAtOnce(), steps = rows * static_cast<int64_t>(rowsOfB.steps.size());
  int64_t width =
      operands.packed ? operands.groupColumns : rowsOfB.width(panel.vectors, code.lanes);
  auto count = static_cast<int64_t>(sums.size());
  sums.append({keepOutside(tile.a), keepOutside(panel.address)});
  sums.append(startAhead(tile, panel, operands));
  auto body = [&](Value, ValueRange carried) {
    SmallVector<Value> next(carried.take_front(count)), rest(carried.drop_front(count));
    Value atA = rest[0], atB = rest[1];
    for (int64_t row = 0; row < rows; ++row)
      for (const PanelRows::Step &step : rowsOfB.steps) {
        int64_t offset = row * width + rowsOfB.offset(step, panel.vectors, code.lanes);
        next = emitStep(atA, code.advance(elements, atB, kernel.index(offset)), rowOffsets,
                        panel.vectors, operands, next);
        atA = code.advance(operands.aView, atA, operands.aDepth);
      }
    next.append({atA, code.advance(elements, atB, kernel.index(rows * width))});
    if (rest.size() > 2)
      next.append(fetchAhead(ArrayRef(rest).drop_front(2), steps * tile.rows, panel, operands));
    return next;
  };
  sums = kernel.loop(kernel.index(0), panel.count, kernel.index(steps), sums, body);
  finishTile(tile, panel, ValueRange(sums).take_front(count), operands);
}

/// The sums after one more step of k, from A's column at `a` and B's row at `b`. The
/// shorter side's operands stay in registers while the other side's pass.
SmallVector<Value> PanelEngine::emitStep(Value a, Value b, ArrayRef<Value> rowOffsets,
                                         int64_t vectors, const PanelOperands &operands,
                                         ValueRange sums) {
  SmallVector<Value> next(sums);
  auto count = static_cast<int64_t>(rowOffsets.size());
  auto loadA = [&](int64_t row) {
    Value at = code.advance(operands.aView, a, rowOffsets[row]);
    return code.splat(code.load(operands.aView, at, 1), code.lanes);
  };
  auto loadB = [&](int64_t v) {
    int64_t at = v * code.lanes;
    if (operands.packed)
      at = at / operands.groupColumns * operands.groupPitch + at % operands.groupColumns;
    return code.load(elements, code.advance(elements, b, kernel.index(at)), code.lanes);
  };
  auto multiply = [&](int64_t row, int64_t v, Value x, Value y) {
    Value &sum = next[row * vectors + v];
    sum = isa<FloatType>(code.compute) ? code.fma(x, y, sum) : code.fmaPairs(x, y, sum);
  };
  if (vectors <= count) {
    SmallVector<Value> columns = llvm::map_to_vector(llvm::seq(vectors), loadB);
    for (int64_t row = 0; row < count; ++row) {
      Value x = loadA(row);
      for (int64_t v = 0; v < vectors; ++v)
        multiply(row, v, x, columns[v]);
    }
    return next;
  }
  SmallVector<Value> elements = llvm::map_to_vector(llvm::seq(count), loadA);
  for (int64_t v = 0; v < vectors; ++v) {
    Value y = loadB(v);
    for (int64_t row = 0; row < count; ++row)
      multiply(row, v, elements[row], y);
  }
  return next;
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

void PanelEngine::finishTile(const Tile &tile, const Panel &panel, ValueRange sums,
                             const PanelOperands &operands) {
  auto keep = [&] {
    for (int64_t row = 0; row < tile.rows; ++row)
      for (int64_t v = 0; v < panel.vectors; ++v)
        code.store(buffer, inBuffer(tile, row, v), sums[row * panel.vectors + v]);
    return SmallVector<Value>();
  };
  if (!operands.vectorEpilogue) {
    keep();
    return;
  }
  auto emit = [&](bool areFull) {
    emitVectors(tile, panel, sums, areFull, operands);
    return SmallVector<Value>();
  };
  auto results = [&] {
    Value full = isFull(panel);
    if (full)
      kernel.branch(full, {}, [&] { return emit(true); }, [&] { return emit(false); });
    else
      emit(true);
    return SmallVector<Value>();
  };
  if (isOneDepthBlock()) {
    results();
    return;
  }
  Value isLast =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                            kernel.add(panel.depth, panel.count), kernel.size(sizes.depth));
  kernel.branch(isLast, {}, results, keep);
}

/// i1: all columns of the panel exist; null: they always do.
Value PanelEngine::isFull(const Panel &panel) {
  int64_t unit = widePanels ? code.lanes : panelColumns();
  if (sizes.columns.isConstant() && sizes.columns.getConstant() % unit == 0)
    return {};
  Value end = kernel.add(panel.first.column, kernel.index(panel.vectors * code.lanes));
  return arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, end,
                               kernel.size(sizes.columns));
}

/// The results of a tile from the registers that hold its sums.
void PanelEngine::emitVectors(const Tile &tile, const Panel &panel, ValueRange sums, bool areFull,
                              const PanelOperands &operands) {
  SmallVector<Value> columns, masks;
  for (int64_t v = 0; v < panel.vectors; ++v) {
    columns.push_back(kernel.add(panel.first.column, kernel.index(v * code.lanes)));
    // Where vectors are split evenly only the last one is padded.
    bool exists = areFull || (widePanels && v + 1 < panel.vectors);
    masks.push_back(exists ? Value()
                           : code.maskBelow(columns[v], kernel.size(sizes.columns), code.lanes));
  }
  for (int64_t row = 0; row < tile.rows; ++row) {
    auto finish = operands.vectorEpilogue(kernel.add(tile.firstRow, kernel.index(row)));
    for (int64_t v = 0; v < panel.vectors; ++v)
      finish({panel.first.line, columns[v]}, sums[row * panel.vectors + v], masks[v]);
  }
}

/// The results of a block whose sums are in `buffer`.
void PanelEngine::emitEpilogue(Range rows, Range panelRange, const PanelOperands &operands) {
  int64_t most = blocks.blockPanels * panelColumns();
  assert(!sizes.lines && "lines need an epilogue of vectors");
  Value first = columnOf(panelRange.begin).column;
  Value end = minimum(columnOf(panelRange.end).column, kernel.size(sizes.columns));
  Value columns = arith::SubIOp::create(builder, loc, end, first);
  // Where all blocks are full, that is known.
  if (sizes.columns.isConstant() && sizes.columns.getConstant() % most == 0)
    columns = kernel.index(most);
  kernel.loop(rows.begin, rows.end, [&](Value row) {
    PanelOperands::Point point = operands.epilogue(row);
    Value inBlock = arith::SubIOp::create(builder, loc, row, rows.begin);
    Value line = code.advance(buffer, buffer.ptr, kernel.mul(inBlock, buffer.strides[0]));
    auto emitLine = [&](Value count) {
      kernel.loop(kernel.index(0), count, [&](Value i) {
        Value sum = code.load(buffer, code.advance(buffer, line, i), 1);
        point(kernel.add(first, i), sum);
      });
      annotateVectorLoop(kernel, code.lanes);
      return SmallVector<Value>();
    };
    if (isConstantIntValue(columns, most)) {
      emitLine(columns);
      return;
    }
    Value isFull =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, columns, kernel.index(most));
    kernel.branch(
        isFull, {}, [&] { return emitLine(kernel.index(most)); },
        [&] { return emitLine(columns); });
  });
}

} // namespace dsc
