// RUN: dsc-opt %s -dsc-move-transposes -canonicalize | FileCheck %s

// CHECK-LABEL: func.func @pair
func.func @pair(%x: tensor<2x3x4x5xf32>) -> tensor<2x3x4x5xf32> {
  // CHECK-NEXT: dsc.relu %arg0 : f32[2,3,4,5]
  // CHECK-NEXT: return
  %0 = dsc.transpose %x {perm = array<i64: 0, 2, 3, 1>} : f32[2,3,4,5] -> f32[2,4,5,3]
  %1 = dsc.relu %0 : f32[2,4,5,3] -> f32[2,4,5,3]
  %2 = dsc.transpose %1 {perm = array<i64: 0, 3, 1, 2>} : f32[2,4,5,3] -> f32[2,3,4,5]
  return %2 : tensor<2x3x4x5xf32>
}

// Constants are transposed back; a single element has no place. A second use keeps a
// transposition.
// CHECK-LABEL: func.func @operands
func.func @operands(%x: tensor<2x3x4x5xf32>, %s: tensor<f32>) -> (tensor<2x3x4x5xf32>, tensor<2x4x5x3xf32>) {
  %c = dsc.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  // CHECK: %[[R:.*]] = dsc.reshape {{.*}}#dsc.dims<1, 1, 1, 3>}
  // CHECK: %[[T:.*]] = dsc.transpose %[[R]] {perm = array<i64: 0, 3, 1, 2>} : f32[1,1,1,3] -> f32[1,3,1,1]
  // CHECK: %[[A:.*]] = dsc.add %arg0, %[[T]] : f32[2,3,4,5], f32[1,3,1,1]
  // CHECK: %[[M:.*]] = dsc.mul %arg1, %[[A]]
  // CHECK: %[[B:.*]] = dsc.transpose %[[M]] {perm = array<i64: 0, 2, 3, 1>}
  // CHECK: return %[[M]], %[[B]]
  %0 = dsc.transpose %x {perm = array<i64: 0, 2, 3, 1>} : f32[2,3,4,5] -> f32[2,4,5,3]
  %1 = dsc.add %0, %c : f32[2,4,5,3], f32[3] -> f32[2,4,5,3]
  %2 = dsc.mul %s, %1 : f32[], f32[2,4,5,3] -> f32[2,4,5,3]
  %3 = dsc.transpose %2 {perm = array<i64: 0, 3, 1, 2>} : f32[2,4,5,3] -> f32[2,3,4,5]
  return %3, %2 : tensor<2x3x4x5xf32>, tensor<2x4x5x3xf32>
}

// Two branches, side by side and one on the other.
// CHECK-LABEL: func.func @branches
func.func @branches(%x: tensor<1x3x4x5xf32>, %y: tensor<1x2x4x5xf32>) -> tensor<1x5x4x5xf32> {
  // CHECK-NEXT: %[[C:.*]] = dsc.concat %arg0, %arg1 {axis = 1 : i64} : f32[1,3,4,5], f32[1,2,4,5] -> f32[1,5,4,5]
  // CHECK-NEXT: %[[A:.*]] = dsc.add %[[C]], %[[C]]
  // CHECK-NEXT: return %[[A]]
  %0 = dsc.transpose %x {perm = array<i64: 0, 2, 3, 1>} : f32[1,3,4,5] -> f32[1,4,5,3]
  %1 = dsc.transpose %y {perm = array<i64: 0, 2, 3, 1>} : f32[1,2,4,5] -> f32[1,4,5,2]
  %2 = dsc.concat %0, %1 {axis = -1 : i64} : f32[1,4,5,3], f32[1,4,5,2] -> f32[1,4,5,5]
  %3 = dsc.add %2, %2 : f32[1,4,5,5], f32[1,4,5,5] -> f32[1,4,5,5]
  %4 = dsc.transpose %3 {perm = array<i64: 0, 3, 1, 2>} : f32[1,4,5,5] -> f32[1,5,4,5]
  return %4 : tensor<1x5x4x5xf32>
}

// Nothing behind it undoes the transposition; the operands are transposed differently;
// an operand is computed; the op knows its axes.
// CHECK-LABEL: func.func @stay
func.func @stay(%x: tensor<4x4xf32>, %y: tensor<4xf32>) -> (tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>) {
  // CHECK: %[[T:.*]] = dsc.transpose %arg0
  // CHECK: dsc.relu %[[T]]
  %0 = dsc.transpose %x {perm = array<i64: 1, 0>} : f32[4,4] -> f32[4,4]
  %1 = dsc.relu %0 : f32[4,4] -> f32[4,4]
  // CHECK: dsc.add %[[T]], %arg1
  %2 = dsc.add %0, %y : f32[4,4], f32[4] -> f32[4,4]
  %3 = dsc.transpose %2 {perm = array<i64: 1, 0>} : f32[4,4] -> f32[4,4]
  // CHECK: dsc.batch_normalization %[[T]]
  %4 = dsc.batch_normalization %0, %y, %y, %y, %y {epsilon = 9.99999974E-6 : f32, momentum = 0.899999976 : f32, training_mode = 0 : i64} : f32[4,4], f32[4], f32[4], f32[4], f32[4] -> f32[4,4]
  %5 = dsc.transpose %4 {perm = array<i64: 1, 0>} : f32[4,4] -> f32[4,4]
  return %1, %3, %5 : tensor<4x4xf32>, tensor<4x4xf32>, tensor<4x4xf32>
}

// Two of another kind stay as they are: other passes know them so.
// CHECK-LABEL: func.func @others
func.func @others(%x: tensor<2x3x4xf32>) -> tensor<4x3x2xf32> {
  // CHECK-NEXT: dsc.transpose
  // CHECK-NEXT: dsc.transpose
  // CHECK-NEXT: return
  %0 = dsc.transpose %x {perm = array<i64: 1, 2, 0>} : f32[2,3,4] -> f32[3,4,2]
  %1 = dsc.transpose %0 {perm = array<i64: 1, 0, 2>} : f32[3,4,2] -> f32[4,3,2]
  return %1 : tensor<4x3x2xf32>
}
