//===- CompileKernels.cpp - machine code of many kernels, in threads ------===//
//
// Kernels do not know of each other: they are dealt out to modules, which are
// lowered, optimised and assembled one by one by whichever thread is free.
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <atomic>
#include <thread>

using namespace mlir;

namespace dsc {

/// Kernels in a module: fewer cost time for starting LLVM's passes, more leave
/// threads without work.
static constexpr size_t kKernelsPerModule = 4;

/// Moves the kernels into modules of a few each.
static std::vector<OwningOpRef<ModuleOp>> split(ModuleOp kernels) {
  auto functions = llvm::to_vector(kernels.getOps<func::FuncOp>());
  size_t count = llvm::divideCeil(functions.size(), kKernelsPerModule);
  std::vector<OwningOpRef<ModuleOp>> modules;
  for (size_t i = 0; i < count; ++i)
    modules.emplace_back(ModuleOp::create(kernels.getLoc()));
  // Neighbours are alike: dealing them out makes modules of about equal work.
  for (auto [i, function] : llvm::enumerate(functions))
    function->moveBefore(modules[i % count]->getBody(), modules[i % count]->getBody()->end());
  return modules;
}

static FailureOr<std::vector<uint8_t>> compileModule(ModuleOp kernels, const Target &target,
                                                     int optLevel) {
  if (failed(lowerToLLVMDialect(kernels, target)))
    return kernels.emitError("a kernel cannot be lowered"), failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translateAndOptimize(kernels, target, optLevel, context);
  if (!module)
    return failure();
  return emitMachineCode(*module, target, /*assembly=*/false, kernels.getLoc());
}

FailureOr<std::vector<std::vector<uint8_t>>> compileKernels(ModuleOp kernels, const Target &target,
                                                            int optLevel, unsigned threads) {
  std::vector<OwningOpRef<ModuleOp>> modules = split(kernels);
  std::vector<std::vector<uint8_t>> objects(modules.size());
  std::atomic<size_t> next = 0;
  std::atomic<bool> ok = true;
  auto work = [&] {
    for (size_t i = next++; i < modules.size() && ok; i = next++) {
      FailureOr<std::vector<uint8_t>> object = compileModule(*modules[i], target, optLevel);
      if (failed(object))
        ok = false;
      else
        objects[i] = std::move(*object);
    }
  };
  size_t wanted = threads ? threads : std::max(1u, std::thread::hardware_concurrency());
  if (!kernels.getContext()->isMultithreadingEnabled())
    wanted = 1;
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min(wanted, modules.size()); ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  if (!ok)
    return failure();
  return objects;
}

} // namespace dsc
