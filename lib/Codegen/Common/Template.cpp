//===- Template.cpp - what cost functions share ---------------------------===//
#include "dsc/Codegen/Common/Template.h"

#include "../CPU/Templates.h"
#include "../NVPTX/Templates.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace dsc {

ArrayRef<const Template *> templatesFor(const Target &target) {
  return isNvptx(target) ? nvptxTemplates() : cpuTemplates();
}

const Template *findTemplate(const Target &target, StringRef name) {
  for (const Template *candidate : templatesFor(target))
    if (candidate->getName() == name)
      return candidate;
  return nullptr;
}

bool hasTemplate(ComputeOp op, const Target &target) {
  // Templates look at groups: make one, with a copy of the op.
  OpBuilder builder(op);
  auto types = llvm::to_vector(op->getResultTypes());
  auto group = GroupOp::create(builder, op.getLoc(), TypeRange(types), ScheduleAttr());
  builder.setInsertionPointToEnd(&group.getBody().emplaceBlock());
  Operation *copy = builder.clone(*op);
  YieldOp::create(builder, op.getLoc(), copy->getResults());
  bool found = false;
  {
    GroupInfo info(group);
    found = llvm::any_of(templatesFor(target), [&](const Template *candidate) {
      return static_cast<bool>(candidate->match(info, target));
    });
  }
  group->erase();
  return found;
}

double estimateSize(ArrayRef<Dim> dims, double assumed) {
  double size = 1;
  for (Dim dim : dims) {
    // A symbol with a constant factor: the factor counts.
    SmallVector<StringRef> symbols;
    dim.collectSymbols(symbols);
    if (symbols.empty()) {
      size *= static_cast<double>(dim.tryConstant().value_or(1));
      continue;
    }
    MLIRContext *context = dim.getContext();
    Dim assumedDim = dim.substitute(
        [&](StringRef) { return Dim::constant(context, static_cast<int64_t>(assumed)); });
    size *= static_cast<double>(std::max<int64_t>(1, assumedDim.tryConstant().value_or(1)));
  }
  return size;
}

static double bytesOf(Value tensor) {
  Type element = getElementType(tensor);
  double width = element.isIntOrFloat() ? std::max(8u, element.getIntOrFloatBitWidth()) / 8.0 : 8;
  return estimateSize(getDims(tensor)) * width;
}

double operationsPerPoint(const LoopSpec &loops) {
  double operations = 0;
  for (Operation &scalar : loops.body->front().without_terminator())
    operations += isa<arith::ConstantOp>(scalar) ? 0 : 1;
  return operations;
}

Cost estimateWork(const GroupInfo &group) {
  Cost cost;
  llvm::SetVector<Value> outside;
  for (Operation &op : group.getBody().without_terminator()) {
    for (Value operand : op.getOperands())
      if (!group.contains(operand) && isa<RankedTensorType>(operand.getType()))
        outside.insert(operand);
    auto compute = dyn_cast<ComputeOp>(op);
    if (!compute || compute.getViewSource())
      continue;
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops || !spec->loops->body)
      continue;
    cost.flops += operationsPerPoint(*spec->loops) * estimateSize(spec->loops->extents);
  }
  for (Value value : outside)
    cost.bytes += bytesOf(value);
  for (Value value : group.getGroup()->getResults())
    cost.bytes += bytesOf(value);
  return cost;
}

/// Scalar operations that one part should have at least: below, waking a thread
/// costs more than it brings.
static constexpr double kWorkPerPart = 32768;
static constexpr int64_t kMostParts = 64;

Dim countParts(const GroupInfo &group, ArrayRef<Dim> dims, Dim iterations) {
  MLIRContext *context = iterations.getContext();
  double points = std::max(1.0, estimateSize(dims));
  double perPoint = std::max(1.0, estimateWork(group).flops / points);
  auto pointsPerPart = static_cast<int64_t>(std::max(1.0, kWorkPerPart / perPoint));
  Dim wanted = product(context, dims).floorDiv(pointsPerPart);
  Dim most = Dim::min(iterations, Dim::constant(context, kMostParts));
  return Dim::max(Dim::constant(context, 1), Dim::min(wanted, most));
}

} // namespace dsc
