//===- Pooling.td - pooling and resampling -----------------*- tablegen -*-===//
#ifndef DSC_POOLING_TD
#define DSC_POOLING_TD

include "dsc/Dialect/IR/DscBase.td"

defvar Dsc_PoolAttributes = (ins DenseI64ArrayAttr:$kernel_shape,
                             OptionalAttr<DenseI64ArrayAttr>:$strides,
                             OptionalAttr<DenseI64ArrayAttr>:$dilations,
                             OptionalAttr<DenseI64ArrayAttr>:$pads,
                             DefaultValuedOptionalAttr<StrAttr, "\"NOTSET\"">:$auto_pad,
                             DefaultValuedOptionalAttr<I64Attr, "0">:$ceil_mode);

//===----------------------------------------------------------------------===//
// Pooling: Window Specs over the positions of the kernel
//===----------------------------------------------------------------------===//

def Dsc_MaxPoolOp : Dsc_Op<"max_pool", "MaxPool", [], ["getSpec", "getResultCount"]> {
  let summary = "largest elements and, as a second result, their positions in x";
  let arguments = !con((ins Dsc_Tensor:$x), Dsc_PoolAttributes,
                       (ins DefaultValuedOptionalAttr<I64Attr, "0">:$storage_order));
  let results = (outs Variadic<Dsc_Tensor>:$results);
}

def Dsc_AveragePoolOp : Dsc_Op<"average_pool", "AveragePool"> {
  let arguments = !con((ins Dsc_Tensor:$x), Dsc_PoolAttributes,
                       (ins DefaultValuedOptionalAttr<I64Attr, "0">:$count_include_pad));
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_LpPoolOp : Dsc_Op<"lp_pool", "LpPool"> {
  let arguments = !con((ins Dsc_Tensor:$x), Dsc_PoolAttributes,
                       (ins DefaultValuedOptionalAttr<I64Attr, "2">:$p));
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_MaxUnpoolOp : Dsc_Op<"max_unpool", "MaxUnpool", [], ["decompose", "getContentOperands"]> {
  let summary = "puts elements at the positions that max_pool gave; zero elsewhere";
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$i, OptionalAttr<Dsc_DimsAttr>:$output_shape,
                       DenseI64ArrayAttr:$kernel_shape,
                       OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$pads);
  let results = (outs Dsc_Tensor:$output);
}

//===----------------------------------------------------------------------===//
// Global pooling: Reduce Specs over all spatial axes
//===----------------------------------------------------------------------===//

class Dsc_GlobalPoolOp<string mnemonic, string onnx> : Dsc_Op<mnemonic, onnx> {
  let arguments = (ins Dsc_Tensor:$x);
  let results = (outs Dsc_Tensor:$y);
}
def Dsc_GlobalAveragePoolOp : Dsc_GlobalPoolOp<"global_average_pool", "GlobalAveragePool">;
def Dsc_GlobalMaxPoolOp : Dsc_GlobalPoolOp<"global_max_pool", "GlobalMaxPool">;
def Dsc_GlobalLpPoolOp : Dsc_GlobalPoolOp<"global_lp_pool", "GlobalLpPool"> {
  let arguments = (ins Dsc_Tensor:$x, DefaultValuedOptionalAttr<I64Attr, "2">:$p);
}

//===----------------------------------------------------------------------===//
// Resampling: Map Specs that read x at computed positions
//===----------------------------------------------------------------------===//

def Dsc_ResizeOp : Dsc_Op<"resize", "Resize", [], ["getSpec", "getContentOperands", "decompose"]> {
  let description = [{
    Interpolation of floats along several axes decomposes into one op for each.
  }];
  let arguments = (ins Dsc_Tensor:$x, OptionalAttr<DenseF32ArrayAttr>:$roi,
                       OptionalAttr<DenseF32ArrayAttr>:$scales, OptionalAttr<Dsc_DimsAttr>:$sizes,
                       OptionalAttr<DenseI64ArrayAttr>:$axes,
                       DefaultValuedOptionalAttr<StrAttr, "\"nearest\"">:$mode,
                       DefaultValuedOptionalAttr<StrAttr, "\"half_pixel\"">:$coordinate_transformation_mode,
                       DefaultValuedOptionalAttr<StrAttr, "\"round_prefer_floor\"">:$nearest_mode,
                       DefaultValuedOptionalAttr<StrAttr, "\"stretch\"">:$keep_aspect_ratio_policy,
                       DefaultValuedOptionalAttr<F32Attr, "-0.75f">:$cubic_coeff_a,
                       DefaultValuedOptionalAttr<F32Attr, "0.0f">:$extrapolation_value,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$exclude_outside,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$antialias);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_GridSampleOp : Dsc_Op<"grid_sample", "GridSample"> {
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$grid,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$align_corners,
                       DefaultValuedOptionalAttr<StrAttr, "\"linear\"">:$mode,
                       DefaultValuedOptionalAttr<StrAttr, "\"zeros\"">:$padding_mode);
  let results = (outs Dsc_Tensor:$y);
}

/// With `channels_last`, not of ONNX, x is [N, H, W, C] and y [rois, height, width, C]: what
/// is computed for a sample serves all channels, which lie behind each other.
def Dsc_RoiAlignOp : Dsc_Op<"roi_align", "RoiAlign", [], ["getSpec", "decompose"]> {
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$rois, Dsc_Tensor:$batch_indices,
                       DefaultValuedOptionalAttr<StrAttr, "\"half_pixel\"">:$coordinate_transformation_mode,
                       DefaultValuedOptionalAttr<StrAttr, "\"avg\"">:$mode,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$output_height,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$output_width,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$sampling_ratio,
                       DefaultValuedOptionalAttr<F32Attr, "1.0f">:$spatial_scale,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$channels_last);
  let results = (outs Dsc_Tensor:$y);
}

#endif
