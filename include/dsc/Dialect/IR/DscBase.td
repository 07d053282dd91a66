//===- DscBase.td - classes that op definitions build on -------*- tablegen -*-===//
#ifndef DSC_BASE_TD
#define DSC_BASE_TD

include "dsc/Dialect/IR/DscAttrs.td"
include "dsc/Dialect/IR/DscInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"

/// A tensor, or `none` where an optional ONNX input is left out.
def Dsc_Tensor : AnyTypeOf<[AnyRankedTensor]>;
def Dsc_OptionalTensor : AnyTypeOf<[AnyRankedTensor, NoneType]>;

/// An ONNX operator. All of them print as
///   %y = dsc.conv %x, %w, %b {strides = array<i64: 2, 2>} : f32[..], f32[..], f32[..] -> f32[..]
/// `methods`: those of ComputeOp's methods with a default that the op defines.
class Dsc_Op<string mnemonic, string onnx, list<Trait> traits = [], list<string> methods = ["getSpec"]>
    : Op<Dsc_Dialect, mnemonic, traits # [Pure, DeclareOpInterfaceMethods<Dsc_ComputeOp, methods>]> {
  let hasCustomAssemblyFormat = 1;
  /// Text of the op's own definitions, after those that every op has.
  code definitions = "";
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser, ::mlir::OperationState &result) {
      return ::dsc::parseShortForm(parser, result);
    }
    ::llvm::StringRef $cppClass::getOnnxName() { return "}] # onnx # [{"; }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      ::dsc::printShortForm(printer, getOperation());
    }
  }] # definitions;
}

#endif
