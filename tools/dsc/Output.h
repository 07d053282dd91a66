//===- Output.h - what dsc prints and writes ------------------------------===//
//
// Data on stdout, messages on stderr, output files whole or not at all.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Diagnostics.h"

#include "dsc/Format/Container.h"

#include <nlohmann/json.hpp>

#include <span>
#include <string>

namespace dsc::cli {

/// Options that every verb has.
struct Globals {
  bool json = false;
  bool quiet = false;
  bool verbose = false;
};

/// Writes data to stdout.
void print(const std::string &text);
/// One line of JSON. Bytes that are no UTF-8 are replaced.
void printJson(const nlohmann::ordered_json &object);
/// Writes a message to stderr.
void message(const std::string &text);
/// Writes out what was printed; the exit code becomes kInputOutput if that fails.
int flushOutput(int exitCode);

/// Reports a failure: text on stderr, and with --json one object on stdout.
void report(const Failure &failure, const Globals &globals);
nlohmann::ordered_json toJson(const import::Problem &problem);

/// A line on stderr that replaces itself; nothing unless stderr is a terminal.
class Progress {
public:
  explicit Progress(const Globals &globals);
  ~Progress();
  void show(const std::string &text);

private:
  bool enabled;
  bool shown = false;
};

/// A file that appears with commit(), or never. Throws Failure.
class OutputFile {
public:
  /// Refuses to replace one of `inputs`.
  OutputFile(std::string path, const std::vector<std::string> &inputs = {});
  ~OutputFile();
  OutputFile(const OutputFile &) = delete;
  OutputFile &operator=(const OutputFile &) = delete;

  int getDescriptor() const { return descriptor; }
  void write(std::span<const uint8_t> bytes);
  void write(const std::string &text);
  void commit();

private:
  void open();
  [[noreturn]] void failWith(const std::string &what, int error);

  std::string path, temporary; ///< `temporary` is empty while the file has no name
  int descriptor = -1;
};

/// Writes a whole file.
void writeFile(const std::string &path, const std::string &contents,
               const std::vector<std::string> &inputs = {});

} // namespace dsc::cli
