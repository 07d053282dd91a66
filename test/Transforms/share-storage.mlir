// RUN: dsc-opt %s -dsc-form-groups -dsc-share-storage | FileCheck %s

// Both inputs are computed where they are to lie: no kernel copies them.
// CHECK-LABEL: func.func @concat_in_place
func.func @concat_in_place(%x: tensor<1x16x64xf32>, %w: tensor<64x64xf32>) -> tensor<1x32x64xf32> {
  // CHECK: %[[A:.*]] = dsc.group
  // CHECK: %[[B:.*]] = dsc.group
  // CHECK: dsc.relu
  // CHECK: %[[C:.*]] = dsc.concat %[[A]], %[[B]]
  // CHECK-NEXT: %[[D:.*]] = dsc.group
  // CHECK-NEXT: dsc.matmul %[[C]]
  %0 = dsc.matmul %x, %w : f32[1,16,64], f32[64,64] -> f32[1,16,64]
  %1 = dsc.relu %0 : f32[1,16,64] -> f32[1,16,64]
  %2 = dsc.matmul %1, %w : f32[1,16,64], f32[64,64] -> f32[1,16,64]
  %3 = dsc.relu %2 : f32[1,16,64] -> f32[1,16,64]
  %4 = dsc.concat %1, %3 {axis = 1 : i64} : f32[1,16,64], f32[1,16,64] -> f32[1,32,64]
  %5 = dsc.matmul %4, %w : f32[1,32,64], f32[64,64] -> f32[1,32,64]
  return %5 : tensor<1x32x64xf32>
}

// What another one holds is copied.
// CHECK-LABEL: func.func @concat_copies
func.func @concat_copies(%x: tensor<1x16x64xf32>, %w: tensor<64x64xf32>) -> tensor<1x32x64xf32> {
  // CHECK: %[[A:.*]] = dsc.group
  // CHECK-NEXT: dsc.matmul
  // CHECK: %[[X:.*]] = dsc.group
  // CHECK-NEXT: dsc.expand %arg0
  // CHECK: dsc.concat %[[X]], %[[A]]
  %0 = dsc.matmul %x, %w : f32[1,16,64], f32[64,64] -> f32[1,16,64]
  %1 = dsc.concat %x, %0 {axis = 1 : i64} : f32[1,16,64], f32[1,16,64] -> f32[1,32,64]
  %2 = dsc.matmul %1, %w : f32[1,32,64], f32[64,64] -> f32[1,32,64]
  return %2 : tensor<1x32x64xf32>
}

// The caller's memory holds no more than it has to; the outer axis is not 1.
// CHECK-LABEL: func.func @concat_kernels
func.func @concat_kernels(%x: tensor<2x16x64xf32>, %w: tensor<64x64xf32>)
    -> (tensor<2x32x64xf32>, tensor<4x16x64xf32>) {
  // CHECK: dsc.group
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.concat {{.*}} {axis = 1 : i64}
  // CHECK: dsc.matmul
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.concat {{.*}} {axis = 0 : i64}
  %0 = dsc.matmul %x, %w : f32[2,16,64], f32[64,64] -> f32[2,16,64]
  %1 = dsc.concat %x, %0 {axis = 1 : i64} : f32[2,16,64], f32[2,16,64] -> f32[2,32,64]
  %2 = dsc.matmul %1, %w : f32[2,32,64], f32[64,64] -> f32[2,32,64]
  %3 = dsc.concat %x, %0 {axis = 0 : i64} : f32[2,16,64], f32[2,16,64] -> f32[4,16,64]
  return %2, %3 : tensor<2x32x64xf32>, tensor<4x16x64xf32>
}

