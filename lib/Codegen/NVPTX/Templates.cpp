//===- Templates.cpp - the list of GPU templates, and what they share -----===//
#include "Templates.h"

#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "mlir/Support/DebugStringHelper.h"

using namespace mlir;

namespace dsc {

ArrayRef<const Template *> nvptxTemplates() {
  static const Template *const templates[] = {&gemmMmaTemplate(), &warpRowsTemplate(),
                                              &threadsTemplate()};
  return templates;
}

/// A function of a body that only the host's services compute.
static Operation *findHostFunction(Region *region) {
  Operation *found = nullptr;
  if (region)
    region->walk([&](Operation *op) {
      if (!found && needsService(op))
        found = op;
    });
  return found;
}

Match matchLoops(const GroupInfo &group) {
  for (Operation &op : group.getBody().without_terminator()) {
    if (cast<ComputeOp>(op).getViewSource())
      continue;
    const Spec *spec = group.getSpec(&op);
    if (!spec)
      return Match::no("the op has no Spec");
    StringRef name = op.getName().getStringRef();
    if (!spec->loops || llvm::is_contained(spec->loops->iterators, Iterator::Scan))
      return Match::no((name + ": a " + stringify(spec->kind) + " is not a nest of loops").str());
    for (Region *region : {spec->loops->body.get(), spec->loops->finish.get()})
      if (Operation *function = findHostFunction(region))
        return Match::no((name + ": " + function->getName().getStringRef() + " of " +
                          debugString(function->getResult(0).getType()) +
                          " is not supported on GPUs yet")
                             .str());
  }
  return Match::yes();
}

} // namespace dsc
