// RUN: dsc-opt %s | dsc-opt | FileCheck %s
// RUN: dsc-opt %s --dsc-print-specs -o /dev/null | FileCheck %s --check-prefix=SPEC

!x = tensor<?x6x4xf32, #dsc.tensor<dims = <N, 6, 4>>>
!q = tensor<?x6x4xi8, #dsc.tensor<dims = <N, 6, 4>>>

// CHECK-LABEL: func @quantize
func.func @quantize(%x: !x, %h: tensor<6xf16>, %scale: tensor<f32>, %zero: tensor<i8>, %scales: tensor<6xf32>, %zeros: tensor<6xui16>) {
  %none = dsc.none
  // CHECK: dsc.quantize_linear %{{.*}} : f32[N,6,4], f32[], i8[] -> i8[N,6,4]
  // SPEC-LABEL: dsc.quantize_linear map
  // SPEC-NEXT:    loops parallel[N] parallel[6] parallel[4]
  // SPEC-NEXT:    read #0 at (d0, d1, d2) -> (d0, d1, d2)
  // SPEC-NEXT:    read #1 at (d0, d1, d2) -> ()
  // SPEC-NEXT:    read #2 at (d0, d1, d2) -> ()
  // SPEC:           arith.divf
  // SPEC-NEXT:      math.roundeven
  // SPEC-NEXT:      arith.sitofp %{{.*}} : i8 to f32
  // SPEC-NEXT:      arith.addf
  // SPEC:           arith.fptosi %{{.*}} : f32 to i8
  %0 = dsc.quantize_linear %x, %scale, %zero : f32[N,6,4], f32[], i8[] -> i8[N,6,4]
  // CHECK: dsc.quantize_linear %{{.*}} : f32[N,6,4], f32[], none -> u8[N,6,4]
  // SPEC-LABEL: dsc.quantize_linear map
  %1 = dsc.quantize_linear %x, %scale, %none : f32[N,6,4], f32[], none -> u8[N,6,4]
  // CHECK: dsc.quantize_linear %{{.*}}output_dtype = 5 : i64{{.*}} : f32[N,6,4], f32[], none -> i16[N,6,4]
  // SPEC-LABEL: dsc.quantize_linear map
  %2 = dsc.quantize_linear %x, %scale, %none {output_dtype = 5} : f32[N,6,4], f32[], none -> i16[N,6,4]
  // CHECK: dsc.quantize_linear %{{.*}}axis = -2 : i64{{.*}} : f32[N,6,4], f32[6], u16[6] -> u16[N,6,4]
  // SPEC-LABEL: dsc.quantize_linear map
  // SPEC:         read #1 at (d0, d1, d2) -> (d1)
  // SPEC-NEXT:    read #2 at (d0, d1, d2) -> (d1)
  %3 = dsc.quantize_linear %x, %scales, %zeros {axis = -2} : f32[N,6,4], f32[6], u16[6] -> u16[N,6,4]
  // The quotient is rounded to the type of the scale, or to `precision`.
  // SPEC-LABEL: dsc.quantize_linear map
  // SPEC:           arith.divf
  // SPEC-NEXT:      arith.truncf %{{.*}} : f32 to f16
  %4 = dsc.quantize_linear %h, %h, %none : f16[6], f16[6], none -> u8[6]
  // SPEC-LABEL: dsc.quantize_linear map
  // SPEC:           arith.divf
  // SPEC-NEXT:      math.roundeven
  %5 = dsc.quantize_linear %h, %h, %none {precision = 1} : f16[6], f16[6], none -> u8[6]
  return
}

// CHECK-LABEL: func @dequantize
func.func @dequantize(%x: !q, %i: tensor<6xi32>, %scale: tensor<f32>, %zero: tensor<i8>, %blocks: tensor<?x2x4xf16, #dsc.tensor<dims = <N, 2, 4>>>) {
  %none = dsc.none
  // CHECK: dsc.dequantize_linear %{{.*}} : i8[N,6,4], f32[], i8[] -> f32[N,6,4]
  // SPEC-LABEL: dsc.dequantize_linear map
  // SPEC:           arith.subi %{{.*}} : i32
  // SPEC-NEXT:      arith.sitofp %{{.*}} : i32 to f32
  // SPEC-NEXT:      arith.mulf
  %0 = dsc.dequantize_linear %x, %scale, %zero : i8[N,6,4], f32[], i8[] -> f32[N,6,4]
  // CHECK: dsc.dequantize_linear %{{.*}} : i32[6], f32[], none -> f32[6]
  // SPEC-LABEL: dsc.dequantize_linear map
  %1 = dsc.dequantize_linear %i, %scale, %none : i32[6], f32[], none -> f32[6]
  // CHECK: dsc.dequantize_linear %{{.*}} : i8[N,6,4], f16[N,2,4], none -> f16[N,6,4]
  // SPEC-LABEL: dsc.dequantize_linear map
  // SPEC:         read #1 at (d0, d1, d2) -> (d0, d1 floordiv 3, d2)
  %2 = dsc.dequantize_linear %x, %blocks, %none {block_size = 3} : i8[N,6,4], f16[N,2,4], none -> f16[N,6,4]
  // CHECK: dsc.dequantize_linear %{{.*}} : i8[N,6,4], f32[], none -> bf16[N,6,4]
  %3 = dsc.dequantize_linear %x, %scale, %none {output_dtype = 16} : i8[N,6,4], f32[], none -> bf16[N,6,4]
  return
}
