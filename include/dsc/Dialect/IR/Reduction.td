//===- Reduction.td - reductions and scans along axes ------*- tablegen -*-===//
#ifndef DSC_REDUCTION_TD
#define DSC_REDUCTION_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
