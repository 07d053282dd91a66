//===- Renamer.h - renames the values of nodes and nested graphs ------------===//
//
// ONNX values are names. Copying nodes into another graph needs new names for what
// they define and for what they use, in nested graphs too.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <onnx/onnx_pb.h>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace dsc::import {

/// All value names of a model, to make new ones.
class NameSet {
public:
  explicit NameSet(onnx::ModelProto &model);

  /// A name that no value has, like `hint`.
  std::string fresh(const std::string &hint);

private:
  void addNames(onnx::GraphProto &graph);

  std::unordered_set<std::string> taken;
  std::unordered_map<std::string, int> counters;
};

/// Renames uses by what is bound; what is defined without having been bound gets a
/// fresh name, or keeps its own if there is no NameSet.
class Renamer {
public:
  Renamer(NameSet *names, std::string prefix) : names(names), prefix(std::move(prefix)) {
    scopes.emplace_back();
  }

  void bind(const std::string &from, const std::string &to) { scopes.back()[from] = to; }
  std::string lookup(const std::string &name) const;

  /// Binds a definition in the innermost scope unless it is bound there already.
  std::string define(const std::string &name);

  void rename(google::protobuf::RepeatedPtrField<onnx::NodeProto> &nodes);

private:
  void rename(onnx::GraphProto &graph);

  NameSet *names;
  std::string prefix;
  std::vector<std::unordered_map<std::string, std::string>> scopes;
};

} // namespace dsc::import
