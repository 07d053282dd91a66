//===- GpuCode.cpp - kernels as the code of a container's GPU variant -----===//
#include "GpuCode.h"

#include "LaunchShape.h"
#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Program.h"

using namespace mlir;

namespace dsc {

/// Cubins start at multiples of this, as their ELF headers want it.
static constexpr size_t kCubinAlignment = 64;

static std::vector<format::BlockShape> blockShapes(ModuleOp kernels,
                                                   const std::vector<std::string> &names) {
  std::vector<format::BlockShape> blocks;
  for (const std::string &name : names) {
    LaunchShape shape = getLaunchShape(kernels.lookupSymbol(name));
    blocks.push_back(
        {static_cast<uint32_t>(shape.threads), static_cast<uint32_t>(shape.sharedBytes)});
  }
  return blocks;
}

/// What ptxas makes of `ptx`. Empty, after a warning, where it fails: the driver
/// assembles the PTX then.
static std::string assemble(StringRef ptxas, StringRef ptx, const Target &target, Location loc) {
  SmallString<128> input, output, log;
  for (SmallString<128> *path : {&input, &output, &log})
    if (llvm::sys::fs::createTemporaryFile("dsc", "ptx", *path))
      return emitWarning(loc, "no temporary file for ptxas"), std::string();
  llvm::FileRemover removeInput(input), removeOutput(output), removeLog(log);
  std::error_code error;
  {
    llvm::raw_fd_ostream file(input, error);
    file << ptx;
  }
  std::string architecture = "-arch=" + target.cpu;
  StringRef arguments[] = {ptxas, architecture, input, "-o", output};
  std::optional<StringRef> redirects[] = {std::nullopt, StringRef(log), StringRef(log)};
  int status = llvm::sys::ExecuteAndWait(ptxas, arguments, std::nullopt, redirects);
  auto cubin = llvm::MemoryBuffer::getFile(output);
  if (status == 0 && cubin)
    return (*cubin)->getBuffer().str();
  auto text = llvm::MemoryBuffer::getFile(log);
  emitWarning(loc) << "ptxas fails, the artifact holds PTX alone: "
                   << (text ? (*text)->getBuffer().trim() : "no output");
  return {};
}

FailureOr<format::Variant> makeGpuCode(ModuleOp kernels, const std::vector<std::string> &names,
                                       const Target &target, int optLevel, Location loc) {
  if (failed(lowerToLLVMDialect(kernels, target)))
    return kernels.emitError("a kernel cannot be lowered"), failure();
  format::Variant variant;
  variant.kind = format::Variant::Nvptx;
  variant.target = target.name;
  variant.architecture = "nvptx64";
  variant.features = {target.cpu};
  variant.blocks = blockShapes(kernels, names);
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module = translate(kernels, target, context);
  if (!module)
    return failure();
  optimize(*module, target, optLevel);
  FailureOr<std::vector<uint8_t>> ptx = emitMachineCode(*module, target, /*assembly=*/true, loc);
  if (failed(ptx))
    return failure();
  variant.code = std::move(*ptx);
  std::string cubin;
  if (auto ptxas = llvm::sys::findProgramByName("ptxas"); ptxas && !names.empty())
    cubin = assemble(*ptxas,
                     StringRef(reinterpret_cast<char *>(variant.code.data()), variant.code.size()),
                     target, loc);
  variant.code.push_back(0);
  if (cubin.empty())
    return variant;
  variant.code.resize(llvm::alignTo(variant.code.size(), kCubinAlignment));
  variant.cubinOffset = variant.code.size();
  variant.code.insert(variant.code.end(), cubin.begin(), cubin.end());
  return variant;
}

} // namespace dsc
