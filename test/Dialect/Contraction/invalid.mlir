// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @inner(%a: tensor<2x3xf32>, %b: tensor<4x5xf32>) {
  // expected-error @below {{columns of the first input and rows of the second differ (3 vs 4)}}
  %y = dsc.matmul %a, %b : f32[2,3], f32[4,5] -> f32[2,5]
  return
}

// -----

func.func @batch(%a: tensor<2x3x4xf32>, %b: tensor<3x4x5xf32>) {
  // expected-error @below {{shapes do not broadcast on axis 0 (2 vs 3)}}
  %y = dsc.matmul %a, %b : f32[2,3,4], f32[3,4,5] -> f32[2,3,5]
  return
}

// -----

func.func @scalar(%a: tensor<f32>, %b: tensor<4xf32>) {
  // expected-error @below {{needs inputs with at least one axis, not f32[] and f32[4]}}
  %y = dsc.matmul %a, %b : f32[], f32[4] -> f32[]
  return
}

// -----

func.func @elements(%a: tensor<2x4xf16>, %b: tensor<4x5xf32>) {
  // expected-error @below {{inputs have different element types (f16[2,4] and f32[4,5])}}
  %y = dsc.matmul %a, %b : f16[2,4], f32[4,5] -> f16[2,5]
  return
}

// -----

func.func @result(%a: tensor<2x4xf32>, %b: tensor<4x5xf32>) {
  // expected-error @below {{result type is f32[2,6], expected f32[2,5]}}
  %y = dsc.matmul %a, %b : f32[2,4], f32[4,5] -> f32[2,6]
  return
}

// -----

func.func @gemm_rank(%a: tensor<2x3x4xf32>, %b: tensor<4x5xf32>) {
  %none = dsc.none
  // expected-error @below {{needs matrices, not f32[2,3,4] and f32[4,5]}}
  %y = dsc.gemm %a, %b, %none : f32[2,3,4], f32[4,5], none -> f32[2,5]
  return
}

// -----

func.func @gemm_bias(%a: tensor<2x4xf32>, %b: tensor<4x5xf32>, %c: tensor<3xf32>) {
  // expected-error @below {{bias size 3 on axis 0 does not broadcast to 5}}
  %y = dsc.gemm %a, %b, %c : f32[2,4], f32[4,5], f32[3] -> f32[2,5]
  return
}

// -----

func.func @integers(%a: tensor<2x4xi16>, %b: tensor<4x3xi8>) {
  %none = dsc.none
  // expected-error @below {{is computed on 8-bit integers, not i16[2,4]}}
  %y = dsc.matmul_integer %a, %b, %none, %none : i16[2,4], i8[4,3], none, none -> i32[2,3]
  return
}

// -----

func.func @einsum_terms(%a: tensor<2x3xf32>) {
  // expected-error @below {{equation has 2 terms for 1 inputs}}
  %y = dsc.einsum %a {equation = "ij,jk->ik"} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @einsum_rank(%a: tensor<2x3xf32>) {
  // expected-error @below {{term 'ijk' does not fit f32[2,3]}}
  %y = dsc.einsum %a {equation = "ijk->ik"} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @einsum_result(%a: tensor<2x3xf32>) {
  // expected-error @below {{equation's result must have each label once, from the inputs}}
  %y = dsc.einsum %a {equation = "ij->iz"} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @einsum_letter(%a: tensor<2x3xf32>) {
  // expected-error @below {{term 'i1' does not fit f32[2,3]}}
  %y = dsc.einsum %a {equation = "i1->i"} : f32[2,3] -> f32[2]
  return
}
