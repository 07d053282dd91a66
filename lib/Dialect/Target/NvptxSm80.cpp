//===- NvptxSm80.cpp - GPUs of compute capability 8.0 ---------------------===//
#include "dsc/Dialect/Target/Nvptx.h"

dsc::Target dsc::nvptxSm80() {
  Target target;
  target.name = "nvptx:sm_80";
  target.triple = "nvptx64-nvidia-cuda";
  target.cpu = "sm_80";
  target.features = {"ptx80"};
  target.vectorBits = 1024;
  target.vectorRegisters = 255;
  target.gigahertz = 1.41;
  target.l1Bytes = 192 << 10;
  target.l2Bytes = 40 << 20;
  target.l3Bytes = 40 << 20;
  // Shares of one of 108 multiprocessors.
  target.l2GBs = 40;
  target.l3GBs = 40;
  target.dramGBs = 14;
  return target;
}

const dsc::GpuRates &dsc::gpuRates(const Target &) {
  // Peaks of NVIDIA's data sheet (312 and 156 TFLOP/s) over 108 multiprocessors;
  // shared memory gives 128 bytes a cycle; 40 and 1400 cycles.
  static const GpuRates sm80{108, 163 << 10, 2889, 1444, 180, 28, 1000};
  return sm80;
}

bool dsc::isNvptx(const Target &target) {
  return llvm::StringRef(target.triple).starts_with("nvptx64");
}
