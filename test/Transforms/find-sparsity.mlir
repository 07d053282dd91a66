// RUN: dsc-opt %s -dsc-find-sparsity | FileCheck %s

// A constant that a product reads; zeros of both signs count.
// CHECK-LABEL: func.func @product
func.func @product(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  // CHECK: dsc.constant {storage = #dsc.storage<csr, a = 1, b = 1, nonzeros = 2>} dense
  %w = dsc.constant dense<[[0.0, 1.0], [-0.0, 0.0], [2.0, 0.0]]> : tensor<3x2xf32>
  %y = dsc.matmul %x, %w : f32[4,3], f32[3,2] -> f32[4,2]
  return %y : tensor<4x2xf32>
}

// All of it.
// CHECK-LABEL: func.func @nothing
func.func @nothing(%x: tensor<4x3xf32>) -> tensor<4x2xf32> {
  // CHECK: dsc.constant {storage = #dsc.storage<csr, a = 1, b = 1>} dense
  %w = dsc.constant dense<0.0> : tensor<3x2xf32>
  %y = dsc.matmul %x, %w : f32[4,3], f32[3,2] -> f32[4,2]
  return %y : tensor<4x2xf32>
}

// Few zeros, an addition, unknown contents: nothing is recorded.
// CHECK-LABEL: func.func @left_alone
// CHECK-NOT: storage
func.func @left_alone(%x: tensor<4x3xf32>) -> (tensor<4x4xf32>, tensor<4x3xf32>, tensor<4x64xf32>) {
  %few = dsc.constant dense<[[0.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]]> : tensor<3x4xf32>
  %y = dsc.matmul %x, %few : f32[4,3], f32[3,4] -> f32[4,4]
  %zeros = dsc.constant dense<[[0.0, 0.0, 1.0]]> : tensor<1x3xf32>
  %z = dsc.add %x, %zeros : f32[4,3], f32[1,3] -> f32[4,3]
  %unknown = dsc.weight <0, 0, 768> : f32[3,64]
  %u = dsc.matmul %x, %unknown : f32[4,3], f32[3,64] -> f32[4,64]
  return %y, %z, %u : tensor<4x4xf32>, tensor<4x3xf32>, tensor<4x64xf32>
}
