//===- ElementByElement.h - groups whose shape does not matter ------------===//
#pragma once

#include "dsc/Codegen/Common/KernelEmitter.h"

namespace dsc {

/// Whether each element of the results of these sizes depends only on elements at
/// the same position: then one loop over row-major positions computes the group.
bool isElementByElement(const GroupInfo &group, llvm::ArrayRef<Dim> dims);

} // namespace dsc
