//===- WeightSection.h - the bytes of the constants of programs -----------===//
#pragma once

#include "dsc/Codegen/Program/ProgramBuilder.h"
#include "dsc/Format/Container.h"

#include "llvm/ADT/DenseMap.h"

namespace dsc {

/// The weights of all programs of an artifact. What programs have in common, or one
/// has twice, is stored once.
class WeightSection {
public:
  /// `store` must outlive the section.
  explicit WeightSection(const WeightStore &store) : store(store) {}

  /// Gives the program's weights places in this section, and its values their
  /// offsets. The ops that the weights refer to must outlive the section.
  void add(BuiltProgram &built);

  uint64_t getBytes() const { return bytes; }
  /// Passes the section to `sink`, in consecutive pieces.
  format::Status write(const format::Sink &sink) const;

private:
  mlir::Attribute canonical(WeightAttr reference);
  uint64_t place(const PlacedWeight &weight);

  const WeightStore &store;
  std::vector<PlacedWeight> weights; // in the order of their offsets
  uint64_t bytes = 0;
  llvm::DenseMap<mlir::Attribute, uint64_t> offsets; // by recipe
  // References to equal bytes have the first of them in common.
  llvm::DenseMap<mlir::Attribute, mlir::Attribute> canonicals;
  llvm::DenseMap<uint64_t, llvm::SmallVector<WeightAttr, 1>> byHash;
};

} // namespace dsc
