//===- Model.cpp - an artifact, opened ------------------------------------===//

#include "Model.h"

#include "CpuFeatures.h"
#include "Memory.h"
#include "PerfMap.h"

#include <cerrno>
#include <cstring>
#include <sys/mman.h>

namespace dsc::runtime {

using format::Value;
using format::Variant;

Error Model::open(const char *path, std::shared_ptr<const Model> &result) {
  auto model = std::make_shared<Model>();
  FileDescriptor file;
  if (Error error = mapFile(path, file, model->file))
    return error;
  Error error = model->load({model->file.data(), model->file.size()}, file.get());
  if (error)
    return {error.status, std::string("'") + path + "': " + error.text};
  result = std::move(model);
  return Error::success();
}

Error Model::openMemory(std::span<const uint8_t> bytes, std::shared_ptr<const Model> &result) {
  auto model = std::make_shared<Model>();
  if (Error error = model->load(bytes, /*fd=*/-1))
    return error;
  result = std::move(model);
  return Error::success();
}

Error Model::fromProgram(const format::Program &program, std::vector<dsc_kernel_fn> kernels,
                         std::span<const uint8_t> weights, std::shared_ptr<const Model> &result) {
  auto model = std::make_shared<Model>();
  // Through the file's form, which checks it.
  format::Status status = format::deserialize(format::serialize(program), model->variant.program);
  if (!status.ok())
    return corrupt(status.error);
  if (kernels.size() != program.kernels.size())
    return invalidArgument("kernels and their names differ in number");
  model->kernels = std::move(kernels);
  model->weightBytes = weights;
  if (Error error = model->finish())
    return error;
  result = std::move(model);
  return Error::success();
}

Error Model::load(std::span<const uint8_t> artifact, int fd) {
  bytes = artifact;
  if (format::Status status = format::readContainer(bytes, view); !status.ok())
    return corrupt(status.error);
  if (Error error = loadCode(fd))
    return error;
  if (Error error = loadWeights())
    return error;
  if (Error error = finish())
    return error;
  if (variant.kind == Variant::Nvptx)
    return CudaModel::open(variant, code, weightBytes, gpu);
  return Error::success();
}

static std::string join(const std::vector<std::string> &list) {
  std::string text;
  for (const std::string &item : list)
    text += (text.empty() ? "" : ", ") + item;
  return text;
}

/// Why this machine cannot run a variant; empty if it can.
static std::string reasonAgainst(const Variant &variant) {
  if (variant.kind == Variant::Nvptx) {
    Error error = checkGpu(variant);
    return error ? "cannot run: " + error.text : "";
  }
  if (variant.architecture != cpuArchitecture())
    return "is for " + variant.architecture + ", this machine is " + cpuArchitecture();
  std::vector<std::string> missing = missingCpuFeatures(variant.features);
  return missing.empty() ? "" : "needs " + join(missing);
}

/// Takes the first variant, they are listed best first, that this machine can run.
Error Model::loadCode(int fd) {
  std::string reasons;
  std::vector<Variant> &variants = view.artifact.variants;
  for (size_t i = 0; i < variants.size(); ++i) {
    if (std::string reason = reasonAgainst(variants[i]); !reason.empty()) {
      reasons += "; its code for " + variants[i].target + " " + reason;
      continue;
    }
    variant = std::move(variants[i]);
    variants.clear();
    code = view.code[i];
    return variant.kind == Variant::Nvptx ? Error::success() : loadImage(code, fd);
  }
  return {DSC_UNSUPPORTED_CPU, "the artifact has no code that this machine can run" + reasons};
}

Error Model::loadImage(std::span<const uint8_t> code, int fd) {
  uint64_t offset = code.data() - bytes.data();
  bool isProfiled = wantsPerfMap();
  if (Error error = mapImage(variant, code, isProfiled ? -1 : fd, offset, image))
    return error;
  if (isProfiled)
    writePerfMap(variant, image.data());
  for (uint64_t entry : variant.entries)
    kernels.push_back(reinterpret_cast<dsc_kernel_fn>(image.data() + entry));
  return Error::success();
}

Error Model::loadWeights() {
  weightBytes = bytes.subspan(view.weightsOffset, view.weightsBytes);
  if (reinterpret_cast<uintptr_t>(weightBytes.data()) % kAlignment == 0 || weightBytes.empty())
    return Error::success();
  void *copy =
      mmap(nullptr, weightBytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (copy == MAP_FAILED)
    return systemError("cannot copy the weights", errno);
  weightCopy = Pages(copy, weightBytes.size());
  std::memcpy(copy, weightBytes.data(), weightBytes.size());
  mprotect(copy, weightBytes.size(), PROT_READ);
  weightBytes = {weightCopy.data(), weightCopy.size()};
  return Error::success();
}

/// What follows from the program.
Error Model::finish() {
  const format::Program &p = program();
  dependentExprs = std::make_unique<Dependents>(p);
  placements = format::findPlacements(p);
  Sizes sizes(p, *dependentExprs);
  for (const Value &value : p.values) {
    if (value.kind != Value::Weight)
      continue;
    uint64_t size;
    if (Error error = sizes.getBytes(value, size))
      return corrupt("invalid program: a weight has no constant size");
    if (value.weightOffset > weightBytes.size() || size > weightBytes.size() - value.weightOffset)
      return corrupt("invalid program: a weight lies outside the weights section");
  }
  inputs = describeInterface(p.inputs);
  outputs = describeInterface(p.outputs);
  return Error::success();
}

std::vector<Model::TensorInfo>
Model::describeInterface(const std::vector<format::ValueId> &ids) const {
  const format::Program &p = program();
  std::vector<int64_t> symbols(p.symbols.size(), format::kUnknown), values(p.exprs.size());
  format::evaluate(p, symbols, values);
  std::vector<TensorInfo> infos(ids.size());
  for (size_t i = 0; i < ids.size(); ++i) {
    const Value &value = p.values[ids[i]];
    TensorInfo &info = infos[i];
    info.name = value.name;
    info.dtype = static_cast<dsc_dtype>(value.dtype);
    for (format::ExprId dim : value.dims) {
      bool known = values[dim] != format::kUnknown;
      info.dims.push_back(known ? values[dim] : -1);
      info.texts.push_back(known ? std::to_string(values[dim]) : format::toString(p, dim));
    }
    for (const std::string &text : info.texts)
      info.textPointers.push_back(text.c_str());
  }
  return infos;
}

Error Model::checkWeights() const {
  if (bytes.empty())
    return Error::success();
  format::Status status = format::checkWeights(bytes, view);
  return status.ok() ? Error::success() : corrupt(status.error);
}

} // namespace dsc::runtime
