// RUN: dsc-opt %s --dsc-form-groups --dsc-choose-schedules="target=x86-64-v3" | FileCheck %s --check-prefixes=CHECK,V3
// RUN: dsc-opt %s --dsc-form-groups --dsc-choose-schedules="target=x86-64-v4" | FileCheck %s --check-prefixes=CHECK,V4

// CHECK: #[[MAP:.*]] = affine_map<(d0, d1, d2) -> (d1, d0 * 16 + d2)>

// A constant B is packed in front of the group, for all vector lengths alike; tiles use
// the registers.
// CHECK-LABEL: func.func @weight
func.func @weight(%a: tensor<128x768xf32>) -> tensor<128x768xf32> {
  // CHECK: %[[W:.*]] = dsc.weight
  // CHECK-NEXT: dsc.repack %[[W]] {map = #[[MAP]]} : f32[768,768] -> f32[48,768,16]
  %b = dsc.weight <0, 0, 2359296> : f32[768,768]
  // V3: dsc.group {{.*}}<"gemm-fma", tile = [6, 2]
  // V4: dsc.group {{.*}}<"gemm-fma", tile = [14, 2]
  %c = dsc.matmul %a, %b : f32[128,768], f32[768,768] -> f32[128,768]
  // CHECK: dsc.relu
  %d = dsc.relu %c : f32[128,768] -> f32[128,768]
  return %d : tensor<128x768xf32>
}

// One row: wide tiles, the whole depth at once.
// CHECK-LABEL: func.func @row
func.func @row(%a: tensor<1x768xf32>) -> tensor<1x768xf32> {
  %b = dsc.weight <0, 0, 2359296> : f32[768,768]
  // V3: dsc.group {{.*}}<"gemm-fma", tile = [1, {{8|10|12}}], block = [1, 1, 768, 1]
  %c = dsc.matmul %a, %b : f32[1,768], f32[768,768] -> f32[1,768]
  return %c : tensor<1x768xf32>
}

// 16-bit floats stay what they are; few rows extend them in registers.
// CHECK-LABEL: func.func @short
func.func @short(%a: tensor<128x768xf32>, %b: tensor<1x768xf32>) -> (tensor<128x768xf32>, tensor<1x768xf32>) {
  // CHECK: dsc.repack {{.*}} : f16[768,768] -> f16[48,768,16]
  %w = dsc.weight <0, 0, 1179648> : f16[768,768]
  // V3: dsc.group {{.*}}<"gemm-fma", tile = [6, 2]
  %c = dsc.matmul %a, %w : f32[128,768], f16[768,768] -> f32[128,768]
  // V3: dsc.group {{.*}}<"gemm-fma", tile = [1, {{8|10|12}}], block = [1, 1, 768, 1]
  %d = dsc.matmul %b, %w : f32[1,768], f16[768,768] -> f32[1,768]
  return %c, %d : tensor<128x768xf32>, tensor<1x768xf32>
}

// Products with a vector are sums along rows: loops do that well.
// CHECK-LABEL: func.func @column
func.func @column(%a: tensor<256x768xf32>, %b: tensor<768xf32>) -> tensor<256xf32> {
  // CHECK: dsc.group {{.*}}<"loops"
  %c = dsc.matmul %a, %b : f32[256,768], f32[768] -> f32[256]
  return %c : tensor<256xf32>
}

// Sizes that only run time knows.
// CHECK-LABEL: func.func @symbolic
func.func @symbolic(%a: tensor<?x?xf32, #dsc.tensor<dims = <M, K>>>, %b: tensor<?x40xf32, #dsc.tensor<dims = <K, 40>>>)
    -> tensor<?x40xf32, #dsc.tensor<dims = <M, 40>>> {
  // CHECK-NOT: dsc.repack
  // CHECK: dsc.group {{.*}}<"gemm-fma"
  %c = dsc.matmul %a, %b : f32[M,K], f32[K,40] -> f32[M,40]
  return %c : tensor<?x40xf32, #dsc.tensor<dims = <M, 40>>>
}
