// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @if
func.func @if(%c: tensor<i1>, %a: tensor<2x4xf32>, %b: tensor<?x4xf32, #dsc.tensor<dims = #dsc.dims<M, 4>>>) {
  // CHECK: dsc.if %{{.*}} {symbols = ["n"]} : bool[] -> f32[n,4] {
  // CHECK:   dsc.yield %{{.*}} : f32[2,4]
  // CHECK: } else {
  // CHECK:   dsc.yield %{{.*}} : f32[M,4]
  // CHECK: }
  %r = dsc.if %c {symbols = ["n"]} : bool[] -> f32[n,4] {
    dsc.yield %a : f32[2,4]
  } else {
    dsc.yield %b : f32[M,4]
  }
  return
}

// CHECK-LABEL: func.func @loop
func.func @loop(%n: tensor<i64>, %x: tensor<3xf32>) {
  %none = dsc.none
  // CHECK: dsc.loop %{{.*}}, %{{.*}}, %{{.*}} {symbols = ["k"]} : i64[], none, f32[3] -> f32[3], f32[k,3] (%{{.*}} : i64[], %[[C:.*]] : bool[], %[[S:.*]] : f32[3]) {
  %y:2 = dsc.loop %n, %none, %x {symbols = ["k"]} : i64[], none, f32[3] -> f32[3], f32[k,3]
      (%i : i64[], %c : bool[], %s : f32[3]) {
    %t = dsc.add %s, %x : f32[3], f32[3] -> f32[3]
    // CHECK: dsc.yield %[[C]], %{{.*}}, %[[S]] : bool[], f32[3], f32[3]
    dsc.yield %c, %t, %s : bool[], f32[3], f32[3]
  }
  // CHECK: dsc.guard eq(N, M), "sizes differ"
  dsc.guard eq(N, M), "sizes differ"
  return
}
