//===- ExternalData.cpp - where the bytes of weights are --------------------===//
//
// Resolves references and brings all tensors into the forms of resolveTensors.
// A model is untrusted: it must not make us read files that its author chose
// elsewhere on the user's machine.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/ExternalData.h"

#include "GraphWalk.h"
#include "TensorData.h"
#include "dsc/Dialect/Import/WireScanner.h"

#include <charconv>
#include <filesystem>
#include <set>

namespace dsc::import {

using onnx::TensorProto;
namespace fs = std::filesystem;

/// Marks references that were checked (and the ones that we made ourselves).
static constexpr const char *kResolvedKey = "dsc.resolved";

/// Vectors of integers up to this size stay inline: shape inference reads them.
static constexpr uint64_t kInlineVectorBytes = 64 * 1024;

//===----------------------------------------------------------------------===//
// WeightFiles and WeightRef
//===----------------------------------------------------------------------===//

std::optional<std::span<const uint8_t>> WeightFiles::bytes(const WeightRef &ref) {
  std::span<const uint8_t> all;
  if (auto buffer = buffers.find(ref.file); buffer != buffers.end()) {
    all = buffer->second;
  } else {
    auto it = files.find(ref.file);
    if (it == files.end()) {
      MappedFile file;
      std::string reason;
      if (file.open(ref.file, /*followSymlink=*/true, reason) != MappedFile::Error::None)
        return std::nullopt;
      it = files.emplace(ref.file, std::move(file)).first;
    }
    all = it->second.bytes();
  }
  if (ref.offset > all.size() || ref.length > all.size() - ref.offset)
    return std::nullopt;
  return all.subspan(ref.offset, ref.length);
}

void WeightFiles::addFile(const std::string &path, MappedFile file) {
  files.emplace(path, std::move(file));
}

const MappedFile *WeightFiles::find(const std::string &path) const {
  auto it = files.find(path);
  return it == files.end() ? nullptr : &it->second;
}

std::string WeightFiles::addBuffer(std::vector<uint8_t> buffer) {
  // No file can have an empty component at the end of its name.
  std::string name = "<memory " + std::to_string(buffers.size()) + ">/";
  buffers.emplace(name, std::move(buffer));
  return name;
}

namespace {
/// The entries of external_data.
struct Reference {
  std::string location, offset, length;
  bool self = false, resolved = false;
};
} // namespace

static Reference readReference(const TensorProto &tensor) {
  Reference reference;
  for (const onnx::StringStringEntryProto &entry : tensor.external_data()) {
    if (entry.key() == "location")
      reference.location = entry.value();
    else if (entry.key() == "offset")
      reference.offset = entry.value();
    else if (entry.key() == "length")
      reference.length = entry.value();
    else if (entry.key() == kSelfReferenceKey)
      reference.self = true;
    else if (entry.key() == kResolvedKey)
      reference.resolved = true;
  }
  return reference;
}

static std::optional<uint64_t> parseNumber(const std::string &text) {
  uint64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<WeightRef> weightRefOf(const TensorProto &tensor) {
  if (tensor.data_location() != TensorProto::EXTERNAL)
    return std::nullopt;
  Reference reference = readReference(tensor);
  std::optional<uint64_t> offset = parseNumber(reference.offset);
  std::optional<uint64_t> length = parseNumber(reference.length);
  if (!reference.resolved || !offset || !length)
    return std::nullopt;
  return WeightRef{reference.location, *offset, *length};
}

/// Leaves name, type, dims and doc_string.
static void clearData(TensorProto &tensor) {
  tensor.clear_float_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_uint64_data();
  tensor.clear_double_data();
  tensor.clear_raw_data();
  tensor.clear_external_data();
  tensor.clear_data_location();
}

void setWeightRef(TensorProto &tensor, const WeightRef &ref) {
  clearData(tensor);
  auto add = [&](const char *key, std::string value) {
    onnx::StringStringEntryProto *entry = tensor.add_external_data();
    entry->set_key(key);
    entry->set_value(std::move(value));
  };
  add("location", ref.file);
  add("offset", std::to_string(ref.offset));
  add("length", std::to_string(ref.length));
  add(kResolvedKey, "1");
  tensor.set_data_location(TensorProto::EXTERNAL);
}

//===----------------------------------------------------------------------===//
// Resolving
//===----------------------------------------------------------------------===//

namespace {
class Resolver {
public:
  Resolver(std::string modelPath, bool trustResolved, WeightFiles &files, ProblemList &problems)
      : modelPath(std::move(modelPath)), trustResolved(trustResolved), files(files),
        problems(problems) {}

  void resolve(TensorProto &tensor, const std::string &owner);

private:
  bool checkExternal(const TensorProto &tensor, uint64_t expected, WeightRef &ref);
  bool openExternal(const std::string &location, std::string &path);
  bool openInFolder(const std::string &location, std::string &path);
  void storeTyped(TensorProto &tensor, int64_t count, uint64_t expected);
  void storeReference(TensorProto &tensor, const WeightRef &ref);
  void problem(ProblemCode code, const std::string &text, const std::string &help = {});

  std::string modelPath;
  /// False while references may still be the author's own invention.
  bool trustResolved;
  WeightFiles &files;
  ProblemList &problems;
  std::string what; ///< the tensor at hand, for messages
  /// Locations seen before: the path they mean, or "" if they were refused.
  std::map<std::string, std::string> opened;
};
} // namespace

void Resolver::problem(ProblemCode code, const std::string &text, const std::string &help) {
  problems.add(code, what + " " + text).help = help;
}

static bool staysInline(const TensorProto &tensor, uint64_t bytes) {
  if (bytes <= kInlineBytes)
    return true;
  bool integers =
      tensor.data_type() == TensorProto::INT64 || tensor.data_type() == TensorProto::INT32;
  return integers && tensor.dims_size() <= 1 && bytes <= kInlineVectorBytes;
}

void Resolver::resolve(TensorProto &tensor, const std::string &owner) {
  what = "tensor " + (tensor.name().empty() ? "of " + owner : quoteName(tensor.name()));
  if (trustResolved && weightRefOf(tensor))
    return;

  std::span<const int64_t> dims(tensor.dims().data(), tensor.dims_size());
  std::optional<int64_t> count = elementCount(dims);
  if (!count)
    return problem(ProblemCode::BadTensor,
                   "has negative dimensions, or more elements than 64 bits can count: " +
                       typeText(tensor));
  if (tensor.has_segment())
    return problem(ProblemCode::BadTensor, "is stored in segments, which nobody supports");
  bool external = tensor.data_location() == TensorProto::EXTERNAL;
  if (tensor.data_type() == TensorProto::STRING) {
    if (external || tensor.has_raw_data() || tensor.string_data_size() != *count)
      problem(ProblemCode::BadTensor, "of " + std::to_string(*count) + " strings holds " +
                                          std::to_string(tensor.string_data_size()) +
                                          " in string_data");
    return;
  }
  if (bitsOfElement(tensor.data_type()) == 0)
    return problem(ProblemCode::BadTensor,
                   "has the unknown element type " + std::to_string(tensor.data_type()));
  std::optional<uint64_t> expected = expectedBytes(tensor.data_type(), *count);
  if (!expected)
    return problem(ProblemCode::BadTensor, "has a size that overflows: " + typeText(tensor));

  if (external) {
    WeightRef ref;
    if (checkExternal(tensor, *expected, ref))
      storeReference(tensor, ref);
    return;
  }
  tensor.clear_external_data();
  if (!tensor.has_raw_data())
    return storeTyped(tensor, *count, *expected);
  if (tensor.raw_data().size() != *expected)
    problem(ProblemCode::BadTensor, typeText(tensor) + " needs " + std::to_string(*expected) +
                                        " bytes but has " +
                                        std::to_string(tensor.raw_data().size()));
}

void Resolver::storeReference(TensorProto &tensor, const WeightRef &ref) {
  if (!staysInline(tensor, ref.length))
    return setWeightRef(tensor, ref);
  if (std::optional<std::span<const uint8_t>> bytes = files.bytes(ref)) {
    clearData(tensor);
    tensor.set_raw_data(bytes->data(), bytes->size());
  }
}

void Resolver::storeTyped(TensorProto &tensor, int64_t count, uint64_t expected) {
  std::optional<std::vector<uint8_t>> bytes = packTypedData(tensor, count);
  if (!bytes || bytes->size() != expected)
    return problem(ProblemCode::BadTensor,
                   typeText(tensor) + " holds another number of elements than its dimensions say");
  if (staysInline(tensor, bytes->size())) {
    clearData(tensor);
    tensor.set_raw_data(bytes->data(), bytes->size());
    return;
  }
  uint64_t length = bytes->size();
  setWeightRef(tensor, {files.addBuffer(std::move(*bytes)), 0, length});
}

bool Resolver::checkExternal(const TensorProto &tensor, uint64_t expected, WeightRef &ref) {
  Reference reference = readReference(tensor);
  std::optional<uint64_t> offset = parseNumber(reference.offset);
  std::optional<uint64_t> length = parseNumber(reference.length);
  if ((!offset && !reference.offset.empty()) || (!length && !reference.length.empty())) {
    problem(ProblemCode::ExternalBadReference,
            "has a malformed offset or length: " + quoteName(reference.offset) + ", " +
                quoteName(reference.length));
    return false;
  }
  if (length && *length != expected) {
    problem(reference.self ? ProblemCode::BadTensor : ProblemCode::ExternalBadReference,
            typeText(tensor) + " needs " + std::to_string(expected) + " bytes but has " +
                std::to_string(*length));
    return false;
  }
  ref = {modelPath, offset.value_or(0), expected};
  if (!reference.self && !openExternal(reference.location, ref.file))
    return false;
  uint64_t size = files.find(ref.file)->size();
  if (ref.offset <= size && ref.length <= size - ref.offset)
    return true;
  problem(ProblemCode::ExternalTooShort,
          "needs " + std::to_string(ref.length) + " bytes from offset " +
              std::to_string(ref.offset) + " of " + quoteName(reference.location) +
              ", which has only " + std::to_string(size),
          "the file may have been truncated when it was copied");
  return false;
}

/// Each file is opened (and refused) once; `path` becomes its name in `files`.
bool Resolver::openExternal(const std::string &location, std::string &path) {
  auto it = opened.find(location);
  if (it == opened.end()) {
    bool found = openInFolder(location, path);
    opened.emplace(location, found ? path : "");
    return found;
  }
  path = it->second;
  if (path.empty())
    problem(ProblemCode::ExternalBadReference,
            "lies in " + quoteName(location) + ", too, which was refused above");
  return !path.empty();
}

bool Resolver::openInFolder(const std::string &location, std::string &path) {
  std::string name = quoteName(location);
  fs::path relative = fs::path(location).lexically_normal();
  if (location.empty() || location.find('\0') != std::string::npos) {
    problem(ProblemCode::ExternalBadReference, "has external data without a file name");
    return false;
  }
  if (relative.is_absolute() || *relative.begin() == "..") {
    problem(ProblemCode::ExternalOutsideFolder,
            "has external data in " + name + ", outside of the model's folder",
            "external data must lie beside the model, under a relative path");
    return false;
  }
  std::error_code error;
  fs::path parent = fs::path(modelPath).parent_path();
  fs::path folder = fs::canonical(parent.empty() ? fs::path(".") : parent, error);
  fs::path target = error ? fs::path() : fs::canonical(folder / relative, error);
  if (error) {
    problem(ProblemCode::ExternalMissing,
            "has external data in " + name + ", which cannot be read: " + error.message(),
            "put the file beside the model");
    return false;
  }
  fs::path inside = target.lexically_relative(folder);
  if (inside.empty() || *inside.begin() == "..") {
    problem(ProblemCode::ExternalOutsideFolder,
            "has external data in " + name + ", a link that leads out of the model's folder",
            "replace the link by the file that it stands for");
    return false;
  }
  MappedFile file;
  std::string reason;
  switch (file.open(target.string(), /*followSymlink=*/false, reason)) {
  case MappedFile::Error::None:
    break;
  case MappedFile::Error::NotRegular:
  case MappedFile::Error::Symlink:
    problem(ProblemCode::ExternalNotRegular, "has external data in " + name + ": " + reason);
    return false;
  case MappedFile::Error::NoMemory:
    problem(ProblemCode::OutOfMemory,
            "has external data in " + name + ", which cannot be mapped: " + reason);
    return false;
  case MappedFile::Error::Missing:
  case MappedFile::Error::Unreadable:
    problem(ProblemCode::ExternalMissing,
            "has external data in " + name + ", which cannot be read: " + reason);
    return false;
  }
  if (file.linkCount() > 1) {
    problem(ProblemCode::ExternalNotRegular,
            "has external data in " + name +
                ", a file with several hard links, which may belong "
                "to somebody else",
            "replace it by a copy of its own");
    return false;
  }
  path = target.string();
  files.addFile(path, std::move(file));
  return true;
}

static void resolveNode(onnx::NodeProto &node, Resolver &resolver) {
  std::string owner = node.op_type() + " " + quoteName(node.name());
  for (onnx::AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_t())
      resolver.resolve(*attribute.mutable_t(), owner);
    for (TensorProto &tensor : *attribute.mutable_tensors())
      resolver.resolve(tensor, owner);
    if (attribute.has_sparse_tensor()) {
      resolver.resolve(*attribute.mutable_sparse_tensor()->mutable_values(), owner);
      resolver.resolve(*attribute.mutable_sparse_tensor()->mutable_indices(), owner);
    }
    for (onnx::SparseTensorProto &sparse : *attribute.mutable_sparse_tensors()) {
      resolver.resolve(*sparse.mutable_values(), owner);
      resolver.resolve(*sparse.mutable_indices(), owner);
    }
  }
}

static void resolveAll(onnx::ModelProto &model, Resolver &resolver) {
  forEachGraph(*model.mutable_graph(), [&](onnx::GraphProto &graph) {
    for (TensorProto &tensor : *graph.mutable_initializer())
      resolver.resolve(tensor, "graph " + quoteName(graph.name()));
    for (onnx::SparseTensorProto &sparse : *graph.mutable_sparse_initializer()) {
      resolver.resolve(*sparse.mutable_values(), "graph " + quoteName(graph.name()));
      resolver.resolve(*sparse.mutable_indices(), "sparse " + quoteName(sparse.values().name()));
    }
    for (onnx::NodeProto &node : *graph.mutable_node())
      resolveNode(node, resolver);
  });
  for (onnx::FunctionProto &function : *model.mutable_functions()) {
    forEachNode(*function.mutable_node(),
                [&](onnx::NodeProto &node) { resolveNode(node, resolver); });
    forEachNode(*function.mutable_node(), [&](onnx::NodeProto &node) {
      forEachSubgraph(node, [&](onnx::GraphProto &graph, const std::string &) {
        for (TensorProto &tensor : *graph.mutable_initializer())
          resolver.resolve(tensor, "function " + quoteName(function.name()));
      });
    });
  }
}

void resolveTensors(onnx::ModelProto &model, const std::string &modelPath, WeightFiles &files,
                    ProblemList &problems) {
  Resolver resolver(modelPath, /*trustResolved=*/false, files, problems);
  resolveAll(model, resolver);
}

void packTensors(onnx::ModelProto &model, WeightFiles &files, ProblemList &problems) {
  Resolver resolver({}, /*trustResolved=*/true, files, problems);
  resolveAll(model, resolver);
}

} // namespace dsc::import
