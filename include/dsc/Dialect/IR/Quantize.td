//===- Quantize.td - quantized tensors: QuantizeLinear and its relatives ---*- tablegen -*-===//
#ifndef DSC_QUANTIZE_TD
#define DSC_QUANTIZE_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
