//===- Convolution.td - convolutions -----------------------*- tablegen -*-===//
#ifndef DSC_CONVOLUTION_TD
#define DSC_CONVOLUTION_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
