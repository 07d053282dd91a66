//===- main.cpp - the command line of the compiler ------------------------===//
//
// Reads the command line; the verb itself runs in a child (see Isolation.h).
//
//===----------------------------------------------------------------------===//
#include "Isolation.h"
#include "Verbs.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <system_error>

namespace dsc::cli {

/// Options that may stand before or after the verb.
static void addGlobals(CLI::App &app, Globals &globals) {
  app.add_flag("--json", globals.json, "Print JSON");
  app.add_flag("-q,--quiet", globals.quiet, "Print no more than asked for");
  app.add_flag("-v,--verbose", globals.verbose, "Say what is done");
}

static int runVerb(const Verb &verb, const Globals &globals) {
  try {
    return verb.run(globals);
  } catch (const Failure &failure) {
    report(failure, globals);
    return failure.exitCode;
  } catch (const std::bad_alloc &) {
    report(Failure(kLimit, {makeProblem(Code::OutOfMemory, "out of memory")}), globals);
    return kLimit;
  } catch (const std::system_error &error) {
    // Of a thread that cannot be started.
    std::string text = fmt::format("{} while {}", error.what(), lastActivity());
    report(Failure(kLimit, {makeProblem(Code::OutOfMemory, text)}), globals);
    return kLimit;
  } catch (const std::exception &error) {
    std::string text = fmt::format("{} while {}", error.what(), lastActivity());
    report(
        Failure(kBug, {makeProblem(Code::Crash, text, "this is a bug in dsc: please report it")}),
        globals);
    return kBug;
  }
}

static Failure describeMisuse(const CLI::ParseError &error, const std::vector<Verb> &verbs,
                              const std::string &firstArgument) {
  std::vector<std::string> names;
  for (const Verb &verb : verbs) {
    names.push_back(verb.command->get_name());
    if (verb.command->parsed())
      return {kUsage,
              {makeProblem(Code::Usage, error.what(), "see dsc " + names.back() + " --help")}};
  }
  bool isWord = !firstArgument.empty() && firstArgument.front() != '-';
  std::string message = isWord ? fmt::format("there is no verb '{}'", firstArgument) : error.what();
  std::string help = fmt::format("see dsc --help; the verbs are {}", fmt::join(names, ", "));
  return {kUsage, {makeProblem(Code::Usage, message, help)}};
}

static int runApp(int argc, char **argv) {
  CLI::App app("Ahead-of-time compiler for ONNX models", "dsc");
  app.set_version_flag("--version", "dsc " DSC_VERSION);
  app.require_subcommand(1);
  app.set_help_all_flag("--help-all", "Help of all verbs");
  std::vector<Verb> verbs = {addCompile(app), addRun(app),     addBench(app), addVerify(app),
                             addInspect(app), addExplain(app), addOps(app)};
  Globals globals;
  for (const Verb &verb : verbs)
    addGlobals(*verb.command, globals);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    if (error.get_exit_code() == 0) {
      app.exit(error);
      return flushOutput(kDone);
    }
    report(describeMisuse(error, verbs, argc > 1 ? argv[1] : ""), globals);
    return kUsage;
  }
  for (const Verb &verb : verbs) {
    if (!verb.command->parsed())
      continue;
    // For debuggers, which lose track of a child.
    if (std::getenv("DSC_NO_ISOLATION"))
      return flushOutput(runVerb(verb, globals));
    std::string commandLine = fmt::format("{}", fmt::join(argv, argv + argc, " "));
    return runIsolated([&] { return runVerb(verb, globals); }, commandLine);
  }
  return kUsage;
}

} // namespace dsc::cli

int main(int argc, char **argv) { return dsc::cli::runApp(argc, argv); }
