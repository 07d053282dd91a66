// RUN: dsc-opt %s | dsc-opt | FileCheck %s
// RUN: dsc-opt %s --dsc-fold-constants | FileCheck %s --check-prefix=FOLD

// CHECK-LABEL: func @requantize
// FOLD-LABEL: func @requantize
func.func @requantize() -> tensor<2x3xi8> {
  // Half to even, saturated.
  %x = dsc.constant dense<[[5, 7, 1000], [-3, -1000, 0]]> : tensor<2x3xi32>
  %m = dsc.constant dense<[0.5, 0.5, 1.0]> : tensor<3xf32>
  %z = dsc.constant dense<-1> : tensor<i8>
  // CHECK: dsc.requantize %{{.*}} : i32[2,3], f32[3], i8[] -> i8[2,3]
  // FOLD: dsc.constant dense<{{\[\[}}1, 3, 127], [-3, -128, -1]]> : tensor<2x3xi8>
  %y = dsc.requantize %x, %m, %z : i32[2,3], f32[3], i8[] -> i8[2,3]
  return %y : tensor<2x3xi8>
}

// CHECK-LABEL: func @quantized_sum
// FOLD-LABEL: func @quantized_sum
func.func @quantized_sum() -> tensor<3xui8> {
  %a = dsc.constant dense<[0, 255, 4]> : tensor<3xui8>
  %b = dsc.constant dense<[-128, 127, 3]> : tensor<3xi8>
  %fa = dsc.constant dense<1.0> : tensor<f32>
  %fb = dsc.constant dense<0.5> : tensor<f32>
  %o = dsc.constant dense<10.0> : tensor<f32>
  // CHECK: dsc.quantized_sum %{{.*}} {output_dtype = 2 : i64} : u8[3], i8[3], f32[], f32[], f32[] -> u8[3]
  // FOLD: dsc.constant dense<[0, 255, 16]> : tensor<3xui8>
  %y = dsc.quantized_sum %a, %b, %fa, %fb, %o {output_dtype = 2} : u8[3], i8[3], f32[], f32[], f32[] -> u8[3]
  return %y : tensor<3xui8>
}

// 5 rows less their zero points make 3 pairs; nothing is behind the last.
// CHECK-LABEL: func @pair
// FOLD-LABEL: func @pair
func.func @pair() -> (tensor<3x2xi32>, tensor<2x2xi32>) {
  %none = dsc.none
  %x = dsc.constant dense<[[1, 0], [2, 255], [3, 7], [4, 8], [5, 9]]> : tensor<5x2xui8>
  %z = dsc.constant dense<[1, 7]> : tensor<2xui8>
  // CHECK: dsc.pair %{{.*}} {axis = 0 : i64} : u8[5,2], u8[2] -> i32[3,2]
  // FOLD: dsc.constant dense<{{\[\[}}65536, 16318457], [196610, 65536], [4, 2]]> : tensor<3x2xi32>
  %p = dsc.pair %x, %z {axis = 0} : u8[5,2], u8[2] -> i32[3,2]
  %w = dsc.constant dense<[[-1, 2, 3, -4], [1, -2, -3, 4]]> : tensor<2x4xi8>
  // CHECK: dsc.pair %{{.*}} : i8[2,4], none -> i32[2,2]
  // FOLD: dsc.constant dense<{{\[\[}}196607, -262141], [-131071, 327677]]> : tensor<2x2xi32>
  %q = dsc.pair %w, %none : i8[2,4], none -> i32[2,2]
  return %p, %q : tensor<3x2xi32>, tensor<2x2xi32>
}

// 1 * 3 + 2 * 4 and -1 * 3 + -2 * 4
// CHECK-LABEL: func @matmul_pairs
// FOLD-LABEL: func @matmul_pairs
func.func @matmul_pairs() -> tensor<2x1xi32> {
  %a = dsc.constant dense<[[131073], [-65537]]> : tensor<2x1xi32>
  %b = dsc.constant dense<[[262147]]> : tensor<1x1xi32>
  // CHECK: dsc.matmul_pairs %{{.*}} : i32[2,1], i32[1,1] -> i32[2,1]
  // FOLD: dsc.constant dense<{{\[\[}}11], [-11]]> : tensor<2x1xi32>
  %y = dsc.matmul_pairs %a, %b : i32[2,1], i32[1,1] -> i32[2,1]
  return %y : tensor<2x1xi32>
}

// CHECK-LABEL: func @join_pairs
// FOLD-LABEL: func @join_pairs
func.func @join_pairs() -> tensor<2x1xi32> {
  %x = dsc.constant dense<[[1, 2], [-1, -2]]> : tensor<2x2xi16>
  // CHECK: dsc.join_pairs %{{.*}} : i16[2,2] -> i32[2,1]
  // FOLD: dsc.constant dense<{{\[\[}}131073], [-65537]]> : tensor<2x1xi32>
  %y = dsc.join_pairs %x : i16[2,2] -> i32[2,1]
  return %y : tensor<2x1xi32>
}
