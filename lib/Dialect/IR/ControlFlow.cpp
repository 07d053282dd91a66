//===- ControlFlow.cpp - If and Loop --------------------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

/// Whether a value of type `from` can be taken where `to` is expected: sizes that
/// are both constant agree.
static bool isCompatible(Type from, Type to) {
  auto source = dyn_cast<RankedTensorType>(from);
  auto target = dyn_cast<RankedTensorType>(to);
  return source && target && source.getElementType() == target.getElementType() &&
         succeeded(verifyCompatibleShape(source, target));
}

static bool isScalar(Type type, bool isBool) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getNumElements() == 1 &&
         tensor.getElementType().isInteger(isBool ? 1 : 64);
}

static LogicalResult verifyTypes(Operation *op, const Twine &what, TypeRange actual,
                                 TypeRange expected) {
  if (actual.size() != expected.size())
    return op->emitOpError() << what << " has " << actual.size() << " values, expected "
                             << expected.size();
  for (auto [i, from, to] : llvm::enumerate(actual, expected))
    if (!isCompatible(from, to))
      return op->emitOpError() << what << " has " << shortTypeName(from) << " as value " << i
                               << ", expected " << shortTypeName(to);
  return success();
}

//===----------------------------------------------------------------------===//
// IfOp: %r = dsc.if %c : bool[] -> f32[2] { ... } else { ... }
//===----------------------------------------------------------------------===//

ParseResult IfOp::parse(OpAsmParser &parser, OperationState &result) {
  Region *thenRegion = result.addRegion();
  Region *elseRegion = result.addRegion();
  return failure(parseShortForm(parser, result) || parser.parseRegion(*thenRegion) ||
                 parser.parseKeyword("else") || parser.parseRegion(*elseRegion));
}

void IfOp::print(OpAsmPrinter &printer) {
  printShortForm(printer, *this);
  printer << ' ';
  printer.printRegion(getThenRegion());
  printer << " else ";
  printer.printRegion(getElseRegion());
}

LogicalResult IfOp::verify() {
  if (!isScalar(getCondition().getType(), /*isBool=*/true))
    return emitOpError() << "needs one bool as its condition, not "
                         << shortTypeName(getCondition().getType());
  for (auto [name, region] : {std::pair("then", &getThenRegion()), {"else", &getElseRegion()}}) {
    auto yield = dyn_cast<YieldOp>(region->front().getTerminator());
    if (!yield)
      return emitOpError() << "must end its branches with dsc.yield";
    if (failed(verifyTypes(*this, Twine("the ") + name + " branch", yield.getOperandTypes(),
                           getResultTypes())))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// LoopOp: %r = dsc.loop %n, %c, %x : i64[], bool[], f32[2] -> f32[2]
//             (%i : i64[], %again : bool[], %acc : f32[2]) { ... }
//===----------------------------------------------------------------------===//

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &result) {
  Region *body = result.addRegion();
  SmallVector<OpAsmParser::Argument> arguments;
  auto parseArgument = [&]() -> ParseResult {
    OpAsmParser::Argument &argument = arguments.emplace_back();
    return failure(parser.parseArgument(argument) || parser.parseColon() ||
                   parseShortType(parser, argument.type));
  };
  return failure(parseShortForm(parser, result) ||
                 parser.parseCommaSeparatedList(AsmParser::Delimiter::Paren, parseArgument) ||
                 parser.parseRegion(*body, arguments));
}

void LoopOp::print(OpAsmPrinter &printer) {
  printShortForm(printer, *this);
  printer << " (";
  llvm::interleaveComma(getBody().getArguments(), printer, [&](BlockArgument argument) {
    printer << argument << " : ";
    printShortType(printer, argument.getType());
  });
  printer << ") ";
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult LoopOp::verify() {
  auto isAbsentOr = [](Value value, bool isBool) {
    return isAbsent(value) || isScalar(value.getType(), isBool);
  };
  if (!isAbsentOr(getTripCount(), false))
    return emitOpError() << "needs one int64 as its trip count";
  if (!isAbsentOr(getCondition(), true))
    return emitOpError() << "needs one bool as its condition";
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield)
    return emitOpError() << "must end its body with dsc.yield";
  if (getNumResults() < getNumCarried() || yield.getNumOperands() != getNumResults() + 1)
    return emitOpError() << "must yield a condition and a value for each of its "
                         << getNumResults() << " results, at least " << getNumCarried();
  if (getBody().getNumArguments() != getNumCarried() + 2 ||
      !isScalar(getIteration().getType(), false) ||
      !isScalar(getConditionArgument().getType(), true) ||
      !isScalar(yield.getOperand(0).getType(), true))
    return emitOpError() << "needs a body with an int64, a bool and " << getNumCarried()
                         << " carried values as arguments, that yields a bool first";
  auto carried = TypeRange(getBody().getArgumentTypes()).drop_front(2);
  auto yielded = TypeRange(yield.getOperandTypes()).drop_front(1);
  if (failed(verifyTypes(*this, "the operand list", TypeRange(getInits()), carried)) ||
      failed(verifyTypes(*this, "the body's yield", yielded.take_front(getNumCarried()), carried)) ||
      failed(verifyTypes(*this, "the body's yield", yielded.take_front(getNumCarried()),
                         TypeRange(getCarriedResults()))))
    return failure();
  SmallVector<Type> slices;
  for (Type type : TypeRange(getScanResults())) {
    SmallVector<Dim> dims = getDims(type);
    if (dims.empty())
      return emitOpError() << "collects slices in a scalar";
    slices.push_back(makeTensorType(cast<RankedTensorType>(type).getElementType(),
                                    ArrayRef(dims).drop_front()));
  }
  return verifyTypes(*this, "the slices' list", yielded.drop_front(getNumCarried()), slices);
}

} // namespace dsc
