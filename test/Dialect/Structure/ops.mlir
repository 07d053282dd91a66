// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @constants(
func.func @constants() {
  // CHECK: dsc.none
  %none = dsc.none
  // CHECK: dsc.constant dense<[1, 2]> : tensor<2xi64>
  %c = dsc.constant dense<[1, 2]> : tensor<2xi64>
  // CHECK: dsc.weight <0, 128, 4096> "conv1.weight" : f32[64,16]
  %w = dsc.weight <0, 128, 4096> "conv1.weight" : f32[64,16]
  // CHECK: dsc.weight <1, 0, 8> : f32[2]
  %v = dsc.weight <1, 0, 8> : f32[2]
  return
}

// CHECK-LABEL: func.func @sizes(
func.func @sizes(%x: tensor<2xi64>) {
  // CHECK: dsc.bind %{{.*}} {symbols = ["s0", "s1~"]} : i64[2]
  dsc.bind %x {symbols = ["s0", "s1~"]} : i64[2]
  // CHECK: dsc.sizes <N, 64, (H + 1) floordiv 2> : i64[3]
  %s = dsc.sizes <N, 64, (H - 1) floordiv 2 + 1> : i64[3]
  // CHECK: dsc.sizes <"s1~"> : i32[]
  %t = dsc.sizes <"s1~"> : i32[]
  // CHECK: dsc.guard eq(N, M), "sizes differ"
  dsc.guard eq(N, M), "sizes differ"
  return
}

// Sizes that are equal as polynomials are written alike.
// CHECK-LABEL: func.func @normal_form(
func.func @normal_form() {
  // CHECK: dsc.sizes <2 * M * N + 3, N, 5, max(M, N)> : i64[4]
  %s = dsc.sizes <3 + M * N + N * M, N * 2 - N, 2 + 3, max(M, N)> : i64[4]
  return
}

// CHECK-LABEL: func.func @group(
func.func @group(%x: tensor<?xf32, #dsc.tensor<dims = <N>>>) -> tensor<?xf32, #dsc.tensor<dims = <N>>> {
  // CHECK: dsc.group {
  // CHECK:   dsc.relu %{{.*}} : f32[N] -> f32[N]
  // CHECK:   dsc.yield %{{.*}} : f32[N]
  // CHECK: } : f32[N]
  %y = dsc.group {
    %r = dsc.relu %x : f32[N] -> f32[N]
    dsc.yield %r : f32[N]
  } : f32[N]
  return %y : tensor<?xf32, #dsc.tensor<dims = <N>>>
}

// CHECK-LABEL: func.func @scalar_code(
func.func @scalar_code(%x: tensor<4x5xf32>, %i: index, %z: f32) {
  // CHECK: %[[N:.*]] = dsc.size N floordiv 2
  %n = dsc.size N floordiv 2
  // CHECK: dsc.at in_bounds %{{.*}}[%{{.*}}, %[[N]]] :
  %a = dsc.at in_bounds %x[%i, %n] : (tensor<4x5xf32>, index, index) -> f32
  // CHECK: dsc.at or_else %{{.*}}[%{{.*}}, %{{.*}}] else %{{.*}} :
  %b = dsc.at or_else %x[%i, %n] else %z : (tensor<4x5xf32>, index, index, f32) -> f32
  return
}

// CHECK-LABEL: func.func @encodings(
// CHECK-SAME: layout = <perm = [0, 2, 3, 1], block = [1, 16, 1, 1]>, storage = <block, a = 4, b = 1>
func.func @encodings(%x: tensor<?x32x8x8xf32, #dsc.tensor<dims = <N, 32, 8, 8>,
    layout = <perm = [0, 2, 3, 1], block = [1, 16, 1, 1]>, storage = <block, a = 4, b = 1>>>) {
  return
}
