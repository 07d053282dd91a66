//===- Attention.cpp - the template of attention --------------------------===//
//
// An item of work is a block of query rows of one head. It goes through the keys in
// blocks; for each of them
//   scores = q k^T       a tile of rows against panels of keys, packed once an item
//   p = exp(scores - max), sum and max kept from block to block for each row
//   o = o * exp(old max - max) + p v
// so that scores exist for a few rows and one block of keys only, in scratch memory.
// Few rows (a step of a decoder) use dot products with the keys where they are.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/VectorCode.h"

#include "dsc/Dialect/IR/SharedStorage.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;

namespace dsc {

/// Query rows of an item and keys of a block, at most.
static constexpr int64_t kQueryBlock = 96, kKeyBlock = 256;
/// Vectors of a panel of keys.
static constexpr int64_t kPanelVectors = 2;
/// Up to this many query rows, keys are not packed.
static constexpr int64_t kFewRows = 3;
/// Multiply-adds that a part should have at least.
static constexpr int64_t kWorkPerPart = 1 << 16;

namespace {

/// Emits the kernel of one op.
class AttentionKernel {
public:
  AttentionKernel(KernelEmitter &kernel, Operation *op, const AttentionSpec &spec);
  void emit();

private:
  /// A tensor with its axes in the order [batch, head, row, column].
  struct Tensor {
    BufferView view;
    SmallVector<Value> strides;
  };

  Tensor tensor(const BufferView &view, const std::array<int64_t, 4> &axes);
  Value rowAddress(const Tensor &tensor, Value head, Value row);
  void makeBuffers();
  void emitItem(Value item);
  void emitRows(bool few);
  void packKeys();
  void packPanel(Value panel);
  void emitScores(Value tile, int64_t rows);
  void emitDots(Value tile, int64_t rows);
  void emitSoftmaxRow(Value tile, Value row);
  Value visibleScores(Value scores, Value query, Value key, int64_t width);
  Value exponent(Value x) { return math::ExpOp::create(kernel.builder, kernel.loc, x); }
  Value compare(arith::CmpFPredicate predicate, Value a, Value b) {
    return arith::CmpFOp::create(kernel.builder, kernel.loc, predicate, a, b);
  }
  void emitValues(Value tile, int64_t rows);
  void storeRow(Value row);
  Value subtract(Value a, Value b) {
    return arith::SubIOp::create(kernel.builder, kernel.loc, a, b);
  }

