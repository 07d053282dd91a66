//===- NormalizeModel.h - from a file to a uniform ONNX model ---------------===//
//
// The front half of the importer: reads, checks and normalises an ONNX model so
// that the translation to dsc operators meets one version per operator only.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/ExternalData.h"
#include "dsc/Dialect/Import/NodeOrigin.h"
#include "dsc/Dialect/Import/Problem.h"

#include <cstdint>
#include <functional>
#include <map>
#include <onnx/onnx_pb.h>
#include <string>

namespace dsc::import {

/// Versions of the ai.onnx operator set that are accepted. Models are converted
/// to the newest.
constexpr int64_t kOldestOpset = 7;
constexpr int64_t kNewestOpset = 28;

struct NormalizeOptions {
  /// Operators that are ONNX functions but have a lowering of their own; all
  /// other functions are replaced by their bodies. Unset: all are replaced.
  std::function<bool(const onnx::NodeProto &)> keepWhole;
};

/// What normalizeModel guarantees about `model`:
///  - ai.onnx is imported as domain "" in version kNewestOpset;
///  - no local functions, no sparse initializers, no training info;
///  - no graph input of the main graph has an initializer;
///  - tensors are in one of the forms of resolveTensors;
///  - Constant nodes have the attribute `value` only;
///  - nodes are sorted, and each carries a NodeOrigin;
///  - value_info holds what ONNX infers, symbolic dimensions included.
struct NormalizedModel {
  onnx::ModelProto model;
  WeightFiles weights;
  std::map<std::string, int64_t> originalOpsets; ///< by domain; "" is ai.onnx
  int64_t originalIrVersion = 0;
};

/// Returns true on success. On failure `problems` holds all that is wrong and
/// `result` is unspecified. Never throws.
bool normalizeModel(const std::string &path, const NormalizeOptions &options,
                    NormalizedModel &result, ProblemList &problems);

} // namespace dsc::import
