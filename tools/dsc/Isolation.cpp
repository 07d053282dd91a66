//===- Isolation.cpp - work in a child process ----------------------------===//
#include "Isolation.h"

#include "FailingPart.h"
#include "Output.h"

#include "llvm/Support/Signals.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fmt/format.h>
#include <new>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace dsc::cli {

namespace {
/// Shared with children, so that it outlives them.
struct Notes {
  char activity[1024];
  char model[4096];
  char temporaryFile[4096];
};
} // namespace

static Notes &notes() {
  static Notes *shared = [] {
    void *memory =
        mmap(nullptr, sizeof(Notes), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    static Notes own;
    return memory == MAP_FAILED ? &own : new (memory) Notes();
  }();
  return *shared;
}

template <size_t N> static void copyText(char (&target)[N], const std::string &text) {
  size_t length = std::min(text.size(), N - 1);
  std::memcpy(target, text.data(), length);
  target[length] = '\0';
}

void noteActivity(const std::string &activity) { copyText(notes().activity, activity); }

std::string lastActivity() { return notes().activity; }

void noteModel(const std::string &path) { copyText(notes().model, path); }

void noteTemporaryFile(const std::string &path) { copyText(notes().temporaryFile, path); }

//===----------------------------------------------------------------------===//
// The child
//===----------------------------------------------------------------------===//

/// LLVM is built without exceptions: running out of memory must not become one.
static void endForLackOfMemory() {
  static const char text[] = "error[DSC0206]: out of memory\n";
  ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
  (void)ignored;
  llvm::sys::RunInterruptHandlers(); // removes temporary files
  _exit(kLimit);
}

[[noreturn]] static void beChild(const std::function<int()> &body, const ChildOptions &options,
                                 const sigset_t &mask, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(kInterrupted);
  sigprocmask(SIG_SETMASK, &mask, nullptr);
  // Writing fails with a reason instead.
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit noCore{0, 0};
  setrlimit(RLIMIT_CORE, &noCore);
  std::set_new_handler(endForLackOfMemory);
  if (options.stdoutFd >= 0)
    dup2(options.stdoutFd, STDOUT_FILENO);
  if (options.stderrFd >= 0)
    dup2(options.stderrFd, STDERR_FILENO);
  int exitCode = flushOutput(body());
  std::fflush(stderr);
  // An exception does not run the destructors of LLVM's callers.
  llvm::sys::RunInterruptHandlers();
  // Destructors of libraries have nothing left to do that matters.
  _exit(exitCode);
}

//===----------------------------------------------------------------------===//
// The parent
//===----------------------------------------------------------------------===//

static sigset_t awaitedSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGCHLD, SIGINT, SIGTERM, SIGHUP})
    sigaddset(&signals, signal);
  return signals;
}

/// Waits until the child has ended; ends it when time is up or on a signal.
static ChildEnd await(pid_t child, double timeLimit) {
  using Clock = std::chrono::steady_clock;
  ChildEnd end;
  sigset_t signals = awaitedSignals();
  Clock::time_point start = Clock::now();
  // Lets it remove temporary files; when that is not enough, it has no choice.
  int signalToSend = SIGTERM;
  for (;;) {
    int status = 0;
    pid_t ended = waitpid(child, &status, WNOHANG);
    if (ended == child || (ended < 0 && errno != EINTR)) {
      end.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
      end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
      return end;
    }
    double left = 1.0;
    if (timeLimit > 0)
      left =
          std::min(left, timeLimit - std::chrono::duration<double>(Clock::now() - start).count());
    end.timedOut |= left <= 0;
    if (end.timedOut || end.interrupted) {
      kill(child, signalToSend);
      signalToSend = SIGKILL;
      left = 1.0;
    }
    timespec wait{static_cast<time_t>(left), static_cast<long>((left - time_t(left)) * 1e9)};
    int signal = sigtimedwait(&signals, nullptr, &wait);
    end.interrupted |= signal == SIGINT || signal == SIGTERM || signal == SIGHUP;
  }
}

ChildEnd runInChild(const std::function<int()> &body, const ChildOptions &options) {
  notes();
  std::fflush(stdout);
  std::fflush(stderr);
  sigset_t signals = awaitedSignals(), before;
  sigprocmask(SIG_BLOCK, &signals, &before);
  // An ignored SIGCHLD, which may be inherited, would lose the child's status.
  std::signal(SIGCHLD, SIG_DFL);
  pid_t parent = getpid();
  pid_t child = fork();
  if (child == 0)
    beChild(body, options, before, parent);
  ChildEnd end;
  if (child < 0) {
    message(makeProblem(Code::OutOfMemory,
                        fmt::format("cannot start a process: {}", std::strerror(errno)))
                .render());
    end.exitCode = kLimit;
  } else {
    end = await(child, options.timeLimit);
  }
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return end;
}

/// Whether children have used up the time that `ulimit -t` gives.
static bool reachedTimeLimit() {
  rlimit limit{};
  rusage usage{};
  if (getrlimit(RLIMIT_CPU, &limit) != 0 || getrusage(RUSAGE_CHILDREN, &usage) != 0)
    return false;
  auto seconds = [](const timeval &time) { return time.tv_sec + time.tv_usec * 1e-6; };
  // The kernel's count and ours differ by some ticks of its clock.
  constexpr double kTick = 0.1;
  return limit.rlim_cur != RLIM_INFINITY &&
         seconds(usage.ru_utime) + seconds(usage.ru_stime) + kTick >= double(limit.rlim_cur);
}

static void removeTemporaryFile() {
  if (notes().temporaryFile[0])
    unlink(notes().temporaryFile);
}

int runIsolated(const std::function<int()> &verb, const std::string &commandLine) {
  ChildEnd end = runInChild(verb);
  if (end.interrupted || end.signal == SIGINT || end.signal == SIGTERM || end.signal == SIGHUP) {
    removeTemporaryFile();
    return kInterrupted;
  }
  std::string model = notes().model;
  if (!end.signal) {
    if (end.exitCode == kBug && !model.empty())
      message(writeFailingPart(model));
    return end.exitCode;
  }
  removeTemporaryFile();
  std::string doing = lastActivity().empty() ? "" : " while " + lastActivity();
  if (end.signal == SIGXCPU || (end.signal == SIGKILL && reachedTimeLimit())) {
    message(makeProblem(Code::TimeLimit, "the time limit is reached" + doing,
                        "raise the limit: see `ulimit -t`")
                .render());
    return kLimit;
  }
  if (end.signal == SIGKILL) {
    message(makeProblem(Code::OutOfMemory, "dsc was killed" + doing,
                        "most likely the machine has too little memory; see `dmesg`")
                .render());
    return kLimit;
  }
  import::Problem problem =
      makeProblem(Code::Crash, fmt::format("dsc crashed{} ({})", doing, strsignal(end.signal)),
                  "this is a bug in dsc: please report it with the model and these lines");
  problem.notes = {"command: " + commandLine, "version: " DSC_VERSION};
  message(problem.render());
  if (!model.empty())
    message(writeFailingPart(model));
  return kBug;
}

} // namespace dsc::cli
