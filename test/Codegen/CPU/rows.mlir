// RUN: dsc-opt %s --dsc-form-groups --dsc-choose-schedules="target=x86-64-v3" | FileCheck %s

// All steps of a softmax go along the same rows.
// CHECK-LABEL: func.func @softmax
func.func @softmax(%x: tensor<12x197xf32>) -> tensor<12x197xf32> {
  // CHECK: dsc.group {{.*}}<"rows"
  // CHECK-NOT: dsc.group
  %m = dsc.reduce_max %x {axes = #dsc.dims<1>, keepdims = 1 : i64} : f32[12,197] -> f32[12,1]
  %d = dsc.sub %x, %m : f32[12,197], f32[12,1] -> f32[12,197]
  %e = dsc.exp %d : f32[12,197] -> f32[12,197]
  %s = dsc.reduce_sum %e {axes = #dsc.dims<1>, keepdims = 1 : i64} : f32[12,197] -> f32[12,1]
  %r = dsc.reciprocal %s : f32[12,1] -> f32[12,1]
  %y = dsc.mul %e, %r : f32[12,197], f32[12,1] -> f32[12,197]
  return %y : tensor<12x197xf32>
}

// Along the outermost axis, whose size only the run knows: blocks of columns.
// CHECK-LABEL: func.func @columns
func.func @columns(%x: tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>>) -> tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>> {
  // CHECK: dsc.group {{.*}}<"rows"
  // CHECK-NOT: dsc.group
  %m = dsc.reduce_max %x {axes = #dsc.dims<0>, keepdims = 1 : i64} : f32[N,64] -> f32[1,64]
  %d = dsc.sub %x, %m : f32[N,64], f32[1,64] -> f32[N,64]
  %s = dsc.reduce_l2 %d {axes = #dsc.dims<0>, keepdims = 1 : i64} : f32[N,64] -> f32[1,64]
  %y = dsc.div %d, %s : f32[N,64], f32[1,64] -> f32[N,64]
  return %y : tensor<?x64xf32, #dsc.tensor<dims = <N, 64>>>
}

// Reductions along different axes are kernels of their own.
// CHECK-LABEL: func.func @different
func.func @different(%x: tensor<12x197xf32>) -> tensor<12x1xf32> {
  // CHECK: dsc.group
  // CHECK: dsc.group
  %m = dsc.reduce_max %x {axes = #dsc.dims<0>, keepdims = 1 : i64} : f32[12,197] -> f32[1,197]
  %d = dsc.sub %x, %m : f32[12,197], f32[1,197] -> f32[12,197]
  %s = dsc.reduce_sum %d {axes = #dsc.dims<1>, keepdims = 1 : i64} : f32[12,197] -> f32[12,1]
  return %s : tensor<12x1xf32>
}

// A transpose that moves the innermost axis stays alone, and goes through registers.
// CHECK-LABEL: func.func @transpose
func.func @transpose(%x: tensor<197x768xf32>) -> tensor<768x197xf32> {
  // CHECK: dsc.group {{.*}}<"maps"
  // CHECK: dsc.group {{.*}}<"transpose"
  %a = dsc.abs %x : f32[197,768] -> f32[197,768]
  %y = dsc.transpose %a {perm = array<i64: 1, 0>} : f32[197,768] -> f32[768,197]
  return %y : tensor<768x197xf32>
}
