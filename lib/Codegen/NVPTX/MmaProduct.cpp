//===- MmaProduct.cpp - sums of products as products of matrices ----------===//
#include "MmaProduct.h"

#include "dsc/Codegen/Common/Anchor.h"

using namespace mlir;

namespace dsc {

SmallVector<Dim> MmaProduct::extents(ArrayRef<unsigned> list) const {
  return llvm::map_to_vector(list, [&](unsigned i) { return loops->extents[i]; });
}

Dim MmaProduct::size(ArrayRef<unsigned> list) const {
  return product(op->getContext(), extents(list));
}

static void sortLoops(MmaProduct &found) {
  const LoopSpec &loops = *found.loops;
  found.b = findColumnOperand(loops);
  found.a = 1 - found.b;
  for (unsigned i = 0; i < loops.numLoops(); ++i) {
    bool inA = dependsOn(found.access(found.a), i), inB = dependsOn(found.access(found.b), i);
    if (loops.iterators[i] == Iterator::Reduction)
      found.depth.push_back(i);
    else if (inA && !inB)
      found.row.push_back(i);
    else if (inB && !inA)
      found.column.push_back(i);
    else
      found.batch.push_back(i);
  }
}

Match findMmaProduct(const GroupInfo &group, MmaProduct &found) {
  if (Match match = findAnchor(group, {SpecKind::Contract, SpecKind::Window}, found.op,
                               /*mayWiden=*/true);
      !match)
    return match;
  found.loops = group.getSpec(found.op)->loops.get();
  sortLoops(found);
  if (found.row.empty())
    return Match::no("no loop moves one operand alone: not a product of matrices");
  if (found.column.empty())
    return Match::no("the result has no columns");
  Type type = found.elementType();
  if (type != getElementType(found.tensor(found.b)) ||
      (!type.isF32() && !type.isBF16() && !type.isF16()))
    return Match::no("tensor cores multiply two float32, bfloat16 or float16");
  return Match::yes();
}

//===----------------------------------------------------------------------===//
// Contiguity
//===----------------------------------------------------------------------===//

/// How far apart neighbours on the loop are in the operand, in elements; empty if
/// that is no size.
static std::optional<Dim> strideOf(const MmaProduct &product, unsigned operand, unsigned loop) {
  const Access &access = product.access(operand);
  SmallVector<Dim> dims = getDims(product.tensor(operand));
  Dim stride = Dim::constant(product.op->getContext(), 0);
  for (auto [axis, expr] : llvm::enumerate(access.map->getResults())) {
    std::optional<int64_t> factor = coefficientOf(expr, loop);
    if (!factor || (*factor != 0 && access.mayBroadcast[axis]))
      return std::nullopt;
    stride = stride + strideOfAxis(dims, axis) * *factor;
  }
  return stride;
}

/// Whether each axis is read along one loop of its own length, or at index 0.
static bool isAlwaysInside(const MmaProduct &product, unsigned operand) {
  const Access &access = product.access(operand);
  SmallVector<Dim> dims = getDims(product.tensor(operand));
  auto isUnit = [&](unsigned loop) { return product.loops->extents[loop].isConstant(1); };
  for (auto [dim, whole] : llvm::zip(dims, access.map->getResults())) {
    // Loops of one step stay at 0.
    AffineExpr expr = whole;
    for (unsigned loop = 0; loop < product.loops->numLoops(); ++loop)
      if (isUnit(loop))
        expr = expr.replace(getAffineDimExpr(loop, expr.getContext()),
                            getAffineConstantExpr(0, expr.getContext()));
    expr = simplifyAffineExpr(expr, product.loops->numLoops(), product.loops->symbols.size());
    auto loop = dyn_cast<AffineDimExpr>(expr);
    bool fits = loop ? product.loops->extents[loop.getPosition()] == dim
                     : expr == getAffineConstantExpr(0, expr.getContext());
    if (!fits)
      return false;
  }
  return true;
}

std::optional<Contiguity> findContiguity(const MmaProduct &product, unsigned operand,
                                         ArrayRef<unsigned> list) {
  const LoopSpec &loops = *product.loops;
  if (product.access(operand).bounds == Bounds::Skip && !isAlwaysInside(product, operand))
    return std::nullopt;
  Contiguity found;
  found.run = Dim::constant(product.op->getContext(), 1);
  // From the innermost loop on: as far as strides continue the run.
  size_t first = list.size();
  for (; first > 0; --first) {
    unsigned loop = list[first - 1];
    if (!loops.extents[loop].isConstant(1)) {
      std::optional<Dim> stride = strideOf(product, operand, loop);
      if (!stride || *stride != found.run)
        break;
      found.run = found.run * loops.extents[loop];
    }
  }
  if (found.run.isConstant(1))
    return std::nullopt;
  found.isWhole = first == 0;
  for (unsigned loop = 0; loop < loops.numLoops(); ++loop) {
    if (llvm::is_contained(list.drop_front(first), loop) || loops.extents[loop].isConstant(1))
      continue;
    std::optional<Dim> stride = strideOf(product, operand, loop);
    if (!stride)
      return std::nullopt;
    if (!stride->isConstant(0))
      found.strides.push_back(*stride);
  }
  return found;
}

} // namespace dsc
