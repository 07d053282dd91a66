//===- MatrixProduct.cpp - contractions as products of matrices -----------===//
#include "MatrixProduct.h"

#include "dsc/Codegen/Common/Anchor.h"

using namespace mlir;

namespace dsc {

SmallVector<Dim> MatrixProduct::extents(ArrayRef<unsigned> loopNumbers) const {
  return llvm::map_to_vector(loopNumbers, [&](unsigned i) { return loops->extents[i]; });
}

Dim MatrixProduct::rows() const { return product(op->getContext(), extents(row)); }
Dim MatrixProduct::columns() const {
  return column ? loops->extents[*column] : Dim::constant(op->getContext(), 1);
}
Dim MatrixProduct::depths() const { return product(op->getContext(), extents(depth)); }

/// How far apart neighbours on the loop are in the operand. Empty: it depends on
/// whether an axis has size 1 at run time.
static std::optional<Dim> strideOf(Operation *op, const Access &access, unsigned loop) {
  SmallVector<Dim> dims = getDims(op->getOperand(access.operand));
  Dim stride = Dim::constant(op->getContext(), 0);
  for (auto [axis, expr] : llvm::enumerate(access.map->getResults())) {
    if (!expr.isFunctionOfDim(loop))
      continue;
    if (access.mayBroadcast[axis])
      return std::nullopt;
    stride = stride + strideOfAxis(dims, axis);
  }
  return stride;
}

namespace {
class Finder {
public:
  Finder(Operation *anchor, MatrixProduct &found)
      : op(anchor), found(found), loops(*found.loops), a(loops.accesses[found.a]),
        b(loops.accesses[found.b]) {}
  Match find();

private:
  Match sortLoops();
  /// Moves the outer loops of `list` whose strides do not fit to the batch.
  void keepFitting(SmallVector<unsigned> &list, ArrayRef<const Access *> operands);

  Operation *op;
  MatrixProduct &found;
  const LoopSpec &loops;
  const Access &a, &b;
};
} // namespace

Match Finder::sortLoops() {
  unsigned last = 0;
  for (unsigned i = 0; i < loops.numLoops(); ++i)
    if (loops.iterators[i] == Iterator::Parallel)
      last = i;
  for (unsigned i = 0; i < loops.numLoops(); ++i) {
    bool inA = dependsOn(a, i), inB = dependsOn(b, i);
    if (loops.iterators[i] == Iterator::Reduction) {
      if (!inA || !inB)
        return Match::no("an operand does not move with a summed axis");
      found.depth.push_back(i);
    } else if (inB && !inA && i == last) {
      found.column = i;
    } else if (inA && !inB) {
      found.row.push_back(i);
    } else {
      found.batch.push_back(i);
    }
  }
  return Match::yes();
}

void Finder::keepFitting(SmallVector<unsigned> &list, ArrayRef<const Access *> operands) {
  auto fits = [&](unsigned outer, unsigned inner) {
    return llvm::all_of(operands, [&](const Access *access) {
      std::optional<Dim> far = strideOf(op, *access, outer), near = strideOf(op, *access, inner);
      return far && near && *far == *near * loops.extents[inner];
    });
  };
  size_t first = list.empty() ? 0 : list.size() - 1;
  while (first > 0 && fits(list[first - 1], list[first]))
    --first;
  found.batch.append(list.begin(), list.begin() + first);
  list.erase(list.begin(), list.begin() + first);
  llvm::sort(found.batch);
}

Match Finder::find() {
  for (const Access *access : {&a, &b})
    for (AffineExpr expr : access->map->getResults())
      if (!isa<AffineDimExpr, AffineConstantExpr>(expr))
        return Match::no("an operand is not read along its axes");
  if (Match sorted = sortLoops(); !sorted)
    return sorted;
  keepFitting(found.row, {&a});
  size_t summed = found.depth.size();
  keepFitting(found.depth, {&a, &b});
  if (found.depth.empty() || found.depth.size() != summed)
    return Match::no("the summed axes do not lie behind each other");
  Dim zero = Dim::constant(op->getContext(), 0);
  auto stride = [&](const Access &access, std::optional<unsigned> loop) {
    return loop ? strideOf(op, access, *loop) : std::optional<Dim>(zero);
  };
  std::optional<unsigned> lastRow;
  if (!found.row.empty())
    lastRow = found.row.back();
  auto aRow = stride(a, lastRow), aDepth = stride(a, found.depth.back());
  auto bDepth = stride(b, found.depth.back()), bColumn = stride(b, found.column);
  if (!aRow || !aDepth || !bDepth || !bColumn)
    return Match::no("an operand's strides depend on sizes that may be 1");
  found.aRow = *aRow;
  found.aDepth = *aDepth;
  found.bDepth = *bDepth;
  found.bColumn = *bColumn;
  return Match::yes();
}

Match findMatrixProduct(const GroupInfo &group, Operation *anchor, MatrixProduct &found) {
  found.op = anchor;
  found.loops = group.getSpec(anchor)->loops.get();
  found.b = findColumnOperand(*found.loops);
  found.a = 1 - found.b;
  return Finder(anchor, found).find();
}

} // namespace dsc
