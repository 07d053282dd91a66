//===- Arguments.h - the examples' command lines ----------------------------===//
#ifndef DSC_EXAMPLES_ARGUMENTS_H
#define DSC_EXAMPLES_ARGUMENTS_H

#include <functional>
#include <string>
#include <vector>

#include "common/Session.h"

namespace examples {

struct Arguments {
  std::vector<std::string> positional;
  SessionOptions session; ///< --threads N, --record DIR
};

/// Parses the command line and calls `body`. Returns the process's exit code: what
/// `body` returned; 2 with `usage` for too few arguments; 1 with a message for what
/// was thrown.
int runMain(int argc, char **argv, size_t minPositional, const char *usage,
            const std::function<int(const Arguments &)> &body);

} // namespace examples

#endif
