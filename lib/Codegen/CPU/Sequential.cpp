//===- Sequential.cpp - the template of scans and scatters ----------------===//
//
// Specs whose iterations depend on earlier ones. A scan runs its parallel loops in
// parts; a scatter, whose updates may meet in one element, runs as a whole.
//
//===----------------------------------------------------------------------===//
#include "Templates.h"
#include "dsc/Codegen/Common/VectorCode.h"

#include "dsc/Format/KernelABI.h"

using namespace mlir;

namespace dsc {

namespace {
class SequentialTemplate : public Template {
public:
  StringRef getName() const override { return "sequential"; }
  bool isGeneric() const override { return true; }
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
  double cycles = cost.flops;
  // Where each update goes is tested.
  constexpr double perUpdate = 6;
  if (const auto &scatter = group.getSpec(&group.getBody().front())->scatter)
    cycles += perUpdate * estimateSize(scatter->updates.extents);
  cost.ns = std::max(cycles / target.gigahertz, cost.bytes / target.l3GBs);
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

/// One step at a point of all loops: stores what belongs there, and returns the next
/// accumulators.
static SmallVector<Value> emitScanStep(KernelEmitter &kernel, Operation *op, const LoopSpec &spec,
                                       ArrayRef<Value> point, ValueRange carried) {
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
}

/// Runs the scan loop at one point of the parallel loops. `body` gets the index.
static SmallVector<Value> forScanSteps(KernelEmitter &kernel, const LoopSpec &spec,
                                       unsigned scanLoop, ValueRange carried,
                                       function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  Value extent = kernel.size(spec.extents[scanLoop]);
  return kernel.loop(
      kernel.index(0), extent, kernel.index(1), carried, [&](Value step, ValueRange inner) {
        if (spec.reverse) {
          Value last = arith::SubIOp::create(kernel.builder, kernel.loc, extent, kernel.index(1));
          step = arith::SubIOp::create(kernel.builder, kernel.loc, last, step);
        }
        return body(step, inner);
      });
}

/// Scans of neighbours in memory that go side by side: their accumulators are a row in
/// scratch memory.
static void emitScanBlock(KernelEmitter &kernel, Operation *op, const LoopSpec &spec,
                          unsigned scanLoop, unsigned columnLoop, SmallVector<Value> point,
                          ArrayRef<BufferView> accumulators, Value start, Value end) {
  auto placeOf = [&](const BufferView &view, Value column) {
    Value at = arith::SubIOp::create(kernel.builder, kernel.loc, column, start);
    return kernel.address(view, at);
  };
  auto store = [&](Value column, ValueRange values) {
    for (auto [view, value] : llvm::zip(accumulators, values))
      kernel.storeAt(view, placeOf(view, column), value);
  };
  kernel.loop(start, end, [&](Value column) { store(column, initialValues(kernel, spec)); });
  forScanSteps(kernel, spec, scanLoop, {}, [&](Value step, ValueRange) {
    point[scanLoop] = step;
    kernel.loop(start, end, [&](Value column) {
      point[columnLoop] = column;
      SmallVector<Value> carried;
      for (const BufferView &view : accumulators)
        carried.push_back(kernel.loadAt(view, placeOf(view, column)));
      store(column, emitScanStep(kernel, op, spec, point, carried));
    });
    return SmallVector<Value>();
  });
}

/// The loop behind the scan whose steps are neighbours in memory, if accumulators can be
/// kept as they are.
static std::optional<unsigned> findColumns(const LoopSpec &spec, unsigned scanLoop) {
  std::optional<unsigned> innermost;
  for (auto [i, extent] : llvm::enumerate(spec.extents))
    if (!extent.isConstant(1))
      innermost = i;
  bool isHeld = llvm::all_of(spec.init, [](TypedAttr init) {
    return !init.getType().isIndex() && !init.getType().isInteger(1);
  });
  return innermost && *innermost > scanLoop && isHeld ? innermost : std::nullopt;
}

static void emitScan(KernelEmitter &kernel, Operation *op, const LoopSpec &spec) {
  constexpr int64_t blockSize = 256;
  unsigned scanLoop = llvm::find(spec.iterators, Iterator::Scan) - spec.iterators.begin();
  std::optional<unsigned> columns = findColumns(spec, scanLoop);
  SmallVector<unsigned> parallel;
  SmallVector<Dim> sizes;
  for (unsigned i = 0; i < spec.numLoops(); ++i) {
    if (i == scanLoop || i == columns)
      continue;
    parallel.push_back(i);
    sizes.push_back(spec.extents[i]);
  }
  SmallVector<BufferView> accumulators;
  if (columns) {
    sizes.push_back(spec.extents[*columns].ceilDiv(blockSize));
    VectorCode code(kernel, kernel.builder.getF32Type());
    for (TypedAttr init : spec.init) {
      accumulators.push_back(
          code.scratch(init.getType(), kernel.constant(blockSize), kernel.constant(1)));
      kernel.markScratch(accumulators.back());
    }
  }
  Dim lines = product(kernel.builder.getContext(), sizes);
  kernel.partCount = Dim::max(kernel.constant(1), Dim::min(lines, kernel.constant(32)));
  auto [first, last] = kernel.share(kernel.size(lines));
  kernel.loop(first, last, [&](Value linear) {
    SmallVector<Value> point(spec.numLoops());
    SmallVector<Value> indices = kernel.delinearize(linear, sizes);
    for (auto [position, i] : llvm::zip(parallel, indices))
      point[position] = i;
    if (columns) {
      Value start = kernel.mul(indices.back(), kernel.index(blockSize));
      Value end = arith::MinSIOp::create(kernel.builder, kernel.loc,
                                         kernel.add(start, kernel.index(blockSize)),
                                         kernel.size(spec.extents[*columns]));
      return emitScanBlock(kernel, op, spec, scanLoop, *columns, point, accumulators, start, end);
    }
    forScanSteps(kernel, spec, scanLoop, initialValues(kernel, spec),
                 [&](Value step, ValueRange carried) {
                   point[scanLoop] = step;
                   return emitScanStep(kernel, op, spec, point, carried);
                 });
  });
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// Runs `body` at each point of the space, in order, with values that each point
/// passes on to the next.
static SmallVector<Value> forEachPoint(KernelEmitter &kernel, ArrayRef<Dim> extents,
                                       SmallVector<Value> &point, ValueRange carried,
                                       function_ref<SmallVector<Value>(ValueRange)> body) {
  if (point.size() == extents.size())
    return body(carried);
  return kernel.loop(kernel.index(0), kernel.size(extents[point.size()]), kernel.index(1), carried,
                     [&](Value i, ValueRange inner) {
                       point.push_back(i);
                       SmallVector<Value> next = forEachPoint(kernel, extents, point, inner, body);
                       point.pop_back();
                       return next;
                     });
}

/// Writes one element; an index outside is an error, and then nothing is written.
static void writeElement(KernelEmitter &kernel, Operation *op, const ScatterSpec &scatter,
                         ValueRange indices, Value element) {
  Value yes =
      arith::ConstantOp::create(kernel.builder, kernel.loc, kernel.builder.getBoolAttr(true));
  Value fits = yes;
  for (auto [i, dim] : llvm::zip(indices, getDims(op->getResult(0)))) {
    Value here = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::ult, i,
                                       kernel.size(dim));
    fits = arith::AndIOp::create(kernel.builder, kernel.loc, fits, here);
  }
  auto write = [&] {
    const BufferView &view = kernel.resultView(0);
    Value address = kernel.address(view, indices);
    if (scatter.combine) {
      Value old = kernel.loadAt(view, address);
      if (element.getType().isInteger(1))
        old = arith::TruncIOp::create(kernel.builder, kernel.loc, element.getType(), old);
      element = kernel.inlineRegion(*scatter.combine, {old, element}).front();
    }
    kernel.storeAt(view, address, element);
  };
  auto fail = [&] { kernel.recordError(yes, DSC_KERNEL_INDEX_OUT_OF_RANGE); };
  kernel.branch(fits, write, fail);
}

/// One update: returns the new accumulators.
static SmallVector<Value> emitUpdate(KernelEmitter &kernel, Operation *op,
                                     const ScatterSpec &scatter, ValueRange point,
                                     ValueRange carried) {
  const LoopSpec &updates = scatter.updates;
  SmallVector<Value> arguments = kernel.bodyArguments(op, updates, point);
  llvm::append_range(arguments, carried);
  SmallVector<Value> yielded = kernel.inlineRegion(*updates.body, arguments);
  ArrayRef<Value> rest = yielded;
  Value condition = scatter.conditional ? rest.front() : Value();
  rest = rest.drop_front(scatter.conditional ? 1 : 0);
  ArrayRef<Value> indices = rest.take_front(getRank(op->getResult(0)));
  rest = rest.drop_front(indices.size());
  Value element = rest.front();
  auto write = [&] { writeElement(kernel, op, scatter, indices, element); };
  if (condition)
    kernel.branch(condition, write);
  else
    write();
  return SmallVector<Value>(rest.drop_front());
}

static void emitScatter(KernelEmitter &kernel, Operation *op, const ScatterSpec &scatter) {
  SmallVector<Value> point;
  forEachPoint(kernel, getDims(op->getResult(0)), point, {}, [&](ValueRange) {
    Value start = scatter.fill ? arith::ConstantOp::create(kernel.builder, kernel.loc, scatter.fill)
                               : kernel.element(op->getOperand(0), point);
    kernel.store(0, point, start);
    return SmallVector<Value>();
  });
  forEachPoint(kernel, scatter.updates.extents, point, initialValues(kernel, scatter.updates),
               [&](ValueRange carried) { return emitUpdate(kernel, op, scatter, point, carried); });
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
