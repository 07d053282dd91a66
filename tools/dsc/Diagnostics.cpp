//===- Diagnostics.cpp - how dsc says what went wrong ---------------------===//
#include "Diagnostics.h"

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

#include <fmt/format.h>

using namespace mlir;

namespace dsc::cli {

int exitCodeOf(Code code) {
  switch (code) {
  case Code::NotCompilable:
    return kBadModel;
  case Code::Usage:
  case Code::InputMismatch:
  case Code::ValueOutOfRange:
  case Code::BadTensorFile:
    return kUsage;
  case Code::File:
  case Code::Reference:
    return kInputOutput;
  case Code::BadArtifact:
    return kBadArtifact;
  case Code::OutOfMemory:
  case Code::TimeLimit:
    return kLimit;
  case Code::CompilerBug:
  case Code::RuntimeBug:
  case Code::Crash:
    return kBug;
  }
  return kBug;
}

import::Problem makeProblem(Code code, std::string message, std::string help) {
  import::Problem problem{};
  problem.code = fmt::format("DSC{:04}", static_cast<int>(code));
  problem.message = std::move(message);
  problem.help = std::move(help);
  return problem;
}

void fail(Code code, std::string message, std::string help) {
  throw Failure(exitCodeOf(code), {makeProblem(code, std::move(message), std::move(help))});
}

void failImport(const import::ProblemList &problems) {
  // A shape that the user gave is no fault of the model.
  bool usage = llvm::all_of(problems, [](const import::Problem &problem) {
    return problem.kind == import::ProblemCode::BadShapeOption;
  });
  throw Failure(usage ? kUsage : problems.exitCode(), Problems(problems.begin(), problems.end()));
}

//===----------------------------------------------------------------------===//
// Diagnostics of MLIR
//===----------------------------------------------------------------------===//

std::string nodesOf(Location loc) {
  llvm::SmallVector<std::string> nodes;
  loc->walk([&](Location part) {
    if (auto name = dyn_cast<NameLoc>(part))
      if (name.getName().strref().starts_with("node ") &&
          !llvm::is_contained(nodes, name.getName()))
        nodes.push_back(name.getName().str());
    return WalkResult::advance();
  });
  constexpr size_t kMost = 4;
  if (nodes.size() > kMost) {
    std::string others = fmt::format("and {} more", nodes.size() - kMost);
    nodes.truncate(kMost);
    nodes.push_back(others);
  }
  return llvm::join(nodes, "; ");
}

DiagnosticCollector::DiagnosticCollector(MLIRContext &context, std::string file)
    : file(std::move(file)), handler(&context, [this](Diagnostic &diagnostic) {
        add(diagnostic);
        return success();
      }) {}

void DiagnosticCollector::add(Diagnostic &diagnostic) {
  std::string nodes = nodesOf(diagnostic.getLocation());
  if (diagnostic.getSeverity() != DiagnosticSeverity::Error) {
    notices += fmt::format("{}{}{}\n", nodes, nodes.empty() ? "" : ": ", diagnostic.str());
    return;
  }
  bool isFile = !diagnostic.getMetadata().empty();
  Code code = isFile ? Code::File : nodes.empty() ? Code::CompilerBug : Code::NotCompilable;
  import::Problem problem = makeProblem(code, diagnostic.str());
  hasFileError |= isFile;
  problem.file = file;
  problem.node = nodes;
  for (Diagnostic &note : diagnostic.getNotes())
    problem.notes.push_back(note.str());
  bool isNew = llvm::none_of(errors, [&](const import::Problem &other) {
    return other.message == problem.message && other.node == problem.node;
  });
  if (isNew)
    errors.push_back(std::move(problem));
}

void DiagnosticCollector::fail(const std::string &what) {
  if (errors.empty()) {
    errors.push_back(makeProblem(Code::CompilerBug, what + " failed without saying why",
                                 "this is a bug in dsc: please report it with the model"));
    errors.back().file = file;
  }
  // What is wrong at a node is about the model; anything else is about dsc.
  bool atNode =
      llvm::any_of(errors, [](const import::Problem &problem) { return !problem.node.empty(); });
  throw Failure(hasFileError ? kInputOutput : atNode ? kBadModel : kBug, std::move(errors));
}

} // namespace dsc::cli
