//===- Normalization.td - Softmax and the normalisations ---*- tablegen -*-===//
#ifndef DSC_NORMALIZATION_TD
#define DSC_NORMALIZATION_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
