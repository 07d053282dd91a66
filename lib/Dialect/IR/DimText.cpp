//===- DimText.cpp - symbolic sizes: text ---------------------------------===//
//
//   2 * H + 1, (W - 3) floordiv 2, max(A, B), "a name" * 4
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/IR/Dim.h"
#include "dsc/Dialect/IR/DscDialect.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace dsc {

static bool isBareSymbol(StringRef name) {
  static constexpr StringRef kReserved[] = {"floordiv", "ceildiv", "mod",    "min", "max", "eq",
                                            "lt",       "le",      "select", "and", "or",  "not"};
  if (name.empty() || (!llvm::isAlpha(name.front()) && name.front() != '_'))
    return false;
  return llvm::all_of(name, [](char c) { return llvm::isAlnum(c) || c == '_'; }) &&
         !llvm::is_contained(kReserved, name);
}

static void printSymbol(raw_ostream &os, StringRef name) {
  if (isBareSymbol(name)) {
    os << name;
    return;
  }
  os << '"';
  llvm::printEscapedString(name, os);
  os << '"';
}

static StringRef functionName(DimKind kind) {
  switch (kind) {
  case DimKind::Min:
    return "min";
  case DimKind::Max:
    return "max";
  case DimKind::Eq:
    return "eq";
  case DimKind::Lt:
    return "lt";
  case DimKind::Le:
    return "le";
  case DimKind::And:
    return "and";
  case DimKind::Or:
    return "or";
  case DimKind::Not:
    return "not";
  case DimKind::Select:
    return "select";
  default:
    return "";
  }
}

/// Binding strength of the infix operators, for parentheses.
static int precedence(DimKind kind) {
  switch (kind) {
  case DimKind::Add:
    return 0;
  case DimKind::Mul:
  case DimKind::FloorDiv:
  case DimKind::CeilDiv:
  case DimKind::Mod:
    return 1;
  default:
    return 2;
  }
}

static void printOperand(raw_ostream &os, Dim operand, int minimum) {
  bool negative = operand.isConstant() && operand.getConstant() < 0 && minimum > 0;
  bool parenthesize = precedence(operand.getKind()) < minimum || negative;
  if (parenthesize)
    os << '(';
  operand.print(os);
  if (parenthesize)
    os << ')';
}

/// Prints `term` as one more summand: " + x" or " - x".
static void printNextTerm(raw_ostream &os, Dim term) {
  bool negative = term.isConstant() && term.getConstant() < 0;
  if (term.getKind() == DimKind::Mul) {
    Dim first = term.getOperands().front();
    negative = first.isConstant() && first.getConstant() < 0;
  }
  os << (negative ? " - " : " + ");
  printOperand(os, negative ? term * -1 : term, 1);
}

void Dim::print(raw_ostream &os) const {
  SmallVector<Dim, 3> operands = getOperands();
  auto infix = [&](StringRef name) {
    printOperand(os, operands[0], 1);
    os << ' ' << name << ' ';
    printOperand(os, operands[1], 2);
  };
  switch (getKind()) {
  case DimKind::Const:
    os << getConstant();
    return;
  case DimKind::Symbol:
    printSymbol(os, getSymbol());
    return;
  case DimKind::Add:
    printOperand(os, operands[0], 0);
    for (Dim term : llvm::drop_begin(operands))
      printNextTerm(os, term);
    return;
  case DimKind::Mul:
    llvm::interleave(
        operands, [&](Dim factor) { printOperand(os, factor, 2); }, [&] { os << " * "; });
    return;
  case DimKind::FloorDiv:
    return infix("floordiv");
  case DimKind::CeilDiv:
    return infix("ceildiv");
  case DimKind::Mod:
    return infix("mod");
  default:
    os << functionName(getKind()) << '(';
    llvm::interleaveComma(operands, os, [&](Dim operand) { operand.print(os); });
    os << ')';
  }
}

