//===- DscInterfaces.td - what passes ask ops ------------------*- tablegen -*-===//
#ifndef DSC_INTERFACES_TD
#define DSC_INTERFACES_TD

include "mlir/IR/OpBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Dsc_ComputeOp : OpInterface<"ComputeOp"> {
  let cppNamespace = "::dsc";
  let description = [{
    An operator: what it is called in ONNX, what types it gives, what it computes.
  }];
  let methods = [
    StaticInterfaceMethod<[{
        Name of the ONNX operator (empty: dsc's own), with the domain in front
        where it is not ai.onnx.
      }], "::llvm::StringRef", "getOnnxName", (ins)>,
    StaticInterfaceMethod<[{
        Operands of the ONNX operator that become attributes when it is imported,
        because shapes or loops depend on their contents.
      }], "::llvm::ArrayRef<::dsc::ContentOperand>", "getContentOperands", (ins), [{}], [{
        return {};
      }]>,
    StaticInterfaceMethod<[{
        The operand whose elements that are not zero must be counted before the op
        can be built, because its result has as many: the importer binds a
        `dsc.count_nonzero` of it to a symbol and sets the attribute `count` to
        that size.
      }], "::std::optional<unsigned>", "getCountedOperand", (ins), [{}], [{
        return ::std::nullopt;
      }]>,
    StaticInterfaceMethod<[{
        Number of results of the op for an ONNX node with `numOutputs` outputs.
      }], "unsigned", "getResultCount", (ins "unsigned":$numOutputs), [{}], [{
        return 1;
      }]>,
    InterfaceMethod<[{
        Computes the result types from operands and attributes; reports what does
        not fit and collects conditions that only run time can check. Must not
        look at the op's own result types.
      }], "::llvm::LogicalResult", "inferTypes", (ins "::dsc::TypeInference &":$inference)>,
    InterfaceMethod<[{
        The computation (see Spec.h). Fails with a diagnostic for types that the
        op does not compute in.
      }], "::llvm::FailureOr<::dsc::Spec>", "getSpec", (ins), [{}], [{
        return ::dsc::specNotDefined($_op.getOperation());
      }]>,
    InterfaceMethod<[{
        The same results computed by simpler ops, built with `builder`: what an op
        without a Spec (or one whose Spec no template takes) is replaced by. Fails
        without a diagnostic where there is no such form.
      }], "::llvm::LogicalResult", "decompose",
      (ins "::mlir::OpBuilder &":$builder, "::llvm::SmallVectorImpl<::mlir::Value> &":$values), [{}], [{
        return ::llvm::failure();
      }]>,
    InterfaceMethod<[{
        The operand whose elements, in row-major order, are the result's: the op
        only gives them another shape (Reshape, Squeeze). None: it computes.
      }], "::mlir::Value", "getViewSource", (ins), [{}], [{
        return {};
      }]>,
    InterfaceMethod<[{
        Whether this operand may be of a shorter float type than the others: each of
        its elements is extended where it is read.
      }], "bool", "mayReadShort", (ins "unsigned":$operand), [{}], [{
        return false;
      }]>,
  ];
  let verify = [{ return ::dsc::verifyComputeOp($_op); }];
}

#endif
