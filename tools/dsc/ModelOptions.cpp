//===- ModelOptions.cpp - options of verbs that compile -------------------===//
#include "ModelOptions.h"

#include "Diagnostics.h"

#include "dsc/Dialect/Target/KnownTargets.h"

#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

namespace dsc::cli {

void ModelOptions::addShapeTo(CLI::App &command) {
  command
      .add_option("--shape", shapes,
                  "Sizes of an input, as images=1x3x224x224; ? keeps a size as it is declared")
      ->type_name("NAME=SIZES")
      ->expected(1)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void ModelOptions::addTo(CLI::App &command) {
  addShapeTo(command);
  command.add_option("--target", target, "Kinds of CPU to compile for, separated by commas")
      ->type_name("native|CPU,...")
      ->capture_default_str();
  command
      .add_option("--precision", precision,
                  "strict: every operator rounds in its own type; f32: at least as accurate as "
                  "fp32; f32x2, bf16, f16: less")
      ->check(CLI::IsMember({"strict", "f32", "f32x2", "bf16", "f16"}))
      ->capture_default_str();
  command
      .add_option("--sparsity", sparsity,
                  "Whether zeros in weights may be left out: auto, off, or only as the format csr")
      ->check(CLI::IsMember({"auto", "off", "csr"}))
      ->capture_default_str();
  command.add_option("-O", optLevel, "How much to optimise, -O0 to -O3")
      ->check(CLI::Range(0, 3))
      ->type_name("LEVEL")
      ->capture_default_str();
}

static std::vector<std::string> split(const std::string &text, char separator) {
  llvm::SmallVector<llvm::StringRef> parts;
  llvm::StringRef(text).split(parts, separator);
  return {parts.begin(), parts.end()};
}

CompileOptions ModelOptions::compileOptions() const {
  CompileOptions options;
  options.targets = split(target, ',');
  for (const std::string &name : options.targets) {
    if (findTarget(name))
      continue;
    if (name == "native")
      fail(Code::Usage, "this machine's CPU is not supported",
           "give --target, or use an x86-64 CPU with AVX2");
    std::vector<std::string> names;
    for (const Target &known : knownTargets())
      names.push_back(known.name);
    fail(Code::Usage, fmt::format("unknown target '{}'", name),
         fmt::format("known are native, {}", fmt::join(names, ", ")));
  }
  options.precision = precision;
  options.sparsity = sparsity;
  options.optLevel = optLevel;
  options.threads = threads;
  return options;
}

/// "1x3x224x?" with -1 for a question mark.
static std::vector<int64_t> parseSizes(const std::string &option, const std::string &text) {
  std::vector<int64_t> sizes;
  if (text.empty())
    return sizes;
  for (const std::string &part : split(text, 'x')) {
    int64_t size = -1;
    if (part != "?" && (!llvm::to_integer(part, size, 10) || size < 0))
      fail(Code::Usage, fmt::format("'{}' is no size in --shape {}", part, option),
           "write --shape images=1x3x224x224");
    sizes.push_back(size);
  }
  return sizes;
}

import::ImportOptions ModelOptions::importOptions() const {
  import::ImportOptions options;
  options.allSymbolic = allSymbolic;
  options.fixSizes = fixSizes;
  for (const std::string &shape : shapes) {
    // Names may hold anything; sizes hold no '='.
    size_t equals = shape.rfind('=');
    if (equals == std::string::npos || equals == 0)
      fail(Code::Usage, fmt::format("--shape {} names no input", shape),
           "write --shape images=1x3x224x224");
    std::string name = shape.substr(0, equals);
    if (!options.shapes.try_emplace(name, parseSizes(shape, shape.substr(equals + 1))).second)
      fail(Code::Usage, fmt::format("--shape is given twice for '{}'", name));
  }
  return options;
}

} // namespace dsc::cli
