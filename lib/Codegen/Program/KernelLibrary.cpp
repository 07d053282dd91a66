//===- KernelLibrary.cpp - the kernels of a compilation -------------------===//
#include "dsc/Codegen/Program/KernelLibrary.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dsc {

KernelLibrary::KernelLibrary(MLIRContext *context, const Target &target)
    : target(target), module(ModuleOp::create(UnknownLoc::get(context))) {
  // The context may not have seen these dialects yet.
  context->loadDialect<arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                       NVVM::NVVMDialect, scf::SCFDialect, vector::VectorDialect>();
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

  KernelCall call;
  llvm::append_range(call.buffers, emitter.getBuffers());
  call.sizes = emitter.getSizes();
  call.parts = emitter.partCount;
  call.scratch = emitter.scratchBytes;

  std::string text;
  llvm::raw_string_ostream os(text);
  function->print(os, OpPrintingFlags().useLocalScope().printGenericOpForm());
  auto [it, isNew] = byText.try_emplace(text, names.size());
  call.kernel = it->second;
  if (!isNew) {
    function.erase();
    return call;
  }
  names.push_back("dsc_kernel_" + std::to_string(names.size()));
  function.setName(names.back());
  return call;
}

} // namespace dsc
