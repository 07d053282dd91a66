//===- KnownTargets.h - the machines that code is generated for -----------===//
//
// The only numbers about hardware in the compiler: templates and cost functions
// read them here, passes never test for the name of a CPU.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dsc {

/// One kind of processor. Rates are those of one core.
struct Target {
  std::string name;   ///< as in --target: "x86-64-v3"
  std::string triple; ///< LLVM's
  std::string cpu;    ///< LLVM's -mcpu
  /// LLVM feature names that code for this target uses; the runtime checks them.
  std::vector<std::string> features;
  int64_t vectorBits = 0;
  int64_t vectorRegisters = 0;
  int64_t fmaPipes = 2;   ///< fused multiply-adds that start in one cycle
  int64_t fmaLatency = 4; ///< cycles
  int64_t loadPipes = 2;  ///< vector loads in one cycle
  double gigahertz = 3.0; ///< a typical clock under vector load
  int64_t l1Bytes = 32 << 10, l2Bytes = 512 << 10, l3Bytes = 8 << 20;
  double l2GBs = 80, l3GBs = 30, dramGBs = 15;

  /// As LLVM calls it: "x86_64", "aarch64", "nvptx64".
  std::string architecture() const;
  bool has(llvm::StringRef feature) const;
  int64_t lanes(int64_t elementBits) const { return vectorBits / elementBits; }
  /// fp32 multiply-adds in GFLOP/s at full rate.
  double peakF32() const { return 2.0 * fmaPipes * lanes(32) * gigahertz; }
};

/// All kinds, best first within an architecture.
llvm::ArrayRef<Target> knownTargets();

/// Null for an unknown name. "native" gives the best kind that this machine can
/// execute.
const Target *findTarget(llvm::StringRef name);

/// What the names stand for, each kind once, in the order of knownTargets(); names
/// that are not known are left out.
std::vector<const Target *> findTargets(llvm::ArrayRef<std::string> names);

} // namespace dsc
