//===- LaunchShape.cpp - blocks and shared memory of a kernel -------------===//
#include "LaunchShape.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;

namespace dsc {

static constexpr StringLiteral kShared = "dsc.shared";
/// NVPTX's number for shared memory.
static constexpr unsigned kSharedSpace = 3;

/// Registers that a thread may have: else the assembler spills a few of them to have
/// more blocks at once.
static constexpr int64_t kMostRegisters = 255, kBlockRegisters = 65536;

static void mark(Operation *function, LaunchShape shape) {
  Builder b(function->getContext());
  function->setAttr(NVVM::NVVMDialect::getReqntidAttrName(),
                    b.getDenseI32ArrayAttr({static_cast<int32_t>(shape.threads)}));
  function->setAttr(
      NVVM::NVVMDialect::getMaxnregAttrName(),
      b.getI32IntegerAttr(std::min<int64_t>(kMostRegisters, kBlockRegisters / shape.threads)));
  if (shape.sharedBytes)
    function->setAttr(kShared, b.getI64IntegerAttr(shape.sharedBytes));
}

static func::FuncOp functionOf(KernelEmitter &kernel) {
  Operation *parent = kernel.builder.getInsertionBlock()->getParentOp();
  auto function = dyn_cast<func::FuncOp>(parent);
  return function ? function : parent->getParentOfType<func::FuncOp>();
}

void setLaunchShape(KernelEmitter &kernel, LaunchShape shape) { mark(functionOf(kernel), shape); }

void completeLaunchShapes(ModuleOp kernels) {
  for (auto function : kernels.getOps<func::FuncOp>())
    if (!function->hasAttr(NVVM::NVVMDialect::getReqntidAttrName()))
      mark(function, {});
}

LaunchShape getLaunchShape(Operation *kernel) {
  LaunchShape shape;
  StringRef threads = NVVM::NVVMDialect::getReqntidAttrName();
  if (auto given = kernel->getAttrOfType<DenseI32ArrayAttr>(threads))
    shape.threads = given[0];
  if (auto given = kernel->getAttrOfType<IntegerAttr>(kShared))
    shape.sharedBytes = given.getInt();
  return shape;
}

Value sharedMemory(KernelEmitter &kernel) {
  OpBuilder &b = kernel.builder;
  auto module = functionOf(kernel)->getParentOfType<ModuleOp>();
  StringRef name = "dsc_shared_memory";
  auto global = module.lookupSymbol<LLVM::GlobalOp>(name);
  if (!global) {
    OpBuilder atStart(module.getBodyRegion());
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), 0);
    global = LLVM::GlobalOp::create(atStart, kernel.loc, type, /*isConstant=*/false,
                                    LLVM::Linkage::External, name, Attribute(), /*alignment=*/1024,
                                    kSharedSpace);
  }
  return LLVM::AddressOfOp::create(b, kernel.loc, global);
}

} // namespace dsc
