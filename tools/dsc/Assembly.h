//===- Assembly.h - what to show of a kernel's assembly -------------------===//
#pragma once

#include <string>

namespace dsc::cli {

/// The innermost loop of `function` that computes most, behind a line that counts its
/// instructions; the start of the function if it has no loop. Empty without the
/// function.
std::string innerLoop(const std::string &assembly, const std::string &function);

} // namespace dsc::cli
