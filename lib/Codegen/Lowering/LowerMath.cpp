//===- LowerMath.cpp - functions of the math dialect ----------------------===//
//
// In float32 functions become polynomials, which LLVM vectorises with the loop around
// them. What is left (float64) is called through the services that the runtime passes
// to a kernel:
//   math.asinh %x : f64  =>  call services->math1[DSC_MATH_asinh](%x)
//
//===----------------------------------------------------------------------===//
#include "dsc/Codegen/Lowering/LowerKernels.h"

#include "ApproximateExp.h"
#include "ApproximateWide.h"
#include "dsc/Format/KernelABI.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Calls of services
//===----------------------------------------------------------------------===//

static std::optional<size_t> math1Offset(StringRef name) {
  int number = llvm::StringSwitch<int>(name)
#define DSC_X(function) .Case(#function, DSC_MATH_##function)
                   DSC_KERNEL_MATH1(DSC_X)
#undef DSC_X
                       .Default(-1);
  if (number < 0)
    return std::nullopt;
  return offsetof(dsc_kernel_services, math1) + number * sizeof(dsc_math1_fn);
}

static std::optional<size_t> math2Offset(StringRef name) {
  int number = llvm::StringSwitch<int>(name)
#define DSC_X(function) .Case(#function, DSC_MATH_##function)
                   DSC_KERNEL_MATH2(DSC_X)
#undef DSC_X
                       .Default(-1);
  if (number < 0)
    return std::nullopt;
  return offsetof(dsc_kernel_services, math2) + number * sizeof(dsc_math2_fn);
}

/// Where in dsc_kernel_services the function of a scalar op is.
static std::optional<size_t> serviceOffset(Operation *op) {
  StringRef name = op->getName().stripDialect();
  if (isa<math::PowFOp>(op))
    return math2Offset("pow");
  if (isa<arith::RemFOp>(op))
    return math2Offset("fmod");
  return op->getNumOperands() == 2 ? math2Offset(name) : math1Offset(name);
}

static Value pointerAt(OpBuilder &b, Location loc, Value base, size_t offset) {
  auto ptr = LLVM::LLVMPointerType::get(b.getContext());
  Value address = LLVM::GEPOp::create(b, loc, ptr, b.getI8Type(), base,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  auto load = LLVM::LoadOp::create(b, loc, ptr, address);
  load.setInvariant(true);
  return load;
}

/// Calls the function on one scalar; float64 is what all services compute in.
static Value callService(OpBuilder &b, Location loc, Value function, ValueRange operands) {
  SmallVector<Value> arguments{function};
  Type type = operands.front().getType();
  Type f64 = b.getF64Type();
  for (Value operand : operands)
    arguments.push_back(type == f64 ? operand : arith::ExtFOp::create(b, loc, f64, operand));
  SmallVector<Type> types(operands.size(), f64);
  auto callType = LLVM::LLVMFunctionType::get(f64, types);
  Value result = LLVM::CallOp::create(b, loc, callType, arguments).getResult();
  return type == f64 ? result : arith::TruncFOp::create(b, loc, type, result);
}

static void replaceByService(Operation *op, size_t offset) {
  auto function = op->getParentOfType<func::FuncOp>();
  Location loc = op->getLoc();
  // The function's address does not change: load it at the entry.
  OpBuilder entry = OpBuilder::atBlockBegin(&function.getBody().front());
  Value services =
      pointerAt(entry, loc, function.getArgument(0), offsetof(dsc_kernel_env, services));
  Value callee = pointerAt(entry, loc, services, offset);
  OpBuilder b(op);
  auto vector = dyn_cast<VectorType>(op->getResult(0).getType());
  Value result;
  if (!vector) {
    result = callService(b, loc, callee, op->getOperands());
  } else {
    result = arith::ConstantOp::create(b, loc, b.getZeroAttr(vector));
    for (int64_t i = 0; i < vector.getNumElements(); ++i) {
      SmallVector<Value> lanes;
      for (Value operand : op->getOperands())
        lanes.push_back(vector::ExtractOp::create(b, loc, operand, i));
      result = vector::InsertOp::create(b, loc, callService(b, loc, callee, lanes), result, i);
    }
  }
  op->getResult(0).replaceAllUsesWith(result);
  op->erase();
}

//===----------------------------------------------------------------------===//
// Approximations
//===----------------------------------------------------------------------===//

/// Functions whose approximation, upstream's or ours, is within a few ULP over the whole range.
static bool isApproximated(StringRef name) {
  return llvm::is_contained({"math.exp", "math.expm1", "math.log", "math.log2", "math.log1p",
                             "math.tanh", "math.erf", "math.atan"},
                            name);
}

bool needsService(Operation *op) {
  if (!isa<arith::RemFOp>(op) && !isa<math::MathDialect>(op->getDialect()))
    return false;
  bool isApproximate = isApproximated(op->getName().getStringRef()) || isWideApproximated(op);
  if (isApproximate && getElementTypeOrSelf(op->getResult(0).getType()).isF32())
    return false;
  return serviceOffset(op).has_value();
}

//===----------------------------------------------------------------------===//
// bfloat16
//===----------------------------------------------------------------------===//

/// Makes bf16 values, which are only moved once their conversions are expanded,
/// 16-bit integers: LLVM would carry a bf16 from block to block as a float32, and
/// call a library to narrow it again.
static void holdBFloat16AsBits(ModuleOp kernels) {
  Type bits = IntegerType::get(kernels.getContext(), 16);
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](BFloat16Type) { return bits; });
  replacer.addReplacement([&](FloatAttr value) -> std::optional<Attribute> {
    if (!value.getType().isBF16())
      return std::nullopt;
    return IntegerAttr::get(bits, value.getValue().bitcastToAPInt());
  });
  replacer.addReplacement([&](DenseElementsAttr value) -> std::optional<Attribute> {
    if (!value.getElementType().isBF16())
      return std::nullopt;
    return value.bitcast(bits);
  });
  replacer.recursivelyReplaceElementsIn(kernels, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

LogicalResult lowerMath(ModuleOp kernels, bool hasServices) {
  MLIRContext *context = kernels.getContext();
  RewritePatternSet patterns(context);
  populateMathAlgebraicSimplificationPatterns(patterns);
  populateExpApproximation(patterns);
  populateWideApproximations(patterns);
  populateMathPolynomialApproximationPatterns(
      patterns, [](StringRef name) { return name != "math.exp" && isApproximated(name); });
  arith::populateExpandBFloat16Patterns(patterns);
  if (failed(applyPatternsGreedily(kernels, std::move(patterns))))
    return failure();
  SmallVector<std::pair<Operation *, size_t>> calls;
  kernels.walk([&](Operation *op) {
    if (isa<arith::RemFOp>(op) || isa<math::MathDialect>(op->getDialect()))
      if (std::optional<size_t> offset = serviceOffset(op))
        calls.push_back({op, *offset});
  });
  if (!hasServices && !calls.empty())
    return calls.front().first->emitError()
           << "'" << calls.front().first->getName() << "' is not supported on GPUs yet";
  for (auto [op, offset] : calls)
    replaceByService(op, offset);
  holdBFloat16AsBits(kernels);
  return success();
}

} // namespace dsc
