//===- Evaluate.cpp - size expressions ------------------------------------===//

#include "dsc/Format/Evaluate.h"

#include <algorithm>

namespace dsc::format {

static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a < 0) != (b < 0)); }
static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0 && (a < 0) == (b < 0)); }

/// Applies an operator to operand values; false on overflow or division by zero.
static bool apply(const Expr &e, int64_t a, int64_t b, int64_t c, int64_t &result) {
  bool dividable = b != 0 && !(a == INT64_MIN && b == -1);
  switch (e.op) {
  case Expr::Const:
    result = e.imm;
    return true;
  case Expr::Symbol:
    return false; // the caller's
  case Expr::Add:
    return !__builtin_add_overflow(a, b, &result);
  case Expr::Sub:
    return !__builtin_sub_overflow(a, b, &result);
  case Expr::Mul:
    return !__builtin_mul_overflow(a, b, &result);
  case Expr::FloorDiv:
    result = dividable ? floorDiv(a, b) : 0;
    return dividable;
  case Expr::CeilDiv:
    result = dividable ? ceilDiv(a, b) : 0;
    return dividable;
  case Expr::Mod:
    result = dividable ? a - floorDiv(a, b) * b : 0;
    return b != 0; // INT64_MIN mod -1 is 0
  case Expr::Min:
    result = std::min(a, b);
    return true;
  case Expr::Max:
    result = std::max(a, b);
    return true;
  case Expr::Eq:
    result = a == b;
    return true;
  case Expr::Lt:
    result = a < b;
    return true;
  case Expr::Le:
    result = a <= b;
    return true;
  case Expr::And:
    result = a != 0 && b != 0;
    return true;
  case Expr::Or:
    result = a != 0 || b != 0;
    return true;
  case Expr::Not:
    result = a == 0;
    return true;
  case Expr::Select:
    result = a != 0 ? b : c;
    return true;
  }
  return false;
}

Status evaluate(const Program &program, ExprId begin, ExprId end, std::span<const int64_t> symbols,
                std::span<int64_t> values) {
  for (ExprId i = begin; i != end; ++i) {
    const Expr &e = program.exprs[i];
    if (e.op == Expr::Symbol) {
      values[i] = symbols[e.imm];
      if (values[i] == kUnbound)
        return Status::failure("the size '" + program.symbols[e.imm] + "' is not known yet");
      continue;
    }
    // Operands that the operator does not use are 0 or any earlier index.
    auto operand = [&](ExprId id) { return id < i ? values[id] : 0; };
    int64_t a = operand(e.a), b = operand(e.b), c = operand(e.c);
    if (apply(e, a, b, c, values[i]))
      continue;
    bool zero = (e.op == Expr::FloorDiv || e.op == Expr::CeilDiv || e.op == Expr::Mod) && b == 0;
    return Status::failure((zero ? "division by zero in the size " : "overflow in the size ") +
                           toString(program, i));
  }
  return Status::success();
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

} // namespace dsc::format
