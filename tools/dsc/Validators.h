//===- Validators.h - what numbers on the command line may be -------------===//
#pragma once

#include <CLI/CLI.hpp>

#include <cmath>
#include <string>

namespace dsc::cli {

/// A number of threads; 0 stands for as many as there are CPUs.
inline CLI::Validator threadCount() { return CLI::Range(0, 1024); }

/// A number that is neither negative nor infinite nor NaN.
inline CLI::Validator nonNegative() {
  return {[](std::string &text) -> std::string {
            double value = -1;
            bool isNumber = CLI::detail::lexical_cast(text, value);
            return isNumber && value >= 0 && std::isfinite(value)
                       ? ""
                       : "'" + text + "' is no number from 0 on";
          },
          "NUMBER"};
}

} // namespace dsc::cli
