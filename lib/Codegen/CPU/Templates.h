//===- Templates.h - the CPU templates ------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

llvm::ArrayRef<const Template *> cpuTemplates();

/// Reductions that all go along the same axes, and maps around them.
const Template &rowsTemplate();
/// Transposes of planes, by squares of vectors.
const Template &transposeTemplate();
/// Maps of elements that lie in memory as those of the results do.
const Template &mapsTemplate();
/// Any group of loop Specs, as plain loops around scalar code that LLVM vectorises.
const Template &loopsTemplate();
/// One reduction of any kind whose result's rows are contiguous, and maps around it.
const Template &accumulateTemplate();
/// Pooling: reductions over windows that slide along the result's rows.
const Template &poolTemplate();
/// The first elements along an axis.
const Template &sortTemplate();
/// Scatters of whole rows.
const Template &scatterRowsTemplate();
/// Sequential Specs: scans and scatters.
const Template &sequentialTemplate();
/// RNN, GRU and LSTM layers.
const Template &recurrentTemplate();
/// Attention of queries to keys in one kernel.
const Template &attentionTemplate();
/// Matrix products in float32.
const Template &gemmFmaTemplate();
/// Matrix products in float32 with a constant that is full of zeros.
const Template &gemmSparseTemplate();
/// Convolutions in float32, but for depthwise ones.
const Template &convPanelsTemplate();
/// Convolutions in float32 with a few output pixels and constant weights.
const Template &convRowsTemplate();
/// Depthwise convolutions in float32.
const Template &depthwiseConvTemplate();

} // namespace dsc
