// RUN: dsc-opt %s | dsc-opt | FileCheck %s
// RUN: dsc-opt %s --dsc-print-specs -o /dev/null | FileCheck %s --check-prefix=SPEC
// RUN: dsc-opt %s --canonicalize --cse | FileCheck %s

// No users, and not dead: a kernel finds it at its source.
// CHECK-LABEL: func.func @panels
func.func @panels() {
  %0 = dsc.weight <0, 0, 240> : f32[6,10]
  // CHECK: dsc.repack %{{.*}} {map = #{{.*}}} : f32[6,10] -> f32[2,6,8]
  // SPEC-LABEL: dsc.repack move
  // SPEC-NEXT:    loops parallel[2] parallel[6] parallel[8]
  // SPEC:         dsc.at or_else
  %1 = dsc.repack %0 {map = affine_map<(p, k, j) -> (k, p * 8 + j)>} : f32[6,10] -> f32[2,6,8]
  return
}