  KernelEmitter &kernel;
  Operation *op;
  const AttentionSpec &spec;
  VectorCode code;
  int64_t headSize, valueSize, panelWidth;
  int64_t rowTile; ///< rows of a register tile
  Value keys;
  Tensor q, k, v, y;
  BufferView mask;
  Dim blocks;
  /// Scratch: packed keys [panels][headSize][panelWidth], scores [tile][key block],
  /// output [rows][valueSize, padded]; of each row the largest score so far, the sum
  /// of exponentials and the factor for what is summed up already.
  BufferView packed, scores, output, largest, sums, factors;
  /// Of the item and the block of keys.
  Value batch, head, sharedHead, firstQuery, queries, firstKey, blockKeys;
};

} // namespace

AttentionKernel::AttentionKernel(KernelEmitter &kernel, Operation *op, const AttentionSpec &spec)
    : kernel(kernel), op(op), spec(spec), code(kernel, getElementType(op->getOperand(spec.q))),
      headSize(spec.headSize.getConstant()), valueSize(spec.valueSize.getConstant()),
      panelWidth(kPanelVectors * code.lanes) {
  keys = kernel.size(spec.keys);
  // Accumulators and the vectors of a panel in registers, a broadcast operand.
  rowTile = (kernel.target.vectorRegisters - kPanelVectors - 1) / kPanelVectors;
  if (rowTile > 12)
    rowTile = 12;
  // Few rows: tiles of equal size.
  if (std::optional<int64_t> rows = spec.queries.tryConstant(); rows && *rows <= 4 * rowTile)
    rowTile = llvm::divideCeil(std::max<int64_t>(1, *rows),
                               llvm::divideCeil(std::max<int64_t>(1, *rows), rowTile));
  q = tensor(kernel.view(op->getOperand(spec.q)), spec.qAxes);
  k = tensor(kernel.view(op->getOperand(spec.k)), spec.kAxes);
  v = tensor(kernel.view(op->getOperand(spec.v)), spec.vAxes);
  y = tensor(kernel.resultView(0), spec.yAxes);
  if (spec.mask)
    mask = kernel.view(op->getOperand(*spec.mask));
}

AttentionKernel::Tensor AttentionKernel::tensor(const BufferView &view,
                                                const std::array<int64_t, 4> &axes) {
  Tensor result{view, {}};
  for (int64_t axis : axes)
    result.strides.push_back(view.strides[axis]);
  return result;
}

Value AttentionKernel::rowAddress(const Tensor &tensor, Value headIndex, Value row) {
  Value indices[] = {batch, headIndex, row};
  Value offset = kernel.index(0);
  for (auto [i, stride] : llvm::zip(indices, tensor.strides))
    offset = kernel.add(offset, kernel.mul(i, stride));
  return code.advance(tensor.view, tensor.view.ptr, offset);
}

void AttentionKernel::makeBuffers() {
  Dim one = kernel.constant(1);
  auto number = [&](int64_t value) { return kernel.constant(value); };
  int64_t padded = llvm::alignTo(valueSize, code.lanes), rows = kQueryBlock + rowTile;
  packed = code.scratch(number(kKeyBlock * headSize), {one});
  scores = code.scratch(number(std::max(rowTile, kFewRows) * kKeyBlock), {number(kKeyBlock), one});
  output = code.scratch(number(rows * padded), {number(padded), one});
  largest = code.scratch(number(rows), {one});
  sums = code.scratch(number(rows), {one});
  factors = code.scratch(number(rows), {one});
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// Packs the keys of a panel: those behind the last one repeat it.
void AttentionKernel::packPanel(Value panel) {
  int64_t lanes = code.lanes;
  Value last = subtract(keys, kernel.index(1));
  Value start = kernel.mul(panel, kernel.index(panelWidth));
  for (int64_t group = 0; group < kPanelVectors; ++group) {
    SmallVector<Value> rows;
    for (int64_t i = 0; i < lanes; ++i) {
      Value key = kernel.add(kernel.add(firstKey, start), kernel.index(group * lanes + i));
      Value inside = arith::MinSIOp::create(kernel.builder, kernel.loc, key, last);
      rows.push_back(rowAddress(k, sharedHead, inside));
    }
    auto transpose = [&](Value d, int64_t count) {
      SmallVector<Value> square;
      for (Value row : rows) {
        Value address = code.advance(k.view, row, d);
        square.push_back(count == lanes
                             ? code.load(k.view, address, lanes)
                             : code.load(k.view, address, lanes,
                                         code.maskBelow(d, kernel.index(headSize), lanes)));
      }
      code.transposeSquare(square);
      for (int64_t i = 0; i < count; ++i) {
        Value row =
            kernel.add(kernel.mul(panel, kernel.index(headSize)), kernel.add(d, kernel.index(i)));
        Value at =
            kernel.add(kernel.mul(row, kernel.index(panelWidth)), kernel.index(group * lanes));
        code.store(packed, kernel.address(packed, {at}), square[i]);
      }
    };
    int64_t whole = headSize / lanes * lanes;
    if (whole)
      kernel.loop(kernel.index(0), kernel.index(whole), kernel.index(lanes),
                  [&](Value d) { transpose(d, lanes); });
    if (headSize != whole)
      transpose(kernel.index(whole), headSize - whole);
  }
}

void AttentionKernel::packKeys() {
  Value panels =
      arith::CeilDivUIOp::create(kernel.builder, kernel.loc, blockKeys, kernel.index(panelWidth));
  kernel.loop(kernel.index(0), panels, [&](Value panel) { packPanel(panel); });
}

/// scores[row] = q[tile + row] k^T for the packed block of keys. Rows behind the last
/// one repeat it.
void AttentionKernel::emitScores(Value tile, int64_t rows) {
  Value last = subtract(queries, kernel.index(1));
  SmallVector<Value> queryRows;
  for (int64_t i = 0; i < rows; ++i) {
    Value row =
        arith::MinSIOp::create(kernel.builder, kernel.loc, kernel.add(tile, kernel.index(i)), last);
    queryRows.push_back(rowAddress(q, head, kernel.add(firstQuery, row)));
  }
  Value panels =
      arith::CeilDivUIOp::create(kernel.builder, kernel.loc, blockKeys, kernel.index(panelWidth));
  kernel.loop(kernel.index(0), panels, [&](Value panel) {
    SmallVector<Value> accumulators(rows * kPanelVectors, code.constant(0, code.lanes));
    Value start = kernel.mul(panel, kernel.index(panelWidth * headSize));
    Value panelAddress = kernel.address(packed, {start});
    accumulators = kernel.loop(
        kernel.index(0), kernel.index(headSize), kernel.index(1), accumulators,
        [&](Value d, ValueRange carried) {
          Value at = code.advance(packed, panelAddress, kernel.mul(d, kernel.index(panelWidth)));
          SmallVector<Value> columns, next;
          for (int64_t j = 0; j < kPanelVectors; ++j)
            columns.push_back(code.load(
                packed, code.advance(packed, at, kernel.index(j * code.lanes)), code.lanes));
          for (auto [i, row] : llvm::enumerate(queryRows)) {
            Value element = code.load(q.view, code.advance(q.view, row, d), 1);
            Value x = code.splat(element, code.lanes);
            for (int64_t j = 0; j < kPanelVectors; ++j)
              next.push_back(code.fma(x, columns[j], carried[i * kPanelVectors + j]));
          }
          return next;
        });
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < kPanelVectors; ++j) {
        Value column =
            kernel.add(kernel.mul(panel, kernel.index(panelWidth)), kernel.index(j * code.lanes));
        code.store(scores, kernel.address(scores, {kernel.index(i), column}),
                   accumulators[i * kPanelVectors + j]);
      }
  });
}

/// The same by dot products with the keys where they are.
void AttentionKernel::emitDots(Value tile, int64_t rows) {
  VectorCode::Rows queryRows{&q.view, {}};
  for (int64_t i = 0; i < rows; ++i) {
    Value row = kernel.add(firstQuery, kernel.add(tile, kernel.index(i)));
    queryRows.addresses.push_back(rowAddress(q, head, row));
  }
  code.forVectors(kernel.index(0), blockKeys, /*width=*/4, [&](Value key, int64_t width) {
    VectorCode::Rows keyRows{&k.view, {}};
    for (int64_t i = 0; i < width; ++i)
      keyRows.addresses.push_back(
          rowAddress(k, sharedHead, kernel.add(firstKey, kernel.add(key, kernel.index(i)))));
    SmallVector<Value> products = code.dotProducts(keyRows, queryRows, kernel.index(headSize));
    for (auto [i, product] : llvm::enumerate(products))
      code.store(scores, kernel.address(scores, {kernel.index(i), key}), product);
  });
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

/// Scaled, capped and masked scores of a query with `width` keys from `key` on.
Value AttentionKernel::visibleScores(Value x, Value query, Value key, int64_t width) {
  OpBuilder &b = kernel.builder;
  Location loc = kernel.loc;
  Value hidden = code.constant(-std::numeric_limits<double>::infinity(), width);
  if (spec.softcap != 0) {
    Value inner = code.mul(x, code.constant(spec.scale / spec.softcap, width));
    x = code.mul(math::TanhOp::create(b, loc, inner), code.constant(spec.softcap, width));
  } else if (spec.scale != 1) {
    x = code.mul(x, code.constant(spec.scale, width));
  }
  if (spec.mask) {
    SmallVector<Dim> dims = getDims(op->getOperand(*spec.mask));
    Value position[] = {batch, head, query, key};
    SmallVector<Value> indices;
    for (auto [axis, dim] : llvm::enumerate(dims))
      indices.push_back(dim.isConstant(1) ? kernel.index(0) : position[4 - dims.size() + axis]);
    bool isRow = !dims.empty() && !dims.back().isConstant(1);
    Value loaded = code.load(mask, kernel.address(mask, indices), isRow ? width : 1);
    if (!isRow)
      loaded = code.splat(loaded, width);
    if (isa<FloatType>(mask.element)) {
      x = code.add(x, loaded);
    } else {
      Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(loaded.getType()));
      Value shown = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, loaded, zero);
      x = code.select(shown, x, hidden);
    }
  }
  if (spec.causalOffset) {
    Value end = kernel.add(kernel.add(query, kernel.size(spec.causalOffset)), kernel.index(1));
    Value seen =
        width == 1 ? arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, key, end).getResult()
                   : code.maskBelow(key, end, width);
    x = code.select(seen, x, hidden);
  }
  return x;
}