// Thirds of a row, and a row of a matrix of any width.
// CHECK-LABEL: func.func @slices
func.func @slices(%x: tensor<1x1x96xf32>, %w: tensor<96x96xf32>, %y: tensor<8x?xf32, #dsc.tensor<dims = <8, N>>>)
    -> (tensor<1x1x32xf32>, tensor<?xf32, #dsc.tensor<dims = <N>>>) {
  %index = dsc.constant dense<-3> : tensor<i64>
  // CHECK: %[[A:.*]] = dsc.group
  // CHECK-NEXT: dsc.matmul
  // CHECK: %[[B:.*]] = dsc.slice %[[A]]
  // CHECK: %[[C:.*]] = dsc.group
  // CHECK-NEXT: dsc.matmul %[[B]]
  // CHECK: %[[D:.*]] = dsc.gather %arg2
  // CHECK: %[[E:.*]] = dsc.unsqueeze %[[D]]
  // CHECK: dsc.matmul %{{.*}}, %[[E]]
  %0 = dsc.matmul %x, %w : f32[1,1,96], f32[96,96] -> f32[1,1,96]
  %1 = dsc.slice %0 {starts = #dsc.dims<32>, ends = #dsc.dims<64>, axes = #dsc.dims<2>} : f32[1,1,96] -> f32[1,1,32]
  %v = dsc.constant dense<1.0> : tensor<32x32xf32>
  %2 = dsc.matmul %1, %v : f32[1,1,32], f32[32,32] -> f32[1,1,32]
  %3 = dsc.gather %y, %index {axis = 0 : i64} : f32[8,N], i64[] -> f32[N]
  %4 = dsc.unsqueeze %3 {axes = #dsc.dims<0>} : f32[N] -> f32[1,N]
  %one = dsc.constant dense<1.0> : tensor<1x1xf32>
  %5 = dsc.matmul %one, %4 : f32[1,1], f32[1,N] -> f32[1,N]
  %6 = dsc.squeeze %5 {axes = #dsc.dims<0>} : f32[1,N] -> f32[N]
  return %2, %6 : tensor<1x1x32xf32>, tensor<?xf32, #dsc.tensor<dims = <N>>>
}

// Columns of several rows are not next to each other.
// CHECK-LABEL: func.func @columns
func.func @columns(%x: tensor<4x96xf32>, %w: tensor<32x32xf32>) -> tensor<4x32xf32> {
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.slice
  %0 = dsc.slice %x {starts = #dsc.dims<32>, ends = #dsc.dims<64>, axes = #dsc.dims<1>} : f32[4,96] -> f32[4,32]
  %1 = dsc.matmul %0, %w : f32[4,32], f32[32,32] -> f32[4,32]
  return %1 : tensor<4x32xf32>
}

// A row of something large would keep it while the largest tensor is computed.
// CHECK-LABEL: func.func @small_part_of_large
func.func @small_part_of_large(%x: tensor<64x64xf32>, %w: tensor<64x64xf32>) -> tensor<64x64xf32> {
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.matmul
  // CHECK: dsc.group
  // CHECK-NEXT: dsc.slice
  %0 = dsc.matmul %x, %w : f32[64,64], f32[64,64] -> f32[64,64]
  %1 = dsc.slice %0 {starts = #dsc.dims<1>, ends = #dsc.dims<2>, axes = #dsc.dims<0>} : f32[64,64] -> f32[1,64]
  %2 = dsc.matmul %0, %w : f32[64,64], f32[64,64] -> f32[64,64]
  %3 = dsc.matmul %2, %w : f32[64,64], f32[64,64] -> f32[64,64]
  %4 = dsc.matmul %3, %w : f32[64,64], f32[64,64] -> f32[64,64]
  %5 = dsc.add %4, %1 : f32[64,64], f32[1,64] -> f32[64,64]
  %6 = dsc.matmul %1, %w : f32[1,64], f32[64,64] -> f32[1,64]
  %7 = dsc.matmul %5, %w : f32[64,64], f32[64,64] -> f32[64,64]
  %8 = dsc.add %7, %6 : f32[64,64], f32[1,64] -> f32[64,64]
  return %8 : tensor<64x64xf32>
}
