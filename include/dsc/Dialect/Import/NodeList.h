//===- NodeList.h - the nodes of a model as its author wrote them -----------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include <string>
#include <vector>

namespace dsc::import {

struct ListedNode {
  std::string path;    ///< "418"; "12/then_branch/3" in a subgraph
  std::string name;    ///< as in the file, perhaps empty
  std::string opType;  ///< "Conv"; with its domain unless that is ai.onnx
  std::string summary; ///< "node 418 '/model.18/Concat' (opset 17)"
};

/// All nodes of the file, those of subgraphs behind the node that holds them; only
/// the file's form is checked. Empty after adding problems. Never throws.
std::vector<ListedNode> listNodes(const std::string &path, ProblemList &problems);

} // namespace dsc::import
