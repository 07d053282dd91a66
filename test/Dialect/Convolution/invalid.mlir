// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @channels(%a: tensor<1x3x8x8xf32>, %b: tensor<16x4x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{input has another number of channels than the kernel (3 vs 4)}}
  %y = dsc.conv %a, %b, %none : f32[1,3,8,8], f32[16,4,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @groups(%a: tensor<1x3x8x8xf32>, %b: tensor<16x1x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{input has another number of channels than the kernel (3 vs 2)}}
  %y = dsc.conv %a, %b, %none {group = 2} : f32[1,3,8,8], f32[16,1,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @group(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{group must be positive, not 0}}
  %y = dsc.conv %a, %b, %none {group = 0} : f32[1,3,8,8], f32[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @rank(%a: tensor<1x3x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{needs an input and a kernel of the same rank, at least 3, not f32[1,3,8] and f32[16,3,3,3]}}
  %y = dsc.conv %a, %b, %none : f32[1,3,8], f32[16,3,3,3], none -> f32[1,16,6]
  return
}

// -----

func.func @strides(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{strides has 1 entries for 2 spatial axes}}
  %y = dsc.conv %a, %b, %none {strides = array<i64: 1>} : f32[1,3,8,8], f32[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @stride(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{strides must be positive, not 0}}
  %y = dsc.conv %a, %b, %none {strides = array<i64: 1, 0>} : f32[1,3,8,8], f32[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @pads(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{pads has 2 entries, expected 4}}
  %y = dsc.conv %a, %b, %none {pads = array<i64: 1, 1>} : f32[1,3,8,8], f32[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @auto_pad(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{auto_pad has unknown value 'FULL'}}
  %y = dsc.conv %a, %b, %none {auto_pad = "FULL"} : f32[1,3,8,8], f32[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @kernel_shape(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{kernel_shape does not fit the kernel (3 vs 5)}}
  %y = dsc.conv %a, %b, %none {kernel_shape = array<i64: 5, 3>} : f32[1,3,8,8], f32[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @too_small(%a: tensor<1x3x2x8xf32>, %b: tensor<16x3x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{window of size 3 is larger than axis 2 of size 2}}
  %y = dsc.conv %a, %b, %none : f32[1,3,2,8], f32[16,3,3,3], none -> f32[1,16,0,6]
  return
}

// -----

func.func @bias(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf32>, %c: tensor<8xf32>) {
  // expected-error @below {{bias has another size than there are output channels (8 vs 16)}}
  %y = dsc.conv %a, %b, %c : f32[1,3,8,8], f32[16,3,3,3], f32[8] -> f32[1,16,6,6]
  return
}

// -----

func.func @elements(%a: tensor<1x3x8x8xf32>, %b: tensor<16x3x3x3xf16>) {
  %none = dsc.none
  // expected-error @below {{input and kernel have different element types (f32[1,3,8,8] and f16[16,3,3,3])}}
  %y = dsc.conv %a, %b, %none : f32[1,3,8,8], f16[16,3,3,3], none -> f32[1,16,6,6]
  return
}

// -----

func.func @output_padding(%a: tensor<1x3x8x8xf32>, %b: tensor<3x4x3x3xf32>) {
  %none = dsc.none
  // expected-error @below {{output_padding has 1 entries for 2 spatial axes}}
  %y = dsc.conv_transpose %a, %b, %none {output_padding = array<i64: 1>} : f32[1,3,8,8], f32[3,4,3,3], none -> f32[1,4,10,10]
  return
}

// -----

func.func @deform(%a: tensor<1x1x3x3xf32>, %b: tensor<1x1x2x2xf32>, %c: tensor<1x6x2x2xf32>) {
  %none = dsc.none
  // expected-error @below {{offset has another size on axis 1 than expected (6 vs 8)}}
  %y = dsc.deform_conv %a, %b, %c, %none, %none : f32[1,1,3,3], f32[1,1,2,2], f32[1,6,2,2], none, none -> f32[1,1,2,2]
  return
}

// -----

func.func @col2im(%a: tensor<5x5xf32>) {
  // expected-error @below {{needs an input of rank 3, not f32[5,5]}}
  %y = dsc.col2im %a {image_shape = #dsc.dims<5, 5>, block_shape = #dsc.dims<1, 5>} : f32[5,5] -> f32[1,5,5]
  return
}
