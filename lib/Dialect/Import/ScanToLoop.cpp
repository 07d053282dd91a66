//===- ScanToLoop.cpp - Scan as a loop --------------------------------------===//
//
//   %s, %y = Scan(%s0, %x) { body(s, slice of x) -> (next s, slice of y) }
// =>
//   %s, %y = dsc.loop %steps, none, %s0 { %slice = dsc.gather %x, %i ... }
//
// Outputs that are stacked backwards or along another axis are turned afterwards.
//
//===----------------------------------------------------------------------===//
#include "LoopBody.h"

using namespace mlir;

namespace dsc::import {

/// One entry for each scanned input and each scan output.
struct Translator::ScanAttributes {
  int64_t numScanned = 0;
  std::vector<int64_t> inputAxes, outputAxes;
  std::vector<int64_t> inputDirections, outputDirections; ///< 1: from the end
};

static std::vector<int64_t> listOr0(const onnx::NodeProto &node, StringRef name, size_t size) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == name)
      return {attribute.ints().begin(), attribute.ints().end()};
  return std::vector<int64_t>(size, 0);
}

/// Brings the axis of a tensor of `rank` into [0, rank).
static bool normalize(int64_t &axis, int64_t rank) {
  if (axis < -rank || axis >= rank)
    return false;
  axis += axis < 0 ? rank : 0;
  return true;
}

bool Translator::readScanAttributes(const onnx::NodeProto &node, ArrayRef<Value> inputs,
                                    ScanAttributes &attributes) {
  for (const onnx::AttributeProto &attribute : node.attribute())
    if (attribute.name() == "num_scan_inputs")
      attributes.numScanned = attribute.i();
  auto bad = [&](const Twine &message) {
    report(node, ProblemCode::BadNode, "Scan: " + message);
    return false;
  };
  auto numInputs = static_cast<int64_t>(inputs.size());
  if (attributes.numScanned < 1 || attributes.numScanned > numInputs)
    return bad("num_scan_inputs is " + Twine(attributes.numScanned) + " for " + Twine(numInputs) +
               " inputs");
  int64_t numCarried = numInputs - attributes.numScanned;
  if (node.output_size() < numCarried)
    return bad("has fewer outputs than state variables");
  size_t scanned = attributes.numScanned, outputs = node.output_size() - numCarried;
  attributes.inputAxes = listOr0(node, "scan_input_axes", scanned);
  attributes.inputDirections = listOr0(node, "scan_input_directions", scanned);
  attributes.outputAxes = listOr0(node, "scan_output_axes", outputs);
  attributes.outputDirections = listOr0(node, "scan_output_directions", outputs);
  if (attributes.inputAxes.size() != scanned || attributes.inputDirections.size() != scanned)
    return bad("its lists of axes and directions need " + Twine(scanned) +
               " entries for its scan inputs");
  if (attributes.outputAxes.size() != outputs || attributes.outputDirections.size() != outputs)
    return bad("its lists of axes and directions need " + Twine(outputs) +
               " entries for its scan outputs");
  return true;
}

/// The number of iterations: the size that all scanned inputs have on their axes.
bool Translator::scanSteps(const onnx::NodeProto &node, LoopBody &body) {
  for (auto [i, scanned] : llvm::enumerate(body.scanned)) {
    SmallVector<Dim> dims = getDims(scanned.tensor);
    if (!normalize(scanned.axis, dims.size())) {
      report(node, ProblemCode::BadNode,
             "Scan: scan input " + Twine(i) + " has no axis " + Twine(scanned.axis));
      return false;
    }
    Dim size = dims[scanned.axis];
    if (!body.steps)
      body.steps = size;
    Dim same = Dim::eq(size, body.steps);
    std::string message =
        "scan inputs have different lengths (" + body.steps.str() + " vs " + size.str() + ")";
    if (same.isConstant(0)) {
      report(node, ProblemCode::TypeMismatch, "Scan: " + message);
      return false;
    }
    if (!same.isConstant())
      buildGuards(node, TypeInference::Guard{same, message});
  }
  return true;
}

Value Translator::scanSlice(const onnx::NodeProto &node, LoopBody &body,
                            const ScannedInput &scanned) {
  Value index = body.region->getArgument(0);
  Values results;
  if (scanned.reverse) {
    Value last =
        buildSizes(locationOf(node), cast<RankedTensorType>(index.getType()), body.steps - 1);
    if (!build(node, "dsc.sub", {last, index}, {}, 1, results))
      return {};
    index = results.pop_back_val();
  }
  Attributes axis = {builder.getNamedAttr("axis", builder.getI64IntegerAttr(scanned.axis))};
  return build(node, "dsc.gather", {scanned.tensor, index}, axis, 1, results) ? results[0]
                                                                              : Value();
}

Value Translator::scanOutput(const onnx::NodeProto &node, Value stacked, int64_t axis,
                             bool reverse) {
  Values results;
  auto list = [&](int64_t number) {
    return DimsAttr::get(&context, Dim::constant(&context, number));
  };
  if (reverse) {
    Attributes fromTheEnd = {
        builder.getNamedAttr("starts", list(-1)), builder.getNamedAttr("ends", list(INT64_MIN)),
        builder.getNamedAttr("axes", list(0)), builder.getNamedAttr("steps", list(-1))};
    if (!build(node, "dsc.slice", stacked, fromTheEnd, 1, results))
      return {};
    stacked = results.pop_back_val();
  }
  int64_t rank = getRank(stacked);
  if (!normalize(axis, rank)) {
    report(node, ProblemCode::BadNode, "Scan: a scan output has no axis " + Twine(axis));
    return {};
  }
  if (axis == 0)
    return stacked;
  SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(1, rank));
  perm.insert(perm.begin() + axis, 0);
  Attributes order = {builder.getNamedAttr("perm", builder.getDenseI64ArrayAttr(perm))};
  return build(node, "dsc.transpose", stacked, order, 1, results) ? results[0] : Value();
}

bool Translator::translateScan(const onnx::NodeProto &node, ArrayRef<Value> inputs,
                               Values &results) {
  ScanAttributes attributes;
  if (!readScanAttributes(node, inputs, attributes))
    return false;
  size_t numCarried = inputs.size() - attributes.numScanned;
  LoopBody body;
  body.graph = loopGraph(node, inputs.size(), node.output_size(), numCarried);
  if (!body.graph)
    return false;
  for (auto [i, tensor] : llvm::enumerate(inputs.drop_front(numCarried)))
    body.scanned.push_back({tensor, attributes.inputAxes[i], attributes.inputDirections[i] == 1});
  if (!scanSteps(node, body))
    return false;
  Value steps =
      buildSizes(locationOf(node), RankedTensorType::get({}, builder.getI64Type()), body.steps);
  Values loopInputs = {steps, Value()};
  llvm::append_range(loopInputs, inputs.take_front(numCarried));
  if (!buildLoop(node, loopInputs, body, results))
    return false;
  for (auto [i, output] : llvm::enumerate(MutableArrayRef(results).drop_front(numCarried))) {
    output =
        scanOutput(node, output, attributes.outputAxes[i], attributes.outputDirections[i] == 1);
    if (!output)
      return false;
  }
  return true;
}

} // namespace dsc::import
