//===- Templates.cpp - the list of CPU templates --------------------------===//
#include "Templates.h"

namespace dsc {

llvm::ArrayRef<const Template *> templatesFor(const Target &) {
  static const Template *const templates[] = {
      &loopsTemplate(),     &accumulateTemplate(), &sequentialTemplate(), &recurrentTemplate(),
      &attentionTemplate(), &gemmFmaTemplate(),    &convPanelsTemplate(), &depthwiseConvTemplate()};
  return templates;
}

} // namespace dsc
