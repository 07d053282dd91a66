// RUN: dsc-opt %s -dsc-raise-activations | FileCheck %s

// As PyTorch's exporter writes it.
// CHECK-LABEL: func.func @gelu
func.func @gelu(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // CHECK-NEXT: %[[Y:.*]] = dsc.gelu %arg0 {approximate = "none"} : f32[2,3] -> f32[2,3]
  // CHECK-NEXT: return %[[Y]]
  %root = dsc.constant dense<1.41421354> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.div %x, %root : f32[2,3], f32[] -> f32[2,3]
  %1 = dsc.erf %0 : f32[2,3] -> f32[2,3]
  %2 = dsc.add %1, %one : f32[2,3], f32[] -> f32[2,3]
  %3 = dsc.mul %half, %2 : f32[], f32[2,3] -> f32[2,3]
  %4 = dsc.mul %x, %3 : f32[2,3], f32[2,3] -> f32[2,3]
  return %4 : tensor<2x3xf32>
}

// The half at the end, sqrt(1/2) multiplied.
// CHECK-LABEL: func.func @gelu_other_order
func.func @gelu_other_order(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK-NEXT: dsc.gelu %arg0
  %root = dsc.constant dense<0.707106769> : tensor<1xf32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.mul %root, %x : f32[1], f32[3] -> f32[3]
  %1 = dsc.erf %0 : f32[3] -> f32[3]
  %2 = dsc.add %one, %1 : f32[], f32[3] -> f32[3]
  %3 = dsc.mul %x, %2 : f32[3], f32[3] -> f32[3]
  %4 = dsc.mul %3, %half : f32[3], f32[] -> f32[3]
  return %4 : tensor<3xf32>
}

// Half precision rounds the constants.
// CHECK-LABEL: func.func @gelu_f16
func.func @gelu_f16(%x: tensor<3xf16>) -> tensor<3xf16> {
  // CHECK-NEXT: dsc.gelu %arg0
  %root = dsc.constant dense<1.414060e+00> : tensor<f16>
  %one = dsc.constant dense<1.0> : tensor<f16>
  %half = dsc.constant dense<0.5> : tensor<f16>
  %0 = dsc.div %x, %root : f16[3], f16[] -> f16[3]
  %1 = dsc.erf %0 : f16[3] -> f16[3]
  %2 = dsc.add %1, %one : f16[3], f16[] -> f16[3]
  %3 = dsc.mul %x, %2 : f16[3], f16[3] -> f16[3]
  %4 = dsc.mul %3, %half : f16[3], f16[] -> f16[3]
  return %4 : tensor<3xf16>
}

// CHECK-LABEL: func.func @gelu_wrong_constant
func.func @gelu_wrong_constant(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK: dsc.erf
  %root = dsc.constant dense<1.414> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.div %x, %root : f32[3], f32[] -> f32[3]
  %1 = dsc.erf %0 : f32[3] -> f32[3]
  %2 = dsc.add %1, %one : f32[3], f32[] -> f32[3]
  %3 = dsc.mul %x, %2 : f32[3], f32[3] -> f32[3]
  %4 = dsc.mul %3, %half : f32[3], f32[] -> f32[3]
  return %4 : tensor<3xf32>
}

// CHECK-LABEL: func.func @gelu_of_others
func.func @gelu_of_others(%x: tensor<3xf32>, %z: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK: dsc.erf
  %root = dsc.constant dense<1.41421354> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.div %z, %root : f32[3], f32[] -> f32[3]
  %1 = dsc.erf %0 : f32[3] -> f32[3]
  %2 = dsc.add %1, %one : f32[3], f32[] -> f32[3]
  %3 = dsc.mul %x, %2 : f32[3], f32[3] -> f32[3]
  %4 = dsc.mul %3, %half : f32[3], f32[] -> f32[3]
  return %4 : tensor<3xf32>
}

