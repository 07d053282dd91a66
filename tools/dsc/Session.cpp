//===- Session.cpp - a model that can be run ------------------------------===//
#include "Session.h"

#include "Isolation.h"
#include "ModelCompiler.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

namespace dsc::cli {

void check(dsc_status status, const std::string &file) {
  if (status == DSC_OK)
    return;
  Code code = Code::RuntimeBug;
  std::string help;
  switch (status) {
  case DSC_INVALID_ARGUMENT:
    code = Code::InputMismatch;
    break;
  case DSC_IO:
    code = Code::File;
    break;
  case DSC_CORRUPT:
    code = Code::BadArtifact;
    help = "compile the model again with this version of dsc";
    break;
  case DSC_UNSUPPORTED_CPU:
    code = Code::BadArtifact;
    help = "compile the model again with --target native";
    break;
  case DSC_OUT_OF_MEMORY:
    code = Code::OutOfMemory;
    break;
  case DSC_RUNTIME_VALUE:
    code = Code::ValueOutOfRange;
    break;
  case DSC_OK:
  case DSC_INTERNAL:
    help = "this is a bug in dsc: please report it with the model";
    break;
  }
  std::string text = dsc_last_error();
  import::Problem problem = makeProblem(code, text.empty() ? dsc_status_text(status) : text, help);
  if (text.find(file) == std::string::npos)
    problem.file = file;
  throw Failure(exitCodeOf(code), {problem});
}

//===----------------------------------------------------------------------===//
// Session
//===----------------------------------------------------------------------===//

std::string ValueInfo::describe() const {
  return fmt::format("{}[{}]", format::name(dtype), fmt::join(dimTexts, ","));
}

bool isArtifact(const std::string &path) {
  if (path.ends_with(".dsc"))
    return true;
  if (path.ends_with(".onnx"))
    return false;
  constexpr char magic[] = "\x89"
                           "DSC";
  char start[4] = {};
  if (std::FILE *file = std::fopen(path.c_str(), "rb")) {
    size_t ignored = std::fread(start, 1, sizeof start, file);
    (void)ignored;
    std::fclose(file);
  }
  return std::memcmp(start, magic, sizeof start) == 0;
}

static ValueInfo toValueInfo(const dsc_tensor_info &info) {
  ValueInfo value;
  value.name = info.name;
  value.dtype = static_cast<format::DType>(info.dtype);
  value.dims.assign(info.dims, info.dims + info.rank);
  value.dimTexts.assign(info.dim_texts, info.dim_texts + info.rank);
  return value;
}

static double secondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

namespace {
/// An artifact that exists in memory only, with a path that is valid as long.
class MemoryArtifact {
public:
  explicit MemoryArtifact(const Compilation &compilation)
      : descriptor(memfd_create("dsc", MFD_CLOEXEC)) {
    if (descriptor < 0)
      fail(Code::File, fmt::format("cannot make a file in memory: {}", std::strerror(errno)));
    writeArtifact(compilation, descriptor, "memory");
  }
  ~MemoryArtifact() { close(descriptor); }
  std::string path() const { return fmt::format("/proc/self/fd/{}", descriptor); }

private:
  int descriptor;
};
} // namespace

Session::Session(const std::string &path, const ModelOptions &options) {
  if (isArtifact(path)) {
    noteActivity("opening " + path);
    open(path);
    check(dsc_model_check_weights(model.get()), path);
    return;
  }
  auto start = std::chrono::steady_clock::now();
  ModelCompiler compiler(path, options);
  std::unique_ptr<Compilation> compilation = compiler.compile();
  compileSeconds = secondsSince(start);
  open(MemoryArtifact(*compilation).path());
}

Session::Session(const Compilation &compilation) { open(MemoryArtifact(compilation).path()); }

void Session::open(const std::string &path) {
  auto start = std::chrono::steady_clock::now();
  dsc_model *opened = nullptr;
  check(dsc_model_open(path.c_str(), &opened), path);
  model.reset(opened);
  loadSeconds = secondsSince(start);
  dsc_tensor_info info;
  for (size_t i = 0; i < dsc_model_input_count(opened); ++i) {
    check(dsc_model_input_info(opened, i, &info));
    inputs.push_back(toValueInfo(info));
  }
  for (size_t i = 0; i < dsc_model_output_count(opened); ++i) {
    check(dsc_model_output_info(opened, i, &info));
    outputs.push_back(toValueInfo(info));
  }
}

std::vector<std::vector<int64_t>> Session::inputShapes(const ModelOptions &options,
                                                       std::vector<std::string> &assumed) const {
  std::map<std::string, std::vector<int64_t>> given = options.importOptions().shapes;
  // One --shape gives a name to the same size of the other inputs.
  std::map<std::string, int64_t> symbols;
  for (const ValueInfo &input : inputs) {
    auto shape = given.find(input.name);
    if (shape == given.end())
      continue;
    if (shape->second.size() != input.dims.size())
      fail(Code::InputMismatch, fmt::format("--shape gives '{}' {} sizes, but it is {}", input.name,
                                            shape->second.size(), input.describe()));
    for (size_t axis = 0; axis < input.dims.size(); ++axis)
      if (shape->second[axis] >= 0)
        symbols.try_emplace(input.dimTexts[axis], shape->second[axis]);
  }
  for (const auto &[name, sizes] : given)
    if (std::none_of(inputs.begin(), inputs.end(),
                     [&](const ValueInfo &input) { return input.name == name; }))
      fail(Code::InputMismatch,
           fmt::format("--shape names '{}', which is no input of the model", name));

  std::vector<std::vector<int64_t>> result;
  for (const ValueInfo &input : inputs) {
    auto shape = given.find(input.name);
    std::vector<int64_t> &sizes = result.emplace_back(input.dims);
    for (size_t axis = 0; axis < sizes.size(); ++axis) {
      if (shape != given.end() && shape->second[axis] >= 0)
        sizes[axis] = shape->second[axis];
      if (sizes[axis] >= 0)
        continue;
      const std::string &text = input.dimTexts[axis];
      auto symbol = symbols.find(text);
      sizes[axis] = symbol == symbols.end() ? 1 : symbol->second;
      if (symbol == symbols.end() &&
          std::find(assumed.begin(), assumed.end(), text) == assumed.end())
        assumed.push_back(text);
    }
  }
  return result;
}

std::vector<Tensor> Session::randomInputs(const ModelOptions &options, uint64_t seed,
                                          std::vector<std::string> &assumed) const {
  std::vector<Tensor> tensors;
  std::vector<std::vector<int64_t>> shapes = inputShapes(options, assumed);
  for (size_t i = 0; i < inputs.size(); ++i) {
    tensors.push_back(randomTensor(inputs[i].dtype, shapes[i], seed * 1000003 + i));
    tensors.back().name = inputs[i].name;
  }
  return tensors;
}

//===----------------------------------------------------------------------===//
// Execution
//===----------------------------------------------------------------------===//

Execution::Execution(const Session &session, size_t threads) : session(session) {
  dsc_context_options options{};
  options.struct_size = sizeof options;
  options.threads = threads;
  dsc_context *created = nullptr;
  check(dsc_context_create(session.getModel(), &options, &created));
  context.reset(created);
}

void Execution::setInputs(const std::vector<Tensor> &inputs) {
  // A tensor without elements still needs an address.
  static constexpr uint64_t kNothing = 0;
  for (size_t i = 0; i < inputs.size(); ++i)
    check(dsc_context_set_input(context.get(), i,
                                inputs[i].data.empty() ? static_cast<const void *>(&kNothing)
                                                       : inputs[i].data.data(),
                                static_cast<dsc_dtype>(inputs[i].dtype), inputs[i].dims.size(),
                                inputs[i].dims.data(), inputs[i].data.size()));
}

void Execution::run() {
  noteActivity("running the model");
  check(dsc_context_run(context.get()));
}

Tensor Execution::output(size_t index) const {
  dsc_tensor result;
  check(dsc_context_get_output(context.get(), index, &result));
  Tensor tensor;
  tensor.name = session.getOutputs()[index].name;
  tensor.dtype = static_cast<format::DType>(result.dtype);
  tensor.dims.assign(result.dims, result.dims + result.rank);
  const uint8_t *data = static_cast<const uint8_t *>(result.data);
  tensor.data.assign(data, data + result.bytes);
  return tensor;
}

} // namespace dsc::cli
