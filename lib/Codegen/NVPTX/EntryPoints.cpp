//===- EntryPoints.cpp - kernels as functions that a GPU starts -----------===//
#include "EntryPoints.h"
#include "LaunchShape.h"

#include "dsc/Format/KernelABI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace dsc {

/// NVPTX's number for global memory.
static constexpr unsigned kGlobal = 1;

namespace {
/// The loads through a pointer argument of a kernel, by the index or offset of
/// their address: KernelEmitter has written a GEP and a load for each.
using Fields = llvm::MapVector<int64_t, SmallVector<LLVM::LoadOp>>;

/// Rewrites one function.
class EntryPoint {
public:
  explicit EntryPoint(func::FuncOp function) : function(function), b(function.getContext()) {}
  void rewrite();

private:
  void replaceEnvironment();
  void replaceBuffers();
  void replaceSizes();
  void replaceStatus();
  Value addArgument(Type type) { return function.front().addArgument(type, function.getLoc()); }
  Value threadNumber();
  Value threadCount();
  template <typename Register> Value read() {
    Value number = Register::create(b, function.getLoc(), b.getI32Type());
    return arith::ExtUIOp::create(b, function.getLoc(), b.getI64Type(), number);
  }

  func::FuncOp function;
  OpBuilder b;
};
} // namespace

static Fields collectFields(Value pointer) {
  Fields fields;
  for (Operation *user : pointer.getUsers()) {
    auto address = cast<LLVM::GEPOp>(user);
    SmallVector<LLVM::LoadOp> &loads = fields[address.getRawConstantIndices().front()];
    for (Operation *load : address->getUsers())
      loads.push_back(cast<LLVM::LoadOp>(load));
  }
  return fields;
}

/// Replaces the loads by `value` and erases them with their addresses.
static void replaceLoads(ArrayRef<LLVM::LoadOp> loads, Value value) {
  for (LLVM::LoadOp load : loads) {
    Operation *address = load.getAddr().getDefiningOp();
    load->replaceAllUsesWith(ValueRange(value));
    load->erase();
    if (address->use_empty())
      address->erase();
  }
}

Value EntryPoint::threadNumber() {
  Value block = read<NVVM::BlockIdXOp>(), size = read<NVVM::BlockDimXOp>();
  Value before = arith::MulIOp::create(b, function.getLoc(), block, size);
  return arith::AddIOp::create(b, function.getLoc(), before, read<NVVM::ThreadIdXOp>());
}

Value EntryPoint::threadCount() {
  Value blocks = read<NVVM::GridDimXOp>(), size = read<NVVM::BlockDimXOp>();
  return arith::MulIOp::create(b, function.getLoc(), blocks, size);
}

void EntryPoint::replaceEnvironment() {
  for (auto &[offset, loads] : collectFields(function.getArgument(0))) {
    b.setInsertionPointToStart(&function.front());
    if (offset == offsetof(dsc_kernel_env, part))
      replaceLoads(loads, threadNumber());
    else if (offset == offsetof(dsc_kernel_env, parts))
      replaceLoads(loads, threadCount());
    else // no template for GPUs uses scratch memory or services
      replaceLoads(loads, LLVM::ZeroOp::create(b, function.getLoc(), loads.front().getType()));
  }
}

void EntryPoint::replaceBuffers() {
  Fields fields = collectFields(function.getArgument(1));
  Type global = LLVM::LLVMPointerType::get(b.getContext(), kGlobal);
  for (int64_t i = 0, end = fields.size(); i < end; ++i) {
    b.setInsertionPointToStart(&function.front());
    Value buffer = addArgument(global);
    Type generic = fields[i].front().getType();
    replaceLoads(fields[i], LLVM::AddrSpaceCastOp::create(b, function.getLoc(), generic, buffer));
  }
}

void EntryPoint::replaceSizes() {
  Fields fields = collectFields(function.getArgument(2));
  for (int64_t i = 0, end = fields.size(); i < end; ++i)
    replaceLoads(fields[i], addArgument(b.getI64Type()));
}

/// Instead of returning a status, raises the caller's.
void EntryPoint::replaceStatus() {
  Value status = addArgument(LLVM::LLVMPointerType::get(b.getContext(), kGlobal));
  auto end = cast<func::ReturnOp>(function.back().getTerminator());
  Location loc = end.getLoc();
  b.setInsertionPoint(end);
  Value code = end.getOperand(0);
  Value ok = arith::ConstantOp::create(b, loc, b.getI32IntegerAttr(DSC_KERNEL_OK));
  Value failed = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, code, ok);
  auto branch = scf::IfOp::create(b, loc, failed, /*withElseRegion=*/false);
  OpBuilder inside = branch.getThenBodyBuilder();
  LLVM::AtomicRMWOp::create(inside, loc, LLVM::AtomicBinOp::umax, status, code,
                            LLVM::AtomicOrdering::monotonic);
  func::ReturnOp::create(b, loc);
  end->erase();
}

void EntryPoint::rewrite() {
  replaceEnvironment();
  replaceBuffers();
  replaceSizes();
  replaceStatus();
  Block &entry = function.front();
  entry.eraseArguments(0, 3);
  function.setFunctionType(b.getFunctionType(entry.getArgumentTypes(), {}));
}

void makeEntryPoints(ModuleOp kernels) {
  completeLaunchShapes(kernels);
  for (auto function : kernels.getOps<func::FuncOp>())
    EntryPoint(function).rewrite();
}

void markEntryPoints(ModuleOp kernels) {
  for (auto function : kernels.getOps<LLVM::LLVMFuncOp>())
    if (!function.isExternal())
      function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                        UnitAttr::get(kernels.getContext()));
}

} // namespace dsc
