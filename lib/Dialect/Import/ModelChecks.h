//===- ModelChecks.h - is this a well-formed model? -------------------------===//
//
// Checks of structure: versions, operators, attributes, names, order. Unlike
// onnx::checker they go on after a problem and name nodes by their place.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <onnx/onnx_pb.h>

namespace dsc::import {

/// Spells the domain "ai.onnx" as "" everywhere, and dimensions that some exporters
/// write as -1 as unknown.
void normalizeSpelling(onnx::ModelProto &model);

/// Makes a model of an older version of ai.onnx import kOldestOpset if all its
/// operators mean the same there.
void raiseOldOpset(onnx::ModelProto &model);

/// Stamps every node of the model and its functions with its NodeOrigin.
void stampOrigins(onnx::ModelProto &model);

/// Reports everything that is structurally wrong. Nodes must have been stamped.
void checkModel(const onnx::ModelProto &model, ProblemList &problems);

/// Checks each node against its operator's schema (again, after nodes changed).
void checkNodes(const onnx::ModelProto &model, ProblemList &problems);

} // namespace dsc::import
