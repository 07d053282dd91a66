//===- Output.cpp - what dsc prints and writes ----------------------------===//
#include "Output.h"

#include "Isolation.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace dsc::cli {

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

void print(const std::string &text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void printJson(const nlohmann::ordered_json &object) {
  print(object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

void message(const std::string &text) { std::fwrite(text.data(), 1, text.size(), stderr); }

int flushOutput(int exitCode) {
  if (std::fflush(stdout) == 0 && !std::ferror(stdout))
    return exitCode;
  // A reader that went away has what it wanted.
  if (errno == EPIPE || exitCode != kDone)
    return exitCode;
  message(makeProblem(Code::File, fmt::format("cannot write to stdout: {}", std::strerror(errno)))
              .render());
  return kInputOutput;
}

static bool colors() {
  const char *off = std::getenv("NO_COLOR");
  return !(off && *off) && isatty(STDERR_FILENO);
}

nlohmann::ordered_json toJson(const import::Problem &problem) {
  nlohmann::ordered_json json{{"code", problem.code}, {"message", problem.message}};
  if (!problem.file.empty())
    json["file"] = problem.file;
  if (!problem.node.empty())
    json["node"] = problem.node;
  if (!problem.notes.empty())
    json["notes"] = problem.notes;
  if (!problem.help.empty())
    json["help"] = problem.help;
  return json;
}

void report(const Failure &failure, const Globals &globals) {
  nlohmann::ordered_json diagnostics = nlohmann::ordered_json::array();
  for (const import::Problem &problem : failure.problems) {
    std::string text = problem.render();
    size_t prefix = std::strlen("error");
    if (colors())
      text = "\x1b[1;31merror\x1b[0m" + text.substr(prefix);
    message(text);
    diagnostics.push_back(toJson(problem));
  }
  if (globals.json)
    printJson({{"status", "error"},
               {"exit_code", failure.exitCode},
               {"diagnostics", std::move(diagnostics)}});
}

Progress::Progress(const Globals &globals)
    : enabled(!globals.quiet && !globals.json && isatty(STDERR_FILENO)) {}

Progress::~Progress() {
  if (shown)
    message("\r\x1b[K");
}

void Progress::show(const std::string &text) {
  if (!enabled)
    return;
  message("\r\x1b[K" + text);
  shown = true;
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

static bool isSameFile(const std::string &a, const std::string &b) {
  struct stat first, second;
  return stat(a.c_str(), &first) == 0 && stat(b.c_str(), &second) == 0 &&
         first.st_dev == second.st_dev && first.st_ino == second.st_ino;
}

OutputFile::OutputFile(std::string path, const std::vector<std::string> &inputs)
    : path(std::move(path)) {
  for (const std::string &input : inputs)
    if (isSameFile(this->path, input))
      fail(Code::Usage, fmt::format("the output '{}' is the input", this->path),
           "give another name with -o");
  open();
}

/// A file without a name vanishes with the process; where the file system has no
/// such thing, the name is noted for whoever survives.
void OutputFile::open() {
  namespace fs = std::filesystem;
  fs::path target(path);
  fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  struct stat status;
  if (stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    // A device or a pipe is written directly.
    descriptor = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor < 0)
      failWith("open", errno);
    return;
  }
  descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666);
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    temporary = (folder / fmt::format(".{}.{}.tmp", target.filename().string(), getpid())).string();
    noteTemporaryFile(temporary);
    descriptor = ::open(temporary.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);
  }
  if (descriptor < 0)
    failWith("create", errno);
}

OutputFile::~OutputFile() {
  if (descriptor >= 0)
    close(descriptor);
  if (!temporary.empty())
    unlink(temporary.c_str());
}

void OutputFile::failWith(const std::string &what, int error) {
  fail(Code::File, fmt::format("cannot {} '{}': {}", what, path, std::strerror(error)));
}

void OutputFile::write(std::span<const uint8_t> bytes) {
  while (!bytes.empty()) {
    ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR)
      continue;
    if (written < 0)
      failWith("write", errno);
    bytes = bytes.subspan(written);
  }
}

void OutputFile::write(const std::string &text) {
  write({reinterpret_cast<const uint8_t *>(text.data()), text.size()});
}

void OutputFile::commit() {
  struct stat status;
  if (fstat(descriptor, &status) == 0 && !S_ISREG(status.st_mode))
    return;
  if (temporary.empty()) {
    temporary = fmt::format("{}.{}.tmp", path, getpid());
    std::string self = fmt::format("/proc/self/fd/{}", descriptor);
    noteTemporaryFile(temporary);
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, temporary.c_str(), AT_SYMLINK_FOLLOW) != 0)
      failWith("create", errno);
  }
  int closed = close(descriptor);
  descriptor = -1;
  if (closed != 0)
    failWith("write", errno);
  if (rename(temporary.c_str(), path.c_str()) != 0)
    failWith("create", errno);
  temporary.clear();
  noteTemporaryFile("");
}

void writeFile(const std::string &path, const std::string &contents,
               const std::vector<std::string> &inputs) {
  OutputFile file(path, inputs);
  file.write(contents);
  file.commit();
}

} // namespace dsc::cli
