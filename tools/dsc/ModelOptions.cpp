//===- ModelOptions.cpp - options of verbs that compile -------------------===//
#include "ModelOptions.h"

#include "Diagnostics.h"

#include "dsc/Dialect/Target/Triples.h"

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
  command
      .add_option("--target", target,
                  "Kinds of CPU to compile for, separated by commas; an artifact for several\n"
                  "runs the best that the machine has")
      ->type_name("native|CPU,...")
      ->default_str("native");
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

void ModelOptions::addTripleTo(CLI::App &command) {
  command
      .add_option("--triple", triple,
                  "System to compile for, as aarch64-linux-gnu. Default: Linux with glibc")
      ->type_name("TRIPLE");
}

/// Names of targets that `accept` takes, as a help.
static std::string listTargets(llvm::function_ref<bool(const Target &)> accept) {
  std::vector<std::string> names;
  for (const Target &known : knownTargets())
    if (accept(known))
      names.push_back(known.name);
  return fmt::format("{}", fmt::join(names, ", "));
}

/// The targets that the options mean, best first.
std::vector<std::string> ModelOptions::targetNames(const std::string &triple) const {
  const Target *native = findTarget("native");
  bool isForeign = !triple.empty() && !(native && fits(*native, triple));
  if (target.empty() && isForeign)
    return {leastTarget(triple).name};
  std::vector<std::string> names = split(target.empty() ? "native" : target, ',');
  for (const std::string &name : names) {
    const Target *found = findTarget(name);
    if (!found && name == "native")
      fail(Code::Usage, "this machine's CPU is not supported",
           "give --target, or use an x86-64 CPU with AVX2");
    if (!found)
      fail(Code::Usage, fmt::format("unknown target '{}'", name),
           "known are native, " + listTargets([](const Target &) { return true; }));
    if (!triple.empty() && !fits(*found, triple))
      fail(Code::Usage, fmt::format("target '{}' is not for --triple {}", name, triple),
           "give one of " + listTargets([&](const Target &t) { return fits(t, triple); }));
  }
  std::vector<std::string> sorted;
  for (const Target *found : findTargets(names))
    sorted.push_back(found->name);
  return sorted;
}

CompileOptions ModelOptions::compileOptions() const {
  CompileOptions options;
  if (!triple.empty()) {
    llvm::Expected<std::string> resolved = resolveTriple(triple);
    if (!resolved)
      fail(Code::Usage, llvm::toString(resolved.takeError()),
           "use one like x86_64-linux-gnu, x86_64-linux-musl or aarch64-linux-gnu");
    options.triple = *resolved;
  }
  options.targets = targetNames(options.triple);
  options.precision = precision;
  options.sparsity = sparsity;
  options.optLevel = optLevel;
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
