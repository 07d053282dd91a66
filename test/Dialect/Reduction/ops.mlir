// RUN: dsc-opt %s | dsc-opt | FileCheck %s

// CHECK-LABEL: func.func @sum(
// CHECK: dsc.reduce_sum %{{.*}} {axes = #dsc.dims<-1>, keepdims = 0 : i64, noop_with_empty_axes = 0 : i64} : f32[N,S,4] -> f32[N,S]
func.func @sum(%a: tensor<?x?x4xf32, #dsc.tensor<dims = <N, S, 4>>>) {
  %y = dsc.reduce_sum %a {axes = #dsc.dims<-1>, keepdims = 0} : f32[N,S,4] -> f32[N,S]
  return
}

// CHECK-LABEL: func.func @all(
// CHECK: dsc.reduce_max %{{.*}} {keepdims = 1 : i64, noop_with_empty_axes = 0 : i64} : i8[N,S] -> i8[1,1]
func.func @all(%a: tensor<?x?xi8, #dsc.tensor<dims = <N, S>>>) {
  %y = dsc.reduce_max %a : i8[N,S] -> i8[1,1]
  return
}

// CHECK-LABEL: func.func @noop(
// CHECK: dsc.reduce_mean %{{.*}} {keepdims = 1 : i64, noop_with_empty_axes = 1 : i64} : f16[N,S] -> f16[N,S]
func.func @noop(%a: tensor<?x?xf16, #dsc.tensor<dims = <N, S>>>) {
  %y = dsc.reduce_mean %a {noop_with_empty_axes = 1} : f16[N,S] -> f16[N,S]
  return
}

// CHECK-LABEL: func.func @log_sum_exp(
// CHECK: dsc.reduce_log_sum_exp %{{.*}} {axes = #dsc.dims<0, 1>, keepdims = 1 : i64, noop_with_empty_axes = 0 : i64} : f32[N,S] -> f32[1,1]
func.func @log_sum_exp(%a: tensor<?x?xf32, #dsc.tensor<dims = <N, S>>>) {
  %y = dsc.reduce_log_sum_exp %a {axes = #dsc.dims<0, 1>} : f32[N,S] -> f32[1,1]
  return
}

// CHECK-LABEL: func.func @l2(
// CHECK: dsc.reduce_l2 %{{.*}} {axes = #dsc.dims<1>, keepdims = 1 : i64, noop_with_empty_axes = 0 : i64} : f64[N,S] -> f64[N,1]
func.func @l2(%a: tensor<?x?xf64, #dsc.tensor<dims = <N, S>>>) {
  %y = dsc.reduce_l2 %a {axes = #dsc.dims<1>} : f64[N,S] -> f64[N,1]
  return
}

// CHECK-LABEL: func.func @cumsum(
// CHECK: dsc.cumsum %{{.*}} {axis = #dsc.dims<-1>, exclusive = 1 : i64, reverse = 1 : i64} : i32[N,S] -> i32[N,S]
func.func @cumsum(%a: tensor<?x?xi32, #dsc.tensor<dims = <N, S>>>) {
  %y = dsc.cumsum %a {axis = #dsc.dims<-1>, exclusive = 1, reverse = 1} : i32[N,S] -> i32[N,S]
  return
}

// CHECK-LABEL: func.func @cumprod(
// CHECK: dsc.cumprod %{{.*}} {axis = #dsc.dims<0>, exclusive = 0 : i64, reverse = 0 : i64} : f32[N,S] -> f32[N,S]
func.func @cumprod(%a: tensor<?x?xf32, #dsc.tensor<dims = <N, S>>>) {
  %y = dsc.cumprod %a {axis = #dsc.dims<0>} : f32[N,S] -> f32[N,S]
  return
}

// Which axis it is only the run knows; the type's sizes say how it follows.
// CHECK-LABEL: func.func @unknown_axis(
// CHECK: dsc.reduce_sum %{{.*}} {axes = #dsc.dims<"a~">{{.*}} -> f32[select(or(eq("a~", 0), eq("a~", -2)), 1, N),select(or(eq("a~", 1), eq("a~", -1)), 1, 4)]
func.func @unknown_axis(%x: tensor<?x4xf32, #dsc.tensor<dims = <N, 4>>>) {
  %y = dsc.reduce_sum %x {axes = #dsc.dims<"a~">} : f32[N,4] -> f32[select(or(eq("a~", 0), eq("a~", -2)), 1, N),select(or(eq("a~", 1), eq("a~", -1)), 1, 4)]
  return
}
