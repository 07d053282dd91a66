//===- ShortForm.cpp - the readable assembly of dsc ops -------------------===//
#include "dsc/Dialect/IR/ShortForm.h"
#include "dsc/Dialect/IR/DscDialect.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace dsc {

static void printElementType(raw_ostream &os, Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    if (integer.getWidth() == 1)
      os << "bool";
    else
      os << (integer.isUnsigned() ? 'u' : 'i') << integer.getWidth();
    return;
  }
  type.print(os);
}

static Type elementTypeByName(MLIRContext *context, StringRef name) {
  Builder builder(context);
  if (name == "f16")
    return builder.getF16Type();
  if (name == "bf16")
    return builder.getBF16Type();
  if (name == "f32")
    return builder.getF32Type();
  if (name == "f64")
    return builder.getF64Type();
  if (name == "bool")
    return builder.getI1Type();
  unsigned width = 0;
  bool isUnsigned = name.starts_with("u");
  if ((!isUnsigned && !name.starts_with("i")) || name.drop_front().getAsInteger(10, width) ||
      width == 0 || width > 64)
    return {};
  return isUnsigned ? builder.getIntegerType(width, /*isSigned=*/false)
                    : builder.getIntegerType(width);
}

static void printShortTensor(raw_ostream &os, RankedTensorType type) {
  printElementType(os, type.getElementType());
  os << '[';
  llvm::interleave(getDims(type), os, [&](Dim dim) { dim.print(os); }, ",");
  os << ']';
}

std::string shortTypeName(Type type) {
  std::string text;
  llvm::raw_string_ostream os(text);
  if (auto tensor = dyn_cast<RankedTensorType>(type))
    printShortTensor(os, tensor);
  else
    type.print(os);
  return text;
}

void printShortType(AsmPrinter &printer, Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor) {
    printer << type;
    return;
  }
  printShortTensor(printer.getStream(), tensor);
  auto encoding = dyn_cast_or_null<TensorAttr>(tensor.getEncoding());
  if (!encoding)
    return;
  if (encoding.getLayout())
    printer << " layout " << encoding.getLayout();
  if (encoding.getStorage())
    printer << " storage " << encoding.getStorage();
}

/// The optional ` layout <attr>` and ` storage <attr>` behind a short type.
static ParseResult parseEncoding(AsmParser &parser, ArrayRef<Dim> dims, Type &type) {
  LayoutAttr layout;
  StorageAttr storage;
  if (succeeded(parser.parseOptionalKeyword("layout")) && parser.parseAttribute(layout))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("storage")) && parser.parseAttribute(storage))
    return failure();
  if (!layout && !storage)
    return success();
  auto tensor = cast<RankedTensorType>(type);
  auto encoding = TensorAttr::get(parser.getContext(), DimsAttr::get(parser.getContext(), dims),
                                  layout, storage);
  type = RankedTensorType::get(tensor.getShape(), tensor.getElementType(), encoding);
  return success();
}

ParseResult parseShortType(AsmParser &parser, Type &type) {
  StringRef name;
  auto loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalKeyword(&name)) || name == "tuple")
    return parser.parseType(type);
  if (name == "none") {
    type = NoneType::get(parser.getContext());
    return success();
  }
  if (name == "index") {
    type = IndexType::get(parser.getContext());
    return success();
  }
  Type element = elementTypeByName(parser.getContext(), name);
  if (!element)
    return parser.emitError(loc, "unknown element type '") << name << "'";
  if (failed(parser.parseOptionalLSquare())) {
    type = element;
    return success();
  }
  SmallVector<Dim> dims;
  auto parseElement = [&]() -> ParseResult {
    FailureOr<Dim> dim = parseDim(parser);
    if (failed(dim))
      return failure();
    dims.push_back(*dim);
    return success();
  };
  if (failed(parser.parseOptionalRSquare()))
    if (parser.parseCommaSeparatedList(parseElement) || parser.parseRSquare())
      return failure();
  type = makeTensorType(element, dims);
  return parseEncoding(parser, dims, type);
}

static ParseResult parseShortTypes(AsmParser &parser, SmallVectorImpl<Type> &types) {
  return parser.parseCommaSeparatedList(
      [&] { return parseShortType(parser, types.emplace_back()); });
}

ParseResult parseShortForm(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  auto loc = parser.getCurrentLocation();
  if (parser.parseOperandList(operands) || parser.parseOptionalAttrDict(result.attributes) ||
      parser.parseColon())
    return failure();
  SmallVector<Type> operandTypes;
  if (!operands.empty() && (parseShortTypes(parser, operandTypes) || parser.parseArrow()))
    return failure();
  if (parseShortTypes(parser, result.types))
    return failure();
  return parser.resolveOperands(operands, operandTypes, loc, result.operands);
}

void printShortForm(OpAsmPrinter &printer, Operation *op) {
  if (op->getNumOperands() > 0) {
    printer << ' ';
    printer.printOperands(op->getOperands());
  }
  printer.printOptionalAttrDict(op->getAttrs());
  auto printTypes = [&](TypeRange types) {
    llvm::interleaveComma(types, printer, [&](Type type) { printShortType(printer, type); });
  };
  printer << " : ";
  if (op->getNumOperands() > 0) {
    printTypes(op->getOperandTypes());
    printer << " -> ";
  }
  printTypes(op->getResultTypes());
}

} // namespace dsc
