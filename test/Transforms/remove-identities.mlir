// RUN: dsc-opt %s -dsc-remove-identities | FileCheck %s

// CHECK-LABEL: func.func @same_type
func.func @same_type(%x: tensor<2x3xf32>, %like: tensor<f32>) -> tensor<2x3xf32> {
  // CHECK-NEXT: return %arg0
  %0 = dsc.cast %x {to = 1 : i64} : f32[2,3] -> f32[2,3]
  %1 = dsc.cast_like %0, %like : f32[2,3], f32[] -> f32[2,3]
  %2 = dsc.expand %1 {shape = #dsc.dims<2, 1>} : f32[2,3] -> f32[2,3]
  %3 = dsc.transpose %2 {perm = array<i64: 0, 1>} : f32[2,3] -> f32[2,3]
  %4 = dsc.slice %3 {starts = #dsc.dims<0>, ends = #dsc.dims<9>, axes = #dsc.dims<0>} : f32[2,3] -> f32[2,3]
  return %4 : tensor<2x3xf32>
}

// CHECK-LABEL: func.func @views
func.func @views(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK: return %arg0
  %0 = dsc.unsqueeze %x {axes = #dsc.dims<0>} : f32[2,3] -> f32[1,2,3]
  %1 = dsc.reshape %0 {shape = #dsc.dims<6>} : f32[1,2,3] -> f32[6]
  %2 = dsc.reshape %1 {shape = #dsc.dims<2, 3>} : f32[6] -> f32[2,3]
  return %2 : tensor<2x3xf32>
}

// A transposition of equal sizes and a reversal are no identities.
// CHECK-LABEL: func.func @moves
func.func @moves(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK-NEXT: dsc.transpose
  // CHECK-NEXT: dsc.slice
  %0 = dsc.transpose %x {perm = array<i64: 1, 0>} : f32[3,3] -> f32[3,3]
  %1 = dsc.slice %0 {starts = #dsc.dims<-1>, ends = #dsc.dims<-4>, axes = #dsc.dims<0>, steps = #dsc.dims<-1>} : f32[3,3] -> f32[3,3]
  return %1 : tensor<3x3xf32>
}
