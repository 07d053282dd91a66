// RUN: dsc-opt %s -dsc-fold-batch-norms -dsc-fold-constants | FileCheck %s

// Factors 2 / sqrt(3 + 1) = 1 and 4 / sqrt(0 + 1) = 4.
// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x1x3x3xf32>) -> tensor<1x2x3x3xf32> {
  // CHECK-DAG: %[[B:.*]] = dsc.constant dense<[5.000000e+00, 4.000000e+00]>
  // CHECK-DAG: %[[W:.*]] = dsc.constant dense<{{.*}}3.000000e+00{{.*}}8.000000e+00
  // CHECK: dsc.conv %arg0, %[[W]], %[[B]]
  // CHECK-NEXT: return
  %w = dsc.constant dense<[[[[3.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32>
  %b = dsc.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %scale = dsc.constant dense<[2.0, 4.0]> : tensor<2xf32>
  %shift = dsc.constant dense<[6.0, 0.0]> : tensor<2xf32>
  %mean = dsc.constant dense<[2.0, 1.0]> : tensor<2xf32>
  %var = dsc.constant dense<[3.0, 0.0]> : tensor<2xf32>
  %0 = dsc.conv %x, %w, %b : f32[1,1,3,3], f32[2,1,1,1], f32[2] -> f32[1,2,3,3]
  %1 = dsc.batch_normalization %0, %scale, %shift, %mean, %var {epsilon = 1.0 : f32} : f32[1,2,3,3], f32[2], f32[2], f32[2], f32[2] -> f32[1,2,3,3]
  return %1 : tensor<1x2x3x3xf32>
}

// The convolution's own result is needed, too.
// CHECK-LABEL: func.func @used_twice
func.func @used_twice(%x: tensor<1x1x3x3xf32>, %p: tensor<1xf32>) -> (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) {
  // CHECK: dsc.batch_normalization
  %none = dsc.none
  %w = dsc.constant dense<3.0> : tensor<1x1x1x1xf32>
  %one = dsc.constant dense<1.0> : tensor<1xf32>
  %0 = dsc.conv %x, %w, %none : f32[1,1,3,3], f32[1,1,1,1], none -> f32[1,1,3,3]
  %1 = dsc.batch_normalization %0, %one, %one, %one, %one : f32[1,1,3,3], f32[1], f32[1], f32[1], f32[1] -> f32[1,1,3,3]
  return %0, %1 : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>
}

// The sizes are not known: nothing says that the kernel fits into the image, before
// and after.
// CHECK-LABEL: func.func @symbolic
func.func @symbolic(%x: tensor<?x1x?x?xf32, #dsc.tensor<dims = <N, 1, H, W>>>) -> tensor<?x1x?x?xf32, #dsc.tensor<dims = <N, 1, (H + 1) floordiv 2, (W + 1) floordiv 2>>> {
  // CHECK-NOT: dsc.batch_normalization
  // CHECK: dsc.conv
  // CHECK-NEXT: return
  %none = dsc.none
  %w = dsc.constant dense<3.0> : tensor<1x1x3x3xf32>
  %one = dsc.constant dense<1.0> : tensor<1xf32>
  %0 = dsc.conv %x, %w, %none {pads = [1, 1, 1, 1], strides = [2, 2]} : f32[N,1,H,W], f32[1,1,3,3], none -> f32[N,1,(H + 1) floordiv 2,(W + 1) floordiv 2]
  %1 = dsc.batch_normalization %0, %one, %one, %one, %one : f32[N,1,(H + 1) floordiv 2,(W + 1) floordiv 2], f32[1], f32[1], f32[1], f32[1] -> f32[N,1,(H + 1) floordiv 2,(W + 1) floordiv 2]
  return %1 : tensor<?x1x?x?xf32, #dsc.tensor<dims = <N, 1, (H + 1) floordiv 2, (W + 1) floordiv 2>>>
}
