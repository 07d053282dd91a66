//===- Indexing.td - operators with computed indices: Gather, Scatter, TopK ---*- tablegen -*-===//
#ifndef DSC_INDEXING_TD
#define DSC_INDEXING_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
