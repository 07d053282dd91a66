//===- Dim.cpp - symbolic sizes: normal form ------------------------------===//
//
// A sum of products is kept as a map from monomials (sorted factors that are
// neither sums nor constants) to coefficients. The order is that of the printed
// text, so that it does not depend on addresses. A coefficient that does not fit 64
// bits makes the whole size an overflow, which no arithmetic makes a size again.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/Dim.h"
#include "dsc/Dialect/IR/DscDialect.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

#include <cstdint>
#include <map>
#include <numeric>

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Access
//===----------------------------------------------------------------------===//

Dim::Dim(DimAttr dimAttr) : attr(dimAttr) {}

DimAttr Dim::getAttr() const { return llvm::cast<DimAttr>(attr); }
DimKind Dim::getKind() const { return getAttr().getKind(); }
int64_t Dim::getConstant() const { return getAttr().getValue(); }
StringRef Dim::getSymbol() const { return getAttr().getName(); }

std::optional<int64_t> Dim::tryConstant() const {
  if (!attr || !isConstant())
    return std::nullopt;
  return getConstant();
}

SmallVector<Dim, 3> Dim::getOperands() const {
  return llvm::map_to_vector<3>(
      getAttr().getOperands(), [](Attribute operand) { return Dim(llvm::cast<DimAttr>(operand)); });
}

static Dim makeNode(MLIRContext *context, DimKind kind, ArrayRef<Dim> operands) {
  SmallVector<Attribute> attrs =
      llvm::map_to_vector(operands, [](Dim dim) -> Attribute { return dim.getAttr(); });
  return DimAttr::get(context, kind, 0, "", attrs);
}

Dim Dim::constant(MLIRContext *context, int64_t value) {
  return DimAttr::get(context, DimKind::Const, std::max(value, -INT64_MAX), "", {});
}

Dim Dim::symbol(MLIRContext *context, StringRef name, bool mayBeNegative) {
  std::string text = name.str();
  if (mayBeNegative && !name.ends_with("~"))
    text += '~';
  return DimAttr::get(context, DimKind::Symbol, 0, text, {});
}

/// A product that nobody folds.
static Dim overflow(MLIRContext *context) {
  return makeNode(context, DimKind::Mul,
                  {Dim::constant(context, INT64_MAX), Dim::constant(context, 2)});
}

bool Dim::isOverflow() const {
  return getKind() == DimKind::Mul &&
         llvm::all_of(getOperands(), [](Dim operand) { return operand.isConstant(); });
}

bool Dim::isKnownNonNegative() const {
  auto allNonNegative = [&] {
    return llvm::all_of(getOperands(), [](Dim d) { return d.isKnownNonNegative(); });
  };
  switch (getKind()) {
  case DimKind::Const:
    return getConstant() >= 0;
  case DimKind::Symbol:
    return !getSymbol().ends_with("~");
  case DimKind::Mul:
    return allNonNegative() && !isOverflow();
  case DimKind::Add:
  case DimKind::FloorDiv:
  case DimKind::CeilDiv:
  case DimKind::Min:
    return allNonNegative();
  case DimKind::Mod:
    return getOperands()[1].isKnownNonNegative();
  case DimKind::Max:
    return llvm::any_of(getOperands(), [](Dim d) { return d.isKnownNonNegative(); });
  case DimKind::Select:
    return getOperands()[1].isKnownNonNegative() && getOperands()[2].isKnownNonNegative();
  default:
    return true;
  }
}

bool Dim::isKnownPositive() const {
  switch (getKind()) {
  case DimKind::Const:
    return getConstant() > 0;
  case DimKind::Add:
    return isKnownNonNegative() &&
           llvm::any_of(getOperands(), [](Dim d) { return d.isKnownPositive(); });
  case DimKind::Mul:
  case DimKind::Min:
    return llvm::all_of(getOperands(), [](Dim d) { return d.isKnownPositive(); }) && !isOverflow();
  case DimKind::Max:
    return llvm::any_of(getOperands(), [](Dim d) { return d.isKnownPositive(); });
  case DimKind::Select:
    return getOperands()[1].isKnownPositive() && getOperands()[2].isKnownPositive();
  default:
    return false;
  }
}

void Dim::collectSymbols(SmallVectorImpl<StringRef> &names) const {
  if (getKind() == DimKind::Symbol) {
    if (!llvm::is_contained(names, getSymbol()))
      names.push_back(getSymbol());
    return;
  }
  for (Dim operand : getOperands())
    operand.collectSymbols(names);
}

