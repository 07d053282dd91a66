//===- ArmV8.cpp - 64-bit Arm with NEON -----------------------------------===//
#include "Arm.h"

dsc::Target dsc::armV8() {
  Target target;
  target.name = "armv8-a";
  target.triple = "aarch64-unknown-linux-gnu";
  target.cpu = "generic";
  target.features = {"neon", "fp-armv8"};
  target.vectorBits = 128;
  target.vectorRegisters = 32;
  // Of the Neoverse N1, a common server core. Pipes, latency and loads: Arm Neoverse N1
  // Software Optimization Guide (sections 2.1 and 3.15). Caches: Arm Neoverse N1
  // Technical Reference Manual (64 KiB of L1 data, 512 KiB or 1 MiB of L2), and a
  // Graviton2's share of its L3 (32 MiB for 64 cores) at its clock, 2.5 GHz.
  target.fmaPipes = 2;
  target.fmaLatency = 4;
  target.loadPipes = 2;
  target.gigahertz = 2.5;
  target.l1Bytes = 64 << 10;
  target.l2Bytes = 1 << 20;
  target.l3Bytes = 512 << 10;
  return target;
}
