// RUN: dsc-opt %s -dsc-decompose | FileCheck %s

// What each operator without a Spec becomes: the steps and their shapes.

// CHECK-LABEL: func.func @softmax(
// CHECK: dsc.reduce_max {{.*}} -> f32[N,1]
// CHECK: dsc.sub {{.*}} -> f32[N,10]
// CHECK: dsc.exp {{.*}} -> f32[N,10]
// CHECK: dsc.reduce_sum {{.*}} -> f32[N,1]
// CHECK: dsc.reciprocal {{.*}} -> f32[N,1]
// CHECK: dsc.mul {{.*}} -> f32[N,10]
func.func @softmax(%a: tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>) -> tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>> {
  %y = dsc.softmax %a : f32[N,10] -> f32[N,10]
  return %y : tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>
}

// CHECK-LABEL: func.func @softmax_half(
// CHECK: dsc.cast {{.*}} -> f32[N,10]
// CHECK: dsc.reduce_max {{.*}} -> f32[N,1]
// CHECK: dsc.sub {{.*}} -> f32[N,10]
// CHECK: dsc.exp {{.*}} -> f32[N,10]
// CHECK: dsc.reduce_sum {{.*}} -> f32[N,1]
// CHECK: dsc.reciprocal {{.*}} -> f32[N,1]
// CHECK: dsc.mul {{.*}} -> f32[N,10]
// CHECK: dsc.cast {{.*}} -> f16[N,10]
func.func @softmax_half(%a: tensor<?x10xf16, #dsc.tensor<dims = <N, 10>>>) -> tensor<?x10xf16, #dsc.tensor<dims = <N, 10>>> {
  %y = dsc.softmax %a : f16[N,10] -> f16[N,10]
  return %y : tensor<?x10xf16, #dsc.tensor<dims = <N, 10>>>
}

// CHECK-LABEL: func.func @log_softmax(
// CHECK: dsc.reduce_max {{.*}} -> f32[N,1]
// CHECK: dsc.sub {{.*}} -> f32[N,10]
// CHECK: dsc.exp {{.*}} -> f32[N,10]
// CHECK: dsc.reduce_sum {{.*}} -> f32[N,1]
// CHECK: dsc.log {{.*}} -> f32[N,1]
// CHECK: dsc.sub {{.*}} -> f32[N,10]
func.func @log_softmax(%a: tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>) -> tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>> {
  %y = dsc.log_softmax %a : f32[N,10] -> f32[N,10]
  return %y : tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>
}

// CHECK-LABEL: func.func @layer_normalization(
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,1]
// CHECK: dsc.sub {{.*}} -> f32[N,64]
// CHECK: dsc.mul {{.*}} -> f32[N,64]
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,1]
// CHECK: dsc.add {{.*}} -> f32[N,1]
// CHECK: dsc.sqrt {{.*}} -> f32[N,1]
// CHECK: dsc.reciprocal {{.*}} -> f32[N,1]
// CHECK: dsc.mul {{.*}} -> f32[N,64]
// CHECK: dsc.mul {{.*}} -> f32[N,64]
// CHECK: dsc.add {{.*}} -> f32[N,64]
func.func @layer_normalization(%a: tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>>, %b: tensor<64xf32>, %c: tensor<64xf32>) -> tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>> {
  %y = dsc.layer_normalization %a, %b, %c : f32[N,64], f32[64], f32[64] -> f32[N,64]
  return %y : tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>>
}

// CHECK-LABEL: func.func @rms_normalization(
// CHECK: dsc.mul {{.*}} -> f32[N,64]
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,1]
// CHECK: dsc.add {{.*}} -> f32[N,1]
// CHECK: dsc.sqrt {{.*}} -> f32[N,1]
// CHECK: dsc.div {{.*}} -> f32[N,64]
// CHECK: dsc.mul {{.*}} -> f32[N,64]
func.func @rms_normalization(%a: tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>>, %b: tensor<64xf32>) -> tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>> {
  %y = dsc.rms_normalization %a, %b : f32[N,64], f32[64] -> f32[N,64]
  return %y : tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>>
}

