//===- InterpreterSizes.cpp - Specs on the domain of sizes ----------------===//
//
// Shape computations (Shape, Gather, Mul, Concat ...) have small integer tensors,
// whose elements are size expressions. The Spec is run point by point; a value
// that cannot be told as a size is unknown, and so is what depends on it.
//
//===----------------------------------------------------------------------===//
#include "InterpreterBody.h"
#include "InterpreterSizeValue.h"

#include <map>

using namespace mlir;

namespace dsc::interpreter {

namespace {
constexpr int64_t kMostPoints = 1024;

bool isResultAxis(Iterator iterator) { return iterator != Iterator::Reduction; }

/// The tensor a body reads from: static shape and contents.
struct SizeTensor {
  ArrayRef<int64_t> shape;
  const SizeContents *contents = nullptr; ///< null: not known
  Type elementType;

  SizeValue at(ArrayRef<int64_t> index) const;
};

using Contents = ArrayRef<std::optional<SizeContents>>;
using Values = SmallVector<SizeValue, 6>;

/// Runs one region on sizes.
class SizeBody {
public:
  /// `tensors` belong to the arguments from number `first` on.
  SizeBody(Region &region, size_t first, ArrayRef<SizeTensor> tensors);
  /// The yielded values; the arguments that are tensors have any value.
  Values run(ArrayRef<SizeValue> arguments);

private:
  SizeValue evaluate(Operation &inner);
  SizeValue evaluateAt(AtOp at);

  Block &block;
  llvm::DenseMap<Value, SizeTensor> tensors;
  llvm::DenseMap<Value, SizeValue> values;
};

/// Runs loops on sizes, one point at a time. Functions that return bool or an
/// optional give false or nothing where the result is not computable.
class SizeLoops {
public:
  SizeLoops(Operation *op, LoopSpec &spec, Contents contents)
      : op(op), spec(spec), contents(contents) {}

  bool prepare();
  /// Contents of all results, in row-major order.
  std::optional<SmallVector<Values>> run();
  /// Scatter: changes `result`, of a shape.
  bool runUpdates(Region *combine, ArrayRef<int64_t> shape, Values &result);

private:
  bool addTensors(ArrayRef<Access> accesses, SmallVectorImpl<SizeTensor> &tensors);
  void setPoint(int64_t point);
  /// Appends what the accesses read; false: the point is skipped.
  bool read(ArrayRef<Access> accesses, ArrayRef<SizeTensor> tensors, Values &arguments);
  /// Appends the indices of the loops (without reductions, or all).
  void appendIndices(bool reductions, Values &arguments);
  /// Runs the body at the point; nothing if it is skipped.
  std::optional<Values> compute(ArrayRef<SizeValue> accumulators);
  void store(ArrayRef<SizeValue> values, SmallVectorImpl<Values> &results);
  void storeFinished(ArrayRef<SizeValue> accumulators, SmallVectorImpl<Values> &results);
  /// Row-major position of the point among the loops that `isCounted`.
  int64_t position(llvm::function_ref<bool(Iterator)> isCounted, int64_t *count = nullptr) const;

