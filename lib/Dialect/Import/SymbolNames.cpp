//===- SymbolNames.cpp - names of symbolic sizes ----------------------------===//
#include "SymbolNames.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;

namespace dsc::import {

/// An identifier that the assembly of sizes does not take for an operator.
static std::string identifier(StringRef hint) {
  static constexpr StringLiteral reserved[] = {"floordiv", "ceildiv", "mod", "min",    "max", "eq",
                                               "lt",       "le",      "and", "select", "or",  "not"};
  constexpr size_t limit = 64;
  std::string name;
  for (char c : hint.take_back(limit))
    name += llvm::isAlnum(c) ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()) || llvm::is_contained(reserved, name))
    name.insert(0, 1, 's');
  return name;
}

Dim SymbolNames::fresh(StringRef hint, bool mayBeNegative) {
  std::string base = identifier(hint);
  std::string name = base;
  for (int suffix = 2; !used.insert(name).second; ++suffix)
    name = base + "_" + std::to_string(suffix);
  return created.emplace_back(Dim::symbol(context, name, mayBeNegative));
}

bool SymbolNames::isNewerThan(Dim dim, size_t mark) const {
  SmallVector<StringRef> symbols;
  dim.collectSymbols(symbols);
  return std::any_of(created.begin() + mark, created.end(), [&](Dim symbol) {
    return llvm::is_contained(symbols, symbol.getSymbol());
  });
}

void SymbolNames::rollBack(size_t mark) {
  for (; created.size() > mark; created.pop_back())
    used.erase(created.back().getSymbol().rtrim('~').str());
}

} // namespace dsc::import
