// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @reshape_count(%a: tensor<2x3xf32>) {
  // expected-error @below {{cannot reshape f32[2,3] to [4, 5] (6 vs 20 elements)}}
  %y = dsc.reshape %a {shape = #dsc.dims<4, 5>} : f32[2,3] -> f32[4,5]
  return
}

// -----

func.func @reshape_rest(%a: tensor<2x3xf32>) {
  // expected-error @below {{shape has -1 for axes 0 and 1}}
  %y = dsc.reshape %a {shape = #dsc.dims<-1, -1>} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @reshape_zero(%a: tensor<2x3xf32>) {
  // expected-error @below {{shape has 0 for axis 2, which the input of rank 2 does not have}}
  %y = dsc.reshape %a {shape = #dsc.dims<6, 1, 0>} : f32[2,3] -> f32[6,1,1]
  return
}

// -----

func.func @reshape_negative(%a: tensor<2x3xf32>) {
  // expected-error @below {{shape has the size -2}}
  %y = dsc.reshape %a {shape = #dsc.dims<6, -2>} : f32[2,3] -> f32[6,1]
  return
}

// -----

func.func @reshape_undetermined(%a: tensor<0x3xf32>) {
  // expected-error @below {{shape has -1 for axis 1, which the other sizes do not determine}}
  %y = dsc.reshape %a {shape = #dsc.dims<0, -1>, allowzero = 1} : f32[0,3] -> f32[0,3]
  return
}

// -----

func.func @squeeze(%a: tensor<2x3xf32>) {
  // expected-error @below {{squeeze of axis 0 with size 2}}
  %y = dsc.squeeze %a {axes = #dsc.dims<0>} : f32[2,3] -> f32[3]
  return
}

// -----

func.func @squeeze_twice(%a: tensor<1x3xf32>) {
  // expected-error @below {{axis 0 is named twice}}
  %y = dsc.squeeze %a {axes = #dsc.dims<0, -2>} : f32[1,3] -> f32[3]
  return
}

// -----

func.func @squeeze_axis(%a: tensor<1x3xf32>) {
  // expected-error @below {{axis A is not known when compiling}}
  %y = dsc.squeeze %a {axes = #dsc.dims<A>} : f32[1,3] -> f32[3]
  return
}

// -----

func.func @unsqueeze(%a: tensor<2x3xf32>) {
  // expected-error @below {{axis 3 is outside [-3, 3)}}
  %y = dsc.unsqueeze %a {axes = #dsc.dims<3>} : f32[2,3] -> f32[2,3,1]
  return
}

// -----

func.func @flatten(%a: tensor<2x3xf32>) {
  // expected-error @below {{axis 3 is outside [-2, 2]}}
  %y = dsc.flatten %a {axis = 3} : f32[2,3] -> f32[6,1]
  return
}

// -----

func.func @perm(%a: tensor<2x3xf32>) {
  // expected-error @below {{perm is not a permutation of the 2 axes}}
  %y = dsc.transpose %a {perm = array<i64: 0, 0>} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @perm_size(%a: tensor<2x3xf32>) {
  // expected-error @below {{perm is not a permutation of the 2 axes}}
  %y = dsc.transpose %a {perm = array<i64: 0>} : f32[2,3] -> f32[2,3]
  return
}

// -----

func.func @concat(%a: tensor<2x3xf32>, %b: tensor<3x3xf32>) {
  // expected-error @below {{inputs 0 and 1 have different sizes on axis 0 (2 vs 3)}}
  %y = dsc.concat %a, %b {axis = 1} : f32[2,3], f32[3,3] -> f32[2,6]
  return
}

// -----

func.func @concat_rank(%a: tensor<2x3xf32>, %b: tensor<3xf32>) {
  // expected-error @below {{cannot put f32[3] behind f32[2,3]}}
  %y = dsc.concat %a, %b {axis = 0} : f32[2,3], f32[3] -> f32[3,3]
  return
}

// -----

func.func @concat_elements(%a: tensor<2xf32>, %b: tensor<3xf16>) {
  // expected-error @below {{cannot put f16[3] behind f32[2]}}
  %y = dsc.concat %a, %b {axis = 0} : f32[2], f16[3] -> f32[5]
  return
}

// -----

func.func @split_sum(%a: tensor<5xf32>) {
  // expected-error @below {{split's sizes do not add up to the axis's size (4 vs 5)}}
  %y:2 = dsc.split %a {split = #dsc.dims<2, 2>} : f32[5] -> f32[2], f32[2]
  return
}

// -----

func.func @split_results(%a: tensor<5xf32>) {
  // expected-error @below {{split has 2 sizes for 1 results}}
  %y = dsc.split %a {split = #dsc.dims<2, 3>} : f32[5] -> f32[2]
  return
}

// -----

func.func @slice_step(%a: tensor<5xf32>) {
  // expected-error @below {{step of axis 0 is 0}}
  %y = dsc.slice %a {starts = #dsc.dims<0>, ends = #dsc.dims<1>, steps = #dsc.dims<0>} : f32[5] -> f32[1]
  return
}

// -----

func.func @slice_lists(%a: tensor<5xf32>) {
  // expected-error @below {{has 2 starts, 1 ends, 2 axes and 2 steps}}
  %y = dsc.slice %a {starts = #dsc.dims<0, 1>, ends = #dsc.dims<1>} : f32[5] -> f32[1]
  return
}

// -----

func.func @expand(%a: tensor<3xf32>) {
  // expected-error @below {{cannot expand axis 0 from 3 to 2}}
  %y = dsc.expand %a {shape = #dsc.dims<2>} : f32[3] -> f32[3]
  return
}

// -----

func.func @tile(%a: tensor<3x4xf32>) {
  // expected-error @below {{has 1 repeats for f32[3,4]}}
  %y = dsc.tile %a {repeats = #dsc.dims<2>} : f32[3,4] -> f32[6,4]
  return
}

// -----

func.func @tile_negative(%a: tensor<3x4xf32>) {
  // expected-error @below {{repeats axis 1 -1 times}}
  %y = dsc.tile %a {repeats = #dsc.dims<2, -1>} : f32[3,4] -> f32[6,4]
  return
}

// -----

func.func @pads(%a: tensor<2x3xf32>) {
  %none = dsc.none
  // expected-error @below {{has 2 pads for 2 axes}}
  %y = dsc.pad %a, %none {pads = #dsc.dims<1, 1>} : f32[2,3], none -> f32[2,5]
  return
}

// -----

func.func @pad_mode(%a: tensor<3xf32>) {
  %none = dsc.none
  // expected-error @below {{mode is 'mirror', expected constant, edge, reflect or wrap}}
  %y = dsc.pad %a, %none {pads = #dsc.dims<1, 1>, mode = "mirror"} : f32[3], none -> f32[5]
  return
}

// -----

func.func @pad_away(%a: tensor<3xf32>) {
  %none = dsc.none
  // expected-error @below {{pads take away more than the 3 elements of axis 0}}
  %y = dsc.pad %a, %none {pads = #dsc.dims<-2, -2>} : f32[3], none -> f32[0]
  return
}

// -----

func.func @blocks(%a: tensor<1x2x5x4xf32>) {
  // expected-error @below {{size 5 of axis 2 is not a multiple of 2}}
  %y = dsc.space_to_depth %a {blocksize = 2} : f32[1,2,5,4] -> f32[1,8,2,2]
  return
}

// -----

func.func @depth(%a: tensor<1x8x5x4xf32>) {
  // expected-error @below {{size 8 of axis 1 is not a multiple of 9}}
  %y = dsc.depth_to_space %a {blocksize = 3} : f32[1,8,5,4] -> f32[1,1,15,12]
  return
}

// -----

func.func @lengths(%a: tensor<4x2xf32>, %b: tensor<3xi64>) {
  // expected-error @below {{sequence_lens needs a length for each sequence (3 vs 2)}}
  %y = dsc.reverse_sequence %a, %b {batch_axis = 1, time_axis = 0} : f32[4,2], i64[3] -> f32[4,2]
  return
}

// -----

func.func @range_delta(%a: tensor<i64>, %b: tensor<i64>, %c: tensor<i64>) {
  // expected-error @below {{delta is 0}}
  %y = dsc.range %a, %b, %c {start = #dsc.dims<1>, limit = #dsc.dims<5>, delta = #dsc.dims<0>} : i64[], i64[], i64[] -> i64[4]
  return
}

// -----

func.func @eye(%a: tensor<3xf32>) {
  // expected-error @below {{needs a matrix, not f32[3]}}
  %y = dsc.eye_like %a : f32[3] -> f32[3]
  return
}

// -----

func.func @trilu(%a: tensor<3xf32>) {
  // expected-error @below {{needs matrices, not f32[3]}}
  %y = dsc.trilu %a : f32[3] -> f32[3]
  return
}

// -----

func.func @constant_of_shape() {
  // expected-error @below {{shape has the size -1}}
  %y = dsc.constant_of_shape {shape = #dsc.dims<-1>} : f32[1]
  return
}

// -----

func.func @constant_value() {
  // expected-error @below {{value has 2 elements, expected one}}
  %y = dsc.constant_of_shape {shape = #dsc.dims<4>, value = dense<[1, 2]> : tensor<2xi32>} : i32[4]
  return
}

// -----

func.func @compress(%a: tensor<4xf32>, %b: tensor<2x2xi1>) {
  // expected-error @below {{condition must have one axis, not bool[2,2]}}
  %y = dsc.compress %a, %b {count = #dsc.dim<K>} : f32[4], bool[2,2] -> f32[K]
  return
}
