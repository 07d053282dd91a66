//===- Sizes.cpp - symbols and the expressions over them ------------------===//

#include "Sizes.h"

#include <algorithm>
#include <iterator>

namespace dsc::runtime {

using format::Expr;
using format::ExprId;
using format::kUnknown;
using format::operandCount;
using format::Program;
using format::Value;

//===----------------------------------------------------------------------===//
// Dependents
//===----------------------------------------------------------------------===//

Dependents::Dependents(const Program &program) {
  using SymbolSet = std::vector<uint32_t>;
  std::vector<SymbolSet> symbolsOf(program.exprs.size());
  std::vector<size_t> counts(program.symbols.size());
  for (size_t i = 0; i < program.exprs.size(); ++i) {
    const Expr &e = program.exprs[i];
    SymbolSet &all = symbolsOf[i];
    if (e.op == Expr::Symbol)
      all = {static_cast<uint32_t>(e.imm)};
    const ExprId operands[] = {e.a, e.b, e.c};
    for (unsigned k = 0; k < operandCount(e.op); ++k) {
      SymbolSet merged;
      const SymbolSet &more = symbolsOf[operands[k]];
      std::set_union(all.begin(), all.end(), more.begin(), more.end(), std::back_inserter(merged));
      all = std::move(merged);
    }
    for (uint32_t symbol : all)
      ++counts[symbol];
  }
  begin.push_back(0);
  for (size_t count : counts)
    begin.push_back(begin.back() + count);
  exprs.resize(begin.back());
  std::vector<size_t> next(begin.begin(), begin.end() - 1);
  for (size_t i = 0; i < symbolsOf.size(); ++i)
    for (uint32_t symbol : symbolsOf[i])
      exprs[next[symbol]++] = i;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// Every binding that can be in effect at one time: a step is active once at most.
static size_t countBindings(const Program &program) {
  size_t count = 0;
  auto dims = [&](format::ValueId id) { count += program.values[id].dims.size(); };
  for (const format::Block &block : program.blocks)
    for (const format::Step &step : block.steps) {
      count += 1;
      for (const format::IfResult &result : step.ifResults)
        dims(result.result);
      for (const format::LoopCarried &carried : step.carried) {
        dims(carried.param);
        dims(carried.result);
      }
      for (const format::LoopScan &scan : step.scans)
        dims(scan.result);
    }
  return count;
}

Sizes::Sizes(const Program &program, const Dependents &dependents)
    : program(program), dependents(dependents), symbols(program.symbols.size(), kUnknown),
      base(symbols), values(program.exprs.size()) {
  trail.reserve(countBindings(program));
  format::evaluate(program, symbols, values);
}

void Sizes::reset(std::span<const int64_t> newBase) {
  leave(0);
  if (std::ranges::equal(newBase, base))
    return;
  std::ranges::copy(newBase, base.begin());
  symbols = base;
  format::evaluate(program, symbols, values);
}

void Sizes::set(uint32_t symbol, int64_t value) {
  if (symbols[symbol] == value)
    return;
  symbols[symbol] = value;
  format::evaluate(program, dependents.of(symbol), symbols, values);
}

void Sizes::bind(uint32_t symbol, int64_t value) {
  trail.push_back({symbol, symbols[symbol]});
  set(symbol, std::max(value, kUnknown + 1));
}

void Sizes::leave(size_t scope) {
  for (; trail.size() > scope; trail.pop_back())
    set(trail.back().symbol, trail.back().value);
}

Error Sizes::get(ExprId expr, int64_t &value) const {
  value = values[expr];
  if (value != kUnknown)
    return Error::success();
  format::Unknown why = format::whyUnknown(program, expr, values);
  return why.unbound ? internalError(std::move(why.text)) : runtimeValue(std::move(why.text));
}

Error Sizes::getSize(ExprId expr, int64_t &value) const {
  if (Error error = get(expr, value))
    return error;
  if (value < 0)
    return runtimeValue("the size " + format::toString(program, expr) + " is negative (" +
                        std::to_string(value) + ")" + where(expr));
  return Error::success();
}

std::string Sizes::where(ExprId expr) const {
  std::string bound = format::symbolValues(program, expr, values);
  return bound.empty() ? bound : " where " + bound;
}

Error Sizes::getBytes(const Value &value, uint64_t &bytes) const {
  if (value.bytes != format::kNone) {
    int64_t size;
    Error error = getSize(value.bytes, size);
    bytes = size;
    return error;
  }
  bytes = format::byteSize(value.dtype);
  for (ExprId dim : value.dims) {
    int64_t size;
    if (Error error = getSize(dim, size))
      return error;
    if (__builtin_mul_overflow(bytes, uint64_t(size), &bytes))
      return runtimeValue("the size of a tensor overflows: " + describe(program, value));
  }
  return Error::success();
}

Error Sizes::getDims(const Value &value, std::span<int64_t> dims) const {
  for (size_t i = 0; i < dims.size(); ++i)
    if (Error error = getSize(value.dims[i], dims[i]))
      return error;
  return Error::success();
}

Error Sizes::match(const Value &value, std::span<const int64_t> actual, bool &matches) {
  matches = true;
  for (size_t i = 0; i < actual.size(); ++i) {
    ExprId dim = value.dims[i];
    const Expr &e = program.exprs[dim];
    int64_t expected = values[dim];
    if (e.op == Expr::Symbol && expected == kUnknown) {
      bind(e.imm, actual[i]);
      continue;
    }
    if (Error error = get(dim, expected))
      return error;
    matches &= expected == actual[i];
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

std::string describe(const Program &program, const Value &value) {
  std::string text = std::string(format::name(value.dtype)) + "[";
  for (size_t i = 0; i < value.dims.size(); ++i)
    text += (i ? ", " : "") + format::toString(program, value.dims[i]);
  return text + "]";
}

std::string describe(format::DType dtype, std::span<const int64_t> dims) {
  std::string text = std::string(format::name(dtype)) + "[";
  for (size_t i = 0; i < dims.size(); ++i)
    text += (i ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

} // namespace dsc::runtime
