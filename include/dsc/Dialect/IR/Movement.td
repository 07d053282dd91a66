//===- Movement.td - operators that move elements: Reshape, Slice, Concat ---*- tablegen -*-===//
#ifndef DSC_MOVEMENT_TD
#define DSC_MOVEMENT_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
