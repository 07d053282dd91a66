// RUN: dsc-opt %s --split-input-file --verify-diagnostics --dsc-print-specs

func.func @shapes(%a: tensor<2xf32>, %b: tensor<3xf32>) {
  // expected-error @below {{shapes do not broadcast on axis 0 (2 vs 3)}}
  %0 = dsc.add %a, %b : f32[2], f32[3] -> f32[3]
  return
}

// -----

func.func @types(%a: tensor<2xf32>, %b: tensor<2xf16>) {
  // expected-error @below {{inputs have different element types (f32[2] and f16[2])}}
  %0 = dsc.add %a, %b : f32[2], f16[2] -> f32[2]
  return
}

// -----

func.func @integer_sqrt(%a: tensor<2xi32>) {
  // expected-error @below {{operand #0 must be ranked tensor of}}
  %0 = dsc.sqrt %a : i32[2] -> i32[2]
  return
}

// -----

func.func @compare(%a: tensor<2xf32>) {
  // expected-error @below {{result type is f32[2], expected bool[2]}}
  %0 = dsc.less %a, %a : f32[2], f32[2] -> f32[2]
  return
}

// -----

func.func @no_inputs() {
  // expected-error @below {{needs at least one input}}
  %0 = dsc.max : f32[2]
  return
}

// -----

func.func @where(%c: tensor<2xi1>, %x: tensor<2xf32>, %y: tensor<2xf16>) {
  // expected-error @below {{failed to verify that all of {x, y} have same element type}}
  %0 = dsc.where %c, %x, %y : bool[2], f32[2], f16[2] -> f32[2]
  return
}

// -----

func.func @direction(%x: tensor<2xi32>) {
  // expected-error @below {{one of LEFT, RIGHT}}
  %0 = dsc.bit_shift %x, %x {direction = "UP"} : i32[2], i32[2] -> i32[2]
  return
}

// -----

func.func @cast_float8(%x: tensor<2xf32>) {
  // expected-error @below {{converts to 'f8E4M3FN', which is not supported}}
  %0 = dsc.cast %x {to = 17} : f32[2] -> f32[2]
  return
}

// -----

func.func @cast_string(%x: tensor<2xf32>) {
  // expected-error @below {{converts to ONNX type 8, which is not supported}}
  %0 = dsc.cast %x {to = 8} : f32[2] -> f32[2]
  return
}

// -----

func.func @bit_cast(%x: tensor<2xf32>) {
  // expected-error @below {{types have different widths: 'f32' and 'f64'}}
  %0 = dsc.bit_cast %x {to = 11} : f32[2] -> f64[2]
  return
}

// -----

func.func @dropout(%x: tensor<2xf32>, %training: tensor<i1>) {
  %none = dsc.none
  // expected-error @below {{training_mode must be left out or a constant false}}
  %0 = dsc.dropout %x, %none, %training : f32[2], none, bool[] -> f32[2]
  return
}

// -----

func.func @batch_normalization(%x: tensor<2x4xf32>, %c: tensor<3xf32>) {
  // expected-error @below {{number of channels differs (3 vs 4)}}
  %0 = dsc.batch_normalization %x, %c, %c, %c, %c : f32[2,4], f32[3], f32[3], f32[3], f32[3] -> f32[2,4]
  return
}

// -----

func.func @training(%x: tensor<2x4xf32>, %c: tensor<4xf32>) {
  // expected-error @below {{is in training mode, which is not supported}}
  %0 = dsc.batch_normalization %x, %c, %c, %c, %c {training_mode = 1} : f32[2,4], f32[4], f32[4], f32[4], f32[4] -> f32[2,4]
  return
}
