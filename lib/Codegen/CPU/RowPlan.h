//===- RowPlan.h - groups whose reductions all go along the same axes -----===//
//
// What the template of rows knows about a group before it emits anything: the axes
// that the loops of all ops share, which of them are reduced, in how many passes over
// a row everything is computed, and which values a pass keeps for later ones.
//
// Pass p computes the reductions that need the results of p others before them:
//   softmax:  pass 0 the largest element, pass 1 exp and its sum, pass 2 the quotient
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/Template.h"

namespace dsc {

class RowPlan {
public:
  /// Some axes that are gone through by one loop; more than one if everything lies the
  /// same way along them.
  struct Axis {
    Dim extent;
    bool isReduced = false;
  };
  /// An op of the group.
  struct OpPlan {
    const LoopSpec *loops = nullptr;
    /// For each loop the axis that it goes along; empty: it has one step.
    llvm::SmallVector<std::optional<unsigned>> axes;
    bool isReduction = false;
    /// It has an element for each of a row, not one for the whole row.
    bool isFull = false;
    /// The first pass that can compute it (a reduction: in which it is complete).
    unsigned level = 0;
    /// Passes that need its elements (full ops only), a bit for each.
    uint64_t uses = 0;
    /// Its elements are kept by the first pass that needs them.
    bool isKept = false;

    unsigned firstUse() const { return llvm::countr_zero(uses); }
  };

  static constexpr unsigned kMostPasses = 16;

  /// Fails with a reason for groups that are not rows.
  static Match make(const GroupInfo &group, const Target &target, RowPlan &plan);

  const OpPlan &get(mlir::Operation *op) const { return ops.find(op)->second; }
  /// Outermost first, in the order in which the elements lie in memory.
  llvm::ArrayRef<Axis> getAxes() const { return axes; }
  /// Neighbours in memory belong to different rows: many rows are computed at a time.
  bool areColumns() const { return !axes.back().isReduced; }
  /// Number of trailing axes that one loop can go through.
  unsigned getNumFlat() const { return numFlat; }
  unsigned getNumPasses() const { return numPasses; }
  /// Elements of a row.
  Dim getRowLength() const;

private:
  Match joinLoops(const GroupInfo &group);
  Match orderAxes(const GroupInfo &group);
  Match checkReductions(const GroupInfo &group);
  Match checkResults(const GroupInfo &group) const;
  void findLevels(const GroupInfo &group);
  void findUses(const GroupInfo &group, const Target &target);
  bool isWorthKeeping(const GroupInfo &group, mlir::Operation *op, bool fitsCache) const;
  bool isFlatFrom(const GroupInfo &group, unsigned axis) const;

  llvm::DenseMap<mlir::Operation *, OpPlan> ops;
  llvm::SmallVector<Axis> axes;
  unsigned numFlat = 1, numPasses = 1;
};

/// The loop of an op's axis `axis` of the result.
unsigned loopOfResultAxis(const LoopSpec &loops, unsigned axis);

} // namespace dsc
