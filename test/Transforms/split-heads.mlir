// RUN: dsc-opt %s -dsc-split-heads -canonicalize -dsc-remove-identities -dsc-raise-attention -canonicalize -split-input-file | FileCheck %s
// RUN: dsc-opt %s -dsc-split-heads -canonicalize -split-input-file | FileCheck %s --check-prefix=SPLIT

// An encoder's layer with heads merged into the batch, the scale on the queries, and a
// mask that is added to the scores over four axes.
// CHECK-LABEL: func.func @merged
// SPLIT-LABEL: func.func @merged
func.func @merged(%x: tensor<?x?x4x8xf32, #dsc.tensor<dims = <B, N, 4, 8>>>, %y: tensor<?x?x4x8xf32, #dsc.tensor<dims = <B, N, 4, 8>>>, %z: tensor<?x?x4x8xf32, #dsc.tensor<dims = <B, N, 4, 8>>>, %mask: tensor<?x1x?x?xf32, #dsc.tensor<dims = <B, 1, N, N>>>) -> tensor<?x?x4x8xf32, #dsc.tensor<dims = <B, N, 4, 8>>> {
  // CHECK-NEXT: dsc.attention %arg0, %arg1, %arg2, %arg3 {
  // CHECK-SAME: k_perm = array<i64: 0, 2, 1, 3>, q_perm = array<i64: 0, 2, 1, 3>, scale = 0.353553385 : f32
  // CHECK-SAME: v_perm = array<i64: 0, 2, 1, 3>, y_perm = array<i64: 0, 2, 1, 3>
  // CHECK-NEXT: return
  // SPLIT: dsc.softmax {{.*}} : f32[B,4,N,N]
  // SPLIT: dsc.matmul {{.*}} : f32[B,4,N,N], f32[B,4,N,8]
  %root = dsc.constant dense<0.353553385> : tensor<f32>
  %0 = dsc.transpose %x {perm = array<i64: 0, 2, 1, 3>} : f32[B,N,4,8] -> f32[B,4,N,8]
  %1 = dsc.transpose %y {perm = array<i64: 0, 2, 1, 3>} : f32[B,N,4,8] -> f32[B,4,N,8]
  %2 = dsc.transpose %z {perm = array<i64: 0, 2, 1, 3>} : f32[B,N,4,8] -> f32[B,4,N,8]
  %q = dsc.reshape %0 {shape = #dsc.dims<B * 4, N, 8>} : f32[B,4,N,8] -> f32[B * 4,N,8]
  %k = dsc.reshape %1 {shape = #dsc.dims<B * 4, N, 8>} : f32[B,4,N,8] -> f32[B * 4,N,8]
  %v = dsc.reshape %2 {shape = #dsc.dims<B * 4, N, 8>} : f32[B,4,N,8] -> f32[B * 4,N,8]
  %3 = dsc.mul %q, %root : f32[B * 4,N,8], f32[] -> f32[B * 4,N,8]
  %4 = dsc.transpose %k {perm = array<i64: 0, 2, 1>} : f32[B * 4,N,8] -> f32[B * 4,8,N]
  %5 = dsc.matmul %3, %4 : f32[B * 4,N,8], f32[B * 4,8,N] -> f32[B * 4,N,N]
  %6 = dsc.reshape %5 {shape = #dsc.dims<B, 4, N, N>} : f32[B * 4,N,N] -> f32[B,4,N,N]
  %7 = dsc.add %6, %mask : f32[B,4,N,N], f32[B,1,N,N] -> f32[B,4,N,N]
  %8 = dsc.reshape %7 {shape = #dsc.dims<B * 4, N, N>} : f32[B,4,N,N] -> f32[B * 4,N,N]
  %9 = dsc.softmax %8 {axis = -1 : i64} : f32[B * 4,N,N] -> f32[B * 4,N,N]
  %10 = dsc.matmul %9, %v : f32[B * 4,N,N], f32[B * 4,N,8] -> f32[B * 4,N,8]
  %11 = dsc.reshape %10 {shape = #dsc.dims<B, 4, N, 8>} : f32[B * 4,N,8] -> f32[B,4,N,8]
  %12 = dsc.transpose %11 {perm = array<i64: 0, 2, 1, 3>} : f32[B,4,N,8] -> f32[B,N,4,8]
  return %12 : tensor<?x?x4x8xf32, #dsc.tensor<dims = <B, N, 4, 8>>>
}

// -----

// One head: nothing says more than that.
// CHECK-LABEL: func.func @one_head
// SPLIT-LABEL: func.func @one_head
func.func @one_head(%q: tensor<2x9x16xf32>, %k: tensor<2x7x16xf32>, %v: tensor<2x7x16xf32>, %mask: tensor<1x9x7xf32>) -> tensor<2x9x16xf32> {
  // CHECK: dsc.attention {{.*}} : f32[2,1,9,16], f32[2,1,7,16], f32[2,1,7,16], f32[1,1,9,7] -> f32[2,1,9,16]
  // SPLIT: dsc.softmax {{.*}} : f32[2,1,9,7]
  %0 = dsc.transpose %k {perm = array<i64: 0, 2, 1>} : f32[2,7,16] -> f32[2,16,7]
  %1 = dsc.matmul %q, %0 : f32[2,9,16], f32[2,16,7] -> f32[2,9,7]
  %2 = dsc.add %mask, %1 : f32[1,9,7], f32[2,9,7] -> f32[2,9,7]
  %3 = dsc.softmax %2 {axis = 2 : i64} : f32[2,9,7] -> f32[2,9,7]
  %4 = dsc.matmul %3, %v : f32[2,9,7], f32[2,7,16] -> f32[2,9,16]
  return %4 : tensor<2x9x16xf32>
}

// -----

// Axes before the batch (PyTorch's multi-head attention): [M, B * H, D] in and out.
// CHECK-LABEL: func.func @sequence_first
func.func @sequence_first(%x: tensor<5x6x8xf32>, %y: tensor<7x6x8xf32>, %z: tensor<7x6x8xf32>) -> tensor<5x6x8xf32> {
  // CHECK: dsc.attention {{.*}} {k_perm = array<i64: 1, 2, 0, 3>, q_perm = array<i64: 1, 2, 0, 3>, {{.*}}v_perm = array<i64: 1, 2, 0, 3>, y_perm = array<i64: 2, 0, 1, 3>}
  // CHECK-NOT: dsc.transpose
  %q = dsc.transpose %x {perm = array<i64: 1, 0, 2>} : f32[5,6,8] -> f32[6,5,8]
  %k = dsc.transpose %y {perm = array<i64: 1, 0, 2>} : f32[7,6,8] -> f32[6,7,8]
  %v = dsc.transpose %z {perm = array<i64: 1, 0, 2>} : f32[7,6,8] -> f32[6,7,8]
  %0 = dsc.transpose %k {perm = array<i64: 0, 2, 1>} : f32[6,7,8] -> f32[6,8,7]
  %1 = dsc.matmul %q, %0 : f32[6,5,8], f32[6,8,7] -> f32[6,5,7]
  %2 = dsc.softmax %1 : f32[6,5,7] -> f32[6,5,7]
  %3 = dsc.matmul %2, %v : f32[6,5,7], f32[6,7,8] -> f32[6,5,8]
  %4 = dsc.transpose %3 {perm = array<i64: 1, 0, 2>} : f32[6,5,8] -> f32[5,6,8]
  return %4 : tensor<5x6x8xf32>
}

// -----

// Softmax over the queries, and scores that no product gives.
// CHECK-LABEL: func.func @others
// SPLIT-LABEL: func.func @others
func.func @others(%q: tensor<2x4x4xf32>) -> (tensor<2x4x4xf32>, tensor<2x4x4xf32>) {
  // SPLIT-NOT: dsc.reshape
  // CHECK-NOT: dsc.attention
  %0 = dsc.matmul %q, %q : f32[2,4,4], f32[2,4,4] -> f32[2,4,4]
  %1 = dsc.softmax %0 {axis = 1 : i64} : f32[2,4,4] -> f32[2,4,4]
  %2 = dsc.matmul %1, %q : f32[2,4,4], f32[2,4,4] -> f32[2,4,4]
  %3 = dsc.softmax %q {axis = 2 : i64} : f32[2,4,4] -> f32[2,4,4]
  %4 = dsc.matmul %3, %q : f32[2,4,4], f32[2,4,4] -> f32[2,4,4]
  return %2, %4 : tensor<2x4x4xf32>, tensor<2x4x4xf32>
}
