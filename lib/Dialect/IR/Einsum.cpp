//===- Einsum.cpp - sums of products given by an equation -----------------===//
#include "Contraction.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace dsc {

namespace {

/// An equation applied to operands: a label for each axis. Letters stand for
/// themselves; the axes of an ellipsis are negative, counted from the right.
struct Equation {
  SmallVector<SmallVector<int>> terms;
  SmallVector<int> result;
  /// Sizes of all labels, in the order in which they first appear.
  llvm::MapVector<int, Dim> sizes;
};

} // namespace

/// The labels of a term; its ellipsis stands for `ellipsis` axes.
static FailureOr<SmallVector<int>> parseTerm(StringRef term, int ellipsis,
                                             TypeInference &inference) {
  SmallVector<int> labels;
  while (!term.empty()) {
    if (term.consume_front(" "))
      continue;
    if (term.consume_front("...")) {
      for (int axis = ellipsis; axis > 0; --axis)
        labels.push_back(-axis);
      continue;
    }
    char letter = term.front();
    if (!llvm::isAlpha(letter))
      return inference.error() << "equation has '" << StringRef(&letter, 1)
                               << "' where a letter is expected",
             failure();
    labels.push_back(letter);
    term = term.drop_front();
  }
  return labels;
}

/// The result's labels where the equation has no arrow: the ellipsis, then what
/// appears once, sorted.
static SmallVector<int> implicitResult(ArrayRef<SmallVector<int>> terms) {
  std::map<int, int> counts;
  for (ArrayRef<int> term : terms)
    for (int label : term)
      ++counts[label];
  SmallVector<int> result;
  for (auto [label, count] : counts)
    if (label < 0 || count == 1)
      result.push_back(label);
  return result;
}

static LogicalResult addSizes(Equation &equation, ValueRange operands, TypeInference &inference) {
  Dim one = inference.constant(1);
  for (auto [term, operand] : llvm::zip(equation.terms, operands))
    for (auto [label, dim] : llvm::zip(term, getDims(operand))) {
      auto [it, isNew] = equation.sizes.insert({label, dim});
      if (isNew)
        continue;
      Dim size = it->second;
      Dim fits =
          Dim::logicalOr(Dim::eq(size, dim), Dim::logicalOr(Dim::eq(size, one), Dim::eq(dim, one)));
      std::string name = label < 0 ? "..." : std::string(1, static_cast<char>(label));
      if (failed(inference.require(fits, "sizes of '" + name + "' differ (" + size.str() + " vs " +
                                             dim.str() + ")")))
        return failure();
      it->second = broadcast(size, dim);
    }
  for (int label : equation.result)
    if (!equation.sizes.contains(label) || llvm::count(equation.result, label) > 1)
      return inference.error() << "equation's result must have each label once, from the inputs";
  return success();
}

static FailureOr<Equation> parseEquation(EinsumOp op, TypeInference &inference) {
  StringRef text = op.getEquation();
  size_t arrow = text.find("->");
  SmallVector<StringRef> texts;
  text.take_front(arrow).split(texts, ',');
  if (texts.size() != op.getNumOperands())
    return inference.error() << "equation has " << texts.size() << " terms for "
                             << op.getNumOperands() << " inputs",
           failure();
  Equation equation;
  int ellipsis = 0;
  for (auto [termText, operand] : llvm::zip(texts, op.getOperands())) {
    int rank = getRank(operand);
    int letters = llvm::count_if(termText, [](char c) { return llvm::isAlpha(c); });
    bool hasEllipsis = termText.contains("...");
    if (hasEllipsis ? letters > rank : letters != rank)
      return inference.error() << "term '" << termText.trim() << "' does not fit "
                               << shortTypeName(operand.getType()),
             failure();
    int covered = hasEllipsis ? rank - letters : 0;
    FailureOr<SmallVector<int>> labels = parseTerm(termText, covered, inference);
    if (failed(labels))
      return failure();
    equation.terms.push_back(*labels);
    ellipsis = std::max(ellipsis, covered);
  }
  if (arrow == StringRef::npos) {
    equation.result = implicitResult(equation.terms);
  } else {
    FailureOr<SmallVector<int>> labels = parseTerm(text.drop_front(arrow + 2), ellipsis, inference);
    if (failed(labels))
      return failure();
    equation.result = *labels;
  }
  if (failed(addSizes(equation, op.getOperands(), inference)))
    return failure();
  return equation;
}

LogicalResult EinsumOp::inferTypes(TypeInference &inference) {
  if (getInputs().empty())
    return inference.error() << "needs at least one input";
  Type element = getElementType(getInputs().front());
  for (Value input : getInputs())
    if (getElementType(input) != element)
      return inference.error() << "inputs have different element types ("
                               << shortTypeName(getInputs().front().getType()) << " and "
                               << shortTypeName(input.getType()) << ")";
  FailureOr<Equation> equation = parseEquation(*this, inference);
  if (failed(equation))
    return failure();
  SmallVector<Dim> shape;
  for (int label : equation->result)
    shape.push_back(equation->sizes[label]);
  inference.addResult(element, shape);
  return success();
}

FailureOr<Spec> EinsumOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<Equation> equation = parseEquation(*this, inference);
  if (failed(equation))
    return failure();
  bool hasSum = equation->sizes.size() > equation->result.size();
  bool hasProduct = getNumOperands() > 1;
  SpecKind kind = hasSum ? (hasProduct ? SpecKind::Contract : SpecKind::Reduce)
                         : (hasProduct ? SpecKind::Map : SpecKind::Move);
  LoopSpecBuilder spec(*this, kind);
  llvm::DenseMap<int, AffineExpr> loops;
  for (int label : equation->result)
    loops[label] = spec.parallel(equation->sizes[label]);
  for (auto [label, size] : equation->sizes)
    if (!loops.contains(label))
      loops[label] = spec.reduction(size);
  for (auto [i, term] : llvm::enumerate(equation->terms))
    spec.readBroadcast(i, llvm::map_to_vector(term, [&](int label) { return loops[label]; }));
  Type element = getElementType(getOperand(0));
  if (hasSum)
    accumulateFromZero(spec, element);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    if (kind == SpecKind::Move)
      return {args.operands[0]};
    Value product = s.compute(args.operands[0]);
    for (Value factor : args.operands.drop_front())
      product = s.mul(product, s.compute(factor));
    return {hasSum ? s.add(args.accumulators[0], product) : s.round(product)};
  });
  if (hasSum)
    finishRounded(spec, element);
  return spec.take();
}

} // namespace dsc
