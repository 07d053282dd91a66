//===- Problem.h - what is wrong with a user's model ------------------------===//
//
// Diagnostics of the importer. Every check adds to a ProblemList and goes on, so
// that one run reports all problems of a model. Nothing here throws or prints.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace dsc::import {

/// The kinds of problems; the number is the one in "DSC0004". Texts and exit
/// classes are in the table of Problem.cpp. Numbers are never reused.
enum class ProblemCode : int {
  // The file itself.
  FileMissing = 1,
  FileUnreadable = 2,
  FileEmpty = 3,
  NotOnnx = 4,
  Corrupt = 5,
  NestedTooDeep = 6,
  TooLarge = 7,
  UnsupportedIrVersion = 8,
  OutOfMemory = 9,
  // Weights and other tensors.
  BadTensor = 20,
  ExternalMissing = 21,
  ExternalOutsideFolder = 22,
  ExternalNotRegular = 23,
  ExternalTooShort = 24,
  ExternalBadReference = 25,
  // Operators and opsets.
  MissingOpset = 40,
  UnsupportedOpset = 41,
  UnknownDomain = 42,
  UnknownOperator = 43,
  BadNode = 44,
  ConversionFailed = 45,
  BadFunction = 46,
  ExpansionTooLarge = 47,
  UnsupportedOperator = 48,
  // Names and order.
  UndefinedValue = 60,
  DuplicateName = 61,
  NotSorted = 62,
  Cycle = 63,
  BadGraph = 64,
  // Types and shapes.
  BadType = 80,
  TypeMismatch = 81,
  UnsupportedType = 82,
  BadShapeOption = 83,
  UnknownContents = 84,
};

/// What a code means: its title and the exit code of a run that ends with it.
struct ProblemInfo {
  ProblemCode code;
  const char *title;
  int exitCode; ///< 3: malformed or unsupported model; 4: input/output; 6: a limit.
};

const ProblemInfo &infoOf(ProblemCode code);

/// All codes, in the order of their numbers, for the generated reference.
const std::vector<ProblemInfo> &allProblemInfos();

struct Problem {
  std::string code; ///< "DSC0004"
  std::string message;
  std::string node;               ///< "node 418 '/model.18/Concat' (opset 17)", or empty
  std::vector<std::string> notes; ///< lines under the node: its values and their types
  std::string help;               ///< what to do, or empty
  std::string file;
  ProblemCode kind;

  int exitCode() const { return infoOf(kind).exitCode; }

  /// The problem as CLI text, ending with a newline.
  std::string render() const;
};

class ProblemList {
public:
  explicit ProblemList(std::string file = {}) : file(std::move(file)) {}

  /// The file that problems added from now on belong to.
  void setFile(std::string path) { file = std::move(path); }

  /// Adds a problem and returns it for node, notes and help to be filled in.
  /// The reference is valid until the next add.
  Problem &add(ProblemCode code, std::string message);
  Problem &back() { return problems.back(); }

  /// Adds the problems of another list; those without a file belong to this one's.
  void append(const ProblemList &other);

  bool empty() const { return problems.empty(); }
  size_t size() const { return problems.size(); }
  auto begin() const { return problems.begin(); }
  auto end() const { return problems.end(); }

  bool contains(ProblemCode code) const;

  /// 0 without problems; 3 if the model is malformed, else that of the first.
  int exitCode() const;

  std::string render() const;

private:
  std::string file;
  std::vector<Problem> problems;
};

/// The text with control characters, and bytes that are no UTF-8, as \xNN.
std::string printable(std::string_view text);
/// 'name' in quotes, control characters as \xNN and very long names shortened.
std::string quoteName(std::string_view name);

} // namespace dsc::import
