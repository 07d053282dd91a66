//===- Pool.h - threads that share the parts of a phase -------------------===//
//
// A job has parts, cut into one range for each worker. A worker claims the parts of
// its own range in order, so that it touches the same data from phase to phase, and
// then helps with the others' ranges. Nobody waits for a part that nobody has
// claimed, so a job finishes even if its workers run one after another, as a
// caller's own parallel-for may do.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/dsc.h"

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace dsc::runtime {

class Pool {
public:
  /// Runs a part; `worker` is below threads(), and no two parts run at one time with
  /// the same one.
  using PartFn = void (*)(void *job, size_t part, size_t worker);

  /// Starts threads - 1 threads, fewer if the system has no more; none if the caller
  /// brings a parallel-for.
  Pool(size_t threads, dsc_parallel_for_fn parallelFor, void *user);
  ~Pool();
  Pool(const Pool &) = delete;
  Pool &operator=(const Pool &) = delete;

  size_t threads() const { return workers; }
  /// Runs all parts, some of them on this thread, and returns when they are done.
  void run(size_t parts, PartFn function, void *job);

private:
  /// The number of the job and the next part that nobody has claimed. A thread that
  /// is late finds another number and takes nothing.
  struct alignas(64) Range {
    std::atomic<uint64_t> state{0};
  };

  bool startThread(size_t worker);
  void startJob(size_t parts, PartFn function, void *job);
  void participate(size_t worker, uint32_t number);
  bool claim(size_t range, uint32_t number, size_t parts, size_t &part);
  void finish(size_t parts);
  void waitForParts();
  void workerMain(size_t worker);
  uint32_t waitForJob(uint32_t last);
  static void runUserTask(void *pool, size_t index);

  size_t workers;
  bool maySpin;
  dsc_parallel_for_fn parallelFor;
  void *user;
  std::unique_ptr<Range[]> ranges;
  std::vector<std::thread> threadList;

  // Written between jobs. A thread that is late may read them, but then its claim
  // fails.
  std::atomic<PartFn> function{nullptr};
  std::atomic<void *> job{nullptr};
  std::atomic<size_t> partCount{0};
  std::atomic<bool> stopping{false};

  alignas(64) std::atomic<uint32_t> jobNumber{0}; // threads sleep on it
  std::atomic<uint32_t> sleepers{0};
  alignas(64) std::atomic<uint32_t> pending{0}; // parts not done; the caller sleeps on it
  std::atomic<bool> callerSleeps{false};
};

} // namespace dsc::runtime
