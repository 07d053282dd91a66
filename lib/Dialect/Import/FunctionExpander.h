//===- FunctionExpander.h - replaces calls by function bodies ---------------===//
//
// Two kinds of functions: those that the model brings along, and ONNX operators
// that the standard defines by others.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <functional>
#include <onnx/onnx_pb.h>

namespace dsc::import {

/// Replaces all calls of model-local functions and removes the functions. Bodies
/// written for another version of ai.onnx than the model's are converted, after
/// the model itself if need be. Returns false after adding problems.
bool inlineLocalFunctions(onnx::ModelProto &model, ProblemList &problems);

/// Replaces operators by their function bodies until only primitives and those
/// that `keepWhole` (may be empty) accepts are left. The model must import
/// kNewestOpset. Leaves types inferred. Returns false after adding problems.
bool expandOperators(onnx::ModelProto &model,
                     const std::function<bool(const onnx::NodeProto &)> &keepWhole,
                     ProblemList &problems);

} // namespace dsc::import
