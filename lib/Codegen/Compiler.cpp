//===- Compiler.cpp - from a dsc module to an artifact --------------------===//
#include "dsc/Codegen/Compiler.h"

#include "dsc/Codegen/Artifact/Image.h"
#include "dsc/Codegen/Artifact/WeightSection.h"
#include "dsc/Codegen/Lowering/LowerKernels.h"
#include "dsc/Codegen/Program/ProgramBuilder.h"
#include "dsc/Codegen/Report.h"
#include "dsc/Dialect/Target/Nvptx.h"

using namespace mlir;

namespace dsc {

namespace {

/// A program and its kernels, not lowered yet.
struct Kernels {
  const Target *target = nullptr;
  std::unique_ptr<KernelLibrary> library;
  BuiltProgram built;
};

class CompilationImpl : public Compilation {
public:
  CompilationImpl(Kernels &kernels, format::Variant image, std::vector<ObjectFile> objects,
                  const WeightStore &store);
  format::Status writeWeights(const format::Sink &sink) const override {
    return writeWeightSection(weights, weightBytes, store, sink);
  }
  FailureOr<std::vector<uint8_t>> emitLibrary(StringRef kind) const override;

private:
  const WeightStore &store;
  std::vector<PlacedWeight> weights;
  std::vector<ObjectFile> objects;
  Location loc;
};

} // namespace

static LogicalResult buildKernels(ModuleOp module, WeightStore &weights,
                                  const CompileOptions &options, Kernels &kernels) {
  kernels.target = findTarget(options.targets.front());
  if (!kernels.target)
    return module.emitError() << "unknown target '" << options.targets.front() << "'";
  if (failed(runPhases(module, weights, options, phaseNames().back())))
    return failure();
  options.beginStep("emit");
  kernels.library = std::make_unique<KernelLibrary>(module.getContext(), *kernels.target);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  FailureOr<BuiltProgram> built = buildProgram(main, *kernels.library);
  if (failed(built))
    return failure();
  kernels.built = std::move(*built);
  return success();
}

CompilationImpl::CompilationImpl(Kernels &kernels, format::Variant image,
                                 std::vector<ObjectFile> objects, const WeightStore &store)
    : store(store), weights(kernels.built.weights), objects(std::move(objects)),
      loc(kernels.library->getModule().getLoc()) {
  report = makeReport(kernels.built, *kernels.target);
  weightBytes = kernels.built.weightBytes;
  image.manifestJson = report;
  image.program = std::move(kernels.built.program);
  artifact.variants.push_back(std::move(image));
}

FailureOr<std::vector<uint8_t>> CompilationImpl::emitLibrary(StringRef kind) const {
  if (kind == "so")
    return linkObjects(objects, LinkKind::Shared, loc);
  FailureOr<ObjectFile> object = linkObjects(objects, LinkKind::Relocatable, loc);
  if (failed(object) || kind == "obj")
    return object;
  return makeArchive(*object, "kernels.o", loc);
}

std::unique_ptr<Compilation> compileModule(ModuleOp module, WeightStore &weights,
                                           const CompileOptions &options) {
  Kernels kernels;
  if (failed(buildKernels(module, weights, options, kernels)))
    return nullptr;
  if (isNvptx(*kernels.target))
    return module.emitError("artifacts cannot hold code for GPUs yet"), nullptr;
  options.beginStep("code");
  FailureOr<std::vector<ObjectFile>> objects = compileKernels(
      kernels.library->getModule(), *kernels.target, options.optLevel, options.threads);
  if (failed(objects))
    return nullptr;
  options.beginStep("link");
  FailureOr<format::Variant> image =
      linkImage(*objects, kernels.built.program.kernels, *kernels.target, module.getLoc());
  if (failed(image))
    return nullptr;
  return std::make_unique<CompilationImpl>(kernels, std::move(*image), std::move(*objects),
                                           weights);
}

FailureOr<std::string> emitCode(ModuleOp module, WeightStore &weights,
                                const CompileOptions &options, StringRef kind) {
  Kernels kernels;
  if (failed(buildKernels(module, weights, options, kernels)))
    return failure();
  ModuleOp code = kernels.library->getModule();
  if (failed(lowerToLLVMDialect(code, *kernels.target)))
    return code.emitError("a kernel cannot be lowered"), failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translate(code, *kernels.target, context);
  if (!llvmModule)
    return failure();
  optimize(*llvmModule, *kernels.target, options.optLevel);
  if (kind == "asm" || kind == "ptx") {
    FailureOr<std::vector<uint8_t>> text =
        emitMachineCode(*llvmModule, *kernels.target, /*assembly=*/true, module.getLoc());
    if (failed(text))
      return failure();
    return std::string(text->begin(), text->end());
  }
  std::string text;
  llvm::raw_string_ostream(text) << *llvmModule;
  return text;
}

} // namespace dsc
