//===- FailingPart.h - a small model that shows a bug ---------------------===//
#pragma once

#include <string>

namespace dsc::cli {

/// Looks for a small part of an ONNX model with which compiling or running ends as a
/// bug of dsc, and writes it beside the user's work. Returns what to say about it;
/// empty if there is none. Call it while the process has one thread only.
std::string writeFailingPart(const std::string &model);

} // namespace dsc::cli
