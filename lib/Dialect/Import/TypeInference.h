//===- TypeInference.h - ONNX's shape inference, made safe to call ----------===//
//
// Writes what ONNX can infer into value_info, and turns what it rejects into
// problems that name the node and the types of its values.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <onnx/onnx_pb.h>
#include <optional>
#include <string>
#include <unordered_map>

namespace dsc::import {

/// Infers types and shapes as far as possible; errors leave values without a type.
void inferTypes(onnx::ModelProto &model);

/// Reports each node whose types or shapes are inconsistent. `model` must hold
/// what inferTypes found, for the notes.
void checkTypes(const onnx::ModelProto &model, ProblemList &problems);

/// What is known of the values that the nodes of a graph can see.
class TypeScope {
public:
  explicit TypeScope(const onnx::GraphProto &graph, const TypeScope *parent = nullptr);

  /// nullptr if the type is unknown.
  const onnx::TypeProto *find(const std::string &value) const;

  /// Whether the value is an initializer or made by a Constant node.
  bool isConstant(const std::string &value) const;

  /// The element of a constant with one int64; nullopt for all others.
  std::optional<int64_t> constantInteger(const std::string &value) const;

private:
  const TypeScope *parent;
  std::unordered_map<std::string, onnx::TypeProto> types;
  std::unordered_map<std::string, std::optional<int64_t>> constants;
};

} // namespace dsc::import
