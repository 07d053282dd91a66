//===- TranslateIf.cpp - branches -------------------------------------------===//
#include "TranslateTypes.h"
#include "Translator.h"

#include "llvm/Support/SaveAndRestore.h"

using namespace mlir;

namespace dsc::import {

static const onnx::GraphProto *findGraph(const onnx::NodeProto &node, StringRef name) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name && attribute.has_g())
      return &attribute.g();
  return nullptr;
}

bool Translator::checkMerge(const onnx::NodeProto &node, const Twine &what, Type a, Type b) {
  auto first = dyn_cast<RankedTensorType>(a);
  auto second = dyn_cast<RankedTensorType>(b);
  if (first && second && first.getElementType() == second.getElementType() &&
      first.getRank() == second.getRank())
    return true;
  report(node, ProblemCode::TypeMismatch,
         what + " has the types " + shortTypeName(a) + " and " + shortTypeName(b) +
             ", whose element type and number of dimensions must be the same");
  return false;
}

/// A branch that is always taken becomes part of the graph around.
bool Translator::inlineBranch(const onnx::GraphProto &graph, Values &results) {
  Scope branch;
  branch.parent = scope;
  {
    llvm::SaveAndRestore inside(scope, &branch);
    translateBody(graph);
    results = outputsOf(graph);
  }
  for (auto &[value, contents] : branch.contents)
    setContents(value, std::move(contents));
  scope->guarded.insert(branch.guarded.begin(), branch.guarded.end());
  scope->nonNegative.insert(branch.nonNegative.begin(), branch.nonNegative.end());
  return !llvm::is_contained(results, Value());
}

bool Translator::translateBranch(const onnx::GraphProto &graph, Region &region, Values &results,
                                 ProblemList &found) {
  OpBuilder::InsertionGuard restore(builder);
  builder.setInsertionPointToEnd(&region.emplaceBlock());
  Scope branch;
  branch.parent = scope;
  llvm::SaveAndRestore inside(scope, &branch);
  llvm::SaveAndRestore collect(problems, &found);
  translateBody(graph);
  results = outputsOf(graph);
  if (llvm::is_contained(results, Value()))
    return false;
  YieldOp::create(builder, builder.getUnknownLoc(), results);
  return true;
}

/// Whether all that is wrong with a branch is that types or sizes do not fit.
static bool areMismatches(const ProblemList &found) {
  return !found.empty() && llvm::all_of(found, [](const Problem &problem) {
    return problem.kind == ProblemCode::TypeMismatch || problem.kind == ProblemCode::BadNode;
  });
}

/// A branch that cannot run at these sizes (the model for another sampling rate, say)
/// ends the run with an error. Its values, which nobody sees, have the types of the
/// other branch's; sizes that are born there (newer than `mark`) are 0.
void Translator::buildImpossibleBranch(const onnx::NodeProto &node, const Problem &problem,
                                       Region &region, ArrayRef<Value> like, size_t mark,
                                       Values &results) {
  region.getBlocks().clear();
  OpBuilder::InsertionGuard restore(builder);
  builder.setInsertionPointToEnd(&region.emplaceBlock());
  GuardOp::create(builder, locationOf(node), Dim::constant(&context, 0).getAttr(),
                  builder.getStringAttr(problem.node + ": cannot run with inputs of these sizes: " +
                                        problem.message));
  results.clear();
  for (Value value : like) {
    Type element = getElementType(value);
    SmallVector<Dim> dims = getDims(value);
    for (Dim &dim : dims)
      if (symbols.isNewerThan(dim, mark))
        dim = Dim::constant(&context, 0);
    auto zero = DenseElementsAttr::get(RankedTensorType::get({1}, element),
                                       cast<TypedAttr>(builder.getZeroAttr(element)));
    results.push_back(ConstantOfShapeOp::create(builder, locationOf(node),
                                                makeTensorType(element, dims),
                                                DimsAttr::get(&context, dims), zero));
  }
  YieldOp::create(builder, builder.getUnknownLoc(), results);
}

