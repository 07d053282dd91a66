// RUN: dsc-opt %s --dsc-form-groups --dsc-choose-schedules="target=x86-64-v3" | FileCheck %s --check-prefixes=CHECK,V3
// RUN: dsc-opt %s --dsc-form-groups --dsc-choose-schedules="target=x86-64-v4" | FileCheck %s --check-prefixes=CHECK,V4

// Nine of ten weights are zero: their lists are made in front of the group.
// CHECK-LABEL: func.func @sparse
func.func @sparse(%a: tensor<128x768xf32>) -> tensor<128x768xf32> {
  // CHECK: %[[W:.*]] = dsc.weight
  // V3-NEXT: dsc.repack %[[W]] {map = {{.*}}, storage = #dsc.storage<csr, a = 96, b = 256, nonzeros = 58982>} : f32[768,768] -> i32[124109]
  // V4-NEXT: dsc.repack %[[W]] {map = {{.*}}, storage = #dsc.storage<csr, a = 48, b = 512, nonzeros = 58982>} : f32[768,768] -> i32[130253]
  %b = dsc.weight <0, 0, 2359296> {storage = #dsc.storage<csr, a = 1, b = 1, nonzeros = 58982>} : f32[768,768]
  // V3: dsc.group {{.*}}<"gemm-sparse", tile = [8], block = [96, 192]>
  // V4: dsc.group {{.*}}<"gemm-sparse", tile = [8], block = [48, 192]>
  %c = dsc.matmul %a, %b : f32[128,768], f32[768,768] -> f32[128,768]
  // CHECK: dsc.relu
  %d = dsc.relu %c : f32[128,768] -> f32[128,768]
  return %d : tensor<128x768xf32>
}

// A fifth are zero: all of them are cheaper.
// CHECK-LABEL: func.func @dense
func.func @dense(%a: tensor<128x768xf32>) -> tensor<128x768xf32> {
  %b = dsc.weight <0, 0, 2359296> {storage = #dsc.storage<csr, a = 1, b = 1, nonzeros = 471860>} : f32[768,768]
  // CHECK: dsc.group {{.*}}<"gemm-fma"
  %c = dsc.matmul %a, %b : f32[128,768], f32[768,768] -> f32[128,768]
  return %c : tensor<128x768xf32>
}

// One row fills no vector of rows.
// CHECK-LABEL: func.func @row
func.func @row(%a: tensor<1x768xf32>) -> tensor<1x768xf32> {
  %b = dsc.weight <0, 0, 2359296> {storage = #dsc.storage<csr, a = 1, b = 1, nonzeros = 235929>} : f32[768,768]
  // CHECK: dsc.group {{.*}}<"gemm-fma"
  %c = dsc.matmul %a, %b : f32[1,768], f32[768,768] -> f32[1,768]
  return %c : tensor<1x768xf32>
}

// Rows that only run time counts, and a transposed constant.
// CHECK-LABEL: func.func @symbolic
func.func @symbolic(%a: tensor<?x768xf32, #dsc.tensor<dims = <M, 768>>>)
    -> tensor<?x3072xf32, #dsc.tensor<dims = <M, 3072>>> {
  // CHECK: dsc.repack {{.*}} {map = {{.*}}, storage = #dsc.storage<csr{{.*}}>} : f32[3072,768] -> i32
  %b = dsc.weight <0, 0, 9437184> {storage = #dsc.storage<csr, a = 1, b = 1, nonzeros = 235929>} : f32[3072,768]
  // CHECK: dsc.group {{.*}}<"gemm-sparse"
  %none = dsc.none
  %c = dsc.gemm %a, %b, %none {transB = 1 : i64} : f32[M,768], f32[3072,768], none -> f32[M,3072]
  return %c : tensor<?x3072xf32, #dsc.tensor<dims = <M, 3072>>>
}
