//===- OperatorTable.cpp - ONNX operators and their dsc ops -----------------===//
#include "OperatorTable.h"

#include <set>

using namespace mlir;

namespace dsc::import {

/// Translated by code of their own (see Translator::translateNode).
static constexpr StringLiteral kSpecial[] = {"Constant", "Identity", "If",  "Loop",
                                             "Scan",     "Shape",    "Size"};

std::string operatorKey(const onnx::NodeProto &node) {
  return node.domain().empty() ? node.op_type() : node.domain() + "::" + node.op_type();
}

OperatorTable::OperatorTable(MLIRContext &context) {
  for (RegisteredOperationName name :
       context.getRegisteredOperationsByDialect(DscDialect::getDialectNamespace())) {
    const auto *facts = name.getInterface<ComputeOp>();
    if (facts && !facts->getOnnxName().empty())
      operators.try_emplace(facts->getOnnxName(), OperatorInfo{name.getStringRef(), facts});
  }
}

const OperatorInfo *OperatorTable::find(StringRef key) const {
  auto it = operators.find(key);
  return it == operators.end() ? nullptr : &it->second;
}

bool OperatorTable::isSupported(StringRef key) const {
  return find(key) || llvm::is_contained(kSpecial, key);
}

std::vector<std::string> OperatorTable::keys() const {
  std::set<std::string> sorted(std::begin(kSpecial), std::end(kSpecial));
  for (StringRef key : operators.keys())
    sorted.insert(key.str());
  return {sorted.begin(), sorted.end()};
}

} // namespace dsc::import
