//===- Image.h - linked code that the runtime maps ------------------------===//
#pragma once

#include "dsc/Codegen/Artifact/Link.h"
#include "dsc/Dialect/Target/KnownTargets.h"
#include "dsc/Format/Container.h"

#include "mlir/IR/Location.h"

namespace dsc {

/// Links object files to an image without imports and relocations. `kernels` are
/// the symbols of the entries. Fails with a diagnostic.
llvm::FailureOr<format::Variant> linkImage(llvm::ArrayRef<ObjectFile> objects,
                                           const std::vector<std::string> &kernels,
                                           const Target &target, mlir::Location loc);

} // namespace dsc
