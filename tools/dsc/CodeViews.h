//===- CodeViews.h - what to show of a kernel's code ----------------------===//
#pragma once

#include <string>

namespace dsc::cli {

/// The loops and branches of a function in MLIR, one in the other; of the lines
/// between, how many of which operation there are.
std::string loopOutline(const std::string &function);

/// The innermost loop of `function` that computes most, behind a line that counts its
/// instructions; the start of the function if it has no loop. Empty without the
/// function.
std::string innerLoop(const std::string &assembly, const std::string &function);

} // namespace dsc::cli
