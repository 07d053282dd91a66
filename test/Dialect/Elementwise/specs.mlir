// RUN: dsc-opt %s --dsc-print-specs -o /dev/null | FileCheck %s

// CHECK-LABEL: dsc.add map
// CHECK-NEXT:    loops parallel[max(M, N)] parallel[3]
// CHECK-NEXT:    read #0 at (d0, d1) -> (d0, d1) may broadcast axes 0
// CHECK-NEXT:    read #1 at (d0, d1) -> (d0, 0) may broadcast axes 0
// CHECK-NEXT:    body {
// CHECK-NEXT:    ^bb0(%{{.*}}: index, %{{.*}}: index, %[[A:.*]]: f16, %[[B:.*]]: f16):
// CHECK-NEXT:      %[[WIDE_A:.*]] = arith.extf %[[A]] : f16 to f32
// CHECK-NEXT:      %[[WIDE_B:.*]] = arith.extf %[[B]] : f16 to f32
// CHECK-NEXT:      %[[SUM:.*]] = arith.addf %[[WIDE_A]], %[[WIDE_B]] : f32
// CHECK-NEXT:      %[[RESULT:.*]] = arith.truncf %[[SUM]] : f32 to f16
// CHECK-NEXT:      dsc.yield %[[RESULT]] : f16
func.func @broadcast(%x: tensor<?x3xf16, #dsc.tensor<dims = <N, 3>>>, %y: tensor<?x1xf16, #dsc.tensor<dims = <M, 1>>>) {
  %0 = dsc.add %x, %y : f16[N,3], f16[M,1] -> f16[max(M, N),3]
  return
}

// Unsigned types use unsigned operations on signless integers.
// CHECK-LABEL: dsc.max map
// CHECK:         arith.maxui %{{.*}} : i8
// CHECK-LABEL: dsc.less map
// CHECK:         arith.cmpi ult, %{{.*}} : i8
func.func @unsigned(%x: tensor<4xui8>) {
  %0 = dsc.max %x, %x : u8[4], u8[4] -> u8[4]
  %1 = dsc.less %x, %x : u8[4], u8[4] -> bool[4]
  return
}

// Integer powers multiply; other mixtures go through float64.
// CHECK-LABEL: dsc.pow map
// CHECK-NOT:     math.powf
// CHECK:         arith.muli %{{.*}} : i32
// CHECK-LABEL: dsc.pow map
// CHECK:         math.powf %{{.*}} : f64
// CHECK-LABEL: dsc.pow map
// CHECK:         math.powf %{{.*}} : f32
func.func @pow(%i: tensor<4xi32>, %e: tensor<4xi8>, %f: tensor<4xf32>) {
  %0 = dsc.pow %i, %e : i32[4], i8[4] -> i32[4]
  %1 = dsc.pow %i, %f : i32[4], f32[4] -> i32[4]
  %2 = dsc.pow %f, %e : f32[4], i8[4] -> f32[4]
  return
}

// CHECK-LABEL: dsc.clip map
// CHECK-NEXT:    loops parallel[4]
// CHECK-NEXT:    read #0 at (d0) -> (d0)
// CHECK-NEXT:    read #2 at (d0) -> ()
// CHECK-NOT:     arith.maximumf
// CHECK:         arith.minimumf
func.func @clip(%x: tensor<4xf32>, %high: tensor<f32>) {
  %none = dsc.none
  %0 = dsc.clip %x, %none, %high : f32[4], none, f32[] -> f32[4]
  return
}

// CHECK-LABEL: dsc.where map
// CHECK-NEXT:    loops parallel[2] parallel[4]
// CHECK-NEXT:    read #0 at (d0, d1) -> (d1)
// CHECK-NEXT:    read #1 at (d0, d1) -> (d0, d1)
// CHECK-NEXT:    read #2 at (d0, d1) -> ()
// CHECK:         arith.select %{{.*}} : f32
func.func @where(%c: tensor<4xi1>, %x: tensor<2x4xf32>, %y: tensor<f32>) {
  %0 = dsc.where %c, %x, %y : bool[4], f32[2,4], f32[] -> f32[2,4]
  return
}

// Rounded once, not to float32 first.
// CHECK-LABEL: dsc.cast map
// CHECK:         arith.truncf %{{.*}} : f64 to f32
// CHECK:         arith.bitcast %{{.*}} : i32 to f32
// CHECK:         arith.truncf %{{.*}} : f32 to f16
// CHECK-LABEL: dsc.cast map
// CHECK:         arith.cmpf une
func.func @cast(%x: tensor<4xf64>) {
  %0 = dsc.cast %x {to = 10} : f64[4] -> f16[4]
  %1 = dsc.cast %x {to = 9} : f64[4] -> bool[4]
  return
}

// CHECK-LABEL: dsc.identity view of #0
func.func @identity(%x: tensor<4xf32>) {
  %0 = dsc.identity %x : f32[4] -> f32[4]
  return
}

// CHECK-LABEL: dsc.dropout map
// CHECK:         ^bb0(%{{.*}}: index, %[[X:.*]]: f32):
// CHECK-NEXT:      %[[TRUE:.*]] = arith.constant true
// CHECK-NEXT:      dsc.yield %[[X]], %[[TRUE]] : f32, i1
func.func @dropout(%x: tensor<4xf32>, %ratio: tensor<f32>) {
  %off = dsc.constant dense<false> : tensor<i1>
  %0, %mask = dsc.dropout %x, %ratio, %off : f32[4], f32[], bool[] -> f32[4], bool[4]
  return
}

// CHECK-LABEL: dsc.batch_normalization map
// CHECK-NEXT:    loops parallel[N] parallel[4] parallel[H]
// CHECK-NEXT:    read #0 at (d0, d1, d2) -> (d0, d1, d2)
// CHECK-NEXT:    read #1 at (d0, d1, d2) -> (d1)
// CHECK-NEXT:    read #2 at (d0, d1, d2) -> (d1)
// CHECK-NEXT:    read #3 at (d0, d1, d2) -> (d1)
// CHECK-NEXT:    read #4 at (d0, d1, d2) -> (d1)
func.func @batch_normalization(%x: tensor<?x4x?xf32, #dsc.tensor<dims = <N, 4, H>>>, %c: tensor<4xf32>) {
  %0 = dsc.batch_normalization %x, %c, %c, %c, %c : f32[N,4,H], f32[4], f32[4], f32[4], f32[4] -> f32[N,4,H]
  return
}
