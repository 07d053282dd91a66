//===- Sizes.h - symbols and the expressions over them --------------------===//
#pragma once

#include "Error.h"
#include "dsc/Format/Evaluate.h"

#include <span>
#include <vector>

namespace dsc::runtime {

/// For each symbol of a program, the expressions that need it, in order.
class Dependents {
public:
  explicit Dependents(const format::Program &program);
  std::span<const format::ExprId> of(uint32_t symbol) const {
    return std::span(exprs).subspan(begin[symbol], begin[symbol + 1] - begin[symbol]);
  }

private:
  std::vector<size_t> begin;
  std::vector<format::ExprId> exprs;
};

/// The values of symbols in nested scopes, and of all expressions. Allocates only
/// when it is made.
class Sizes {
public:
  Sizes(const format::Program &program, const Dependents &dependents);

  /// Unbinds everything, then binds the symbols for which `values` has a value. Cheap
  /// when these are those of the last call.
  void reset(std::span<const int64_t> values);
  /// A scope begins: gives what leave() needs.
  size_t enter() const { return trail.size(); }
  void leave(size_t scope);
  void bind(uint32_t symbol, int64_t value);

  /// The expression's value; fails if it has none.
  Error get(format::ExprId expr, int64_t &value) const;
  int64_t valueOr(format::ExprId expr, int64_t otherwise) const {
    return values[expr] != format::kUnknown ? values[expr] : otherwise;
  }
  /// The same as get for a size or a number of things: fails if it is negative.
  Error getSize(format::ExprId expr, int64_t &value) const;
  /// For errors: " where N = 3, M = 4", what the expression's symbols are bound to.
  std::string where(format::ExprId expr) const;
  /// Bytes of storage of a value.
  Error getBytes(const format::Value &value, uint64_t &bytes) const;
  Error getDims(const format::Value &value, std::span<int64_t> dims) const;
  /// Matches a value's dims to actual ones (see "Scopes and storage" in Program.h);
  /// `matches` becomes false if they differ. Dims that are not known are left out.
  Error match(const format::Value &value, std::span<const int64_t> actual, bool &matches);

private:
  void set(uint32_t symbol, int64_t value);

  struct Undo {
    uint32_t symbol;
    int64_t value;
  };

  const format::Program &program;
  const Dependents &dependents;
  std::vector<int64_t> symbols, base, values;
  std::vector<Undo> trail;
};

/// "f32[1, 3]"; dims that are not constant as expressions.
std::string describe(const format::Program &program, const format::Value &value);
std::string describe(format::DType dtype, std::span<const int64_t> dims);

} // namespace dsc::runtime
