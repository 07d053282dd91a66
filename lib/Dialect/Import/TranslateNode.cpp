//===- TranslateNode.cpp - one op for one node ------------------------------===//
#include "GraphWalk.h"
#include "OperatorBodies.h"
#include "TensorData.h"
#include "TranslateTypes.h"
#include "Translator.h"

#include <climits>
#include <onnx/defs/schema.h>

using namespace mlir;

namespace dsc::import {

Location Translator::locationOf(const onnx::NodeProto &node) {
  return NameLoc::get(builder.getStringAttr(originOf(node).describe()));
}

Problem &Translator::report(const onnx::NodeProto &node, ProblemCode code, const Twine &message) {
  Problem &problem = problems->add(code, message.str());
  problem.node = originOf(node).describe();
  for (const std::string &name : node.input())
    if (Value value = scope ? lookup(name) : Value())
      problem.notes.push_back("input " + quoteName(name) + ": " + shortTypeName(value.getType()));
  return problem;
}

/// The value of inputs that are left out, at the start of the function.
Value Translator::none() {
  if (!noneValue) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(entry);
    noneValue = NoneOp::create(builder, builder.getUnknownLoc(), builder.getNoneType());
  }
  return noneValue;
}

void Translator::translateNode(const onnx::NodeProto &node) {
  Values inputs, results;
  bool ok = operators.isSupported(operatorKey(node));
  for (const std::string &name : node.input()) {
    inputs.push_back(lookup(name));
    ok &= name.empty() || inputs.back();
  }
  std::string key = operatorKey(node);
  if (ok)
    ok = OperatorTable::isSpecial(key)
             ? translateSpecial(node, inputs, results)
             : translateOperator(node, *operators.find(key), inputs, results);
  results.resize(std::max<size_t>(results.size(), node.output_size()));
  for (auto [name, value] : llvm::zip(node.output(), results))
    define(name, ok && checkSize(node, name, value) ? value : Value());
}

bool Translator::checkSize(const onnx::NodeProto &node, const std::string &name, Value value) {
  auto type = value ? dyn_cast<RankedTensorType>(value.getType()) : RankedTensorType();
  if (!type)
    return true;
  Dim bytes = product(&context, getDims(type)) * elementBytes(type.getElementType());
  if (!bytes.isOverflow() && bytes.tryConstant().value_or(0) <= int64_t(kMaxTensorBytes))
    return true;
  report(node, ProblemCode::TooLarge,
         node.op_type() + ": result " + quoteName(name) +
             " is larger than the 1 TiB that a tensor may have: " + shortTypeName(type));
  return false;
}

/// The operators of kSpecial (OperatorTable.cpp).
bool Translator::translateSpecial(const onnx::NodeProto &node, ArrayRef<Value> inputs,
                                  Values &results) {
  const std::string &type = node.op_type();
  if (type == "If")
    return translateIf(node, inputs[0], results);
  if (type == "Loop")
    return translateLoop(node, inputs, results);
  if (type == "Scan")
    return translateScan(node, inputs, results);
  if (type == "Identity") {
    results.push_back(inputs[0]);
    return true;
  }
  Location loc = locationOf(node);
  if (type == "Constant") {
    const onnx::TensorProto &tensor = node.attribute(0).t();
    results.push_back(translateTensor(tensor, loc, node.output(0)));
    if (!results[0])
      report(node, ProblemCode::UnsupportedType,
             "a constant has the type " + typeText(tensor) + ", which is not supported");
    return static_cast<bool>(results[0]);
  }
  SmallVector<Dim> dims = getDims(inputs[0]);
  auto rank = static_cast<int64_t>(dims.size());
  if (type == "Size") {
    results.push_back(
        buildSizes(loc, RankedTensorType::get({}, builder.getI64Type()), product(&context, dims)));
    return true;
  }
  assert(type == "Shape" && "an operator of kSpecial without a translation");
  int64_t start = 0, end = rank;
  for (const onnx::AttributeProto &attribute : node.attribute())
    (attribute.name() == "start" ? start : end) = attribute.i();
  auto clamp = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + rank : axis, 0, rank);
  };
  start = clamp(start);
  end = std::max(start, clamp(end));
  results.push_back(buildSizes(loc, RankedTensorType::get({end - start}, builder.getI64Type()),
                               ArrayRef(dims).slice(start, end - start)));
  return true;
}

