//===- Convolution.td - convolutions -----------------------*- tablegen -*-===//
//
// Their Specs are Window: loops over batch, output channels and output positions;
// reductions over the channels of a group and the positions of the kernel. Biases
// and requantization are in `finish`.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_CONVOLUTION_TD
#define DSC_CONVOLUTION_TD

include "dsc/Dialect/IR/DscBase.td"

/// The attributes that all convolutions have.
defvar Dsc_ConvAttributes = (ins OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
                             OptionalAttr<DenseI64ArrayAttr>:$strides,
                             OptionalAttr<DenseI64ArrayAttr>:$dilations,
                             OptionalAttr<DenseI64ArrayAttr>:$pads,
                             DefaultValuedOptionalAttr<StrAttr, "\"NOTSET\"">:$auto_pad,
                             DefaultValuedOptionalAttr<I64Attr, "1">:$group);

class Dsc_ConvLikeOp<string mnemonic, string onnx, dag operands, list<string> methods = ["getSpec"]>
    : Dsc_Op<mnemonic, onnx, [], methods> {
  let arguments = !con(operands, Dsc_ConvAttributes);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_ConvOp
    : Dsc_ConvLikeOp<"conv", "Conv", (ins Dsc_Tensor:$x, Dsc_Tensor:$w, Dsc_OptionalTensor:$b)>;

def Dsc_ConvIntegerOp
    : Dsc_ConvLikeOp<"conv_integer", "ConvInteger",
                     (ins Dsc_Tensor:$x, Dsc_Tensor:$w, Dsc_OptionalTensor:$x_zero_point,
                          Dsc_OptionalTensor:$w_zero_point)>;

def Dsc_ConvPairsOp
    : Dsc_ConvLikeOp<"conv_pairs", "", (ins RankedTensorOf<[I32]>:$x, RankedTensorOf<[I32]>:$w)> {
  let summary = "a convolution in int32 whose input channels are in pairs of int16 (dsc.pair)";
}

def Dsc_QLinearConvOp
    : Dsc_ConvLikeOp<"qlinear_conv", "QLinearConv",
                     (ins Dsc_Tensor:$x, Dsc_Tensor:$x_scale, Dsc_Tensor:$x_zero_point,
                          Dsc_Tensor:$w, Dsc_Tensor:$w_scale, Dsc_Tensor:$w_zero_point,
                          Dsc_Tensor:$y_scale, Dsc_Tensor:$y_zero_point, Dsc_OptionalTensor:$b),
                     ["getSpec", "decompose"]>;

def Dsc_ConvTransposeOp
    : Dsc_Op<"conv_transpose", "ConvTranspose", [], ["getSpec", "decompose"]> {
  let summary = "the gradient of a convolution, written as a gather";
  let description = [{
    An output position takes x at `(o + pad - k * dilation) / stride` for those k
    for which the division has no remainder. Where windows do not overlap, it is a
    convolution by single pixels whose channels become the pixels of the windows.
  }];
  let arguments = !con((ins Dsc_Tensor:$x, Dsc_Tensor:$w, Dsc_OptionalTensor:$b),
                       Dsc_ConvAttributes,
                       (ins OptionalAttr<DenseI64ArrayAttr>:$output_padding,
                            OptionalAttr<DenseI64ArrayAttr>:$output_shape));
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_DeformConvOp : Dsc_Op<"deform_conv", "DeformConv"> {
  let summary = "a 2-D convolution that reads x at positions moved by offsets, interpolated";
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$w, Dsc_Tensor:$offset, Dsc_OptionalTensor:$b,
                       Dsc_OptionalTensor:$mask,
                       OptionalAttr<DenseI64ArrayAttr>:$kernel_shape,
                       OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations,
                       OptionalAttr<DenseI64ArrayAttr>:$pads,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$group,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$offset_group);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_Col2ImOp : Dsc_Op<"col2im", "Col2Im", [], ["getSpec", "getContentOperands"]> {
  let arguments = (ins Dsc_Tensor:$input, Dsc_DimsAttr:$image_shape, Dsc_DimsAttr:$block_shape,
                       OptionalAttr<DenseI64ArrayAttr>:$strides,
                       OptionalAttr<DenseI64ArrayAttr>:$dilations,
                       OptionalAttr<DenseI64ArrayAttr>:$pads);
  let results = (outs Dsc_Tensor:$output);
}

#endif