/// Turns the scores of a row into exponentials, and updates what is kept of the row.
void AttentionKernel::emitSoftmaxRow(Value tile, Value row) {
  OpBuilder &b = kernel.builder;
  Location loc = kernel.loc;
  int64_t lanes = code.lanes;
  Value zero = kernel.index(0), at = kernel.add(tile, row);
  Value query = kernel.add(firstQuery, at);
  // Rows of a tile behind the last one: any query there is does.
  query =
      arith::MinSIOp::create(b, loc, query, subtract(kernel.size(spec.queries), kernel.index(1)));
  Value lowest = code.constant(-std::numeric_limits<double>::infinity(), 1);
  Value count = arith::DivUIOp::create(b, loc, blockKeys, kernel.index(lanes));
  Value whole = kernel.mul(count, kernel.index(lanes));
  auto scoreAt = [&](Value i) { return kernel.address(scores, {row, i}); };
  auto largestOf = [&](Value i, int64_t width, Value best) {
    Value x =
        visibleScores(code.load(scores, scoreAt(i), width), query, kernel.add(firstKey, i), width);
    code.store(scores, scoreAt(i), x);
    return code.max(x, best);
  };
  Value best = kernel
                   .loop(zero, whole, kernel.index(lanes), code.splat(lowest, lanes),
                         [&](Value i, ValueRange carried) {
                           return SmallVector<Value>{largestOf(i, lanes, carried[0])};
                         })
                   .front();
  Value top = vector::ReductionOp::create(b, loc, vector::CombiningKind::MAXNUMF, best);
  top = kernel
            .loop(whole, blockKeys, kernel.index(1), top,
                  [&](Value i, ValueRange carried) {
                    return SmallVector<Value>{largestOf(i, 1, carried[0])};
                  })
            .front();
  Value largestAt = kernel.address(largest, {at}), sumAt = kernel.address(sums, {at});
  Value old = code.load(largest, largestAt, 1);
  Value next = code.max(top, old);
  // Where all keys so far are hidden, exp(-inf - 0) = 0.
  Value isHidden = compare(arith::CmpFPredicate::OEQ, next, lowest);
  Value base = code.select(isHidden, code.constant(0, 1), next);
  auto exponentials = [&](Value i, int64_t width) {
    Value x = code.sub(code.load(scores, scoreAt(i), width), code.splat(base, width));
    Value e = exponent(x);
    code.store(scores, scoreAt(i), e);
    return e;
  };
  Value total = kernel
                    .loop(zero, whole, kernel.index(lanes), code.constant(0, lanes),
                          [&](Value i, ValueRange carried) {
                            return SmallVector<Value>{code.add(carried[0], exponentials(i, lanes))};
                          })
                    .front();
  Value sum = vector::ReductionOp::create(b, loc, vector::CombiningKind::ADD, total,
                                          arith::FastMathFlags::reassoc);
  sum = kernel
            .loop(whole, blockKeys, kernel.index(1), sum,
                  [&](Value i, ValueRange carried) {
                    return SmallVector<Value>{code.add(carried[0], exponentials(i, 1))};
                  })
            .front();
  Value factor = exponent(code.sub(old, base));
  code.store(largest, largestAt, next);
  code.store(factors, kernel.address(factors, {at}), factor);
  code.store(sums, sumAt, code.fma(code.load(sums, sumAt, 1), factor, sum));
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

/// output[tile + row] = output * factor + scores[row] v.
void AttentionKernel::emitValues(Value tile, int64_t rows) {
  int64_t lanes = code.lanes, vectors = llvm::divideCeil(valueSize, lanes);
  // Few rows: more columns, to have sums enough in flight.
  int64_t columnTile = rows == 1 ? 8 : rows <= kFewRows ? 4 : kPanelVectors;
  auto emitColumns = [&](Value firstVector, int64_t count, bool hasTail) {
    Value column = kernel.mul(firstVector, kernel.index(lanes));
    SmallVector<Value> accumulators;
    for (int64_t i = 0; i < rows; ++i) {
      Value at = kernel.add(tile, kernel.index(i));
      Value factor = code.splat(code.load(factors, kernel.address(factors, {at}), 1), lanes);
      for (int64_t j = 0; j < count; ++j) {
        Value address = kernel.address(output, {at, kernel.add(column, kernel.index(j * lanes))});
        accumulators.push_back(code.mul(code.load(output, address, lanes), factor));
      }
    }
    Value start = code.advance(v.view, rowAddress(v, sharedHead, firstKey), column);
    accumulators = kernel.loop(
        kernel.index(0), blockKeys, kernel.index(1), accumulators,
        [&](Value key, ValueRange carried) {
          Value row = code.advance(v.view, start, kernel.mul(key, v.strides[2]));
          SmallVector<Value> columns, next;
          for (int64_t j = 0; j < count; ++j) {
            Value address = code.advance(v.view, row, kernel.index(j * lanes));
            bool isTail = hasTail && j == count - 1;
            Value tail = isTail ? code.maskBelow(kernel.index((vectors - 1) * lanes),
                                                 kernel.index(valueSize), lanes)
                                : Value();
            columns.push_back(isTail ? code.load(v.view, address, lanes, tail)
                                     : code.load(v.view, address, lanes));
          }
          for (int64_t i = 0; i < rows; ++i) {
            Value p = code.splat(
                code.load(scores, kernel.address(scores, {kernel.index(i), key}), 1), lanes);
            for (int64_t j = 0; j < count; ++j)
              next.push_back(code.fma(p, columns[j], carried[i * count + j]));
          }
          return next;
        });
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < count; ++j) {
        Value at = kernel.add(tile, kernel.index(i));
        Value address = kernel.address(output, {at, kernel.add(column, kernel.index(j * lanes))});
        code.store(output, address, accumulators[i * count + j]);
      }
  };
  // All tiles but the last are alike; it may have a tail.
  int64_t lastTile = vectors % columnTile ? vectors % columnTile : columnTile;
  int64_t before = vectors - lastTile;
  if (before > 0)
    kernel.loop(kernel.index(0), kernel.index(before), kernel.index(columnTile),
                [&](Value first) { emitColumns(first, columnTile, false); });
  emitColumns(kernel.index(before), lastTile, valueSize % lanes != 0);
}

