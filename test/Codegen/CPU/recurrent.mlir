// RUN: dsc-opt %s -dsc-phase-simplify -dsc-phase-group -dsc-phase-schedule | FileCheck %s

// A recurrent layer is a group of its own, of those results that are used.
// CHECK-LABEL: func.func @lstm
func.func @lstm(%x: tensor<?x2x3xf32, #dsc.tensor<dims = <T, 2, 3>>>, %w: tensor<1x20x3xf32>, %r: tensor<1x20x5xf32>) -> tensor<1x2x5xf32> {
  // CHECK: dsc.group
  // CHECK-SAME: #dsc.schedule<"recurrent">
  // CHECK-NEXT: dsc.lstm
  // CHECK-NEXT: dsc.yield %{{.*}}#2 :
  // CHECK: dsc.relu
  %none = dsc.none
  %y, %h, %c = dsc.lstm %x, %w, %r, %none, %none, %none, %none, %none {hidden_size = 5 : i64} : f32[T,2,3], f32[1,20,3], f32[1,20,5], none, none, none, none, none -> f32[T,1,2,5], f32[1,2,5], f32[1,2,5]
  %0 = dsc.relu %c : f32[1,2,5] -> f32[1,2,5]
  return %0 : tensor<1x2x5xf32>
}
