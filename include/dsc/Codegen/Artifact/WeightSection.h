//===- WeightSection.h - the bytes of the constants of a program ----------===//
#pragma once

#include "dsc/Codegen/Program/ProgramBuilder.h"
#include "dsc/Format/Container.h"

namespace dsc {

/// Passes the weights section to `sink`, in pieces of at most a few megabytes.
format::Status writeWeightSection(llvm::ArrayRef<PlacedWeight> weights, uint64_t totalBytes,
                                  const WeightStore &store, const format::Sink &sink);

} // namespace dsc
