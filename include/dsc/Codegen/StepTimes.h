//===- StepTimes.h - how long the compiler's steps took -------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <string>
#include <vector>

namespace dsc {

/// Wall time of the steps of a compilation, one after another.
class StepTimes {
public:
  struct Step {
    std::string name;
    double seconds = 0;
  };

  /// Ends the step before, and begins one.
  void begin(llvm::StringRef name) {
    end();
    steps.push_back({name.str()});
    isOpen = true;
    start = Clock::now();
  }
  void end() {
    if (isOpen)
      steps.back().seconds = std::chrono::duration<double>(Clock::now() - start).count();
    isOpen = false;
  }
  llvm::ArrayRef<Step> get() const { return steps; }

private:
  using Clock = std::chrono::steady_clock;
  std::vector<Step> steps;
  bool isOpen = false;
  Clock::time_point start;
};

} // namespace dsc
