// RUN: dsc-opt %s -split-input-file -verify-diagnostics

func.func @condition(%c: tensor<2xi1>, %a: tensor<2xf32>) {
  // expected-error @+1 {{needs one bool as its condition, not bool[2]}}
  %r = dsc.if %c : bool[2] -> f32[2] {
    dsc.yield %a : f32[2]
  } else {
    dsc.yield %a : f32[2]
  }
  return
}

// -----

func.func @branch(%c: tensor<i1>, %a: tensor<2xf32>, %b: tensor<3xf32>) {
  // expected-error @+1 {{the else branch has f32[3] as value 0, expected f32[2]}}
  %r = dsc.if %c : bool[] -> f32[2] {
    dsc.yield %a : f32[2]
  } else {
    dsc.yield %b : f32[3]
  }
  return
}

// -----

func.func @carried(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<3xf32>, %y: tensor<4xf32>) {
  // expected-error @+1 {{the body's yield has f32[4] as value 0, expected f32[3]}}
  %r = dsc.loop %n, %c, %x : i64[], bool[], f32[3] -> f32[3]
      (%i : i64[], %again : bool[], %s : f32[3]) {
    dsc.yield %again, %y : bool[], f32[4]
  }
  return
}

// -----

func.func @slices(%n: tensor<i64>, %c: tensor<i1>, %x: tensor<3xf32>) {
  // expected-error @+1 {{must yield a condition and a value for each of its 1 results}}
  %r = dsc.loop %n, %c : i64[], bool[] -> f32[k,3] (%i : i64[], %again : bool[]) {
    dsc.yield %again : bool[]
  }
  return
}
