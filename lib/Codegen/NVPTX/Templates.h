//===- Templates.h - the GPU templates ------------------------------------===//
//
// Part p of n is thread p of all n threads of the grid; threads of a warp have
// consecutive numbers (EntryPoints.h).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

llvm::ArrayRef<const Template *> nvptxTemplates();

/// Any group of loop Specs: a thread for each element of the results.
const Template &threadsTemplate();
/// Reductions of rows and what follows along the row: a warp for each row.
const Template &warpRowsTemplate();

/// Products of matrices, convolutions among them, on tensor cores: a tile for each
/// block of threads.
const Template &gemmMmaTemplate();

/// Lanes of a warp.
constexpr int64_t kWarpSize = 32;
/// Most threads that a grid of this target has: more elements are strided over.
constexpr int64_t kMostThreads = 108 * 2048;

/// Yes if all scalar code of the group's loops can run on a GPU.
Match matchLoops(const GroupInfo &group);

} // namespace dsc
