// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @softmax(
// CHECK: dsc.softmax %{{.*}} {axis = 1 : i64} : f16[N,T,S] -> f16[N,T,S]
func.func @softmax(%a: tensor<?x?x?xf16, #dsc.tensor<dims = <N, T, S>>>) {
  %y = dsc.softmax %a {axis = 1} : f16[N,T,S] -> f16[N,T,S]
  return
}

// CHECK-LABEL: func.func @log_softmax(
// CHECK: dsc.log_softmax %{{.*}} : f32[N,10] -> f32[N,10]
func.func @log_softmax(%a: tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>) {
  %y = dsc.log_softmax %a : f32[N,10] -> f32[N,10]
  return
}

// CHECK-LABEL: func.func @lp_normalization(
// CHECK: dsc.lp_normalization %{{.*}} {p = 1 : i64} : f32[N,10] -> f32[N,10]
func.func @lp_normalization(%a: tensor<?x10xf32, #dsc.tensor<dims = <N, 10>>>) {
  %y = dsc.lp_normalization %a {p = 1} : f32[N,10] -> f32[N,10]
  return
}

// CHECK-LABEL: func.func @layer_normalization(
// CHECK: dsc.layer_normalization %{{.*}} {epsilon = 9.99999997E-7 : f32} : f32[N,S,64], f32[64], f32[64] -> f32[N,S,64]
func.func @layer_normalization(%a: tensor<?x?x64xf32, #dsc.tensor<dims = <N, S, 64>>>, %b: tensor<64xf32>, %c: tensor<64xf32>) {
  %y = dsc.layer_normalization %a, %b, %c {epsilon = 1.000000e-06 : f32} : f32[N,S,64], f32[64], f32[64] -> f32[N,S,64]
  return
}

// CHECK-LABEL: func.func @statistics(
// CHECK: dsc.layer_normalization %{{.*}} {axis = 1 : i64} : f16[N,S,64], f16[S,64], none -> f16[N,S,64], f32[N,1,1], f32[N,1,1]
func.func @statistics(%a: tensor<?x?x64xf16, #dsc.tensor<dims = <N, S, 64>>>, %b: tensor<?x64xf16, #dsc.tensor<dims = <S, 64>>>) {
  %none = dsc.none
  %y:3 = dsc.layer_normalization %a, %b, %none {axis = 1} : f16[N,S,64], f16[S,64], none -> f16[N,S,64], f32[N,1,1], f32[N,1,1]
  return
}

// CHECK-LABEL: func.func @rms_normalization(
// CHECK: dsc.rms_normalization %{{.*}} : bf16[N,S,64], bf16[64] -> bf16[N,S,64]
func.func @rms_normalization(%a: tensor<?x?x64xbf16, #dsc.tensor<dims = <N, S, 64>>>, %b: tensor<64xbf16>) {
  %y = dsc.rms_normalization %a, %b : bf16[N,S,64], bf16[64] -> bf16[N,S,64]
  return
}

// CHECK-LABEL: func.func @instance_normalization(
// CHECK: dsc.instance_normalization %{{.*}} : f32[N,8,H,W], f32[8], f32[8] -> f32[N,8,H,W]
func.func @instance_normalization(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  %y = dsc.instance_normalization %a, %b, %c : f32[N,8,H,W], f32[8], f32[8] -> f32[N,8,H,W]
  return
}

// CHECK-LABEL: func.func @group_normalization(
// CHECK: dsc.group_normalization %{{.*}} {num_groups = 4 : i64} : f32[N,8,H,W], f32[8], f32[8] -> f32[N,8,H,W]
func.func @group_normalization(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  %y = dsc.group_normalization %a, %b, %c {num_groups = 4} : f32[N,8,H,W], f32[8], f32[8] -> f32[N,8,H,W]
  return
}

// CHECK-LABEL: func.func @lrn(
// CHECK: dsc.lrn %{{.*}} {size = 5 : i64} : f32[N,8,H,W] -> f32[N,8,H,W]
func.func @lrn(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>) {
  %y = dsc.lrn %a {size = 5} : f32[N,8,H,W] -> f32[N,8,H,W]
  return
}
