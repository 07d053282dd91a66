//===- FirstMismatch.cpp - where a wrong result starts --------------------===//
//
// Operators are compared one by one on the same operands, so that rounding errors
// do not add up. Fusion is different from that of the model as it is: intermediate
// values that are outputs are stored.
//
//===----------------------------------------------------------------------===//
#include "FirstMismatch.h"

#include "ModelCompiler.h"
#include "Session.h"

#include "dsc/Dialect/IR/Interpreter.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"

#include <fmt/format.h>

using namespace mlir;

namespace dsc::cli {

/// Values of the main function that can be outputs: dense tensors of known size.
static bool canBeOutput(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  Operation *op = value.getDefiningOp();
  return type && type.hasStaticShape() && op && !op->hasTrait<OpTrait::ConstantLike>() &&
         !isa<WeightOp>(op);
}

/// Makes all of them outputs, in the order of the returned list.
static std::vector<Value> exposeValues(func::FuncOp function) {
  std::vector<Value> values;
  Operation *terminator = function.getBody().front().getTerminator();
  for (Operation &op : function.getBody().front().without_terminator())
    for (Value result : op.getResults())
      if (canBeOutput(result))
        values.push_back(result);
  SmallVector<Type> types;
  for (auto [i, value] : llvm::enumerate(values))
    types.push_back(value.getType());
  terminator->setOperands(ValueRange(values));
  function.setFunctionType(
      FunctionType::get(function.getContext(), function.getArgumentTypes(), types));
  SmallVector<DictionaryAttr> names;
  Builder builder(function.getContext());
  for (size_t i = 0; i < values.size(); ++i)
    names.push_back(builder.getDictionaryAttr(
        builder.getNamedAttr("dsc.name", builder.getStringAttr(fmt::format("value{}", i)))));
  function.setAllResultAttrs(names);
  return values;
}

static Array toArray(const Tensor &tensor, Value value) {
  auto type = cast<RankedTensorType>(value.getType());
  return {RankedTensorType::get(tensor.dims, type.getElementType()), tensor.data};
}

namespace {
/// The compiled code's values, and the definitions to compare with.
class Replay {
public:
  Replay(WeightStore &weights, const Tolerance &tolerance)
      : weights(weights), tolerance(tolerance) {}

  void define(Value value, Tensor tensor) { known.try_emplace(value, std::move(tensor)); }

  /// A sentence if the op's definition gives something else.
  std::string check(Operation &op);

private:
  std::optional<Array> arrayOf(Value value);

  WeightStore &weights;
  const Tolerance &tolerance;
  llvm::DenseMap<Value, Tensor> known;
};
} // namespace

std::optional<Array> Replay::arrayOf(Value value) {
  if (auto it = known.find(value); it != known.end())
    return toArray(it->second, value);
  return constantContents(value, weights);
}

std::string Replay::check(Operation &op) {
  if (llvm::none_of(op.getResults(), [&](Value result) { return known.contains(result); }))
    return "";
  std::vector<std::optional<Array>> arrays;
  for (Value operand : op.getOperands()) {
    bool isAbsent = isa<NoneType>(operand.getType());
    arrays.push_back(isAbsent ? std::nullopt : arrayOf(operand));
    if (!isAbsent && !arrays.back())
      return "";
  }
  SmallVector<const Array *> operands;
  for (const std::optional<Array> &array : arrays)
    operands.push_back(array ? &*array : nullptr);
  FailureOr<std::vector<Array>> expected = interpret(&op, operands);
  if (failed(expected))
    return "";
  for (auto [result, array] : llvm::zip(op.getResults(), *expected)) {
    auto it = known.find(result);
    if (it == known.end())
      continue;
    Tensor reference = it->second;
    reference.dims.assign(array.type.getShape().begin(), array.type.getShape().end());
    reference.data = array.data;
    Comparison comparison = compare(it->second, reference, tolerance);
    if (!comparison.matches)
      return fmt::format("it starts at {} ({}): a result {}", nodesOf(op.getLoc()),
                         op.getName().getStringRef().str(), comparison.reason);
  }
  return "";
}

std::string findFirstMismatch(const std::string &model, ModelOptions options,
                              const std::vector<Tensor> &inputs, const Tolerance &tolerance) {
  options.shapes.clear();
  options.allSymbolic = false;
  options.fixSizes = true;
  for (const Tensor &input : inputs)
    options.shapes.push_back(fmt::format("{}={}", input.name, fmt::join(input.dims, "x")));
  ModelCompiler compiler(model, options);
  auto function = compiler.getModule().lookupSymbol<func::FuncOp>("main");
  std::vector<Value> values = exposeValues(function);
  if (values.empty())
    return "";
  // Compiling changes the module: a copy of it is compiled.
  OwningOpRef<ModuleOp> copy = compiler.getModule().clone();
  Session session(*compiler.compile(*copy));
  Execution execution(session, 1);
  execution.setInputs(inputs);
  execution.run();

  Replay replay(compiler.getWeights(), tolerance);
  for (auto [argument, input] : llvm::zip(function.getArguments(), inputs))
    replay.define(argument, input);
  for (size_t i = 0; i < values.size(); ++i)
    replay.define(values[i], execution.output(i));
  for (Operation &op : function.getBody().front().without_terminator())
    if (std::string sentence = replay.check(op); !sentence.empty())
      return sentence;
  return "each operator alone computes what its definition says: either rounding errors add up, "
         "or the expected values are wrong, or operators that are fused in the whole model are";
}

} // namespace dsc::cli
