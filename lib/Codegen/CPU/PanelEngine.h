//===- PanelEngine.h - products of matrices in register tiles -------------===//
//
//   C[m][n] = sum over k of A[m][k] * B[k][n]
//
// in float32, or in int32 where elements of A and B are pairs of int16 (dsc.pair), whose
// product is the sum of the products of their halves.
//
// A is read in place, one element broadcast at a time; B comes in panels [k][NR] of
// NR = `vectors` * lanes columns. A tile of C stays in registers for a block of the
// depth; once its sums are complete the epilogue computes the results from them, there
// where its code exists for vectors, else through a buffer in the thread's scratch,
// where also incomplete sums wait. Rows, and the vectors of columns, are split evenly,
// and there is code for each size that occurs, so tiles are never clipped; the last
// vector of columns is padded with zeros.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/VectorCode.h"

namespace dsc {

/// Register tile and cache blocks.
struct PanelBlocks {
  int64_t rows = 1;        ///< largest number of rows of a register tile (MR)
  int64_t vectors = 1;     ///< vectors of columns in a panel (NR / lanes)
  int64_t blockRows = 1;   ///< most rows that are computed with a panel at a time (MC)
  int64_t blockPanels = 1; ///< panels in a block of columns
  int64_t blockDepth = 1;  ///< KC
  int64_t cacheRows = 1;   ///< rows whose part of A stays in the L2 cache for all panels

  static PanelBlocks read(ScheduleAttr schedule);
  ScheduleAttr write(mlir::MLIRContext *context, llvm::StringRef name,
                     mlir::DictionaryAttr params = {}) const;
};

struct PanelSizes {
  Dim rows, columns, depth;
  /// If given, C has so many times `columns` columns, and no panel reaches from one line
  /// into the next.
  Dim lines = {};
  /// Vectors that a line is known to have at least.
  int64_t leastOfLine = 1;
};

/// How B lies in panels that the kernel fills: a row of a panel has `parts` parts, each
/// of the panel's vectors and `extraVectors` more, and serves several steps of k, which
/// read the panel's vectors from some element of a part on.
struct PanelRows {
  struct Step {
    int64_t part = 0, element = 0;
  };
  llvm::SmallVector<Step> steps = {{}};
  int64_t parts = 1, extraVectors = 0;

  /// Elements of a row of a panel of `vectors`.
  int64_t width(int64_t vectors, int64_t lanes) const {
    return parts * (vectors + extraVectors) * lanes;
  }
  int64_t offset(const Step &step, int64_t vectors, int64_t lanes) const {
    return step.part * (vectors + extraVectors) * lanes + step.element;
  }
};

/// Most rows of a tile with `vectors` vectors of columns that need no more registers
/// than there are.
int64_t maxTileRows(const Target &target, int64_t vectors);
/// Cycles of one step of k in all register tiles of `rows` x `columns`. Panels that
/// `arePacked` before have one width, others differ by a vector where that fits.
double panelCycles(const Target &target, double rows, double columns, const PanelBlocks &blocks,
                   bool arePacked);
/// Blocks for these sizes with panels of `vectors`, which `arePacked` before; depth
/// blocks are multiples of `depthUnit`.
PanelBlocks choosePanelBlocks(const Target &target, const PanelSizes &sizes, int64_t vectors,
                              bool arePacked, int64_t depthUnit = 1, const PanelRows &rows = {});

/// Columns of a panel of constants that lie together: the same for panels of several
/// widths, so that an artifact for several vector lengths holds weights once. Wide panels
/// are for a single row of A, which reads B once: from few streams.
int64_t packedColumns(int64_t panelColumns);

/// A column of C.
struct PanelColumn {
  mlir::Value line; ///< 0 without lines
  mlir::Value column;
};

/// What a block is computed from.
struct PanelOperands {
  mlir::Value a;            ///< address of A[0][0]
  mlir::Value aRow, aDepth; ///< strides in elements
  BufferView aView;
  /// Fills `panel` (PanelRows without gaps, of `vectors` vectors) with rows [depth, depth +
  /// count) of B in the columns from `first` on, zeros behind the last column.
  using Pack = std::function<void(const BufferView &panel, int64_t vectors, PanelColumn first,
                                  mlir::Value depth, mlir::Value count)>;
  Pack pack;
  /// Or: where the panel from `column` on lies already, from row 0 on. A panel consists
  /// of groups of `groupColumns`, each packed as if it were a panel, that begin
  /// `groupPitch` elements after one another.
  std::function<mlir::Value(mlir::Value column)> packed;
  int64_t groupColumns = 0, groupPitch = 0;
  /// Of shorter floats, which are extended in registers; not set: of what is computed in.
  BufferView packedView;
  /// Computes the results of a row: gets the row and returns the function that gets a
  /// column and the sum.
  using Point = std::function<void(mlir::Value column, mlir::Value sum)>;
  std::function<Point(mlir::Value row)> epilogue;
  /// The same for vectors of columns, if the epilogue has them (with lines it must):
  /// gets the first column, the sums, and which of them exist (null: all).
  using Vectors = std::function<void(PanelColumn first, mlir::Value sums, mlir::Value mask)>;
  std::function<Vectors(mlir::Value row)> vectorEpilogue;
  /// Its code is long: there is one copy for a row, not one for each of a tile's.
  bool isLongEpilogue = false;
};

class PanelEngine {
public:
  PanelEngine(VectorCode &code, const PanelSizes &sizes, const PanelBlocks &blocks,
              const PanelRows &rows = {});