  Operation *op;
  LoopSpec &spec;
  Contents contents;
  SmallVector<int64_t> extents, index, symbols;
  SmallVector<SizeTensor> tensors, finishTensors; ///< one per access
  std::unique_ptr<SizeBody> body, finish;
  int64_t points = 1;
};
} // namespace

//===----------------------------------------------------------------------===//
// Bodies
//===----------------------------------------------------------------------===//

/// Unknown where outside.
SizeValue SizeTensor::at(ArrayRef<int64_t> index) const {
  int64_t offset = 0;
  for (auto [i, size] : llvm::zip_equal(index, shape)) {
    if (i < 0 || i >= size)
      return {};
    offset = offset * size + i;
  }
  if (!contents || offset >= static_cast<int64_t>(contents->size()))
    return {};
  return SizeValue::ofElement((*contents)[offset], elementType);
}

SizeBody::SizeBody(Region &region, size_t first, ArrayRef<SizeTensor> all) : block(region.front()) {
  for (auto [argument, tensor] : llvm::zip(llvm::drop_begin(block.getArguments(), first), all))
    tensors[argument] = tensor;
}

Values SizeBody::run(ArrayRef<SizeValue> arguments) {
  for (auto [argument, value] : llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = value;
  for (Operation &inner : block.without_terminator()) {
    SizeValue value = evaluate(inner);
    for (Value result : inner.getResults())
      values[result] = value;
  }
  return llvm::map_to_vector<6>(block.getTerminator()->getOperands(),
                                [&](Value value) { return values.lookup(value); });
}

SizeValue SizeBody::evaluate(Operation &inner) {
  if (inner.getNumResults() != 1)
    return {};
  if (auto at = dyn_cast<AtOp>(inner))
    return evaluateAt(at);
  auto operands =
      llvm::map_to_vector(inner.getOperands(), [&](Value value) { return values.lookup(value); });
  return evaluateScalar(inner, operands);
}

SizeValue SizeBody::evaluateAt(AtOp at) {
  auto it = tensors.find(at.getSource());
  if (it == tensors.end())
    return {};
  const SizeTensor &tensor = it->second;
  SmallVector<int64_t> index;
  bool inside = true;
  for (auto [operand, size] : llvm::zip_equal(at.getIndices(), tensor.shape)) {
    std::optional<int64_t> value = values.lookup(operand).constantInteger();
    if (!value)
      return {};
    inside &= *value >= 0 && *value < size;
    index.push_back(*value);
  }
  if (inside)
    return tensor.at(index);
  return at.getOtherwise() ? values.lookup(at.getOtherwise()) : SizeValue();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

bool SizeLoops::prepare() {
  for (Dim extent : spec.extents) {
    std::optional<int64_t> size = extent.tryConstant();
    if (!size || *size > kMostPoints)
      return false;
    points *= *size;
    if (points > kMostPoints)
      return false;
    extents.push_back(*size);
  }
  for (Dim symbol : spec.symbols) {
    std::optional<int64_t> value = symbol.tryConstant();
    if (!value)
      return false;
    symbols.push_back(*value);
  }
  index.resize(extents.size());
  if (!addTensors(spec.accesses, tensors) || !addTensors(spec.finishAccesses, finishTensors))
    return false;
  body = std::make_unique<SizeBody>(*spec.body, spec.numLoops(), tensors);
  if (spec.finish) {
    size_t loops = llvm::count_if(spec.iterators, isResultAxis);
    finish = std::make_unique<SizeBody>(*spec.finish, loops, finishTensors);
  }
  return true;
}

bool SizeLoops::addTensors(ArrayRef<Access> accesses, SmallVectorImpl<SizeTensor> &result) {
  for (const Access &access : accesses) {
    auto type = cast<RankedTensorType>(op->getOperand(access.operand).getType());
    if (!type.hasStaticShape())
      return false;
    const std::optional<SizeContents> &known = contents[access.operand];
    result.push_back({type.getShape(), known ? &*known : nullptr, type.getElementType()});
  }
  return true;
}

void SizeLoops::setPoint(int64_t point) {
  for (size_t loop = extents.size(); loop-- > 0;) {
    index[loop] = point % extents[loop];
    point /= extents[loop];
    if (spec.iterators[loop] == Iterator::Scan && spec.reverse)
      index[loop] = extents[loop] - 1 - index[loop];
  }
}

int64_t SizeLoops::position(function_ref<bool(Iterator)> isCounted, int64_t *count) const {
  int64_t position = 0, total = 1;
  for (auto [loop, extent] : llvm::enumerate(extents)) {
    if (!isCounted(spec.iterators[loop]))
      continue;
    position = position * extent + index[loop];
    total *= extent;
  }
  if (count)
    *count = total;
  return position;
}

void SizeLoops::appendIndices(bool reductions, Values &arguments) {
  for (auto [loop, i] : llvm::enumerate(index))
    if (reductions || isResultAxis(spec.iterators[loop]))
      arguments.push_back(SizeValue::integer(Dim::constant(op->getContext(), i)));
}

bool SizeLoops::read(ArrayRef<Access> accesses, ArrayRef<SizeTensor> from, Values &arguments) {
  for (auto [access, tensor] : llvm::zip_equal(accesses, from)) {
    SmallVector<int64_t> at;
    bool inside = true;
    for (unsigned axis = 0; access.map && axis < access.map->getNumResults(); ++axis) {
      int64_t size = tensor.shape[axis];
      bool isBroadcast = size == 1 && !access.mayBroadcast.empty() && access.mayBroadcast[axis];
      int64_t i = isBroadcast ? 0 : evaluateAffine(access.map->getResult(axis), index, symbols);
      inside &= i >= 0 && i < size;
      at.push_back(i);
    }
    if (!inside && access.bounds == Bounds::Skip)
      return false;
    arguments.push_back(access.map ? tensor.at(at) : SizeValue());
  }
  return true;
}

std::optional<Values> SizeLoops::compute(ArrayRef<SizeValue> accumulators) {
  Values arguments;
  appendIndices(/*reductions=*/true, arguments);
  if (!read(spec.accesses, tensors, arguments))
    return std::nullopt;
  arguments.append(accumulators.begin(), accumulators.end());
  return body->run(arguments);
}

void SizeLoops::store(ArrayRef<SizeValue> values, SmallVectorImpl<Values> &results) {
  int64_t at = position(isResultAxis);
  for (auto [result, value] : llvm::zip_equal(results, values))
    result[at] = value;
}

void SizeLoops::storeFinished(ArrayRef<SizeValue> accumulators, SmallVectorImpl<Values> &results) {
  if (!finish)
    return store(accumulators, results);
  Values arguments;
  appendIndices(/*reductions=*/false, arguments);
  read(spec.finishAccesses, finishTensors, arguments);
  arguments.append(accumulators.begin(), accumulators.end());
  store(finish->run(arguments), results);
}

std::optional<SmallVector<Values>> SizeLoops::run() {
  int64_t elements;
  position(isResultAxis, &elements);
  if (elements > kMostPoints || (points == 0 && elements > 0))
    return std::nullopt;
  SmallVector<Values> results(op->getNumResults(), Values(elements));
  auto isParallel = [](Iterator iterator) { return iterator == Iterator::Parallel; };
  bool isScan = llvm::is_contained(spec.iterators, Iterator::Scan);
  Values init = llvm::map_to_vector<6>(spec.init, SizeValue::ofConstant);
  std::map<int64_t, Values> states; // by position in the parallel loops
  for (int64_t point = 0; point < points; ++point) {
    setPoint(point);
    if (init.empty()) {
      if (std::optional<Values> values = compute({}))
        store(*values, results);
      continue;
    }
    Values &state = states.try_emplace(position(isParallel), init).first->second;
    if (isScan && spec.exclusive)
      storeFinished(state, results);
    if (std::optional<Values> next = compute(state))
      state = *next;
    // Of a reduction, the last of these remains.
    if (!(isScan && spec.exclusive))
      storeFinished(state, results);
  }
  return results;
}

bool SizeLoops::runUpdates(Region *combine, ArrayRef<int64_t> shape, Values &result) {
  std::unique_ptr<SizeBody> combineBody;
  if (combine)
    combineBody = std::make_unique<SizeBody>(*combine, 0, ArrayRef<SizeTensor>());
  for (int64_t point = 0; point < points; ++point) {
    setPoint(point);
    std::optional<Values> values = compute({});
    if (!values)
      continue;
    int64_t offset = 0;
    for (auto [axis, size] : llvm::enumerate(shape)) {
      std::optional<int64_t> i = (*values)[axis].constantInteger();
      if (!i || *i < 0 || *i >= size)
        return false;
      offset = offset * size + *i;
    }
    SizeValue update = (*values)[shape.size()];
    result[offset] = combineBody ? combineBody->run({result[offset], update})[0] : update;
  }
  return true;
}

} // namespace dsc::interpreter

//===----------------------------------------------------------------------===//
// evaluateSizes
//===----------------------------------------------------------------------===//

namespace dsc {

using namespace interpreter;

static void countNodes(Dim size, int64_t &left) {
  --left;
  for (Dim operand : size.getOperands()) {
    if (left < 0)
      return;
    countNodes(operand, left);
  }
}

bool isTooComplex(Dim size) {
  int64_t left = 256;
  countNodes(size, left);
  return left < 0;
}

/// All elements as sizes, if they all are.
static std::optional<SizeContents> toContents(MLIRContext *context, ArrayRef<SizeValue> values) {
  SizeContents result;
  for (const SizeValue &value : values) {
    result.push_back(value.asSize(context));
    if (!result.back() || isTooComplex(result.back()))
      return std::nullopt;
  }
  return result;
}

static std::optional<SizeContents> evaluateScatter(Operation *op, ScatterSpec &spec,
                                                   Contents contents) {
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!type || !type.hasStaticShape() || type.getNumElements() > kMostPoints)
    return std::nullopt;
  // Where such an update goes depends on the data.
  if (spec.conditional || !spec.updates.init.empty())
    return std::nullopt;
  Values result(type.getNumElements());
  if (spec.fill)
    llvm::fill(result, SizeValue::ofConstant(spec.fill));
  else if (contents[0])
    for (auto [value, element] : llvm::zip(result, *contents[0]))
      value = SizeValue::ofElement(element, type.getElementType());
  SizeLoops loops(op, spec.updates, contents);
  if (!loops.prepare() || !loops.runUpdates(spec.combine.get(), type.getShape(), result))
    return std::nullopt;
  return toContents(op->getContext(), result);
}

static std::optional<SizeContents> evaluateDecomposition(Operation *op, unsigned result,
                                                         Contents contents) {
  std::unique_ptr<Decomposition> decomposition = Decomposition::create(op);
  if (!decomposition)
    return std::nullopt;
  llvm::DenseMap<Value, std::optional<SizeContents>> known;
  for (auto [value, content] : llvm::zip_equal(op->getOperands(), contents))
    known[value] = content;
  for (Operation &inner : decomposition->block) {
    auto operands =
        llvm::map_to_vector(inner.getOperands(), [&](Value value) { return known.lookup(value); });
    for (OpResult value : inner.getResults())
      known[value] = evaluateSizes(&inner, value.getResultNumber(), operands);
  }
  return known.lookup(decomposition->results[result]);
}

/// A constant's elements, where they are sizes.
static std::optional<SizeContents> constantSizes(ConstantOp constant) {
  auto dense = dyn_cast<DenseElementsAttr>(constant.getValue());
  if (!dense || dense.getNumElements() > kMostPoints)
    return std::nullopt;
  Type type = dense.getElementType();
  if (!isa<FloatType, IntegerType, IndexType>(type))
    return std::nullopt;
  Values values;
  for (Attribute element : dense.getValues<Attribute>())
    values.push_back(SizeValue::ofConstant(element));
  return toContents(constant.getContext(), values);
}

std::optional<SizeContents> evaluateSizes(Operation *op, unsigned result, Contents contents) {
  if (auto constant = dyn_cast<ConstantOp>(op))
    return constantSizes(constant);
  auto compute = dyn_cast<ComputeOp>(op);
  if (!compute)
    return std::nullopt;
  if (Value source = compute.getViewSource())
    for (auto [operand, content] : llvm::zip_equal(op->getOperands(), contents))
      if (operand == source)
        return content;
  std::optional<Spec> spec = specOf(op);
  if (spec && spec->scatter)
    return evaluateScatter(op, *spec->scatter, contents);
  if (!spec || !spec->loops || !spec->loops->body)
    return evaluateDecomposition(op, result, contents);
  SizeLoops loops(op, *spec->loops, contents);
  if (!loops.prepare())
    return std::nullopt;
  std::optional<SmallVector<Values>> results = loops.run();
  if (!results)
    return std::nullopt;
  return toContents(op->getContext(), (*results)[result]);
}

} // namespace dsc
