//===- ShortForm.h - the readable assembly of dsc ops ---------------------===//
//
// Types print as `f32[N,64,H floordiv 2]`, ops as
//   %y = dsc.add %a, %b : f32[N,3], f32[3] -> f32[N,3]
//
//===----------------------------------------------------------------------===//
#pragma once

#include "mlir/IR/OpImplementation.h"

namespace dsc {

/// Prints or parses a tensor type in short form; other types in MLIR's own.
void printShortType(mlir::AsmPrinter &printer, mlir::Type type);
mlir::ParseResult parseShortType(mlir::AsmParser &parser, mlir::Type &type);
std::string shortTypeName(mlir::Type type);

/// Operands, attributes, `:` operand types `->` result types.
mlir::ParseResult parseShortForm(mlir::OpAsmParser &parser, mlir::OperationState &result);
void printShortForm(mlir::OpAsmPrinter &printer, mlir::Operation *op);

} // namespace dsc
