//===- ElementByElement.cpp - groups whose shape does not matter ----------===//
#include "dsc/Codegen/Common/ElementByElement.h"

using namespace mlir;

namespace dsc {

bool isElementByElement(const GroupInfo &group, ArrayRef<Dim> dims) {
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (cast<ComputeOp>(op).getViewSource() || !spec->loops ||
        ArrayRef<Dim>(spec->loops->extents) != dims || spec->loops->hasReduction())
      return false;
    Block &body = spec->loops->body->front();
    for (unsigned i = 0; i < dims.size(); ++i)
      if (!body.getArgument(i).use_empty())
        return false;
    for (const Access &access : spec->loops->accesses) {
      if (!access.map)
        return false;
      Value operand = op.getOperand(access.operand);
      auto constant = operand.getDefiningOp<ConstantOp>();
      bool isSplat = constant && cast<DenseElementsAttr>(constant.getValue()).isSplat();
      bool isSame = access.map->isIdentity() && ArrayRef<Dim>(getDims(operand)) == dims &&
                    llvm::none_of(access.mayBroadcast, [](bool may) { return may; });
      if (!isSame && !isSplat && getRank(operand) != 0)
        return false;
    }
  }
  return true;
}

} // namespace dsc
