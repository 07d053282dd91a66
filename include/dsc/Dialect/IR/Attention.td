//===- Attention.td - softmax(Q K^T) V ---------------------*- tablegen -*-===//
#ifndef DSC_ATTENTION_TD
#define DSC_ATTENTION_TD

include "dsc/Dialect/IR/DscBase.td"

def Dsc_AttentionOp : Dsc_Op<"attention", "", [], ["getSpec", "decompose", "mayReadShort"]> {
  let summary = "softmax(scale * q k^T + mask) v, per head";
  let description = [{
    q [B, H, M, D], k [B, Hk, N, D], v [B, Hk, N, Dv]; H is a multiple of Hk, and
    head h uses k and v of head h / (H / Hk). With `softcap` c, scores become
    c * tanh(score / c). The mask, if present, broadcasts to [B, H, M, N]: floats
    are added to the scores, booleans hide keys where they are false. With `causal`,
    position m sees the keys up to m + causal_offset only.

    A row all of whose keys are hidden is NaN, or as `undefined_rows` says:
    "masked_zero" makes it 0, "zero" also one whose sum is NaN otherwise.

    An operand may have its axes in another order: q is then the operand
    transposed by `q_perm`; the result is y transposed by `y_perm`. ONNX's Attention
    and what exporters write for it are raised to this op.
  }];
  let arguments = (ins Dsc_Tensor:$q, Dsc_Tensor:$k, Dsc_Tensor:$v, Dsc_OptionalTensor:$mask,
                       DefaultValuedOptionalAttr<F32Attr, "1.0f">:$scale,
                       DefaultValuedOptionalAttr<F32Attr, "0.0f">:$softcap,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$causal,
                       OptionalAttr<Dsc_DimAttr>:$causal_offset,
                       DefaultValuedOptionalAttr<StrAttr, "\"nan\"">:$undefined_rows,
                       OptionalAttr<DenseI64ArrayAttr>:$q_perm,
                       OptionalAttr<DenseI64ArrayAttr>:$k_perm,
                       OptionalAttr<DenseI64ArrayAttr>:$v_perm,
                       OptionalAttr<DenseI64ArrayAttr>:$y_perm);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_CausalMaskOp : Dsc_Op<"causal_mask", ""> {
  let summary = "scores [..., M, N], minus infinity for n > m + offset";
  let arguments = (ins Dsc_Tensor:$scores, OptionalAttr<Dsc_DimAttr>:$offset);
  let results = (outs Dsc_Tensor:$y);
}

#endif
