// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @conv(
// CHECK: dsc.conv %{{.*}} {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : f32[N,3,H,W], f32[16,3,3,3], f32[16] -> f32[N,16,(H + 1) floordiv 2,(W + 1) floordiv 2]
func.func @conv(%a: tensor<?x3x?x?xf32, #dsc.tensor<dims = <N, 3, H, W>>>, %b: tensor<16x3x3x3xf32>, %c: tensor<16xf32>) {
  %y = dsc.conv %a, %b, %c {pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : f32[N,3,H,W], f32[16,3,3,3], f32[16] -> f32[N,16,(H - 1) floordiv 2 + 1,(W - 1) floordiv 2 + 1]
  return
}

// CHECK-LABEL: func.func @same(
// CHECK: dsc.conv %{{.*}} {auto_pad = "SAME_UPPER", strides = array<i64: 2>} : f32[1,4,9], f32[8,4,3], none -> f32[1,8,5]
func.func @same(%a: tensor<1x4x9xf32>, %b: tensor<8x4x3xf32>) {
  %none = dsc.none
  %y = dsc.conv %a, %b, %none {auto_pad = "SAME_UPPER", strides = array<i64: 2>} : f32[1,4,9], f32[8,4,3], none -> f32[1,8,5]
  return
}

// CHECK-LABEL: func.func @depthwise(
// CHECK: dsc.conv %{{.*}} {dilations = array<i64: 2, 2>, group = 8 : i64} : f16[N,8,20,20], f16[8,1,3,3], none -> f16[N,8,16,16]
func.func @depthwise(%a: tensor<?x8x20x20xf16, #dsc.tensor<dims = <N, 8, 20, 20>>>, %b: tensor<8x1x3x3xf16>) {
  %none = dsc.none
  %y = dsc.conv %a, %b, %none {group = 8, dilations = array<i64: 2, 2>} : f16[N,8,20,20], f16[8,1,3,3], none -> f16[N,8,16,16]
  return
}

// CHECK-LABEL: func.func @conv_integer(
// CHECK: dsc.conv_integer %{{.*}} : u8[1,2,5,5], i8[4,2,3,3], u8[], none -> i32[1,4,3,3]
func.func @conv_integer(%a: tensor<1x2x5x5xui8>, %b: tensor<4x2x3x3xi8>, %c: tensor<ui8>) {
  %none = dsc.none
  %y = dsc.conv_integer %a, %b, %c, %none : u8[1,2,5,5], i8[4,2,3,3], u8[], none -> i32[1,4,3,3]
  return
}

// CHECK-LABEL: func.func @qlinear_conv(
// CHECK: dsc.qlinear_conv %{{.*}} : u8[1,2,5,5], f32[], u8[], i8[4,2,3,3], f32[4], i8[4], f32[], u8[], i32[4] -> u8[1,4,3,3]
func.func @qlinear_conv(%a: tensor<1x2x5x5xui8>, %b: tensor<f32>, %c: tensor<ui8>, %d: tensor<4x2x3x3xi8>, %e: tensor<4xf32>, %f: tensor<4xi8>, %g: tensor<f32>, %h: tensor<ui8>, %i: tensor<4xi32>) {
  %y = dsc.qlinear_conv %a, %b, %c, %d, %e, %f, %g, %h, %i : u8[1,2,5,5], f32[], u8[], i8[4,2,3,3], f32[4], i8[4], f32[], u8[], i32[4] -> u8[1,4,3,3]
  return
}

// CHECK-LABEL: func.func @conv_transpose(
// CHECK: dsc.conv_transpose %{{.*}} {output_padding = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : f32[N,8,7,7], f32[8,4,3,3], none -> f32[N,4,14,14]
func.func @conv_transpose(%a: tensor<?x8x7x7xf32, #dsc.tensor<dims = <N, 8, 7, 7>>>, %b: tensor<8x4x3x3xf32>) {
  %none = dsc.none
  %y = dsc.conv_transpose %a, %b, %none {strides = array<i64: 2, 2>, output_padding = array<i64: 1, 1>, pads = array<i64: 1, 1, 1, 1>} : f32[N,8,7,7], f32[8,4,3,3], none -> f32[N,4,14,14]
  return
}

// CHECK-LABEL: func.func @output_shape(
// CHECK: dsc.conv_transpose %{{.*}} {output_shape = array<i64: 10, 8>, strides = array<i64: 3, 2>} : f32[1,1,3,3], f32[1,2,3,3], none -> f32[1,2,10,8]
func.func @output_shape(%a: tensor<1x1x3x3xf32>, %b: tensor<1x2x3x3xf32>) {
  %none = dsc.none
  %y = dsc.conv_transpose %a, %b, %none {strides = array<i64: 3, 2>, output_shape = array<i64: 10, 8>} : f32[1,1,3,3], f32[1,2,3,3], none -> f32[1,2,10,8]
  return
}

// CHECK-LABEL: func.func @deform_conv(
// CHECK: dsc.deform_conv %{{.*}} : f32[1,1,3,3], f32[1,1,2,2], f32[1,8,2,2], none, f32[1,4,2,2] -> f32[1,1,2,2]
func.func @deform_conv(%a: tensor<1x1x3x3xf32>, %b: tensor<1x1x2x2xf32>, %c: tensor<1x8x2x2xf32>, %d: tensor<1x4x2x2xf32>) {
  %none = dsc.none
  %y = dsc.deform_conv %a, %b, %c, %none, %d : f32[1,1,3,3], f32[1,1,2,2], f32[1,8,2,2], none, f32[1,4,2,2] -> f32[1,1,2,2]
  return
}

// CHECK-LABEL: func.func @col2im(
// CHECK: dsc.col2im %{{.*}} {block_shape = #dsc.dims<1, 5>, image_shape = #dsc.dims<5, 5>} : f32[1,5,5] -> f32[1,1,5,5]
func.func @col2im(%a: tensor<1x5x5xf32>) {
  %y = dsc.col2im %a {image_shape = #dsc.dims<5, 5>, block_shape = #dsc.dims<1, 5>} : f32[1,5,5] -> f32[1,1,5,5]
  return
}
