// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @axis(%a: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is outside [-2, 2)}}
  %y = dsc.reduce_sum %a {axes = #dsc.dims<2>} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @twice(%a: tensor<2x3xf32>) {
  // expected-error @below {{axis 0 is named twice}}
  %y = dsc.reduce_sum %a {axes = #dsc.dims<0, -2>} : f32[2,3] -> f32[1,3]
  return
}

// -----

func.func @keepdims(%a: tensor<2x3xf32>) {
  // expected-error @below {{result type is f32[3], expected f32[1,3]}}
  %y = dsc.reduce_sum %a {axes = #dsc.dims<0>} : f32[2,3] -> f32[3]
  return
}

// -----

func.func @cumulative(%a: tensor<2x3xf32>) {
  // expected-error @below {{needs one axis, got 2}}
  %y = dsc.cumsum %a {axis = #dsc.dims<0, 1>} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @cumulative_axis(%a: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is outside [-2, 2)}}
  %y = dsc.cumsum %a {axis = #dsc.dims<2>} : f32[2,3] -> f32[2,3]
  return
}
