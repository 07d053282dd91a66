//===- Constants.h - one form for constants ---------------------------------===//
//
// ONNX has many ways to write a constant; afterwards there are two: initializers
// that are not inputs, and Constant nodes with the attribute `value`.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/ExternalData.h"
#include "dsc/Dialect/Import/Problem.h"

#include <onnx/onnx_pb.h>

namespace dsc::import {

/// Makes sparse initializers dense, and removes from the main graph's inputs those
/// that have an initializer (a default that a caller could replace from IR version
/// 4 on, and a mere formality before). Tensors must have been resolved.
void canonicalizeInitializers(onnx::ModelProto &model, WeightFiles &files, ProblemList &problems);

/// Rewrites value_float(s), value_int(s), value_string(s) and sparse_value of
/// Constant nodes to `value`. Attribute references must have been bound.
void canonicalizeConstantNodes(onnx::ModelProto &model, WeightFiles &files, ProblemList &problems);

/// Drops initializers that no node and no graph output uses.
void dropUnusedInitializers(onnx::ModelProto &model);

} // namespace dsc::import
