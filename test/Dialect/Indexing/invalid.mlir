// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @gather_axis(%a: tensor<2x3xf32>, %b: tensor<4xi64>) {
  // expected-error @below {{axis 2 is outside [-2, 2)}}
  %y = dsc.gather %a, %b {axis = 2} : f32[2,3], i64[4] -> f32[2,4]
  return
}

// -----

func.func @gather_indices(%a: tensor<2x3xf32>, %b: tensor<4xf32>) {
  // expected-error @below {{needs int32 or int64 indices, not f32[4]}}
  %y = dsc.gather %a, %b : f32[2,3], f32[4] -> f32[4,3]
  return
}

// -----

func.func @elements_rank(%a: tensor<2x3xf32>, %b: tensor<4xi64>) {
  // expected-error @below {{needs indices of rank 2, not i64[4]}}
  %y = dsc.gather_elements %a, %b : f32[2,3], i64[4] -> f32[4]
  return
}

// -----

func.func @elements_outside(%a: tensor<2x3xf32>, %b: tensor<4x4xi64>) {
  // expected-error @below {{indices have size 4 on axis 1, where data has 3}}
  %y = dsc.gather_elements %a, %b {axis = 0} : f32[2,3], i64[4,4] -> f32[4,4]
  return
}

// -----

func.func @nd_depth(%a: tensor<2x3xf32>, %b: tensor<4x3xi64>) {
  // expected-error @below {{indices name 3 axes of 2}}
  %y = dsc.gather_nd %a, %b : f32[2,3], i64[4,3] -> f32[4]
  return
}

// -----

func.func @nd_symbol(%a: tensor<2x3xf32>, %b: tensor<4x?xi64, #dsc.tensor<dims = <4, D>>>) {
  // expected-error @below {{the last axis of the indices, D, is not known when compiling}}
  %y = dsc.gather_nd %a, %b : f32[2,3], i64[4,D] -> f32[4]
  return
}

// -----

func.func @nd_batch(%a: tensor<2x3xf32>, %b: tensor<2x3x1xi64>) {
  // expected-error @below {{batch_dims is 2 for f32[2,3] and i64[2,3,1]}}
  %y = dsc.gather_nd %a, %b {batch_dims = 2} : f32[2,3], i64[2,3,1] -> f32[2,3]
  return
}

// -----

func.func @scatter_reduction(%a: tensor<2x3xf32>, %b: tensor<1x3xi64>, %c: tensor<1x3xf32>) {
  // expected-error @below {{reduction is 'xor', expected none, add, mul, max or min}}
  %y = dsc.scatter_elements %a, %b, %c {reduction = "xor"} : f32[2,3], i64[1,3], f32[1,3] -> f32[2,3]
  return
}

// -----

func.func @scatter_updates(%a: tensor<2x3xf32>, %b: tensor<1x3xi64>, %c: tensor<1x2xf32>) {
  // expected-error @below {{indices and updates have different sizes on axis 1 (3 vs 2)}}
  %y = dsc.scatter_elements %a, %b, %c : f32[2,3], i64[1,3], f32[1,2] -> f32[2,3]
  return
}

// -----

func.func @scatter_elements(%a: tensor<2x3xf32>, %b: tensor<1x3xi64>, %c: tensor<1x3xf16>) {
  // expected-error @below {{updates are f16[1,3] for data of type f32[2,3]}}
  %y = dsc.scatter_elements %a, %b, %c : f32[2,3], i64[1,3], f16[1,3] -> f32[2,3]
  return
}

// -----

func.func @scatter_nd(%a: tensor<2x3xf32>, %b: tensor<4x1xi64>, %c: tensor<4x2xf32>) {
  // expected-error @below {{updates have the wrong size on axis 1 (2 vs 3)}}
  %y = dsc.scatter_nd %a, %b, %c : f32[2,3], i64[4,1], f32[4,2] -> f32[2,3]
  return
}

// -----

func.func @scatter_nd_rank(%a: tensor<2x3xf32>, %b: tensor<4x1xi64>, %c: tensor<4xf32>) {
  // expected-error @below {{needs updates of rank 2, not f32[4]}}
  %y = dsc.scatter_nd %a, %b, %c : f32[2,3], i64[4,1], f32[4] -> f32[2,3]
  return
}

// -----

func.func @cache_axis(%a: tensor<2x8x4xf32>, %b: tensor<2x1x4xf32>) {
  %none = dsc.none
  // expected-error @below {{axis is 0, which is the batch}}
  %y = dsc.tensor_scatter %a, %b, %none {axis = 0} : f32[2,8,4], f32[2,1,4], none -> f32[2,8,4]
  return
}

// -----

func.func @cache_length(%a: tensor<2x8x4xf32>, %b: tensor<2x9x4xf32>) {
  %none = dsc.none
  // expected-error @below {{update has size 9 on axis 1, where the cache has 8}}
  %y = dsc.tensor_scatter %a, %b, %none : f32[2,8,4], f32[2,9,4], none -> f32[2,8,4]
  return
}

// -----

func.func @one_hot_values(%a: tensor<2xi32>, %b: tensor<3xf32>) {
  // expected-error @below {{values must have two elements (3 vs 2)}}
  %y = dsc.one_hot %a, %b {depth = #dsc.dims<3>} : i32[2], f32[3] -> f32[2,3]
  return
}

// -----

func.func @one_hot_depth(%a: tensor<2xi32>, %b: tensor<2xf32>) {
  // expected-error @below {{depth is -3}}
  %y = dsc.one_hot %a, %b {depth = #dsc.dims<-3>} : i32[2], f32[2] -> f32[2,3]
  return
}

// -----

func.func @argmax_empty(%a: tensor<0x3xf32>) {
  // expected-error @below {{axis 0 has no elements to choose from}}
  %y = dsc.argmax %a : f32[0,3] -> i64[1,3]
  return
}

// -----

func.func @topk(%a: tensor<2x3xf32>) {
  // expected-error @below {{k is 4 for the 3 elements of axis 1}}
  %y:2 = dsc.topk %a {k = #dsc.dims<4>} : f32[2,3] -> f32[2,4], i64[2,4]
  return
}

// -----

func.func @hardmax(%a: tensor<3xi32>) {
  // expected-error @below {{computes floats, not i32[3]}}
  %y = dsc.hardmax %a : i32[3] -> i32[3]
  return
}

// -----

func.func @index_of(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error @below {{wanted f32[3] does not fit f32[2,3]}}
  %y = dsc.index_of %a, %b {axis = 1, keepdims = 0, select_last_index = 0} : f32[2,3], f32[3] -> i64[2]
  return
}
