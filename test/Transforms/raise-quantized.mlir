// RUN: dsc-opt %s --dsc-raise-quantized --canonicalize --cse | FileCheck %s

// A convolution whose bias has the scales of its sums; the relu is what saturation does.
// CHECK-LABEL: func @conv
func.func @conv(%x: tensor<1x2x8x8xui8>, %w: tensor<2x2x3x3xi8>) -> tensor<1x2x8x8xui8> {
  %none = dsc.none
  %sx = dsc.constant dense<5.000000e-01> : tensor<f32>
  %zx = dsc.constant dense<3> : tensor<ui8>
  %sw = dsc.constant dense<[0.25, 0.5]> : tensor<2xf32>
  %zw = dsc.constant dense<0> : tensor<2xi8>
  %b = dsc.constant dense<[7, -9]> : tensor<2xi32>
  %sb = dsc.constant dense<[0.125, 0.25]> : tensor<2xf32>
  %sy = dsc.constant dense<2.000000e+00> : tensor<f32>
  %zy = dsc.constant dense<0> : tensor<ui8>
  // CHECK: %[[SUMS:.*]] = dsc.conv_integer %arg0, %arg1, %{{.*}} : u8[1,2,8,8], i8[2,2,3,3], u8[], i8[2] -> i32[1,2,8,8]
  // CHECK: %[[BIAS:.*]] = dsc.reshape {{.*}} : i32[2] -> i32[2,1,1]
  // CHECK: %[[ALL:.*]] = dsc.add %[[SUMS]], %[[BIAS]]
  // CHECK: dsc.mul {{.*}} : f32[], f32[2,1,1] -> f32[2,1,1]
  // CHECK: %[[M:.*]] = dsc.div {{.*}} : f32[2,1,1], f32[] -> f32[2,1,1]
  // CHECK: %[[Y:.*]] = dsc.requantize %[[ALL]], %[[M]], %{{.*}} : i32[1,2,8,8], f32[2,1,1], u8[] -> u8[1,2,8,8]
  // CHECK-NOT: dsc.relu
  // CHECK: return %[[Y]]
  %0 = dsc.dequantize_linear %x, %sx, %zx : u8[1,2,8,8], f32[], u8[] -> f32[1,2,8,8]
  %1 = dsc.dequantize_linear %w, %sw, %zw {axis = 0} : i8[2,2,3,3], f32[2], i8[2] -> f32[2,2,3,3]
  %2 = dsc.dequantize_linear %b, %sb, %none {axis = 0} : i32[2], f32[2], none -> f32[2]
  %3 = dsc.conv %0, %1, %2 {pads = array<i64: 1, 1, 1, 1>} : f32[1,2,8,8], f32[2,2,3,3], f32[2] -> f32[1,2,8,8]
  %4 = dsc.relu %3 : f32[1,2,8,8] -> f32[1,2,8,8]
  %5 = dsc.quantize_linear %4, %sy, %zy : f32[1,2,8,8], f32[], u8[] -> u8[1,2,8,8]
  return %5 : tensor<1x2x8x8xui8>
}

// Below zero something is left for the relu to do; a bias of another scale stays a float.
// CHECK-LABEL: func @stays_float
func.func @stays_float(%x: tensor<4x6xui8>, %w: tensor<6x3xi8>) -> tensor<4x3xi8> {
  %none = dsc.none
  %sx = dsc.constant dense<5.000000e-01> : tensor<f32>
  %zx = dsc.constant dense<3> : tensor<ui8>
  %sw = dsc.constant dense<2.500000e-01> : tensor<f32>
  %b = dsc.constant dense<[7, -9, 1]> : tensor<3xi32>
  %sb = dsc.constant dense<1.000000e+00> : tensor<f32>
  %sy = dsc.constant dense<2.000000e+00> : tensor<f32>
  %zy = dsc.constant dense<0> : tensor<i8>
  // CHECK: %[[SUMS:.*]] = dsc.matmul_integer %arg0, %arg1
  // CHECK: %[[FLOAT:.*]] = dsc.cast %[[SUMS]]
  // CHECK: %[[SCALED:.*]] = dsc.mul %[[FLOAT]], %{{.*}} : f32[4,3], f32[] -> f32[4,3]
  // CHECK: %[[BIASED:.*]] = dsc.add %[[SCALED]], %{{.*}} : f32[4,3], f32[3] -> f32[4,3]
  // CHECK: %[[RELU:.*]] = dsc.relu %[[BIASED]]
  // CHECK: dsc.quantize_linear %[[RELU]]
  %0 = dsc.dequantize_linear %x, %sx, %zx : u8[4,6], f32[], u8[] -> f32[4,6]
  %1 = dsc.dequantize_linear %w, %sw, %none : i8[6,3], f32[], none -> f32[6,3]
  %2 = dsc.dequantize_linear %b, %sb, %none : i32[3], f32[], none -> f32[3]
  %3 = dsc.gemm %0, %1, %2 : f32[4,6], f32[6,3], f32[3] -> f32[4,3]
  %4 = dsc.relu %3 : f32[4,3] -> f32[4,3]
  %5 = dsc.quantize_linear %4, %sy, %zy : f32[4,3], f32[], i8[] -> i8[4,3]
  return %5 : tensor<4x3xi8>
}

