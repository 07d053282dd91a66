// RUN: dsc-opt %s --dsc-widen-short-floats --dsc-remove-identities --split-input-file | FileCheck %s

// Between the inputs and the results all is float32; the weight stays as it is.
// CHECK-LABEL: func.func @chain
// CHECK-SAME: (%[[X:.*]]: tensor<?x64xf16
func.func @chain(%x: tensor<?x64xf16, #dsc.tensor<dims = <N, 64>>>) -> tensor<?x32xf16, #dsc.tensor<dims = <N, 32>>> {
  // CHECK: %[[A:.*]] = dsc.cast %[[X]] {{.*}} : f16[N,64] -> f32[N,64]
  // CHECK: %[[W:.*]] = dsc.weight {{.*}} : f16[64,32]
  %w = dsc.weight <0, 0, 4096> : f16[64,32]
  // CHECK: %[[P:.*]] = dsc.matmul %[[A]], %[[W]] : f32[N,64], f16[64,32] -> f32[N,32]
  %0 = dsc.matmul %x, %w : f16[N,64], f16[64,32] -> f16[N,32]
  // CHECK: %[[R:.*]] = dsc.relu %[[P]] : f32[N,32] -> f32[N,32]
  %1 = dsc.relu %0 : f16[N,32] -> f16[N,32]
  // CHECK: %[[Y:.*]] = dsc.cast %[[R]] {{.*}}to = 10 : i64} : f32[N,32] -> f16[N,32]
  // CHECK: return %[[Y]]
  return %1 : tensor<?x32xf16, #dsc.tensor<dims = <N, 32>>>
}

// -----

// A cast of the model rounds, also where it is undone; one to what a value has become
// is gone.
// CHECK-LABEL: func.func @casts
func.func @casts(%x: tensor<4xf32>, %b: tensor<4xbf16>) -> tensor<4xf32> {
  // CHECK: dsc.cast %{{.*}} {{.*}}to = 10 : i64} : f32[4] -> f16[4]
  %0 = dsc.cast %x {to = 10 : i64} : f32[4] -> f16[4]
  // CHECK: dsc.cast %{{.*}} {{.*}}to = 1 : i64} : f16[4] -> f32[4]
  %1 = dsc.cast %0 {to = 1 : i64} : f16[4] -> f32[4]
  // CHECK: %[[B:.*]] = dsc.neg %{{.*}} : f32[4] -> f32[4]
  %2 = dsc.neg %b : bf16[4] -> bf16[4]
  // CHECK-NOT: dsc.cast %[[B]]
  %3 = dsc.cast %2 {to = 1 : i64} : bf16[4] -> f32[4]
  // CHECK: dsc.cast %[[B]] {{.*}}to = 10 : i64} : f32[4] -> f16[4]
  %4 = dsc.cast_like %2, %0 : bf16[4], f16[4] -> f16[4]
  %5 = dsc.cast %4 {to = 1 : i64} : f16[4] -> f32[4]
  // CHECK: dsc.add %{{.*}}, %[[B]]
  %6 = dsc.add %1, %3 : f32[4], f32[4] -> f32[4]
  %7 = dsc.add %6, %5 : f32[4], f32[4] -> f32[4]
  return %7 : tensor<4xf32>
}

// -----

// What is moved only is moved as it is; rows that join a cache are rounded.
// CHECK-LABEL: func.func @cache
func.func @cache(%past: tensor<3x8xf16>, %x: tensor<1x8xf16>) -> (tensor<4x8xf16>, tensor<4x1xf16>) {
  // CHECK: %[[K:.*]] = dsc.neg %{{.*}} : f32[1,8] -> f32[1,8]
  // CHECK: %[[S:.*]] = dsc.cast %[[K]] {{.*}}to = 10 : i64} : f32[1,8] -> f16[1,8]
  %k = dsc.neg %x : f16[1,8] -> f16[1,8]
  // CHECK: %[[C:.*]] = dsc.concat %{{.*}}, %[[S]] {{.*}} : f16[3,8], f16[1,8] -> f16[4,8]
  %cache = dsc.concat %past, %k {axis = 0 : i64} : f16[3,8], f16[1,8] -> f16[4,8]
  // CHECK: %[[T:.*]] = dsc.transpose %[[C]] {{.*}} : f16[4,8] -> f16[8,4]
  %t = dsc.transpose %cache {perm = array<i64: 1, 0>} : f16[4,8] -> f16[8,4]
  // CHECK: dsc.matmul %[[K]], %[[T]] : f32[1,8], f16[8,4] -> f32[1,4]
  %scores = dsc.matmul %k, %t : f16[1,8], f16[8,4] -> f16[1,4]
  // CHECK: dsc.transpose %{{.*}} : f32[1,4] -> f32[4,1]
  %y = dsc.transpose %scores {perm = array<i64: 1, 0>} : f16[1,4] -> f16[4,1]
  return %cache, %y : tensor<4x8xf16>, tensor<4x1xf16>
}

// -----

// Edges of regions, and ops that have no form in float32, keep their types.
// CHECK-LABEL: func.func @edges
func.func @edges(%c: tensor<i1>, %x: tensor<4xf16>) -> (tensor<4xf16>, tensor<4xi16>) {
  // CHECK: %[[A:.*]] = dsc.neg %{{.*}} : f32[4] -> f32[4]
  // CHECK: %[[S:.*]] = dsc.cast %[[A]] {{.*}}to = 10 : i64} : f32[4] -> f16[4]
  %0 = dsc.neg %x : f16[4] -> f16[4]
  // CHECK: dsc.bit_cast %[[S]] {{.*}} : f16[4] -> i16[4]
  %bits = dsc.bit_cast %0 {to = 5 : i64} : f16[4] -> i16[4]
  return %0, %bits : tensor<4xf16>, tensor<4xi16>
}
