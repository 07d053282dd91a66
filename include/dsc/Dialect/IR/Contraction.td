//===- Contraction.td - sums of products: MatMul, Gemm, Einsum ---*- tablegen -*-===//
#ifndef DSC_CONTRACTION_TD
#define DSC_CONTRACTION_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
