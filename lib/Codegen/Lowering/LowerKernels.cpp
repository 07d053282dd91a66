//===- LowerKernels.cpp - from kernel functions to machine code -----------===//
#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "../NVPTX/EntryPoints.h"
#include "HoistReads.h"
#include "dsc/Dialect/Target/Nvptx.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// To the llvm dialect
//===----------------------------------------------------------------------===//

static LogicalResult convertToLLVM(ModuleOp kernels) {
  MLIRContext *context = kernels.getContext();
  LowerToLLVMOptions options(context);
  LLVMTypeConverter types(context, options);
  RewritePatternSet patterns(context);
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  arith::populateArithToLLVMConversionPatterns(types, patterns);
  populateMathToLLVMConversionPatterns(types, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(types, patterns);
  populateFuncToLLVMConversionPatterns(types, patterns);
  populateVectorToLLVMConversionPatterns(types, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  target.addLegalDialect<NVVM::NVVMDialect>();
  return applyFullConversion(kernels, target, std::move(patterns));
}

namespace {
/// A step of the lowering that has no name for users.
struct LoweringStep : PassWrapper<LoweringStep, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LoweringStep)
  using Function = std::function<LogicalResult(ModuleOp)>;

  explicit LoweringStep(Function step) : step(std::move(step)) {}
  void runOnOperation() override {
    if (failed(step(getOperation())))
      signalPassFailure();
  }

  Function step;
};
} // namespace

/// From scf, vector, arith and math in a module to the llvm dialect.
static void addLowering(OpPassManager &passes, bool hasServices) {
  auto addStep = [&](LoweringStep::Function step) {
    passes.addPass(std::make_unique<LoweringStep>(std::move(step)));
  };
  // What a first round over the function leaves LLVM finds as well.
  GreedyRewriteConfig once;
  once.setMaxIterations(1);
  passes.addPass(createCanonicalizerPass(once));
  passes.addPass(createCSEPass());
  addStep([](ModuleOp kernels) { return hoistReads(kernels), success(); });
  addStep([=](ModuleOp kernels) { return lowerMath(kernels, hasServices); });
  passes.addPass(createSCFToControlFlowPass());
  addStep(convertToLLVM);
  passes.addPass(createReconcileUnrealizedCastsPass());
}

LogicalResult lowerToLLVMDialect(ModuleOp kernels, const Target &target) {
  bool isGpu = isNvptx(target);
  if (isGpu)
    makeEntryPoints(kernels);
  PassManager passes(kernels.getContext());
  passes.enableVerifier(false); // LLVM IR is checked when it is translated
  addLowering(passes, /*hasServices=*/!isGpu);
  if (failed(passes.run(kernels)))
    return failure();
  if (isGpu)
    markEntryPoints(kernels);
  return success();
}

LogicalResult lowerModulesToLLVMDialect(ModuleOp parent) {
  PassManager passes(parent.getContext());
  passes.enableVerifier(false);
  addLowering(passes.nest<ModuleOp>(), /*hasServices=*/true);
  return passes.run(parent);
}

//===----------------------------------------------------------------------===//
// LLVM
//===----------------------------------------------------------------------===//

static std::unique_ptr<llvm::TargetMachine> makeTargetMachine(const Target &target, int optLevel,
                                                              std::string &error) {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeAllTargetInfos();
    llvm::InitializeAllTargets();
    llvm::InitializeAllTargetMCs();
    llvm::InitializeAllAsmPrinters();
    llvm::InitializeAllAsmParsers();
  });
  llvm::Triple triple(target.triple);
  const llvm::Target *backend = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return nullptr;
  std::string features;
  for (const std::string &feature : target.features)
    features += (features.empty() ? "+" : ",+") + feature;
  // Otherwise LLVM limits itself to half the width on AVX-512 machines.
  features += target.has("avx512f") ? ",-prefer-256-bit" : "";
  auto level = static_cast<llvm::CodeGenOptLevel>(std::clamp(optLevel, 0, 3));
  llvm::TargetOptions options;
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, target.cpu, features, options, llvm::Reloc::PIC_, std::nullopt, level));
}

static void setFunctionAttributes(llvm::Module &module, const Target &target) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", target.cpu);
    if (target.has("avx512f"))
      function.addFnAttr("prefer-vector-width", std::to_string(target.vectorBits));
    function.addFnAttr("no-builtins");
    function.addFnAttr("no-trapping-math", "true");
    function.setDoesNotThrow();
  }
}

