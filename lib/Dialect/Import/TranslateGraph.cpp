//===- TranslateGraph.cpp - inputs, initializers and outputs of graphs ------===//
#include "GraphWalk.h"
#include "TensorData.h"
#include "TranslateTypes.h"
#include "Translator.h"

#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace dsc::import {

/// Longer integer vectors are weights, not parameters of shapes.
static constexpr int64_t kMaxInlineIntegers = 1024;

Translator::Translator(MLIRContext &context, const OperatorTable &operators,
                       const ImportOptions &options, NormalizedModel model, WeightStore &weights,
                       ProblemList &problems)
    : context(context), operators(operators), options(options),
      files(std::make_shared<WeightFiles>(std::move(model.weights))), model(std::move(model.model)),
      weights(weights), problems(&problems), symbols(&context), builder(&context) {}

OwningOpRef<ModuleOp> Translator::run() {
  reportUnsupportedOperators();
  OwningOpRef<ModuleOp> module = ModuleOp::create(builder.getUnknownLoc());
  builder.setInsertionPointToEnd(module->getBody());
  auto function = func::FuncOp::create(builder, builder.getUnknownLoc(), "main",
                                       builder.getFunctionType({}, {}));
  if (!fixSizesOfInputs() || !translateMain(function) || !problems->empty())
    return {};

  std::string message, where;
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    if (message.empty()) {
      message = diagnostic.str();
      if (auto loc = dyn_cast<NameLoc>(diagnostic.getLocation()))
        where = loc.getName().str();
    }
    return success();
  });
  if (succeeded(verify(*module)))
    return module;
  problems->add(ProblemCode::BadGraph, "the imported model is not valid: " + message).node = where;
  return {};
}

void Translator::reportUnsupportedOperators() {
  std::map<std::string, size_t> count;
  std::vector<const onnx::NodeProto *> firsts;
  forEachNode(std::as_const(model).graph().node(), [&](const onnx::NodeProto &node) {
    std::string key = operatorKey(node);
    if (!operators.isSupported(key) && count[key]++ == 0)
      firsts.push_back(&node);
  });
  for (const onnx::NodeProto *node : firsts) {
    std::string key = operatorKey(*node);
    Problem &problem =
        report(*node, ProblemCode::UnsupportedOperator, "operator " + key + " is not supported");
    if (size_t others = count[key] - 1)
      problem.notes.push_back("and " + std::to_string(others) + " more of its nodes");
  }
}

using Dimension = onnx::TensorShapeProto::Dimension;

/// Some exporters write -1 for a size that is not known.
static bool isNumber(const Dimension &dim) { return dim.has_dim_value() && dim.dim_value() >= 0; }

/// The name of a size that is the same wherever it has that name; empty if it has
/// none. Exporters write `?` for any size.
static std::string parameterOf(const Dimension &dim) {
  return llvm::any_of(dim.dim_param(), llvm::isAlnum) ? dim.dim_param() : std::string();
}

//===----------------------------------------------------------------------===//
// Inputs
//===----------------------------------------------------------------------===//

