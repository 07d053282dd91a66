//===- Contraction.td - sums of products: MatMul, Gemm, Einsum ---*- tablegen -*-===//
//
// Their Specs are Contract: the body is `accumulator + ext(a) * ext(b)`; scales,
// biases and rounding are in `finish`.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_CONTRACTION_TD
#define DSC_CONTRACTION_TD

include "dsc/Dialect/IR/DscBase.td"

def Dsc_MatMulOp : Dsc_Op<"matmul", "MatMul", [], ["getSpec", "mayReadShort"]> {
  let arguments = (ins Dsc_Tensor:$a, Dsc_Tensor:$b);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_GemmOp : Dsc_Op<"gemm", "Gemm", [], ["getSpec", "mayReadShort"]> {
  let summary = "alpha * op(a) * op(b) + beta * c";
  let arguments = (ins Dsc_Tensor:$a, Dsc_Tensor:$b, Dsc_OptionalTensor:$c,
                       DefaultValuedOptionalAttr<F32Attr, "1.0f">:$alpha,
                       DefaultValuedOptionalAttr<F32Attr, "1.0f">:$beta,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$transA,
                       DefaultValuedOptionalAttr<I64Attr, "0">:$transB);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_MatMulIntegerOp : Dsc_Op<"matmul_integer", "MatMulInteger"> {
  let arguments = (ins Dsc_Tensor:$a, Dsc_Tensor:$b, Dsc_OptionalTensor:$a_zero_point,
                       Dsc_OptionalTensor:$b_zero_point);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_QLinearMatMulOp
    : Dsc_Op<"qlinear_matmul", "QLinearMatMul", [], ["getSpec", "decompose"]> {
  let summary = "a product of quantized tensors, accumulated in int32 and requantized";
  let arguments = (ins Dsc_Tensor:$a, Dsc_Tensor:$a_scale, Dsc_Tensor:$a_zero_point,
                       Dsc_Tensor:$b, Dsc_Tensor:$b_scale, Dsc_Tensor:$b_zero_point,
                       Dsc_Tensor:$y_scale, Dsc_Tensor:$y_zero_point);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_MatMulPairsOp : Dsc_Op<"matmul_pairs", ""> {
  let summary = "a product in int32 of matrices whose depth is in pairs of int16 (dsc.pair)";
  let arguments = (ins RankedTensorOf<[I32]>:$a, RankedTensorOf<[I32]>:$b);
  let results = (outs Dsc_Tensor:$y);
}

def Dsc_EinsumOp : Dsc_Op<"einsum", "Einsum"> {
  let arguments = (ins Variadic<Dsc_Tensor>:$inputs, StrAttr:$equation);
  let results = (outs Dsc_Tensor:$output);
}

#endif
