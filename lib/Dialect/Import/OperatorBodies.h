//===- OperatorBodies.h - definitions of operators that ONNX gives none -----===//
//
// Operators without an op of the dialect, and forms of operators that their ops do
// not take, written as functions of other operators.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "TypeInference.h"

#include <onnx/onnx_pb.h>
#include <optional>
#include <string>

namespace dsc::import {

/// Whether some nodes with this operator have a body here. For ai.onnx only.
bool hasOwnBody(const onnx::NodeProto &node);

/// The body that replaces the node, written for the newest opset; nullopt if it has
/// none here: it is of another form, or ranks are unknown that the body depends on.
std::optional<onnx::FunctionProto> ownBody(const onnx::NodeProto &node, const TypeScope &types);

} // namespace dsc::import
