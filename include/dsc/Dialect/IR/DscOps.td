//===- DscOps.td - all ops of the dsc dialect ------------------*- tablegen -*-===//
#ifndef DSC_OPS_TD
#define DSC_OPS_TD

include "dsc/Dialect/IR/Structure.td"
include "dsc/Dialect/IR/Elementwise.td"
include "dsc/Dialect/IR/Quantize.td"
include "dsc/Dialect/IR/Movement.td"
include "dsc/Dialect/IR/Indexing.td"
include "dsc/Dialect/IR/Reduction.td"
include "dsc/Dialect/IR/Contraction.td"
include "dsc/Dialect/IR/Convolution.td"
include "dsc/Dialect/IR/Pooling.td"
include "dsc/Dialect/IR/Normalization.td"
include "dsc/Dialect/IR/Attention.td"
include "dsc/Dialect/IR/Recurrent.td"
include "dsc/Dialect/IR/ControlFlow.td"
include "dsc/Dialect/IR/Repack.td"

#endif
