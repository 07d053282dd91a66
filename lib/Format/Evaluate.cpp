//===- Evaluate.cpp - size expressions ------------------------------------===//

#include "dsc/Format/Evaluate.h"

#include <algorithm>

namespace dsc::format {

unsigned operandCount(Expr::Op op) {
  switch (op) {
  case Expr::Const:
  case Expr::Symbol:
    return 0;
  case Expr::Not:
    return 1;
  case Expr::Select:
    return 3;
  default:
    return 2;
  }
}

// No operand is INT64_MIN (it stands for "no value"), so division cannot overflow.
static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0 && (a < 0) == (b < 0)); }

/// The operator applied to operand values that are known; kUnknown on overflow and
/// division by zero.
static int64_t apply(Expr::Op op, int64_t a, int64_t b) {
  int64_t result;
  switch (op) {
  case Expr::Add:
    return __builtin_add_overflow(a, b, &result) ? kUnknown : result;
  case Expr::Sub:
    return __builtin_sub_overflow(a, b, &result) ? kUnknown : result;
  case Expr::Mul:
    return __builtin_mul_overflow(a, b, &result) ? kUnknown : result;
  case Expr::FloorDiv:
    return b == 0 ? kUnknown : floorDiv(a, b);
  case Expr::CeilDiv:
    return b == 0 ? kUnknown : ceilDiv(a, b);
  case Expr::Mod:
    return b == 0 ? kUnknown : a - floorDiv(a, b) * b;
  case Expr::Min:
    return std::min(a, b);
  case Expr::Max:
    return std::max(a, b);
  case Expr::Eq:
    return a == b;
  case Expr::Lt:
    return a < b;
  case Expr::Le:
    return a <= b;
  default:
    return kUnknown;
  }
}

static int64_t evaluate(const Expr &e, std::span<const int64_t> symbols,
                        std::span<const int64_t> values) {
  switch (e.op) {
  case Expr::Const:
    return std::max(e.imm, kUnknown + 1);
  case Expr::Symbol:
    return symbols[e.imm];
  case Expr::Not:
    return values[e.a] == kUnknown ? kUnknown : values[e.a] == 0;
  case Expr::Select:
    return values[e.a] == kUnknown ? kUnknown : values[values[e.a] != 0 ? e.b : e.c];
  case Expr::And:
    if (values[e.a] == 0 || values[e.b] == 0)
      return 0;
    return values[e.a] == kUnknown || values[e.b] == kUnknown ? kUnknown : 1;
  case Expr::Or: {
    auto holds = [&](ExprId id) { return values[id] != kUnknown && values[id] != 0; };
    if (holds(e.a) || holds(e.b))
      return 1;
    return values[e.a] == kUnknown || values[e.b] == kUnknown ? kUnknown : 0;
  }
  default:
    if (values[e.a] == kUnknown || values[e.b] == kUnknown)
      return kUnknown;
    return apply(e.op, values[e.a], values[e.b]);
  }
}

void evaluate(const Program &program, std::span<const ExprId> exprs,
              std::span<const int64_t> symbols, std::span<int64_t> values) {
  for (ExprId i : exprs)
    values[i] = evaluate(program.exprs[i], symbols, values);
}

void evaluate(const Program &program, std::span<const int64_t> symbols, std::span<int64_t> values) {
  for (size_t i = 0; i < program.exprs.size(); ++i)
    values[i] = evaluate(program.exprs[i], symbols, values);
}

/// The operand because of which `e` has no value; kNone if all that it needs have one.
static ExprId unknownOperand(const Expr &e, std::span<const int64_t> values) {
  auto unknown = [&](ExprId id) { return values[id] == kUnknown; };
  switch (e.op) {
  case Expr::Const:
  case Expr::Symbol:
    return kNone;
  case Expr::Not:
    return e.a;
  case Expr::Select:
    return unknown(e.a) ? e.a : values[e.a] != 0 ? e.b : e.c;
  default:
    return unknown(e.a) ? e.a : unknown(e.b) ? e.b : kNone;
  }
}

