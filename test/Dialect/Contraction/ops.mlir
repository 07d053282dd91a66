// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @matmul(
// CHECK: dsc.matmul %{{.*}} : f32[B,1,M,K], f32[8,K,N] -> f32[B,8,M,N]
func.func @matmul(%a: tensor<?x1x?x?xf32, #dsc.tensor<dims = <B, 1, M, K>>>, %b: tensor<8x?x?xf32, #dsc.tensor<dims = <8, K, N>>>) {
  %y = dsc.matmul %a, %b : f32[B,1,M,K], f32[8,K,N] -> f32[B,8,M,N]
  return
}

// CHECK-LABEL: func.func @vectors(
// CHECK: dsc.matmul %{{.*}} : f16[4], f16[4] -> f16[]
func.func @vectors(%a: tensor<4xf16>, %b: tensor<4xf16>) {
  %y = dsc.matmul %a, %b : f16[4], f16[4] -> f16[]
  return
}

// CHECK-LABEL: func.func @vector_matrix(
// CHECK: dsc.matmul %{{.*}} : i32[4], i32[2,4,5] -> i32[2,5]
func.func @vector_matrix(%a: tensor<4xi32>, %b: tensor<2x4x5xi32>) {
  %y = dsc.matmul %a, %b : i32[4], i32[2,4,5] -> i32[2,5]
  return
}

// CHECK-LABEL: func.func @gemm(
// CHECK: dsc.gemm %{{.*}} {alpha = 5.000000e-01 : f32, transA = 1 : i64, transB = 1 : i64} : f32[8,M], f32[3,8], f32[3] -> f32[M,3]
func.func @gemm(%a: tensor<8x?xf32, #dsc.tensor<dims = <8, M>>>, %b: tensor<3x8xf32>, %c: tensor<3xf32>) {
  %y = dsc.gemm %a, %b, %c {alpha = 5.000000e-01 : f32, transA = 1, transB = 1} : f32[8,M], f32[3,8], f32[3] -> f32[M,3]
  return
}

// CHECK-LABEL: func.func @gemm_no_bias(
// CHECK: dsc.gemm %{{.*}} : f64[M,8], f64[8,3], none -> f64[M,3]
func.func @gemm_no_bias(%a: tensor<?x8xf64, #dsc.tensor<dims = <M, 8>>>, %b: tensor<8x3xf64>) {
  %none = dsc.none
  %y = dsc.gemm %a, %b, %none : f64[M,8], f64[8,3], none -> f64[M,3]
  return
}

// CHECK-LABEL: func.func @matmul_integer(
// CHECK: dsc.matmul_integer %{{.*}} : u8[4,K], i8[K,3], u8[], i8[3] -> i32[4,3]
func.func @matmul_integer(%a: tensor<4x?xui8, #dsc.tensor<dims = <4, K>>>, %b: tensor<?x3xi8, #dsc.tensor<dims = <K, 3>>>, %c: tensor<ui8>, %d: tensor<3xi8>) {
  %y = dsc.matmul_integer %a, %b, %c, %d : u8[4,K], i8[K,3], u8[], i8[3] -> i32[4,3]
  return
}

// CHECK-LABEL: func.func @qlinear_matmul(
// CHECK: dsc.qlinear_matmul %{{.*}} : u8[2,4], f32[], u8[], u8[4,3], f32[], u8[], f32[], u8[] -> u8[2,3]
func.func @qlinear_matmul(%a: tensor<2x4xui8>, %b: tensor<f32>, %c: tensor<ui8>, %d: tensor<4x3xui8>, %e: tensor<f32>, %f: tensor<ui8>, %g: tensor<f32>, %h: tensor<ui8>) {
  %y = dsc.qlinear_matmul %a, %b, %c, %d, %e, %f, %g, %h : u8[2,4], f32[], u8[], u8[4,3], f32[], u8[], f32[], u8[] -> u8[2,3]
  return
}

// CHECK-LABEL: func.func @einsum(
// CHECK: dsc.einsum %{{.*}} {equation = "bhid,bhjd->bhij"} : f32[B,8,S,64], f32[B,8,T,64] -> f32[B,8,S,T]
func.func @einsum(%a: tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, S, 64>>>, %b: tensor<?x8x?x64xf32, #dsc.tensor<dims = <B, 8, T, 64>>>) {
  %y = dsc.einsum %a, %b {equation = "bhid,bhjd->bhij"} : f32[B,8,S,64], f32[B,8,T,64] -> f32[B,8,S,T]
  return
}

// CHECK-LABEL: func.func @einsum_diagonal(
// CHECK: dsc.einsum %{{.*}} {equation = "...ii->...i"} : f32[N,5,5] -> f32[N,5]
func.func @einsum_diagonal(%a: tensor<?x5x5xf32, #dsc.tensor<dims = <N, 5, 5>>>) {
  %y = dsc.einsum %a {equation = "...ii->...i"} : f32[N,5,5] -> f32[N,5]
  return
}
