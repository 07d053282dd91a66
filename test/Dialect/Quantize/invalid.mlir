// RUN: dsc-opt %s --split-input-file --verify-diagnostics

func.func @axis_length(%x: tensor<2x6xf32>, %scale: tensor<5xf32>) {
  %none = dsc.none
  // expected-error @below {{scale does not have an element for each index of the axis (5 vs 6)}}
  %0 = dsc.quantize_linear %x, %scale, %none : f32[2,6], f32[5], none -> u8[2,6]
  return
}

// -----

func.func @axis(%x: tensor<2x6xf32>, %scale: tensor<6xf32>) {
  %none = dsc.none
  // expected-error @below {{axis 2 is outside [-2, 2)}}
  %0 = dsc.quantize_linear %x, %scale, %none {axis = 2} : f32[2,6], f32[6], none -> u8[2,6]
  return
}

// -----

func.func @no_block_size(%x: tensor<2x6xf32>, %scale: tensor<2x3xf32>) {
  %none = dsc.none
  // expected-error @below {{scale f32[2,3] does not fit input f32[2,6] and block_size 0}}
  %0 = dsc.quantize_linear %x, %scale, %none : f32[2,6], f32[2,3], none -> u8[2,6]
  return
}

// -----

func.func @blocks(%x: tensor<2x6xf32>, %scale: tensor<2x3xf32>) {
  %none = dsc.none
  // expected-error @below {{scale does not have an element for each block (3 vs 2)}}
  %0 = dsc.quantize_linear %x, %scale, %none {block_size = 4} : f32[2,6], f32[2,3], none -> u8[2,6]
  return
}

// -----

func.func @zero_point_shape(%x: tensor<2x6xf32>, %scale: tensor<6xf32>, %zero: tensor<ui8>) {
  // expected-error @below {{zero point u8[] and scale f32[6] have different shapes}}
  %0 = dsc.quantize_linear %x, %scale, %zero : f32[2,6], f32[6], u8[] -> u8[2,6]
  return
}

// -----

func.func @output_type(%x: tensor<2xf32>, %scale: tensor<f32>, %zero: tensor<ui8>) {
  // expected-error @below {{output_dtype and the zero point have different types ('i8' and 'ui8')}}
  %0 = dsc.quantize_linear %x, %scale, %zero {output_dtype = 3} : f32[2], f32[], u8[] -> u8[2]
  return
}

// -----

func.func @wide(%x: tensor<2xf32>, %scale: tensor<f32>) {
  %none = dsc.none
  // expected-error @below {{quantizes to integers of 8 or 16 bits, not to 'i32'}}
  %0 = dsc.quantize_linear %x, %scale, %none {output_dtype = 6} : f32[2], f32[], none -> i32[2]
  return
}

// -----

func.func @float8(%x: tensor<2xf32>, %scale: tensor<f32>) {
  %none = dsc.none
  // expected-error @below {{converts to 'f8E5M2', which is not supported}}
  %0 = dsc.quantize_linear %x, %scale, %none {output_dtype = 19} : f32[2], f32[], none -> u8[2]
  return
}

// -----

func.func @dequantize_types(%x: tensor<2xi8>, %scale: tensor<f32>, %zero: tensor<ui8>) {
  // expected-error @below {{input and zero point have different types ('i8' and 'ui8')}}
  %0 = dsc.dequantize_linear %x, %scale, %zero : i8[2], f32[], u8[] -> f32[2]
  return
}

// -----

func.func @dequantize_output(%x: tensor<2xi8>, %scale: tensor<f32>) {
  %none = dsc.none
  // expected-error @below {{dequantizes to floats, not to 'i32'}}
  %0 = dsc.dequantize_linear %x, %scale, %none {output_dtype = 6} : i8[2], f32[], none -> i32[2]
  return
}

// -----

func.func @pair_zero_point(%x: tensor<5x2xui8>, %z: tensor<5x2xui8>) {
  // expected-error@+1 {{zero point u8[5,2] does not fit u8[5,2]}}
  %0 = dsc.pair %x, %z {axis = 0} : u8[5,2], u8[5,2] -> i32[3,2]
  return
}