/// y = output / sum.
void AttentionKernel::storeRow(Value row) {
  Value sum = code.load(sums, kernel.address(sums, {row}), 1);
  Value zero = code.constant(0, 1);
  Value inverse = code.div(code.constant(1, 1), sum);
  Value isDefined;
  if (spec.undefinedRows == AttentionSpec::MaskedZero)
    isDefined = compare(arith::CmpFPredicate::UNE, sum, zero);
  else if (spec.undefinedRows == AttentionSpec::Zero)
    isDefined = compare(arith::CmpFPredicate::OGT, sum, zero);
  Value target = rowAddress(y, head, kernel.add(firstQuery, row));
  code.forVectors(kernel.index(0), kernel.index(valueSize), code.lanes,
                  [&](Value column, int64_t width) {
                    Value value = code.load(output, kernel.address(output, {row, column}), width);
                    value = code.mul(value, code.splat(inverse, width));
                    if (isDefined)
                      value = code.select(isDefined, value, code.constant(0, width));
                    code.store(y.view, code.advance(y.view, target, column), value);
                  });
}

//===----------------------------------------------------------------------===//
// Items
//===----------------------------------------------------------------------===//

/// All rows of the item. `few`: at most kFewRows, keys are not packed.
void AttentionKernel::emitRows(bool few) {
  OpBuilder &b = kernel.builder;
  Location loc = kernel.loc;
  Value zero = kernel.index(0);
  int64_t tileRows = few ? kFewRows : rowTile;
  Value rows = arith::MulIOp::create(
      b, loc, arith::CeilDivUIOp::create(b, loc, queries, kernel.index(tileRows)),
      kernel.index(tileRows));
  int64_t padded = llvm::alignTo(valueSize, code.lanes);
  kernel.loop(zero, rows, [&](Value row) {
    kernel.loop(zero, kernel.index(padded), kernel.index(code.lanes), [&](Value column) {
      code.store(output, kernel.address(output, {row, column}), code.constant(0, code.lanes));
    });
    code.store(largest, kernel.address(largest, {row}),
               code.constant(-std::numeric_limits<double>::infinity(), 1));
    code.store(sums, kernel.address(sums, {row}), code.constant(0, 1));
  });
  Value end = keys;
  if (spec.causalOffset) {
    // Keys behind the last one that the last query sees have no part in anything.
    Value seen = kernel.add(kernel.add(firstQuery, queries), kernel.size(spec.causalOffset));
    end = arith::MaxSIOp::create(b, loc, zero, arith::MinSIOp::create(b, loc, keys, seen));
  }
  auto emitTile = [&](Value tile, int64_t count) {
    few ? emitDots(tile, count) : emitScores(tile, count);
    kernel.loop(zero, kernel.index(count), [&](Value row) { emitSoftmaxRow(tile, row); });
    emitValues(tile, count);
  };
  kernel.loop(zero, end, kernel.index(kKeyBlock), [&](Value start) {
    firstKey = start;
    blockKeys = arith::MinSIOp::create(b, loc, subtract(end, start), kernel.index(kKeyBlock));
    if (few) {
      code.forTiles(queries, kFewRows, emitTile);
    } else {
      packKeys();
      kernel.loop(zero, queries, kernel.index(rowTile),
                  [&](Value tile) { emitTile(tile, rowTile); });
    }
  });
  kernel.loop(zero, queries, [&](Value row) { storeRow(row); });
}

