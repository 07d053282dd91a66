//===- InterpreterLoops.cpp - runs LoopSpecs and ScatterSpecs -------------===//
//
// Points of the parallel loops are computed side by side, a chunk at a time; the
// reduction and scan loops run around the chunk, one point after the other, so
// that accumulators see the values in loop order.
//
//===----------------------------------------------------------------------===//
#include "InterpreterBody.h"

#include "mlir/IR/AffineExpr.h"

#include <algorithm>

using namespace mlir;

namespace dsc::interpreter {

namespace {
/// sum of coefficients[i] * d_i + constant.
struct LinearForm {
  SmallVector<int64_t> coefficients;
  int64_t constant = 0;

  explicit LinearForm(size_t loops) : coefficients(loops, 0) {}
  void addScaled(const LinearForm &other, int64_t factor) {
    for (auto [mine, theirs] : llvm::zip_equal(coefficients, other.coefficients))
      mine += theirs * factor;
    constant += other.constant * factor;
  }
};

/// The loops of a spec with their sizes, split into those that run side by side
/// (`lanes`) and those that run one point at a time (`steps`).
struct LoopNest {
  SmallVector<int64_t> extents;
  SmallVector<unsigned> lanes, steps;
  SmallVector<int64_t> symbols;
  /// Indices of the current point: a column for a lane loop, else a number.
  std::vector<std::vector<int64_t>> laneIndex;
  SmallVector<int64_t> stepIndex;

  int64_t points(ArrayRef<unsigned> loops) const {
    int64_t result = 1;
    for (unsigned loop : loops)
      result *= extents[loop];
    return result;
  }
  void setLanes(int64_t first, int64_t count);
  void setStep(int64_t point, bool reverse);
  bool isLane(unsigned loop) const { return !laneIndex[loop].empty(); }
  /// out[i] = the form at point i of the chunk. `lanesOnly`: without the loops
  /// that run in steps and the constant; stepPart gives what is left out.
  void evaluateLanes(const LinearForm &form, int64_t count, int64_t *out) const;
  int64_t stepPart(const LinearForm &form) const;
  int64_t evaluate(AffineExpr expr, int64_t lane) const;
};

/// One axis of an access that has to be looked at for each point.
struct CheckedAxis {
  AffineExpr expr;
  std::optional<LinearForm> linear;
  int64_t size, stride;
  std::vector<int64_t> base; ///< lanes' part of `linear`
};

/// How one operand is read: the element offset is a linear form, plus axes whose
/// index may be outside or is not linear.
struct AccessPlan {
  const Array *array;
  Column *target;
  bool skip;
  LinearForm offset;
  std::vector<int64_t> base; ///< lanes' part of `offset`
  std::vector<CheckedAxis> checked;
};

class LoopRunner {
public:
  LoopRunner(Operation *op, LoopSpec &spec, ArrayRef<const Array *> operands,
             const SymbolValues &symbols)
      : op(op), spec(spec), operands(operands), symbols(symbols) {}

  /// `sequential`: all loops run one point at a time, in order.
  LogicalResult prepare(bool sequential);
  LogicalResult run(MutableArrayRef<Array> results);
  LogicalResult runUpdates(const ScatterSpec &scatter, Array &result);

private:
  LogicalResult prepareFinish();
  LogicalResult compile(Region &region, ArrayRef<Access> reads, unsigned first,
                        std::unique_ptr<BodyProgram> &program, std::vector<AccessPlan> &plans);
  AccessPlan plan(const Access &access, Column *target);
  std::optional<LinearForm> linearForm(AffineExpr expr) const;
  bool isInside(const LinearForm &form, int64_t size) const;
  void enterChunk(int64_t first, int64_t count);
  LogicalResult computePoint(int64_t count);
  LogicalResult load(AccessPlan &access, int64_t count);
  LogicalResult runReduction(int64_t count, MutableArrayRef<Array> results);
  LogicalResult finishAndStore(int64_t count, MutableArrayRef<Array> results);
  LogicalResult applyUpdates(int64_t count, bool conditional, BodyProgram *combine, Array &result);
  void beginAccumulators(unsigned firstYield);
  void carryAccumulators(int64_t count);

  Column &accumulator(unsigned i) {
    return body->argument(spec.numLoops() + spec.accesses.size() + i);
  }

