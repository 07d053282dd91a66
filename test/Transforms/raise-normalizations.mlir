// RUN: dsc-opt %s -dsc-raise-normalizations | FileCheck %s

// As exporters before opset 17 write it.
// CHECK-LABEL: func.func @layer
func.func @layer(%x: tensor<2x3x4xf32>, %s: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<2x3x4xf32> {
  // CHECK: dsc.layer_normalization %arg0, %arg1, %arg2 {axis = 2 : i64, epsilon = 9.99999974E-6 : f32, stash_type = 1 : i64}
  // CHECK-NEXT: return
  %two = dsc.constant dense<2.0> : tensor<f32>
  %epsilon = dsc.constant dense<1.0e-5> : tensor<f32>
  %0 = dsc.reduce_mean %x {axes = #dsc.dims<-1>, keepdims = 1 : i64} : f32[2,3,4] -> f32[2,3,1]
  %1 = dsc.sub %x, %0 : f32[2,3,4], f32[2,3,1] -> f32[2,3,4]
  %2 = dsc.pow %1, %two : f32[2,3,4], f32[] -> f32[2,3,4]
  %3 = dsc.reduce_mean %2 {axes = #dsc.dims<-1>, keepdims = 1 : i64} : f32[2,3,4] -> f32[2,3,1]
  %4 = dsc.add %3, %epsilon : f32[2,3,1], f32[] -> f32[2,3,1]
  %5 = dsc.sqrt %4 : f32[2,3,1] -> f32[2,3,1]
  %6 = dsc.div %1, %5 : f32[2,3,4], f32[2,3,1] -> f32[2,3,4]
  %7 = dsc.mul %6, %s : f32[2,3,4], f32[4] -> f32[2,3,4]
  %8 = dsc.add %7, %b : f32[2,3,4], f32[4] -> f32[2,3,4]
  return %8 : tensor<2x3x4xf32>
}

// Over two axes, without scale; the sum behind it is a residual connection.
// CHECK-LABEL: func.func @plain
func.func @plain(%x: tensor<2x3x4xf32>, %b: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK: %[[N:.*]] = dsc.layer_normalization %arg0, %{{.*}}, %{{.*}} {axis = 1 : i64
  // CHECK: dsc.add %[[N]], %arg1
  %epsilon = dsc.constant dense<1.0e-5> : tensor<f32>
  %0 = dsc.reduce_mean %x {axes = #dsc.dims<2, 1>, keepdims = 1 : i64} : f32[2,3,4] -> f32[2,1,1]
  %1 = dsc.sub %x, %0 : f32[2,3,4], f32[2,1,1] -> f32[2,3,4]
  %2 = dsc.mul %1, %1 : f32[2,3,4], f32[2,3,4] -> f32[2,3,4]
  %3 = dsc.reduce_mean %2 {axes = #dsc.dims<1, 2>, keepdims = 1 : i64} : f32[2,3,4] -> f32[2,1,1]
  %4 = dsc.add %epsilon, %3 : f32[], f32[2,1,1] -> f32[2,1,1]
  %5 = dsc.sqrt %4 : f32[2,1,1] -> f32[2,1,1]
  %6 = dsc.reciprocal %5 : f32[2,1,1] -> f32[2,1,1]
  %7 = dsc.mul %1, %6 : f32[2,3,4], f32[2,1,1] -> f32[2,3,4]
  %8 = dsc.add %7, %b : f32[2,3,4], f32[2,3,4] -> f32[2,3,4]
  return %8 : tensor<2x3x4xf32>
}

// Not over the last axes: an instance normalisation of another layout.
// CHECK-LABEL: func.func @first_axis
func.func @first_axis(%x: tensor<3x4xf32>) -> tensor<3x4xf32> {
  // CHECK: dsc.reduce_mean
  %epsilon = dsc.constant dense<1.0e-5> : tensor<f32>
  %0 = dsc.reduce_mean %x {axes = #dsc.dims<0>, keepdims = 1 : i64} : f32[3,4] -> f32[1,4]
  %1 = dsc.sub %x, %0 : f32[3,4], f32[1,4] -> f32[3,4]
  %2 = dsc.mul %1, %1 : f32[3,4], f32[3,4] -> f32[3,4]
  %3 = dsc.reduce_mean %2 {axes = #dsc.dims<0>, keepdims = 1 : i64} : f32[3,4] -> f32[1,4]
  %4 = dsc.add %3, %epsilon : f32[1,4], f32[] -> f32[1,4]
  %5 = dsc.sqrt %4 : f32[1,4] -> f32[1,4]
  %6 = dsc.div %1, %5 : f32[3,4], f32[1,4] -> f32[3,4]
  return %6 : tensor<3x4xf32>
}

// CHECK-LABEL: func.func @rms
func.func @rms(%x: tensor<?x4xf32, #dsc.tensor<dims = <N, 4>>>, %s: tensor<4xf32>) -> tensor<?x4xf32, #dsc.tensor<dims = <N, 4>>> {
  // CHECK: dsc.rms_normalization %arg0, %arg1 {axis = 1 : i64, epsilon = 9.99999997E-7 : f32
  // CHECK-NEXT: return
  %two = dsc.constant dense<2.0> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %epsilon = dsc.constant dense<1.0e-6> : tensor<f32>
  %0 = dsc.pow %x, %two : f32[N,4], f32[] -> f32[N,4]
  %1 = dsc.reduce_mean %0 {axes = #dsc.dims<-1>, keepdims = 1 : i64} : f32[N,4] -> f32[N,1]
  %2 = dsc.add %1, %epsilon : f32[N,1], f32[] -> f32[N,1]
  %3 = dsc.sqrt %2 : f32[N,1] -> f32[N,1]
  %4 = dsc.div %one, %3 : f32[], f32[N,1] -> f32[N,1]
  %5 = dsc.mul %x, %4 : f32[N,4], f32[N,1] -> f32[N,4]
  %6 = dsc.mul %s, %5 : f32[4], f32[N,4] -> f32[N,4]
  return %6 : tensor<?x4xf32, #dsc.tensor<dims = <N, 4>>>
}