void AttentionKernel::emitItem(Value item) {
  OpBuilder &b = kernel.builder;
  SmallVector<Value> at = kernel.delinearize(item, {spec.batch, spec.heads, blocks});
  batch = at[0];
  head = at[1];
  sharedHead = head;
  if (spec.heads != spec.sharedHeads) {
    Value ratio = kernel.size(spec.heads.floorDiv(spec.sharedHeads));
    sharedHead = arith::DivUIOp::create(b, kernel.loc, head, ratio);
  }
  if (blocks.isConstant(1)) {
    firstQuery = kernel.index(0);
    queries = kernel.size(spec.queries);
  } else {
    // Blocks of about equal size.
    Value total = kernel.size(spec.queries), count = kernel.size(blocks);
    auto boundary = [&](Value i) -> Value {
      return arith::DivUIOp::create(b, kernel.loc, kernel.mul(i, total), count);
    };
    firstQuery = boundary(at[2]);
    queries = subtract(boundary(kernel.add(at[2], kernel.index(1))), firstQuery);
  }
  if (std::optional<int64_t> rows = spec.queries.tryConstant())
    return emitRows(*rows <= kFewRows);
  Value isFew = arith::CmpIOp::create(b, kernel.loc, arith::CmpIPredicate::ule, queries,
                                      kernel.index(kFewRows));
  kernel.branch(isFew, [&] { emitRows(true); }, [&] { emitRows(false); });
}