/// Gives numbers to the named sizes that the user has fixed.
bool Translator::fixSizesOfInputs() {
  bool ok = true;
  auto bad = [&](const std::string &name, const std::string &message) {
    problems->add(ProblemCode::BadShapeOption,
                  "the shape given for input " + quoteName(name) + " " + message);
    ok = false;
  };
  for (const auto &[name, sizes] : options.shapes) {
    const auto &inputs = model.graph().input();
    auto input = llvm::find_if(inputs, [&](const auto &info) { return info.name() == name; });
    if (input == inputs.end()) {
      bad(name, "names no input of the model");
      SmallVector<std::string> names =
          llvm::map_to_vector(inputs, [](const auto &info) { return quoteName(info.name()); });
      problems->back().help = "its inputs are " + llvm::join(names, ", ");
      continue;
    }
    const auto &type = input->type().tensor_type();
    if (!type.has_shape())
      continue;
    if (type.shape().dim_size() != static_cast<int>(sizes.size())) {
      bad(name, "has " + std::to_string(sizes.size()) + " sizes, but the input is " +
                    typeText(input->type()));
      continue;
    }
    for (auto [dim, size] : llvm::zip(type.shape().dim(), sizes)) {
      std::string parameter = parameterOf(dim);
      if (size >= 0 && isNumber(dim) && size != dim.dim_value() && !options.allSymbolic) {
        bad(name, "gives a size of " + std::to_string(size) + ", but the input is " +
                      typeText(input->type()));
        break;
      }
      if (size < 0 || parameter.empty() || !options.fixSizes)
        continue;
      Dim fixed = Dim::constant(&context, size);
      if (parameters.try_emplace(parameter, fixed).first->second != fixed)
        bad(name, "gives " + quoteName(parameter) + " another number than before");
    }
  }
  return ok;
}

Type Translator::inputType(const onnx::ValueInfoProto &input) {
  auto given = options.shapes.find(input.name());
  const auto &tensor = input.type().tensor_type();
  Type element = elementTypeOf(&context, tensor.elem_type());
  bool hasShape = tensor.has_shape() || given != options.shapes.end();
  if (!input.type().has_tensor_type() || !element || !hasShape) {
    Problem &problem = problems->add(ProblemCode::UnsupportedType,
                                     "input " + quoteName(input.name()) + " has the type " +
                                         typeText(input.type()) + ", which is not supported");
    if (element && !hasShape)
      problem.help = "give its shape, whose number of dimensions the model leaves open";
    return {};
  }
  SmallVector<Dim> dims;
  int rank =
      tensor.has_shape() ? tensor.shape().dim_size() : static_cast<int>(given->second.size());
  for (int axis = 0; axis < rank; ++axis) {
    onnx::TensorShapeProto::Dimension declared;
    if (tensor.has_shape())
      declared = tensor.shape().dim(axis);
    std::string hint = input.name() + "_" + std::to_string(axis);
    std::string parameter = parameterOf(declared);
    if (given != options.shapes.end() && options.fixSizes && given->second[axis] >= 0)
      dims.push_back(Dim::constant(&context, given->second[axis]));
    else if (isNumber(declared) && (!options.allSymbolic || declared.dim_value() == 1))
      dims.push_back(Dim::constant(&context, declared.dim_value()));
    else if (options.allSymbolic)
      dims.push_back(symbols.fresh("d" + std::to_string(symbols.mark())));
    else if (parameter.empty())
      dims.push_back(symbols.fresh(hint));
    else if (auto known = parameters.find(parameter); known != parameters.end())
      dims.push_back(known->second);
    else
      dims.push_back(parameters[parameter] = symbols.fresh(parameter));
  }
  return makeTensorType(element, dims);
}

//===----------------------------------------------------------------------===//
// Graphs
//===----------------------------------------------------------------------===//

bool Translator::translateMain(func::FuncOp function) {
  const onnx::GraphProto &graph = model.graph();
  Scope main;
  scope = &main;
  entry = function.addEntryBlock();
  builder.setInsertionPointToEnd(entry);
  SmallVector<Attribute> argNames, resultNames;
  auto named = [&](const std::string &name) {
    return builder.getDictionaryAttr(builder.getNamedAttr("dsc.name", builder.getStringAttr(name)));
  };
  for (const onnx::ValueInfoProto &input : graph.input()) {
    Type type = inputType(input);
    auto loc = NameLoc::get(builder.getStringAttr("input " + quoteName(input.name())));
    define(input.name(), type ? entry->addArgument(type, loc) : Value());
    argNames.push_back(named(input.name()));
  }
  translateBody(graph);
  Values outputs = outputsOf(graph);
  for (const onnx::ValueInfoProto &output : graph.output())
    resultNames.push_back(named(output.name()));
  scope = nullptr;
  if (!problems->empty() || llvm::is_contained(outputs, Value()))
    return false;
  func::ReturnOp::create(builder, builder.getUnknownLoc(), outputs);
  function.setFunctionType(
      builder.getFunctionType(entry->getArgumentTypes(), ValueRange(outputs).getTypes()));
  function.setArgAttrsAttr(builder.getArrayAttr(argNames));
  function.setResAttrsAttr(builder.getArrayAttr(resultNames));
  return true;
}

