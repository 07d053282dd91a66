// RUN: dsc-opt %s -dsc-raise-softmax | FileCheck %s

// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<2x3x4xf32>) -> tensor<2x3x4xf32> {
  // CHECK-NEXT: dsc.softmax %arg0 {axis = 1 : i64}
  // CHECK-NEXT: return
  %0 = dsc.reduce_max %x {axes = #dsc.dims<1>, keepdims = 1 : i64} : f32[2,3,4] -> f32[2,1,4]
  %1 = dsc.sub %x, %0 : f32[2,3,4], f32[2,1,4] -> f32[2,3,4]
  %2 = dsc.exp %1 : f32[2,3,4] -> f32[2,3,4]
  %3 = dsc.reduce_sum %2 {axes = #dsc.dims<-2>, keepdims = 1 : i64} : f32[2,3,4] -> f32[2,1,4]
  %4 = dsc.div %2, %3 : f32[2,3,4], f32[2,1,4] -> f32[2,3,4]
  return %4 : tensor<2x3x4xf32>
}

// CHECK-LABEL: func.func @other_axis
func.func @other_axis(%x: tensor<3x3xf32>) -> tensor<3x3xf32> {
  // CHECK: dsc.exp
  %0 = dsc.reduce_max %x {axes = #dsc.dims<0>, keepdims = 1 : i64} : f32[3,3] -> f32[1,3]
  %1 = dsc.sub %x, %0 : f32[3,3], f32[1,3] -> f32[3,3]
  %2 = dsc.exp %1 : f32[3,3] -> f32[3,3]
  %3 = dsc.reduce_sum %2 {axes = #dsc.dims<1>, keepdims = 1 : i64} : f32[3,3] -> f32[3,1]
  %4 = dsc.div %2, %3 : f32[3,3], f32[3,1] -> f32[3,3]
  return %4 : tensor<3x3xf32>
}

// -----

// As versions before 13 mean it.
// CHECK-LABEL: func.func @flattened
func.func @flattened(%x: tensor<?x4x8xf32, #dsc.tensor<dims = <B, 4, 8>>>) -> (tensor<?x4x8xf32, #dsc.tensor<dims = <B, 4, 8>>>, tensor<?x4x8xf32, #dsc.tensor<dims = <B, 4, 8>>>) {
  // CHECK: %[[last:.*]] = dsc.softmax %arg0 {axis = -1 : i64} : f32[B,4,8] -> f32[B,4,8]
  // CHECK: %[[flat:.*]] = dsc.flatten %arg0 {axis = 1 : i64}
  // CHECK: dsc.softmax %[[flat]]
  %0 = dsc.flatten %x {axis = 2 : i64} : f32[B,4,8] -> f32[4 * B,8]
  %1 = dsc.softmax %0 {axis = -1 : i64} : f32[4 * B,8] -> f32[4 * B,8]
  %2 = dsc.reshape %1 {shape = #dsc.dims<B, 4, 8>} : f32[4 * B,8] -> f32[B,4,8]
  // Rows of two axes stay rows of two axes.
  %3 = dsc.flatten %x {axis = 1 : i64} : f32[B,4,8] -> f32[B,32]
  %4 = dsc.softmax %3 {axis = -1 : i64} : f32[B,32] -> f32[B,32]
  %5 = dsc.reshape %4 {shape = #dsc.dims<B, 4, 8>} : f32[B,32] -> f32[B,4,8]
  // CHECK: return %[[last]]
  return %2, %5 : tensor<?x4x8xf32, #dsc.tensor<dims = <B, 4, 8>>>, tensor<?x4x8xf32, #dsc.tensor<dims = <B, 4, 8>>>
}
