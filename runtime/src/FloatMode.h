//===- FloatMode.h - the floating-point environment of kernels ------------===//
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include <cstdint>

namespace dsc::runtime {

/// While it lives, this thread rounds to nearest, keeps denormals and traps no
/// floating-point exception, whatever the program around has set.
class FloatMode {
public:
  FloatMode() : saved(get()) { set(kDefault); }
  ~FloatMode() { set(saved); }
  FloatMode(const FloatMode &) = delete;
  FloatMode &operator=(const FloatMode &) = delete;

private:
#if defined(__x86_64__)
  static constexpr uint64_t kDefault = 0x1f80;
  static uint64_t get() { return _mm_getcsr(); }
  static void set(uint64_t mode) { _mm_setcsr(static_cast<unsigned>(mode)); }
#elif defined(__aarch64__)
  static constexpr uint64_t kDefault = 0;
  static uint64_t get() {
    uint64_t mode;
    __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
    return mode;
  }
  static void set(uint64_t mode) { __asm__ volatile("msr fpcr, %0" : : "r"(mode)); }
#else
  static constexpr uint64_t kDefault = 0;
  static uint64_t get() { return 0; }
  static void set(uint64_t) {}
#endif
  uint64_t saved;
};

} // namespace dsc::runtime
