// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @gather(
// CHECK: dsc.gather %{{.*}} {axis = 1 : i64} : f32[N,V,4], i64[2,S] -> f32[N,2,S,4]
func.func @gather(%a: tensor<?x?x4xf32, #dsc.tensor<dims = <N, V, 4>>>, %b: tensor<2x?xi64, #dsc.tensor<dims = <2, S>>>) {
  %y = dsc.gather %a, %b {axis = 1} : f32[N,V,4], i64[2,S] -> f32[N,2,S,4]
  return
}

// CHECK-LABEL: func.func @gather_elements(
// CHECK: dsc.gather_elements %{{.*}} {axis = -1 : i64} : f32[N,5], i32[N,3] -> f32[N,3]
func.func @gather_elements(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>, %b: tensor<?x3xi32, #dsc.tensor<dims = <N, 3>>>) {
  %y = dsc.gather_elements %a, %b {axis = -1} : f32[N,5], i32[N,3] -> f32[N,3]
  return
}

// CHECK-LABEL: func.func @gather_nd(
// CHECK: dsc.gather_nd %{{.*}} {batch_dims = 1 : i64} : f32[N,5,6,7], i64[N,3,2] -> f32[N,3,7]
func.func @gather_nd(%a: tensor<?x5x6x7xf32, #dsc.tensor<dims = <N, 5, 6, 7>>>, %b: tensor<?x3x2xi64, #dsc.tensor<dims = <N, 3, 2>>>) {
  %y = dsc.gather_nd %a, %b {batch_dims = 1} : f32[N,5,6,7], i64[N,3,2] -> f32[N,3,7]
  return
}

// CHECK-LABEL: func.func @scatter_elements(
// CHECK: dsc.scatter_elements %{{.*}} {axis = 1 : i64, reduction = "add"} : f32[N,5], i64[N,3], f32[N,3] -> f32[N,5]
func.func @scatter_elements(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>, %b: tensor<?x3xi64, #dsc.tensor<dims = <N, 3>>>, %c: tensor<?x3xf32, #dsc.tensor<dims = <N, 3>>>) {
  %y = dsc.scatter_elements %a, %b, %c {axis = 1, reduction = "add"} : f32[N,5], i64[N,3], f32[N,3] -> f32[N,5]
  return
}

// CHECK-LABEL: func.func @scatter_nd(
// CHECK: dsc.scatter_nd %{{.*}} {reduction = "max"} : f32[N,5,6], i64[3,1], f32[3,5,6] -> f32[N,5,6]
func.func @scatter_nd(%a: tensor<?x5x6xf32, #dsc.tensor<dims = <N, 5, 6>>>, %b: tensor<3x1xi64>, %c: tensor<3x5x6xf32>) {
  %y = dsc.scatter_nd %a, %b, %c {reduction = "max"} : f32[N,5,6], i64[3,1], f32[3,5,6] -> f32[N,5,6]
  return
}

// CHECK-LABEL: func.func @tensor_scatter(
// CHECK: dsc.tensor_scatter %{{.*}} {axis = -2 : i64, mode = "circular"} : f16[B,8,M,64], f16[B,8,S,64], i64[B] -> f16[B,8,M,64]
func.func @tensor_scatter(%a: tensor<?x8x?x64xf16, #dsc.tensor<dims = <B, 8, M, 64>>>, %b: tensor<?x8x?x64xf16, #dsc.tensor<dims = <B, 8, S, 64>>>, %c: tensor<?xi64, #dsc.tensor<dims = <B>>>) {
  %y = dsc.tensor_scatter %a, %b, %c {mode = "circular"} : f16[B,8,M,64], f16[B,8,S,64], i64[B] -> f16[B,8,M,64]
  return
}

// CHECK-LABEL: func.func @one_hot(
// CHECK: dsc.one_hot %{{.*}} {axis = -1 : i64, depth = #dsc.dims<D>} : i32[N], f16[2] -> f16[N,D]
func.func @one_hot(%a: tensor<?xi32, #dsc.tensor<dims = <N>>>, %b: tensor<2xf16>) {
  %y = dsc.one_hot %a, %b {depth = #dsc.dims<D>} : i32[N], f16[2] -> f16[N,D]
  return
}

// CHECK-LABEL: func.func @argmax(
// CHECK: dsc.argmax %{{.*}} {axis = 1 : i64, keepdims = 0 : i64, select_last_index = 0 : i64} : f32[N,5,6] -> i64[N,6]
func.func @argmax(%a: tensor<?x5x6xf32, #dsc.tensor<dims = <N, 5, 6>>>) {
  %y = dsc.argmax %a {axis = 1, keepdims = 0} : f32[N,5,6] -> i64[N,6]
  return
}

// CHECK-LABEL: func.func @argmin(
// CHECK: dsc.argmin %{{.*}} {axis = 0 : i64, keepdims = 1 : i64, select_last_index = 1 : i64} : u8[5,6] -> i64[1,6]
func.func @argmin(%a: tensor<5x6xui8>) {
  %y = dsc.argmin %a {select_last_index = 1} : u8[5,6] -> i64[1,6]
  return
}

// CHECK-LABEL: func.func @index_of(
// CHECK: dsc.index_of %{{.*}}, %{{.*}} {axis = 1 : i64, keepdims = 0 : i64, select_last_index = 0 : i64} : f32[N,50], f32[N,1] -> i64[N]
func.func @index_of(%a: tensor<?x50xf32, #dsc.tensor<dims = <N, 50>>>, %b: tensor<?x1xf32, #dsc.tensor<dims = <N, 1>>>) {
  %y = dsc.index_of %a, %b {axis = 1, keepdims = 0, select_last_index = 0} : f32[N,50], f32[N,1] -> i64[N]
  return
}

// CHECK-LABEL: func.func @hardmax(
// CHECK: dsc.hardmax %{{.*}} {axis = -1 : i64} : f32[N,5] -> f32[N,5]
func.func @hardmax(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) {
  %y = dsc.hardmax %a : f32[N,5] -> f32[N,5]
  return
}

// CHECK-LABEL: func.func @topk(
// CHECK: %values, %indices = dsc.topk %{{.*}} {axis = 0 : i64, k = #dsc.dims<K>, largest = 0 : i64, sorted = 1 : i64} : f32[N,5] -> f32[K,5], i64[K,5]
func.func @topk(%a: tensor<?x5xf32, #dsc.tensor<dims = <N, 5>>>) {
  %y:2 = dsc.topk %a {k = #dsc.dims<K>, axis = 0, largest = 0} : f32[N,5] -> f32[K,5], i64[K,5]
  return
}
