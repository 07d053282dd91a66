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

// Two passes over a row.
// CHECK-LABEL: func.func @argmin(
// CHECK: dsc.reduce_min {{.*}} -> f32[N,1]
// CHECK: dsc.index_of {{.*}} -> i64[N]
func.func @argmin(%x: tensor<?x50xf32, #dsc.tensor<dims = <N, 50>>>) -> tensor<?xi64, #dsc.tensor<dims = <N>>> {
  %0 = dsc.argmin %x {axis = 1 : i64, keepdims = 0 : i64} : f32[N,50] -> i64[N]
  return %0 : tensor<?xi64, #dsc.tensor<dims = <N>>>
}

// A row is too short, and columns are side by side in vectors.
// CHECK-LABEL: func.func @argmax_whole(
// CHECK: dsc.argmax
// CHECK: dsc.argmax
func.func @argmax_whole(%x: tensor<50x8xf32>) -> (tensor<50xi64>, tensor<8xi64>) {
  %0 = dsc.argmax %x {axis = 1 : i64, keepdims = 0 : i64} : f32[50,8] -> i64[50]
  %1 = dsc.argmax %x {axis = 0 : i64, keepdims = 0 : i64} : f32[50,8] -> i64[8]
  return %0, %1 : tensor<50xi64>, tensor<8xi64>
}

// The axis that shrinks comes first, then the innermost of those that grow.
// CHECK-LABEL: func.func @resize(
// CHECK: dsc.resize {{.*}}axes = array<i64: 1>{{.*}} -> f32[1,4,H,10]
// CHECK: dsc.resize {{.*}}axes = array<i64: 3>{{.*}} -> f32[1,4,H,20]
// CHECK: dsc.resize {{.*}}axes = array<i64: 2>{{.*}} -> f32[1,4,2 * H,20]
func.func @resize(%x: tensor<1x8x?x10xf32, #dsc.tensor<dims = <1, 8, H, 10>>>) -> tensor<1x4x?x20xf32, #dsc.tensor<dims = <1, 4, 2 * H, 20>>> {
  %0 = dsc.resize %x {mode = "linear", scales = array<f32: 1.0, 0.5, 2.0, 2.0>} : f32[1,8,H,10] -> f32[1,4,2 * H,20]
  return %0 : tensor<1x4x?x20xf32, #dsc.tensor<dims = <1, 4, 2 * H, 20>>>
}

// Parts for threads: the first axis, or rows of equal length.
// CHECK-LABEL: func.func @reduce_all(
// CHECK: dsc.reduce_sum {{.*}} -> f32[32,1]
// CHECK: dsc.reduce_sum {{.*}} -> f32[1,1]
// CHECK: dsc.reshape {{.*}} -> f32[64,2000]
// CHECK: dsc.reduce_max {{.*}} -> f32[64,1]
// CHECK: dsc.reduce_max {{.*}} -> f32[1,1]
func.func @reduce_all(%x: tensor<32x4000xf32>, %y: tensor<1x128000xf32>) -> (tensor<f32>, tensor<1xf32>) {
  %0 = dsc.reduce_sum %x {keepdims = 0 : i64} : f32[32,4000] -> f32[]
  %1 = dsc.reduce_max %y {axes = #dsc.dims<1>, keepdims = 0 : i64} : f32[1,128000] -> f32[1]
  return %0, %1 : tensor<f32>, tensor<1xf32>
}

// CHECK-LABEL: func.func @reduce_log_sum_exp(
// CHECK: dsc.reduce_max
// CHECK: dsc.exp
// CHECK: dsc.reduce_sum
// CHECK: dsc.log
func.func @reduce_log_sum_exp(%x: tensor<4x100xf32>) -> tensor<4xf32> {
  %0 = dsc.reduce_log_sum_exp %x {axes = #dsc.dims<1>, keepdims = 0 : i64} : f32[4,100] -> f32[4]
  return %0 : tensor<4xf32>
}
