// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @not_linear(%w: tensor<4x6xf32>) {
  // expected-error @+1 {{map must give a source index for each result index}}
  %0 = dsc.repack %w {map = affine_map<(i, j) -> (i floordiv 2, j)>} : f32[4,6] -> f32[4,6]
  return
}

// -----

func.func @length(%w: tensor<4x6xf32>) {
  // expected-error @+1 {{the result's type does not fit its storage}}
  %0 = dsc.repack %w {map = affine_map<(k, n) -> (k, n)>, storage = #dsc.storage<csr, a = 2, b = 4, nonzeros = 5>} : f32[4,6] -> i32[24]
  return
}

// -----

func.func @element(%w: tensor<4x6xf16>) {
  // expected-error @+1 {{csr storage needs a float32 matrix of known sizes}}
  %0 = dsc.repack %w {map = affine_map<(k, n) -> (k, n)>, storage = #dsc.storage<csr, a = 2, b = 4, nonzeros = 5>} : f16[4,6] -> i32[23]
  return
}

// -----

func.func @panels(%w: tensor<4x6xf32>) {
  // expected-error @+1 {{map of csr storage must give the matrix or its transpose}}
  %0 = dsc.repack %w {map = affine_map<(k, n) -> (k, n * 2)>, storage = #dsc.storage<csr, a = 2, b = 4, nonzeros = 5>} : f32[4,6] -> i32[23]
  return
}

// -----

func.func @blocks(%w: tensor<4x6xf32>) {
  // expected-error @+1 {{storage must be csr with positive a and b}}
  %0 = dsc.repack %w {map = affine_map<(k, n) -> (k, n)>, storage = #dsc.storage<block, a = 4, b = 1, nonzeros = 5>} : f32[4,6] -> i32[23]
  return
}
