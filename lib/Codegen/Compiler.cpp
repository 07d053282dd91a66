//===- Compiler.cpp - from a dsc module to an artifact --------------------===//
#include "dsc/Codegen/Compiler.h"

#include "NVPTX/GpuCode.h"
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
  Target target;
  std::unique_ptr<KernelLibrary> library; // refers to the target
  BuiltProgram built;
};

class CompilationImpl : public Compilation {
public:
  CompilationImpl(const WeightStore &store, Location loc) : section(store), loc(loc) {}

  /// Compiles for the one target of the options.
  LogicalResult addVariant(ModuleOp module, WeightStore &weights, const CompileOptions &options);
  /// Keeps a module, whose constants the weights are.
  ModuleOp keep(ModuleOp module) { return modules.emplace_back(module).get(); }

  format::Status writeWeights(const format::Sink &sink) const override {
    return section.write(sink);
  }
  FailureOr<std::vector<uint8_t>> emitLibrary(StringRef kind) const override;

private:
  FailureOr<format::Variant> compileForCpu(Kernels &kernels, const CompileOptions &options);
  FailureOr<format::Variant> compileForGpu(Kernels &kernels, const CompileOptions &options);

  WeightSection section;
  std::vector<OwningOpRef<ModuleOp>> modules;
  std::vector<ObjectFile> objects; // of the last variant
  Location loc;
};

} // namespace

static LogicalResult buildKernels(ModuleOp module, WeightStore &weights,
                                  const CompileOptions &options, Kernels &kernels) {
  const Target *target = findTarget(options.targets.front());
  if (!target)
    return module.emitError() << "unknown target '" << options.targets.front() << "'";
  kernels.target = *target;
  if (!options.triple.empty())
    kernels.target.triple = options.triple;
  if (failed(runPhases(module, weights, options, phaseNames().back())))
    return failure();
  options.beginStep("emit");
  kernels.library = std::make_unique<KernelLibrary>(module.getContext(), kernels.target);
  auto main = module.lookupSymbol<func::FuncOp>("main");
  FailureOr<BuiltProgram> built = buildProgram(main, *kernels.library);
  if (failed(built))
    return failure();
  kernels.built = std::move(*built);
  return success();
}

FailureOr<format::Variant> CompilationImpl::compileForCpu(Kernels &kernels,
                                                          const CompileOptions &options) {
  ModuleOp code = kernels.library->getModule();
  options.beginStep("code");
  FailureOr<std::vector<ObjectFile>> compiled =
      compileKernels(code, kernels.target, options.optLevel);
  if (failed(compiled))
    return failure();
  objects = std::move(*compiled);
  options.beginStep("link");
  return linkImage(objects, kernels.built.program.kernels, kernels.target, loc);
}

FailureOr<format::Variant> CompilationImpl::compileForGpu(Kernels &kernels,
                                                          const CompileOptions &options) {
  options.beginStep("code");
  return makeGpuCode(kernels.library->getModule(), kernels.built.program.kernels, kernels.target,
                     options.optLevel, loc);
}

LogicalResult CompilationImpl::addVariant(ModuleOp module, WeightStore &weights,
                                          const CompileOptions &options) {
  Kernels kernels;
  if (failed(buildKernels(module, weights, options, kernels)))
    return failure();
  const Target &target = kernels.target;
  FailureOr<format::Variant> variant =
      isNvptx(target) ? compileForGpu(kernels, options) : compileForCpu(kernels, options);
  if (failed(variant))
    return failure();
  variant->manifestJson = makeReport(kernels.built, target);
  section.add(kernels.built);
  weightBytes = section.getBytes();
  variant->program = std::move(kernels.built.program);
  artifact.variants.push_back(std::move(*variant));
  return success();
}

FailureOr<std::vector<uint8_t>> CompilationImpl::emitLibrary(StringRef kind) const {
  if (artifact.variants.size() != 1)
    return emitError(loc, "a library holds code for one target"), failure();
  if (artifact.variants.front().kind != format::Variant::Cpu)
    return emitError(loc, "a library cannot hold code for GPUs"), failure();
  if (kind == "so")
    return linkObjects(objects, LinkKind::Shared, loc);
  FailureOr<ObjectFile> object = linkObjects(objects, LinkKind::Relocatable, loc);
  if (failed(object) || kind == "obj")
    return object;
  return makeArchive(*object, "kernels.o", loc);
}

std::unique_ptr<Compilation> compileModule(ModuleOp module, WeightStore &weights,
                                           const CompileOptions &options) {
  auto compilation = std::make_unique<CompilationImpl>(weights, module.getLoc());
  for (size_t i = 0; i < options.targets.size(); ++i) {
    // Each target's phases start from the imported model; the last ones may change it.
    bool isLast = i + 1 == options.targets.size();
    ModuleOp own = isLast ? module : compilation->keep(module.clone());
    CompileOptions single = options;
    single.targets = {options.targets[i]};
    if (failed(compilation->addVariant(own, weights, single)))
      return nullptr;
  }
  return compilation;
}

FailureOr<KernelListing> listKernels(ModuleOp module, WeightStore &weights,
                                     const CompileOptions &options) {
  Kernels kernels;
  if (failed(buildKernels(module, weights, options, kernels)))
    return failure();
  KernelListing listing{makeReport(kernels.built, kernels.target), {}};
  kernels.library->getModule().walk([&](FunctionOpInterface function) {
    llvm::raw_string_ostream os(listing.loops[function.getName().str()]);
    function->print(os, OpPrintingFlags().useLocalScope().assumeVerified());
  });
  return listing;
}

FailureOr<std::string> emitCode(ModuleOp module, WeightStore &weights,
                                const CompileOptions &options, StringRef kind) {
  Kernels kernels;
  if (failed(buildKernels(module, weights, options, kernels)))
    return failure();
  ModuleOp code = kernels.library->getModule();
  if (failed(lowerToLLVMDialect(code, kernels.target)))
    return code.emitError("a kernel cannot be lowered"), failure();
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = translate(code, kernels.target, context);
  if (!llvmModule)
    return failure();
  optimize(*llvmModule, kernels.target, options.optLevel);
  if (kind == "asm" || kind == "ptx") {
    FailureOr<std::vector<uint8_t>> text =
        emitMachineCode(*llvmModule, kernels.target, /*assembly=*/true, module.getLoc());
    if (failed(text))
      return failure();
    return std::string(text->begin(), text->end());
  }
  std::string text;
  llvm::raw_string_ostream(text) << *llvmModule;
  return text;
}

} // namespace dsc
