//===- BodyWriter.h - writes the bodies of operators ------------------------===//
//
// Bodies are written in ONNX's textual form, in which "$name" stands for a number, a
// list or a name that the writer was given before.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "TypeInference.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <map>
#include <onnx/onnx_pb.h>
#include <optional>
#include <string>
#include <vector>

namespace dsc::import {

/// Reads the node and collects nodes of the body.
class BodyWriter {
public:
  BodyWriter(const onnx::NodeProto &node, const TypeScope &types) : node(node), types(types) {}

  const std::string &type() const { return node.op_type(); }
  bool has(int input) const { return input < node.input_size() && !node.input(input).empty(); }
  bool isConstant(int input) const { return has(input) && types.isConstant(node.input(input)); }

  /// The rank of an input; nullopt if it is not known.
  std::optional<int64_t> rank(int input) const;
  /// The only size of a list; nullopt if it is not known.
  std::optional<int64_t> length(int input) const;

  /// A size of an input; negative axes count from the end.
  std::optional<int64_t> size(int input, int64_t axis) const;
  /// An input that is a constant integer; nullopt if it is not known.
  std::optional<int64_t> constant(int input) const;

  int64_t integer(const char *name, int64_t otherwise) const;
  float number(const char *name, float otherwise) const;
  std::string text(const char *name, const char *otherwise) const;
  std::vector<int64_t> integers(const char *name, std::vector<int64_t> otherwise) const;

  /// Adds nodes; each "$name" is replaced by what `set` gave.
  void add(llvm::StringRef text);
  void set(const std::string &name, const std::string &text) { settings[name] = text; }
  void set(const std::string &name, int64_t value) { set(name, std::to_string(value)); }
  void set(const std::string &name, llvm::ArrayRef<int64_t> list) {
    set(name,
        "[" + llvm::join(llvm::map_range(list, [](int64_t i) { return std::to_string(i); }), ", ") +
            "]");
  }

  onnx::FunctionProto take(llvm::ArrayRef<const char *> inputs,
                           llvm::ArrayRef<const char *> outputs);

private:
  const onnx::NodeProto &node;
  const TypeScope &types;
  std::map<std::string, std::string> settings;
  onnx::FunctionProto body;
};

/// All digits of a float.
std::string floatText(float number);

/// The numbers `first`, `first` + 1, ...
std::vector<int64_t> iota(int64_t count, int64_t first = 0);

/// Defines "y" as `node`, the text of a node that computes from "x" along the axis "number_$i",
/// for the axis that "axes" holds in a run, which may be negative: a branch for each of the
/// first `count` axes of x, which has `rank`.
void branchOverAxes(BodyWriter &writer, int64_t rank, int64_t count, llvm::StringRef node);

/// Bodies for nodes whose axes are only known when running; nullopt if the node's are
/// known, or ranks are not that the body depends on.
std::optional<onnx::FunctionProto> squeezeBody(BodyWriter &writer);
std::optional<onnx::FunctionProto> unsqueezeBody(BodyWriter &writer);
std::optional<onnx::FunctionProto> cumulativeBody(BodyWriter &writer);
std::optional<onnx::FunctionProto> padBody(BodyWriter &writer);
std::optional<onnx::FunctionProto> sliceBody(BodyWriter &writer);

/// Resize with antialiasing, or by scales that are only known when running.
std::optional<onnx::FunctionProto> resizeBody(BodyWriter &writer);

/// DFT along any axis.
std::optional<onnx::FunctionProto> fourierBody(BodyWriter &writer);

} // namespace dsc::import