/// Whether `content` says how the operand is taken; false for the other kind of an
/// operand that is listed for both.
static bool applies(const ContentOperand &content, ArrayRef<ContentOperand> all, Type element) {
  bool isBoth = llvm::any_of(all, [&](const ContentOperand &other) {
    return other.index == content.index && other.kind != content.kind;
  });
  return !isBoth || isa<FloatType>(element) == (content.kind == ContentOperand::Floats);
}

/// Adds the attributes for inputs whose contents the op needs.
bool Translator::takeContents(const onnx::NodeProto &node, const OperatorInfo &info,
                              ArrayRef<Value> inputs, Attributes &attributes) {
  ArrayRef<ContentOperand> all = info.facts->getContentOperands();
  for (const ContentOperand &content : all) {
    Value value = content.index < inputs.size() ? inputs[content.index] : Value();
    if (!value || !applies(content, all, getElementType(value)))
      continue;
    const std::string &name = node.input(static_cast<int>(content.index));
    Attribute taken;
    if (content.kind == ContentOperand::Dims) {
      // OneHot takes its depth as a float, too.
      Values integers;
      Attributes toInteger = {builder.getNamedAttr("to", builder.getI64IntegerAttr(7))};
      if (isa<FloatType>(getElementType(value)) &&
          build(node, "dsc.cast", value, toInteger, 1, integers))
        value = integers.front();
      if (std::optional<SizeContents> sizes = needContents(value, name))
        taken = DimsAttr::get(&context, *sizes);
    } else if (std::optional<Array> array = foldConstant(value)) {
      taken = builder.getDenseF32ArrayAttr(*floatsFrom(*array));
    }
    if (!taken) {
      report(node, ProblemCode::UnknownContents,
             "the elements of input " + quoteName(name) + " must be known when compiling");
      return false;
    }
    attributes.push_back({builder.getStringAttr(content.attribute), taken});
  }
  return true;
}

/// Counts the elements on which the size of the result depends.
bool Translator::countResults(const onnx::NodeProto &node, const OperatorInfo &info,
                              ArrayRef<Value> inputs, Attributes &attributes) {
  std::optional<unsigned> operand = info.facts->getCountedOperand();
  if (!operand)
    return true;
  Values count;
  if (!build(node, "dsc.count_nonzero", inputs[*operand], {}, 1, count))
    return false;
  scope->nonNegative.insert(count[0]);
  std::optional<SizeContents> contents = needContents(count[0], node.output(0) + "_count");
  assert(contents && contents->size() == 1 && "a count is one integer");
  attributes.push_back(builder.getNamedAttr("count", contents->front().getAttr()));
  return true;
}

static bool becomesAttribute(const OperatorInfo &info, size_t index) {
  return llvm::any_of(info.facts->getContentOperands(), [&](const ContentOperand &content) {
    return content.index == index && !content.keep;
  });
}

/// The schema's number of inputs; 0 if it has no bound.
static size_t inputLimit(const onnx::NodeProto &node, const onnx::ModelProto &model,
                         bool &isFunction) {
  auto version = static_cast<int>(importedOpset(model, node.domain()));
  const onnx::OpSchema *schema =
      onnx::OpSchemaRegistry::Schema(node.op_type(), version, node.domain());
  isFunction = hasOwnBody(node) ||
               (schema && (schema->HasFunction() || schema->HasContextDependentFunction()));
  return schema && schema->max_input() != INT_MAX ? static_cast<size_t>(schema->max_input()) : 0;
}

