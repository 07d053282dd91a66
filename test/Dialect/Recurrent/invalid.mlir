// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @rank(%a: tensor<4x3xf32>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  // expected-error @below {{needs X, W and R of rank 3, not f32[4,3], f32[1,5,3] and f32[1,5,5]}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none : f32[4,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[4,1,1,5], f32[1,1,5]
  return
}

// -----

func.func @direction(%a: tensor<4x2x3xf32>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  // expected-error @below {{direction has unknown value 'both'}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none {direction = "both"} : f32[4,2,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[4,1,2,5], f32[1,2,5]
  return
}

// -----

func.func @directions(%a: tensor<4x2x3xf32>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  // expected-error @below {{W has a wrong size on axis 0 (1 vs 2)}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none {direction = "bidirectional"} : f32[4,2,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[4,1,2,5], f32[1,2,5]
  return
}

// -----

func.func @gates(%a: tensor<4x2x3xf32>, %b: tensor<1x15x3xf32>, %c: tensor<1x20x5xf32>) {
  %none = dsc.none
  // expected-error @below {{W has a wrong size on axis 1 (15 vs 20)}}
  %y:3 = dsc.lstm %a, %b, %c, %none, %none, %none, %none, %none : f32[4,2,3], f32[1,15,3], f32[1,20,5], none, none, none, none, none -> f32[4,1,2,5], f32[1,2,5], f32[1,2,5]
  return
}

// -----

func.func @bias(%a: tensor<4x2x3xf32>, %b: tensor<1x15x3xf32>, %c: tensor<1x15x5xf32>, %d: tensor<1x15xf32>) {
  %none = dsc.none
  // expected-error @below {{B has a wrong size on axis 1 (15 vs 30)}}
  %y:2 = dsc.gru %a, %b, %c, %d, %none, %none : f32[4,2,3], f32[1,15,3], f32[1,15,5], f32[1,15], none, none -> f32[4,1,2,5], f32[1,2,5]
  return
}

// -----

func.func @activations(%a: tensor<4x2x3xf32>, %b: tensor<1x20x3xf32>, %c: tensor<1x20x5xf32>) {
  %none = dsc.none
  // expected-error @below {{has 1 activations, expected 3}}
  %y:3 = dsc.lstm %a, %b, %c, %none, %none, %none, %none, %none {activations = ["Tanh"]} : f32[4,2,3], f32[1,20,3], f32[1,20,5], none, none, none, none, none -> f32[4,1,2,5], f32[1,2,5], f32[1,2,5]
  return
}

// -----

func.func @activation(%a: tensor<4x2x3xf32>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  // expected-error @below {{activation 'Swish' is unknown}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none {activations = ["Swish"]} : f32[4,2,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[4,1,2,5], f32[1,2,5]
  return
}

// -----

func.func @initial(%a: tensor<4x2x3xf32>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>, %d: tensor<1x3x5xf32>) {
  %none = dsc.none
  // expected-error @below {{initial_h has a wrong size on axis 1 (3 vs 2)}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %d : f32[4,2,3], f32[1,5,3], f32[1,5,5], none, none, f32[1,3,5] -> f32[4,1,2,5], f32[1,2,5]
  return
}

// -----

func.func @elements(%a: tensor<4x2x3xf32>, %b: tensor<1x5x3xf16>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  // expected-error @below {{inputs have different element types (f32[4,2,3] and f16[1,5,3])}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none : f32[4,2,3], f16[1,5,3], f32[1,5,5], none, none, none -> f32[4,1,2,5], f32[1,2,5]
  return
}

// -----

func.func @hidden_size(%a: tensor<4x2x3xf32>, %b: tensor<1x5x3xf32>, %c: tensor<1x5x5xf32>) {
  %none = dsc.none
  // expected-error @below {{hidden_size does not fit R (5 vs 6)}}
  %y:2 = dsc.rnn %a, %b, %c, %none, %none, %none {hidden_size = 6} : f32[4,2,3], f32[1,5,3], f32[1,5,5], none, none, none -> f32[4,1,2,5], f32[1,2,5]
  return
}
