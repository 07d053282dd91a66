//===- Isolation.h - work in a child process ------------------------------===//
//
// A fatal error of a library, a crash of generated code or a lack of memory ends a
// child; the parent removes what it left and says what happened.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <functional>
#include <string>

namespace dsc::cli {

/// How a child ended.
struct ChildEnd {
  int exitCode = 0; ///< if `signal` is 0
  int signal = 0;
  bool timedOut = false;
  bool interrupted = false; ///< by Ctrl-C or a request to terminate
};

struct ChildOptions {
  int stdoutFd = -1, stderrFd = -1; ///< take the place of the child's, unless -1
  double timeLimit = 0;             ///< seconds; 0: none
};

/// Runs `body` in a child and waits for it. Call it while the process has one
/// thread only.
ChildEnd runInChild(const std::function<int()> &body, const ChildOptions &options = {});

/// Runs a verb in a child and turns its end into an exit code, explained on stderr.
int runIsolated(const std::function<int()> &verb, const std::string &commandLine);

/// What a report of a crash should say the process was doing.
void noteActivity(const std::string &activity);
/// What this process was doing last, or a child of it.
std::string lastActivity();
/// The ONNX model that is being worked on: of a failure, a small part of it is kept.
void noteModel(const std::string &path);
/// A file to remove if this process ends early; "": none any more.
void noteTemporaryFile(const std::string &path);

} // namespace dsc::cli
