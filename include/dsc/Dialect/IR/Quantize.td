//===- Quantize.td - quantized tensors: QuantizeLinear and its relatives ---*- tablegen -*-===//
//
// Scale and zero point are for the whole tensor (one element), for each index of
// `axis` (a vector), or for each block of `block_size` elements along `axis` (the
// rank of x).
//
//===----------------------------------------------------------------------===//
#ifndef DSC_QUANTIZE_TD
#define DSC_QUANTIZE_TD

include "dsc/Dialect/IR/DscBase.td"
include "dsc/Dialect/IR/Elementwise.td"

defvar quantizedTypes = [I8, UI8, I16, UI16];
defvar scaleTypes = [F16, BF16, F32];

def Dsc_QuantizeLinearOp : Dsc_Op<"quantize_linear", "QuantizeLinear"> {
  let summary = "saturate(round_half_even(x / scale) + zero_point)";
  let description = [{
    `precision` is the type of the division (a TensorProto.DataType; 0: the
    scale's), `output_dtype` the result's (0: the zero point's, or uint8).
    `saturate` only concerns 8-bit floats.
  }];
  let arguments = (ins RankedTensorOf<scaleTypes # [I32]>:$x, RankedTensorOf<scaleTypes # [I32]>:$y_scale,
                       Dsc_OptionalTensor:$y_zero_point, Dsc_Int<"1">:$axis, Dsc_Int<"1">:$saturate,
                       Dsc_Int<"0">:$block_size, Dsc_Int<"0">:$output_dtype, Dsc_Int<"0">:$precision);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_DequantizeLinearOp : Dsc_Op<"dequantize_linear", "DequantizeLinear"> {
  let summary = "(x - zero_point) * scale";
  let description = [{
    `output_dtype` is the result's type (a TensorProto.DataType; 0: the scale's).
  }];
  let arguments = (ins RankedTensorOf<quantizedTypes # [I32]>:$x, RankedTensorOf<scaleTypes>:$x_scale,
                       Dsc_OptionalTensor:$x_zero_point, Dsc_Int<"1">:$axis, Dsc_Int<"0">:$block_size,
                       Dsc_Int<"0">:$output_dtype);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_RequantizeOp : Dsc_Op<"requantize", ""> {
  let summary = "saturate(round_half_even(x * multiplier) + zero_point)";
  let description = [{
    What an integer product is as a quantized tensor: x is int32, `multiplier` are
    the scales of the product's operands by that of the result, and broadcasts
    to x; the zero point gives the result's type.
  }];
  let arguments = (ins RankedTensorOf<[I32]>:$x, RankedTensorOf<[F32]>:$multiplier,
                       RankedTensorOf<[I8, UI8]>:$y_zero_point);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_QuantizedSumOp : Dsc_Op<"quantized_sum", ""> {
  let summary = "saturate(round_half_even(b * factor_b + (a * factor_a + offset)))";
  let description = [{
    The sum of two quantized tensors as a quantized tensor of type `output_dtype` (a
    TensorProto.DataType): factors are the scales by the result's scale, zero points
    are in the offset. The products are not rounded.
  }];
  let arguments = (ins RankedTensorOf<[I8, UI8]>:$a, RankedTensorOf<[I8, UI8]>:$b,
                       RankedTensorOf<[F32]>:$factor_a, RankedTensorOf<[F32]>:$factor_b,
                       RankedTensorOf<[F32]>:$offset, Dsc_Int<"0">:$output_dtype);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_PairOp : Dsc_Op<"pair", ""> {
  let summary = "neighbours along an axis, less their zero point, as two int16 in an int32";
  let description = [{
    Element i has x[2 * i] in its low half and x[2 * i + 1] in its high half, 0 behind
    the end. The zero point broadcasts to x and has one element along the axis.
  }];
  let arguments = (ins RankedTensorOf<[I8, UI8]>:$x, Dsc_OptionalTensor:$zero_point,
                       Dsc_Int<"-1">:$axis);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_JoinPairsOp : Dsc_Op<"join_pairs", "", [], ["getViewSource"]> {
  let summary = "neighbours along the last axis, two int16, as one int32: the same bytes";
  let arguments = (ins RankedTensorOf<[I16]>:$x);
  let results = (outs Dsc_Tensor:$y);
  let definitions = [{
    ::mlir::Value $cppClass::getViewSource() { return getX(); }
  }];
}

#endif