/// Translates both branches; at most one of them may be impossible.
bool Translator::translateBranches(const onnx::NodeProto &node, size_t mark,
                                   std::array<const onnx::GraphProto *, 2> graphs,
                                   std::array<Region *, 2> regions,
                                   std::array<Values, 2> &results) {
  std::array<ProblemList, 2> found;
  std::array<bool, 2> ok;
  for (size_t i : {0, 1})
    ok[i] = translateBranch(*graphs[i], *regions[i], results[i], found[i]) && found[i].empty();
  for (size_t i : {0, 1})
    if (!ok[i] && ok[1 - i] && areMismatches(found[i]) &&
        llvm::all_of(results[1 - i],
                     [](Value value) { return isa<RankedTensorType>(value.getType()); })) {
      buildImpossibleBranch(node, *found[i].begin(), *regions[i], results[1 - i], mark, results[i]);
      return true;
    }
  for (const ProblemList &list : found)
    problems->append(list);
  return ok[0] && ok[1];
}

/// Whether the branches give values that one result could hold.
static bool canMerge(ArrayRef<Value> a, ArrayRef<Value> b) {
  return llvm::all_of(llvm::zip(a, b), [](auto pair) {
    auto first = dyn_cast<RankedTensorType>(std::get<0>(pair).getType());
    auto second = dyn_cast<RankedTensorType>(std::get<1>(pair).getType());
    return first && second && first.getElementType() == second.getElementType() &&
           first.getRank() == second.getRank();
  });
}

/// An If on sizes whose branches give different numbers of dimensions is how
/// exporters write "squeeze this axis if it is one long". A rank that changes from
/// run to run has no type: the first branch is taken, and the run ends with an
/// error if its condition does not hold.
bool Translator::assumeThenBranch(const onnx::NodeProto &node, Dim condition,
                                  const onnx::GraphProto &graph, Values &results) {
  TypeInference::Guard guard;
  guard.condition = condition;
  guard.message = "the branch that is taken where " + condition.str() +
                  " does not hold gives another number of dimensions, which is not supported";
  buildGuards(node, guard);
  return inlineBranch(graph, results);
}

bool Translator::translateIf(const onnx::NodeProto &node, Value condition, Values &results) {
  const onnx::GraphProto *thenGraph = findGraph(node, "then_branch");
  const onnx::GraphProto *elseGraph = findGraph(node, "else_branch");
  const SizeContents *known = findContents(condition);
  if (known && known->size() == 1 && known->front().isConstant())
    return inlineBranch(known->front().isConstant(0) ? *elseGraph : *thenGraph, results);

  Location loc = locationOf(node);
  OperationState state(loc, IfOp::getOperationName());
  state.addOperands(condition);
  size_t mark = symbols.mark();
  std::array<Values, 2> values;
  std::array<Region *, 2> regions = {state.addRegion(), state.addRegion()};
  if (!translateBranches(node, mark, {thenGraph, elseGraph}, regions, values))
    return false;
  auto &[thenValues, elseValues] = values;
  if (known && known->size() == 1 && !canMerge(thenValues, elseValues))
    return assumeThenBranch(node, known->front(), *thenGraph, results);
  SmallVector<Attribute> names;
  for (auto [i, a, b] : llvm::enumerate(thenValues, elseValues)) {
    const std::string &name = node.output(static_cast<int>(i));
    if (!checkMerge(node, "output " + quoteName(name), a.getType(), b.getType()))
      return false;
    SmallVector<Dim> dims = getDims(a);
    for (auto [axis, dim, other] : llvm::enumerate(dims, getDims(b))) {
      if (dim == other && !symbols.isNewerThan(dim, mark))
        continue;
      dim = symbols.fresh(name + "_" + std::to_string(axis));
      names.push_back(builder.getStringAttr(dim.getSymbol()));
    }
    state.addTypes(makeTensorType(getElementType(a), dims));
  }
  if (!names.empty())
    state.addAttribute("symbols", builder.getArrayAttr(names));
  llvm::append_range(results, builder.create(state)->getResults());
  return true;
}

} // namespace dsc::import