  /// Blocks of C that can be computed independently.
  Dim countRowBlocks() const;
  Dim countColumnBlocks() const;
  void emitBlock(mlir::Value rowBlock, mlir::Value columnBlock, const PanelOperands &operands);

private:
  struct Range {
    mlir::Value begin, end;
  };
  struct Panel {
    mlir::Value address, depth, count; // rows [depth, depth + count) of B
    mlir::Value sums;                  // where the panel's first column is in `buffer`
    PanelColumn first;
    int64_t vectors;
  };
  struct Tile {
    int64_t rows;
    mlir::Value firstRow;
    mlir::Value a;    // address of the tile's first row of A, at the panel's depth
    mlir::Value sums; // where the tile is in `buffer`
  };
  int64_t panelColumns() const { return blocks.vectors * code.lanes; }
  BufferView scratch(int64_t elements, int64_t rowStride);
  Dim panels() const;
  mlir::Value panelsOfLine();
  PanelColumn columnOf(mlir::Value number);
  mlir::Value vectorsBefore(mlir::Value number);
  bool isSplitInRun() const;
  int64_t mostRows(int64_t vectors) const;
  Range split(Dim total, Dim count, mlir::Value number);
  bool keepsRows() const { return blocks.cacheRows < blocks.blockRows; }
  bool isOneDepthBlock() const;
  void splitColumns();
  using PanelBody = llvm::function_ref<void(mlir::Value number, int64_t vectors)>;
  void forPanels(Range range, PanelBody body);
  void forWidth(mlir::Value number, mlir::Value width, llvm::ArrayRef<int64_t> widths,
                PanelBody body);
  void emitDepthBlock(mlir::Value first, mlir::Value count, Range rows, Range panelRange,
                      const PanelOperands &operands);
  Panel panelAt(mlir::Value number, int64_t vectors, mlir::Value first, mlir::Value count,
                Range panelRange, const PanelOperands &operands);
  void pack(const Panel &panel, const PanelOperands &operands);
  llvm::SmallVector<int64_t> tileRows(int64_t vectors) const;
  void emitPanel(const Panel &panel, Range rows, mlir::Value firstRow,
                 const PanelOperands &operands);
  mlir::Value keepOutside(mlir::Value address);
  mlir::Value inBuffer(const Tile &tile, int64_t row, int64_t vector);
  bool areRowsDense(const PanelOperands &operands) const;
  /// What panels are read through.
  const BufferView &viewOfB(const PanelOperands &operands) const {
    return operands.packedView.element ? operands.packedView : elements;
  }
  llvm::SmallVector<mlir::Value> startAhead(const Tile &tile, const Panel &panel,
                                            const PanelOperands &operands);
  llvm::SmallVector<mlir::Value> fetchAhead(llvm::ArrayRef<mlir::Value> ahead, int64_t elements,
                                            const Panel &panel, const PanelOperands &operands);
  int64_t rowsAtOnce() const;
  void emitTile(const Tile &tile, const Panel &panel, const PanelOperands &operands);
  llvm::SmallVector<mlir::Value> startSums(const Tile &tile, const Panel &panel);
  llvm::SmallVector<mlir::Value> emitStep(mlir::Value a, mlir::Value b,
                                          llvm::ArrayRef<mlir::Value> rowOffsets, int64_t vectors,
                                          const PanelOperands &operands, mlir::ValueRange sums);
  void finishTile(const Tile &tile, const Panel &panel, mlir::ValueRange sums,
                  const PanelOperands &operands);
  void emitRow(mlir::Value row, const Panel &panel, mlir::ValueRange sums, bool areFull,
               const PanelOperands &operands);
  void emitRows(const Tile &tile, const Panel &panel, mlir::ValueRange sums, bool areFull,
                const PanelOperands &operands);
  mlir::Value isFull(const Panel &panel);
  void emitEpilogue(Range rows, Range panelRange, const PanelOperands &operands);
  mlir::Value minimum(mlir::Value a, mlir::Value b);
  mlir::Value maximum(mlir::Value a, mlir::Value b);

  VectorCode &code;
  KernelEmitter &kernel;
  mlir::OpBuilder &builder;
  mlir::Location loc;
  PanelSizes sizes;
  PanelBlocks blocks;
  PanelRows rowsOfB;
  BufferView elements; // to step through panels and sums
  BufferView buffer, panel, tileSums;
  // Where lines are split evenly: the first `widePanels` of a line have a vector more
  // than the others' `narrowVectors`. Not set: all have `blocks.vectors`.
  mlir::Value widePanels, narrowVectors;
  llvm::SmallVector<int64_t> widths; // that panels may have, the largest first
};

} // namespace dsc
