//===- CompileKernels.cpp - machine code of many kernels, in threads ------===//
//
// Kernels do not know of each other: they are dealt out to modules inside of the
// kernels' module. One pass manager lowers them, since no other may run at the same
// time in a context: it loads dialects. Then whichever thread is free makes machine
// code of a module, which takes longest.
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Threading.h"

using namespace mlir;

namespace dsc {

/// Kernels in a module: fewer cost time for starting LLVM's passes, more leave
/// threads without work.
static constexpr size_t kKernelsPerModule = 4;

static size_t countOperations(func::FuncOp function) {
  size_t count = 0;
  function.walk([&](Operation *) { ++count; });
  return count;
}

/// Moves the kernels into modules of a few each, the longest first.
static SmallVector<ModuleOp> split(ModuleOp kernels) {
  auto functions = llvm::to_vector(kernels.getOps<func::FuncOp>());
  llvm::DenseMap<Operation *, size_t> lengths;
  for (func::FuncOp function : functions)
    lengths[function] = countOperations(function);
  auto order = llvm::to_vector(llvm::seq<size_t>(functions.size()));
  llvm::sort(order, [&](size_t a, size_t b) {
    size_t lengthA = lengths[functions[a]], lengthB = lengths[functions[b]];
    return lengthA != lengthB ? lengthA > lengthB : a < b;
  });
  // A model without kernels (all views and copies) still has an image.
  size_t count = std::max<size_t>(1, llvm::divideCeil(functions.size(), kKernelsPerModule));
  OpBuilder builder = OpBuilder::atBlockEnd(kernels.getBody());
  SmallVector<ModuleOp> modules;
  for (size_t i = 0; i < count; ++i)
    modules.push_back(ModuleOp::create(builder, kernels.getLoc()));
  for (auto [i, number] : llvm::enumerate(order)) {
    Block *body = modules[i % count].getBody();
    functions[number]->moveBefore(body, body->end());
  }
  return modules;
}

static FailureOr<std::vector<uint8_t>> compile(ModuleOp kernels, const Target &target,
                                               int optLevel) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translate(kernels, target, context);
  if (!module)
    return failure();
  optimize(*module, target, optLevel);
  return emitMachineCode(*module, target, /*assembly=*/false, kernels.getLoc());
}

FailureOr<std::vector<std::vector<uint8_t>>> compileKernels(ModuleOp kernels, const Target &target,
                                                            int optLevel) {
  MLIRContext *context = kernels.getContext();
  SmallVector<ModuleOp> modules = split(kernels);
  if (failed(lowerModulesToLLVMDialect(kernels)))
    return kernels.emitError("a kernel cannot be lowered"), failure();
  allowTranslation(*context);
  std::vector<std::vector<uint8_t>> objects(modules.size());
  auto compileOne = [&](size_t i) -> LogicalResult {
    FailureOr<std::vector<uint8_t>> object = compile(modules[i], target, optLevel);
    if (succeeded(object))
      objects[i] = std::move(*object);
    return success(succeeded(object));
  };
  if (failed(failableParallelForEachN(context, 0, modules.size(), compileOne)))
    return failure();
  return objects;
}

} // namespace dsc
