//===- FloatMode.h - the floating-point environment of kernels ------------===//
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace dsc::runtime {

/// While it lives, this thread rounds to nearest, keeps denormals and traps no
/// floating-point exception, whatever the program around has set.
class FloatMode {
public:
#if defined(__x86_64__)
  FloatMode() : saved(_mm_getcsr()) { _mm_setcsr(0x1f80); }
  ~FloatMode() { _mm_setcsr(saved); }
  FloatMode(const FloatMode &) = delete;
  FloatMode &operator=(const FloatMode &) = delete;

private:
  unsigned saved;
#endif
};

} // namespace dsc::runtime
