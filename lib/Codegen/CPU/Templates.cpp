//===- Templates.cpp - the list of CPU templates --------------------------===//
#include "Templates.h"

namespace dsc {

llvm::ArrayRef<const Template *> cpuTemplates() {
  // Of equal costs the first wins: what is made for a purpose stands before what takes
  // anything.
  static const Template *const templates[] = {
      &gemmFmaTemplate(),  &gemmSparseTemplate(),    &convPanelsTemplate(),
      &convRowsTemplate(), &depthwiseConvTemplate(), &attentionTemplate(),
      &poolTemplate(),     &accumulateTemplate(),    &recurrentTemplate(),
      &sortTemplate(),     &rowsTemplate(),          &transposeTemplate(),
      &mapsTemplate(),     &scatterRowsTemplate(),   &sequentialTemplate(),
      &loopsTemplate()};
  return templates;
}

} // namespace dsc
