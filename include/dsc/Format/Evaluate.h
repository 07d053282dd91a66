//===- Evaluate.h - size expressions and memory planning ------------------===//
//
// The part of the format that computes: shared by the compiler, which plans
// what it knows, and the runtime, which plans what depends on shapes.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Format/Container.h"

namespace dsc::format {

/// The value of a symbol that nothing has bound yet; evaluating it is an error.
inline constexpr int64_t kUnbound = INT64_MIN;

/// Evaluates exprs [begin, end) into `values` (one slot per expression of the
/// program) from `symbols`. Fails on overflow and on division by zero, naming
/// the expression in terms of the symbols.
Status evaluate(const Program &program, ExprId begin, ExprId end, std::span<const int64_t> symbols,
                std::span<int64_t> values);

/// The expression as text: "(H - 1) floordiv 2 + 1".
std::string toString(const Program &program, ExprId expr);

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

} // namespace dsc::format