void AttentionKernel::emit() {
  makeBuffers();
  blocks = spec.queries.ceilDiv(kQueryBlock);
  Dim items = spec.batch * spec.heads * blocks;
  Dim work = spec.batch * spec.heads * spec.queries * spec.keys * (headSize + valueSize);
  kernel.partCount = Dim::max(kernel.constant(1), Dim::min(items, work.floorDiv(kWorkPerPart)));
  auto [first, end] = kernel.share(kernel.size(items));
  kernel.loop(first, end, [&](Value item) { emitItem(item); });
}

//===----------------------------------------------------------------------===//
// The template
//===----------------------------------------------------------------------===//

namespace {
class AttentionTemplate : public Template {
public:
  StringRef getName() const override { return "attention"; }
  bool laysOutRegisters() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};
} // namespace

/// The last op of a group, in front of which there may be ops that move its operands.
static Operation *attentionOp(const GroupInfo &group) {
  return group.getBody().getTerminator()->getPrevNode();
}

static const AttentionSpec *attentionSpec(const GroupInfo &group) {
  const Spec *spec = group.getSpec(attentionOp(group));
  return spec && llvm::equal(group.getYielded(), attentionOp(group)->getResults())
             ? spec->attention.get()
             : nullptr;
}

/// Whether everything else in the group is no more than where rows are read.
static bool readsRowsInPlace(const GroupInfo &group, const AttentionSpec &spec) {
  Operation *op = attentionOp(group);
  if (spec.mask && group.contains(op->getOperand(*spec.mask)))
    return false;
  auto isInside = [&](Operation *each) { return each->getBlock() == &group.getBody(); };
  return llvm::all_of(ArrayRef{spec.q, spec.k, spec.v}, [&](unsigned operand) {
    auto view = getStridedView(op->getOperand(operand), isInside);
    return view && view->strides.back().isConstant(1);
  });
}