bool Translator::translateOperator(const onnx::NodeProto &node, const OperatorInfo &info,
                                   ArrayRef<Value> given, Values &results) {
  bool isFunction = false;
  Values inputs(given);
  inputs.resize(std::max(inputs.size(), inputLimit(node, model, isFunction)));
  Attributes attributes;
  for (const onnx::AttributeProto &attribute : node.attribute()) {
    if (Attribute value = translateAttribute(&context, attribute)) {
      attributes.push_back(builder.getNamedAttr(attribute.name(), value));
      continue;
    }
    report(node, ProblemCode::UnsupportedType,
           "attribute " + quoteName(attribute.name()) + " has a type that is not supported");
    return false;
  }
  bool ok = takeContents(node, info, inputs, attributes);
  if (ok) {
    for (Value &input : inputs)
      if (!input)
        input = none();
    ok = countResults(node, info, inputs, attributes);
  }
  if (ok) {
    Values operands;
    for (auto [index, input] : llvm::enumerate(inputs))
      if (!becomesAttribute(info, index))
        operands.push_back(input);
    unsigned numResults = info.facts->getResultCount(static_cast<unsigned>(node.output_size()));
    ok = build(node, info.opName, operands, attributes, numResults, results);
  }
  // A node that breaks its operator's rules has no results by its definition either.
  if (!ok && isFunction && (problems->empty() || problems->back().kind != ProblemCode::BadNode))
    failedFunctions.insert(operatorKey(node));
  return ok;
}

/// The text of an op's diagnostic without the op's name, which the user does not know.
static std::string withoutOpName(StringRef text) {
  if (text.consume_front("'"))
    text = text.split("' op ").second.empty() ? text : text.split("' op ").second;
  return text.str();
}

void Translator::buildGuards(const onnx::NodeProto &node, ArrayRef<TypeInference::Guard> guards) {
  for (const TypeInference::Guard &guard : guards)
    if (scope->guarded.insert(guard.condition.getAttr()).second)
      GuardOp::create(builder, locationOf(node), guard.condition.getAttr(),
                      builder.getStringAttr(originOf(node).describe() + ": " + guard.message));
}

/// The operand of an op of ONNX that is of a shorter type than the first one: that only
/// passes may make so. Null: none.
static Value findShortOperand(Operation *op) {
  auto compute = cast<ComputeOp>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (!compute.getOnnxName().empty() && compute.mayReadShort(operand.getOperandNumber()) &&
        getElementType(operand.get()) != getElementType(op->getOperand(0)))
      return operand.get();
  return {};
}

bool Translator::build(const onnx::NodeProto &node, StringRef opName, ValueRange operands,
                       const Attributes &attributes, unsigned numResults, Values &results) {
  Location loc = locationOf(node);
  if (!RegisteredOperationName::lookup(opName, &context)) {
    report(node, ProblemCode::UnsupportedOperator,
           "operator " + operatorKey(node) + " is not supported");
    return false;
  }
  std::string message;
  bool breaksRule = false;
  SmallVector<TypeInference::Guard> guards;
  FailureOr<Operation *> op = failure();
  {
    ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
      if (message.empty())
        message = withoutOpName(diagnostic.str());
      breaksRule |= !diagnostic.getMetadata().empty();
      return success();
    });
    op = buildOp(builder, loc, opName, operands, attributes, numResults, &guards);
  }
  if (failed(op)) {
    report(node, breaksRule ? ProblemCode::BadNode : ProblemCode::TypeMismatch,
           operatorKey(node) + ": " + (message.empty() ? "its inputs do not fit" : message));
    return false;
  }
  if (Value shortOperand = findShortOperand(*op)) {
    report(node, ProblemCode::TypeMismatch,
           operatorKey(node) + ": inputs have different element types (" +
               shortTypeName((*op)->getOperand(0).getType()) + " and " +
               shortTypeName(shortOperand.getType()) + ")");
    (*op)->erase();
    return false;
  }
  for (Type type : (*op)->getResultTypes())
    for (Dim dim : getDims(type))
      if (isTooComplex(dim)) {
        report(node, ProblemCode::TooLarge,
               operatorKey(node) + ": a size of its result has become too complex an expression")
            .help = "give numbers for the sizes of the inputs";
        (*op)->erase();
        return false;
      }
  OpBuilder::InsertionGuard restore(builder);
  builder.setInsertionPoint(*op);
  buildGuards(node, guards);
  simplify(*op, results);
  return true;
}

} // namespace dsc::import
