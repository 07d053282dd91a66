//===- NormalizeModel.cpp - from a file to a uniform ONNX model -------------===//
//
// The order of the steps, each of which is a file of its own. Exceptions of the
// ONNX library end here.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/NormalizeModel.h"

#include "Constants.h"
#include "FunctionExpander.h"
#include "GraphWalk.h"
#include "ModelChecks.h"
#include "OpsetConversion.h"
#include "TypeInference.h"
#include "dsc/Dialect/Import/NodeList.h"
#include "dsc/Dialect/Import/WireScanner.h"

#include <exception>
#include <google/protobuf/io/coded_stream.h>

namespace dsc::import {

static bool openModel(const std::string &path, MappedFile &file, ProblemList &problems) {
  std::string reason;
  switch (file.open(path, /*followSymlink=*/true, reason)) {
  case MappedFile::Error::None:
    break;
  case MappedFile::Error::Missing:
    problems.add(ProblemCode::FileMissing, "the model cannot be opened: " + reason);
    return false;
  case MappedFile::Error::NoMemory:
    problems.add(ProblemCode::OutOfMemory, "the model cannot be mapped: " + reason);
    return false;
  default:
    problems.add(ProblemCode::FileUnreadable, "the model cannot be read: " + reason);
    return false;
  }
  if (file.size() > 0)
    return true;
  problems.add(ProblemCode::FileEmpty, "the model file is empty").help =
      "it may not have been downloaded or written completely";
  return false;
}

static bool parseModel(const std::string &bytes, onnx::ModelProto &model, ProblemList &problems) {
  google::protobuf::io::CodedInputStream stream(reinterpret_cast<const uint8_t *>(bytes.data()),
                                                static_cast<int>(bytes.size()));
  // The scanner has bounded all messages but a few that nest three levels at most.
  stream.SetRecursionLimit(kMaxMessageDepth + 8);
  if (!model.ParseFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
    problems.add(ProblemCode::NotOnnx, "this is not an ONNX model: protobuf cannot parse it");
    return false;
  }
  if (model.has_graph())
    return true;
  problems.add(ProblemCode::NotOnnx, "this is not an ONNX model: it holds no graph").help =
      "give a file that holds an onnx.ModelProto";
  return false;
}

static bool readModel(const std::string &path, NormalizedModel &result, ProblemList &problems) {
  MappedFile file;
  std::string reduced;
  if (!openModel(path, file, problems) || !scanModel(file.bytes(), reduced, problems) ||
      !parseModel(reduced, result.model, problems))
    return false;
  result.weights.addFile(path, std::move(file));
  return true;
}

/// Fields that say nothing about inference.
static void dropUnneeded(onnx::ModelProto &model) {
  model.clear_training_info();
  forEachGraph(*model.mutable_graph(),
               [](onnx::GraphProto &graph) { graph.clear_quantization_annotation(); });
}

static bool runSteps(const std::string &path, const NormalizeOptions &options,
                     NormalizedModel &result, ProblemList &problems) {
  if (!readModel(path, result, problems))
    return false;
  onnx::ModelProto &model = result.model;
  result.originalIrVersion = model.ir_version();
  dropUnneeded(model);
  normalizeSpelling(model);
  for (const onnx::OperatorSetIdProto &import : model.opset_import())
    result.originalOpsets.emplace(import.domain(), import.version());
  stampOrigins(model);
  raiseOldOpset(model);
  checkModel(model, problems);
  resolveTensors(model, path, result.weights, problems);
  if (!problems.empty())
    return false;

  canonicalizeInitializers(model, result.weights, problems);
  // From version 4 on initializers need not be inputs.
  model.set_ir_version(onnx::Version::IR_VERSION);
  if (!problems.empty() || !inlineLocalFunctions(model, problems))
    return false;
  canonicalizeConstantNodes(model, result.weights, problems);
  inferTypes(model);
  checkTypes(model, problems);
  if (!problems.empty() || !convertModel(model, kNewestOpset, problems) ||
      !expandOperators(model, options.keepWhole, problems))
    return false;

  canonicalizeConstantNodes(model, result.weights, problems);
  packTensors(model, result.weights, problems);
  dropUnusedInitializers(model);
  checkNodes(model, problems);
  return problems.empty();
}

/// Runs `steps`; exceptions become problems.
template <typename F> static bool guarded(ProblemList &problems, F steps) {
  try {
    return steps();
  } catch (const std::bad_alloc &) {
    problems.add(ProblemCode::OutOfMemory, "the model needs more memory than there is");
  } catch (const std::exception &error) {
    problems.add(ProblemCode::BadGraph,
                 std::string("the ONNX library rejects the model: ") + error.what());
  }
  return false;
}

bool normalizeModel(const std::string &path, const NormalizeOptions &options,
                    NormalizedModel &result, ProblemList &problems) {
  problems.setFile(path);
  return guarded(problems, [&] { return runSteps(path, options, result, problems); });
}

std::vector<ListedNode> listNodes(const std::string &path, ProblemList &problems) {
  problems.setFile(path);
  std::vector<ListedNode> nodes;
  guarded(problems, [&] {
    NormalizedModel read;
    if (!readModel(path, read, problems))
      return false;
    normalizeSpelling(read.model);
    stampOrigins(read.model);
    forEachNode(std::as_const(read.model).graph().node(), [&](const onnx::NodeProto &node) {
      NodeOrigin origin = originOf(node);
      nodes.push_back({origin.path, origin.name, origin.opType, origin.describe()});
    });
    return true;
  });
  return nodes;
}

} // namespace dsc::import
