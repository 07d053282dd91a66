//===- Constants.cpp - one form for constants -------------------------------===//
//
// Densifying keeps the limits of the format in mind: indices come from the file.
//
//===----------------------------------------------------------------------===//
#include "Constants.h"

#include "GraphWalk.h"
#include "TensorData.h"
#include "dsc/Dialect/Import/WireScanner.h"

#include <cstring>
#include <unordered_map>
#include <unordered_set>

namespace dsc::import {

using onnx::AttributeProto;
using onnx::SparseTensorProto;
using onnx::TensorProto;

/// A sparse tensor may claim any size; a dense one beyond this is a mistake.
static constexpr uint64_t kMaxDenseBytes = uint64_t{2} << 30;

static std::optional<std::span<const uint8_t>> bytesOf(const TensorProto &tensor,
                                                       WeightFiles &files) {
  if (std::optional<WeightRef> ref = weightRefOf(tensor))
    return files.bytes(*ref);
  const std::string &raw = tensor.raw_data();
  return std::span(reinterpret_cast<const uint8_t *>(raw.data()), raw.size());
}

/// The flat positions of the values, from indices of shape [count] (flat already)
/// or [count, rank]; nullopt if one is out of range.
static std::optional<std::vector<uint64_t>> flatPositions(const SparseTensorProto &sparse,
                                                          int64_t count, int64_t elements,
                                                          std::span<const uint8_t> indexBytes) {
  const TensorProto &indices = sparse.indices();
  int64_t rank = sparse.dims_size();
  bool flat = indices.dims_size() == 1;
  bool coordinates = indices.dims_size() == 2 && indices.dims(1) == rank;
  if (indices.data_type() != TensorProto::INT64 || (!flat && !coordinates) ||
      indices.dims(0) != count)
    return std::nullopt;
  std::vector<int64_t> values(indexBytes.size() / sizeof(int64_t));
  std::memcpy(values.data(), indexBytes.data(), values.size() * sizeof(int64_t));

  std::vector<uint64_t> positions;
  positions.reserve(count);
  for (int64_t i = 0; i < count; ++i) {
    int64_t position = flat ? values[i] : 0;
    for (int64_t axis = 0; !flat && axis < rank; ++axis) {
      int64_t index = values[i * rank + axis];
      if (index < 0 || index >= sparse.dims(axis))
        return std::nullopt;
      position = position * sparse.dims(axis) + index;
    }
    if (position < 0 || position >= elements)
      return std::nullopt;
    positions.push_back(position);
  }
  return positions;
}

/// Writes the dense form of `sparse` to `dense`.
static void densify(const SparseTensorProto &sparse, TensorProto &dense, WeightFiles &files,
                    ProblemList &problems) {
  const TensorProto &values = sparse.values();
  std::string what = "sparse tensor " + quoteName(values.name());
  dense.set_name(values.name());
  dense.set_data_type(values.data_type());
  *dense.mutable_dims() = sparse.dims();

  std::optional<int64_t> elements =
      elementCount({sparse.dims().data(), static_cast<size_t>(sparse.dims_size())});
  std::optional<int64_t> count =
      elementCount({values.dims().data(), static_cast<size_t>(values.dims_size())});
  int bits = bitsOfElement(values.data_type());
  if (!elements || !count || bits < 8) {
    problems.add(ProblemCode::BadTensor,
                 what + " has a size or type that is not supported: " + typeText(dense));
    return;
  }
  std::optional<uint64_t> size = expectedBytes(values.data_type(), *elements);
  if (!size || *size > kMaxDenseBytes) {
    problems.add(ProblemCode::TooLarge, what + " would need more than 2 GiB: " + typeText(dense));
    return;
  }
  auto valueBytes = bytesOf(values, files);
  auto indexBytes = bytesOf(sparse.indices(), files);
  std::optional<std::vector<uint64_t>> positions;
  if (valueBytes && indexBytes)
    positions = flatPositions(sparse, *count, *elements, *indexBytes);
  if (!positions) {
    problems.add(ProblemCode::BadTensor,
                 what + " has indices that do not fit its shape: " + typeText(dense));
    return;
  }
  size_t elementSize = bits / 8;
  std::vector<uint8_t> bytes(*size);
  for (size_t i = 0; i < positions->size(); ++i)
    std::memcpy(bytes.data() + (*positions)[i] * elementSize, valueBytes->data() + i * elementSize,
                elementSize);
  if (bytes.size() <= kInlineBytes)
    dense.set_raw_data(bytes.data(), bytes.size());
  else
    setWeightRef(dense, {files.addBuffer(std::move(bytes)), 0, *size});
}

/// Whether the declared type of an input allows the tensor that is its default.
static bool fits(const TensorProto &tensor, const onnx::TypeProto &type) {
  if (type.value_case() == onnx::TypeProto::VALUE_NOT_SET)
    return true;
  if (!type.has_tensor_type())
    return false;
  const auto &declared = type.tensor_type();
  if (declared.elem_type() != 0 && declared.elem_type() != tensor.data_type())
    return false;
  if (!declared.has_shape())
    return true;
  if (declared.shape().dim_size() != tensor.dims_size())
    return false;
  for (int i = 0; i < tensor.dims_size(); ++i) {
    const auto &dim = declared.shape().dim(i);
    if (dim.has_dim_value() && dim.dim_value() != tensor.dims(i))
      return false;
  }
  return true;
}

static void dropInputsWithInitializers(onnx::GraphProto &graph, ProblemList &problems) {
  std::unordered_map<std::string, const TensorProto *> initializers;
  for (const TensorProto &tensor : graph.initializer())
    initializers.emplace(tensor.name(), &tensor);
  google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> inputs;
  for (onnx::ValueInfoProto &input : *graph.mutable_input()) {
    auto it = initializers.find(input.name());
    if (it == initializers.end()) {
      *inputs.Add() = std::move(input);
      continue;
    }
    if (!fits(*it->second, input.type()))
      problems.add(ProblemCode::TypeMismatch,
                   "input " + quoteName(input.name()) + " is declared as " +
                       typeText(input.type()) + " but its initializer is " + typeText(*it->second));
  }
  graph.mutable_input()->Swap(&inputs);
}

void canonicalizeInitializers(onnx::ModelProto &model, WeightFiles &files, ProblemList &problems) {
  forEachGraph(*model.mutable_graph(), [&](onnx::GraphProto &graph) {
    for (const SparseTensorProto &sparse : graph.sparse_initializer())
      densify(sparse, *graph.add_initializer(), files, problems);
    graph.clear_sparse_initializer();
  });
  dropInputsWithInitializers(*model.mutable_graph(), problems);
}

/// The tensor that the attribute of a Constant node stands for.
static void tensorOfAttribute(const AttributeProto &attribute, TensorProto &tensor,
                              WeightFiles &files, ProblemList &problems) {
  auto setRaw = [&](int32_t type, const void *data, size_t bytes) {
    tensor.set_data_type(type);
    tensor.set_raw_data(data, bytes);
  };
  const std::string &name = attribute.name();
  if (name == "sparse_value") {
    densify(attribute.sparse_tensor(), tensor, files, problems);
  } else if (name == "value_float") {
    float value = attribute.f();
    setRaw(TensorProto::FLOAT, &value, sizeof value);
  } else if (name == "value_int") {
    int64_t value = attribute.i();
    setRaw(TensorProto::INT64, &value, sizeof value);
  } else if (name == "value_floats") {
    tensor.add_dims(attribute.floats_size());
    setRaw(TensorProto::FLOAT, attribute.floats().data(), attribute.floats_size() * sizeof(float));
  } else if (name == "value_ints") {
    tensor.add_dims(attribute.ints_size());
    setRaw(TensorProto::INT64, attribute.ints().data(), attribute.ints_size() * sizeof(int64_t));
  } else if (name == "value_string") {
    tensor.set_data_type(TensorProto::STRING);
    tensor.add_string_data(attribute.s());
  } else if (name == "value_strings") {
    tensor.set_data_type(TensorProto::STRING);
    tensor.add_dims(attribute.strings_size());
    *tensor.mutable_string_data() = attribute.strings();
  }
}

void canonicalizeConstantNodes(onnx::ModelProto &model, WeightFiles &files, ProblemList &problems) {
  forEachNode(*model.mutable_graph()->mutable_node(), [&](onnx::NodeProto &node) {
    if (node.op_type() != "Constant" || !node.domain().empty() || node.attribute_size() != 1 ||
        node.attribute(0).name() == "value")
      return;
    AttributeProto value;
    value.set_name("value");
    value.set_type(AttributeProto::TENSOR);
    tensorOfAttribute(node.attribute(0), *value.mutable_t(), files, problems);
    value.mutable_t()->clear_name();
    *node.mutable_attribute(0) = std::move(value);
  });
}

void dropUnusedInitializers(onnx::ModelProto &model) {
  // Names are enough: a name that some other graph uses only keeps a tensor alive.
  std::unordered_set<std::string> used;
  forEachGraph(*model.mutable_graph(), [&](onnx::GraphProto &graph) {
    for (const onnx::NodeProto &node : graph.node())
      used.insert(node.input().begin(), node.input().end());
    for (const onnx::ValueInfoProto &output : graph.output())
      used.insert(output.name());
  });
  forEachGraph(*model.mutable_graph(), [&](onnx::GraphProto &graph) {
    google::protobuf::RepeatedPtrField<TensorProto> kept;
    for (TensorProto &tensor : *graph.mutable_initializer())
      if (used.contains(tensor.name()))
        *kept.Add() = std::move(tensor);
    graph.mutable_initializer()->Swap(&kept);
  });
}

} // namespace dsc::import
