//===- Interpreting.h - runs ops written as text --------------------------===//
#pragma once

#include "dsc/Dialect/IR/Interpreter.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"

#include "gtest/gtest.h"
#include <cstring>

namespace dsc {

/// Parses ops of a module and computes them in order.
class Interpreting : public ::testing::Test {
protected:
  Interpreting() {
    context.loadDialect<DscDialect, mlir::arith::ArithDialect, mlir::math::MathDialect>();
    handler = std::make_unique<mlir::ScopedDiagnosticHandler>(
        &context, [this](mlir::Diagnostic &diagnostic) { errors += diagnostic.str() + "\n"; });
  }

  void parse(llvm::StringRef text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    ASSERT_TRUE(module) << errors;
  }
  mlir::Operation *lastOp() { return &module->getBody()->back(); }

  /// The results of the last op; empty where something failed (see `errors`).
  std::vector<Array> run(llvm::StringRef text, const SymbolValues &symbols = {}) {
    parse(text);
    if (!module)
      return {};
    llvm::DenseMap<mlir::Value, std::shared_ptr<Array>> values;
    std::vector<Array> last;
    for (mlir::Operation &op : *module->getBody()) {
      llvm::SmallVector<const Array *> operands;
      for (mlir::Value operand : op.getOperands())
        operands.push_back(values.lookup(operand).get());
      if (mlir::isa<NoneOp>(op))
        continue;
      llvm::FailureOr<std::vector<Array>> results = interpret(&op, operands, symbols);
      if (failed(results))
        return {};
      for (auto [value, array] : llvm::zip_equal(op.getResults(), *results))
        values[value] = std::make_shared<Array>(array);
      last = std::move(*results);
    }
    return last;
  }

  /// The elements of the last op's first result, whose type T must be.
  template <typename T>
  std::vector<T> elements(llvm::StringRef text, const SymbolValues &symbols = {}) {
    std::vector<Array> results = run(text, symbols);
    if (results.empty())
      return {};
    EXPECT_EQ(results[0].data.size(), results[0].numElements() * sizeof(T));
    std::vector<T> values(results[0].data.size() / sizeof(T));
    std::memcpy(values.data(), results[0].data.data(), values.size() * sizeof(T));
    return values;
  }

  /// The sizes that the last op's first result has, as text; "unknown" if not known.
  std::string sizes(llvm::StringRef text) {
    parse(text);
    if (!module)
      return "";
    llvm::DenseMap<mlir::Value, std::optional<SizeContents>> values;
    std::optional<SizeContents> last;
    for (mlir::Operation &op : *module->getBody()) {
      llvm::SmallVector<std::optional<SizeContents>> operands;
      for (mlir::Value operand : op.getOperands())
        operands.push_back(values.lookup(operand));
      for (mlir::OpResult value : op.getResults())
        values[value] = evaluateSizes(&op, value.getResultNumber(), operands);
      last = values.lookup(op.getResult(0));
    }
    if (!last)
      return "unknown";
    std::string result;
    llvm::raw_string_ostream os(result);
    llvm::interleaveComma(*last, os);
    return result;
  }

  mlir::MLIRContext context;
  std::unique_ptr<mlir::ScopedDiagnosticHandler> handler;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string errors;
};

} // namespace dsc
