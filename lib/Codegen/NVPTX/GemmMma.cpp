//===- GemmMma.cpp - products of matrices on tensor cores -----------------===//
//
// A block of threads computes a tile of the result:
//
//   for each block of depth: cp.async of the tiles of A and B, some blocks ahead
//     each warp: fragments from shared memory, mma.sync into accumulators
//   accumulators to shared memory; from there each element through the epilogue
//
// bfloat16 and float16 are multiplied as they are (m16n8k16, fragments by ldmatrix).
// float32 is split into two tf32 parts, hi = tf32(x) and lo = tf32(x - hi), and three
// products lo*hi + hi*lo + hi*hi are added (m16n8k8): the missing lo*lo is below
// 2^-22 of a product. (Infinite elements give NaN: inf - inf.)
//
// Rows of the tiles in shared memory are padded by 16 bytes or 8 elements: then the
// lanes of a fragment touch different banks.
//
//===----------------------------------------------------------------------===//
#include "LaunchShape.h"
#include "MmaProduct.h"
#include "Templates.h"

#include "dsc/Codegen/Common/Epilogue.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dsc {

namespace {

class GemmMmaTemplate : public Template {
public:
  StringRef getName() const override { return "gemm-mma"; }
  Match match(const GroupInfo &group, const Target &) const override {
    MmaProduct found;
    return findMmaProduct(group, found);
  }
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};

/// Sizes of the tiles, in elements.
struct Tiles {
  int64_t warpRows = 0, warpColumns = 0;    ///< a warp's part of a tile
  int64_t rows = 0, columns = 0, depth = 0; ///< a block's tile
  int64_t stages = 0;                       ///< tiles in flight

  static Tiles read(ScheduleAttr schedule) {
    ArrayRef<int64_t> tile = schedule.getTile(), block = schedule.getBlock();
    return {tile[0], tile[1], block[0], block[1], block[2], schedule.getStages()};
  }
  ScheduleAttr write(MLIRContext *context, StringRef name, DictionaryAttr params) const {
    return ScheduleAttr::get(context, name, {warpRows, warpColumns}, {rows, columns, depth}, 1, {},
                             stages, params);
  }
  int64_t warps() const { return rows / warpRows * (columns / warpColumns); }
  int64_t threads() const { return warps() * kWarpSize; }
};

/// One of the two operands in shared memory: [outer][depth] or [depth][outer], as it
/// lies in global memory, rows padded.
struct Operand {
  unsigned number = 0; ///< in loops->accesses
  ArrayRef<unsigned> outer;
  bool isAlongDepth = false;
  std::optional<Contiguity> contiguity;
  int64_t outerTile = 0, depthTile = 0;
  int64_t byteOffset = 0; ///< in a stage
  Value canCopyVectors;   ///< i1; null: never

  int64_t rowLength() const { return isAlongDepth ? depthTile : outerTile; }
  int64_t rowCount() const { return isAlongDepth ? outerTile : depthTile; }
  /// Distance of rows, padded against conflicts of banks.
  int64_t rowStride(int64_t elementBytes) const {
    return rowLength() + (isAlongDepth ? 16 / elementBytes : 8);
  }
  /// Where an element is, in elements.
  int64_t offset(int64_t outerIndex, int64_t depthIndex, int64_t elementBytes) const {
    int64_t stride = rowStride(elementBytes);
    return isAlongDepth ? outerIndex * stride + depthIndex : depthIndex * stride + outerIndex;
  }
  int64_t bytes(int64_t elementBytes) const {
    return rowCount() * rowStride(elementBytes) * elementBytes;
  }
};

/// Emits the kernel of one product.
class MmaEmitter {
public:
  MmaEmitter(KernelEmitter &kernel, const MmaProduct &product, const Tiles &tiles);
  void emit();

private:
  using Accumulators = SmallVector<Value>;

  // Set-up
  Operand makeOperand(unsigned number, ArrayRef<unsigned> outer, int64_t outerTile);
  Value findVectorCopies(const Operand &operand);
  void emitTile(ArrayRef<Value> batch, Value firstRow, Value firstColumn);