Unknown whyUnknown(const Program &program, ExprId expr, std::span<const int64_t> values) {
  for (ExprId next; (next = unknownOperand(program.exprs[expr], values)) != kNone;)
    expr = next;
  const Expr &e = program.exprs[expr];
  if (e.op == Expr::Symbol)
    return {"the size '" + program.symbols[e.imm] + "' is not known yet", true};
  bool division = e.op == Expr::FloorDiv || e.op == Expr::CeilDiv || e.op == Expr::Mod;
  return {(division ? "division by zero in the size " : "overflow in the size ") +
              toString(program, expr),
          false};
}

namespace {

/// How an operator is written: infix if it has a precedence, else as a function.
struct Spelling {
  const char *text;
  int precedence;
};

Spelling spelling(Expr::Op op) {
  switch (op) {
  case Expr::Add:
    return {" + ", 5};
  case Expr::Sub:
    return {" - ", 5};
  case Expr::Mul:
    return {" * ", 6};
  case Expr::FloorDiv:
    return {" floordiv ", 6};
  case Expr::CeilDiv:
    return {" ceildiv ", 6};
  case Expr::Mod:
    return {" mod ", 6};
  case Expr::Eq:
    return {" == ", 4};
  case Expr::Lt:
    return {" < ", 4};
  case Expr::Le:
    return {" <= ", 4};
  case Expr::And:
    return {" and ", 3};
  case Expr::Or:
    return {" or ", 2};
  case Expr::Min:
    return {"min", 0};
  case Expr::Max:
    return {"max", 0};
  case Expr::Not:
    return {"not", 0};
  case Expr::Select:
    return {"select", 0};
  case Expr::Const:
  case Expr::Symbol:
    break;
  }
  return {"", 0};
}

/// Shared operands are written out each time, so a small program may have an
/// expression of any length: what goes beyond the limits becomes "...".
class ExprPrinter {
public:
  explicit ExprPrinter(const Program &program) : program(program) {}

  std::string text;

  void print(ExprId id, int context, unsigned depth) {
    if (depth > 64 || text.size() > 1000) {
      text += "...";
      return;
    }
    const Expr &e = program.exprs[id];
    auto [symbol, precedence] = spelling(e.op);
    if (e.op == Expr::Const) {
      bool negative = e.imm < 0 && context > 0;
      text += negative ? "(" + std::to_string(e.imm) + ")" : std::to_string(e.imm);
    } else if (e.op == Expr::Symbol) {
      text += program.symbols[e.imm];
    } else if (precedence == 0) {
      printCall(e, symbol, depth);
    } else {
      bool parentheses = precedence < context;
      text += parentheses ? "(" : "";
      print(e.a, precedence, depth + 1);
      text += symbol;
      // Comparisons do not chain, everything else associates to the left.
      print(e.b, precedence + 1, depth + 1);
      text += parentheses ? ")" : "";
    }
  }

private:
  void printCall(const Expr &e, const char *function, unsigned depth) {
    text += function;
    text += "(";
    print(e.a, 0, depth + 1);
    if (e.op != Expr::Not) {
      text += ", ";
      print(e.b, 0, depth + 1);
    }
    if (e.op == Expr::Select) {
      text += ", ";
      print(e.c, 0, depth + 1);
    }
    text += ")";
  }

  const Program &program;
};

} // namespace

std::string toString(const Program &program, ExprId expr) {
  ExprPrinter printer(program);
  printer.print(expr, 0, 0);
  return std::move(printer.text);
}

/// Marks the expressions that `expr` needs, itself included.
static std::vector<bool> needed(const Program &program, ExprId expr) {
  std::vector<bool> marks(expr + 1);
  marks[expr] = true;
  for (ExprId i = expr + 1; i-- > 0;) {
    const Expr &e = program.exprs[i];
    const ExprId operands[] = {e.a, e.b, e.c};
    for (unsigned k = 0; marks[i] && k < operandCount(e.op); ++k)
      marks[operands[k]] = true;
  }
  return marks;
}

std::string symbolValues(const Program &program, ExprId expr, std::span<const int64_t> values) {
  std::vector<bool> marks = needed(program, expr);
  std::string text;
  for (ExprId i = 0; i <= expr; ++i) {
    const Expr &e = program.exprs[i];
    if (marks[i] && e.op == Expr::Symbol && values[i] != kUnknown)
      text +=
          (text.empty() ? "" : ", ") + program.symbols[e.imm] + " = " + std::to_string(values[i]);
  }
  return text;
}

} // namespace dsc::format
