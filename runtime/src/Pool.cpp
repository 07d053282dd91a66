//===- Pool.cpp - threads that share the parts of a phase -----------------===//

#include "Pool.h"

#include "CpuCount.h"
#include "FloatMode.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <ctime>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace dsc::runtime {

//===----------------------------------------------------------------------===//
// Waiting
//===----------------------------------------------------------------------===//

/// How long a thread spins before it sleeps: about what a futex costs.
static constexpr int64_t kSpinNanoseconds = 50000;

static void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("isb");
#endif
}

static int64_t nanoseconds() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t(now.tv_sec) * 1000000000 + now.tv_nsec;
}

/// Spins until `done` or the time is over; returns whether it is done.
template <typename F> static bool spinUntil(F done) {
  int64_t end = nanoseconds() + kSpinNanoseconds;
  do {
    for (int i = 0; i < 32; ++i) {
      if (done())
        return true;
      pause();
    }
  } while (nanoseconds() < end);
  return done();
}

static void futexWait(std::atomic<uint32_t> &word, uint32_t value) {
  syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

static void futexWake(std::atomic<uint32_t> &word, size_t threads) {
  syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, int(std::min<size_t>(threads, INT_MAX)), nullptr,
          nullptr, 0);
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Pool::Pool(size_t threads, dsc_parallel_for_fn parallelFor, void *user)
    : workers(std::max<size_t>(threads, 1)), maySpin(workers > 1 && workers <= usableCpus()),
      parallelFor(parallelFor), user(user), ranges(new Range[workers]) {
  if (parallelFor)
    return;
  // The program's signals are not for these threads.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  threadList.reserve(workers - 1);
  // With fewer threads than asked for, the parts of those missing are done by others.
  for (size_t i = 1; i < workers && startThread(i); ++i) {
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// False if the system has no more threads.
bool Pool::startThread(size_t worker) {
  try {
    threadList.emplace_back([this, worker] { workerMain(worker); });
    return true;
  } catch (...) {
    return false;
  }
}

Pool::~Pool() {
  stopping = true;
  jobNumber.fetch_add(1);
  futexWake(jobNumber, INT_MAX);
  for (std::thread &thread : threadList)
    thread.join();
}

void Pool::workerMain(size_t worker) {
  FloatMode mode;
  pthread_setname_np(pthread_self(), "dsc-worker");
  for (uint32_t number = 0; !stopping;) {
    number = waitForJob(number);
    participate(worker, number);
  }
}

uint32_t Pool::waitForJob(uint32_t last) {
  auto started = [&] { return jobNumber.load(std::memory_order_acquire) != last; };
  if (!maySpin || !spinUntil(started)) {
    // Either the caller sees this sleeper, or this thread sees the caller's job.
    sleepers.fetch_add(1);
    while (jobNumber.load() == last)
      futexWait(jobNumber, last);
    sleepers.fetch_sub(1);
  }
  return jobNumber.load(std::memory_order_acquire);
}

//===----------------------------------------------------------------------===//
// Jobs
//===----------------------------------------------------------------------===//

static size_t rangeBegin(size_t range, size_t parts, size_t workers) {
  return parts * range / workers;
}

void Pool::run(size_t parts, PartFn function, void *job) {
  if (parts <= 1 || workers == 1) {
    for (size_t part = 0; part < parts; ++part)
      function(job, part, 0);
    return;
  }
  startJob(parts, function, job);
  uint32_t number = jobNumber.load(std::memory_order_relaxed);
  if (parallelFor) {
    parallelFor(user, workers, runUserTask, this);
  } else if (sleepers.load() != 0) {
    futexWake(jobNumber, std::min(parts, workers) - 1);
  }
  participate(0, number);
  waitForParts();
}

void Pool::startJob(size_t parts, PartFn fn, void *argument) {
  uint32_t number = jobNumber.load(std::memory_order_relaxed) + 1;
  pending.store(parts, std::memory_order_relaxed);
  // The ranges first: a late thread that sees anything of this job then finds that
  // its own is over.
  for (size_t i = 0; i < workers; ++i)
    ranges[i].state.store(uint64_t(number) << 32 | rangeBegin(i, parts, workers),
                          std::memory_order_relaxed);
  partCount.store(parts, std::memory_order_release);
  function.store(fn, std::memory_order_release);
  job.store(argument, std::memory_order_release);
  jobNumber.store(number);
}

void Pool::runUserTask(void *pool, size_t index) {
  FloatMode mode;
  Pool &self = *static_cast<Pool *>(pool);
  if (index < self.workers)
    self.participate(index, self.jobNumber.load(std::memory_order_acquire));
}

bool Pool::claim(size_t range, uint32_t number, size_t parts, size_t &part) {
  size_t end = rangeBegin(range + 1, parts, workers);
  std::atomic<uint64_t> &state = ranges[range].state;
  uint64_t seen = state.load(std::memory_order_acquire);
  do {
    part = uint32_t(seen);
    if (seen >> 32 != number || part >= end)
      return false;
  } while (!state.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel,
                                        std::memory_order_acquire));
  return true;
}

void Pool::participate(size_t worker, uint32_t number) {
  PartFn fn = function.load(std::memory_order_acquire);
  void *argument = job.load(std::memory_order_acquire);
  size_t parts = partCount.load(std::memory_order_acquire), done = 0, part;
  for (size_t i = 0; i < workers; ++i)
    for (size_t range = (worker + i) % workers; claim(range, number, parts, part); ++done)
      fn(argument, part, worker);
  if (done != 0)
    finish(done);
}

void Pool::finish(size_t parts) {
  if (pending.fetch_sub(parts) == parts && callerSleeps.load())
    futexWake(pending, 1);
}

void Pool::waitForParts() {
  auto done = [&] { return pending.load(std::memory_order_acquire) == 0; };
  if (done() || (maySpin && spinUntil(done)))
    return;
  callerSleeps.store(true);
  while (uint32_t left = pending.load())
    futexWait(pending, left);
  callerSleeps.store(false);
}

} // namespace dsc::runtime
