//===- Inputs.h - inputs given on the command line ------------------------===//
#pragma once

#include "Session.h"

namespace dsc::cli {

/// Reads NAME=FILE and FILE arguments and puts them in the order of the model's
/// inputs. Throws Failure for unknown, missing and repeated ones.
std::vector<Tensor> readInputs(const Session &session, const std::vector<std::string> &arguments);

} // namespace dsc::cli
