// RUN: dsc-opt %s -dsc-raise-attention -split-input-file | FileCheck %s
// RUN: dsc-opt %s -dsc-raise-attention=short-floats -split-input-file | FileCheck %s --check-prefix=SHORT

// BERT as PyTorch exports it: scale on both sides, keys transposed over three axes, a
// mask of booleans, a guard for rows without keys, the result's heads brought back.
// CHECK-LABEL: func.func @bert
func.func @bert(%x: tensor<1x128x12x64xf32>, %y: tensor<1x128x12x64xf32>, %z: tensor<1x128x12x64xf32>, %c: tensor<1x1x128x128xi1>) -> tensor<1x128x12x64xf32> {
  // CHECK: dsc.attention %arg0, %arg1, %arg2, %arg3 {
  // CHECK-SAME: k_perm = array<i64: 0, 2, 1, 3>, q_perm = array<i64: 0, 2, 1, 3>, scale = 0.124999993 : f32
  // CHECK-SAME: undefined_rows = "zero", v_perm = array<i64: 0, 2, 1, 3>, y_perm = array<i64: 0, 2, 1, 3>
  // CHECK-NEXT: return
  %zero = dsc.constant dense<0.0> : tensor<f32>
  %infinity = dsc.constant dense<0xFF800000> : tensor<f32>
  %root = dsc.constant dense<0.353553385> : tensor<f32>
  %q = dsc.transpose %x {perm = array<i64: 0, 2, 1, 3>} : f32[1,128,12,64] -> f32[1,12,128,64]
  %k = dsc.transpose %y {perm = array<i64: 0, 2, 1, 3>} : f32[1,128,12,64] -> f32[1,12,128,64]
  %v = dsc.transpose %z {perm = array<i64: 0, 2, 1, 3>} : f32[1,128,12,64] -> f32[1,12,128,64]
  %0 = dsc.reshape %k {shape = #dsc.dims<-1, 128, 64>} : f32[1,12,128,64] -> f32[12,128,64]
  %1 = dsc.transpose %0 {perm = array<i64: 0, 2, 1>} : f32[12,128,64] -> f32[12,64,128]
  %2 = dsc.reshape %1 {shape = #dsc.dims<1, 12, 64, 128>} : f32[12,64,128] -> f32[1,12,64,128]
  %3 = dsc.mul %q, %root : f32[1,12,128,64], f32[] -> f32[1,12,128,64]
  %4 = dsc.mul %2, %root : f32[1,12,64,128], f32[] -> f32[1,12,64,128]
  %mask = dsc.where %c, %zero, %infinity : bool[1,1,128,128], f32[], f32[] -> f32[1,1,128,128]
  %5 = dsc.matmul %3, %4 : f32[1,12,128,64], f32[1,12,64,128] -> f32[1,12,128,128]
  %6 = dsc.add %5, %mask : f32[1,12,128,128], f32[1,1,128,128] -> f32[1,12,128,128]
  %7 = dsc.softmax %6 {axis = -1 : i64} : f32[1,12,128,128] -> f32[1,12,128,128]
  %8 = dsc.is_nan %7 : f32[1,12,128,128] -> bool[1,12,128,128]
  %9 = dsc.where %8, %zero, %7 : bool[1,12,128,128], f32[], f32[1,12,128,128] -> f32[1,12,128,128]
  %10 = dsc.matmul %9, %v : f32[1,12,128,128], f32[1,12,128,64] -> f32[1,12,128,64]
  %11 = dsc.transpose %10 {perm = array<i64: 0, 2, 1, 3>} : f32[1,12,128,64] -> f32[1,128,12,64]
  return %11 : tensor<1x128x12x64xf32>
}

// -----

// A decoder's step: symbolic lengths, the scale as a divisor, no mask.
// CHECK-LABEL: func.func @decode
func.func @decode(%q: tensor<?x12x1x64xf32, #dsc.tensor<dims = <B, 12, 1, 64>>>, %k: tensor<?x12x?x64xf32, #dsc.tensor<dims = <B, 12, past + 1, 64>>>, %v: tensor<?x12x?x64xf32, #dsc.tensor<dims = <B, 12, past + 1, 64>>>) -> tensor<?x12x1x64xf32, #dsc.tensor<dims = <B, 12, 1, 64>>> {
  // CHECK: dsc.attention %arg0, %arg1, %arg2, %{{.*}} {scale = 1.250000e-01 : f32} : {{.*}}, none -> f32[B,12,1,64]
  // CHECK-NEXT: return
  %eight = dsc.constant dense<8.0> : tensor<f32>
  %0 = dsc.transpose %k {perm = array<i64: 0, 1, 3, 2>} : f32[B,12,past + 1,64] -> f32[B,12,64,past + 1]
  %1 = dsc.matmul %q, %0 : f32[B,12,1,64], f32[B,12,64,past + 1] -> f32[B,12,1,past + 1]
  %2 = dsc.div %1, %eight : f32[B,12,1,past + 1], f32[] -> f32[B,12,1,past + 1]
  %3 = dsc.softmax %2 {axis = -1 : i64} : f32[B,12,1,past + 1] -> f32[B,12,1,past + 1]
  %4 = dsc.matmul %3, %v : f32[B,12,1,past + 1], f32[B,12,past + 1,64] -> f32[B,12,1,64]
  return %4 : tensor<?x12x1x64xf32, #dsc.tensor<dims = <B, 12, 1, 64>>>
}

// -----

// Heads that are shared, and a mask of floats with the guard of ONNX's Attention.
// CHECK-LABEL: func.func @shared
func.func @shared(%q: tensor<2x9x4x8xf32>, %k: tensor<2x3x6x8xf32>, %v: tensor<2x3x6x8xf32>, %mask: tensor<4x6xf32>) -> tensor<2x9x4x8xf32> {
  // CHECK: dsc.attention %arg0, %arg1, %arg2, %arg3 {scale = 1.000000e+00 : f32, undefined_rows = "masked_zero"}
  // CHECK-NEXT: return
  %zero = dsc.constant dense<0.0> : tensor<f32>
  %infinity = dsc.constant dense<0xFF800000> : tensor<f32>
  %0 = dsc.unsqueeze %k {axes = #dsc.dims<2>} : f32[2,3,6,8] -> f32[2,3,1,6,8]
  %1 = dsc.expand %0 {shape = #dsc.dims<2, 3, 3, 6, 8>} : f32[2,3,1,6,8] -> f32[2,3,3,6,8]
  %2 = dsc.reshape %1 {shape = #dsc.dims<2, 9, 6, 8>} : f32[2,3,3,6,8] -> f32[2,9,6,8]
  %3 = dsc.unsqueeze %v {axes = #dsc.dims<2>} : f32[2,3,6,8] -> f32[2,3,1,6,8]
  %4 = dsc.expand %3 {shape = #dsc.dims<2, 3, 3, 6, 8>} : f32[2,3,1,6,8] -> f32[2,3,3,6,8]
  %5 = dsc.reshape %4 {shape = #dsc.dims<2, 9, 6, 8>} : f32[2,3,3,6,8] -> f32[2,9,6,8]
  %6 = dsc.transpose %2 {perm = array<i64: 0, 1, 3, 2>} : f32[2,9,6,8] -> f32[2,9,8,6]
  %7 = dsc.matmul %q, %6 : f32[2,9,4,8], f32[2,9,8,6] -> f32[2,9,4,6]
  %8 = dsc.add %7, %mask : f32[2,9,4,6], f32[4,6] -> f32[2,9,4,6]
  %9 = dsc.softmax %8 : f32[2,9,4,6] -> f32[2,9,4,6]
  %10 = dsc.reduce_max %mask {axes = #dsc.dims<-1>, keepdims = 1 : i64} : f32[4,6] -> f32[4,1]
  %11 = dsc.equal %10, %infinity : f32[4,1], f32[] -> bool[4,1]
  %12 = dsc.where %11, %zero, %9 : bool[4,1], f32[], f32[2,9,4,6] -> f32[2,9,4,6]
  %13 = dsc.matmul %12, %5 : f32[2,9,4,6], f32[2,9,6,8] -> f32[2,9,4,8]
  return %13 : tensor<2x9x4x8xf32>
}

// -----

// Softmax over another axis.
// CHECK-LABEL: func.func @other_axis
func.func @other_axis(%q: tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> {
  // CHECK-NOT: dsc.attention
  %0 = dsc.matmul %q, %q : f32[1,2,4,4], f32[1,2,4,4] -> f32[1,2,4,4]
  %1 = dsc.softmax %0 {axis = 2 : i64} : f32[1,2,4,4] -> f32[1,2,4,4]
  %2 = dsc.matmul %1, %q : f32[1,2,4,4], f32[1,2,4,4] -> f32[1,2,4,4]
  return %2 : tensor<1x2x4x4xf32>
}

// -----

// Each step rounds to half precision: not the same as attention, which rounds once.
// CHECK-LABEL: func.func @half
// SHORT-LABEL: func.func @half
func.func @half(%q: tensor<1x2x4x8xf16>, %k: tensor<1x2x8x5xf16>, %v: tensor<1x2x5x8xf16>) -> tensor<1x2x4x8xf16> {
  // CHECK-NOT: dsc.attention
  // SHORT: %[[K:.*]] = dsc.transpose %arg1 {perm = array<i64: 0, 1, 3, 2>}
  // SHORT: dsc.attention %arg0, %[[K]], %arg2
  %0 = dsc.matmul %q, %k : f16[1,2,4,8], f16[1,2,8,5] -> f16[1,2,4,5]
  %1 = dsc.softmax %0 {axis = 3 : i64} : f16[1,2,4,5] -> f16[1,2,4,5]
  %2 = dsc.matmul %1, %v : f16[1,2,4,5], f16[1,2,5,8] -> f16[1,2,4,8]
  return %2 : tensor<1x2x4x8xf16>
}

// -----

// Two selects of numbers so low that adding a score changes nothing, one of them the
// other way round and repeated; columns that the mask has by another name.
// CHECK-LABEL: func.func @selected
func.func @selected(%q: tensor<?x2x?x8xf32, #dsc.tensor<dims = <B, 2, S, 8>>>, %k: tensor<?x2x8x?xf32, #dsc.tensor<dims = <B, 2, 8, S>>>, %v: tensor<?x2x?x8xf32, #dsc.tensor<dims = <B, 2, S, 8>>>, %seen: tensor<?x?xi1, #dsc.tensor<dims = <S, S>>>, %hidden: tensor<?x1x1x?xi1, #dsc.tensor<dims = <B, 1, 1, T>>>) -> tensor<?x2x?x8xf32, #dsc.tensor<dims = <B, 2, S, 8>>> {
  // CHECK: %[[LOW:.*]] = dsc.constant dense<-3.40282347E+38>
  // CHECK: %[[KEYS:.*]] = dsc.transpose %arg1
  // CHECK: %[[OUTER:.*]] = dsc.where %arg4, %[[LOW]], %{{.*}} : bool[B,1,1,T]
  // CHECK: %[[BOTH:.*]] = dsc.where %arg4, %[[LOW]], %[[LOW]]
  // CHECK: %[[INNER:.*]] = dsc.where %arg3, %[[OUTER]], %[[BOTH]]
  // CHECK: %[[MASK:.*]] = dsc.expand %[[INNER]] {shape = #dsc.dims<B, 1, S, S>}
  // CHECK: dsc.guard eq(select(eq(S, 1), T, S), S), "{{.*}}: the mask does not fit the scores"
  // CHECK: dsc.attention %arg0, %[[KEYS]], %arg2, %[[MASK]] {scale = 1.000000e+00 : f32}
  %low = dsc.constant dense<-3.40282347E+38> : tensor<f32>
  %0 = dsc.matmul %q, %k : f32[B,2,S,8], f32[B,2,8,S] -> f32[B,2,S,S]
  %1 = dsc.where %seen, %0, %low : bool[S,S], f32[B,2,S,S], f32[] -> f32[B,2,S,S]
  %2 = dsc.expand %hidden {shape = #dsc.dims<B, 2, 1, T>} : bool[B,1,1,T] -> bool[B,2,1,T]
  %3 = dsc.where %2, %low, %1 : bool[B,2,1,T], f32[], f32[B,2,S,S] -> f32[B,2,S,select(eq(S, 1), T, S)]
  %4 = dsc.softmax %3 {axis = -1 : i64} : f32[B,2,S,select(eq(S, 1), T, S)] -> f32[B,2,S,select(eq(S, 1), T, S)]
  %5 = dsc.matmul %4, %v : f32[B,2,S,select(eq(S, 1), T, S)], f32[B,2,S,8] -> f32[B,2,S,8]
  return %5 : tensor<?x2x?x8xf32, #dsc.tensor<dims = <B, 2, S, 8>>>
}
