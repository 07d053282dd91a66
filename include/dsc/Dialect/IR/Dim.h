//===- Dim.h - symbolic sizes ---------------------------------------------===//
//
// A size known at compile time or an integer expression of named symbols
// ("batch", "seq"). Values are immutable, uniqued in the MLIRContext and kept in
// a normal form (a sum of products with sorted terms), so that two sizes that
// are equal as polynomials compare equal as pointers.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/Attributes.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/SmallVector.h"

#include <optional>
#include <string>

namespace dsc {

class DimAttr;

/// Node kinds of a size expression; the same set as format::Expr. Comparisons
/// and logical kinds give 0 or 1.
enum class DimKind : uint32_t {
  Const,
  Symbol,
  Add, // n-ary, sorted
  Mul, // n-ary, sorted, a constant factor first
  FloorDiv,
  CeilDiv,
  Mod,
  Min,
  Max,
  Eq,
  Lt,
  Le,
  And,
  Or,
  Not,
  Select,
};

/// A handle to a size expression.
class Dim {
public:
  Dim() = default;
  /*implicit*/ Dim(DimAttr attr);

  /// The smallest integer becomes the next larger one, as in format::Expr.
  static Dim constant(mlir::MLIRContext *context, int64_t value);
  /// A named symbol. Sizes are never negative: a symbol that may be negative (an
  /// element of a shape tensor, say) is made with `mayBeNegative`; its name is
  /// then printed with a trailing '~'.
  static Dim symbol(mlir::MLIRContext *context, llvm::StringRef name, bool mayBeNegative = false);

  explicit operator bool() const { return static_cast<bool>(attr); }
  bool operator==(const Dim &other) const { return attr == other.attr; }
  bool operator!=(const Dim &other) const { return attr != other.attr; }

  DimAttr getAttr() const;
  mlir::MLIRContext *getContext() const { return attr.getContext(); }
  DimKind getKind() const;
  bool isConstant() const { return getKind() == DimKind::Const; }
  bool isConstant(int64_t value) const { return isConstant() && getConstant() == value; }
  int64_t getConstant() const;
  std::optional<int64_t> tryConstant() const;
  llvm::StringRef getSymbol() const;
  llvm::SmallVector<Dim, 3> getOperands() const;

  /// True where the value is known not to be negative (positive) for any value
  /// of the symbols. False means "not known".
  bool isKnownNonNegative() const;
  bool isKnownPositive() const;
  /// True if constants in it do not fit 64 bits. There is one such size, which is
  /// what any computation with it gives; it has no value.
  bool isOverflow() const;

  /// Adds the names of all symbols of this expression, each once, in order.
  void collectSymbols(llvm::SmallVectorImpl<llvm::StringRef> &names) const;
  /// Replaces symbols by what `map` returns (an empty Dim keeps the symbol).
  Dim substitute(llvm::function_ref<Dim(llvm::StringRef)> map) const;

  void print(llvm::raw_ostream &os) const;
  std::string str() const;

  friend Dim operator+(Dim a, Dim b);
  friend Dim operator-(Dim a, Dim b);
  friend Dim operator*(Dim a, Dim b);
  friend Dim operator+(Dim a, int64_t b) { return a + constant(a.getContext(), b); }
  friend Dim operator-(Dim a, int64_t b) { return a - constant(a.getContext(), b); }
  friend Dim operator*(Dim a, int64_t b) { return a * constant(a.getContext(), b); }
  Dim floorDiv(Dim b) const;
  Dim floorDiv(int64_t b) const { return floorDiv(constant(getContext(), b)); }
  Dim ceilDiv(Dim b) const;
  Dim ceilDiv(int64_t b) const { return ceilDiv(constant(getContext(), b)); }
  Dim mod(Dim b) const;
  static Dim min(Dim a, Dim b);
  static Dim max(Dim a, Dim b);
  static Dim eq(Dim a, Dim b);
  static Dim lt(Dim a, Dim b);
  static Dim le(Dim a, Dim b);
  static Dim logicalAnd(Dim a, Dim b);
  static Dim logicalOr(Dim a, Dim b);
  static Dim logicalNot(Dim a);
  static Dim select(Dim condition, Dim ifTrue, Dim ifFalse);

  /// Builds a node of any kind from operands through the functions above.
  static Dim build(mlir::MLIRContext *context, DimKind kind, llvm::ArrayRef<Dim> operands);

private:
  mlir::Attribute attr;
};

/// Product of sizes; 1 for none.
Dim product(mlir::MLIRContext *context, llvm::ArrayRef<Dim> dims);
/// Whether all sizes are 1.
bool areAllOne(llvm::ArrayRef<Dim> dims);

/// The size of two broadcast dimensions (ONNX: equal, or one of them is 1). An
/// empty Dim where constants disagree. Of an unproved pair, the one that is a
/// constant greater than 1 wins, or one that is never 1, such as 2 * n. Of others it is
/// select(eq(a, 1), b, a), which has each size once however often they meet: the
/// broadcast of a result with one of its operands is that result.
Dim broadcast(Dim a, Dim b);

/// Whether `dim` is known to be a broadcast of `part` and possibly more.
bool isBroadcastOf(Dim dim, Dim part);

/// Parses the infix form that print() writes: `(H - 1) floordiv 2 + 1`.
mlir::FailureOr<Dim> parseDim(mlir::AsmParser &parser);

inline llvm::raw_ostream &operator<<(llvm::raw_ostream &os, Dim dim) {
  dim.print(os);
  return os;
}

} // namespace dsc
