//===- Structure.cpp - ops that are not ONNX operators --------------------===//
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

//===----------------------------------------------------------------------===//
// ConstantOp: %c = dsc.constant dense<[1, 2]> : tensor<2xi64>
//===----------------------------------------------------------------------===//

ParseResult ConstantOp::parse(OpAsmParser &parser, OperationState &result) {
  ElementsAttr value;
  if (parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseAttribute(value, "value", result.attributes))
    return failure();
  result.addTypes(value.getType());
  return success();
}

void ConstantOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDict((*this)->getAttrs(), {"value"});
  printer << ' ' << getValue();
}

//===----------------------------------------------------------------------===//
// WeightOp: %w = dsc.weight <0, 128, 4096> "conv1.weight" : f32[64,3,7,7]
//===----------------------------------------------------------------------===//

ParseResult WeightOp::parse(OpAsmParser &parser, OperationState &result) {
  // Not parseAttribute(): that takes the `:` for the attribute's type.
  Attribute source = WeightAttr::parse(parser, Type());
  if (!source)
    return failure();
  result.addAttribute("source", source);
  std::string name;
  if (succeeded(parser.parseOptionalString(&name)))
    result.addAttribute("name", parser.getBuilder().getStringAttr(name));
  return failure(parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
                 parseShortType(parser, result.types.emplace_back()));
}

void WeightOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printStrippedAttrOrType(getSource());
  if (getName())
    printer << ' ' << getNameAttr();
  printer.printOptionalAttrDict((*this)->getAttrs(), {"source", "name"});
  printer << " : ";
  printShortType(printer, getType());
}

//===----------------------------------------------------------------------===//
// BindOp: dsc.bind %shape {symbols = ["s0", "s1"]} : i64[2]
//===----------------------------------------------------------------------===//

ParseResult BindOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand source;
  Type type;
  return failure(parser.parseOperand(source) || parser.parseOptionalAttrDict(result.attributes) ||
                 parser.parseColon() || parseShortType(parser, type) ||
                 parser.resolveOperand(source, type, result.operands));
}

void BindOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getSource();
  printer.printOptionalAttrDict((*this)->getAttrs());
  printer << " : ";
  printShortType(printer, getSource().getType());
}

LogicalResult BindOp::verify() {
  auto type = cast<RankedTensorType>(getSource().getType());
  if (!type.getElementType().isInteger())
    return emitOpError() << "binds integers, not " << shortTypeName(type);
  if (!type.hasStaticShape() || type.getNumElements() != static_cast<int64_t>(getSymbols().size()))
    return emitOpError() << "names " << getSymbols().size() << " elements of "
                         << shortTypeName(type);
  return success();
}

//===----------------------------------------------------------------------===//
// GuardOp: dsc.guard eq(N, M), "the sizes differ"
//===----------------------------------------------------------------------===//

/// A size expression, as the attribute `name`.
static ParseResult parseDimAttribute(OpAsmParser &parser, StringRef name, OperationState &result) {
  FailureOr<Dim> dim = parseDim(parser);
  if (failed(dim))
    return failure();
  result.addAttribute(name, dim->getAttr());
  return success();
}

ParseResult GuardOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr message;
  return failure(parseDimAttribute(parser, "condition", result) || parser.parseComma() ||
                 parser.parseAttribute(message, "message", result.attributes) ||
                 parser.parseOptionalAttrDict(result.attributes));
}

void GuardOp::print(OpAsmPrinter &printer) {
  printer << ' ' << Dim(getCondition()).str() << ", " << getMessageAttr();
  printer.printOptionalAttrDict((*this)->getAttrs(), {"condition", "message"});
}

//===----------------------------------------------------------------------===//
// SizeOp: %i = dsc.size H floordiv 2
//===----------------------------------------------------------------------===//

ParseResult SizeOp::parse(OpAsmParser &parser, OperationState &result) {
  result.addTypes(parser.getBuilder().getIndexType());
  return failure(parseDimAttribute(parser, "size", result) ||
                 parser.parseOptionalAttrDict(result.attributes));
}