Dim Dim::substitute(function_ref<Dim(StringRef)> map) const {
  if (isConstant())
    return *this;
  if (getKind() == DimKind::Symbol) {
    Dim replacement = map(getSymbol());
    return replacement ? replacement : *this;
  }
  SmallVector<Dim> operands =
      llvm::map_to_vector(getOperands(), [&](Dim operand) { return operand.substitute(map); });
  return build(getContext(), getKind(), operands);
}

//===----------------------------------------------------------------------===//
// Sums of products
//===----------------------------------------------------------------------===//

namespace {
/// Orders sizes by their text, which is the same in every process.
struct TextLess {
  bool operator()(const Dim &a, const Dim &b) const { return a != b && a.str() < b.str(); }
};

using Monomial = SmallVector<Dim, 2>;
struct MonomialLess {
  bool operator()(const Monomial &a, const Monomial &b) const {
    return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), TextLess());
  }
};
struct Polynomial {
  std::map<Monomial, int64_t, MonomialLess> terms;
  bool overflows = false; ///< a coefficient does not fit; the terms mean nothing
};
} // namespace

static void addTerm(Polynomial &sum, const Monomial &monomial, int64_t coefficient) {
  auto it = sum.terms.try_emplace(monomial, 0).first;
  sum.overflows |= __builtin_add_overflow(it->second, coefficient, &it->second);
  sum.overflows |= it->second == INT64_MIN; // which has no negative
  if (it->second == 0)
    sum.terms.erase(it);
}

static void addTerms(Polynomial &sum, const Polynomial &other) {
  sum.overflows |= other.overflows;
  for (auto &[monomial, coefficient] : other.terms)
    addTerm(sum, monomial, coefficient);
}

static void addProductTerm(Polynomial &sum, Dim product) {
  int64_t coefficient = 1;
  Monomial factors;
  for (Dim factor : product.getOperands()) {
    if (factor.isConstant())
      sum.overflows |= __builtin_mul_overflow(coefficient, factor.getConstant(), &coefficient);
    else
      factors.push_back(factor);
  }
  addTerm(sum, factors, coefficient);
}

static Polynomial toPolynomial(Dim dim) {
  Polynomial sum;
  switch (dim.getKind()) {
  case DimKind::Const:
    addTerm(sum, {}, dim.getConstant());
    break;
  case DimKind::Add:
    for (Dim term : dim.getOperands())
      addTerms(sum, toPolynomial(term));
    break;
  case DimKind::Mul:
    addProductTerm(sum, dim);
    break;
  default:
    addTerm(sum, {dim}, 1);
  }
  return sum;
}

static Dim fromMonomial(MLIRContext *context, const Monomial &factors, int64_t coefficient) {
  if (factors.empty())
    return Dim::constant(context, coefficient);
  if (coefficient == 1 && factors.size() == 1)
    return factors.front();
  SmallVector<Dim> operands;
  if (coefficient != 1)
    operands.push_back(Dim::constant(context, coefficient));
  llvm::append_range(operands, factors);
  return makeNode(context, DimKind::Mul, operands);
}

static Dim fromPolynomial(MLIRContext *context, const Polynomial &sum) {
  if (sum.overflows)
    return overflow(context);
  SmallVector<Dim> terms;
  for (auto &[monomial, coefficient] : sum.terms)
    if (!monomial.empty())
      terms.push_back(fromMonomial(context, monomial, coefficient));
  // The constant reads best at the end.
  if (auto it = sum.terms.find({}); it != sum.terms.end())
    terms.push_back(Dim::constant(context, it->second));
  if (terms.empty())
    return Dim::constant(context, 0);
  return terms.size() == 1 ? terms.front() : makeNode(context, DimKind::Add, terms);
}

Dim operator+(Dim a, Dim b) {
  Polynomial sum = toPolynomial(a);
  addTerms(sum, toPolynomial(b));
  return fromPolynomial(a.getContext(), sum);
}

Dim operator-(Dim a, Dim b) { return a + b * -1; }

Dim operator*(Dim a, Dim b) {
  Polynomial left = toPolynomial(a), right = toPolynomial(b), result;
  result.overflows = left.overflows || right.overflows;
  for (auto &[leftMonomial, leftCoefficient] : left.terms)
    for (auto &[rightMonomial, rightCoefficient] : right.terms) {
      Monomial factors(leftMonomial);
      factors.append(rightMonomial.begin(), rightMonomial.end());
      llvm::sort(factors, TextLess());
      int64_t coefficient;
      result.overflows |= __builtin_mul_overflow(leftCoefficient, rightCoefficient, &coefficient);
      addTerm(result, factors, coefficient);
    }
  return fromPolynomial(a.getContext(), result);
}