/// For kernels that come with vectors and without variables in memory: to tidy up,
/// and to vectorise the loops of scalar code among them. A third of the time of
/// LLVM's own -O2, which finds little more (docs/Rationale/compile-time.md).
static constexpr llvm::StringRef kKernelPipeline =
    "loop-mssa(loop-rotate,licm),instcombine<no-verify-fixpoint>,loop(indvars),"
    "early-cse<memssa>,sccp,instcombine<no-verify-fixpoint>,jump-threading,loop-vectorize,"
    "loop-unroll<O2>,instcombine<no-verify-fixpoint>,simplifycfg";

/// For kernels whose template has laid out registers and unrolled its loops.
static constexpr llvm::StringRef kRegisterTilesPipeline =
    "loop-mssa(loop-rotate,licm),early-cse<memssa>,instcombine<no-verify-fixpoint>,"
    "loop(indvars),loop-vectorize,instcombine<no-verify-fixpoint>,simplifycfg";

/// Runs what kernels need, each function by itself.
static void runKernelPipelines(llvm::Module &module, llvm::PassBuilder &builder,
                               llvm::FunctionAnalysisManager &analyses) {
  llvm::FunctionPassManager general, registerTiles;
  llvm::cantFail(builder.parsePassPipeline(general, kKernelPipeline));
  llvm::cantFail(builder.parsePassPipeline(registerTiles, kRegisterTilesPipeline));
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      (function.hasFnAttribute(kRegisterTilesAttr) ? registerTiles : general)
          .run(function, analyses);
}

/// -O0: nothing; -O1 and -O2: what kernels need; -O3, and for GPUs: all that LLVM has.
static void runPipeline(llvm::Module &module, llvm::TargetMachine &machine, bool isGpu,
                        int optLevel) {
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = tuning.SLPVectorization = tuning.LoopInterleaving = optLevel > 1;
  llvm::PassBuilder builder(&machine, tuning);
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager callGraph;
  llvm::ModuleAnalysisManager modules;
  // An image imports nothing: no library function may be assumed to exist.
  llvm::TargetLibraryInfoImpl library(machine.getTargetTriple());
  library.disableAllFunctions();
  functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(callGraph);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, callGraph, modules);
  if (optLevel <= 0)
    builder.buildO0DefaultPipeline(llvm::OptimizationLevel::O0).run(module, modules);
  else if (isGpu || optLevel >= 3)
    builder.buildPerModuleDefaultPipeline(llvm::OptimizationLevel::O3).run(module, modules);
  else
    runKernelPipelines(module, builder, functions);
}

void allowTranslation(MLIRContext &context) {
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
}

std::unique_ptr<llvm::Module> translate(ModuleOp kernels, const Target &target,
                                        llvm::LLVMContext &context) {
  allowTranslation(*kernels.getContext());
  std::unique_ptr<llvm::Module> module = translateModuleToLLVMIR(kernels, context, "kernels");
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(target, /*optLevel=*/2, error);
  if (!module || !machine) {
    kernels.emitError() << "no code for " << target.name << ": " << error;
    return nullptr;
  }
  module->setTargetTriple(machine->getTargetTriple());
  module->setDataLayout(machine->createDataLayout());
  setFunctionAttributes(*module, target);
  return module;
}

void optimize(llvm::Module &module, const Target &target, int optLevel) {
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(target, optLevel, error);
  assert(machine && "translate() has made one");
  runPipeline(module, *machine, isNvptx(target), optLevel);
}

FailureOr<std::vector<uint8_t>> emitMachineCode(llvm::Module &module, const Target &target,
                                                bool assembly, Location loc) {
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = makeTargetMachine(target, 2, error);
  llvm::SmallVector<char, 0> buffer;
  llvm::raw_svector_ostream os(buffer);
  llvm::legacy::PassManager passes;
  auto type = assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if (!machine || machine->addPassesToEmitFile(passes, os, nullptr, type, /*DisableVerify=*/true))
    return emitError(loc) << "no machine code for " << target.name << ": " << error, failure();
  passes.run(module);
  return std::vector<uint8_t>(buffer.begin(), buffer.end());
}

} // namespace dsc