/// Why a mask cannot be read by vectors; empty if it can.
static std::string whyNotMask(Value mask, const AttentionSpec &spec, Type compute) {
  Type element = getElementType(mask);
  auto number = dyn_cast<FloatType>(element);
  if (!element.isInteger(1) && (!number || number.getWidth() > compute.getIntOrFloatBitWidth()))
    return "the mask holds neither booleans nor floats of this width";
  SmallVector<Dim> dims = getDims(mask), full = {spec.batch, spec.heads, spec.queries, spec.keys};
  ArrayRef<Dim> wanted = ArrayRef(full).take_back(dims.size());
  for (auto [dim, size] : llvm::zip(dims, wanted))
    if (!dim.isConstant(1) && dim != size)
      return "the mask may be broadcast at run time";
  return "";
}

Match AttentionTemplate::match(const GroupInfo &group, const Target &) const {
  const AttentionSpec *spec = attentionSpec(group);
  if (!spec)
    return Match::no("not attention alone");
  if (!spec->headSize.isConstant() || !spec->valueSize.isConstant())
    return Match::no("the size of a head is not known");
  if (spec->headSize.getConstant() < 1 || spec->valueSize.getConstant() < 1)
    return Match::no("heads are empty");
  for (const auto &axes : {spec->qAxes, spec->kAxes, spec->vAxes, spec->yAxes})
    if (axes[3] != 3)
      return Match::no("the columns of an operand do not lie behind each other");
  if (!readsRowsInPlace(group, *spec))
    return Match::no("other work than attention");
  Operation &op = *attentionOp(group);
  bool isWide = getElementType(op.getOperand(spec->q)).isF64();
  for (unsigned operand : {spec->k, spec->v})
    if (getElementType(op.getOperand(operand)).isF64() != isWide)
      return Match::no("operands are computed in different types");
  Builder builder(op.getContext());
  Type compute = isWide ? Type(builder.getF64Type()) : Type(builder.getF32Type());
  if (spec->mask)
    if (std::string reason = whyNotMask(op.getOperand(*spec->mask), *spec, compute);
        !reason.empty())
      return Match::no(reason);
  return Match::yes();
}

SmallVector<ScheduleAttr> AttentionTemplate::candidates(const GroupInfo &group,
                                                        const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

Cost AttentionTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  const AttentionSpec &spec = *attentionSpec(group);
  Cost cost = estimateWork(group);
  double scores = estimateSize({spec.batch, spec.heads, spec.queries, spec.keys});
  double columns = estimateSize({spec.headSize}) + estimateSize({spec.valueSize});
  cost.flops = 2 * scores * columns;
  // An exponential takes about a dozen operations.
  cost.ns = std::max((cost.flops + 24 * scores) / target.peakF32(), cost.bytes / target.l3GBs);
  return cost;
}

LogicalResult AttentionTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  AttentionKernel(kernel, attentionOp(kernel.group), *attentionSpec(kernel.group)).emit();
  return success();
}

const Template &attentionTemplate() {
  static const AttentionTemplate instance;
  return instance;
}

} // namespace dsc
