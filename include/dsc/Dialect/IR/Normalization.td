//===- Normalization.td - softmax and normalisations -------*- tablegen -*-===//
//
// All but LRN decompose into reductions and elementwise ops, computed in float32 or
// wider and rounded once.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_NORMALIZATION_TD
#define DSC_NORMALIZATION_TD

include "dsc/Dialect/IR/DscBase.td"

class Dsc_AxisOp<string mnemonic, string onnx> : Dsc_Op<mnemonic, onnx, [], ["decompose"]> {
  let arguments = (ins Dsc_Tensor:$input, DefaultValuedOptionalAttr<I64Attr, "-1">:$axis);
  let results = (outs Dsc_Tensor:$output);
}
def Dsc_SoftmaxOp : Dsc_AxisOp<"softmax", "Softmax">;
def Dsc_LogSoftmaxOp : Dsc_AxisOp<"log_softmax", "LogSoftmax">;

def Dsc_LpNormalizationOp : Dsc_AxisOp<"lp_normalization", "LpNormalization"> {
  let arguments = (ins Dsc_Tensor:$input, DefaultValuedOptionalAttr<I64Attr, "-1">:$axis,
                       DefaultValuedOptionalAttr<I64Attr, "2">:$p);
}

def Dsc_LayerNormalizationOp
    : Dsc_Op<"layer_normalization", "LayerNormalization", [], ["decompose", "getResultCount"]> {
  let summary = "results: y, and if wanted the mean and 1 / standard deviation";
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$scale, Dsc_OptionalTensor:$b,
                       DefaultValuedOptionalAttr<I64Attr, "-1">:$axis,
                       DefaultValuedOptionalAttr<F32Attr, "1e-5f">:$epsilon,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$stash_type);
  let results = (outs Variadic<Dsc_Tensor>:$results);
}

def Dsc_RMSNormalizationOp : Dsc_Op<"rms_normalization", "RMSNormalization", [], ["decompose"]> {
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$scale,
                       DefaultValuedOptionalAttr<I64Attr, "-1">:$axis,
                       DefaultValuedOptionalAttr<F32Attr, "1e-5f">:$epsilon,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$stash_type);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_InstanceNormalizationOp
    : Dsc_Op<"instance_normalization", "InstanceNormalization", [], ["decompose"]> {
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$scale, Dsc_Tensor:$b,
                       DefaultValuedOptionalAttr<F32Attr, "1e-5f">:$epsilon);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_GroupNormalizationOp
    : Dsc_Op<"group_normalization", "GroupNormalization", [], ["decompose"]> {
  let arguments = (ins Dsc_Tensor:$x, Dsc_Tensor:$scale, Dsc_Tensor:$b, I64Attr:$num_groups,
                       DefaultValuedOptionalAttr<F32Attr, "1e-5f">:$epsilon,
                       DefaultValuedOptionalAttr<I64Attr, "1">:$stash_type);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_LRNOp : Dsc_Op<"lrn", "LRN"> {
  let summary = "x / (bias + alpha / size * (sum of squares of `size` channels)) ^ beta";
  let arguments = (ins Dsc_Tensor:$x, I64Attr:$size,
                       DefaultValuedOptionalAttr<F32Attr, "1e-4f">:$alpha,
                       DefaultValuedOptionalAttr<F32Attr, "0.75f">:$beta,
                       DefaultValuedOptionalAttr<F32Attr, "1.0f">:$bias);
  let results = (outs Dsc_Tensor:$y);
}

#endif
