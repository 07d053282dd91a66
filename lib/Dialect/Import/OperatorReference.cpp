//===- OperatorReference.cpp - which ONNX operators are supported -----------===//
#include "dsc/Dialect/Import/OperatorReference.h"

#include "OperatorBodies.h"
#include "OperatorTable.h"
#include "TensorData.h"
#include "TranslateTypes.h"

#include <algorithm>
#include <onnx/defs/data_type_utils.h>
#include <onnx/defs/schema.h>
#include <set>

using namespace mlir;

namespace dsc::import {

static bool hasOwnBodyOf(const onnx::OpSchema &schema) {
  onnx::NodeProto node;
  node.set_op_type(schema.Name());
  node.set_domain(schema.domain());
  return hasOwnBody(node);
}

/// Whether all operators of a body are known; bodies that depend on the context are
/// tried when they are met.
static bool hasUsableBody(const onnx::OpSchema &schema, const OperatorTable &operators) {
  if (schema.HasContextDependentFunction())
    return true;
  const onnx::FunctionProto *body = schema.HasFunction() ? schema.GetFunction() : nullptr;
  if (!body)
    return false;
  return llvm::all_of(body->node(), [&](const onnx::NodeProto &node) {
    if (operators.isSupported(operatorKey(node)))
      return true;
    const onnx::OpSchema *inner = onnx::OpSchemaRegistry::Schema(node.op_type(), node.domain());
    return inner && hasUsableBody(*inner, operators);
  });
}

static std::vector<std::string> typesOf(const onnx::OpSchema &schema, MLIRContext &context) {
  std::set<std::string> types;
  for (const auto &constraint : schema.typeConstraintParams())
    for (const std::string &text : constraint.allowed_type_strs) {
      const onnx::TypeProto &type =
          onnx::Utils::DataTypeUtils::ToTypeProto(onnx::Utils::DataTypeUtils::ToType(text));
      int32_t element = type.has_tensor_type() ? type.tensor_type().elem_type() : 0;
      if (element && elementTypeOf(&context, element))
        types.insert(nameOfElement(element));
    }
  return {types.begin(), types.end()};
}

std::vector<OperatorEntry> operatorReference(MLIRContext &context) {
  context.loadDialect<DscDialect>();
  OperatorTable operators(context);
  std::vector<OperatorEntry> entries;
  for (const onnx::OpSchema &schema : onnx::OpSchemaRegistry::get_all_schemas()) {
    if (schema.Deprecated())
      continue;
    OperatorEntry entry;
    entry.name = schema.domain().empty() ? schema.Name() : schema.domain() + "::" + schema.Name();
    entry.sinceVersion = schema.SinceVersion();
    if (operators.isSupported(entry.name))
      entry.support = OperatorSupport::Own;
    else if (hasOwnBodyOf(schema) || hasUsableBody(schema, operators))
      entry.support = OperatorSupport::Definition;
    entry.types = typesOf(schema, context);
    entries.push_back(std::move(entry));
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto &a, const auto &b) { return a.name < b.name; });
  return entries;
}

} // namespace dsc::import
