//===- ArtifactReport.h - what an artifact holds, as JSON -----------------===//
#pragma once

#include "dsc/Codegen/Compiler.h"

#include <nlohmann/json.hpp>

namespace dsc::cli {

/// The compiler's report on the best variant, with all variants under "variants".
nlohmann::ordered_json reportOf(const Compilation &compilation);

/// Likewise for a file; if `target` is not empty, with the report on the variant for it.
/// Throws Failure if there is none, or if the report is no JSON object.
nlohmann::ordered_json reportOf(const format::ContainerView &view, const std::string &target);

} // namespace dsc::cli
