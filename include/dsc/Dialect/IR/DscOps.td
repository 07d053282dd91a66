//===- DscOps.td - all ops of the dsc dialect ------------------*- tablegen -*-===//
#ifndef DSC_OPS_TD
#define DSC_OPS_TD

include "dsc/Dialect/IR/Structure.td"
include "dsc/Dialect/IR/Elementwise.td"

#endif
