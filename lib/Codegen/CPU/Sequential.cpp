//===- Sequential.cpp - the template of scans and scatters ----------------===//
//
// Specs whose iterations depend on earlier ones. A scan runs its parallel loops in
// parts; a scatter, whose updates may meet in one element, runs as a whole.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"

#include "dsc/Format/KernelABI.h"

using namespace mlir;

namespace dsc {

namespace {
class SequentialTemplate : public Template {
public:
  StringRef getName() const override { return "sequential"; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};
} // namespace

static bool isScan(const Spec &spec) {
  return spec.loops && llvm::is_contained(spec.loops->iterators, Iterator::Scan);
}

Match SequentialTemplate::match(const GroupInfo &group, const Target &) const {
  Block &body = group.getBody();
  if (!llvm::hasNItems(body.without_terminator(), 1))
    return Match::no("more than one op");
  const Spec *spec = group.getSpec(&body.front());
  if (!spec || (!spec->scatter && !isScan(*spec)))
    return Match::no("neither a scan nor a scatter");
  return Match::yes();
}

SmallVector<ScheduleAttr> SequentialTemplate::candidates(const GroupInfo &group,
                                                         const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

Cost SequentialTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  Cost cost = estimateWork(group);
  cost.ns = std::max(cost.flops / target.gigahertz, cost.bytes / target.l3GBs);
  return cost;
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

static SmallVector<Value> initialValues(KernelEmitter &kernel, const LoopSpec &spec) {
  return llvm::map_to_vector(spec.init, [&](TypedAttr init) -> Value {
    return arith::ConstantOp::create(kernel.builder, kernel.loc, init);
  });
}

/// Runs the scan loop at one point of the parallel loops.
static void emitScanLine(KernelEmitter &kernel, Operation *op, const LoopSpec &spec,
                         unsigned scanLoop, SmallVector<Value> point) {
  Value extent = kernel.size(spec.extents[scanLoop]);
  kernel.loop(kernel.index(0), extent, kernel.index(1), initialValues(kernel, spec),
              [&](Value step, ValueRange carried) {
                if (spec.reverse) {
                  Value last =
                      arith::SubIOp::create(kernel.builder, kernel.loc, extent, kernel.index(1));
                  step = arith::SubIOp::create(kernel.builder, kernel.loc, last, step);
                }
                point[scanLoop] = step;
                SmallVector<Value> arguments = kernel.bodyArguments(op, spec, point);
                llvm::append_range(arguments, carried);
                SmallVector<Value> next = kernel.inlineRegion(*spec.body, arguments);
                SmallVector<Value> stored = spec.exclusive ? SmallVector<Value>(carried) : next;
                if (spec.finish) {
                  SmallVector<Value> atPoint(point);
                  llvm::append_range(atPoint, stored);
                  stored = kernel.inlineRegion(*spec.finish, atPoint);
                }
                for (auto [i, value] : llvm::enumerate(stored))
                  kernel.store(i, point, value);
                return next;
              });
}

static void emitScan(KernelEmitter &kernel, Operation *op, const LoopSpec &spec) {
  SmallVector<unsigned> parallel;
  SmallVector<Dim> sizes;
  unsigned scanLoop = 0;
  for (auto [i, iterator] : llvm::enumerate(spec.iterators)) {
    if (iterator == Iterator::Scan) {
      scanLoop = i;
      continue;
    }
    parallel.push_back(i);
    sizes.push_back(spec.extents[i]);
  }
  Dim lines = product(kernel.builder.getContext(), sizes);
  kernel.partCount = Dim::max(kernel.constant(1), Dim::min(lines, kernel.constant(32)));
  auto [first, end] = kernel.share(kernel.size(lines));
  kernel.loop(first, end, [&](Value linear) {
    SmallVector<Value> point(spec.numLoops());
    for (auto [position, i] : llvm::zip(parallel, kernel.delinearize(linear, sizes)))
      point[position] = i;
    emitScanLine(kernel, op, spec, scanLoop, point);
  });
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

static void forEachPoint(KernelEmitter &kernel, ArrayRef<Dim> extents, SmallVector<Value> &point,
                         function_ref<void()> body) {
  if (point.size() == extents.size())
    return body();
  kernel.loop(kernel.index(0), kernel.size(extents[point.size()]), [&](Value i) {
    point.push_back(i);
    forEachPoint(kernel, extents, point, body);
    point.pop_back();
  });
}

static void emitUpdate(KernelEmitter &kernel, Operation *op, const ScatterSpec &scatter,
                       ValueRange point) {
  const LoopSpec &updates = scatter.updates;
  SmallVector<Value> yielded =
      kernel.inlineRegion(*updates.body, kernel.bodyArguments(op, updates, point));
  Value element = yielded.pop_back_val();
  const BufferView &view = kernel.resultView(0);
  // An index outside is an error, and then nothing is written.
  Value fits =
      arith::ConstantOp::create(kernel.builder, kernel.loc, kernel.builder.getBoolAttr(true));
  for (auto [i, dim] : llvm::zip(yielded, getDims(op->getResult(0)))) {
    Value here = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::ult, i,
                                       kernel.size(dim));
    fits = arith::AndIOp::create(kernel.builder, kernel.loc, fits, here);
  }
  kernel.branch(
      fits, {},
      [&]() -> SmallVector<Value> {
        Value address = kernel.address(view, yielded);
        if (scatter.combine) {
          Value old = kernel.loadAt(view, address);
          if (element.getType().isInteger(1))
            old = arith::TruncIOp::create(kernel.builder, kernel.loc, element.getType(), old);
          element = kernel.inlineRegion(*scatter.combine, {old, element}).front();
        }
        kernel.storeAt(view, address, element);
        return {};
      },
      [&]() -> SmallVector<Value> {
        Value yes =
            arith::ConstantOp::create(kernel.builder, kernel.loc, kernel.builder.getBoolAttr(true));
        kernel.recordError(yes, DSC_KERNEL_INDEX_OUT_OF_RANGE);
        return {};
      });
}

static void emitScatter(KernelEmitter &kernel, Operation *op, const ScatterSpec &scatter) {
  SmallVector<Value> point;
  forEachPoint(kernel, getDims(op->getResult(0)), point,
               [&] { kernel.store(0, point, kernel.element(op->getOperand(0), point)); });
  forEachPoint(kernel, scatter.updates.extents, point,
               [&] { emitUpdate(kernel, op, scatter, point); });
}

LogicalResult SequentialTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  Operation *op = &kernel.group.getBody().front();
  const Spec *spec = kernel.group.getSpec(op);
  if (spec->scatter)
    emitScatter(kernel, op, *spec->scatter);
  else
    emitScan(kernel, op, *spec->loops);
  return success();
}

const Template &sequentialTemplate() {
  static const SequentialTemplate instance;
  return instance;
}

} // namespace dsc
