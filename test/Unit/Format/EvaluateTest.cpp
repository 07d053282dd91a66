//===- EvaluateTest.cpp - size expressions --------------------------------===//

#include "dsc/Format/Evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace dsc::format;

namespace {

/// A program of two symbols, H and S, that holds one expression after another.
class Exprs {
public:
  Exprs() { program.symbols = {"H", "S"}; }

  Program program;
  std::vector<int64_t> symbols = {kUnknown, kUnknown}, values;

  ExprId constant(int64_t value) { return add({.op = Expr::Const, .imm = value}); }
  ExprId symbol(int64_t number) { return add({.op = Expr::Symbol, .imm = number}); }
  ExprId add(Expr e) {
    program.exprs.push_back(e);
    return program.exprs.size() - 1;
  }
  ExprId add(Expr::Op op, ExprId a, ExprId b = 0, ExprId c = 0) {
    return add({.op = op, .a = a, .b = b, .c = c});
  }
  int64_t value(ExprId id) {
    values.assign(program.exprs.size(), 0);
    evaluate(program, symbols, values);
    return values[id];
  }
  int64_t value(Expr::Op op, int64_t a, int64_t b) {
    return value(add(op, constant(a), constant(b)));
  }
};

} // namespace

TEST(Evaluate, Arithmetic) {
  Exprs e;
  EXPECT_EQ(e.value(Expr::FloorDiv, -7, 2), -4);
  EXPECT_EQ(e.value(Expr::FloorDiv, 7, -2), -4);
  EXPECT_EQ(e.value(Expr::FloorDiv, -8, 2), -4);
  EXPECT_EQ(e.value(Expr::CeilDiv, 7, 2), 4);
  EXPECT_EQ(e.value(Expr::CeilDiv, -7, 2), -3);
  EXPECT_EQ(e.value(Expr::CeilDiv, -7, -2), 4);
  EXPECT_EQ(e.value(Expr::Mod, -7, 3), 2);
  EXPECT_EQ(e.value(Expr::Mod, 7, -3), -2);
  EXPECT_EQ(e.value(Expr::Min, 2, -3), -3);
  EXPECT_EQ(e.value(Expr::Max, 2, -3), 2);
  EXPECT_EQ(e.value(Expr::Eq, 2, 2), 1);
  EXPECT_EQ(e.value(Expr::Lt, 2, 2), 0);
  EXPECT_EQ(e.value(Expr::Le, 2, 2), 1);
  EXPECT_EQ(e.value(Expr::And, 5, 0), 0);
  EXPECT_EQ(e.value(Expr::Or, 5, 0), 1);
  EXPECT_EQ(e.value(e.add(Expr::Not, e.constant(0))), 1);
}

TEST(Evaluate, NoValue) {
  Exprs e;
  EXPECT_EQ(e.value(Expr::Add, INT64_MAX, 1), kUnknown);
  EXPECT_EQ(e.value(Expr::Sub, -2, INT64_MAX), kUnknown);
  EXPECT_EQ(e.value(Expr::Mul, INT64_MAX, 2), kUnknown);
  EXPECT_EQ(e.value(Expr::FloorDiv, 1, 0), kUnknown);
  EXPECT_EQ(e.value(Expr::CeilDiv, 1, 0), kUnknown);
  EXPECT_EQ(e.value(Expr::Mod, 1, 0), kUnknown);
  // The smallest constant is not mistaken for "no value".
  EXPECT_EQ(e.value(Expr::Max, INT64_MIN, -5), -5);
  EXPECT_EQ(e.value(Expr::FloorDiv, INT64_MIN, -1), INT64_MAX);
}

TEST(Evaluate, WhatIsNotNeededNeedNoValue) {
  Exprs e;
  ExprId none = e.add(Expr::FloorDiv, e.constant(1), e.constant(0)), three = e.constant(3);
  ExprId zero = e.constant(0);
  EXPECT_EQ(e.value(e.add(Expr::Select, three, three, none)), 3);
  EXPECT_EQ(e.value(e.add(Expr::Select, zero, none, three)), 3);
  EXPECT_EQ(e.value(e.add(Expr::Select, zero, three, none)), kUnknown);
  EXPECT_EQ(e.value(e.add(Expr::And, none, zero)), 0);
  EXPECT_EQ(e.value(e.add(Expr::And, none, three)), kUnknown);
  EXPECT_EQ(e.value(e.add(Expr::Or, three, none)), 1);
  EXPECT_EQ(e.value(e.add(Expr::Or, none, zero)), kUnknown);
  EXPECT_EQ(e.value(e.add(Expr::Add, none, three)), kUnknown);
}

TEST(Evaluate, OnlyWhatIsListed) {
  Exprs e;
  ExprId h = e.symbol(0), s = e.symbol(1), sum = e.add(Expr::Add, h, s);
  e.symbols = {4, 5};
  EXPECT_EQ(e.value(sum), 9);
  e.symbols = {6, 7};
  ExprId changed[] = {h, sum};
  evaluate(e.program, changed, e.symbols, e.values);
  EXPECT_THAT(e.values, testing::ElementsAre(6, 5, 11));
}

TEST(Evaluate, WhyThereIsNoValue) {
  Exprs e;
  ExprId h = e.symbol(0), s = e.symbol(1);
  ExprId ratio = e.add(Expr::FloorDiv, h, s), more = e.add(Expr::Add, ratio, e.constant(1));
  e.symbols = {4, kUnknown};
  ASSERT_EQ(e.value(more), kUnknown);
  Unknown why = whyUnknown(e.program, more, e.values);
  EXPECT_TRUE(why.unbound);
  EXPECT_EQ(why.text, "the size 'S' is not known yet");
  e.symbols = {4, 0};
  ASSERT_EQ(e.value(more), kUnknown);
  why = whyUnknown(e.program, more, e.values);
  EXPECT_FALSE(why.unbound);
  EXPECT_EQ(why.text, "division by zero in the size H floordiv S");
  ExprId product = e.add(Expr::Mul, h, e.constant(INT64_MAX));
  ASSERT_EQ(e.value(product), kUnknown);
  EXPECT_EQ(whyUnknown(e.program, product, e.values).text,
            "overflow in the size H * 9223372036854775807");
}

TEST(Evaluate, Text) {
  Exprs e;
  ExprId h = e.symbol(0), one = e.constant(1), two = e.constant(2), minus = e.constant(-3);
  ExprId less = e.add(Expr::Sub, h, one);
  ExprId half = e.add(Expr::FloorDiv, less, two);
  EXPECT_EQ(toString(e.program, e.add(Expr::Add, half, one)), "(H - 1) floordiv 2 + 1");
  EXPECT_EQ(toString(e.program, e.add(Expr::Sub, h, less)), "H - (H - 1)");
  EXPECT_EQ(toString(e.program, e.add(Expr::Mul, h, minus)), "H * (-3)");
  EXPECT_EQ(toString(e.program, e.add(Expr::Max, h, e.add(Expr::Not, one))), "max(H, not(1))");
  EXPECT_EQ(toString(e.program, e.add(Expr::Select, h, one, two)), "select(H, 1, 2)");
}

TEST(Evaluate, TextOfSharedOperandsIsCut) {
  Exprs e;
  ExprId last = e.symbol(0);
  for (int i = 0; i < 60; ++i) // 2^60 symbols if written out
    last = e.add(Expr::Add, last, last);
  std::string text = toString(e.program, last);
  EXPECT_LT(text.size(), 20000u);
  EXPECT_THAT(text, testing::HasSubstr("..."));
}
