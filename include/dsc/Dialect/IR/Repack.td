//===- Repack.td - weights in a kernel's layout ----------------*- tablegen -*-===//
#ifndef DSC_REPACK_TD
#define DSC_REPACK_TD

include "dsc/Dialect/IR/DscBase.td"

def Dsc_RepackOp : Op<Dsc_Dialect, "repack", [DeclareOpInterfaceMethods<Dsc_ComputeOp, ["getSpec"]>]> {
  let summary = "a constant's elements in the order in which a kernel reads them";
  let description = [{
    `map` leads from an element of the result to the element of the source that it
    is; outside of the source it is 0. Each expression is a sum of the result's
    indices times constants:
      dsc.repack %w {map = affine_map<(p, k, j) -> (k, p * 16 + j)>}
        : f32[768,3072] -> f32[192,768,16]
    Evaluated while the weights are written. It has no users: the template that put
    it there finds it among the users of the source (findRepacked), whose place it
    takes in the kernel; so it is not Pure.
  }];
  let arguments = (ins Dsc_Tensor:$source, AffineMapAttr:$map);
  let results = (outs Dsc_Tensor:$result);
  let hasCustomAssemblyFormat = 1;
  let extraClassDefinition = [{
    ::mlir::ParseResult $cppClass::parse(::mlir::OpAsmParser &parser, ::mlir::OperationState &result) {
      return ::dsc::parseShortForm(parser, result);
    }
    void $cppClass::print(::mlir::OpAsmPrinter &printer) {
      ::dsc::printShortForm(printer, getOperation());
    }
    ::llvm::StringRef $cppClass::getOnnxName() { return ""; }
  }];
}

#endif