// CHECK-LABEL: func.func @group_normalization(
// CHECK: dsc.reshape {{.*}} -> f32[N,4,2 * H]
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,4,1]
// CHECK: dsc.sub {{.*}} -> f32[N,4,2 * H]
// CHECK: dsc.mul {{.*}} -> f32[N,4,2 * H]
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,4,1]
// CHECK: dsc.add {{.*}} -> f32[N,4,1]
// CHECK: dsc.sqrt {{.*}} -> f32[N,4,1]
// CHECK: dsc.reciprocal {{.*}} -> f32[N,4,1]
// CHECK: dsc.mul {{.*}} -> f32[N,4,2 * H]
// CHECK: dsc.reshape {{.*}} -> f32[N,8,H]
// CHECK: dsc.reshape {{.*}} -> f32[8,1]
// CHECK: dsc.reshape {{.*}} -> f32[8,1]
// CHECK: dsc.mul {{.*}} -> f32[N,8,H]
// CHECK: dsc.add {{.*}} -> f32[N,8,H]
func.func @group_normalization(%a: tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) -> tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>> {
  %y = dsc.group_normalization %a, %b, %c {num_groups = 4} : f32[N,8,H], f32[8], f32[8] -> f32[N,8,H]
  return %y : tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>
}

// CHECK-LABEL: func.func @instance_normalization(
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,8,1]
// CHECK: dsc.sub {{.*}} -> f32[N,8,H]
// CHECK: dsc.mul {{.*}} -> f32[N,8,H]
// CHECK: dsc.reduce_mean {{.*}} -> f32[N,8,1]
// CHECK: dsc.add {{.*}} -> f32[N,8,1]
// CHECK: dsc.sqrt {{.*}} -> f32[N,8,1]
// CHECK: dsc.reciprocal {{.*}} -> f32[N,8,1]
// CHECK: dsc.mul {{.*}} -> f32[N,8,H]
// CHECK: dsc.reshape {{.*}} -> f32[8,1]
// CHECK: dsc.reshape {{.*}} -> f32[8,1]
// CHECK: dsc.mul {{.*}} -> f32[N,8,H]
// CHECK: dsc.add {{.*}} -> f32[N,8,H]
func.func @instance_normalization(%a: tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) -> tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>> {
  %y = dsc.instance_normalization %a, %b, %c : f32[N,8,H], f32[8], f32[8] -> f32[N,8,H]
  return %y : tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>
}

// CHECK-LABEL: func.func @lp_normalization(
// CHECK: dsc.reduce_l2 {{.*}} -> f32[N,1]
// CHECK: dsc.equal {{.*}} -> bool[N,1]
// CHECK: dsc.div {{.*}} -> f32[N,10]
// CHECK: dsc.where {{.*}} -> f32[N,10]
func.func @lp_normalization(%a: tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>) -> tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>> {
  %y = dsc.lp_normalization %a : f32[N,10] -> f32[N,10]
  return %y : tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>
}

// CHECK-LABEL: func.func @attention(
// CHECK: dsc.mul {{.*}} -> f32[B,8,S,64]
// CHECK: dsc.transpose {{.*}} -> f32[B,2,64,T]
// CHECK: dsc.reshape {{.*}} -> f32[B,2,4 * S,64]
// CHECK: dsc.matmul {{.*}} -> f32[B,2,4 * S,T]
// CHECK: dsc.reshape {{.*}} -> f32[B,8,S,T]
// CHECK: dsc.causal_mask {{.*}} -> f32[B,8,S,T]
// CHECK: dsc.reduce_max {{.*}} -> f32[B,8,S,1]
// CHECK: dsc.sub {{.*}} -> f32[B,8,S,T]
// CHECK: dsc.exp {{.*}} -> f32[B,8,S,T]
// CHECK: dsc.reduce_sum {{.*}} -> f32[B,8,S,1]
// CHECK: dsc.reciprocal {{.*}} -> f32[B,8,S,1]
// CHECK: dsc.mul {{.*}} -> f32[B,8,S,T]
// CHECK: dsc.reshape {{.*}} -> f32[B,2,4 * S,T]
// CHECK: dsc.matmul {{.*}} -> f32[B,2,4 * S,64]
// CHECK: dsc.reshape {{.*}} -> f32[B,8,S,64]
func.func @attention(%a: tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, S, 64>>>, %b: tensor<?x2x?x64xf32, #dsc.tensor<dims = <B, 2, T, 64>>>, %c: tensor<?x2x?x64xf32, #dsc.tensor<dims = <B, 2, T, 64>>>) -> tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, S, 64>>> {
  %none = dsc.none
  %y = dsc.attention %a, %b, %c, %none {scale = 1.250000e-01 : f32, causal = 1} : f32[B,8,S,64], f32[B,2,T,64], f32[B,2,T,64], none -> f32[B,8,S,64]
  return %y : tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, S, 64>>>
}

