// RUN: dsc-opt %s -dsc-phase-simplify -dsc-phase-group -dsc-phase-schedule | FileCheck %s

// Attention stays whole where its template takes it: one kernel, no tensor of scores.
// CHECK-LABEL: func.func @whole
func.func @whole(%q: tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, M, 64>>>, %k: tensor<?x2x?x64xf32, #dsc.tensor<dims = <B, 2, N, 64>>>, %mask: tensor<?x1x1x?xi1, #dsc.tensor<dims = <B, 1, 1, N>>>) -> tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, M, 64>>> {
  // CHECK: dsc.group
  // CHECK-SAME: #dsc.schedule<"attention">
  // CHECK-NEXT: dsc.attention
  // CHECK-NOT: dsc.matmul
  %0 = dsc.attention %q, %k, %k, %mask {scale = 1.250000e-01 : f32, undefined_rows = "masked_zero"} : f32[B,8,M,64], f32[B,2,N,64], f32[B,2,N,64], bool[B,1,1,N] -> f32[B,8,M,64]
  return %0 : tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, M, 64>>>
}

// A mask that may be broadcast at run time is beyond the template: taken apart.
// CHECK-LABEL: func.func @apart
func.func @apart(%q: tensor<1x8x5x64xf32>, %mask: tensor<?x5xf32, #dsc.tensor<dims = <L, 5>>>) -> tensor<1x8x5x64xf32> {
  // CHECK-NOT: dsc.attention
  // CHECK: dsc.matmul
  // CHECK: dsc.exp
  // CHECK: dsc.matmul
  %0 = dsc.attention %q, %q, %q, %mask : f32[1,8,5,64], f32[1,8,5,64], f32[1,8,5,64], f32[L,5] -> f32[1,8,5,64]
  return %0 : tensor<1x8x5x64xf32>
}
