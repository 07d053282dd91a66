//===- KernelLibrary.cpp - the kernels of a compilation -------------------===//
#include "dsc/Codegen/Program/KernelLibrary.h"

#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/OperationSupport.h"

using namespace mlir;

namespace dsc {

KernelLibrary::KernelLibrary(MLIRContext *context, const Target &target)
    : target(target), module(ModuleOp::create(UnknownLoc::get(context))) {
  // The context may not have seen these dialects yet.
  context->loadDialect<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                       NVVM::NVVMDialect, scf::SCFDialect, vector::VectorDialect>();
}

static size_t hashOf(func::FuncOp function) {
  auto hash = static_cast<size_t>(0);
  function.getBody().walk([&](Operation *op) {
    hash = llvm::hash_combine(
        hash, OperationEquivalence::computeHash(op, OperationEquivalence::ignoreHashValue,
                                                OperationEquivalence::ignoreHashValue,
                                                OperationEquivalence::IgnoreLocations));
  });
  return hash;
}

/// Whether two kernels do the same, whatever their names.
static bool areEqual(func::FuncOp a, func::FuncOp b) {
  return a->getDiscardableAttrDictionary() == b->getDiscardableAttrDictionary() &&
         a.getFunctionType() == b.getFunctionType() &&
         OperationEquivalence::isRegionEquivalentTo(&a.getBody(), &b.getBody(),
                                                    OperationEquivalence::IgnoreLocations);
}

/// The number of the kernel; a function that there is already is erased.
unsigned KernelLibrary::add(func::FuncOp function) {
  SmallVector<unsigned, 1> &alike = byHash[hashOf(function)];
  for (unsigned other : alike)
    if (areEqual(function, functions[other])) {
      function.erase();
      return other;
    }
  unsigned number = names.size();
  names.push_back("dsc_kernel_" + std::to_string(number));
  functions.push_back(function);
  function.setName(names.back());
  alike.push_back(number);
  return number;
}

FailureOr<KernelCall> KernelLibrary::emit(GroupOp group) {
  ScheduleAttr schedule = group.getScheduleAttr();
  const Template *chosen = schedule ? findTemplate(target, schedule.getTemplateName()) : nullptr;
  if (!chosen)
    return group.emitOpError() << "has no schedule for " << target.name, failure();
  GroupInfo info(group);
  KernelEmitter emitter(*module, "kernel", info, target);
  if (failed(chosen->emit(emitter, schedule)))
    return failure();
  func::FuncOp function = emitter.finish();
  if (chosen->laysOutRegisters()) {
    Builder builder(function.getContext());
    function->setAttr("passthrough", builder.getStrArrayAttr({kRegisterTilesAttr}));
  }

  KernelCall call;
  llvm::append_range(call.buffers, emitter.getBuffers());
  call.sizes = emitter.getSizes();
  call.parts = emitter.partCount;
  call.scratch = emitter.scratchBytes;
  call.kernel = add(function);
  return call;
}

} // namespace dsc