  // Global to shared memory
  void copyTiles(ArrayRef<Value> batch, Value firstRow, Value firstColumn, Value block);
  void copyTile(const Operand &operand, ArrayRef<Value> batch, Value firstOuter, Value block,
                Value stage);
  void copyVectors(const Operand &operand, ArrayRef<Value> batch, Value firstOuter,
                   Value firstDepth, Value tile);
  void copyElements(const Operand &operand, ArrayRef<Value> batch, Value firstOuter,
                    Value firstDepth, Value tile);
  /// An element's address, and whether it is inside of the operand.
  std::pair<Value, Value> locate(const Operand &operand, ArrayRef<Value> batch, Value outer,
                                 Value depth);

  // Shared memory to registers, and products
  Accumulators multiply(Value stage, Accumulators sums);
  Accumulators multiplyTf32(Value stage, Accumulators sums);
  Accumulators multiply16(Value stage, Accumulators sums);
  std::pair<Value, Value> loadSplit(Value address, int64_t offset);
  SmallVector<Value> loadMatrices(const Operand &operand, Value address, int64_t offset);
  void mma(MutableArrayRef<Value> sums, ValueRange a, ValueRange b);
  Value laneAddress(const Operand &operand, Value stage, Value outer, Value depth);

  // Epilogue
  void storeSums(ArrayRef<Value> sums);
  void emitEpilogue(ArrayRef<Value> batch, Value firstRow, Value firstColumn);

  // Small things
  Value cast32(Value i) { return arith::IndexCastOp::create(b, loc, b.getI32Type(), i); }
  Value quotient(Value i, int64_t by) {
    return arith::DivUIOp::create(b, loc, i, kernel.index(by));
  }
  Value remainder(Value i, int64_t by) {
    return arith::RemUIOp::create(b, loc, i, kernel.index(by));
  }
  Value times(Value i, int64_t factor) { return kernel.mul(i, kernel.index(factor)); }
  Value less(Value i, Value end) {
    return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ult, i, end);
  }
  Value both(Value a, Value other) { return arith::AndIOp::create(b, loc, a, other); }
  Value advance(Value pointer, Value bytes);
  Value advance(Value pointer, int64_t bytes);
  Value toGlobal(Value pointer);
  void barrier() { NVVM::BarrierOp::create(b, loc); }
  int64_t sumsStride() const { return tiles.columns + 8; }
  int64_t stageBytes() const;

  KernelEmitter &kernel;
  OpBuilder &b;
  Location loc;
  const MmaProduct &product;
  const Tiles tiles;
  Type element;
  int64_t elementBytes;
  Operand a, bOperand;
  Value shared;              // !llvm.ptr<3>
  Value thread, lane, warp;  // index
  Value warpRow, warpColumn; // index: of the warp's part of the tile
};

} // namespace

//===----------------------------------------------------------------------===//
// Schedules and cost
//===----------------------------------------------------------------------===//

/// How float32 is multiplied: three products of tf32, so that each is known to 2^-21.
static DictionaryAttr splitNumerics(MLIRContext *context) {
  Builder builder(context);
  auto numerics = NumericsAttr::get(context, FloatTF32Type::get(context), /*parts=*/3,
                                    builder.getF32Type(), /*bound=*/-21, /*ftz=*/false);
  return builder.getDictionaryAttr(builder.getNamedAttr("numerics", numerics));
}

SmallVector<ScheduleAttr> GemmMmaTemplate::candidates(const GroupInfo &group,
                                                      const Target &) const {
  MmaProduct found;
  findMmaProduct(group, found);
  MLIRContext *context = group.getGroup()->getContext();
  bool isSplit = found.elementType().isF32();
  int64_t depth = isSplit ? 16 : 32;
  SmallVector<ScheduleAttr> schedules;
  for (Tiles tiles : {Tiles{32, 64, 128, 128, depth, 3}, Tiles{32, 32, 128, 64, depth, 4},
                      Tiles{32, 32, 64, 128, depth, 4}, Tiles{32, 32, 64, 64, depth, 4},
                      Tiles{16, 32, 32, 64, depth, 4}, Tiles{32, 16, 64, 32, depth, 4},
                      Tiles{16, 16, 32, 32, depth, 4}})
    schedules.push_back(
        tiles.write(context, getName(), isSplit ? splitNumerics(context) : DictionaryAttr()));
  return schedules;
}

