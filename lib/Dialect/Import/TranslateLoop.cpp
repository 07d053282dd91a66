//===- TranslateLoop.cpp - Loop, and what Scan shares with it ---------------===//
//
// The types of carried values are a fixed point: the body is translated with the
// types of the initial values; sizes that it yields differently become symbols of
// the iteration, and it is translated again.
//
//===----------------------------------------------------------------------===//
#include "LoopBody.h"
#include "TranslateTypes.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace dsc::import {

/// The graph's inputs: those of Loop's body are the iteration, the condition and the
/// carried values, those of Scan's the carried values and slices.
bool Translator::defineLoopInputs(const onnx::NodeProto &node, LoopBody &body) {
  Block &block = body.region->front();
  int next = 0;
  for (unsigned i = body.isScan() ? 2 : 0; i < block.getNumArguments(); ++i)
    define(body.graph->input(next++).name(), block.getArgument(i));
  scope->nonNegative.insert(block.getArgument(0));
  for (const ScannedInput &scanned : body.scanned) {
    Value slice = scanSlice(node, body, scanned);
    if (!slice)
      return false;
    define(body.graph->input(next++).name(), slice);
  }
  return true;
}

bool Translator::translateLoopBody(const onnx::NodeProto &node, LoopBody &body) {
  const onnx::GraphProto &graph = *body.graph;
  OpBuilder::InsertionGuard restore(builder);
  body.region = std::make_unique<Region>();
  Block &block = body.region->emplaceBlock();
  builder.setInsertionPointToEnd(&block);
  SmallVector<Type> types = {RankedTensorType::get({}, builder.getI64Type()),
                             RankedTensorType::get({}, builder.getI1Type())};
  llvm::append_range(types, body.carried);
  Scope inside;
  inside.parent = scope;
  llvm::SaveAndRestore enter(scope, &inside);
  for (Type type : types)
    block.addArgument(type, locationOf(node));
  if (!defineLoopInputs(node, body))
    return false;
  translateBody(graph);
  body.yielded = outputsOf(graph);
  if (body.isScan())
    body.yielded.insert(body.yielded.begin(), block.getArgument(1));
  if (llvm::is_contained(body.yielded, Value()))
    return false;
  body.condition.reset();
  if (const SizeContents *known = findContents(body.yielded[0]); known && known->size() == 1)
    body.condition = known->front();
  YieldOp::create(builder, builder.getUnknownLoc(), body.yielded);
  return true;
}

/// A size of a carried value that is new in each iteration.
Dim Translator::carriedSymbol(const onnx::NodeProto &node, LoopBody &body, size_t carried,
                              size_t axis) {
  const std::string &name =
      body.graph->input(static_cast<int>(carried) + (body.isScan() ? 0 : 2)).name();
  Dim symbol = symbols.fresh(name + "_" + std::to_string(axis));
  body.argSymbols.push_back(builder.getStringAttr(symbol.getSymbol()));
  widened[&node].insert({carried, axis});
  return symbol;
}

/// Makes symbols of the sizes that an iteration changes.
bool Translator::widenCarriedTypes(const onnx::NodeProto &node, LoopBody &body, bool &changed) {
  for (auto [i, type] : llvm::enumerate(body.carried)) {
    Type next = body.yielded[i + 1].getType();
    const std::string &name = body.graph->input(i + (body.isScan() ? 0 : 2)).name();
    if (!checkMerge(node, "loop-carried value " + quoteName(name), type, next))
      return false;
    SmallVector<Dim> dims = getDims(type);
    bool differs = false;
    for (auto [axis, dim, nextDim] : llvm::enumerate(dims, getDims(next))) {
      bool isArgSymbol =
          dim.getKind() == DimKind::Symbol &&
          llvm::is_contained(body.argSymbols, builder.getStringAttr(dim.getSymbol()));
      if (dim == nextDim || isArgSymbol)
        continue;
      dim = carriedSymbol(node, body, i, axis);
      differs = true;
    }
    if (differs)
      type = makeTensorType(cast<RankedTensorType>(type).getElementType(), dims);
    changed |= differs;
  }
  return true;
}

bool Translator::settleLoopBody(const onnx::NodeProto &node, LoopBody &body) {
  // Each round but the last makes a symbol of a size that was none. Only the last
  // round's problems count.
  for (bool changed = true; changed;) {
    changed = false;
    ProblemList found;
    bool ok;
    {
      llvm::SaveAndRestore collect(problems, &found);
      ok = translateLoopBody(node, body) && widenCarriedTypes(node, body, changed);
    }
    if (!ok || !changed)
      problems->append(found);
    if (!ok)
      return false;
  }
  return true;
}

