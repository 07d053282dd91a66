//===- Validate.h - the rules of a well-formed program --------------------===//
#pragma once

#include "dsc/Format/Container.h"

namespace dsc::format {

/// Levels of nested blocks: what executes blocks may recurse.
inline constexpr unsigned kMaxBlockDepth = 128;

/// Checks indices, kinds and the order of references. What passes can be
/// executed without further checks of indices into the program's tables.
Status validate(const Program &program);

/// Checks that values are placed once, before they are touched, and touched only
/// within their lifetimes; the rest of validate holds already. Returns what is
/// wrong, or nothing.
std::string checkPlacements(const Program &program);

} // namespace dsc::format
