//===- Diagnostics.h - how dsc says what went wrong -----------------------===//
//
// Exit codes, failures that end a verb, and diagnostics of all parts of the
// compiler in one form: that of the importer's problems.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"

#include "mlir/IR/Diagnostics.h"

#include <exception>
#include <string>
#include <vector>

namespace dsc::cli {

/// What scripts may rely on.
enum ExitCode : int {
  kDone = 0,
  kNegative = 1,    ///< a mismatch, a regression
  kUsage = 2,       ///< also input that does not fit the model
  kBadModel = 3,    ///< malformed or unsupported
  kInputOutput = 4, ///< a missing file, a full disk
  kBadArtifact = 5, ///< corrupt, or for another version or CPU
  kLimit = 6,       ///< memory or time
  kBug = 70,
  kInterrupted = 130,
};

/// Kinds of failures that are found outside of the importer; the number is the one
/// in "DSC0200". The importer's numbers are below 100. Numbers are never reused.
enum class Code : int {
  NotCompilable = 100, ///< an operation that the compiler has no code for
  CompilerBug = 101,
  Usage = 200,
  InputMismatch = 201, ///< name, type, rank or size of an input
  ValueOutOfRange = 202,
  File = 203,
  BadTensorFile = 204,
  BadArtifact = 205,
  OutOfMemory = 206,
  RuntimeBug = 207,
  Crash = 208,
  Reference = 209, ///< the program to compare with does not work
  TimeLimit = 210,
};

int exitCodeOf(Code code);

using Problems = std::vector<import::Problem>;

/// Ends a verb. Only thrown and caught within tools/dsc.
class Failure : public std::exception {
public:
  Failure(int exitCode, Problems problems) : exitCode(exitCode), problems(std::move(problems)) {}
  const char *what() const noexcept override { return "dsc failed"; }

  int exitCode;
  Problems problems;
};

import::Problem makeProblem(Code code, std::string message, std::string help = {});
[[noreturn]] void fail(Code code, std::string message, std::string help = {});

/// All that is wrong with a model, as a failure. `problems` is not empty.
[[noreturn]] void failImport(const import::ProblemList &problems);

/// The ONNX nodes that a location stands for: "node 418 '/model.18/Concat' (opset
/// 17)", several separated by "; ". Empty without one.
std::string nodesOf(mlir::Location loc);

/// Catches the diagnostics of a context, in the form of problems.
class DiagnosticCollector {
public:
  DiagnosticCollector(mlir::MLIRContext &context, std::string file);

  /// Throws the errors caught so far, or says that `what` failed without one.
  [[noreturn]] void fail(const std::string &what);

  /// Warnings and remarks, as text.
  const std::string &getNotices() const { return notices; }

private:
  void add(mlir::Diagnostic &diagnostic);

  std::string file;
  Problems errors;
  bool hasFileError = false;
  std::string notices;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace dsc::cli
