//===- Template.cpp - what cost functions share ---------------------------===//
#include "dsc/Codegen/Common/Template.h"

#include "../CPU/Templates.h"
#include "../NVPTX/Templates.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "llvm/ADT/MapVector.h"

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

/// Bytes of an operand that an op touches: where elements are picked (a gather's table),
/// no more than it reads.
static double bytesRead(const GroupInfo &group, Operation *op, OpOperand &operand) {
  double all = bytesOf(operand.get());
  const Spec *spec = isa<ComputeOp>(op) ? group.getSpec(op) : nullptr;
  if (!spec || !spec->loops || !spec->loops->body)
    return all;
  double reads = 0;
  for (auto [i, access] : llvm::enumerate(spec->loops->accesses)) {
    if (access.operand != operand.getOperandNumber())
      continue;
    if (access.map)
      return all;
    Value tensor = spec->loops->body->front().getArgument(spec->loops->numLoops() + i);
    reads += static_cast<double>(std::distance(tensor.use_begin(), tensor.use_end()));
  }
  double elements = estimateSize(getDims(operand.get()));
  return std::min(1.0, reads * estimateSize(spec->loops->extents) / std::max(1.0, elements)) * all;
}

Cost estimateWork(const GroupInfo &group) {
  Cost cost;
  llvm::MapVector<Value, double> outside;
  for (Operation &op : group.getBody().without_terminator()) {
    for (OpOperand &operand : op.getOpOperands())
      if (!group.contains(operand.get()) && isa<RankedTensorType>(operand.get().getType()))
        outside[operand.get()] = std::max(outside[operand.get()], bytesRead(group, &op, operand));
    auto compute = dyn_cast<ComputeOp>(op);
    if (!compute || compute.getViewSource())
      continue;
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops || !spec->loops->body)
      continue;
    cost.flops += operationsPerPoint(*spec->loops) * estimateSize(spec->loops->extents);
  }
  for (auto [value, bytes] : outside)
    cost.bytes += bytes;
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

Dim countParts(Dim tasks, double workOfTask, double leastWork) {
  MLIRContext *context = tasks.getContext();
  double most = std::numeric_limits<int32_t>::max();
  auto tasksOfPart = static_cast<int64_t>(std::clamp(leastWork / workOfTask, 1.0, most));
  Dim parts = Dim::min(tasks.ceilDiv(tasksOfPart), Dim::constant(context, kMostParts));
  return Dim::max(Dim::constant(context, 1), parts);
}

} // namespace dsc
