//===- Template.h - a way to compute a group ------------------------------===//
//
// A template turns groups whose Specs it understands into kernels. For each group
// the schedule choice asks all templates of the target for candidates, takes the
// cheapest, and keeps the verdicts for `inspect` and `explain`.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Codegen/Common/KernelEmitter.h"

#include <string>

namespace dsc {

/// What a candidate is expected to take on one core.
struct Cost {
  double ns = 0;
  double flops = 0; ///< useful floating-point operations
  double bytes = 0; ///< memory touched
};

/// Answer of Template::match: an empty reason is a yes.
struct Match {
  std::string reason;
  static Match yes() { return {}; }
  static Match no(std::string reason) { return {std::move(reason)}; }
  explicit operator bool() const { return reason.empty(); }
};

class Template {
public:
  virtual ~Template() = default;
  virtual llvm::StringRef getName() const = 0;
  /// Whether it takes anything, and is not made to be fast: reports say how much time is
  /// spent in such templates.
  virtual bool isGeneric() const { return false; }
  /// Whether its kernels spend their time in vector code that is unrolled already: LLVM
  /// then does not look for more, which saves a fifth of the time of compilation.
  virtual bool laysOutRegisters() const { return false; }
  /// Whether it computes the group on the target; a no has a reason for people.
  virtual Match match(const GroupInfo &group, const Target &target) const = 0;
  /// Ways to do it, at least one for a group that matches.
  virtual llvm::SmallVector<ScheduleAttr> candidates(const GroupInfo &group,
                                                     const Target &target) const = 0;
  virtual Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const = 0;
  /// What of its weights the kernel reads, for reports: "csr, 10 % of 589824".
  virtual std::string describeSparsity(const GroupInfo &, ScheduleAttr, const Target &) const {
    return "dense";
  }
  /// Rewrites operands into the layouts that the schedule wants (`dsc.repack` of
  /// weights in front of the group). The default leaves them as they are.
  virtual void prepare(GroupOp, ScheduleAttr, const Target &) const {}
  /// Emits the kernel and sets KernelEmitter::partCount and scratchBytes.
  virtual llvm::LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const = 0;
};

/// The templates of a target, each a file of its own.
llvm::ArrayRef<const Template *> templatesFor(const Target &target);
/// Null for an unknown name.
const Template *findTemplate(const Target &target, llvm::StringRef name);

/// Whether a template of the target computes the op as a group of its own.
bool hasTemplate(ComputeOp op, const Target &target);

/// Product of the constant sizes, each symbol counted as `assumed`.
double estimateSize(llvm::ArrayRef<Dim> dims, double assumed = 128);
/// Scalar operations of the body of a Spec.
double operationsPerPoint(const LoopSpec &loops);
/// Scalar operations of the group for all its points, and bytes read and written.
Cost estimateWork(const GroupInfo &group);
/// Into how many parts a kernel is cut that computes a result of these sizes in
/// `iterations` independent steps: so that a part is worth waking a thread for.
Dim countParts(const GroupInfo &group, llvm::ArrayRef<Dim> dims, Dim iterations);
/// The same for a kernel of `tasks` independent tasks of `workOfTask` multiply-adds each,
/// of which a part should have at least `leastWork`.
Dim countParts(Dim tasks, double workOfTask, double leastWork);

} // namespace dsc
