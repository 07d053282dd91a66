// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @rnn(
// CHECK: dsc.rnn %{{.*}} {hidden_size = 5 : i64} : f32[T,N,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[T,1,N,5], f32[1,N,5]
func.func @rnn(%a: tensor<?x?x3xf32, #dsc.tensor<dims = <T, N, 3>>>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none {hidden_size = 5} : f32[T,N,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[T,1,N,5], f32[1,N,5]
  return
}

// CHECK-LABEL: func.func @gru(
// CHECK: dsc.gru %{{.*}} {direction = "reverse", linear_before_reset = 1 : i64} : f32[T,N,3], f32[1,15,3], f32[1,15,5], f32[1,30], i32[N], none -> f32[T,1,N,5], f32[1,N,5]
func.func @gru(%a: tensor<?x?x3xf32, #dsc.tensor<dims = <T, N, 3>>>, %b: tensor<1x15x3xf32>, %c: tensor<1x15x5xf32>, %d: tensor<1x30xf32>, %e: tensor<?xi32, #dsc.tensor<dims = <N>>>) {
  %none = dsc.none
  %y:2 = dsc.gru %a, %b, %c, %d, %e, %none {direction = "reverse", linear_before_reset = 1} : f32[T,N,3], f32[1,15,3], f32[1,15,5], f32[1,30], i32[N], none -> f32[T,1,N,5], f32[1,N,5]
  return
}

// CHECK-LABEL: func.func @lstm(
// CHECK: dsc.lstm %{{.*}} {clip = 3.000000e+00 : f32, direction = "bidirectional"} : f32[T,N,3], f32[2,20,3], f32[2,20,5], f32[2,40], none, f32[2,N,5], f32[2,N,5], f32[2,15] -> f32[T,2,N,5], f32[2,N,5], f32[2,N,5]
func.func @lstm(%a: tensor<?x?x3xf32, #dsc.tensor<dims = <T, N, 3>>>, %b: tensor<2x20x3xf32>, %c: tensor<2x20x5xf32>, %d: tensor<2x40xf32>, %e: tensor<2x?x5xf32, #dsc.tensor<dims = <2, N, 5>>>, %f: tensor<2x?x5xf32, #dsc.tensor<dims = <2, N, 5>>>, %g: tensor<2x15xf32>) {
  %none = dsc.none
  %y:3 = dsc.lstm %a, %b, %c, %d, %none, %e, %f, %g {direction = "bidirectional", clip = 3.000000e+00 : f32} : f32[T,N,3], f32[2,20,3], f32[2,20,5], f32[2,40], none, f32[2,N,5], f32[2,N,5], f32[2,15] -> f32[T,2,N,5], f32[2,N,5], f32[2,N,5]
  return
}

// CHECK-LABEL: func.func @batch_first(
// CHECK: dsc.lstm %{{.*}} {activation_alpha = array<f32: 3.000000e-01>, activations = ["HardSigmoid", "Relu", "Tanh"], layout = 1 : i64} : f32[N,T,3], f32[1,20,3], f32[1,20,5], none, none, none, none, none -> f32[N,T,1,5], f32[N,1,5], f32[N,1,5]
func.func @batch_first(%a: tensor<?x?x3xf32, #dsc.tensor<dims = <N, T, 3>>>, %b: tensor<1x20x3xf32>, %c: tensor<1x20x5xf32>) {
  %none = dsc.none
  %y:3 = dsc.lstm %a, %b, %c, %none, %none, %none, %none, %none {layout = 1, activations = ["HardSigmoid", "Relu", "Tanh"], activation_alpha = array<f32: 0.3>} : f32[N,T,3], f32[1,20,3], f32[1,20,5], none, none, none, none, none -> f32[N,T,1,5], f32[N,1,5], f32[N,1,5]
  return
}
