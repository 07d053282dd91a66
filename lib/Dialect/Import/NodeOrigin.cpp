//===- NodeOrigin.cpp - where a normalised node comes from ------------------===//
//
// The stamp is "dsc.origin", path, operator, opset and name, separated by the unit
// separator; the name comes last because it may contain anything.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/NodeOrigin.h"

#include "dsc/Dialect/Import/Problem.h"

#include <charconv>
#include <string_view>

namespace dsc::import {

static constexpr std::string_view kPrefix = "dsc.origin\x1f";
static constexpr char kSeparator = '\x1f';

bool hasOrigin(const onnx::NodeProto &node) { return node.doc_string().starts_with(kPrefix); }

void setOrigin(onnx::NodeProto &node, const NodeOrigin &origin) {
  std::string stamp(kPrefix);
  for (const std::string &part : {origin.path, origin.opType, std::to_string(origin.opset)})
    stamp += part + kSeparator;
  node.set_doc_string(stamp + origin.name);
}

static std::string_view takePart(std::string_view &text) {
  size_t end = text.find(kSeparator);
  std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
  return part;
}

static int64_t parseInteger(std::string_view text, int64_t otherwise) {
  int64_t value = otherwise;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

NodeOrigin originOf(const onnx::NodeProto &node) {
  NodeOrigin origin;
  if (!hasOrigin(node))
    return origin;
  std::string_view text = node.doc_string();
  text.remove_prefix(kPrefix.size());
  origin.path = takePart(text);
  origin.opType = takePart(text);
  origin.opset = parseInteger(takePart(text), 0);
  origin.name = text;
  origin.index = parseInteger(origin.path, -1);
  return origin;
}

std::string NodeOrigin::describe() const {
  std::string text = "node " + (path.empty() ? "?" : path) + " ";
  text += name.empty() ? opType : quoteName(name);
  return text + " (opset " + std::to_string(opset) + ")";
}

} // namespace dsc::import
