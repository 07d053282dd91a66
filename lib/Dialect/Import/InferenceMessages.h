//===- InferenceMessages.h - what ONNX's shape inference complains about ----===//
#pragma once

#include "TypeInference.h"

#include <string>

namespace dsc::import {

/// ONNX's `message` about a node in words that say which sizes do not fit; the same
/// text where there is nothing to add.
std::string clarifyMessage(const onnx::NodeProto &node, const TypeScope &types,
                           const std::string &message);

/// "axis = 1, perm = [0, 2, 1]": the attributes of a node that are short. Empty
/// without any.
std::string describeAttributes(const onnx::NodeProto &node);

} // namespace dsc::import
