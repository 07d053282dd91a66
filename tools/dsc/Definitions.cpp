//===- Definitions.cpp - where in the sources something is defined --------===//
#include "Definitions.h"

#include <fmt/format.h>
#include <string_view>

namespace dsc::cli {

namespace {
struct Entry {
  std::string_view name;
  const char *kind, *path;
  int line;
};
// Written by tools/cmake/find_definitions.py.
constexpr Entry kEntries[] = {
#include "Definitions.inc"
};
} // namespace

std::vector<Definition> definitionsOf(const std::string &name) {
  std::vector<Definition> found;
  for (const Entry &entry : kEntries)
    if (entry.name == name)
      found.push_back({entry.kind, fmt::format("{}:{}", entry.path, entry.line)});
  return found;
}

} // namespace dsc::cli