  Operation *op;
  LoopSpec &spec;
  ArrayRef<const Array *> operands;
  const SymbolValues &symbols;
  LoopNest nest;
  std::unique_ptr<BodyProgram> body, finish;
  std::vector<AccessPlan> accesses, finishAccesses;
  /// Position in the results, as a form of the loops.
  std::optional<LinearForm> position;
  std::vector<int64_t> positions;
  std::vector<uint8_t> active;
  bool anySkipped = false;
  /// Number of the first new accumulator among the body's results.
  unsigned firstYield = 0;
  /// Room for new accumulators that are themselves arguments (another accumulator,
  /// say), copied before the arguments change.
  SmallVector<std::unique_ptr<Column>> copies;
};
} // namespace

//===----------------------------------------------------------------------===//
// LoopNest
//===----------------------------------------------------------------------===//

void LoopNest::setLanes(int64_t first, int64_t count) {
  // The first point by division, then as an odometer.
  SmallVector<int64_t> index(lanes.size());
  for (int64_t rest = first, i = lanes.size() - 1; i >= 0; --i) {
    index[i] = rest % extents[lanes[i]];
    rest /= extents[lanes[i]];
  }
  for (int64_t point = 0; point < count; ++point) {
    for (auto [loop, value] : llvm::zip_equal(lanes, index))
      laneIndex[loop][point] = value;
    for (int64_t i = lanes.size() - 1; i >= 0; --i) {
      if (++index[i] < extents[lanes[i]])
        break;
      index[i] = 0;
    }
  }
}

void LoopNest::setStep(int64_t point, bool reverse) {
  for (unsigned loop : llvm::reverse(steps)) {
    int64_t index = point % extents[loop];
    point /= extents[loop];
    stepIndex[loop] = reverse ? extents[loop] - 1 - index : index;
  }
}

void LoopNest::evaluateLanes(const LinearForm &form, int64_t count, int64_t *out) const {
  std::fill_n(out, count, 0);
  for (unsigned loop : lanes) {
    int64_t coefficient = form.coefficients[loop];
    if (coefficient == 0)
      continue;
    const int64_t *index = laneIndex[loop].data();
    for (int64_t i = 0; i < count; ++i)
      out[i] += coefficient * index[i];
  }
}

int64_t LoopNest::stepPart(const LinearForm &form) const {
  int64_t result = form.constant;
  for (unsigned loop : steps)
    result += form.coefficients[loop] * stepIndex[loop];
  return result;
}

/// Division and remainder by zero, which no operand of positive size needs, give 0.
int64_t LoopNest::evaluate(AffineExpr expr, int64_t lane) const {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    unsigned loop = dim.getPosition();
    return isLane(loop) ? laneIndex[loop][lane] : stepIndex[loop];
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t a = evaluate(binary.getLHS(), lane), b = evaluate(binary.getRHS(), lane);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  case AffineExprKind::Mod:
    return b > 0 ? llvm::mod(a, b) : 0;
  case AffineExprKind::FloorDiv:
    return b != 0 ? llvm::divideFloorSigned(a, b) : 0;
  case AffineExprKind::CeilDiv:
    return b != 0 ? llvm::divideCeilSigned(a, b) : 0;
  default:
    llvm_unreachable("leaves are handled above");
  }
}

//===----------------------------------------------------------------------===//
// Preparation
//===----------------------------------------------------------------------===//

LogicalResult LoopRunner::prepare(bool sequential) {
  auto valueOf = [&](Dim dim, SmallVectorImpl<int64_t> &values) -> LogicalResult {
    std::optional<int64_t> value = evaluateDim(dim, symbols);
    if (!value)
      return op->emitOpError() << "the size " << dim.str() << " has no value";
    values.push_back(*value);
    return success();
  };
  for (Dim extent : spec.extents)
    if (failed(valueOf(extent, nest.extents)))
      return failure();
  for (Dim symbol : spec.symbols)
    if (failed(valueOf(symbol, nest.symbols)))
      return failure();
  nest.laneIndex.resize(spec.numLoops());
  nest.stepIndex.resize(spec.numLoops());
  for (auto [loop, iterator] : llvm::enumerate(spec.iterators)) {
    bool isLane = iterator == Iterator::Parallel || sequential;
    (isLane ? nest.lanes : nest.steps).push_back(loop);
    if (isLane)
      nest.laneIndex[loop].resize(kLanes);
  }
  positions.resize(kLanes);
  active.resize(kLanes);

  if (failed(compile(*spec.body, spec.accesses, spec.numLoops(), body, accesses)))
    return failure();
  anySkipped = llvm::any_of(
      accesses, [](const AccessPlan &plan) { return plan.skip && !plan.checked.empty(); });
  return success();
}

LogicalResult LoopRunner::prepareFinish() {
  unsigned loops = llvm::count_if(
      spec.iterators, [](Iterator iterator) { return iterator != Iterator::Reduction; });
  return compile(*spec.finish, spec.finishAccesses, loops, finish, finishAccesses);
}

