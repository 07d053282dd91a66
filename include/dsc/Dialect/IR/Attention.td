//===- Attention.td - softmax(Q K^T) V ---------------------*- tablegen -*-===//
#ifndef DSC_ATTENTION_TD
#define DSC_ATTENTION_TD

include "dsc/Dialect/IR/DscBase.td"

def Dsc_AttentionOp : Dsc_Op<"attention", "", [], ["decompose"]> {
  let summary = "softmax(scale * q k^T + mask) v, per head";
  let description = [{
    q [B, H, M, D], k [B, Hk, N, D], v [B, Hk, N, Dv]; H is a multiple of Hk, and
    head h uses k and v of head h / (H / Hk). The mask, if present, is added to the
    scores and broadcasts to [B, H, M, N]. With `causal`, position m sees the keys
    up to m + causal_offset only. ONNX's Attention is raised to this op.
  }];
  let arguments = (ins Dsc_Tensor:$q, Dsc_Tensor:$k, Dsc_Tensor:$v, Dsc_OptionalTensor:$mask,
                       DefaultValuedOptionalAttr<F32Attr, "1.0f">:$scale,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$causal,
                       OptionalAttr<Dsc_DimAttr>:$causal_offset);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_CausalMaskOp : Dsc_Op<"causal_mask", ""> {
  let summary = "scores [..., M, N], minus infinity for n > m + offset";
  let arguments = (ins Dsc_Tensor:$scores, OptionalAttr<Dsc_DimAttr>:$offset);
  let results = (outs Dsc_Tensor:$y);
}

#endif
