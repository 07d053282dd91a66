//===- Triples.h - systems that code is generated for ---------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"

#include "llvm/Support/Error.h"

namespace dsc {

/// The long form of a triple such as "aarch64-linux-gnu". Fails with the reason if no
/// known target is of its architecture, or if code does not run on its system: the
/// runtime and the images' calling conventions are those of 64-bit Linux.
llvm::Expected<std::string> resolveTriple(llvm::StringRef triple);

/// Whether code for the target can be generated for a triple.
bool fits(const Target &target, llvm::StringRef triple);

/// The least demanding kind of a resolved triple's architecture.
const Target &leastTarget(llvm::StringRef triple);

} // namespace dsc