void Translator::translateInitializers(const onnx::GraphProto &graph) {
  for (const onnx::TensorProto &tensor : graph.initializer()) {
    auto loc = NameLoc::get(builder.getStringAttr("initializer " + quoteName(tensor.name())));
    Value value = translateTensor(tensor, loc, tensor.name());
    if (!value)
      problems->add(ProblemCode::UnsupportedType, "initializer " + quoteName(tensor.name()) +
                                                      " has the type " + typeText(tensor) +
                                                      ", which is not supported");
    define(tensor.name(), value);
  }
}

void Translator::translateBody(const onnx::GraphProto &graph) {
  translateInitializers(graph);
  for (const onnx::NodeProto &node : graph.node())
    translateNode(node);
}

Translator::Values Translator::outputsOf(const onnx::GraphProto &graph) {
  Values outputs;
  for (const onnx::ValueInfoProto &output : graph.output())
    outputs.push_back(lookup(output.name()));
  return outputs;
}

Value Translator::lookup(const std::string &name) const {
  for (const Scope *at = scope; at; at = at->parent)
    if (auto it = at->values.find(name); it != at->values.end())
      return it->second;
  return {};
}

void Translator::define(const std::string &name, Value value) {
  if (!name.empty())
    scope->values[name] = value;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// One source for each file; a buffer is a source of its own.
WeightAttr Translator::weightFor(const WeightRef &ref) {
  std::optional<std::span<const uint8_t>> bytes = files->bytes(ref);
  if (!bytes)
    return {};
  const MappedFile *file = files->find(ref.file);
  if (!file) {
    int64_t source = weights.addSource(files, ArrayRef(bytes->data(), bytes->size()));
    return WeightAttr::get(&context, source, 0, static_cast<int64_t>(ref.length));
  }
  auto [it, isNew] = sources.try_emplace(ref.file, 0);
  if (isNew)
    it->second = weights.addSource(files, ArrayRef(file->bytes().data(), file->bytes().size()));
  return WeightAttr::get(&context, it->second, static_cast<int64_t>(ref.offset),
                         static_cast<int64_t>(ref.length));
}

Value Translator::translateTensor(const onnx::TensorProto &tensor, Location loc, StringRef name) {
  RankedTensorType type = typeOf(&context, tensor);
  if (!type)
    return {};
  bool isSmallInteger = isa<IntegerType>(type.getElementType()) && type.getRank() <= 1 &&
                        type.getNumElements() <= kMaxInlineIntegers;
  ArrayRef<uint8_t> raw = llvm::arrayRefFromStringRef(tensor.raw_data());
  if (std::optional<WeightRef> ref = weightRefOf(tensor)) {
    WeightAttr weight = weightFor(*ref);
    if (!weight)
      return {};
    if (!isSmallInteger)
      return WeightOp::create(builder, loc, type, weight, builder.getStringAttr(name));
    raw = weights.bytes(weight);
  }
  Array array = arrayFrom(type, raw);
  std::optional<SmallVector<Dim>> sizes;
  if (type.getNumElements() <= kMaxInlineIntegers)
    sizes = sizesFrom(array);
  Value value = isSmallInteger ? ConstantOp::create(builder, loc, denseElements(array)).getResult()
                               : buildConstant(builder, loc, std::move(array), weights);
  if (sizes)
    setContents(value, std::move(*sizes));
  return value;
}

} // namespace dsc::import
