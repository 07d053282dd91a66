//===- OpsetConversion.h - ONNX's version converter, made safe to call ------===//
//
// Converts graphs and function bodies to a newer version of ai.onnx. Tensors must
// have been resolved: weights are then references, which are cheap to copy.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <onnx/onnx_pb.h>
#include <vector>

namespace dsc::import {

/// Converts the graph of `model` to version `target` of ai.onnx. Local functions
/// keep their bodies and versions. Nodes that the converter adds get the origin of
/// the node that they serve. Returns false after adding a problem.
bool convertModel(onnx::ModelProto &model, int64_t target, ProblemList &problems);

/// Converts a function body whose attributes have been bound. `inputTypes` are the
/// types of its formal inputs, VALUE_NOT_SET where unknown; `functions` are those
/// that it may call. Returns false after adding a problem.
bool convertFunction(onnx::FunctionProto &function, const std::vector<onnx::TypeProto> &inputTypes,
                     const onnx::ModelProto &model, int64_t target, ProblemList &problems);

} // namespace dsc::import
