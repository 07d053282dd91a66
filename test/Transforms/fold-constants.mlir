// RUN: dsc-opt %s -dsc-fold-constants | FileCheck %s

// CHECK-LABEL: func.func @chain
func.func @chain() -> tensor<2xf32> {
  // CHECK-NEXT: %[[C:.*]] = dsc.constant dense<[9.000000e+00, 1.600000e+01]> : tensor<2xf32>
  // CHECK-NEXT: return %[[C]]
  %a = dsc.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %b = dsc.constant dense<2.0> : tensor<f32>
  %s = dsc.add %a, %b : f32[2], f32[] -> f32[2]
  %r = dsc.mul %s, %s : f32[2], f32[2] -> f32[2]
  return %r : tensor<2xf32>
}

// CHECK-LABEL: func.func @sizes
func.func @sizes() -> tensor<2xi64> {
  // CHECK-NEXT: dsc.constant dense<[3, 64]> : tensor<2xi64>
  %s = dsc.sizes <3, 64> : i64[2]
  return %s : tensor<2xi64>
}

// A symbol has no value here.
// CHECK-LABEL: func.func @symbolic
func.func @symbolic() -> tensor<2xi64> {
  // CHECK-NEXT: dsc.sizes
  %s = dsc.sizes <N, 64> : i64[2]
  return %s : tensor<2xi64>
}

// CHECK-LABEL: func.func @not_constant
func.func @not_constant(%x: tensor<2xf32>) -> tensor<2xf32> {
  // CHECK-NEXT: %[[C:.*]] = dsc.constant dense<3.000000e+00>
  // CHECK-NEXT: dsc.add %arg0, %[[C]]
  %b = dsc.constant dense<2.0> : tensor<f32>
  %c = dsc.constant dense<1.0> : tensor<f32>
  %s = dsc.add %b, %c : f32[], f32[] -> f32[]
  %r = dsc.add %x, %s : f32[2], f32[] -> f32[2]
  return %r : tensor<2xf32>
}

// Large results are kept outside of the IR.
// CHECK-LABEL: func.func @large
func.func @large() -> tensor<300x2xf32> {
  // CHECK-NEXT: dsc.weight <0, 0, 2400> : f32[300,2]
  %a = dsc.constant dense<1.0> : tensor<300x1xf32>
  %b = dsc.constant dense<[2.0, 3.0]> : tensor<2xf32>
  %r = dsc.add %a, %b : f32[300,1], f32[2] -> f32[300,2]
  return %r : tensor<300x2xf32>
}

// Spreading two small constants over 4 MB saves nothing.
// CHECK-LABEL: func.func @spread
func.func @spread() -> tensor<1024x1024xf32> {
  // CHECK: dsc.add
  %a = dsc.constant dense<1.0> : tensor<1024x1xf32>
  %b = dsc.constant dense<1.0> : tensor<1024xf32>
  %r = dsc.add %a, %b : f32[1024,1], f32[1024] -> f32[1024,1024]
  return %r : tensor<1024x1024xf32>
}

// A view keeps the bytes where they are, also of a file that is not at hand.
// CHECK-LABEL: func.func @view
func.func @view() -> tensor<512xf32> {
  // CHECK-NEXT: dsc.weight <5, 64, 2048> "w" : f32[512]
  %w = dsc.weight <5, 64, 2048> "w" : f32[512]
  %r = dsc.identity %w : f32[512] -> f32[512]
  return %r : tensor<512xf32>
}

// Neither memory nor time for what is only written small.
// CHECK-LABEL: func.func @gigantic
func.func @gigantic() -> tensor<1099511627776x4096xf32> {
  // CHECK: dsc.constant_of_shape
  // CHECK: dsc.add
  %a = dsc.constant_of_shape {shape = #dsc.dims<1099511627776, 4096>} : f32[1099511627776,4096]
  %r = dsc.add %a, %a : f32[1099511627776,4096], f32[1099511627776,4096] -> f32[1099511627776,4096]
  return %r : tensor<1099511627776x4096xf32>
}
