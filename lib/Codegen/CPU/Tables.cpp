//===- Tables.cpp - what one loop's index decides, computed once ----------===//
//
//   for i in rows: for j in row:  y[i, j] = x[i, floor(j / scale)] * weight(j / scale)
// =>
//   for j in row:  position[j] = floor(j / scale);  weights[j] = weight(j / scale)
//   for i in rows: for j in row:  y[i, j] = x[i, position[j]] * weights[j]
//
//===----------------------------------------------------------------------===//
#include "Tables.h"

#include "dsc/Codegen/Common/VectorCode.h"

using namespace mlir;

namespace dsc {

namespace {
/// The part of a body that the index alone decides.
struct IndexCode {
  llvm::DenseSet<Operation *> ops; ///< with the constants that they need
  llvm::DenseSet<Value> values;    ///< results that change with the index
  bool isDear = false;

  IndexCode(Block &body, BlockArgument index);
};
} // namespace

static bool isDear(Operation &op) {
  return isa<arith::DivFOp, arith::DivSIOp, arith::RemSIOp, arith::FPToSIOp>(op) ||
         (isa<math::MathDialect>(op.getDialect()) && !isa<math::FmaOp, math::AbsFOp>(op));
}

IndexCode::IndexCode(Block &body, BlockArgument index) {
  for (Operation &op : body.without_terminator()) {
    bool changes = false, fits = !isa<AtOp>(op) && op.getNumRegions() == 0;
    for (Value operand : op.getOperands()) {
      changes |= operand == index || values.contains(operand);
      fits &=
          operand == index || (operand.getDefiningOp() && ops.contains(operand.getDefiningOp()));
    }
    if (!fits)
      continue;
    ops.insert(&op);
    if (changes)
      values.insert(op.result_begin(), op.result_end());
    isDear |= changes && dsc::isDear(op);
  }
}

/// Values that are used by other code than what computes them.
static SmallVector<Value> findResults(Block &body, const IndexCode &code) {
  SmallVector<Value> results;
  for (Operation &op : body.without_terminator()) {
    if (op.getNumResults() != 1 || !code.values.contains(op.getResult(0)))
      continue;
    Type type = op.getResult(0).getType();
    bool isWhole = type.isIndex() || (type.isIntOrFloat() && type.getIntOrFloatBitWidth() >= 8);
    if (isWhole &&
        llvm::any_of(op.getUsers(), [&](Operation *user) { return !code.ops.contains(user); }))
      results.push_back(op.getResult(0));
  }
  return results;
}

void tabulateAlong(KernelEmitter &kernel, const LoopSpec &loops, unsigned loop) {
  Block &body = loops.body->front();
  BlockArgument index = body.getArgument(loop);
  IndexCode indexCode(body, index);
  SmallVector<Value> results = findResults(body, indexCode);
  if (!indexCode.isDear || results.empty())
    return;
  OpBuilder &b = kernel.builder;
  VectorCode code(kernel, b.getF32Type());
  SmallVector<BufferView> tables;
  for (Value result : results) {
    Type type = result.getType().isIndex() ? Type(b.getI64Type()) : result.getType();
    tables.push_back(code.scratch(type, loops.extents[loop], kernel.constant(1)));
    kernel.markScratch(tables.back());
  }
  kernel.loop(kernel.index(0), kernel.size(loops.extents[loop]), [&](Value i) {
    IRMapping map;
    map.map(Value(index), i);
    for (Operation &op : body.without_terminator()) {
      if (!indexCode.ops.contains(&op))
        continue;
      if (auto size = dyn_cast<SizeOp>(op))
        map.map(size.getResult(), kernel.size(size.getSize()));
      else
        b.clone(op, map);
    }
    for (auto [result, table] : llvm::zip(results, tables)) {
      Value value = map.lookup(result);
      if (value.getType().isIndex())
        value = arith::IndexCastOp::create(b, kernel.loc, table.element, value);
      kernel.storeAt(table, kernel.address(table, i), value);
    }
  });
  for (auto [result, table] : llvm::zip(results, tables))
    kernel.tabulate(result, index, table);
}

} // namespace dsc
