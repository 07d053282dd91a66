// RUN: dsc-opt %s --dsc-decompose --canonicalize --dsc-form-groups --dsc-choose-schedules="target=x86-64-v3" | FileCheck %s

// Between what reflection adds lies a copy: loops of vectors.
// CHECK-LABEL: func.func @reflect
func.func @reflect(%x: tensor<1x8x?x?xf32, #dsc.tensor<dims = <1, 8, H, W>>>) -> tensor<1x8x?x?xf32, #dsc.tensor<dims = <1, 8, H + 2, W + 2>>> {
  // CHECK: dsc.group {{.*}}<"maps"
  %none = dsc.none
  %y = dsc.pad %x, %none {mode = "reflect", pads = #dsc.dims<0, 0, 1, 1, 0, 0, 1, 1>} : f32[1,8,H,W], none -> f32[1,8,H + 2,W + 2]
  return %y : tensor<1x8x?x?xf32, #dsc.tensor<dims = <1, 8, H + 2, W + 2>>>
}

// An axis shorter than a square of vectors.
// CHECK-LABEL: func.func @short_transpose
func.func @short_transpose(%x: tensor<128x6x64xf32>) -> tensor<128x64x6xf32> {
  // CHECK: dsc.group {{.*}}<"transpose"
  %y = dsc.transpose %x {perm = array<i64: 0, 2, 1>} : f32[128,6,64] -> f32[128,64,6]
  return %y : tensor<128x64x6xf32>
}

// Channels are made the innermost axis, along which what is found for a sample is the same.
// CHECK-LABEL: func.func @roi_align
func.func @roi_align(%x: tensor<1x64x50x50xf32>, %rois: tensor<?x4xf32, #dsc.tensor<dims = <R, 4>>>, %images: tensor<?xi64, #dsc.tensor<dims = <R>>>) -> tensor<?x64x7x7xf32, #dsc.tensor<dims = <R, 64, 7, 7>>> {
  // CHECK: dsc.transpose
  // CHECK: dsc.group {{.*}}<"accumulate"
  // CHECK-NEXT: dsc.roi_align {{.*}} {channels_last = 1 : i64
  // CHECK-SAME: -> f32[R,7,7,64]
  // CHECK: dsc.transpose
  %y = dsc.roi_align %x, %rois, %images {output_height = 7, output_width = 7, sampling_ratio = 2} : f32[1,64,50,50], f32[R,4], i64[R] -> f32[R,64,7,7]
  return %y : tensor<?x64x7x7xf32, #dsc.tensor<dims = <R, 64, 7, 7>>>
}

// Indices repeated along the other axes name rows.
// CHECK-LABEL: func.func @scatter
func.func @scatter(%x: tensor<9x32xf32>, %i: tensor<5x1xi64>, %u: tensor<5x32xf32>) -> tensor<9x32xf32> {
  // CHECK: dsc.group {{.*}}<"scatter-rows"
  // CHECK-NEXT: dsc.scatter_nd
  %places = dsc.expand %i {shape = #dsc.dims<5, 32>} : i64[5,1] -> i64[5,32]
  %y = dsc.scatter_elements %x, %places, %u {axis = 0 : i64, reduction = "add"} : f32[9,32], i64[5,32], f32[5,32] -> f32[9,32]
  return %y : tensor<9x32xf32>
}

// Any element may go anywhere.
// CHECK-LABEL: func.func @scatter_elements
func.func @scatter_elements(%x: tensor<9x32xf32>, %i: tensor<5x32xi64>, %u: tensor<5x32xf32>) -> tensor<9x32xf32> {
  // CHECK: dsc.group {{.*}}<"sequential"
  %y = dsc.scatter_elements %x, %i, %u {axis = 0 : i64, reduction = "add"} : f32[9,32], i64[5,32], f32[5,32] -> f32[9,32]
  return %y : tensor<9x32xf32>
}

// All but one pixel of the levels may be read as vectors, whatever the batch.
// CHECK-LABEL: func.func @pyramid
func.func @pyramid(%d: tensor<?x4x?x?xf32, #dsc.tensor<dims = <N, 4, H, W>>>, %l: tensor<?x4x?x?xf32, #dsc.tensor<dims = <N, 4, A, B>>>) -> tensor<?x4x?x?xf32, #dsc.tensor<dims = <N, 4, 2 * H, 2 * W>>> {
  // CHECK: dsc.group {{.*}}<"maps"
  %u = dsc.resize %d {coordinate_transformation_mode = "asymmetric", mode = "nearest", nearest_mode = "floor", roi = array<f32>, scales = array<f32: 1.0, 1.0, 2.0, 2.0>} : f32[N,4,H,W] -> f32[N,4,2 * H,2 * W]
  %y = dsc.add %u, %l : f32[N,4,2 * H,2 * W], f32[N,4,A,B] -> f32[N,4,2 * H,2 * W]
  return %y : tensor<?x4x?x?xf32, #dsc.tensor<dims = <N, 4, 2 * H, 2 * W>>>
}
