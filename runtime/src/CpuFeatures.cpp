//===- CpuFeatures.cpp - what this machine's processor can do -------------===//
//
// x86: CPUID and XCR0, after Intel's Software Developer's Manual, volume 2 (CPUID)
// and volume 1, chapter 13 (XSAVE). Arm: what Linux says in AT_HWCAP, as its
// Documentation/arch/arm64/elf_hwcaps.rst lists it.
//
//===----------------------------------------------------------------------===//

#include "CpuFeatures.h"

#include <cstdint>

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#elif defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace dsc::runtime {

const char *cpuArchitecture() {
#if defined(__x86_64__)
  return "x86_64";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "unknown";
#endif
}

#if defined(__x86_64__)

namespace {

enum Register : uint8_t { EAX, EBX, ECX, EDX };
/// State that the operating system must save on a switch, as bits of XCR0.
enum State : uint32_t { NoState = 0, Avx = 0x6, Avx512 = 0xe6, Amx = 0x60000 };

struct Feature {
  const char *name;
  const char *otherName; // of /proc/cpuinfo, where it differs
  uint32_t leaf, subleaf;
  Register reg;
  unsigned bit;
  State state;
};

constexpr Feature kFeatures[] = {
    {"sse3", "pni", 1, 0, ECX, 0, NoState},
    {"pclmul", "pclmulqdq", 1, 0, ECX, 1, NoState},
    {"ssse3", nullptr, 1, 0, ECX, 9, NoState},
    {"fma", nullptr, 1, 0, ECX, 12, Avx},
    {"cx16", nullptr, 1, 0, ECX, 13, NoState},
    {"sse4.1", "sse4_1", 1, 0, ECX, 19, NoState},
    {"sse4.2", "sse4_2", 1, 0, ECX, 20, NoState},
    {"movbe", nullptr, 1, 0, ECX, 22, NoState},
    {"popcnt", nullptr, 1, 0, ECX, 23, NoState},
    {"aes", nullptr, 1, 0, ECX, 25, NoState},
    {"avx", nullptr, 1, 0, ECX, 28, Avx},
    {"f16c", nullptr, 1, 0, ECX, 29, Avx},
    {"fxsr", nullptr, 1, 0, EDX, 24, NoState},
    {"sse", nullptr, 1, 0, EDX, 25, NoState},
    {"sse2", nullptr, 1, 0, EDX, 26, NoState},
    {"bmi", "bmi1", 7, 0, EBX, 3, NoState},
    {"avx2", nullptr, 7, 0, EBX, 5, Avx},
    {"bmi2", nullptr, 7, 0, EBX, 8, NoState},
    {"avx512f", nullptr, 7, 0, EBX, 16, Avx512},
    {"avx512dq", nullptr, 7, 0, EBX, 17, Avx512},
    {"adx", nullptr, 7, 0, EBX, 19, NoState},
    {"avx512ifma", nullptr, 7, 0, EBX, 21, Avx512},
    {"avx512cd", nullptr, 7, 0, EBX, 28, Avx512},
    {"avx512bw", nullptr, 7, 0, EBX, 30, Avx512},
    {"avx512vl", nullptr, 7, 0, EBX, 31, Avx512},
    {"avx512vbmi", nullptr, 7, 0, ECX, 1, Avx512},
    {"avx512vbmi2", "avx512_vbmi2", 7, 0, ECX, 6, Avx512},
    {"gfni", nullptr, 7, 0, ECX, 8, NoState},
    {"vaes", nullptr, 7, 0, ECX, 9, Avx},
    {"vpclmulqdq", nullptr, 7, 0, ECX, 10, Avx},
    {"avx512vnni", "avx512_vnni", 7, 0, ECX, 11, Avx512},
    {"avx512bitalg", "avx512_bitalg", 7, 0, ECX, 12, Avx512},
    {"avx512vpopcntdq", "avx512_vpopcntdq", 7, 0, ECX, 14, Avx512},
    {"amx-bf16", "amx_bf16", 7, 0, EDX, 22, Amx},
    {"avx512fp16", "avx512_fp16", 7, 0, EDX, 23, Avx512},
    {"amx-tile", "amx_tile", 7, 0, EDX, 24, Amx},
    {"amx-int8", "amx_int8", 7, 0, EDX, 25, Amx},
    {"avxvnni", "avx_vnni", 7, 1, EAX, 4, Avx},
    {"avx512bf16", "avx512_bf16", 7, 1, EAX, 5, Avx512},
    {"amx-fp16", "amx_fp16", 7, 1, EAX, 21, Amx},
    {"avxifma", "avx_ifma", 7, 1, EAX, 23, Avx},
    {"avxvnniint8", "avx_vnni_int8", 7, 1, EDX, 4, Avx},
    {"avxneconvert", "avx_ne_convert", 7, 1, EDX, 5, Avx},
    {"lzcnt", "abm", 0x80000001, 0, ECX, 5, NoState},
};

uint64_t readXcr0() {
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return uint64_t(high) << 32 | low;
}

/// Linux gives a process the AMX state only when it asks.
bool askForTileData() {
  constexpr long kArchReqXcompPerm = 0x1023, kTileData = 18;
  return syscall(SYS_arch_prctl, kArchReqXcompPerm, kTileData) == 0;
}

bool isUsable(State state) {
  if (state == NoState)
    return true;
  uint32_t regs[4];
  __cpuid(1, regs[EAX], regs[EBX], regs[ECX], regs[EDX]);
  bool osxsave = regs[ECX] >> 27 & 1;
  if (!osxsave || (readXcr0() & state) != state)
    return false;
  return state != Amx || askForTileData();
}

} // namespace

bool hasCpuFeature(const std::string &feature) {
  for (const Feature &f : kFeatures) {
    if (feature != f.name && (!f.otherName || feature != f.otherName))
      continue;
    uint32_t regs[4];
    if (!__get_cpuid_count(f.leaf, f.subleaf, &regs[EAX], &regs[EBX], &regs[ECX], &regs[EDX]))
      return false;
    return (regs[f.reg] >> f.bit & 1) && isUsable(f.state);
  }
  return false;
}

#elif defined(__aarch64__)

bool hasCpuFeature(const std::string &feature) {
  struct Feature {
    const char *name;
    unsigned long bit;
  };
  static constexpr Feature kFeatures[] = {
      {"fp-armv8", HWCAP_FP},     {"neon", HWCAP_ASIMD},       {"crc", HWCAP_CRC32},
      {"lse", HWCAP_ATOMICS},     {"fullfp16", HWCAP_ASIMDHP}, {"rdm", HWCAP_ASIMDRDM},
      {"dotprod", HWCAP_ASIMDDP}, {"sve", HWCAP_SVE},
  };
  for (const Feature &f : kFeatures)
    if (feature == f.name)
      return getauxval(AT_HWCAP) & f.bit;
  return false;
}

#else

bool hasCpuFeature(const std::string &) { return false; }

#endif

std::vector<std::string> missingCpuFeatures(const std::vector<std::string> &features) {
  std::vector<std::string> missing;
  for (const std::string &feature : features)
    if (!hasCpuFeature(feature))
      missing.push_back(feature);
  return missing;
}

} // namespace dsc::runtime
