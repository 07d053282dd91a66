// RUN: dsc-opt %s --dsc-phase-simplify --dsc-phase-group --dsc-phase-schedule | FileCheck %s
// RUN: dsc-opt %s --dsc-fold-constants | FileCheck %s --check-prefix=FOLD

// Which templates compute single operators.

// CHECK-LABEL: func.func @topk
// CHECK: #dsc.schedule<"sort"
// CHECK: dsc.topk
func.func @topk(%x: tensor<?x100xf32, #dsc.tensor<dims = <N, 100>>>) -> tensor<?x9xf32, #dsc.tensor<dims = <N, 9>>> {
  %y:2 = dsc.topk %x {k = #dsc.dims<9>} : f32[N,100] -> f32[N,9], i64[N,9]
  return %y#0 : tensor<?x9xf32, #dsc.tensor<dims = <N, 9>>>
}

// CHECK-LABEL: func.func @max_pool
// CHECK: #dsc.schedule<"pool"
func.func @max_pool(%x: tensor<1x8x?x50xf32, #dsc.tensor<dims = <1, 8, H, 50>>>) -> tensor<1x8x?x25xf32, #dsc.tensor<dims = <1, 8, H floordiv 2, 25>>> {
  %y = dsc.max_pool %x {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : f32[1,8,H,50] -> f32[1,8,H floordiv 2,25]
  return %y : tensor<1x8x?x25xf32, #dsc.tensor<dims = <1, 8, H floordiv 2, 25>>>
}

// Each axis by itself: what one computes is not computed again at each place where the
// other reads it.
// CHECK-LABEL: func.func @resize
// CHECK: #dsc.schedule<"loops"
// CHECK-NEXT: dsc.resize
// CHECK-NEXT: dsc.yield
// CHECK: #dsc.schedule<"maps"
// CHECK-NEXT: dsc.resize
func.func @resize(%x: tensor<1x8x40x50xf32>) -> tensor<1x8x80x100xf32> {
  %y = dsc.resize %x {mode = "linear", scales = array<f32: 1.0, 1.0, 2.0, 2.0>} : f32[1,8,40,50] -> f32[1,8,80,100]
  return %y : tensor<1x8x80x100xf32>
}

// CHECK-LABEL: func.func @argmax
// CHECK: #dsc.schedule<"rows"
// CHECK: dsc.reduce_max
// CHECK: dsc.index_of
func.func @argmax(%x: tensor<?x100xf32, #dsc.tensor<dims = <N, 100>>>) -> tensor<?x1xi64, #dsc.tensor<dims = <N, 1>>> {
  %y = dsc.argmax %x {axis = 1 : i64} : f32[N,100] -> i64[N,1]
  return %y : tensor<?x1xi64, #dsc.tensor<dims = <N, 1>>>
}

// The interpreter sorts as the kernel does: NaN is the largest, ties keep their order.
// FOLD-LABEL: func.func @folded
// FOLD-DAG: dsc.constant dense<[0x7FC00000, 3.000000e+00, 3.000000e+00]>
// FOLD-DAG: dsc.constant dense<[2, 1, 4]>
func.func @folded() -> (tensor<3xf32>, tensor<3xi64>) {
  %x = dsc.constant dense<[1.0, 3.0, 0x7FC00000, -2.0, 3.0]> : tensor<5xf32>
  %y:2 = dsc.topk %x {k = #dsc.dims<3>} : f32[5] -> f32[3], i64[3]
  return %y#0, %y#1 : tensor<3xf32>, tensor<3xi64>
}