// Scales along the summed axis are no scales of sums.
// CHECK-LABEL: func @rows
func.func @rows(%x: tensor<4x6xui8>, %w: tensor<6x3xi8>, %s: tensor<f32>, %sw: tensor<6xf32>) -> tensor<4x3xf32> {
  %none = dsc.none
  // CHECK: dsc.matmul {{.*}} : f32[4,6], f32[6,3] -> f32[4,3]
  %0 = dsc.dequantize_linear %x, %s, %none : u8[4,6], f32[], none -> f32[4,6]
  %1 = dsc.dequantize_linear %w, %sw, %none {axis = 0} : i8[6,3], f32[6], none -> f32[6,3]
  %2 = dsc.matmul %0, %1 : f32[4,6], f32[6,3] -> f32[4,3]
  return %2 : tensor<4x3xf32>
}

// Factors and offset are constants for the folder; nothing is left of zero points.
// CHECK-LABEL: func @sum
func.func @sum(%a: tensor<4x6xui8>, %b: tensor<4x6xui8>) -> tensor<4x6xui8> {
  %sa = dsc.constant dense<5.000000e-01> : tensor<f32>
  %za = dsc.constant dense<3> : tensor<ui8>
  // CHECK: dsc.quantized_sum %arg0, %arg1, %{{.*}} {output_dtype = 2 : i64} : u8[4,6], u8[4,6], f32[], f32[], f32[] -> u8[4,6]
  // CHECK-NEXT: return
  %0 = dsc.dequantize_linear %a, %sa, %za : u8[4,6], f32[], u8[] -> f32[4,6]
  %1 = dsc.dequantize_linear %b, %sa, %za : u8[4,6], f32[], u8[] -> f32[4,6]
  %2 = dsc.add %0, %1 : f32[4,6], f32[4,6] -> f32[4,6]
  %3 = dsc.quantize_linear %2, %sa, %za : f32[4,6], f32[], u8[] -> u8[4,6]
  return %3 : tensor<4x6xui8>
}

// Where all 256 values become the same, a multiplication does; a relu above which all is kept does nothing.
// CHECK-LABEL: func @rescale
func.func @rescale(%a: tensor<4x6xui8>) -> (tensor<4x6xui8>, tensor<4x6xui8>) {
  %sa = dsc.constant dense<5.000000e-01> : tensor<f32>
  %za = dsc.constant dense<3> : tensor<ui8>
  %sy = dsc.constant dense<2.500000e-01> : tensor<f32>
  %zy = dsc.constant dense<0> : tensor<ui8>
  // CHECK: %[[Q:.*]] = dsc.cast %arg0 {{.*}} -> i32[4,6]
  // CHECK: %[[X:.*]] = dsc.sub %[[Q]], %{{.*}} : i32[4,6], i32[] -> i32[4,6]
  // CHECK: %[[M:.*]] = dsc.div {{.*}} : f32[], f32[] -> f32[]
  // CHECK: %[[Y:.*]] = dsc.requantize %[[X]], %[[M]], %{{.*}} : i32[4,6], f32[], u8[] -> u8[4,6]
  // CHECK: return %[[Y]], %arg0
  %0 = dsc.dequantize_linear %a, %sa, %za : u8[4,6], f32[], u8[] -> f32[4,6]
  %1 = dsc.relu %0 : f32[4,6] -> f32[4,6]
  %2 = dsc.quantize_linear %1, %sy, %zy : f32[4,6], f32[], u8[] -> u8[4,6]
  %3 = dsc.quantize_linear %0, %sa, %za : f32[4,6], f32[], u8[] -> u8[4,6]
  return %2, %3 : tensor<4x6xui8>, tensor<4x6xui8>
}
