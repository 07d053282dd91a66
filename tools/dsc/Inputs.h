//===- Inputs.h - inputs given on the command line ------------------------===//
#pragma once

#include "Session.h"

namespace dsc::cli {

/// Splits NAME=FILE; the name is empty if there is none. An argument that names a
/// file is one, whatever it contains.
std::pair<std::string, std::string> splitInput(const std::string &argument);

/// Reads NAME=FILE and FILE arguments and puts them in the order of the model's
/// inputs. Throws Failure for unknown, missing and repeated ones.
std::vector<Tensor> readInputs(const Session &session, const std::vector<std::string> &arguments);

} // namespace dsc::cli
