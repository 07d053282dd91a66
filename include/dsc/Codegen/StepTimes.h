//===- StepTimes.h - how long the compiler's steps took -------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <algorithm>
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

  /// Ends the step before, and begins one. A step that has been before, for another
  /// target, goes on.
  void begin(llvm::StringRef name) {
    end();
    open = std::find_if(steps.begin(), steps.end(),
                        [&](const Step &step) { return step.name == name; }) -
           steps.begin();
    if (open == steps.size())
      steps.push_back({name.str()});
    isOpen = true;
    start = Clock::now();
  }
  void end() {
    if (isOpen)
      steps[open].seconds += std::chrono::duration<double>(Clock::now() - start).count();
    isOpen = false;
  }
  llvm::ArrayRef<Step> get() const { return steps; }

private:
  using Clock = std::chrono::steady_clock;
  std::vector<Step> steps;
  size_t open = 0; // the step that runs if isOpen
  bool isOpen = false;
  Clock::time_point start;
};

} // namespace dsc
