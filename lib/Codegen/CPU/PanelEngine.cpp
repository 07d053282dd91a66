//===- PanelEngine.cpp - products of matrices in register tiles -----------===//
#include "PanelEngine.h"

#include "dsc/Codegen/Common/Anchor.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SmallSet.h"

using namespace mlir;

namespace dsc {

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
  Value vectors = kernel.mul(number, narrowVectors);
  if (isConstantIntValue(widePanels, 0))
    return vectors;
  return kernel.add(vectors, minimum(number, widePanels));
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

bool PanelEngine::isSplitInRun() const { return widePanels && !sizes.columns.isConstant(); }

/// Rows of a tile that is `vectors` wide.
int64_t PanelEngine::mostRows(int64_t vectors) const {
  if (vectors == blocks.vectors)
    return blocks.rows;
  int64_t most = maxTileRows(kernel.target, vectors);
  if (!sizes.rows.isConstant())
    return most;
  int64_t rows = sizes.rows.getConstant();
  most = std::min(most, std::max<int64_t>(1, rows));
  // Tiles that are seldom used have one size rather than the best.
  for (int64_t count = most; isSplitInRun() && count > most / 2; --count)
    if (rows % count == 0)
      return count;
  return most;
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

/// The widths of panels of at most `most` vectors that lines of at least `least` vectors
/// are evenly split into, the largest first.
static SmallVector<int64_t> widthsFrom(int64_t least, int64_t most) {
  llvm::SmallSet<int64_t, 8> found;
  for (int64_t line = least; line <= most * std::max(least, most); ++line)
    forParts(line, llvm::divideCeil(line, most), [&](int64_t width) { found.insert(width); });
  SmallVector<int64_t> widths(found.begin(), found.end());
  llvm::sort(widths, std::greater<>());
  return widths;
}

/// Splits the vectors of a line evenly. Where only the run knows how many there are, there
/// is code for each width: too much of it where also tiles may have any number of rows.
void PanelEngine::splitColumns() {
  bool isKnown = sizes.columns.isConstant();
  if (isKnown ? sizes.columns.getConstant() <= 0 : !sizes.rows.isConstant())
    return;
  Dim vectors = sizes.columns.ceilDiv(code.lanes);
  Dim count = Dim::max(kernel.constant(1), sizes.columns.ceilDiv(panelColumns()));
  Dim narrow = vectors.floorDiv(count), wide = vectors - narrow * count;
  narrowVectors = kernel.size(narrow);
  widePanels = kernel.size(wide);
  if (!isKnown)
    widths = widthsFrom(sizes.leastOfLine, blocks.vectors);
  else if (wide.isConstant(0))
    widths = {narrow.getConstant()};
  else
    widths = {narrow.getConstant() + 1, narrow.getConstant()};
}

void PanelEngine::emitBlock(Value rowBlock, Value columnBlock, const PanelOperands &operands) {
  Range rows = split(sizes.rows, countRowBlocks(), rowBlock);
  Range panelRange = split(panels(), countColumnBlocks(), columnBlock);
  int64_t tileWidth = blocks.blockPanels * panelColumns();
  widths = {blocks.vectors};
  if (operands.pack)
    splitColumns();
  bool keepsSums = !operands.vectorEpilogue || !isOneDepthBlock();
  if (keepsSums && !buffer.ptr)
    buffer = scratch(blocks.blockRows * tileWidth, tileWidth);
  if (operands.vectorEpilogue && !tileSums.ptr) {
    int64_t most = 0;
    for (int64_t vectors : widths)
      most = std::max(most, mostRows(vectors) * vectors * code.lanes);
    tileSums = scratch(most, 1);
  }
  if (operands.pack && !panel.ptr) {
    int64_t packedPanels = keepsRows() ? blocks.blockPanels : 1;
    int64_t width = rowsOfB.width(blocks.vectors, code.lanes);
    auto steps = static_cast<int64_t>(rowsOfB.steps.size());
    panel = scratch(packedPanels * (blocks.blockDepth / steps) * width, width);
  }
  Value depth = kernel.size(sizes.depth), step = kernel.index(blocks.blockDepth);
  // Sums of nothing are stored too.
  Value end = maximum(depth, kernel.index(1));
  kernel.loop(kernel.index(0), end, step, [&](Value first) {
    Value count = minimum(step, arith::SubIOp::create(builder, loc, depth, first));
    if (isOneDepthBlock()) {
      first = kernel.index(0);
      count = depth;
    }
    emitDepthBlock(first, count, rows, panelRange, operands);
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
  found.address = code.advance(viewOfB(operands), operands.packed(found.first.column),
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
void PanelEngine::forPanels(Range range, PanelBody body) {
  kernel.loop(range.begin, range.end, [&](Value number) {
    if (widths.size() == 1)
      return body(number, widths.front());
    Value inLine =
        sizes.lines ? arith::RemUIOp::create(builder, loc, number, panelsOfLine()) : number;
    Value isWide =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, inLine, widePanels);
    Value wide = kernel.add(narrowVectors, kernel.index(1));
    forWidth(number, arith::SelectOp::create(builder, loc, isWide, wide, narrowVectors), widths,
             body);
  });
}

/// Code for each of `widths`, of which `width` is one.
void PanelEngine::forWidth(Value number, Value width, ArrayRef<int64_t> widths, PanelBody body) {
  if (widths.size() == 1)
    return body(number, widths.front());
  Value isFirst = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, width,
                                        kernel.index(widths.front()));
  kernel.branch(
      isFirst, [&] { body(number, widths.front()); },
      [&] { forWidth(number, width, widths.drop_front(), body); });
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
        next = emitStep(atA, code.advance(viewOfB(operands), atB, kernel.index(offset)), rowOffsets,
                        panel.vectors, operands, next);
        atA = code.advance(operands.aView, atA, operands.aDepth);
      }
    next.append({atA, code.advance(viewOfB(operands), atB, kernel.index(rows * width))});
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
    const BufferView &view = viewOfB(operands);
    return code.load(view, code.advance(view, b, kernel.index(at)), code.lanes);
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

/// The loop that has just been emitted is not unrolled.
static void keepLoop(OpBuilder &builder) {
  auto disable = LLVM::LoopUnrollAttr::get(builder.getContext(), builder.getBoolAttr(true), {}, {},
                                           {}, {}, {}, {});
  auto annotation = LLVM::LoopAnnotationAttr::get(builder.getContext(), {}, {}, {}, disable, {}, {},
                                                  {}, {}, {}, {}, {}, {}, {}, {}, {});
  std::prev(builder.getInsertionPoint())->setAttr("llvm.loop_annotation", annotation);
}

void PanelEngine::finishTile(const Tile &tile, const Panel &panel, ValueRange sums,
                             const PanelOperands &operands) {
  auto keep = [&] {
    for (int64_t row = 0; row < tile.rows; ++row)
      for (int64_t v = 0; v < panel.vectors; ++v)
        code.store(buffer, inBuffer(tile, row, v), sums[row * panel.vectors + v]);
  };
  if (!operands.vectorEpilogue) {
    keep();
    return;
  }
  auto straight = [&] {
    for (int64_t row = 0; row < tile.rows; ++row)
      emitRow(kernel.add(tile.firstRow, kernel.index(row)), panel,
              sums.slice(row * panel.vectors, panel.vectors), true, operands);
  };
  auto byRow = [&](bool areFull) { emitRows(tile, panel, sums, areFull, operands); };
  auto results = [&] {
    bool isRare = panel.vectors < widths.front() && isSplitInRun();
    Value full = isFull(panel);
    auto whole = [&] { return isRare || operands.isLongEpilogue ? byRow(true) : straight(); };
    if (full)
      kernel.branch(full, whole, [&] { return byRow(false); });
    else
      whole();
  };
  if (isOneDepthBlock()) {
    results();
    return;
  }
  Value isLast =
      arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq,
                            kernel.add(panel.depth, panel.count), kernel.size(sizes.depth));
  kernel.branch(isLast, results, keep);
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

/// The results of a row of a tile from the registers that hold its sums.
void PanelEngine::emitRow(Value row, const Panel &panel, ValueRange sums, bool areFull,
                          const PanelOperands &operands) {
  auto finish = operands.vectorEpilogue(row);
  for (int64_t v = 0; v < panel.vectors; ++v) {
    Value column = kernel.add(panel.first.column, kernel.index(v * code.lanes));
    // Where vectors are split evenly only the last one is padded.
    bool exists = areFull || (widePanels && v + 1 < panel.vectors);
    Value mask = exists ? Value() : code.maskBelow(column, kernel.size(sizes.columns), code.lanes);
    finish({panel.first.line, column}, sums[v], mask);
  }
}

/// The same for all rows of a tile in a loop, through scratch memory: code that runs
/// seldom is kept short.
void PanelEngine::emitRows(const Tile &tile, const Panel &panel, ValueRange sums, bool areFull,
                           const PanelOperands &operands) {
  auto at = [&](Value row, int64_t v) {
    Value vector = kernel.add(kernel.mul(row, kernel.index(panel.vectors)), kernel.index(v));
    return code.advance(tileSums, tileSums.ptr, kernel.mul(vector, kernel.index(code.lanes)));
  };
  for (int64_t row = 0; row < tile.rows; ++row)
    for (int64_t v = 0; v < panel.vectors; ++v)
      code.store(tileSums, at(kernel.index(row), v), sums[row * panel.vectors + v]);
  kernel.loop(kernel.index(0), kernel.index(tile.rows), [&](Value row) {
    SmallVector<Value> loaded;
    for (int64_t v = 0; v < panel.vectors; ++v)
      loaded.push_back(code.load(tileSums, at(row, v), code.lanes));
    emitRow(kernel.add(tile.firstRow, row), panel, loaded, areFull, operands);
  });
  keepLoop(builder);
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
    };
    if (isConstantIntValue(columns, most)) {
      emitLine(columns);
      return;
    }
    Value isFull =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, columns, kernel.index(most));
    kernel.branch(
        isFull, [&] { return emitLine(kernel.index(most)); }, [&] { return emitLine(columns); });
  });
}

} // namespace dsc