/// Exact quotient of `numerator` by a single product, or an empty Dim. Factors
/// cancel only where the divisor cannot be zero or division by zero would fail
/// at run time anyway.
static Dim divideExactly(Dim numerator, Dim divisor) {
  Polynomial top = toPolynomial(numerator), bottom = toPolynomial(divisor), quotient;
  if (bottom.terms.size() != 1)
    return numerator == divisor ? Dim::constant(divisor.getContext(), 1) : Dim();
  auto &[divisorFactors, divisorCoefficient] = *bottom.terms.begin();
  for (auto &[monomial, coefficient] : top.terms) {
    if (coefficient % divisorCoefficient != 0)
      return Dim();
    Monomial rest(monomial);
    for (Dim factor : divisorFactors) {
      auto *it = llvm::find(rest, factor);
      if (it == rest.end())
        return Dim();
      rest.erase(it);
    }
    addTerm(quotient, rest, coefficient / divisorCoefficient);
  }
  return fromPolynomial(numerator.getContext(), quotient);
}

//===----------------------------------------------------------------------===//
// Other operations
//===----------------------------------------------------------------------===//

Dim Dim::floorDiv(Dim b) const {
  if (isOverflow() || b.isOverflow())
    return overflow(getContext());
  if (b.isConstant(1))
    return *this;
  if (isConstant() && b.isConstant() && b.getConstant() != 0)
    return constant(getContext(), llvm::divideFloorSigned(getConstant(), b.getConstant()));
  if (b.isConstant(0))
    return makeNode(getContext(), DimKind::FloorDiv, {*this, b});
  if (Dim exact = divideExactly(*this, b))
    return exact;
  // (c x + y) floordiv c = x + y floordiv c, so that sizes of strided windows
  // meet in one form.
  if (b.isConstant() && b.getConstant() > 0) {
    Polynomial whole, rest;
    for (auto &[monomial, coefficient] : toPolynomial(*this).terms) {
      int64_t quotient = llvm::divideFloorSigned(coefficient, b.getConstant());
      addTerm(whole, monomial, quotient);
      addTerm(rest, monomial, coefficient - quotient * b.getConstant());
    }
    if (!whole.terms.empty())
      return fromPolynomial(getContext(), whole) + fromPolynomial(getContext(), rest).floorDiv(b);
  }
  return makeNode(getContext(), DimKind::FloorDiv, {*this, b});
}

Dim Dim::ceilDiv(Dim b) const {
  if (isOverflow() || b.isOverflow())
    return overflow(getContext());
  if (b.isConstant(1))
    return *this;
  if (isConstant() && b.isConstant() && b.getConstant() != 0)
    return constant(getContext(), llvm::divideCeilSigned(getConstant(), b.getConstant()));
  if (!b.isConstant(0))
    if (Dim exact = divideExactly(*this, b))
      return exact;
  return makeNode(getContext(), DimKind::CeilDiv, {*this, b});
}

Dim Dim::mod(Dim b) const {
  if (isOverflow() || b.isOverflow())
    return overflow(getContext());
  if (b.isConstant(1))
    return constant(getContext(), 0);
  if (isConstant() && b.isConstant() && b.getConstant() > 0)
    return constant(getContext(), llvm::mod(getConstant(), b.getConstant()));
  if (!b.isConstant(0) && divideExactly(*this, b))
    return constant(getContext(), 0);
  return makeNode(getContext(), DimKind::Mod, {*this, b});
}

/// Whether a < b, for two constants (whose difference may not fit 64 bits).
static std::optional<bool> lessConstant(Dim a, Dim b) {
  if (!a.isConstant() || !b.isConstant())
    return std::nullopt;
  return a.getConstant() < b.getConstant();
}

/// Min and Max: operands that differ by a known sign fold.
static Dim extremum(DimKind kind, Dim a, Dim b) {
  if (a == b)
    return a;
  bool wantLarger = kind == DimKind::Max;
  if (std::optional<bool> isLess = lessConstant(a, b))
    return *isLess == wantLarger ? b : a;
  Dim difference = a - b;
  if (difference.isKnownNonNegative())
    return wantLarger ? a : b;
  if ((b - a).isKnownNonNegative())
    return wantLarger ? b : a;
  if (TextLess()(b, a))
    std::swap(a, b);
  return makeNode(a.getContext(), kind, {a, b});
}

