//===- Bench.cpp - dsc bench ----------------------------------------------===//
//
// Measures how long runs take. One line, or JSON object, for each thread count.
//
//===----------------------------------------------------------------------===//
#include "Session.h"
#include "Validators.h"
#include "Verbs.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <numeric>
#include <sys/resource.h>

namespace dsc::cli {

namespace {
struct BenchCommand {
  std::string model;
  std::vector<size_t> threads = {0};
  double minTime = 1;
  uint64_t seed = 1;
  ModelOptions options;

  int run(const Globals &globals);
};

/// Times of runs, in milliseconds, ascending.
struct Times {
  std::vector<double> values;

  /// Linear between neighbours, as numpy.percentile.
  double percentile(double percent) const {
    double position = percent / 100 * static_cast<double>(values.size() - 1);
    size_t below = static_cast<size_t>(position);
    size_t above = std::min(below + 1, values.size() - 1);
    return std::lerp(values[below], values[above], position - static_cast<double>(below));
  }
  double mean() const {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
};

/// What a run does, if the model's sizes are numbers; 0 otherwise.
struct Work {
  double flops = 0, bytes = 0;

  explicit Work(const Session &session) {
    for (const ValueInfo &input : session.getInputs())
      if (std::count(input.dims.begin(), input.dims.end(), -1))
        return;
    auto report = nlohmann::json::parse(dsc_model_manifest(session.getModel(), nullptr), nullptr,
                                        /*allow_exceptions=*/false);
    if (!report.is_object())
      return;
    flops = report.value("flops", 0.0);
    for (const auto &kernel : report.value("kernels", nlohmann::json::array()))
      bytes += kernel.value("bytes", 0.0);
  }
};
} // namespace

static Times measure(Execution &execution, double minTime) {
  using Clock = std::chrono::steady_clock;
  auto millisecondsSince = [](Clock::time_point start) {
    return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
  };
  // The first run plans memory; a few more warm caches and the clock.
  constexpr size_t kWarmUps = 3, kMinimum = 10, kMaximum = 1'000'000;
  Clock::time_point begin = Clock::now();
  for (size_t i = 0; i < kWarmUps && (i == 0 || millisecondsSince(begin) < minTime * 1e3); ++i)
    execution.run();
  Times times;
  begin = Clock::now();
  while (times.values.size() < kMaximum &&
         (times.values.size() < kMinimum || millisecondsSince(begin) < minTime * 1e3)) {
    Clock::time_point start = Clock::now();
    execution.run();
    times.values.push_back(millisecondsSince(start));
    // A model that takes seconds need not run ten times.
    if (times.values.size() >= 3 && millisecondsSince(begin) > std::max(minTime * 1e3, 1e4))
      break;
  }
  std::sort(times.values.begin(), times.values.end());
  return times;
}

static size_t peakMemory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<size_t>(usage.ru_maxrss) * 1024;
}

int BenchCommand::run(const Globals &globals) {
  Session session(model, options);
  Work work(session);
  std::vector<std::string> assumed;
  std::vector<Tensor> inputs = session.randomInputs(options, seed, assumed);
  if (!assumed.empty() && !globals.quiet)
    message(fmt::format("note: 1 is taken for {}; --shape gives other sizes\n",
                        fmt::join(assumed, ", ")));
  for (size_t count : threads) {
    Execution execution(session, count);
    execution.setInputs(inputs);
    Times times = measure(execution, minTime);
    size_t used = dsc_context_threads(execution.getContext());
    double best = times.values.front(), gflops = work.flops / best * 1e-6;
    size_t arena = dsc_context_arena_bytes(execution.getContext());
    if (globals.json)
      printJson({{"model", model},
                 {"threads", used},
                 {"runs", times.values.size()},
                 {"min_ms", best},
                 {"p50_ms", times.percentile(50)},
                 {"p90_ms", times.percentile(90)},
                 {"p99_ms", times.percentile(99)},
                 {"mean_ms", times.mean()},
                 {"gflops", gflops},
                 {"gbytes_per_s", work.bytes / best * 1e-6},
                 {"arena_bytes", arena},
                 {"weight_bytes", dsc_model_weight_bytes(session.getModel())},
                 {"peak_rss_bytes", peakMemory()},
                 {"load_ms", session.getLoadSeconds() * 1e3}});
    else
      print(fmt::format("{} threads: min {:.4g} p50 {:.4g} p90 {:.4g} p99 {:.4g} mean {:.4g} ms "
                        "({} runs)  {:.1f} GFLOP/s  {:.1f} GB/s  arena {:.1f} MB  peak {:.0f} MB\n",
                        used, best, times.percentile(50), times.percentile(90),
                        times.percentile(99), times.mean(), times.values.size(), gflops,
                        work.bytes / best * 1e-6, arena * 1e-6, peakMemory() * 1e-6));
    std::fflush(stdout);
  }
  return kDone;
}

Verb addBench(CLI::App &app) {
  auto command = std::make_shared<BenchCommand>();
  CLI::App *verb = app.add_subcommand("bench", "Measure how long a model runs");
  verb->add_option("model", command->model, "An artifact (.dsc) or an ONNX model")->required();
  verb->add_option("--threads", command->threads,
                   "Thread counts to measure with, separated by commas; 0: as many as CPUs")
      ->delimiter(',')
      ->check(threadCount())
      ->type_name("N[,N...]");
  verb->add_option("--min-time", command->minTime, "Seconds to measure at least")
      ->check(nonNegative())
      ->type_name("SECONDS")
      ->capture_default_str();
  verb->add_option("--random", command->seed, "Seed of the random inputs")
      ->type_name("SEED")
      ->capture_default_str();
  command->options.addTo(*verb);
  verb->footer("Examples:\n"
               "  dsc bench model.dsc --threads 1,2\n"
               "  dsc bench model.onnx --shape images=8x3x224x224 --min-time 5 --json\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
