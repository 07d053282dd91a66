//===- NodeOrigin.h - where a normalised node comes from --------------------===//
//
// Converting, inlining and expanding replace nodes. What a user knows a node by
// (its place in the file, name and operator) is therefore kept in the node's
// doc_string, which unlike metadata_props survives ONNX's version converter.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <onnx/onnx_pb.h>
#include <string>

namespace dsc::import {

struct NodeOrigin {
  /// Position in the main graph of the original model; for a node of a subgraph
  /// or local function, of the main graph's node that contains or calls it.
  /// -1 if the node carries no stamp.
  int64_t index = -1;
  /// "418"; "12/then_branch/3" in a subgraph; "7/MyFunction/2" in a function body.
  std::string path;
  std::string name;   ///< as in the file, perhaps empty
  std::string opType; ///< with its domain unless that is ai.onnx: "com.x::Foo"
  int64_t opset = 0;  ///< version of the operator's domain that the model imports

  /// "node 418 '/model.18/Concat' (opset 17)", for diagnostics.
  std::string describe() const;
};

/// Reads the stamp of a node of a normalised model.
NodeOrigin originOf(const onnx::NodeProto &node);

/// Writes the stamp.
void setOrigin(onnx::NodeProto &node, const NodeOrigin &origin);

bool hasOrigin(const onnx::NodeProto &node);

} // namespace dsc::import
