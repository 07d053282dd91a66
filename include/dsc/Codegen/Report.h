//===- Report.h - what was compiled, as JSON ------------------------------===//
#pragma once

#include "dsc/Codegen/Program/ProgramBuilder.h"

#include <string>

namespace dsc {

/// One JSON object: target, inputs, outputs, kernels (template, schedule, precision,
/// sparsity, ONNX nodes, parts, expected work, the verdicts on all templates) and memory.
std::string makeReport(const BuiltProgram &built, const Target &target);

} // namespace dsc
