//===- ModelOptions.h - options of verbs that compile ---------------------===//
#pragma once

#include "dsc/Codegen/Compiler.h"
#include "dsc/Dialect/Import/ImportModel.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace dsc::cli {

/// What the command line says of how to compile a model.
struct ModelOptions {
  std::string target; ///< empty: native, or with a triple that is not, its least demanding kind
  std::string triple;
  std::string precision = "f32";
  std::string sparsity = "auto";
  int optLevel = 2;
  unsigned threads = 0; ///< of the compiler; 0: one for each CPU that may be used
  std::vector<std::string> shapes;
  bool allSymbolic = false;
  bool fixSizes = true; ///< --shape is compiled in, not only what a run uses

  void addTo(CLI::App &command);
  /// Adds --shape alone.
  void addShapeTo(CLI::App &command);
  /// Adds --triple alone, which is not part of addTo.
  void addTripleTo(CLI::App &command);

  /// These check the texts and throw Failure.
  CompileOptions compileOptions() const;
  import::ImportOptions importOptions() const;

private:
  std::vector<std::string> targetNames(const std::string &triple) const;
};

} // namespace dsc::cli
