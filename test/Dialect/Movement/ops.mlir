// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @reshape(
// CHECK: dsc.reshape %{{.*}} {allowzero = 0 : i64, shape = #dsc.dims<0, 4, -1>} : f32[N,8,3] -> f32[N,4,6]
func.func @reshape(%a: tensor<?x8x3xf32, #dsc.tensor<dims = <N, 8, 3>>>) {
  %y = dsc.reshape %a {shape = #dsc.dims<0, 4, -1>} : f32[N,8,3] -> f32[N,4,6]
  return
}

// CHECK-LABEL: func.func @squeeze(
// CHECK: dsc.squeeze %{{.*}} {axes = #dsc.dims<-1, 1>} : f32[N,1,3,1] -> f32[N,3]
func.func @squeeze(%a: tensor<?x1x3x1xf32, #dsc.tensor<dims = <N, 1, 3, 1>>>) {
  %y = dsc.squeeze %a {axes = #dsc.dims<-1, 1>} : f32[N,1,3,1] -> f32[N,3]
  return
}

// CHECK-LABEL: func.func @unsqueeze(
// CHECK: dsc.unsqueeze %{{.*}} {axes = #dsc.dims<0, -1>} : f32[N,3] -> f32[1,N,3,1]
func.func @unsqueeze(%a: tensor<?x3xf32, #dsc.tensor<dims = <N, 3>>>) {
  %y = dsc.unsqueeze %a {axes = #dsc.dims<0, -1>} : f32[N,3] -> f32[1,N,3,1]
  return
}

// CHECK-LABEL: func.func @flatten(
// CHECK: dsc.flatten %{{.*}} {axis = 2 : i64} : f32[N,2,3,4] -> f32[2 * N,12]
func.func @flatten(%a: tensor<?x2x3x4xf32, #dsc.tensor<dims = <N, 2, 3, 4>>>) {
  %y = dsc.flatten %a {axis = 2} : f32[N,2,3,4] -> f32[2 * N,12]
  return
}

// CHECK-LABEL: func.func @transpose(
// CHECK: dsc.transpose %{{.*}} {perm = array<i64: 2, 0, 1>} : u8[N,2,3] -> u8[3,N,2]
func.func @transpose(%a: tensor<?x2x3xui8, #dsc.tensor<dims = <N, 2, 3>>>) {
  %y = dsc.transpose %a {perm = array<i64: 2, 0, 1>} : u8[N,2,3] -> u8[3,N,2]
  return
}

// CHECK-LABEL: func.func @reversed(
// CHECK: dsc.transpose %{{.*}} : bool[N,2,3] -> bool[3,2,N]
func.func @reversed(%a: tensor<?x2x3xi1, #dsc.tensor<dims = <N, 2, 3>>>) {
  %y = dsc.transpose %a : bool[N,2,3] -> bool[3,2,N]
  return
}

// CHECK-LABEL: func.func @concat(
// CHECK: dsc.concat %{{.*}} {axis = -2 : i64} : f32[2,N,3], f32[2,M,3], f32[2,1,3] -> f32[2,M + N + 1,3]
func.func @concat(%a: tensor<2x?x3xf32, #dsc.tensor<dims = <2, N, 3>>>, %b: tensor<2x?x3xf32, #dsc.tensor<dims = <2, M, 3>>>, %c: tensor<2x1x3xf32>) {
  %y = dsc.concat %a, %b, %c {axis = -2} : f32[2,N,3], f32[2,M,3], f32[2,1,3] -> f32[2,M + N + 1,3]
  return
}

// CHECK-LABEL: func.func @split(
// CHECK: dsc.split %{{.*}} {axis = 1 : i64, split = #dsc.dims<2, 3>} : f32[N,5] -> f32[N,2], f32[N,3]
func.func @split(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) {
  %y:2 = dsc.split %a {axis = 1, split = #dsc.dims<2, 3>} : f32[N,5] -> f32[N,2], f32[N,3]
  return
}

// CHECK-LABEL: func.func @split_evenly(
// CHECK: dsc.split %{{.*}} {axis = -1 : i64, num_outputs = 2 : i64} : f32[N,5] -> f32[N,3], f32[N,2]
func.func @split_evenly(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) {
  %y:2 = dsc.split %a {axis = -1, num_outputs = 2} : f32[N,5] -> f32[N,3], f32[N,2]
  return
}

// CHECK-LABEL: func.func @slice(
// CHECK: dsc.slice %{{.*}} {axes = #dsc.dims<0, 2>, ends = #dsc.dims<5, -9223372036854775807>, starts = #dsc.dims<1, -1>, steps = #dsc.dims<2, -1>} : f32[10,4,N] -> f32[2,4,N]
func.func @slice(%a: tensor<10x4x?xf32, #dsc.tensor<dims = <10, 4, N>>>) {
  %y = dsc.slice %a {starts = #dsc.dims<1, -1>, ends = #dsc.dims<5, -9223372036854775808>, axes = #dsc.dims<0, 2>, steps = #dsc.dims<2, -1>} : f32[10,4,N] -> f32[2,4,N]
  return
}

// CHECK-LABEL: func.func @expand(
// CHECK: dsc.expand %{{.*}} {shape = #dsc.dims<B, 3, 1>} : f32[3,4] -> f32[B,3,4]
func.func @expand(%a: tensor<3x4xf32>) {
  %y = dsc.expand %a {shape = #dsc.dims<B, 3, 1>} : f32[3,4] -> f32[B,3,4]
  return
}

// CHECK-LABEL: func.func @tile(
// CHECK: dsc.tile %{{.*}} {repeats = #dsc.dims<2, R>} : f32[N,3] -> f32[2 * N,3 * R]
func.func @tile(%a: tensor<?x3xf32, #dsc.tensor<dims = <N, 3>>>) {
  %y = dsc.tile %a {repeats = #dsc.dims<2, R>} : f32[N,3] -> f32[2 * N,3 * R]
  return
}

// CHECK-LABEL: func.func @pad(
// CHECK: dsc.pad %{{.*}} {mode = "constant", pads = #dsc.dims<0, 1, 2, -1>} : f32[N,5], f32[] -> f32[N + 2,5]
func.func @pad(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>, %b: tensor<f32>) {
  %y = dsc.pad %a, %b {pads = #dsc.dims<0, 1, 2, -1>} : f32[N,5], f32[] -> f32[N + 2,5]
  return
}

// CHECK-LABEL: func.func @reflect(
// CHECK: dsc.pad %{{.*}} {axes = #dsc.dims<-1>, mode = "reflect", pads = #dsc.dims<1, 1>} : f32[N,5], none -> f32[N,7]
func.func @reflect(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) {
  %none = dsc.none
  %y = dsc.pad %a, %none {pads = #dsc.dims<1, 1>, axes = #dsc.dims<-1>, mode = "reflect"} : f32[N,5], none -> f32[N,7]
  return
}

// CHECK-LABEL: func.func @depth_to_space(
// CHECK: dsc.depth_to_space %{{.*}} {blocksize = 2 : i64, mode = "CRD"} : f32[N,8,H,W] -> f32[N,2,2 * H,2 * W]
func.func @depth_to_space(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>) {
  %y = dsc.depth_to_space %a {blocksize = 2, mode = "CRD"} : f32[N,8,H,W] -> f32[N,2,2 * H,2 * W]
  return
}

// CHECK-LABEL: func.func @space_to_depth(
// CHECK: dsc.space_to_depth %{{.*}} {blocksize = 2 : i64, mode = "DCR"} : f32[N,2,6,4] -> f32[N,8,3,2]
func.func @space_to_depth(%a: tensor<?x2x6x4xf32, #dsc.tensor<dims = <N, 2, 6, 4>>>) {
  %y = dsc.space_to_depth %a {blocksize = 2} : f32[N,2,6,4] -> f32[N,8,3,2]
  return
}

// CHECK-LABEL: func.func @reverse_sequence(
// CHECK: dsc.reverse_sequence %{{.*}} {batch_axis = 1 : i64, time_axis = 0 : i64} : f32[T,N,3], i64[N] -> f32[T,N,3]
func.func @reverse_sequence(%a: tensor<?x?x3xf32, #dsc.tensor<dims = <T, N, 3>>>, %b: tensor<?xi64, #dsc.tensor<dims = <N>>>) {
  %y = dsc.reverse_sequence %a, %b {batch_axis = 1, time_axis = 0} : f32[T,N,3], i64[N] -> f32[T,N,3]
  return
}

// CHECK-LABEL: func.func @shape(
// CHECK: dsc.shape %{{.*}} {start = 1 : i64} : f32[N,3,4] -> i64[2]
func.func @shape(%a: tensor<?x3x4xf32, #dsc.tensor<dims = <N, 3, 4>>>) {
  %y = dsc.shape %a {start = 1} : f32[N,3,4] -> i64[2]
  return
}

// CHECK-LABEL: func.func @element_count(
// CHECK: dsc.element_count %{{.*}} : f32[N,3,4] -> i64[]
func.func @element_count(%a: tensor<?x3x4xf32, #dsc.tensor<dims = <N, 3, 4>>>) {
  %y = dsc.element_count %a : f32[N,3,4] -> i64[]
  return
}

// CHECK-LABEL: func.func @constant_of_shape(
// CHECK: dsc.constant_of_shape {shape = #dsc.dims<N, 4>, value = dense<7> : tensor<1xi32>} : i32[N,4]
func.func @constant_of_shape() {
  %y = dsc.constant_of_shape {shape = #dsc.dims<N, 4>, value = dense<7> : tensor<1xi32>} : i32[N,4]
  return
}

// CHECK-LABEL: func.func @range(
// CHECK: dsc.range %{{.*}} {delta = #dsc.dims<3>, limit = #dsc.dims<N>, start = #dsc.dims<1>, stash_type = 1 : i64} : i64[], i64[], i64[] -> i64[max((N - 1) ceildiv 3, 0)]
func.func @range(%a: tensor<i64>, %b: tensor<i64>, %c: tensor<i64>) {
  %y = dsc.range %a, %b, %c {start = #dsc.dims<1>, limit = #dsc.dims<N>, delta = #dsc.dims<3>} : i64[], i64[], i64[] -> i64[max(0, (N - 1) ceildiv 3)]
  return
}

// CHECK-LABEL: func.func @eye_like(
// CHECK: dsc.eye_like %{{.*}} {dtype = 10 : i64, k = 1 : i64} : i32[N,M] -> f16[N,M]
func.func @eye_like(%a: tensor<?x?xi32, #dsc.tensor<dims = <N, M>>>) {
  %y = dsc.eye_like %a {dtype = 10, k = 1} : i32[N,M] -> f16[N,M]
  return
}

// CHECK-LABEL: func.func @trilu(
// CHECK: dsc.trilu %{{.*}} {k = #dsc.dims<-1>, upper = 0 : i64} : f32[B,N,M] -> f32[B,N,M]
func.func @trilu(%a: tensor<?x?x?xf32, #dsc.tensor<dims = <B, N, M>>>) {
  %y = dsc.trilu %a {upper = 0, k = #dsc.dims<-1>} : f32[B,N,M] -> f32[B,N,M]
  return
}

// CHECK-LABEL: func.func @nonzero(
// CHECK: dsc.nonzero %{{.*}} {count = #dsc.dim<K>} : bool[N,3] -> i64[2,K]
func.func @nonzero(%a: tensor<?x3xi1, #dsc.tensor<dims = <N, 3>>>) {
  %y = dsc.nonzero %a {count = #dsc.dim<K>} : bool[N,3] -> i64[2,K]
  return
}

// CHECK-LABEL: func.func @count_nonzero(
// CHECK: dsc.count_nonzero %{{.*}} : bool[N,3] -> i64[1]
func.func @count_nonzero(%a: tensor<?x3xi1, #dsc.tensor<dims = <N, 3>>>) {
  %y = dsc.count_nonzero %a : bool[N,3] -> i64[1]
  return
}

// CHECK-LABEL: func.func @compress(
// CHECK: dsc.compress %{{.*}} {axis = 1 : i64, count = #dsc.dim<K>} : f32[N,5], bool[4] -> f32[N,K]
func.func @compress(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>, %b: tensor<4xi1>) {
  %y = dsc.compress %a, %b {axis = 1, count = #dsc.dim<K>} : f32[N,5], bool[4] -> f32[N,K]
  return
}
