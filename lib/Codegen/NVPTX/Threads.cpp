//===- Threads.cpp - the template with a thread for each element ----------===//
//
// Thread p of n computes the elements p, p + n, p + 2n ... of the results, and
// with each all that it is computed from. Neighbours touch neighbouring elements.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/ElementByElement.h"
#include "dsc/Dialect/Target/Nvptx.h"

using namespace mlir;

namespace dsc {

namespace {
class ThreadsTemplate : public Template {
public:
  StringRef getName() const override { return "threads"; }
  Match match(const GroupInfo &group, const Target &) const override { return matchLoops(group); }
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &) const override {
    return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
  }
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};
} // namespace

Cost ThreadsTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Cost cost = estimateWork(group);
  const GpuRates &gpu = gpuRates(target);
  double operations = cost.flops, loads = 0, steps = 0;
  // A thread that reduces repeats the reductions that its neighbours also need.
  for (Operation &op : group.getBody().without_terminator()) {
    const Spec *spec = group.getSpec(&op);
    if (!spec || !spec->loops || !spec->loops->hasReduction())
      continue;
    double results = estimateSize(getDims(group.getYielded().front()));
    double own = std::max(1.0, estimateSize(getDims(op.getResult(0))));
    double points = estimateSize(spec->loops->extents) * std::max(1.0, results / own);
    operations += operationsPerPoint(*spec->loops) * points;
    loads += static_cast<double>(spec->loops->accesses.size()) * points;
    steps += estimateSize(spec->loops->extents) / own;
  }
  // Operands come through the first-level cache, one for each lane in a cycle; and a
  // thread's steps wait for them, one after another, on however many multiprocessors.
  double loadTime = loads / (static_cast<double>(kWarpSize) * target.gigahertz);
  double waitTime = steps * gpu.loadNs * static_cast<double>(gpu.multiprocessors);
  cost.ns =
      std::max({operations / target.peakF32(), loadTime, waitTime, cost.bytes / target.dramGBs});
  return cost;
}

/// Computes the results of one shape.
static void emitElements(KernelEmitter &kernel, ArrayRef<Dim> dims, ArrayRef<unsigned> results) {
  Dim total = product(kernel.builder.getContext(), dims);
  bool isFlat = !dims.empty() && isElementByElement(kernel.group, dims);
  kernel.partCount = Dim::max(kernel.partCount, Dim::min(total, kernel.constant(kMostThreads)));
  kernel.loop(kernel.part, kernel.size(total), kernel.parts, [&](Value i) {
    SmallVector<Value> indices;
    if (isFlat) {
      // A row-major position is index i of the last axis with all others 0.
      indices.assign(dims.size(), kernel.index(0));
      indices.back() = i;
    } else {
      indices = kernel.delinearize(i, dims);
    }
    SmallVector<Value> values;
    for (unsigned result : results)
      values.push_back(kernel.element(kernel.group.getYielded()[result], indices));
    for (auto [result, value] : llvm::zip(results, values))
      kernel.store(result, indices, value);
  });
}

LogicalResult ThreadsTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  // Results of equal shape share a loop.
  SmallVector<std::pair<SmallVector<Dim>, SmallVector<unsigned>>> shapes;
  for (auto [i, value] : llvm::enumerate(kernel.group.getYielded())) {
    SmallVector<Dim> dims = getDims(value);
    auto *it = llvm::find_if(shapes, [&](auto &shape) { return shape.first == dims; });
    if (it == shapes.end()) {
      shapes.push_back({dims, {}});
      it = std::prev(shapes.end());
    }
    it->second.push_back(i);
  }
  for (auto &[dims, results] : shapes)
    emitElements(kernel, dims, results);
  return success();
}

const Template &threadsTemplate() {
  static const ThreadsTemplate instance;
  return instance;
}

} // namespace dsc
