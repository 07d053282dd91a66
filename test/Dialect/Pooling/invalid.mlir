// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @rank(%a: tensor<1x8xf32>) {
  // expected-error @below {{needs an input of rank 3 or more, not f32[1,8]}}
  %y = dsc.max_pool %a {kernel_shape = array<i64: 3>} : f32[1,8] -> f32[1,8]
  return
}

// -----

func.func @kernel(%a: tensor<1x8x5x5xf32>) {
  // expected-error @below {{kernel has 1 axes for 2 spatial axes}}
  %y = dsc.max_pool %a {kernel_shape = array<i64: 3>} : f32[1,8,5,5] -> f32[1,8,3,3]
  return
}

// -----

func.func @too_small(%a: tensor<1x8x5x2xf32>) {
  // expected-error @below {{window of size 3 is larger than axis 3 of size 2}}
  %y = dsc.average_pool %a {kernel_shape = array<i64: 3, 3>} : f32[1,8,5,2] -> f32[1,8,3,1]
  return
}

// -----

func.func @dilations(%a: tensor<1x8x5x5xf32>) {
  // expected-error @below {{dilations has 1 entries for 2 spatial axes}}
  %y = dsc.max_pool %a {kernel_shape = array<i64: 3, 3>, dilations = array<i64: 1>} : f32[1,8,5,5] -> f32[1,8,3,3]
  return
}

// -----

func.func @p(%a: tensor<1x8x5xf32>) {
  // expected-error @below {{p must be positive, not 0}}
  %y = dsc.lp_pool %a {kernel_shape = array<i64: 3>, p = 0} : f32[1,8,5] -> f32[1,8,3]
  return
}

// -----

func.func @result(%a: tensor<1x8x5xf32>) {
  // expected-error @below {{result type is f32[1,8,4], expected f32[1,8,3]}}
  %y = dsc.max_pool %a {kernel_shape = array<i64: 3>} : f32[1,8,5] -> f32[1,8,4]
  return
}

// -----

func.func @global_rank(%a: tensor<4xf32>) {
  // expected-error @below {{needs an input of rank 2 or more, not f32[4]}}
  %y = dsc.global_average_pool %a : f32[4] -> f32[4]
  return
}

// -----

func.func @unpool(%a: tensor<1x1x2x2xf32>, %b: tensor<1x1x2x3xi64>) {
  // expected-error @below {{input and indices have different sizes on axis 3 (2 vs 3)}}
  %y = dsc.max_unpool %a, %b {kernel_shape = array<i64: 2, 2>} : f32[1,1,2,2], i64[1,1,2,3] -> f32[1,1,3,3]
  return
}

// -----

func.func @resize_both(%a: tensor<1x3x5x5xf32>) {
  // expected-error @below {{needs either scales or sizes}}
  %y = dsc.resize %a : f32[1,3,5,5] -> f32[1,3,5,5]
  return
}

// -----

func.func @resize_sizes(%a: tensor<1x3x5x5xf32>) {
  // expected-error @below {{sizes has 2 entries for 4 axes}}
  %y = dsc.resize %a {sizes = #dsc.dims<5, 5>} : f32[1,3,5,5] -> f32[1,3,5,5]
  return
}

// -----

func.func @resize_mode(%a: tensor<1x3x5x5xf32>) {
  // expected-error @below {{mode has unknown value 'area'}}
  %y = dsc.resize %a {sizes = #dsc.dims<1, 3, 5, 5>, mode = "area"} : f32[1,3,5,5] -> f32[1,3,5,5]
  return
}

// -----

func.func @resize_coordinates(%a: tensor<1x3x5x5xf32>) {
  // expected-error @below {{coordinate_transformation_mode has unknown value 'middle'}}
  %y = dsc.resize %a {sizes = #dsc.dims<1, 3, 5, 5>, coordinate_transformation_mode = "middle"} : f32[1,3,5,5] -> f32[1,3,5,5]
  return
}

// -----

func.func @grid_rank(%a: tensor<1x3x5x5xf32>, %b: tensor<1x3x2xf32>) {
  // expected-error @below {{needs an input and a grid of the same rank, at least 3, not f32[1,3,5,5] and f32[1,3,2]}}
  %y = dsc.grid_sample %a, %b : f32[1,3,5,5], f32[1,3,2] -> f32[1,3,3,3]
  return
}

// -----

func.func @grid_last(%a: tensor<1x3x5x5xf32>, %b: tensor<1x7x7x3xf32>) {
  // expected-error @below {{last axis of the grid is not the number of spatial axes (3 vs 2)}}
  %y = dsc.grid_sample %a, %b : f32[1,3,5,5], f32[1,7,7,3] -> f32[1,3,7,7]
  return
}

// -----

func.func @grid_mode(%a: tensor<1x3x5x5xf32>, %b: tensor<1x7x7x2xf32>) {
  // expected-error @below {{mode has unknown value 'bilinear_fast'}}
  %y = dsc.grid_sample %a, %b {mode = "bilinear_fast"} : f32[1,3,5,5], f32[1,7,7,2] -> f32[1,3,7,7]
  return
}

// -----

func.func @rois(%a: tensor<1x3x5x5xf32>, %b: tensor<2x5xf32>, %c: tensor<2xi64>) {
  // expected-error @below {{a roi has 4 coordinates (5 vs 4)}}
  %y = dsc.roi_align %a, %b, %c : f32[1,3,5,5], f32[2,5], i64[2] -> f32[2,3,1,1]
  return
}

// -----

func.func @roi_batches(%a: tensor<1x3x5x5xf32>, %b: tensor<2x4xf32>, %c: tensor<3xi64>) {
  // expected-error @below {{there are not as many batch indices as rois (2 vs 3)}}
  %y = dsc.roi_align %a, %b, %c : f32[1,3,5,5], f32[2,4], i64[3] -> f32[2,3,1,1]
  return
}

// -----

func.func @roi_mode(%a: tensor<1x3x5x5xf32>, %b: tensor<2x4xf32>, %c: tensor<2xi64>) {
  // expected-error @below {{mode has unknown value 'median'}}
  %y = dsc.roi_align %a, %b, %c {mode = "median"} : f32[1,3,5,5], f32[2,4], i64[2] -> f32[2,3,1,1]
  return
}