Cost GemmMmaTemplate::cost(const GroupInfo &group, ScheduleAttr schedule,
                           const Target &target) const {
  MmaProduct found;
  findMmaProduct(group, found);
  Tiles tiles = Tiles::read(schedule);
  const GpuRates &gpu = gpuRates(target);
  bool isSplit = found.elementType().isF32();
  double bytes = isSplit ? 4 : 2;
  double rows = std::ceil(estimateSize(found.extents(found.row)) / double(tiles.rows));
  double columns = std::ceil(estimateSize(found.extents(found.column)) / double(tiles.columns));
  double blocks = rows * columns * estimateSize(found.extents(found.batch));
  double depth = std::ceil(estimateSize(found.extents(found.depth)) / double(tiles.depth)) *
                 double(tiles.depth);
  auto area = double(tiles.rows * tiles.columns), edge = double(tiles.rows + tiles.columns);
  double products = isSplit ? 3 / gpu.tensorTf32 : 1 / gpu.tensor16;
  // A warp's fragments come through shared memory: the smaller its part of the tile,
  // the more often.
  double fragments = area * (1.0 / double(tiles.warpRows) + 1.0 / double(tiles.warpColumns));
  double step = std::max(
      {2 * area * products, edge * bytes / target.l2GBs, fragments * bytes / gpu.sharedGBs});
  double epilogue = area * 8 / target.l2GBs;
  // Multiprocessors without a tile of their own wait for the others.
  double waves = std::ceil(blocks / double(gpu.multiprocessors)) * double(gpu.multiprocessors);
  Cost cost = estimateWork(group);
  cost.ns = std::max(waves * (depth * step + epilogue + gpu.startNs), cost.bytes / target.dramGBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

MmaEmitter::MmaEmitter(KernelEmitter &kernel, const MmaProduct &product, const Tiles &tiles)
    : kernel(kernel), b(kernel.builder), loc(kernel.loc), product(product), tiles(tiles),
      element(product.elementType()), elementBytes(element.getIntOrFloatBitWidth() / 8) {
  a = makeOperand(product.a, product.row, tiles.rows);
  bOperand = makeOperand(product.b, product.column, tiles.columns);
  bOperand.byteOffset = a.bytes(elementBytes);
}

Operand MmaEmitter::makeOperand(unsigned number, ArrayRef<unsigned> outer, int64_t outerTile) {
  Operand made;
  made.number = number;
  made.outer = outer;
  made.outerTile = outerTile;
  made.depthTile = tiles.depth;
  made.contiguity = findContiguity(product, number, outer);
  if (made.contiguity)
    return made;
  made.contiguity = findContiguity(product, number, product.depth);
  made.isAlongDepth = made.contiguity.has_value();
  return made;
}

int64_t MmaEmitter::stageBytes() const {
  return a.bytes(elementBytes) + bOperand.bytes(elementBytes);
}

/// i1: vectors of 16 bytes along the operand's rows are aligned; null: never.
Value MmaEmitter::findVectorCopies(const Operand &operand) {
  int64_t lanes = 16 / elementBytes;
  if (!operand.contiguity)
    return {};
  Dim run = operand.contiguity->run;
  if (!operand.contiguity->isWhole && !(run.isConstant() && run.getConstant() % lanes == 0))
    return {};
  Value base = kernel.view(product.tensor(operand.number)).ptr;
  Value bits = LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), base);
  for (Dim stride : operand.contiguity->strides) {
    if (stride.isConstant() && stride.getConstant() % lanes != 0)
      return {};
    if (stride.isConstant())
      continue;
    Value bytes = times(kernel.size(stride), elementBytes);
    Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), bytes);
    bits = arith::OrIOp::create(b, loc, bits, wide);
  }
  Value low = arith::AndIOp::create(b, loc, bits,
                                    arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(15)));
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, low,
                               arith::ConstantOp::create(b, loc, b.getI64IntegerAttr(0)));
}

Value MmaEmitter::advance(Value pointer, Value bytes) {
  Value wide = arith::IndexCastOp::create(b, loc, b.getI64Type(), bytes);
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{wide});
}

