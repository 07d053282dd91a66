//===- Link.h - object files put together ---------------------------------===//
#pragma once

#include "mlir/IR/Location.h"

#include <vector>

namespace dsc {

using ObjectFile = std::vector<uint8_t>;

enum class LinkKind {
  Relocatable, ///< one object file of all
  Shared,      ///< a shared object without imports
};

/// Links object files with lld, in process. Fails with a diagnostic.
llvm::FailureOr<ObjectFile> linkObjects(llvm::ArrayRef<ObjectFile> objects, LinkKind kind,
                                        mlir::Location loc);

/// A static library of one object file, which is called `member` in it.
llvm::FailureOr<ObjectFile> makeArchive(const ObjectFile &object, llvm::StringRef member,
                                        mlir::Location loc);

} // namespace dsc
