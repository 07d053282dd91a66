//===- PanelBlocks.cpp - choosing register tiles and cache blocks ---------===//
#include "PanelEngine.h"

#include "dsc/Codegen/Common/Template.h"

using namespace mlir;

namespace dsc {

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
  // block of rows has to pack the panels again, blocks are large, unless threads would
  // have a few blocks to share; they go through the panels in several turns.
  constexpr int64_t fewRows = 128, manyRows = 256, fewBlocks = 6, sharingPanels = 4;
  int64_t panels = llvm::divideCeil(static_cast<int64_t>(estimateSize(sizes.columns)), columns);
  if (sizes.lines)
    panels *= static_cast<int64_t>(estimateSize(sizes.lines));
  int64_t sharedPanels = evenPiece(std::max<int64_t>(1, panels), sharingPanels, 1);
  bool hasFewBlocks =
      llvm::divideCeil(panels, sharedPanels) * llvm::divideCeil(rows, manyRows) < fewBlocks;
  int64_t cachedRows = target.l2Bytes / 2 / (blocks.blockDepth * bytes);
  int64_t mostRows = arePacked || hasFewBlocks ? fewRows : manyRows;
  blocks.blockRows = sizes.rows.isConstant() ? evenPiece(rows, mostRows, 1) : mostRows;
  // All of the rows' part of A in the cache: one panel after the other may go through
  // the whole depth. Else several panels share what is loaded.
  bool fits = blocks.blockRows * depth * bytes <= target.l2Bytes / 2;
  blocks.blockPanels = fits ? 1 : sharedPanels;
  int64_t turns = arePacked || blocks.blockPanels == 1
                      ? 1
                      : llvm::divideCeil(blocks.blockRows, std::max(2 * blocks.rows, cachedRows));
  blocks.cacheRows = llvm::divideCeil(blocks.blockRows, turns);
  return blocks;
}

int64_t packedColumns(int64_t panelColumns) {
  if (panelColumns % 96 == 0)
    return 96;
  return panelColumns % 16 == 0 && panelColumns <= 48 ? 16 : panelColumns;
}

} // namespace dsc