void SizeOp::print(OpAsmPrinter &printer) {
  printer << ' ' << Dim(getSize()).str();
  printer.printOptionalAttrDict((*this)->getAttrs(), {"size"});
}

//===----------------------------------------------------------------------===//
// SizesOp: %s = dsc.sizes <N, 64> : i64[2]; a scalar with one size
//===----------------------------------------------------------------------===//

ParseResult SizesOp::parse(OpAsmParser &parser, OperationState &result) {
  Attribute sizes = DimsAttr::parse(parser, Type());
  if (!sizes)
    return failure();
  result.addAttribute("sizes", sizes);
  return failure(parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
                 parseShortType(parser, result.types.emplace_back()));
}

void SizesOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printStrippedAttrOrType(getSizes());
  printer.printOptionalAttrDict((*this)->getAttrs(), {"sizes"});
  printer << " : ";
  printShortType(printer, getType());
}

LogicalResult SizesOp::inferTypes(TypeInference &inference) {
  // The shape cannot be told from the sizes (a scalar and a vector of one); it
  // only has to hold as many elements.
  auto type = dyn_cast<RankedTensorType>(getType());
  if (!type || !type.hasStaticShape() || !type.getElementType().isInteger() ||
      type.getNumElements() != static_cast<int64_t>(getSizes().size()))
    return inference.error() << "needs an integer tensor type of " << getSizes().size()
                             << " elements";
  inference.addResult(type);
  return success();
}

FailureOr<Spec> SizesOp::getSpec() { return sizesSpec(*this, getSizes().getDims()); }

//===----------------------------------------------------------------------===//
// GroupOp: %r = dsc.group { ... dsc.yield %v : f32[N] } : f32[N]
//===----------------------------------------------------------------------===//

static ParseResult parseResultTypes(OpAsmParser &parser, OperationState &result) {
  if (failed(parser.parseOptionalColon()))
    return success();
  return parser.parseCommaSeparatedList(
      [&] { return parseShortType(parser, result.types.emplace_back()); });
}

static void printResultTypes(OpAsmPrinter &printer, Operation *op) {
  if (op->getNumResults() == 0)
    return;
  printer << " : ";
  llvm::interleaveComma(op->getResultTypes(), printer,
                        [&](Type type) { printShortType(printer, type); });
}

ParseResult GroupOp::parse(OpAsmParser &parser, OperationState &result) {
  Region *body = result.addRegion();
  return failure(parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
                 parser.parseRegion(*body) || parseResultTypes(parser, result));
}

void GroupOp::print(OpAsmPrinter &printer) {
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer << ' ';
  printer.printRegion(getBody());
  printResultTypes(printer, *this);
}

LogicalResult GroupOp::verify() {
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield)
    return emitOpError() << "must end with dsc.yield";
  if (yield.getOperandTypes() != getResultTypes())
    return emitOpError() << "yields other types than its results have";
  return success();
}

//===----------------------------------------------------------------------===//
// YieldOp: dsc.yield %a, %b : f32, i64[2]
//===----------------------------------------------------------------------===//

ParseResult YieldOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> values;
  SmallVector<Type> types;
  auto loc = parser.getCurrentLocation();
  if (parser.parseOperandList(values) || parser.parseOptionalAttrDict(result.attributes))
    return failure();
  if (values.empty())
    return success();
  auto parseOne = [&] { return parseShortType(parser, types.emplace_back()); };
  return failure(parser.parseColon() || parser.parseCommaSeparatedList(parseOne) ||
                 parser.resolveOperands(values, types, loc, result.operands));
}

void YieldOp::print(OpAsmPrinter &printer) {
  if (getNumOperands() == 0)
    return;
  printer << ' ' << getOperands() << " : ";
  llvm::interleaveComma(getOperandTypes(), printer,
                        [&](Type type) { printShortType(printer, type); });
}

} // namespace dsc
