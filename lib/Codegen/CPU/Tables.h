//===- Tables.h - what one loop's index decides, computed once ------------===//
#pragma once

#include "dsc/Codegen/Common/KernelEmitter.h"

namespace dsc {

/// Computes the values of the body that depend on the index of loop `loop` alone for the
/// whole loop, into scratch memory, if that is worth it: if there is a division or a
/// function among what they are computed from. Code of the body that is emitted from here
/// on reads them there.
void tabulateAlong(KernelEmitter &kernel, const LoopSpec &loops, unsigned loop);

} // namespace dsc