/// The number of iterations, where no condition can end the loop before.
std::optional<Dim> Translator::knownTripCount(ArrayRef<Value> inputs, const LoopBody &body) {
  if (!inputs[0])
    return std::nullopt;
  const SizeContents *trips = findContents(inputs[0]);
  const SizeContents *condition = inputs[1] ? findContents(inputs[1]) : nullptr;
  bool startsTrue =
      !inputs[1] || (condition && condition->size() == 1 && condition->front().isConstant(1));
  bool staysTrue = body.yielded[0] == body.region->getArgument(1) ||
                   (body.condition && body.condition->isConstant(1));
  if (!trips || trips->size() != 1 || !startsTrue || !staysTrue)
    return std::nullopt;
  Dim count = trips->front();
  return count.isKnownNonNegative() ? count : Dim::max(count, Dim::constant(&context, 0));
}

/// Types of the last carried values and of the stacked slices. Sizes that only the
/// run decides about are new symbols, whose names are added to `names`.
SmallVector<Type> Translator::loopResultTypes(const onnx::NodeProto &node, ArrayRef<Value> inputs,
                                              const LoopBody &body,
                                              SmallVectorImpl<Attribute> &names) {
  SmallVector<Type> types;
  std::optional<Dim> trips = knownTripCount(inputs, body);
  size_t inner = symbols.mark();
  auto fresh = [&](size_t output, size_t axis) {
    const std::string &name = node.output(static_cast<int>(output));
    Dim symbol = symbols.fresh((name.empty() ? "loop" : name) + "_" + std::to_string(axis));
    names.push_back(builder.getStringAttr(symbol.getSymbol()));
    return symbol;
  };
  auto isInner = [&](Dim dim) { return inner > body.mark && symbols.isNewerThan(dim, body.mark); };
  size_t output = 0;
  for (Type type : body.carried) {
    SmallVector<Dim> dims = getDims(type);
    for (auto [axis, dim] : llvm::enumerate(dims))
      if (isInner(dim))
        dim = fresh(output, axis);
    types.push_back(makeTensorType(cast<RankedTensorType>(type).getElementType(), dims));
    ++output;
  }
  for (Value slice : ArrayRef<Value>(body.yielded).drop_front(1 + body.carried.size())) {
    SmallVector<Dim> dims = {trips ? *trips : fresh(output, 0)};
    for (auto [axis, dim] : llvm::enumerate(getDims(slice)))
      dims.push_back(isInner(dim) ? fresh(output, axis + 1) : dim);
    types.push_back(makeTensorType(getElementType(slice), dims));
    ++output;
  }
  return types;
}

bool Translator::buildLoop(const onnx::NodeProto &node, ArrayRef<Value> inputs, LoopBody &body,
                           Values &results) {
  body.mark = symbols.mark();
  for (auto [i, init] : llvm::enumerate(inputs.drop_front(2))) {
    SmallVector<Dim> dims = getDims(init);
    for (auto [axis, dim] : llvm::enumerate(dims))
      if (widened[&node].contains({i, axis}))
        dim = carriedSymbol(node, body, i, axis);
    body.carried.push_back(makeTensorType(getElementType(init), dims));
  }
  if (!settleLoopBody(node, body))
    return false;
  OperationState state(locationOf(node), LoopOp::getOperationName());
  SmallVector<Attribute> names;
  state.addTypes(loopResultTypes(node, inputs, body, names));
  for (Value input : inputs)
    state.addOperands(input ? input : none());
  state.addRegion(std::move(body.region));
  if (!names.empty())
    state.addAttribute("symbols", builder.getArrayAttr(names));
  if (!body.argSymbols.empty())
    state.addAttribute("argSymbols", builder.getArrayAttr(body.argSymbols));
  llvm::append_range(results, builder.create(state)->getResults());
  return true;
}

const onnx::GraphProto *Translator::loopGraph(const onnx::NodeProto &node, size_t inputs,
                                              size_t outputs, size_t carried) {
  const onnx::GraphProto *graph = nullptr;
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == "body" && attribute.has_g())
      graph = &attribute.g();
  if (graph && graph->input_size() == static_cast<int>(inputs) &&
      graph->output_size() == static_cast<int>(outputs) && outputs >= carried)
    return graph;
  report(node, ProblemCode::BadNode,
         operatorKey(node) +
             ": the numbers of inputs and outputs of its body do not fit those of the node");
  return nullptr;
}

bool Translator::translateLoop(const onnx::NodeProto &node, ArrayRef<Value> given,
                               Values &results) {
  Values inputs(given);
  inputs.resize(std::max<size_t>(inputs.size(), 2));
  LoopBody body;
  body.graph = loopGraph(node, inputs.size(), node.output_size() + 1, inputs.size() - 1);
  return body.graph && buildLoop(node, inputs, body, results);
}

} // namespace dsc::import
