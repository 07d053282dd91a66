//===- CompileKernels.cpp - machine code of many kernels, in threads ------===//
//
// Kernels do not know of each other: they are dealt out to modules. These become
// LLVM IR one after another, since passes change the MLIR context that all share;
// then whichever thread is free optimises and assembles them, which takes longest.
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
  // A model without kernels (all views and copies) still has an image.
  size_t count = std::max<size_t>(1, llvm::divideCeil(functions.size(), kKernelsPerModule));
  std::vector<OwningOpRef<ModuleOp>> modules;
  for (size_t i = 0; i < count; ++i)
    modules.emplace_back(ModuleOp::create(kernels.getLoc()));
  // Neighbours are alike: dealing them out makes modules of about equal work.
  for (auto [i, function] : llvm::enumerate(functions))
    function->moveBefore(modules[i % count]->getBody(), modules[i % count]->getBody()->end());
  return modules;
}

namespace {
/// Kernels in LLVM IR, in a context of their own.
struct Unit {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
  std::vector<uint8_t> object; ///< empty after a failure
};
} // namespace

/// Lowers each module; empty after a diagnostic.
static std::vector<std::unique_ptr<Unit>> translateAll(ArrayRef<OwningOpRef<ModuleOp>> modules,
                                                       const Target &target) {
  std::vector<std::unique_ptr<Unit>> units;
  for (const OwningOpRef<ModuleOp> &kernels : modules) {
    ModuleOp module = kernels.get();
    if (failed(lowerToLLVMDialect(module, target)))
      return module.emitError("a kernel cannot be lowered"), std::vector<std::unique_ptr<Unit>>();
    units.push_back(std::make_unique<Unit>());
    units.back()->module = translate(module, target, units.back()->context);
    if (!units.back()->module)
      return {};
  }
  return units;
}

FailureOr<std::vector<std::vector<uint8_t>>> compileKernels(ModuleOp kernels, const Target &target,
                                                            int optLevel, unsigned threads) {
  Location loc = kernels.getLoc();
  std::vector<OwningOpRef<ModuleOp>> modules = split(kernels);
  std::vector<std::unique_ptr<Unit>> units = translateAll(modules, target);
  if (units.size() != modules.size())
    return failure();
  std::atomic<size_t> next = 0;
  auto work = [&] {
    for (size_t i = next++; i < units.size(); i = next++) {
      Unit &unit = *units[i];
      optimize(*unit.module, target, optLevel);
      if (auto object = emitMachineCode(*unit.module, target, /*assembly=*/false, loc);
          succeeded(object))
        unit.object = std::move(*object);
      unit.module.reset();
    }
  };
  size_t wanted = threads ? threads : std::max(1u, std::thread::hardware_concurrency());
  if (!kernels.getContext()->isMultithreadingEnabled())
    wanted = 1;
  std::vector<std::thread> helpers;
  for (size_t i = 1; i < std::min(wanted, units.size()); ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  std::vector<std::vector<uint8_t>> objects;
  for (const std::unique_ptr<Unit> &unit : units) {
    if (unit->object.empty())
      return failure();
    objects.push_back(std::move(unit->object));
  }
  return objects;
}

} // namespace dsc
