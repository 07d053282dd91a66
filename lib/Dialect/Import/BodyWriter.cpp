//===- BodyWriter.cpp - writes the bodies of operators ----------------------===//
#include "BodyWriter.h"

#include "dsc/Dialect/Import/NormalizeModel.h"

#include "llvm/ADT/StringExtras.h"

#include <cstdio>
#include <onnx/defs/parser.h>
#include <stdexcept>

namespace dsc::import {

using llvm::StringRef;
using onnx::FunctionProto;
using onnx::NodeProto;

std::optional<int64_t> BodyWriter::rank(int input) const {
  const onnx::TypeProto *type = has(input) ? types.find(node.input(input)) : nullptr;
  if (!type || !type->has_tensor_type() || !type->tensor_type().has_shape())
    return std::nullopt;
  return type->tensor_type().shape().dim_size();
}

std::optional<int64_t> BodyWriter::length(int input) const {
  if (rank(input) != 1)
    return std::nullopt;
  const auto &dim = types.find(node.input(input))->tensor_type().shape().dim(0);
  return dim.has_dim_value() ? std::optional(dim.dim_value()) : std::nullopt;
}

std::optional<int64_t> BodyWriter::size(int input, int64_t axis) const {
  std::optional<int64_t> axes = rank(input);
  if (!axes || axis < -*axes || axis >= *axes)
    return std::nullopt;
  const auto &dim = types.find(node.input(input))
                        ->tensor_type()
                        .shape()
                        .dim(static_cast<int>(axis < 0 ? axis + *axes : axis));
  return dim.has_dim_value() ? std::optional(dim.dim_value()) : std::nullopt;
}

std::optional<int64_t> BodyWriter::constant(int input) const {
  return has(input) ? types.constantInteger(node.input(input)) : std::nullopt;
}

int64_t BodyWriter::integer(const char *name, int64_t otherwise) const {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return attribute.i();
  return otherwise;
}

float BodyWriter::number(const char *name, float otherwise) const {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return attribute.f();
  return otherwise;
}

std::string BodyWriter::text(const char *name, const char *otherwise) const {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return attribute.s();
  return otherwise;
}

std::vector<int64_t> BodyWriter::integers(const char *name, std::vector<int64_t> otherwise) const {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return {attribute.ints().begin(), attribute.ints().end()};
  return otherwise;
}

void BodyWriter::add(StringRef text) {
  std::string filled;
  while (!text.empty()) {
    size_t at = text.find('$');
    filled += text.take_front(at).str();
    text = at == StringRef::npos ? StringRef() : text.drop_front(at + 1);
    if (at == StringRef::npos)
      break;
    StringRef name = text.take_while([](char c) { return llvm::isAlnum(c) || c == '_'; });
    filled += settings.at(name.str());
    text = text.drop_front(name.size());
  }
  onnx::OnnxParser parser(filled.c_str());
  while (!parser.EndOfInput())
    if (onnx::Common::Status status = parser.Parse(*body.add_node()); !status.IsOK())
      throw std::logic_error("the body of " + node.op_type() + ": " + status.ErrorMessage());
}

FunctionProto BodyWriter::take(llvm::ArrayRef<const char *> inputs,
                               llvm::ArrayRef<const char *> outputs) {
  body.set_name(node.op_type());
  for (const char *input : inputs)
    body.add_input(input);
  for (const char *output : outputs)
    body.add_output(output);
  onnx::OperatorSetIdProto *import = body.add_opset_import();
  import->set_domain("");
  import->set_version(kNewestOpset);
  return std::move(body);
}

/// All digits of a float.
std::string floatText(float number) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.8e", static_cast<double>(number));
  return text;
}

std::vector<int64_t> iota(int64_t count, int64_t first) {
  std::vector<int64_t> list;
  for (int64_t i = 0; i < count; ++i)
    list.push_back(first + i);
  return list;
}

} // namespace dsc::import
