//===- Evaluate.h - size expressions and memory planning ------------------===//
//
// The part of the format that computes: shared by the compiler, which plans
// what it knows, and the runtime, which plans what depends on shapes.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Format/Container.h"

namespace dsc::format {

/// Stands for "no value": of a symbol that is not bound, and of an expression that
/// cannot be evaluated (see Expr).
inline constexpr int64_t kUnknown = INT64_MIN;

/// Evaluates the listed expressions, operands before users, into `values` (one slot
/// for each expression of the program) from `symbols` and the slots of those that
/// are not listed. `values` must hold all slots.
void evaluate(const Program &program, std::span<const ExprId> exprs,
              std::span<const int64_t> symbols, std::span<int64_t> values);
/// Evaluates all expressions.
void evaluate(const Program &program, std::span<const int64_t> symbols, std::span<int64_t> values);

/// Why `expr`, whose slot holds kUnknown, has no value, in terms of the symbols.
struct Unknown {
  std::string text; // "division by zero in the size H floordiv S"
  bool unbound;     // a symbol is not bound, as opposed to a value that is not allowed
};
Unknown whyUnknown(const Program &program, ExprId expr, std::span<const int64_t> values);

/// The number of operands, counted a, b, c, that an operator uses.
unsigned operandCount(Expr::Op op);

/// The expression as text: "(H - 1) floordiv 2 + 1".
std::string toString(const Program &program, ExprId expr);
/// What the symbols of the expression are bound to: "N = 3, M = 4"; empty for none.
std::string symbolValues(const Program &program, ExprId expr, std::span<const int64_t> values);

/// Which kind of step places a value (see "Scopes and storage" in Program.h).
/// Nothing: inputs, weights, aliases, and the `next` that a loop places itself.
enum class PlacedBy : uint8_t { Nothing, Frame, Step };
std::vector<PlacedBy> findPlacements(const Program &program);

/// A buffer to place: alive from step `first` to step `last`, both included.
struct PlanItem {
  uint64_t bytes = 0;
  uint32_t first = 0, last = 0;
  uint64_t offset = 0; // result
};

/// Places the items so that no two that are alive at one time overlap; offsets
/// are multiples of `alignment`. Returns the bytes needed; UINT64_MAX if they are
/// more than any machine has. Deterministic.
uint64_t planMemory(std::span<PlanItem> items, uint64_t alignment = 64);

/// The largest sum of live bytes over the steps: no plan can need less.
uint64_t planLowerBound(std::span<const PlanItem> items, uint64_t alignment = 64);

/// Bytes of all frames that are on the stack at one time: as planned, and the
/// largest sum of what is alive at one step, which no plan can go below.
struct ArenaUse {
  uint64_t planned = 0, lowerBound = 0;
};
/// What a run of the program needs where its expressions have these `values` (see
/// evaluate()). The program is well-formed.
ArenaUse measureArena(const Program &program, std::span<const int64_t> values);

} // namespace dsc::format