std::string Dim::str() const {
  std::string text;
  llvm::raw_string_ostream os(text);
  print(os);
  return text;
}

//===----------------------------------------------------------------------===//
// Parser: sum := product (('+' | '-') product)*
//         product := atom (('*' | floordiv | ceildiv | mod) atom)*
//===----------------------------------------------------------------------===//

static FailureOr<Dim> parseSum(AsmParser &parser);

static FailureOr<Dim> parseCall(AsmParser &parser, DimKind kind) {
  SmallVector<Dim> operands;
  auto parseArgument = [&]() -> ParseResult {
    FailureOr<Dim> argument = parseSum(parser);
    if (failed(argument))
      return failure();
    operands.push_back(*argument);
    return success();
  };
  auto loc = parser.getCurrentLocation();
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parseArgument))
    return failure();
  size_t arity = kind == DimKind::Not ? 1 : kind == DimKind::Select ? 3 : 2;
  if (operands.size() != arity)
    return parser.emitError(loc, "expected ") << arity << " operands", failure();
  return Dim::build(parser.getContext(), kind, operands);
}

static FailureOr<Dim> parseAtom(AsmParser &parser) {
  MLIRContext *context = parser.getContext();
  int64_t value;
  OptionalParseResult number = parser.parseOptionalInteger(value);
  if (number.has_value()) {
    if (failed(*number))
      return failure();
    return Dim::constant(context, value);
  }
  if (succeeded(parser.parseOptionalMinus())) {
    FailureOr<Dim> operand = parseAtom(parser);
    return failed(operand) ? operand : FailureOr<Dim>(*operand * -1);
  }
  if (succeeded(parser.parseOptionalLParen())) {
    FailureOr<Dim> inner = parseSum(parser);
    if (failed(inner) || parser.parseRParen())
      return failure();
    return inner;
  }
  std::string text;
  if (succeeded(parser.parseOptionalString(&text)))
    return Dim::symbol(context, text);
  StringRef keyword;
  if (parser.parseOptionalKeyword(&keyword)) {
    parser.emitError(parser.getCurrentLocation(), "expected a size expression");
    return failure();
  }
  for (uint32_t kind = 0; kind <= static_cast<uint32_t>(DimKind::Select); ++kind)
    if (keyword == functionName(static_cast<DimKind>(kind)))
      return parseCall(parser, static_cast<DimKind>(kind));
  return Dim::symbol(context, keyword);
}

static FailureOr<Dim> parseProduct(AsmParser &parser) {
  FailureOr<Dim> left = parseAtom(parser);
  while (succeeded(left)) {
    std::optional<DimKind> kind;
    if (succeeded(parser.parseOptionalStar()))
      kind = DimKind::Mul;
    else if (succeeded(parser.parseOptionalKeyword("floordiv")))
      kind = DimKind::FloorDiv;
    else if (succeeded(parser.parseOptionalKeyword("ceildiv")))
      kind = DimKind::CeilDiv;
    else if (succeeded(parser.parseOptionalKeyword("mod")))
      kind = DimKind::Mod;
    if (!kind)
      return left;
    FailureOr<Dim> right = parseAtom(parser);
    if (failed(right))
      return failure();
    left = Dim::build(parser.getContext(), *kind, {*left, *right});
  }
  return left;
}

static FailureOr<Dim> parseSum(AsmParser &parser) {
  FailureOr<Dim> left = parseProduct(parser);
  while (succeeded(left)) {
    bool negative = succeeded(parser.parseOptionalMinus());
    if (!negative && failed(parser.parseOptionalPlus()))
      return left;
    FailureOr<Dim> right = parseProduct(parser);
    if (failed(right))
      return failure();
    left = negative ? *left - *right : *left + *right;
  }
  return left;
}

FailureOr<Dim> parseDim(AsmParser &parser) { return parseSum(parser); }

} // namespace dsc
