// RUN: dsc-opt %s --dsc-phase-simplify --dsc-phase-group --dsc-choose-schedules="target=x86-64-v3" | FileCheck %s

// Integer products are computed by the templates of float32, their scaling included.
// CHECK-LABEL: func.func @matmul
func.func @matmul(%a: tensor<64x128xui8>, %b: tensor<128x96xi8>, %m: tensor<96xf32>, %z: tensor<ui8>) -> tensor<64x96xui8> {
  %none = dsc.none
  // CHECK: dsc.group {{.*}}<"gemm-fma"
  // CHECK-NEXT: dsc.matmul_pairs {{.*}} : i32[64,64], i32[64,96] -> i32[64,96]
  // CHECK-NEXT: dsc.requantize
  %0 = dsc.matmul_integer %a, %b, %z, %none : u8[64,128], i8[128,96], u8[], none -> i32[64,96]
  %1 = dsc.requantize %0, %m, %z : i32[64,96], f32[96], u8[] -> u8[64,96]
  return %1 : tensor<64x96xui8>
}

// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x32x28x28xui8>, %w: tensor<48x32x3x3xi8>, %m: tensor<48x1x1xf32>, %z: tensor<ui8>) -> tensor<1x48x28x28xui8> {
  %none = dsc.none
  // CHECK: dsc.group {{.*}}<"conv-panels"
  // CHECK-NEXT: dsc.conv_pairs {{.*}} : i32[1,16,28,28], i32[48,16,3,3] -> i32[1,48,28,28]
  // CHECK-NEXT: dsc.requantize
  %0 = dsc.conv_integer %x, %w, %z, %none {pads = array<i64: 1, 1, 1, 1>} : u8[1,32,28,28], i8[48,32,3,3], u8[], none -> i32[1,48,28,28]
  %1 = dsc.requantize %0, %m, %z : i32[1,48,28,28], f32[48,1,1], u8[] -> u8[1,48,28,28]
  return %1 : tensor<1x48x28x28xui8>
}

// CHECK-LABEL: func.func @depthwise
func.func @depthwise(%x: tensor<1x32x28x28xui8>, %w: tensor<32x1x3x3xi8>, %z: tensor<ui8>) -> tensor<1x32x28x28xi32> {
  %none = dsc.none
  // CHECK: dsc.group {{.*}}<"depthwise-conv"
  %0 = dsc.conv_integer %x, %w, %z, %none {group = 32 : i64, pads = array<i64: 1, 1, 1, 1>} : u8[1,32,28,28], i8[32,1,3,3], u8[], none -> i32[1,32,28,28]
  return %0 : tensor<1x32x28x28xi32>
}