Dim Dim::min(Dim a, Dim b) { return extremum(DimKind::Min, a, b); }
Dim Dim::max(Dim a, Dim b) { return extremum(DimKind::Max, a, b); }

/// Whether no symbols make it 0 since a number divides all of its terms but the constant,
/// as 2 * n - 1.
static bool isNeverZero(Dim dim) {
  Polynomial sum = toPolynomial(dim);
  int64_t constant = 0, divisor = 0;
  for (auto &[monomial, coefficient] : sum.terms)
    if (monomial.empty())
      constant = coefficient;
    else
      divisor = std::gcd(divisor, coefficient);
  return !sum.overflows && divisor > 1 && constant % divisor != 0;
}

Dim Dim::eq(Dim a, Dim b) {
  if (a.isConstant() && b.isConstant())
    return constant(a.getContext(), a == b);
  Dim difference = a - b;
  if (difference.isConstant())
    return constant(a.getContext(), difference.getConstant() == 0);
  if (difference.isKnownPositive() || (b - a).isKnownPositive() || isNeverZero(difference))
    return constant(a.getContext(), 0);
  return makeNode(a.getContext(), DimKind::Eq, {a, b});
}

Dim Dim::lt(Dim a, Dim b) {
  if (std::optional<bool> isLess = lessConstant(a, b))
    return constant(a.getContext(), *isLess);
  if ((b - a).isKnownPositive())
    return constant(a.getContext(), 1);
  if ((a - b).isKnownNonNegative())
    return constant(a.getContext(), 0);
  return makeNode(a.getContext(), DimKind::Lt, {a, b});
}

Dim Dim::le(Dim a, Dim b) {
  if (std::optional<bool> isGreater = lessConstant(b, a))
    return constant(a.getContext(), !*isGreater);
  if ((b - a).isKnownNonNegative())
    return constant(a.getContext(), 1);
  if ((a - b).isKnownPositive())
    return constant(a.getContext(), 0);
  return makeNode(a.getContext(), DimKind::Le, {a, b});
}

Dim Dim::logicalAnd(Dim a, Dim b) {
  if (a.isConstant())
    return a.isConstant(0) ? a : b;
  if (b.isConstant())
    return b.isConstant(0) ? b : a;
  return makeNode(a.getContext(), DimKind::And, {a, b});
}

Dim Dim::logicalOr(Dim a, Dim b) {
  if (a.isConstant())
    return a.isConstant(0) ? b : a;
  if (b.isConstant())
    return b.isConstant(0) ? a : b;
  return makeNode(a.getContext(), DimKind::Or, {a, b});
}

Dim Dim::logicalNot(Dim a) {
  if (a.isConstant())
    return constant(a.getContext(), a.isConstant(0));
  return makeNode(a.getContext(), DimKind::Not, {a});
}

/// `dim` with `to` in the place of `from`.
static Dim replaced(Dim dim, Dim from, Dim to) {
  if (dim == from)
    return to;
  SmallVector<Dim, 3> operands = dim.getOperands();
  bool changed = false;
  for (Dim &operand : operands) {
    Dim before = operand;
    operand = replaced(operand, from, to);
    changed |= operand != before;
  }
  return changed ? Dim::build(dim.getContext(), dim.getKind(), operands) : dim;
}

Dim Dim::select(Dim condition, Dim ifTrue, Dim ifFalse) {
  if (condition.isConstant())
    return condition.isConstant(0) ? ifFalse : ifTrue;
  // select(eq(x, 1), min(512, x), x) is x.
  if (condition.getKind() == DimKind::Eq) {
    SmallVector<Dim, 3> equal = condition.getOperands();
    if (equal[1].isConstant()) {
      ifTrue = replaced(ifTrue, equal[0], equal[1]);
      if (ifTrue == equal[1] && ifFalse == equal[0])
        return ifFalse;
    }
  }
  // The same question asked again inside has the same answer.
  if (ifTrue.getKind() == DimKind::Select && ifTrue.getOperands()[0] == condition)
    ifTrue = ifTrue.getOperands()[1];
  if (ifFalse.getKind() == DimKind::Select && ifFalse.getOperands()[0] == condition)
    ifFalse = ifFalse.getOperands()[2];
  if (ifTrue == ifFalse)
    return ifTrue;
  return makeNode(condition.getContext(), DimKind::Select, {condition, ifTrue, ifFalse});
}

