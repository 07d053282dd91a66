// RUN: dsc-opt %s --dsc-form-groups --dsc-choose-schedules="target=x86-64-v3" | FileCheck %s

// CHECK-LABEL: func.func @conv
func.func @conv(%x: tensor<1x64x56x56xf32>) -> tensor<1x64x56x56xf32> {
  %w = dsc.weight <0, 0, 147456> : f32[64,64,3,3]
  // Depth blocks are whole channels: multiples of 9 taps.
  // CHECK: dsc.group {{.*}}<"conv-panels", tile = {{.*}}, block = [64, 1, {{288|576}}, 64], params = {{.*}}strips
  %none = dsc.none
  %y = dsc.conv %x, %w, %none {pads = array<i64: 1, 1, 1, 1>} : f32[1,64,56,56], f32[64,64,3,3], none -> f32[1,64,56,56]
  return %y : tensor<1x64x56x56xf32>
}

// So few blocks of 256 rows that two threads would not share them well: 128 rows each.
// CHECK-LABEL: func.func @small_image
func.func @small_image(%x: tensor<1x256x14x14xf32>) -> tensor<1x256x14x14xf32> {
  %w = dsc.weight <0, 0, 2359296> : f32[256,256,3,3]
  // CHECK: dsc.group {{.*}}<"conv-panels", tile = {{.*}}, block = [128,
  %none = dsc.none
  %y = dsc.conv %x, %w, %none {pads = array<i64: 1, 1, 1, 1>} : f32[1,256,14,14], f32[256,256,3,3], none -> f32[1,256,14,14]
  return %y : tensor<1x256x14x14xf32>
}

// A vector has more lanes than the image pixels: vectors of channels, packed weights.
// CHECK-LABEL: func.func @few_pixels
func.func @few_pixels(%x: tensor<1x1x640xf32>) -> tensor<1x258x4xf32> {
  // CHECK: dsc.repack
  %w = dsc.weight <0, 0, 264192> : f32[258,1,256]
  // CHECK: dsc.group {{.*}}<"conv-rows"
  %none = dsc.none
  %y = dsc.conv %x, %w, %none {strides = array<i64: 128>} : f32[1,1,640], f32[258,1,256], none -> f32[1,258,4]
  return %y : tensor<1x258x4xf32>
}

// Where only the run knows how long lines are, the schedule reads them if they are long enough.
// CHECK-LABEL: func.func @lines_of_the_run
func.func @lines_of_the_run(%x: tensor<1x64x?x?xf32, #dsc.tensor<dims = <1, 64, H, W>>>) -> tensor<1x64x?x?xf32, #dsc.tensor<dims = <1, 64, H, W>>> {
  %w = dsc.weight <0, 0, 147456> : f32[64,64,3,3]
  // CHECK: dsc.group {{.*}}<"conv-panels", {{.*}}strips
  %none = dsc.none
  %y = dsc.conv %x, %w, %none {pads = array<i64: 1, 1, 1, 1>} : f32[1,64,H,W], f32[64,64,3,3], none -> f32[1,64,H,W]
  return %y : tensor<1x64x?x?xf32, #dsc.tensor<dims = <1, 64, H, W>>>
}

// CHECK-LABEL: func.func @depthwise
func.func @depthwise(%x: tensor<1x144x56x56xf32>) -> tensor<1x144x56x56xf32> {
  %w = dsc.weight <0, 0, 5184> : f32[144,1,3,3]
  // CHECK: dsc.group {{.*}}<"depthwise-conv", tile = [8]
  %none = dsc.none
  %y = dsc.conv %x, %w, %none {group = 144, pads = array<i64: 1, 1, 1, 1>} : f32[1,144,56,56], f32[144,1,3,3], none -> f32[1,144,56,56]
  return %y : tensor<1x144x56x56xf32>
}
