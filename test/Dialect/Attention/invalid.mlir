// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @rank(%a: tensor<2x3x4xf32>, %b: tensor<2x3x4xf32>, %c: tensor<2x3x4xf32>) {
  %none = dsc.none
  // expected-error @below {{needs floats of rank 4, not f32[2,3,4]}}
  %y = dsc.attention %a, %b, %c, %none : f32[2,3,4], f32[2,3,4], f32[2,3,4], none -> f32[2,3,4]
  return
}

// -----

func.func @depth(%a: tensor<1x2x3x4xf32>, %b: tensor<1x2x3x5xf32>, %c: tensor<1x2x3x4xf32>) {
  %none = dsc.none
  // expected-error @below {{head sizes of q and k differ (5 vs 4)}}
  %y = dsc.attention %a, %b, %c, %none : f32[1,2,3,4], f32[1,2,3,5], f32[1,2,3,4], none -> f32[1,2,3,4]
  return
}

// -----

func.func @keys(%a: tensor<1x2x3x4xf32>, %b: tensor<1x2x5x4xf32>, %c: tensor<1x2x6x4xf32>) {
  %none = dsc.none
  // expected-error @below {{lengths of k and v differ (6 vs 5)}}
  %y = dsc.attention %a, %b, %c, %none : f32[1,2,3,4], f32[1,2,5,4], f32[1,2,6,4], none -> f32[1,2,3,4]
  return
}

// -----

func.func @heads(%a: tensor<1x5x3x4xf32>, %b: tensor<1x2x5x4xf32>, %c: tensor<1x2x5x4xf32>) {
  %none = dsc.none
  // expected-error @below {{5 heads of q are not a multiple of 2 heads of k}}
  %y = dsc.attention %a, %b, %c, %none : f32[1,5,3,4], f32[1,2,5,4], f32[1,2,5,4], none -> f32[1,5,3,4]
  return
}

// -----

func.func @mask(%a: tensor<1x2x3x4xf32>, %b: tensor<1x2x5x4xf32>, %c: tensor<1x2x5x4xf32>, %d: tensor<1x1x1x3x5xf32>) {
  // expected-error @below {{mask f32[1,1,1,3,5] has more than 4 axes}}
  %y = dsc.attention %a, %b, %c, %d : f32[1,2,3,4], f32[1,2,5,4], f32[1,2,5,4], f32[1,1,1,3,5] -> f32[1,2,3,4]
  return
}

// -----

func.func @mask_size(%a: tensor<1x2x3x4xf32>, %b: tensor<1x2x5x4xf32>, %c: tensor<1x2x5x4xf32>, %d: tensor<3x4xf32>) {
  // expected-error @below {{shapes do not broadcast on axis 3 (4 vs 5)}}
  %y = dsc.attention %a, %b, %c, %d : f32[1,2,3,4], f32[1,2,5,4], f32[1,2,5,4], f32[3,4] -> f32[1,2,3,4]
  return
}

// -----

func.func @causal_rank(%a: tensor<3xf32>) {
  // expected-error @below {{needs floats of rank 2 or more, not f32[3]}}
  %y = dsc.causal_mask %a : f32[3] -> f32[3]
  return
}