Dim Dim::build(MLIRContext *context, DimKind kind, ArrayRef<Dim> operands) {
  switch (kind) {
  case DimKind::Add:
  case DimKind::Mul: {
    Dim result = constant(context, kind == DimKind::Mul);
    for (Dim operand : operands)
      result = kind == DimKind::Mul ? result * operand : result + operand;
    return result;
  }
  case DimKind::FloorDiv:
    return operands[0].floorDiv(operands[1]);
  case DimKind::CeilDiv:
    return operands[0].ceilDiv(operands[1]);
  case DimKind::Mod:
    return operands[0].mod(operands[1]);
  case DimKind::Min:
    return min(operands[0], operands[1]);
  case DimKind::Max:
    return max(operands[0], operands[1]);
  case DimKind::Eq:
    return eq(operands[0], operands[1]);
  case DimKind::Lt:
    return lt(operands[0], operands[1]);
  case DimKind::Le:
    return le(operands[0], operands[1]);
  case DimKind::And:
    return logicalAnd(operands[0], operands[1]);
  case DimKind::Or:
    return logicalOr(operands[0], operands[1]);
  case DimKind::Not:
    return logicalNot(operands[0]);
  case DimKind::Select:
    return select(operands[0], operands[1], operands[2]);
  case DimKind::Const:
  case DimKind::Symbol:
    break;
  }
  llvm_unreachable("leaves are not built from operands");
}

Dim product(MLIRContext *context, ArrayRef<Dim> dims) {
  return Dim::build(context, DimKind::Mul, dims);
}

bool areAllOne(ArrayRef<Dim> dims) {
  return llvm::all_of(dims, [](Dim dim) { return dim.isConstant(1); });
}

/// Sizes of which `dim` is the broadcast: x and those of y in select(eq(x, 1), y, x).
static void collectBroadcast(Dim dim, SmallVectorImpl<Dim> &sizes) {
  SmallVector<Dim, 3> operands = dim.getOperands();
  if (dim.getKind() == DimKind::Select && operands[0].getKind() == DimKind::Eq) {
    SmallVector<Dim, 3> compared = operands[0].getOperands();
    if (compared[0] == operands[2] && compared[1].isConstant(1)) {
      collectBroadcast(operands[2], sizes);
      collectBroadcast(operands[1], sizes);
      return;
    }
  }
  if (!llvm::is_contained(sizes, dim))
    sizes.push_back(dim);
}

/// Whether `b` is max(a, 0), which is `a` where `a` is a size.
static bool isClampOf(Dim b, Dim a) {
  return b.getKind() == DimKind::Max && b == Dim::max(a, Dim::constant(a.getContext(), 0));
}

Dim broadcast(Dim a, Dim b) {
  if (a == b || b.isConstant(1))
    return a;
  if (a.isConstant(1))
    return b;
  if (a.isConstant() && b.isConstant())
    return Dim();
  if (a.isConstant())
    return a;
  if (b.isConstant())
    return b;
  // Each of the sizes once, the simplest first, so that a residual stream keeps its size.
  SmallVector<Dim> sizes;
  collectBroadcast(a, sizes);
  collectBroadcast(b, sizes);
  llvm::erase_if(sizes, [&](Dim size) {
    return llvm::any_of(sizes, [&](Dim other) { return other != size && isClampOf(size, other); });
  });
  llvm::sort(sizes, [](Dim x, Dim y) {
    std::string left = x.str(), right = y.str();
    return std::pair(left.size(), left) < std::pair(right.size(), right);
  });
  // A size that is never 1 is the result's.
  Dim one = Dim::constant(a.getContext(), 1);
  for (Dim size : sizes)
    if (Dim::eq(size, one).isConstant(0))
      return size;
  // Not max(a, b): with sizes 1 and 0 the result is 0.
  Dim result = sizes.pop_back_val();
  while (!sizes.empty()) {
    Dim size = sizes.pop_back_val();
    result = Dim::select(Dim::eq(size, one), result, size);
  }
  return result;
}

bool isBroadcastOf(Dim dim, Dim part) {
  SmallVector<Dim> sizes, parts;
  collectBroadcast(dim, sizes);
  collectBroadcast(part, parts);
  return llvm::all_of(parts, [&](Dim size) {
    return llvm::any_of(sizes, [&](Dim other) {
      return other == size || isClampOf(size, other) || isClampOf(other, size);
    });
  });
}

} // namespace dsc
