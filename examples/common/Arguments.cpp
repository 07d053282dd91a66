//===- Arguments.cpp - the examples' command lines --------------------------===//
#include "common/Arguments.h"

#include <cstdio>
#include <cstdlib>
#include <exception>

namespace examples {

static bool parse(int argc, char **argv, Arguments &arguments) {
  for (int i = 1; i < argc; ++i) {
    std::string argument = argv[i];
    if (argument.rfind("--", 0) != 0) {
      arguments.positional.push_back(argument);
      continue;
    }
    if (i + 1 == argc)
      return false;
    const char *value = argv[++i];
    if (argument == "--threads")
      arguments.session.threads = std::strtoul(value, nullptr, 10);
    else if (argument == "--record")
      arguments.session.recordDir = value;
    else
      return false;
  }
  return true;
}

int runMain(int argc, char **argv, size_t minPositional, const char *usage,
            const std::function<int(const Arguments &)> &body) {
  Arguments arguments;
  if (!parse(argc, argv, arguments) || arguments.positional.size() < minPositional) {
    std::fprintf(stderr, "usage: %s %s [--threads N] [--record DIR]\n", argv[0], usage);
    return 2;
  }
  try {
    return body(arguments);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}

} // namespace examples