Value MmaEmitter::advance(Value pointer, int64_t bytes) {
  if (bytes == 0)
    return pointer;
  return LLVM::GEPOp::create(b, loc, pointer.getType(), b.getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
}

Value MmaEmitter::toGlobal(Value pointer) {
  return LLVM::AddrSpaceCastOp::create(b, loc, LLVM::LLVMPointerType::get(b.getContext(), 1),
                                       pointer);
}

//===----------------------------------------------------------------------===//
// Global to shared memory
//===----------------------------------------------------------------------===//

std::pair<Value, Value> MmaEmitter::locate(const Operand &operand, ArrayRef<Value> batch,
                                           Value outer, Value depth) {
  SmallVector<Value> point(product.loops->numLoops(), kernel.index(0));
  auto place = [&](ArrayRef<unsigned> list, ArrayRef<Value> indices) {
    for (auto [loop, i] : llvm::zip(list, indices))
      point[loop] = i;
  };
  place(product.batch, batch);
  place(operand.outer, kernel.delinearize(outer, product.extents(operand.outer)));
  place(product.depth, kernel.delinearize(depth, product.extents(product.depth)));
  Value inside = both(less(outer, kernel.size(product.size(operand.outer))),
                      less(depth, kernel.size(product.size(product.depth))));
  const Access &access = product.access(operand.number);
  Value tensor = product.tensor(operand.number);
  SmallVector<Value> indices = kernel.accessIndices(product.op, *product.loops, access, point);
  if (access.bounds == Bounds::Skip && !operand.contiguity)
    for (auto [dim, i] : llvm::zip(getDims(tensor), indices)) // negative: above any size
      inside = both(inside, less(i, kernel.size(dim)));
  const BufferView &view = kernel.view(tensor);
  Value address = arith::SelectOp::create(b, loc, inside, kernel.address(view, indices), view.ptr);
  return {address, inside};
}

/// Vectors of 16 bytes; what is outside becomes 0.
void MmaEmitter::copyVectors(const Operand &operand, ArrayRef<Value> batch, Value firstOuter,
                             Value firstDepth, Value tile) {
  int64_t lanes = 16 / elementBytes, perRow = operand.rowLength() / lanes;
  int64_t count = operand.rowCount() * perRow / tiles.threads();
  assert(count > 0 && operand.rowCount() * perRow % tiles.threads() == 0 && "tiles fit threads");
  Value column = times(remainder(thread, perRow), lanes);
  for (int64_t i = 0; i < count; ++i) {
    Value row = kernel.add(quotient(thread, perRow), kernel.index(i * tiles.threads() / perRow));
    Value outer = kernel.add(firstOuter, operand.isAlongDepth ? row : column);
    Value depth = kernel.add(firstDepth, operand.isAlongDepth ? column : row);
    auto [address, inside] = locate(operand, batch, outer, depth);
    // Bytes up to the end of the run.
    Value along = operand.isAlongDepth ? depth : outer;
    Value end = kernel.size(operand.isAlongDepth ? product.size(product.depth)
                                                 : product.size(operand.outer));
    Value left = arith::SubIOp::create(b, loc, end, along);
    Value elements = arith::MinUIOp::create(b, loc, left, kernel.index(lanes));
    Value bytes =
        arith::SelectOp::create(b, loc, inside, times(elements, elementBytes), kernel.index(0));
    Value offset = kernel.add(times(row, operand.rowStride(elementBytes)), column);
    NVVM::CpAsyncOp::create(b, loc, advance(tile, times(offset, elementBytes)), toGlobal(address),
                            16, NVVM::LoadCacheModifierKind::CG, cast32(bytes));
  }
}

/// Element by element, from wherever they lie.
void MmaEmitter::copyElements(const Operand &operand, ArrayRef<Value> batch, Value firstOuter,
                              Value firstDepth, Value tile) {
  int64_t perRow = operand.rowLength(), rowsAtOnce = tiles.threads() / perRow;
  assert(rowsAtOnce > 0 && operand.rowCount() % rowsAtOnce == 0 && "tiles fit threads");
  Value column = remainder(thread, perRow), firstRow = quotient(thread, perRow);
  kernel.loop(firstRow, kernel.index(operand.rowCount()), kernel.index(rowsAtOnce), {},
              [&](Value row, ValueRange) -> SmallVector<Value> {
                Value outer = kernel.add(firstOuter, operand.isAlongDepth ? row : column);
                Value depth = kernel.add(firstDepth, operand.isAlongDepth ? column : row);
                auto [address, inside] = locate(operand, batch, outer, depth);
                Value offset = kernel.add(times(row, operand.rowStride(elementBytes)), column);
                Value to = advance(tile, times(offset, elementBytes));
                if (elementBytes == 4) {
                  Value bytes =
                      arith::SelectOp::create(b, loc, inside, kernel.index(4), kernel.index(0));
                  NVVM::CpAsyncOp::create(b, loc, to, toGlobal(address), 4,
                                          NVVM::LoadCacheModifierKind::CA, cast32(bytes));
                  return {};
                }
                Type bits = b.getI16Type();
                Value zero = arith::ConstantOp::create(b, loc, b.getI16IntegerAttr(0));
                Value from = toGlobal(address);
                Value value = kernel
                                  .branch(
                                      inside, bits,
                                      [&]() -> SmallVector<Value> {
                                        return {LLVM::LoadOp::create(b, loc, bits, from)};
                                      },
                                      [&]() -> SmallVector<Value> { return {zero}; })
                                  .front();
                LLVM::StoreOp::create(b, loc, value, to);
                return {};
              });
}

void MmaEmitter::copyTile(const Operand &operand, ArrayRef<Value> batch, Value firstOuter,
                          Value block, Value stage) {
  Value firstDepth = times(block, tiles.depth);
  Value tile = advance(stage, operand.byteOffset);
  if (!operand.canCopyVectors)
    return copyElements(operand, batch, firstOuter, firstDepth, tile);
  kernel.branch(
      operand.canCopyVectors,
      [&]() -> SmallVector<Value> {
        copyVectors(operand, batch, firstOuter, firstDepth, tile);
        return {};
      },
      [&]() -> SmallVector<Value> {
        copyElements(operand, batch, firstOuter, firstDepth, tile);
        return {};
      });
}

/// Starts the copy of the tiles of one block of depth, if there is such a block.
void MmaEmitter::copyTiles(ArrayRef<Value> batch, Value firstRow, Value firstColumn, Value block) {
  Value stage = advance(shared, times(remainder(block, tiles.stages), stageBytes()));
  Value count = kernel.size(product.size(product.depth).ceilDiv(tiles.depth));
  kernel.branch(less(block, count), [&]() -> SmallVector<Value> {
    copyTile(a, batch, firstRow, block, stage);
    copyTile(bOperand, batch, firstColumn, block, stage);
    return {};
  });
  NVVM::CpAsyncCommitGroupOp::create(b, loc);
}

//===----------------------------------------------------------------------===//
// Fragments and products
//===----------------------------------------------------------------------===//

Value MmaEmitter::laneAddress(const Operand &operand, Value stage, Value outer, Value depth) {
  int64_t stride = operand.rowStride(elementBytes);
  Value offset = operand.isAlongDepth ? kernel.add(times(outer, stride), depth)
                                      : kernel.add(times(depth, stride), outer);
  return advance(advance(stage, operand.byteOffset), times(offset, elementBytes));
}

/// A float32 as two tf32 parts: hi, lo.
std::pair<Value, Value> MmaEmitter::loadSplit(Value address, int64_t offset) {
  Type i32 = b.getI32Type();
  Value x = LLVM::LoadOp::create(b, loc, element, advance(address, offset * elementBytes));
  Value hi = NVVM::ConvertFloatToTF32Op::create(b, loc, i32, x, NVVM::FPRoundingMode::RNA);
  Value asFloat = arith::BitcastOp::create(b, loc, element, hi);
  Value rest = arith::SubFOp::create(b, loc, x, asFloat);
  Value lo = NVVM::ConvertFloatToTF32Op::create(b, loc, i32, rest, NVVM::FPRoundingMode::RNA);
  return {hi, lo};
}

/// Four 8 x 8 matrices of 16-bit elements; depth runs along a lane's pairs.
SmallVector<Value> MmaEmitter::loadMatrices(const Operand &operand, Value address, int64_t offset) {
  Type i32 = b.getI32Type();
  auto four = LLVM::LLVMStructType::getLiteral(b.getContext(), {i32, i32, i32, i32});
  auto layout = operand.isAlongDepth ? NVVM::MMALayout::row : NVVM::MMALayout::col;
  Value loaded = NVVM::LdMatrixOp::create(
      b, loc, four, advance(address, offset * elementBytes), 4, layout,
      NVVM::LdStMatrixShapeAttr::get(b.getContext(), 8, 8), NVVM::LdStMatrixEltType::B16);
  SmallVector<Value> matrices;
  for (int64_t i = 0; i < 4; ++i)
    matrices.push_back(LLVM::ExtractValueOp::create(b, loc, loaded, i));
  return matrices;
}

/// sums += a b for 16 rows and 8 columns.
void MmaEmitter::mma(MutableArrayRef<Value> sums, ValueRange fragmentA, ValueRange fragmentB) {
  Type f32 = b.getF32Type();
  auto type = element.isF32()    ? NVVM::MMATypes::tf32
              : element.isBF16() ? NVVM::MMATypes::bf16
                                 : NVVM::MMATypes::f16;
  // Halves are vectors for mma.sync, the other types bits.
  auto operands = [&](ValueRange fragment) {
    SmallVector<Value> values(fragment);
    if (element.isF16())
      for (Value &value : values)
        value = LLVM::BitcastOp::create(b, loc, VectorType::get(2, element), value);
    return values;
  };
  auto result = LLVM::LLVMStructType::getLiteral(b.getContext(), {f32, f32, f32, f32});
  Value sum = NVVM::MmaOp::create(
      b, loc, result, operands(fragmentA), operands(fragmentB), ValueRange(ArrayRef<Value>(sums)),
      {16, 8, element.isF32() ? 8 : 16}, std::nullopt, std::nullopt, std::array{type, type},
      std::array{NVVM::MMALayout::row, NVVM::MMALayout::col});
  for (auto [i, value] : llvm::enumerate(sums))
    value = LLVM::ExtractValueOp::create(b, loc, sum, i);
}

/// The sums of 16 rows and 8 columns of a warp's part.
static MutableArrayRef<Value> fragmentOf(SmallVectorImpl<Value> &sums, int64_t row, int64_t column,
                                         int64_t columns) {
  return MutableArrayRef<Value>(sums).slice((row * columns + column) * 4, 4);
}

MmaEmitter::Accumulators MmaEmitter::multiplyTf32(Value stage, Accumulators sums) {
  int64_t rows = tiles.warpRows / 16, columns = tiles.warpColumns / 8;
  Value group = quotient(lane, 4), inGroup = remainder(lane, 4);
  Value addressA = laneAddress(a, stage, kernel.add(warpRow, group), inGroup);
  Value addressB = laneAddress(bOperand, stage, kernel.add(warpColumn, group), inGroup);
  for (int64_t k = 0; k < tiles.depth; k += 8) {
    SmallVector<SmallVector<Value>> hiA(rows), loA(rows);
    for (int64_t row = 0; row < rows; ++row)
      for (int64_t i = 0; i < 4; ++i) {
        int64_t offset = a.offset(row * 16 + i % 2 * 8, k + i / 2 * 4, elementBytes);
        auto [hi, lo] = loadSplit(addressA, offset);
        hiA[row].push_back(hi);
        loA[row].push_back(lo);
      }
    for (int64_t column = 0; column < columns; ++column) {
      SmallVector<Value> hiB, loB;
      for (int64_t i = 0; i < 2; ++i) {
        auto [hi, lo] = loadSplit(addressB, bOperand.offset(column * 8, k + i * 4, elementBytes));
        hiB.push_back(hi);
        loB.push_back(lo);
      }
      // Small products first; rows in turn, so that no product waits for the last.
      for (int64_t row = 0; row < rows; ++row)
        mma(fragmentOf(sums, row, column, columns), loA[row], hiB);
      for (int64_t row = 0; row < rows; ++row)
        mma(fragmentOf(sums, row, column, columns), hiA[row], loB);
      for (int64_t row = 0; row < rows; ++row)
        mma(fragmentOf(sums, row, column, columns), hiA[row], hiB);
    }
  }
  return sums;
}

MmaEmitter::Accumulators MmaEmitter::multiply16(Value stage, Accumulators sums) {
  int64_t rows = tiles.warpRows / 16, columns = tiles.warpColumns / 8;
  // Lane l gives the address of row l % 8 of matrix l / 8. A: the matrices are rows
  // 0-7 and 8-15 of depths 0-7, then of 8-15; B: depths 0-7 and 8-15 of columns 0-7,
  // then of 8-15.
  Value inMatrix = remainder(lane, 8), matrix = quotient(lane, 8);
  Value fast = times(remainder(matrix, 2), 8), slow = times(quotient(matrix, 2), 8);
  auto place = [&](bool isRow, Value eight) { return isRow ? kernel.add(inMatrix, eight) : eight; };
  Value addressA = laneAddress(a, stage, kernel.add(warpRow, place(a.isAlongDepth, fast)),
                               place(!a.isAlongDepth, slow));
  Value addressB =
      laneAddress(bOperand, stage, kernel.add(warpColumn, place(bOperand.isAlongDepth, slow)),
                  place(!bOperand.isAlongDepth, fast));
  for (int64_t k = 0; k < tiles.depth; k += 16) {
    SmallVector<SmallVector<Value>> fragmentsA;
    for (int64_t row = 0; row < rows; ++row)
      fragmentsA.push_back(loadMatrices(a, addressA, a.offset(row * 16, k, elementBytes)));
    for (int64_t column = 0; column < columns; column += 2) {
      SmallVector<Value> pair =
          loadMatrices(bOperand, addressB, bOperand.offset(column * 8, k, elementBytes));
      for (int64_t half = 0; half < 2; ++half)
        for (int64_t row = 0; row < rows; ++row)
          mma(fragmentOf(sums, row, column + half, columns), fragmentsA[row],
              ArrayRef<Value>(pair).slice(half * 2, 2));
    }
  }
  return sums;
}

//===----------------------------------------------------------------------===//
// Epilogue
//===----------------------------------------------------------------------===//

void MmaEmitter::storeSums(ArrayRef<Value> sums) {
  int64_t columns = tiles.warpColumns / 8;
  Value row = kernel.add(warpRow, quotient(lane, 4));
  Value column = kernel.add(warpColumn, times(remainder(lane, 4), 2));
  Value address = advance(shared, times(kernel.add(times(row, sumsStride()), column), 4));
  for (auto [i, sum] : llvm::enumerate(sums)) {
    auto fragment = static_cast<int64_t>(i) / 4, part = static_cast<int64_t>(i) % 4;
    int64_t offset =
        (fragment / columns * 16 + part / 2 * 8) * sumsStride() + fragment % columns * 8 + part % 2;
    LLVM::StoreOp::create(b, loc, sum, advance(address, offset * 4));
  }
}

/// Neighbouring threads take neighbouring columns.
void MmaEmitter::emitEpilogue(ArrayRef<Value> batch, Value firstRow, Value firstColumn) {
  Epilogue epilogue(kernel, product.op);
  int64_t rowsAtOnce = tiles.threads() / tiles.columns;
  Value column = remainder(thread, tiles.columns);
  Value globalColumn = kernel.add(firstColumn, column);
  SmallVector<Value> columnIndices =
      kernel.delinearize(globalColumn, product.extents(product.column));
  Value isColumn = less(globalColumn, kernel.size(product.size(product.column)));
  kernel.loop(
      quotient(thread, tiles.columns), kernel.index(tiles.rows), kernel.index(rowsAtOnce), {},
      [&](Value row, ValueRange) -> SmallVector<Value> {
        Value globalRow = kernel.add(firstRow, row);
        Value isInside = both(isColumn, less(globalRow, kernel.size(product.size(product.row))));
        kernel.branch(isInside, [&]() -> SmallVector<Value> {
          SmallVector<Value> point(product.loops->numLoops());
          for (auto [loop, i] : llvm::zip(product.batch, batch))
            point[loop] = i;
          for (auto [loop, i] : llvm::zip(product.column, columnIndices))
            point[loop] = i;
          for (auto [loop, i] :
               llvm::zip(product.row, kernel.delinearize(globalRow, product.extents(product.row))))
            point[loop] = i;
          SmallVector<Value> indices;
          for (unsigned loop = 0; loop < point.size(); ++loop)
            if (product.loops->iterators[loop] != Iterator::Reduction)
              indices.push_back(point[loop]);
          Value offset = kernel.add(times(row, sumsStride()), column);
          Value sum =
              LLVM::LoadOp::create(b, loc, b.getF32Type(), advance(shared, times(offset, 4)));
          epilogue.emitPoint(indices, sum);
          return {};
        });
        return {};
      });
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

MmaEmitter::Accumulators MmaEmitter::multiply(Value stage, Accumulators sums) {
  return element.isF32() ? multiplyTf32(stage, std::move(sums))
                         : multiply16(stage, std::move(sums));
}

void MmaEmitter::emitTile(ArrayRef<Value> batch, Value firstRow, Value firstColumn) {
  for (int64_t block = 0; block + 1 < tiles.stages; ++block)
    copyTiles(batch, firstRow, firstColumn, kernel.index(block));
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  SmallVector<Value> initial(tiles.warpRows * tiles.warpColumns / kWarpSize, zero);
  Value count = kernel.size(product.size(product.depth).ceilDiv(tiles.depth));
  SmallVector<Value> sums = kernel.loop(
      kernel.index(0), count, kernel.index(1), initial, [&](Value block, ValueRange carried) {
        NVVM::CpAsyncWaitGroupOp::create(b, loc, static_cast<uint32_t>(tiles.stages - 2));
        // Behind the barrier the tile is there for all, and nobody reads the one
        // before it any more, which is overwritten next.
        barrier();
        copyTiles(batch, firstRow, firstColumn, kernel.add(block, kernel.index(tiles.stages - 1)));
        Value stage = advance(shared, times(remainder(block, tiles.stages), stageBytes()));
        return multiply(stage, SmallVector<Value>(carried));
      });
  NVVM::CpAsyncWaitGroupOp::create(b, loc, uint32_t(0));
  barrier();
  storeSums(sums);
  barrier();
  emitEpilogue(batch, firstRow, firstColumn);
  barrier();
}

void MmaEmitter::emit() {
  int64_t bytes = std::max(tiles.stages * stageBytes(), tiles.rows * sumsStride() * 4);
  setLaunchShape(kernel, {tiles.threads(), bytes});
  shared = sharedMemory(kernel);
  auto read = [&](Value number) -> Value {
    return arith::IndexCastUIOp::create(b, loc, b.getIndexType(), number);
  };
  thread = read(NVVM::ThreadIdXOp::create(b, loc, b.getI32Type()));
  lane = remainder(thread, kWarpSize);
  warp = quotient(thread, kWarpSize);
  int64_t warpsAcross = tiles.columns / tiles.warpColumns;
  warpRow = times(quotient(warp, warpsAcross), tiles.warpRows);
  warpColumn = times(remainder(warp, warpsAcross), tiles.warpColumns);
  a.canCopyVectors = findVectorCopies(a);
  bOperand.canCopyVectors = findVectorCopies(bOperand);

  SmallVector<Dim> tasks = product.extents(product.batch);
  tasks.push_back(product.size(product.row).ceilDiv(tiles.rows));
  tasks.push_back(product.size(product.column).ceilDiv(tiles.columns));
  Dim total = dsc::product(b.getContext(), tasks);
  kernel.partCount = total * tiles.threads();
  Value block = read(NVVM::BlockIdXOp::create(b, loc, b.getI32Type()));
  Value blocks = read(NVVM::GridDimXOp::create(b, loc, b.getI32Type()));
  kernel.loop(block, kernel.size(total), blocks, [&](Value task) {
    SmallVector<Value> indices = kernel.delinearize(task, tasks);
    emitTile(ArrayRef<Value>(indices).drop_back(2), times(indices[indices.size() - 2], tiles.rows),
             times(indices.back(), tiles.columns));
  });
}

LogicalResult GemmMmaTemplate::emit(KernelEmitter &kernel, ScheduleAttr schedule) const {
  MmaProduct found;
  if (Match match = findMmaProduct(kernel.group, found); !match)
    return kernel.group.getGroup()->emitOpError() << match.reason;
  MmaEmitter(kernel, found, Tiles::read(schedule)).emit();
  return success();
}

const Template &gemmMmaTemplate() {
  static const GemmMmaTemplate instance;
  return instance;
}

} // namespace dsc
