//===- Problem.cpp - what is wrong with a user's model ----------------------===//
//
// The table of diagnostics and their text form.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/Problem.h"

#include <algorithm>
#include <cassert>
#include <cstdio>

namespace dsc::import {

static constexpr int kMalformed = 3;
static constexpr int kInputOutput = 4;
static constexpr int kLimit = 6;

const std::vector<ProblemInfo> &allProblemInfos() {
  using enum ProblemCode;
  static const std::vector<ProblemInfo> infos = {
      {FileMissing, "the model file does not exist", kInputOutput},
      {FileUnreadable, "the model file cannot be read", kInputOutput},
      {FileEmpty, "the model file is empty", kMalformed},
      {NotOnnx, "the file is not an ONNX model", kMalformed},
      {Corrupt, "the file is truncated or corrupt", kMalformed},
      {NestedTooDeep, "the model is nested too deeply", kMalformed},
      {TooLarge, "a size exceeds a limit", kMalformed},
      {UnsupportedIrVersion, "the IR version is not supported", kMalformed},
      {OutOfMemory, "there is too little memory", kLimit},
      {BadTensor, "a tensor's type, dimensions and data disagree", kMalformed},
      {ExternalMissing, "a file with external data cannot be read", kInputOutput},
      {ExternalOutsideFolder, "external data lies outside of the model's folder", kMalformed},
      {ExternalNotRegular, "external data is not a plain file", kMalformed},
      {ExternalTooShort, "a file with external data is too short", kMalformed},
      {ExternalBadReference, "a reference to external data is malformed", kMalformed},
      {MissingOpset, "an operator set is used but not imported", kMalformed},
      {UnsupportedOpset, "the version of an operator set is not supported", kMalformed},
      {UnknownDomain, "an operator set is unknown", kMalformed},
      {UnknownOperator, "an operator is unknown", kMalformed},
      {BadNode, "a node breaks the rules of its operator", kMalformed},
      {ConversionFailed, "the model cannot be converted to the newest opset", kMalformed},
      {BadFunction, "a model-local function is malformed", kMalformed},
      {ExpansionTooLarge, "functions expand to too many nodes", kMalformed},
      {UnsupportedOperator, "an operator is not supported", kMalformed},
      {UndefinedValue, "a value is used but never defined", kMalformed},
      {DuplicateName, "a name is defined twice", kMalformed},
      {NotSorted, "nodes are not in topological order", kMalformed},
      {Cycle, "nodes depend on each other in a cycle", kMalformed},
      {BadGraph, "a graph lacks what it must have", kMalformed},
      {BadType, "a declared type is malformed", kMalformed},
      {TypeMismatch, "types or shapes are inconsistent", kMalformed},
      {UnsupportedType, "a type is not supported", kMalformed},
      {BadShapeOption, "a shape given by the user does not fit the model", kMalformed},
      {UnknownContents, "a value that decides about shapes is not known", kMalformed},
  };
  return infos;
}

const ProblemInfo &infoOf(ProblemCode code) {
  const std::vector<ProblemInfo> &infos = allProblemInfos();
  auto it = std::find_if(infos.begin(), infos.end(),
                         [&](const ProblemInfo &info) { return info.code == code; });
  assert(it != infos.end() && "code is missing in the table");
  return *it;
}

static std::string codeText(ProblemCode code) {
  char text[16];
  std::snprintf(text, sizeof text, "DSC%04d", static_cast<int>(code));
  return text;
}

/// Bytes of the UTF-8 character that `text` starts with; 0 if it is none, or one that
/// a terminal must not see.
static size_t printableBytes(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  if (byte(0) < 0x80)
    return byte(0) >= 0x20 && byte(0) != 0x7f;
  size_t size = byte(0) >= 0xf0 ? 4 : byte(0) >= 0xe0 ? 3 : 2;
  if (byte(0) < 0xc2 || byte(0) > 0xf4 || size > text.size())
    return 0;
  for (size_t i = 1; i < size; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  // U+0080 to U+009F are control characters, too.
  return byte(0) == 0xc2 && byte(1) < 0xa0 ? 0 : size;
}

std::string printable(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    size_t size = printableBytes(text);
    char escape[8];
    std::snprintf(escape, sizeof escape, "\\x%02x", static_cast<unsigned char>(text[0]));
    result += size ? text.substr(0, size) : std::string_view(escape);
    text.remove_prefix(std::max<size_t>(size, 1));
  }
  return result;
}

std::string quoteName(std::string_view name) {
  constexpr size_t limit = 200;
  std::string text = printable(name.substr(0, limit));
  if (name.size() > limit)
    text += "...";
  return "'" + text + "'";
}

std::string Problem::render() const {
  std::string text = "error[" + code + "]: " + printable(message) + "\n";
  if (!file.empty() || !node.empty()) {
    text += "  --> " + printable(file);
    if (!node.empty())
      text += (file.empty() ? "" : ": ") + printable(node);
    text += "\n";
  }
  for (const std::string &note : notes)
    text += "   |  " + printable(note) + "\n";
  if (!help.empty())
    text += "help: " + printable(help) + "\n";
  return text;
}

Problem &ProblemList::add(ProblemCode code, std::string message) {
  Problem problem;
  problem.kind = code;
  problem.code = codeText(code);
  problem.message = std::move(message);
  problem.file = file;
  problems.push_back(std::move(problem));
  return problems.back();
}

void ProblemList::append(const ProblemList &other) {
  for (Problem problem : other.problems) {
    if (problem.file.empty())
      problem.file = file;
    problems.push_back(std::move(problem));
  }
}

bool ProblemList::contains(ProblemCode code) const {
  return std::any_of(problems.begin(), problems.end(),
                     [&](const Problem &problem) { return problem.kind == code; });
}

int ProblemList::exitCode() const {
  if (problems.empty())
    return 0;
  bool malformed = std::any_of(problems.begin(), problems.end(), [](const Problem &problem) {
    return problem.exitCode() == kMalformed;
  });
  return malformed ? kMalformed : problems.front().exitCode();
}

std::string ProblemList::render() const {
  std::string text;
  for (const Problem &problem : problems)
    text += problem.render();
  return text;
}

} // namespace dsc::import