// GPT-2's.
// CHECK-LABEL: func.func @gelu_tanh
func.func @gelu_tanh(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK-NEXT: dsc.gelu %arg0 {approximate = "tanh"}
  %three = dsc.constant dense<3.0> : tensor<f32>
  %cubic = dsc.constant dense<4.471500e-02> : tensor<f32>
  %root = dsc.constant dense<0.797884583> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.pow %x, %three : f32[3], f32[] -> f32[3]
  %1 = dsc.mul %cubic, %0 : f32[], f32[3] -> f32[3]
  %2 = dsc.add %x, %1 : f32[3], f32[3] -> f32[3]
  %3 = dsc.mul %root, %2 : f32[], f32[3] -> f32[3]
  %4 = dsc.tanh %3 : f32[3] -> f32[3]
  %5 = dsc.add %4, %one : f32[3], f32[] -> f32[3]
  %6 = dsc.mul %half, %5 : f32[], f32[3] -> f32[3]
  %7 = dsc.mul %x, %6 : f32[3], f32[3] -> f32[3]
  return %7 : tensor<3xf32>
}

// x * c * (1 + k * x * x) inside.
// CHECK-LABEL: func.func @gelu_tanh_factored
func.func @gelu_tanh_factored(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK-NEXT: dsc.gelu %arg0 {approximate = "tanh"}
  %cubic = dsc.constant dense<4.471500e-02> : tensor<f32>
  %root = dsc.constant dense<0.797884583> : tensor<f32>
  %one = dsc.constant dense<1.0> : tensor<f32>
  %half = dsc.constant dense<0.5> : tensor<f32>
  %0 = dsc.mul %x, %root : f32[3], f32[] -> f32[3]
  %1 = dsc.mul %cubic, %x : f32[], f32[3] -> f32[3]
  %2 = dsc.mul %1, %x : f32[3], f32[3] -> f32[3]
  %3 = dsc.add %one, %2 : f32[], f32[3] -> f32[3]
  %4 = dsc.mul %0, %3 : f32[3], f32[3] -> f32[3]
  %5 = dsc.tanh %4 : f32[3] -> f32[3]
  %6 = dsc.add %one, %5 : f32[], f32[3] -> f32[3]
  %7 = dsc.mul %x, %half : f32[3], f32[] -> f32[3]
  %8 = dsc.mul %7, %6 : f32[3], f32[3] -> f32[3]
  return %8 : tensor<3xf32>
}

// CHECK-LABEL: func.func @silu
func.func @silu(%x: tensor<?xf32, #dsc.tensor<dims = <N>>>) -> tensor<?xf32, #dsc.tensor<dims = <N>>> {
  // CHECK-NEXT: dsc.swish %arg0 {alpha = 1.000000e+00 : f32}
  %0 = dsc.sigmoid %x : f32[N] -> f32[N]
  %1 = dsc.mul %x, %0 : f32[N], f32[N] -> f32[N]
  return %1 : tensor<?xf32, #dsc.tensor<dims = <N>>>
}

// CHECK-LABEL: func.func @quick_gelu
func.func @quick_gelu(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK-NEXT: dsc.swish %arg0 {alpha = 1.702000e+00 : f32}
  %alpha = dsc.constant dense<1.702> : tensor<f32>
  %0 = dsc.mul %x, %alpha : f32[3], f32[] -> f32[3]
  %1 = dsc.sigmoid %0 : f32[3] -> f32[3]
  %2 = dsc.mul %x, %1 : f32[3], f32[3] -> f32[3]
  return %2 : tensor<3xf32>
}

// CHECK-LABEL: func.func @hard_swish
func.func @hard_swish(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK-NEXT: dsc.hard_swish %arg0
  %zero = dsc.constant dense<0.0> : tensor<f32>
  %three = dsc.constant dense<3.0> : tensor<f32>
  %six = dsc.constant dense<6.0> : tensor<f32>
  %0 = dsc.add %x, %three : f32[3], f32[] -> f32[3]
  %1 = dsc.clip %0, %zero, %six : f32[3], f32[], f32[] -> f32[3]
  %2 = dsc.mul %x, %1 : f32[3], f32[3] -> f32[3]
  %3 = dsc.div %2, %six : f32[3], f32[] -> f32[3]
  return %3 : tensor<3xf32>
}

// CHECK-LABEL: func.func @hard_swish_of_hard_sigmoid
func.func @hard_swish_of_hard_sigmoid(%x: tensor<3xf32>) -> tensor<3xf32> {
  // CHECK-NEXT: dsc.hard_swish %arg0
  %0 = dsc.hard_sigmoid %x {alpha = 0.166666672 : f32, beta = 5.000000e-01 : f32} : f32[3] -> f32[3]
  %1 = dsc.mul %x, %0 : f32[3], f32[3] -> f32[3]
  return %1 : tensor<3xf32>
}
