//===- Definitions.h - where in the sources something is defined ----------===//
#pragma once

#include <string>
#include <vector>

namespace dsc::cli {

struct Definition {
  const char *kind;  ///< "op", "Spec" or "template"
  std::string place; ///< "lib/Codegen/CPU/GemmFma.cpp:24", relative to the sources
};

/// The definitions of an op ("dsc.conv") or a template ("gemm-fma"), as they were
/// when this program was built.
std::vector<Definition> definitionsOf(const std::string &name);

} // namespace dsc::cli
