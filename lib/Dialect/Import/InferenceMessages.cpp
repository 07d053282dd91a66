//===- InferenceMessages.cpp - what ONNX's shape inference complains about --===//
//
// ONNX says that sizes differ, mostly not which ones. Here its texts are looked up
// and the sizes found again.
//
//===----------------------------------------------------------------------===//
#include "InferenceMessages.h"

#include <algorithm>
#include <optional>
#include <regex>
#include <vector>

namespace dsc::import {

using Shape = onnx::TensorShapeProto;

static std::vector<const Shape *> shapesOfInputs(const onnx::NodeProto &node,
                                                 const TypeScope &types) {
  std::vector<const Shape *> shapes;
  for (const std::string &input : node.input()) {
    const onnx::TypeProto *type = input.empty() ? nullptr : types.find(input);
    bool known = type && type->has_tensor_type() && type->tensor_type().has_shape();
    shapes.push_back(known ? &type->tensor_type().shape() : nullptr);
  }
  return shapes;
}

/// A size that is a number.
static std::optional<int64_t> sizeOf(const Shape &shape, int axis) {
  if (axis < 0 || axis >= shape.dim_size() || !shape.dim(axis).has_dim_value())
    return std::nullopt;
  return shape.dim(axis).dim_value();
}

static std::string versus(int64_t a, int64_t b) {
  return " (" + std::to_string(a) + " vs " + std::to_string(b) + ")";
}

/// The first axis from the end where inputs are neither equal nor 1.
static std::string explainBroadcast(const std::vector<const Shape *> &shapes) {
  int rank = 0;
  for (const Shape *shape : shapes)
    rank = std::max(rank, shape ? shape->dim_size() : 0);
  for (int fromEnd = 1; fromEnd <= rank; ++fromEnd) {
    std::optional<int64_t> seen;
    for (const Shape *shape : shapes) {
      std::optional<int64_t> size = shape ? sizeOf(*shape, shape->dim_size() - fromEnd) : seen;
      if (!size || *size == 1)
        continue;
      if (seen && *seen != *size)
        return "inputs cannot be broadcast: their sizes on axis " + std::to_string(-fromEnd) +
               " disagree" + versus(*seen, *size);
      seen = size;
    }
  }
  return {};
}

static std::string explainMatMul(const std::vector<const Shape *> &shapes) {
  if (shapes.size() < 2 || !shapes[0] || !shapes[1])
    return {};
  int rank = shapes[1]->dim_size();
  std::optional<int64_t> a = sizeOf(*shapes[0], shapes[0]->dim_size() - 1);
  std::optional<int64_t> b = sizeOf(*shapes[1], rank > 1 ? rank - 2 : rank - 1);
  if (!a || !b || *a == *b)
    return {};
  return "the last axis of the first input and the one before the last of the second disagree" +
         versus(*a, *b);
}

static std::string explainConcat(const onnx::NodeProto &node,
                                 const std::vector<const Shape *> &shapes) {
  int64_t joined = 0;
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == "axis")
      joined = attribute.i();
  const Shape *first = nullptr;
  for (const Shape *shape : shapes) {
    if (first && shape && first->dim_size() != shape->dim_size())
      return "inputs have different ranks" + versus(first->dim_size(), shape->dim_size());
    for (int axis = 0; first && shape && axis < shape->dim_size(); ++axis) {
      std::optional<int64_t> a = sizeOf(*first, axis), b = sizeOf(*shape, axis);
      bool isJoined = axis == joined || axis == joined + shape->dim_size();
      if (!isJoined && a && b && *a != *b)
        return "inputs disagree on axis " + std::to_string(axis) + versus(*a, *b);
    }
    first = first ? first : shape;
  }
  return {};
}

static std::string replaced(const std::string &text) {
  struct Rewording {
    std::regex pattern;
    const char *text;
  };
  static const Rewording rewordings[] = {
      {std::regex(R"(.*Inferred=(-?\d+) Declared=(-?\d+) Dimension=(\d+).*)"),
       "the size of axis $3 is $1, but declared or found elsewhere is $2"},
      {std::regex(R"(.*shape differ in rank: \((\d+)\) vs \((\d+)\).*)"),
       "the result has rank $1, but is declared with rank $2"},
      {std::regex(R"(.*shape differ in dimension (\d+): \((-?\d+)\) vs \((-?\d+)\).*)"),
       "axis $1 of the result has size $2, but is declared with size $3"},
      {std::regex(R"(indices must be in \[-rank, rank-1\]\.)"), "an index is out of range"},
      // Node names here are not the model's.
      {std::regex(
           R"((.*?),? *(?:in |for )?(?:node|Node) ?(?:name)?:? *[^ ]* *\(dsc-node-\d*;\)(.*))"),
       "$1$2"},
  };
  for (const Rewording &rewording : rewordings)
    if (std::regex_match(text, rewording.pattern))
      return std::regex_replace(text, rewording.pattern, rewording.text);
  return text;
}

std::string clarifyMessage(const onnx::NodeProto &node, const TypeScope &types,
                           const std::string &message) {
  // Backtracking takes stack.
  constexpr size_t kLongest = 2000;
  if (message.size() > kLongest)
    return message;
  std::vector<const Shape *> shapes = shapesOfInputs(node, types);
  std::string text;
  if (message == "Incompatible dimensions")
    text = explainBroadcast(shapes);
  else if (message == "Incompatible dimensions for matrix multiplication")
    text = explainMatMul(shapes);
  else if (node.op_type() == "Concat")
    text = explainConcat(node, shapes);
  return text.empty() ? replaced(message) : text;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

template <typename List, typename F> static std::string listText(const List &list, F toText) {
  constexpr int kMost = 8;
  std::string text = "[";
  for (int i = 0; i < std::min<int>(list.size(), kMost); ++i)
    text += (i ? ", " : "") + toText(list[i]);
  return text + (list.size() > kMost ? ", ...]" : "]");
}

static std::string valueText(const onnx::AttributeProto &attribute) {
  auto number = [](auto value) { return std::to_string(value); };
  switch (attribute.type()) {
  case onnx::AttributeProto::INT:
    return number(attribute.i());
  case onnx::AttributeProto::FLOAT:
    return number(attribute.f());
  case onnx::AttributeProto::STRING:
    return quoteName(attribute.s().substr(0, 60));
  case onnx::AttributeProto::INTS:
    return listText(attribute.ints(), number);
  case onnx::AttributeProto::FLOATS:
    return listText(attribute.floats(), number);
  default:
    return {};
  }
}

std::string describeAttributes(const onnx::NodeProto &node) {
  std::string text;
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (std::string value = valueText(attribute); !value.empty())
      text += (text.empty() ? "" : ", ") + attribute.name() + " = " + value;
  return text;
}

} // namespace dsc::import
