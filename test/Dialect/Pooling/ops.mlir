// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @max_pool(
// CHECK: dsc.max_pool %{{.*}} {kernel_shape = array<i64: 3, 3>, pads = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : f32[N,8,H,W] -> f32[N,8,(H + 1) floordiv 2,(W + 1) floordiv 2]
func.func @max_pool(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>) {
  %y = dsc.max_pool %a {kernel_shape = array<i64: 3, 3>, strides = array<i64: 2, 2>, pads = array<i64: 1, 1, 1, 1>} : f32[N,8,H,W] -> f32[N,8,(H - 1) floordiv 2 + 1,(W - 1) floordiv 2 + 1]
  return
}

// CHECK-LABEL: func.func @indices(
// CHECK: dsc.max_pool %{{.*}} {ceil_mode = 1 : i64, kernel_shape = array<i64: 2>, strides = array<i64: 2>} : f32[1,8,5] -> f32[1,8,3], i64[1,8,3]
func.func @indices(%a: tensor<1x8x5xf32>) {
  %y:2 = dsc.max_pool %a {kernel_shape = array<i64: 2>, ceil_mode = 1, strides = array<i64: 2>} : f32[1,8,5] -> f32[1,8,3], i64[1,8,3]
  return
}

// CHECK-LABEL: func.func @average_pool(
// CHECK: dsc.average_pool %{{.*}} {auto_pad = "SAME_LOWER", count_include_pad = 1 : i64, kernel_shape = array<i64: 2, 2>} : f16[1,8,5,5] -> f16[1,8,5,5]
func.func @average_pool(%a: tensor<1x8x5x5xf16>) {
  %y = dsc.average_pool %a {kernel_shape = array<i64: 2, 2>, auto_pad = "SAME_LOWER", count_include_pad = 1} : f16[1,8,5,5] -> f16[1,8,5,5]
  return
}

// CHECK-LABEL: func.func @lp_pool(
// CHECK: dsc.lp_pool %{{.*}} {kernel_shape = array<i64: 2, 2>, p = 3 : i64} : f32[1,8,5,5] -> f32[1,8,4,4]
func.func @lp_pool(%a: tensor<1x8x5x5xf32>) {
  %y = dsc.lp_pool %a {kernel_shape = array<i64: 2, 2>, p = 3} : f32[1,8,5,5] -> f32[1,8,4,4]
  return
}

// CHECK-LABEL: func.func @max_unpool(
// CHECK: dsc.max_unpool %{{.*}} {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : f32[1,1,2,2], i64[1,1,2,2] -> f32[1,1,4,4]
func.func @max_unpool(%a: tensor<1x1x2x2xf32>, %b: tensor<1x1x2x2xi64>) {
  %y = dsc.max_unpool %a, %b {kernel_shape = array<i64: 2, 2>, strides = array<i64: 2, 2>} : f32[1,1,2,2], i64[1,1,2,2] -> f32[1,1,4,4]
  return
}

// CHECK-LABEL: func.func @global(
// CHECK: dsc.global_average_pool %{{.*}} : f32[N,8,H,W] -> f32[N,8,1,1]
func.func @global(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>) {
  %y = dsc.global_average_pool %a : f32[N,8,H,W] -> f32[N,8,1,1]
  return
}

// CHECK-LABEL: func.func @global_max(
// CHECK: dsc.global_max_pool %{{.*}} : f32[N,8,H] -> f32[N,8,1]
func.func @global_max(%a: tensor<?x8x?xf32, #dsc.tensor<dims = <N, 8, H>>>) {
  %y = dsc.global_max_pool %a : f32[N,8,H] -> f32[N,8,1]
  return
}

// CHECK-LABEL: func.func @global_lp(
// CHECK: dsc.global_lp_pool %{{.*}} {p = 1 : i64} : f32[N,8,H,W] -> f32[N,8,1,1]
func.func @global_lp(%a: tensor<?x8x?x?xf32, #dsc.tensor<dims = <N, 8, H, W>>>) {
  %y = dsc.global_lp_pool %a {p = 1} : f32[N,8,H,W] -> f32[N,8,1,1]
  return
}

// CHECK-LABEL: func.func @resize_sizes(
// CHECK: dsc.resize %{{.*}} {axes = array<i64: 2, 3>, mode = "linear", sizes = #dsc.dims<H, 10>} : f32[1,3,5,5] -> f32[1,3,H,10]
func.func @resize_sizes(%a: tensor<1x3x5x5xf32>) {
  %y = dsc.resize %a {sizes = #dsc.dims<H, 10>, axes = array<i64: 2, 3>, mode = "linear"} : f32[1,3,5,5] -> f32[1,3,H,10]
  return
}

// CHECK-LABEL: func.func @resize_scales(
// CHECK: dsc.resize %{{.*}} {mode = "cubic", scales = array<f32: 1.000000e+00, 1.000000e+00, 2.000000e+00, 1.500000e+00>} : f32[1,3,H,6] -> f32[1,3,2 * H,9]
func.func @resize_scales(%a: tensor<1x3x?x6xf32, #dsc.tensor<dims = <1, 3, H, 6>>>) {
  %y = dsc.resize %a {scales = array<f32: 1.0, 1.0, 2.0, 1.5>, mode = "cubic"} : f32[1,3,H,6] -> f32[1,3,2 * H,9]
  return
}

// CHECK-LABEL: func.func @grid_sample(
// CHECK: dsc.grid_sample %{{.*}} {mode = "nearest", padding_mode = "border"} : f32[N,3,H,W], f32[N,7,8,2] -> f32[N,3,7,8]
func.func @grid_sample(%a: tensor<?x3x?x?xf32, #dsc.tensor<dims = <N, 3, H, W>>>, %b: tensor<?x7x8x2xf32, #dsc.tensor<dims = <N, 7, 8, 2>>>) {
  %y = dsc.grid_sample %a, %b {mode = "nearest", padding_mode = "border"} : f32[N,3,H,W], f32[N,7,8,2] -> f32[N,3,7,8]
  return
}

// CHECK-LABEL: func.func @roi_align(
// CHECK: dsc.roi_align %{{.*}} {output_height = 7 : i64, output_width = 5 : i64, sampling_ratio = 2 : i64} : f32[N,3,H,W], f32[R,4], i64[R] -> f32[R,3,7,5]
func.func @roi_align(%a: tensor<?x3x?x?xf32, #dsc.tensor<dims = <N, 3, H, W>>>, %b: tensor<?x4xf32, #dsc.tensor<dims = <R, 4>>>, %c: tensor<?xi64, #dsc.tensor<dims = <R>>>) {
  %y = dsc.roi_align %a, %b, %c {output_height = 7, output_width = 5, sampling_ratio = 2} : f32[N,3,H,W], f32[R,4], i64[R] -> f32[R,3,7,5]
  return
}
