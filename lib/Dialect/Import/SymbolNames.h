//===- SymbolNames.h - names of symbolic sizes ------------------------------===//
//
// Gives out symbols that no other size of the model has, with readable names.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Dim.h"

#include <set>
#include <string>
#include <vector>

namespace dsc::import {

class SymbolNames {
public:
  explicit SymbolNames(mlir::MLIRContext *context) : context(context) {}

  /// A new symbol whose name is like `hint`, an ONNX name.
  Dim fresh(llvm::StringRef hint, bool mayBeNegative = false);

  /// The number of symbols given out so far.
  size_t mark() const { return created.size(); }
  /// Whether a size depends on symbols that were given out since `mark`.
  bool isNewerThan(Dim dim, size_t mark) const;
  /// Forgets the symbols since `mark`.
  void rollBack(size_t mark);

private:
  mlir::MLIRContext *context;
  std::set<std::string> used;
  std::vector<Dim> created;
};

} // namespace dsc::import
