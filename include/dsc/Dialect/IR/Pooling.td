//===- Pooling.td - pooling over windows, and Resize -------*- tablegen -*-===//
#ifndef DSC_POOLING_TD
#define DSC_POOLING_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