// CHECK-LABEL: func.func @split(
// CHECK: dsc.slice {{.*}} -> f32[2]
// CHECK: dsc.slice {{.*}} -> f32[K]
func.func @split(%a: tensor<?xf32, #dsc.tensor<dims = <K + 2>>>) -> (tensor<2xf32>, tensor<?xf32, #dsc.tensor<dims = <K>>>) {
  %y:2 = dsc.split %a {split = #dsc.dims<2, K>} : f32[K + 2] -> f32[2], f32[K]
  return %y#0, %y#1 : tensor<2xf32>, tensor<?xf32, #dsc.tensor<dims = <K>>>
}

// CHECK-LABEL: func.func @compress(
// CHECK: dsc.nonzero {{.*}} -> i64[1,K]
// CHECK: dsc.reshape {{.*}} -> i64[K]
// CHECK: dsc.gather {{.*}} -> f32[N,K]
func.func @compress(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>, %b: tensor<5xi1>) -> tensor<?x?xf32, #dsc.tensor<dims = <N, K>>> {
  %y = dsc.compress %a, %b {axis = 1, count = #dsc.dim<K>} : f32[N,5], bool[5] -> f32[N,K]
  return %y : tensor<?x?xf32, #dsc.tensor<dims = <N, K>>>
}

// CHECK-LABEL: func.func @hardmax(
// CHECK: dsc.argmax {{.*}} -> i64[N]
// CHECK: dsc.one_hot {{.*}} -> f32[N,5]
func.func @hardmax(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) -> tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>> {
  %y = dsc.hardmax %a : f32[N,5] -> f32[N,5]
  return %y : tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>
}

// CHECK-LABEL: func.func @topk(
// CHECK: dsc.sort_rank {{.*}} -> i64[N,5]
// CHECK: dsc.sort_order {{.*}} -> i64[N,K]
// CHECK: dsc.gather_elements {{.*}} -> f32[N,K]
func.func @topk(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) -> (tensor<?x?xf32, #dsc.tensor<dims = <N, K>>>, tensor<?x?xi64, #dsc.tensor<dims = <N, K>>>) {
  %y:2 = dsc.topk %a {k = #dsc.dims<K>} : f32[N,5] -> f32[N,K], i64[N,K]
  return %y#0, %y#1 : tensor<?x?xf32, #dsc.tensor<dims = <N, K>>>, tensor<?x?xi64, #dsc.tensor<dims = <N, K>>>
}

// CHECK-LABEL: func.func @max_unpool(
// CHECK: dsc.reshape {{.*}} -> i64[4]
// CHECK: dsc.reshape {{.*}} -> f32[4]
// CHECK: dsc.scatter_elements {{.*}} -> f32[16]
// CHECK: dsc.reshape {{.*}} -> f32[1,1,4,4]
func.func @max_unpool(%a: tensor<1x1x2x2xf32>, %b: tensor<1x1x2x2xi64>) -> tensor<1x1x4x4xf32> {
  %y = dsc.max_unpool %a, %b {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : f32[1,1,2,2], i64[1,1,2,2] -> f32[1,1,4,4]
  return %y : tensor<1x1x4x4xf32>
}

// Windows that overlap: each pixel gives 2 x 2 outputs, of 2 x 2 taps.
// CHECK-LABEL: func.func @conv_transpose
func.func @conv_transpose(%x: tensor<?x4x?x?xf32, #dsc.tensor<dims = <N, 4, H, W>>>, %w: tensor<4x3x3x3xf32>, %b: tensor<3xf32>) -> tensor<?x3x?x?xf32, #dsc.tensor<dims = <N, 3, 2 * H, 2 * W>>> {
  // CHECK: dsc.pad %arg1, %{{.*}} {mode = "constant", pads = #dsc.dims<0, 0, 0, 0, 0, 0, 1, 1>} : f32[4,3,3,3], none -> f32[4,3,4,4]
  // CHECK: dsc.transpose %{{.*}} {perm = array<i64: 0, 2, 4, 6, 1, 3, 5>}
  // CHECK: dsc.slice %{{.*}} : f32[12,4,2,2] -> f32[12,4,2,2]
  // CHECK: dsc.conv %arg0, {{.*}} pads = array<i64: 1, 1, 1, 1>{{.*}} -> f32[N,12,H + 1,W + 1]
  // CHECK: dsc.transpose %{{.*}} {perm = array<i64: 0, 1, 4, 2, 5, 3>}
  // CHECK: dsc.slice
  %0 = dsc.conv_transpose %x, %w, %b {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>, output_padding = array<i64: 1, 1>} : f32[N,4,H,W], f32[4,3,3,3], f32[3] -> f32[N,3,2 * H,2 * W]
  return %0 : tensor<?x3x?x?xf32, #dsc.tensor<dims = <N, 3, 2 * H, 2 * W>>>
}
