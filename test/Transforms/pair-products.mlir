// RUN: dsc-opt %s --dsc-pair-products | FileCheck %s

// CHECK-LABEL: func @matmul
func.func @matmul(%a: tensor<4x7xui8>, %b: tensor<7x3xi8>, %za: tensor<4xui8>, %zb: tensor<3xi8>) -> tensor<4x3xi32> {
  // CHECK: %[[ZA:.*]] = dsc.reshape %arg2 {{.*}} : u8[4] -> u8[4,1]
  // CHECK: %[[A:.*]] = dsc.pair %arg0, %[[ZA]] {axis = 1 : i64} : u8[4,7], u8[4,1] -> i32[4,4]
  // CHECK: %[[B:.*]] = dsc.pair %arg1, %arg3 {axis = 0 : i64} : i8[7,3], i8[3] -> i32[4,3]
  // CHECK: dsc.matmul_pairs %[[A]], %[[B]] : i32[4,4], i32[4,3] -> i32[4,3]
  %0 = dsc.matmul_integer %a, %b, %za, %zb : u8[4,7], i8[7,3], u8[4], i8[3] -> i32[4,3]
  return %0 : tensor<4x3xi32>
}

// An even number of columns lies as it is read.
// CHECK-LABEL: func @even
func.func @even(%a: tensor<4x8xui8>, %b: tensor<8x3xi8>, %za: tensor<ui8>) -> tensor<4x3xi32> {
  // CHECK: %[[WIDE:.*]] = dsc.cast %arg0 {{.*}} : u8[4,8] -> i16[4,8]
  // CHECK: %[[ZERO:.*]] = dsc.cast %arg2 {{.*}} : u8[] -> i16[]
  // CHECK: %[[X:.*]] = dsc.sub %[[WIDE]], %[[ZERO]] : i16[4,8], i16[] -> i16[4,8]
  // CHECK: %[[A:.*]] = dsc.join_pairs %[[X]] : i16[4,8] -> i32[4,4]
  // CHECK: dsc.matmul_pairs %[[A]], %{{.*}} : i32[4,4], i32[4,3] -> i32[4,3]
  %none = dsc.none
  %0 = dsc.matmul_integer %a, %b, %za, %none : u8[4,8], i8[8,3], u8[], none -> i32[4,3]
  return %0 : tensor<4x3xi32>
}

// Pairs within a group.
// CHECK-LABEL: func @grouped
func.func @grouped(%x: tensor<1x6x8x8xui8>, %w: tensor<4x3x3x3xi8>) -> tensor<1x4x6x6xi32> {
  %none = dsc.none
  // CHECK: dsc.reshape %arg0 {{.*}} : u8[1,6,8,8] -> u8[1,2,3,64]
  // CHECK: dsc.pair {{.*}} {axis = 2 : i64} : u8[1,2,3,64], none -> i32[1,2,2,64]
  // CHECK: %[[X:.*]] = dsc.reshape {{.*}} : i32[1,2,2,64] -> i32[1,4,8,8]
  // CHECK: %[[W:.*]] = dsc.pair %arg1, %{{.*}} {axis = 1 : i64} : i8[4,3,3,3], none -> i32[4,2,3,3]
  // CHECK: dsc.conv_pairs %[[X]], %[[W]] {group = 2 : i64} : i32[1,4,8,8], i32[4,2,3,3] -> i32[1,4,6,6]
  %0 = dsc.conv_integer %x, %w, %none, %none {group = 2 : i64} : u8[1,6,8,8], i8[4,3,3,3], none, none -> i32[1,4,6,6]
  return %0 : tensor<1x4x6x6xi32>
}

// Nine products are exact in float32.
// CHECK-LABEL: func @depthwise
func.func @depthwise(%x: tensor<1x6x8x8xui8>, %w: tensor<6x1x3x3xi8>, %z: tensor<ui8>) -> tensor<1x6x6x6xi32> {
  %none = dsc.none
  // CHECK: dsc.sub {{.*}} : f32[1,6,8,8], f32[] -> f32[1,6,8,8]
  // CHECK: %[[SUMS:.*]] = dsc.conv {{.*}} -> f32[1,6,6,6]
  // CHECK: dsc.cast %[[SUMS]] {{.*}} -> i32[1,6,6,6]
  %0 = dsc.conv_integer %x, %w, %z, %none {group = 6 : i64} : u8[1,6,8,8], i8[6,1,3,3], u8[], none -> i32[1,6,6,6]
  return %0 : tensor<1x6x6x6xi32>
}
