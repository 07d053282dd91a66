//===- PrintSpecs.cpp - prints what each operator computes ----------------===//
#include "dsc/Transforms/PrintSpecs.h"
#include "dsc/Transforms/Passes.h"

#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace dsc {

#define GEN_PASS_DEF_PRINTSPECS
#include "dsc/Transforms/Passes.h.inc"

static StringRef stringify(Iterator iterator) {
  switch (iterator) {
  case Iterator::Parallel:
    return "parallel";
  case Iterator::Reduction:
    return "reduction";
  case Iterator::Scan:
    return "scan";
  }
  llvm_unreachable("covered");
}

/// Prints a region that belongs to no op. Takes its contents.
static void printRegion(raw_ostream &os, StringRef name, Location loc, Region &region) {
  // An op around it lets the printer number its values together.
  OpBuilder builder(loc.getContext());
  auto holder = OwningOpRef<GroupOp>(GroupOp::create(builder, loc, TypeRange{}, ScheduleAttr{}));
  holder->getBody().takeBody(region);
  std::string text;
  llvm::raw_string_ostream stream(text);
  (*holder)->print(stream, OpPrintingFlags().assumeVerified().useLocalScope());
  StringRef body = text;
  body.consume_front(GroupOp::getOperationName());
  SmallVector<StringRef> lines;
  body.trim().split(lines, '\n');
  os << "  " << name << ' ';
  llvm::interleave(lines, os, "\n  ");
  os << '\n';
}

static void printAccess(raw_ostream &os, const Access &access) {
  os << "  read #" << access.operand;
  if (!access.map) {
    os << " anywhere\n";
    return;
  }
  os << " at " << *access.map;
  if (access.bounds == Bounds::Skip)
    os << " skip outside";
  if (llvm::is_contained(access.mayBroadcast, true)) {
    os << " may broadcast axes";
    for (auto [axis, mayBroadcast] : llvm::enumerate(access.mayBroadcast))
      if (mayBroadcast)
        os << ' ' << axis;
  }
  os << '\n';
}

static void printLoops(raw_ostream &os, Location loc, LoopSpec &loops) {
  os << "  loops";
  for (auto [extent, iterator] : llvm::zip(loops.extents, loops.iterators))
    os << ' ' << stringify(iterator) << '[' << extent << ']';
  os << (loops.exclusive ? " exclusive" : "") << (loops.reverse ? " reverse" : "") << '\n';
  for (auto [i, symbol] : llvm::enumerate(loops.symbols))
    os << "  symbol s" << i << " = " << symbol << '\n';
  for (const Access &access : loops.accesses)
    printAccess(os, access);
  for (TypedAttr init : loops.init)
    os << "  init " << init << '\n';
  if (loops.body)
    printRegion(os, "body", loc, *loops.body);
  if (loops.finish)
    printRegion(os, "finish", loc, *loops.finish);
}

static void printCall(raw_ostream &os, const CallSpec &call) {
  os << "  function " << call.function << "\n  operands";
  for (unsigned operand : call.operands)
    os << " #" << operand;
  os << "\n  sizes";
  for (Dim size : call.sizes)
    os << ' ' << size;
  os << '\n';
  if (call.scratch)
    os << "  scratch " << call.scratch << '\n';
}

LogicalResult printSpec(raw_ostream &os, ComputeOp op) {
  os << op->getName();
  if (Value source = op.getViewSource()) {
    auto operands = op->getOperands();
    os << " view of #" << llvm::find(operands, source) - operands.begin() << '\n';
    return success();
  }
  FailureOr<Spec> spec = op.getSpec();
  if (failed(spec))
    return failure();
  os << ' ' << stringify(spec->kind) << '\n';
  if (spec->loops)
    printLoops(os, op.getLoc(), *spec->loops);
  if (spec->scatter) {
    printLoops(os, op.getLoc(), spec->scatter->updates);
    if (spec->scatter->combine)
      printRegion(os, "combine", op.getLoc(), *spec->scatter->combine);
  }
  if (spec->sort)
    os << "  axis " << spec->sort->axis << ", the "
       << (spec->sort->largest ? "largest " : "smallest ") << spec->sort->count << " of "
       << spec->sort->length << '\n';
  if (spec->call)
    printCall(os, *spec->call);
  return success();
}

namespace {
struct PrintSpecs : impl::PrintSpecsBase<PrintSpecs> {
  void runOnOperation() override {
    getOperation()->walk([&](ComputeOp op) {
      if (failed(printSpec(llvm::outs(), op)))
        signalPassFailure();
    });
    markAllAnalysesPreserved();
  }
};
} // namespace

} // namespace dsc
