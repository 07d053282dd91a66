//===- Verbs.h - what dsc can do ------------------------------------------===//
//
// One file for each verb. addX declares its options; the function that it returns
// does the work and gives the exit code, or throws Failure.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Output.h"

#include <CLI/CLI.hpp>

#include <functional>

namespace dsc::cli {

struct Verb {
  CLI::App *command;
  std::function<int(const Globals &)> run;
};

Verb addCompile(CLI::App &app);
Verb addRun(CLI::App &app);
Verb addBench(CLI::App &app);
Verb addVerify(CLI::App &app);
Verb addInspect(CLI::App &app);
Verb addExplain(CLI::App &app);
Verb addOps(CLI::App &app);

} // namespace dsc::cli
