//===- Image.h - linked code that the runtime maps ------------------------===//
#pragma once

#include "dsc/Dialect/Target/KnownTargets.h"
#include "dsc/Format/Container.h"

#include "mlir/IR/Location.h"

namespace dsc {

/// Links an object file to an image without imports and relocations. `kernels` are
/// the symbols of the entries. Fails with a diagnostic.
llvm::FailureOr<format::CodeVariant> linkImage(llvm::ArrayRef<uint8_t> object,
                                               const std::vector<std::string> &kernels,
                                               const Target &target, mlir::Location loc);

} // namespace dsc
