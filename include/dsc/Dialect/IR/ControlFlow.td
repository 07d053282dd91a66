//===- ControlFlow.td - If and Loop ------------------------*- tablegen -*-===//
#ifndef DSC_CONTROLFLOW_TD
#define DSC_CONTROLFLOW_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
