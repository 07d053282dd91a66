//===- FirstMismatch.h - where a wrong result starts ----------------------===//
#pragma once

#include "Compare.h"
#include "ModelOptions.h"

#include <string>

namespace dsc::cli {

/// Compiles the model with every intermediate value as an output, and runs each
/// operator's definition on the compiled code's own operands. Returns a sentence
/// about the first operator whose result is another. Throws Failure if the model
/// cannot be compiled so.
std::string findFirstMismatch(const std::string &model, ModelOptions options,
                              const std::vector<Tensor> &inputs, const Tolerance &tolerance);

} // namespace dsc::cli
