// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @bind(%x: tensor<2xi64>) {
  // expected-error @below {{names 1 elements of i64[2]}}
  dsc.bind %x {symbols = ["s0"]} : i64[2]
  return
}

// -----

func.func @bind_floats(%x: tensor<1xf32>) {
  // expected-error @below {{binds integers, not f32[1]}}
  dsc.bind %x {symbols = ["s0"]} : f32[1]
  return
}

// -----

func.func @sizes() {
  // expected-error @below {{needs an integer tensor type of 2 elements}}
  %s = dsc.sizes <N, 3> : i64[3]
  return
}

// -----

func.func @group(%x: tensor<2xf32>) {
  // expected-error @below {{yields other types than its results have}}
  %y = dsc.group {
    dsc.yield %x : f32[2]
  } : f32[3]
  return
}

// -----

// expected-error @below {{encoding has 1 sizes for a tensor of rank 2}}
func.func @encoding(%x: tensor<?x3xf32, #dsc.tensor<dims = <N>>>) {
  return
}

// -----

// expected-error @below {{encoding disagrees with the shape}}
func.func @encoding(%x: tensor<?x3xf32, #dsc.tensor<dims = <N, 4>>>) {
  return
}

// -----

func.func @size() {
  // expected-error @below {{expected a size expression}}
  %s = dsc.sizes <N, ]> : i64[2]
  return
}

// -----

func.func @element(%x: tensor<2xf32>) {
  // expected-error @below {{unknown element type 'float'}}
  %y = dsc.relu %x : float[2] -> f32[2]
  return
}
