// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @repack
func.func @repack() {
  %w = dsc.weight <0, 0, 2359296> : f32[768,768]
  // CHECK: dsc.repack %{{.*}} {map = #map} : f32[768,768] -> f32[48,768,16]
  %panels = dsc.repack %w {map = affine_map<(p, k, j) -> (k, p * 16 + j)>} : f32[768,768] -> f32[48,768,16]
  // 8 blocks of 768 lists and an end, 1000 pairs.
  // CHECK: dsc.repack %{{.*}} {map = #map1, storage = #dsc.storage<csr, a = 96, b = 256, nonzeros = 1000>} : f32[768,768] -> i32[8145]
  %lists = dsc.repack %w {map = affine_map<(k, n) -> (n, k)>, storage = #dsc.storage<csr, a = 96, b = 256, nonzeros = 1000>} : f32[768,768] -> i32[8145]
  return
}
