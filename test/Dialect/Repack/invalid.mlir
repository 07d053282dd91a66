// RUN: dsc-opt %s --split-input-file --verify-diagnostics

func.func @rank() {
  %0 = dsc.weight <0, 0, 240> : f32[6,10]
  // expected-error@+1 {{map must give a source index for each result index}}
  %1 = dsc.repack %0 {map = affine_map<(k, j) -> (k)>} : f32[6,10] -> f32[6,10]
  return
}

// -----

func.func @not_linear() {
  %0 = dsc.weight <0, 0, 240> : f32[6,10]
  // expected-error@+1 {{as sums of indices times constants}}
  %1 = dsc.repack %0 {map = affine_map<(i) -> (i floordiv 10, i mod 10)>} : f32[6,10] -> f32[60]
  return
}

// -----

func.func @other_type() {
  %0 = dsc.weight <0, 0, 240> : f32[6,10]
  // expected-error@+1 {{of known shapes and one element type}}
  %1 = dsc.repack %0 {map = affine_map<(i, j) -> (j, i)>} : f32[6,10] -> f64[10,6]
  return
}