/// Compiles a region whose arguments from number `first` on are `reads`.
LogicalResult LoopRunner::compile(Region &region, ArrayRef<Access> reads, unsigned first,
                                  std::unique_ptr<BodyProgram> &program,
                                  std::vector<AccessPlan> &plans) {
  SmallVector<const Array *> tensors(region.front().getNumArguments());
  for (auto [i, access] : llvm::enumerate(reads)) {
    tensors[first + i] = operands[access.operand];
    if (!tensors[first + i])
      return op->emitOpError("not interpretable: reads an absent operand");
  }
  auto compiled = BodyProgram::compile(op, region, tensors, symbols);
  if (failed(compiled))
    return failure();
  program = std::move(*compiled);
  for (auto [i, access] : llvm::enumerate(reads))
    if (access.map)
      plans.push_back(plan(access, &program->argument(first + i)));
  return success();
}

/// The expression as a sum of loops times constants, if it is one.
std::optional<LinearForm> LoopRunner::linearForm(AffineExpr expr) const {
  LinearForm form(spec.numLoops());
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    form.constant = constant.getValue();
    return form;
  }
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    form.constant = nest.symbols[symbol.getPosition()];
    return form;
  }
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    form.coefficients[dim.getPosition()] = 1;
    return form;
  }
  auto binary = cast<AffineBinaryOpExpr>(expr);
  std::optional<LinearForm> a = linearForm(binary.getLHS()), b = linearForm(binary.getRHS());
  if (!a || !b)
    return std::nullopt;
  auto isConstant = [](const LinearForm &form) {
    return llvm::all_of(form.coefficients, [](int64_t c) { return c == 0; });
  };
  if (expr.getKind() == AffineExprKind::Add) {
    a->addScaled(*b, 1);
    return a;
  }
  if (expr.getKind() != AffineExprKind::Mul)
    return std::nullopt;
  if (!isConstant(*b))
    std::swap(a, b);
  if (!isConstant(*b))
    return std::nullopt;
  form.addScaled(*a, b->constant);
  return form;
}

/// Whether 0 <= form < size at every point.
bool LoopRunner::isInside(const LinearForm &form, int64_t size) const {
  int64_t low = form.constant, high = form.constant;
  for (auto [coefficient, extent] : llvm::zip_equal(form.coefficients, nest.extents)) {
    int64_t most = coefficient * std::max<int64_t>(extent - 1, 0);
    (most < 0 ? low : high) += most;
  }
  return low >= 0 && high < size;
}

