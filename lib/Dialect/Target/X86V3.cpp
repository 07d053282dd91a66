//===- X86V3.cpp - x86-64 with AVX2 ---------------------------------------===//
#include "X86.h"

dsc::Target dsc::x86V3() {
  Target target;
  target.name = "x86-64-v3";
  target.triple = "x86_64-unknown-linux-gnu";
  target.cpu = "x86-64-v3";
  target.features = {"avx", "avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe", "popcnt"};
  target.vectorBits = 256;
  target.vectorRegisters = 16;
  return target;
}
