//===- X86V4.cpp - x86-64 with AVX-512 ------------------------------------===//
#include "X86.h"

dsc::Target dsc::x86V4() {
  Target target = x86V3();
  target.name = "x86-64-v4";
  target.cpu = "x86-64-v4";
  for (const char *feature : {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"})
    target.features.push_back(feature);
  target.vectorBits = 512;
  target.vectorRegisters = 32;
  target.l2Bytes = 1 << 20;
  return target;
}

dsc::Target dsc::x86V4Emulated() {
  Target target = x86V4(), instructions = x86V3();
  target.name = "x86-64-v4-emulated";
  target.cpu = instructions.cpu;
  target.features = instructions.features;
  return target;
}
