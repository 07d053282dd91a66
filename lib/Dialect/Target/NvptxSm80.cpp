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

bool dsc::isNvptx(const Target &target) {
  return llvm::StringRef(target.triple).starts_with("nvptx64");
}
