// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @attention(
// CHECK: dsc.attention %{{.*}} {causal = 1 : i64, scale = 1.250000e-01 : f32} : f32[B,12,S,64], f32[B,12,T,64], f32[B,12,T,32], none -> f32[B,12,S,32]
func.func @attention(%a: tensor<?x12x?x64xf32, #dsc.tensor<dims = <B, 12, S, 64>>>, %b: tensor<?x12x?x64xf32, #dsc.tensor<dims = <B, 12, T, 64>>>, %c: tensor<?x12x?x32xf32, #dsc.tensor<dims = <B, 12, T, 32>>>) {
  %none = dsc.none
  %y = dsc.attention %a, %b, %c, %none {scale = 1.250000e-01 : f32, causal = 1} : f32[B,12,S,64], f32[B,12,T,64], f32[B,12,T,32], none -> f32[B,12,S,32]
  return
}

// CHECK-LABEL: func.func @grouped(
// CHECK: dsc.attention %{{.*}} {causal = 1 : i64, causal_offset = #dsc.dim<P>} : f16[B,8,S,64], f16[B,2,P + S,64], f16[B,2,P + S,64], f16[S,P + S] -> f16[B,8,S,64]
func.func @grouped(%a: tensor<?x8x?x64xf16, #dsc.tensor<dims = <B, 8, S, 64>>>, %b: tensor<?x2x?x64xf16, #dsc.tensor<dims = <B, 2, P + S, 64>>>, %c: tensor<?x2x?x64xf16, #dsc.tensor<dims = <B, 2, P + S, 64>>>, %d: tensor<?x?xf16, #dsc.tensor<dims = <S, P + S>>>) {
  %y = dsc.attention %a, %b, %c, %d {causal = 1, causal_offset = #dsc.dim<P>} : f16[B,8,S,64], f16[B,2,P + S,64], f16[B,2,P + S,64], f16[S,P + S] -> f16[B,8,S,64]
  return
}

// CHECK-LABEL: func.func @causal_mask(
// CHECK: dsc.causal_mask %{{.*}} {offset = #dsc.dim<P>} : f32[B,8,S,T] -> f32[B,8,S,T]
func.func @causal_mask(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <B, 8, S, T>>>) {
  %y = dsc.causal_mask %a {offset = #dsc.dim<P>} : f32[B,8,S,T] -> f32[B,8,S,T]
  return
}
