// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @axis(%a: tensor<2x3xf32>) {
  // expected-error @below {{axis 2 is outside [-2, 2)}}
  %y = dsc.softmax %a {axis = 2} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @integers(%a: tensor<2x3xi32>) {
  // expected-error @below {{is computed on floats, not i32[2,3]}}
  %y = dsc.softmax %a : i32[2,3] -> i32[2,3]
  return
}

// -----

func.func @p(%a: tensor<2x3xf32>) {
  // expected-error @below {{p must be 1 or 2, not 3}}
  %y = dsc.lp_normalization %a {p = 3} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @scale(%a: tensor<2x3xf32>, %b: tensor<4xf32>) {
  %none = dsc.none
  // expected-error @below {{scale of size 4 does not broadcast to 3}}
  %y = dsc.layer_normalization %a, %b, %none : f32[2,3], f32[4], none -> f32[2,3]
  return
}

// -----

func.func @scale_rank(%a: tensor<3xf32>, %b: tensor<2x3xf32>) {
  // expected-error @below {{scale f32[2,3] has more axes than the input f32[3]}}
  %y = dsc.rms_normalization %a, %b : f32[3], f32[2,3] -> f32[3]
  return
}

// -----

func.func @stash(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  %none = dsc.none
  // expected-error @below {{is computed on floats, not f32[2,3] with stash_type 7}}
  %y = dsc.layer_normalization %a, %b, %none {stash_type = 7} : f32[2,3], f32[3], none -> f32[2,3]
  return
}

// -----

func.func @groups(%a: tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error @below {{8 channels cannot be divided into 3 groups}}
  %y = dsc.group_normalization %a, %b, %c {num_groups = 3} : f32[N,8,H], f32[8], f32[8] -> f32[N,8,H]
  return
}

// -----

func.func @no_groups(%a: tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error @below {{num_groups must be positive, not 0}}
  %y = dsc.group_normalization %a, %b, %c {num_groups = 0} : f32[N,8,H], f32[8], f32[8] -> f32[N,8,H]
  return
}

// -----

func.func @channels(%a: tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>, %b: tensor<7xf32>, %c: tensor<7xf32>) {
  // expected-error @below {{scale has another size than there are channels (7 vs 8)}}
  %y = dsc.instance_normalization %a, %b, %c : f32[N,8,H], f32[7], f32[7] -> f32[N,8,H]
  return
}

// -----

func.func @rank(%a: tensor<?x8xf32, #dsc.tensor<dims = <N, 8>>>, %b: tensor<8xf32>, %c: tensor<8xf32>) {
  // expected-error @below {{needs an input of rank 3 or more, not f32[N,8]}}
  %y = dsc.instance_normalization %a, %b, %c : f32[N,8], f32[8], f32[8] -> f32[N,8]
  return
}

// -----

func.func @size(%a: tensor<1x8x5x5xf32>) {
  // expected-error @below {{size must be positive, not 0}}
  %y = dsc.lrn %a {size = 0} : f32[1,8,5,5] -> f32[1,8,5,5]
  return
}
