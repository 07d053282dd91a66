//===- Compare.h - how far two tensors are apart --------------------------===//
#pragma once

#include "Tensor.h"

#include <nlohmann/json.hpp>

#include <string>

namespace dsc::cli {

/// |got - expected| <= atol + rtol |expected|, as numpy.testing.assert_allclose has
/// it. Integers, bools and complex numbers' types and all shapes must be equal.
struct Tolerance {
  double rtol = 1e-3;
  double atol = 1e-7;
  double atolOfMax = 0; ///< added to atol, times the largest |expected|
};

struct Comparison {
  bool matches = false;
  std::string reason; ///< why not, in one line
  double maxAbsolute = 0, maxRelative = 0;
  double maxUlp = 0; ///< units in the last place of the tensors' type; 0 for integers
  size_t mismatches = 0;

  nlohmann::ordered_json toJson() const;
  /// "abs 1.2e-07 rel 3.1e-06 ulp 2"
  std::string summary() const;
};

Comparison compare(const Tensor &got, const Tensor &expected, const Tolerance &tolerance);

} // namespace dsc::cli
