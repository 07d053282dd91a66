//===- Attention.td - attention and rotary embedding -------*- tablegen -*-===//
#ifndef DSC_ATTENTION_TD
#define DSC_ATTENTION_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