AccessPlan LoopRunner::plan(const Access &access, Column *target) {
  const Array *array = operands[access.operand];
  ArrayRef<int64_t> shape = array->type.getShape();
  AffineMap map = *access.map;
  assert(map.getNumResults() == shape.size() && "one index for each axis");
  AccessPlan result{array,
                    target,
                    access.bounds == Bounds::Skip,
                    LinearForm(spec.numLoops()),
                    std::vector<int64_t>(kLanes),
                    {}};
  int64_t stride = 1;
  for (int64_t axis = static_cast<int64_t>(shape.size()) - 1; axis >= 0; --axis) {
    int64_t size = shape[axis];
    bool mayBroadcast = !access.mayBroadcast.empty() && access.mayBroadcast[axis];
    if (!(mayBroadcast && size == 1)) {
      std::optional<LinearForm> linear = linearForm(map.getResult(axis));
      if (linear && isInside(*linear, size))
        result.offset.addScaled(*linear, stride);
      else
        result.checked.push_back(
            {map.getResult(axis), linear, size, stride, std::vector<int64_t>(kLanes)});
    }
    stride *= size;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Points
//===----------------------------------------------------------------------===//

void LoopRunner::enterChunk(int64_t first, int64_t count) {
  nest.setLanes(first, count);
  for (unsigned loop : nest.lanes)
    std::copy_n(nest.laneIndex[loop].data(), count, body->argument(loop).data<int64_t>());
  for (std::vector<AccessPlan> *plans : {&accesses, &finishAccesses})
    for (AccessPlan &access : *plans) {
      nest.evaluateLanes(access.offset, count, access.base.data());
      for (CheckedAxis &axis : access.checked)
        if (axis.linear)
          nest.evaluateLanes(*axis.linear, count, axis.base.data());
    }
}

/// Reads one operand; points where it is outside become inactive or are an error.
LogicalResult LoopRunner::load(AccessPlan &access, int64_t count) {
  int64_t offsets[kLanes];
  int64_t scalar = nest.stepPart(access.offset);
  for (int64_t i = 0; i < count; ++i)
    offsets[i] = access.base[i] + scalar;
  bool isInside = true;
  uint8_t outside[kLanes] = {};
  for (CheckedAxis &axis : access.checked) {
    int64_t step = axis.linear ? nest.stepPart(*axis.linear) : 0;
    for (int64_t i = 0; i < count; ++i) {
      int64_t index = axis.linear ? axis.base[i] + step : nest.evaluate(axis.expr, i);
      bool fits = index >= 0 && index < axis.size;
      outside[i] |= !fits;
      isInside &= fits;
      offsets[i] += index * axis.stride;
    }
  }
  for (int64_t i = 0; !isInside && i < count; ++i) {
    if (!outside[i])
      continue;
    if (!access.skip && active[i])
      return op->emitOpError() << "reads outside an operand of type "
                               << shortTypeName(access.array->type);
    offsets[i] = 0;
    active[i] = false;
  }
  if (!access.array->data.empty())
    access.target->load(access.array->data.data(), offsets, count);
  return success();
}

/// Runs the body at the current point of the steps, for all lanes.
LogicalResult LoopRunner::computePoint(int64_t count) {
  std::fill_n(active.begin(), count, true);
  for (unsigned loop : nest.steps)
    std::fill_n(body->argument(loop).data<int64_t>(), count, nest.stepIndex[loop]);
  // Points that are skipped must be known before other operands are read.
  for (bool skip : {true, false})
    for (AccessPlan &access : accesses)
      if (access.skip == skip && failed(load(access, count)))
        return failure();
  return body->run(count, anySkipped ? active.data() : nullptr);
}

//===----------------------------------------------------------------------===//
// Map, reductions, scans
//===----------------------------------------------------------------------===//

LogicalResult LoopRunner::run(MutableArrayRef<Array> results) {
  position.emplace(spec.numLoops());
  int64_t stride = 1;
  for (unsigned loop : llvm::reverse(llvm::seq<unsigned>(0, spec.numLoops()))) {
    if (spec.iterators[loop] == Iterator::Reduction)
      continue;
    position->coefficients[loop] = stride;
    stride *= nest.extents[loop];
  }
  for (Array &result : results)
    if (result.numElements() != stride)
      return op->emitOpError() << "result of type " << shortTypeName(result.type)
                               << " does not have the loops' " << stride << " elements";
  if (spec.finish && failed(prepareFinish()))
    return failure();
  int64_t points = nest.points(nest.lanes);
  for (int64_t first = 0; first < points; first += kLanes) {
    int64_t count = std::min(kLanes, points - first);
    enterChunk(first, count);
    if (!spec.init.empty()) {
      if (failed(runReduction(count, results)))
        return failure();
      continue;
    }
    if (failed(computePoint(count)))
      return failure();
    nest.evaluateLanes(*position, count, positions.data());
    for (auto [i, result] : llvm::enumerate(results))
      body->result(i).store(result.data.data(), positions.data(), count,
                            anySkipped ? active.data() : nullptr);
  }
  return success();
}

void LoopRunner::beginAccumulators(unsigned first) {
  firstYield = first;
  copies.resize(spec.init.size());
  Operation *yield = spec.body->front().getTerminator();
  for (auto [i, init] : llvm::enumerate(spec.init)) {
    accumulator(i).fill(init);
    Value next = yield->getOperand(first + i);
    if (isa<BlockArgument>(next) && !copies[i])
      copies[i] = std::make_unique<Column>(next.getType());
  }
}

/// Makes what the body has yielded the accumulators of the next point.
void LoopRunner::carryAccumulators(int64_t count) {
  for (auto [i, old] : llvm::enumerate(copies))
    if (old)
      old->assign(body->result(firstYield + i), count, nullptr);
  for (auto [i, old] : llvm::enumerate(copies))
    accumulator(i).assign(old ? *old : body->result(firstYield + i), count,
                          anySkipped ? active.data() : nullptr);
}

LogicalResult LoopRunner::runReduction(int64_t count, MutableArrayRef<Array> results) {
  bool isScan = llvm::is_contained(spec.iterators, Iterator::Scan);
  beginAccumulators(/*firstYield=*/0);
  int64_t points = nest.points(nest.steps);
  for (int64_t point = 0; point < points; ++point) {
    nest.setStep(point, spec.reverse);
    if (isScan && spec.exclusive && failed(finishAndStore(count, results)))
      return failure();
    if (failed(computePoint(count)))
      return failure();
    carryAccumulators(count);
    if (isScan && !spec.exclusive && failed(finishAndStore(count, results)))
      return failure();
  }
  return isScan ? success() : finishAndStore(count, results);
}

LogicalResult LoopRunner::finishAndStore(int64_t count, MutableArrayRef<Array> results) {
  nest.evaluateLanes(*position, count, positions.data());
  int64_t scalar = nest.stepPart(*position);
  for (int64_t i = 0; i < count; ++i)
    positions[i] += scalar;
  if (finish) {
    unsigned argument = 0;
    for (unsigned loop = 0; loop < spec.numLoops(); ++loop) {
      if (spec.iterators[loop] == Iterator::Reduction)
        continue;
      int64_t *index = finish->argument(argument++).data<int64_t>();
      if (nest.isLane(loop))
        std::copy_n(nest.laneIndex[loop].data(), count, index);
      else
        std::fill_n(index, count, nest.stepIndex[loop]);
    }
    std::fill_n(active.begin(), count, true);
    for (AccessPlan &access : finishAccesses)
      if (failed(load(access, count)))
        return failure();
    argument += spec.finishAccesses.size();
    for (unsigned i = 0; i < spec.init.size(); ++i)
      finish->argument(argument++).assign(accumulator(i), count, nullptr);
    if (failed(finish->run(count, nullptr)))
      return failure();
  }
  for (auto [i, result] : llvm::enumerate(results)) {
    Column &value = finish ? finish->result(i) : accumulator(i);
    value.store(result.data.data(), positions.data(), count, nullptr);
  }
  return success();
}

LogicalResult runLoops(Operation *op, LoopSpec &spec, ArrayRef<const Array *> operands,
                       const SymbolValues &symbols, MutableArrayRef<Array> results) {
  LoopRunner runner(op, spec, operands, symbols);
  return failure(failed(runner.prepare(/*sequential=*/false)) || failed(runner.run(results)));
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

LogicalResult LoopRunner::runUpdates(const ScatterSpec &scatter, Array &result) {
  std::unique_ptr<BodyProgram> combine;
  if (scatter.combine) {
    auto compiled = BodyProgram::compile(op, *scatter.combine, {}, symbols);
    if (failed(compiled))
      return failure();
    combine = std::move(*compiled);
  }
  beginAccumulators(scatter.conditional + result.type.getRank() + 1);
  // Accumulators go from each point to the next: one point at a time.
  int64_t points = nest.points(nest.lanes), chunk = spec.init.empty() ? kLanes : 1;
  for (int64_t first = 0; first < points; first += chunk) {
    int64_t count = std::min(chunk, points - first);
    enterChunk(first, count);
    if (failed(computePoint(count)) ||
        failed(applyUpdates(count, scatter.conditional, combine.get(), result)))
      return failure();
    carryAccumulators(count);
  }
  return success();
}

LogicalResult LoopRunner::applyUpdates(int64_t count, bool conditional, BodyProgram *combine,
                                       Array &result) {
  ArrayRef<int64_t> shape = result.type.getShape();
  Column &update = body->result(conditional + shape.size());
  Column single(update.type);
  for (int64_t i = 0; i < count; ++i) {
    if (!active[i] || (conditional && body->result(0).integers[i] == 0))
      continue;
    int64_t offset = 0;
    for (auto [axis, size] : llvm::enumerate(shape)) {
      int64_t index = body->result(conditional + axis).integers[i];
      if (index < 0 || index >= size)
        return op->emitOpError() << "index " << index << " is outside axis " << axis << " of size "
                                 << size;
      offset = offset * size + index;
    }
    single.assignOne(0, update, i);
    if (combine) {
      combine->argument(0).load(result.data.data(), &offset, 1);
      combine->argument(1).assign(single, 1, nullptr);
      if (failed(combine->run(1, nullptr)))
        return failure();
    }
    Column &value = combine ? combine->result(0) : single;
    value.store(result.data.data(), &offset, 1, nullptr);
  }
  return success();
}

LogicalResult runScatter(Operation *op, ScatterSpec &spec, ArrayRef<const Array *> operands,
                         const SymbolValues &symbols, MutableArrayRef<Array> results) {
  if (spec.fill) {
    Column value(spec.fill.getType());
    value.fill(spec.fill);
    for (int64_t i = 0; i < results[0].numElements(); ++i)
      value.store(results[0].data.data(), &i, 1, nullptr);
  } else {
    results[0].data = operands[0]->data;
  }
  LoopRunner runner(op, spec.updates, operands, symbols);
  return failure(failed(runner.prepare(/*sequential=*/true)) ||
                 failed(runner.runUpdates(spec, results[0])));
}

} // namespace dsc::interpreter
