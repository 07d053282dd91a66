//===- DscDialect.cpp - registration and attributes of the dialect --------===//
#include "dsc/Dialect/IR/DscDialect.h"

#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace dsc;

#include "dsc/Dialect/IR/DscDialect.cpp.inc"
#include "dsc/Dialect/IR/DscEnums.cpp.inc"
#include "dsc/Dialect/IR/DscInterfaces.cpp.inc"

/// "[6, 16]", as a member of an attribute that is left out if it is empty.
static ParseResult parseIntegerList(AsmParser &parser, SmallVector<int64_t> &list) {
  return parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                        [&] { return parser.parseInteger(list.emplace_back()); });
}

static void printIntegerList(AsmPrinter &printer, ArrayRef<int64_t> list) {
  printer << '[' << list << ']';
}

#define GET_ATTRDEF_CLASSES
#include "dsc/Dialect/IR/DscAttrs.cpp.inc"

void DscDialect::initialize() {
  registerAttributes();
  registerOps();
}

void DscDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dsc/Dialect/IR/DscAttrs.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

Attribute DimAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  FailureOr<Dim> dim = parseDim(parser);
  if (failed(dim) || parser.parseGreater())
    return {};
  return dim->getAttr();
}

void DimAttr::print(AsmPrinter &printer) const {
  printer << '<';
  Dim(*this).print(printer.getStream());
  printer << '>';
}

Attribute DimsAttr::parse(AsmParser &parser, Type) {
  SmallVector<Dim> dims;
  auto parseElement = [&]() -> ParseResult {
    FailureOr<Dim> dim = parseDim(parser);
    if (failed(dim))
      return failure();
    dims.push_back(*dim);
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseElement))
    return {};
  return get(parser.getContext(), dims);
}

void DimsAttr::print(AsmPrinter &printer) const {
  printer << '<';
  llvm::interleaveComma(getDims(), printer.getStream(),
                        [&](Dim dim) { dim.print(printer.getStream()); });
  printer << '>';
}

DimsAttr DimsAttr::get(MLIRContext *context, ArrayRef<Dim> dims) {
  SmallVector<Attribute> elements =
      llvm::map_to_vector(dims, [](Dim dim) -> Attribute { return dim.getAttr(); });
  return get(context, ArrayRef<Attribute>(elements));
}

SmallVector<Dim> DimsAttr::getDims() const {
  return llvm::map_to_vector(getElements(),
                             [](Attribute element) { return Dim(llvm::cast<DimAttr>(element)); });
}

LogicalResult TensorAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                         function_ref<InFlightDiagnostic()> emitError) const {
  SmallVector<Dim> dims = getDims().getDims();
  if (dims.size() != shape.size())
    return emitError() << "encoding has " << dims.size() << " sizes for a tensor of rank "
                       << shape.size();
  for (auto [dim, size] : llvm::zip(dims, shape))
    if (dim.tryConstant().value_or(ShapedType::kDynamic) != size)
      return emitError() << "encoding disagrees with the shape";
  return success();
}
