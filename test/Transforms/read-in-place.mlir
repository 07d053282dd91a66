// RUN: dsc-opt %s -dsc-form-groups -dsc-read-in-place | FileCheck %s

// Queries, keys and values side by side, as one product gives them.
// CHECK-LABEL: func.func @attention
func.func @attention(%x: tensor<5x3x16xf32>) -> tensor<3x5x16xf32> {
  // CHECK-NOT: dsc.group
  // CHECK: dsc.group {
  // CHECK: dsc.transpose
  // CHECK: dsc.gather
  // CHECK: dsc.gather
  // CHECK: dsc.gather
  // CHECK: dsc.attention
  // CHECK-NEXT: dsc.yield
  // CHECK-NOT: dsc.group
  // CHECK: return
  %none = dsc.none
  %i0 = dsc.constant dense<0> : tensor<i64>
  %0 = dsc.reshape %x {shape = #dsc.dims<5, 3, 1, 16>} : f32[5,3,16] -> f32[5,3,1,16]
  %1 = dsc.transpose %0 {perm = array<i64: 2, 1, 0, 3>} : f32[5,3,1,16] -> f32[1,3,5,16]
  %q = dsc.gather %1, %i0 {axis = 0 : i64} : f32[1,3,5,16], i64[] -> f32[3,5,16]
  %k = dsc.gather %1, %i0 {axis = 0 : i64} : f32[1,3,5,16], i64[] -> f32[3,5,16]
  %v = dsc.gather %1, %i0 {axis = 0 : i64} : f32[1,3,5,16], i64[] -> f32[3,5,16]
  %qs = dsc.reshape %q {shape = #dsc.dims<3, 5, 2, 8>} : f32[3,5,16] -> f32[3,5,2,8]
  %ks = dsc.reshape %k {shape = #dsc.dims<3, 5, 2, 8>} : f32[3,5,16] -> f32[3,5,2,8]
  %vs = dsc.reshape %v {shape = #dsc.dims<3, 5, 2, 8>} : f32[3,5,16] -> f32[3,5,2,8]
  %y = dsc.attention %qs, %ks, %vs, %none {q_perm = array<i64: 0, 2, 1, 3>, k_perm = array<i64: 0, 2, 1, 3>, v_perm = array<i64: 0, 2, 1, 3>, y_perm = array<i64: 0, 2, 1, 3>, scale = 1.0 : f32} : f32[3,5,2,8], f32[3,5,2,8], f32[3,5,2,8], none -> f32[3,5,2,8]
  %z = dsc.reshape %y {shape = #dsc.dims<3, 5, 16>} : f32[3,5,2,8] -> f32[3,5,16]
  return %z : tensor<3x5x16xf32>
}

// Columns of keys do not lie behind each other: they are transposed by a kernel.
// CHECK-LABEL: func.func @columns
func.func @columns(%q: tensor<1x2x5x8xf32>, %kt: tensor<1x2x8x7xf32>, %v: tensor<1x2x7x8xf32>) -> tensor<1x2x5x8xf32> {
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.transpose
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.attention
  %none = dsc.none
  %k = dsc.transpose %kt {perm = array<i64: 0, 1, 3, 2>} : f32[1,2,8,7] -> f32[1,2,7,8]
  %y = dsc.attention %q, %k, %v, %none {scale = 1.0 : f32} : f32[1,2,5,8], f32[1,2,7,8], f32[1,2,7,8], none -> f32[1,2,5,8]
  return %y : tensor<1x2x5x8xf32>
}
