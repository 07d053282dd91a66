//===- DscDialect.td - the dsc dialect -------------------------*- tablegen -*-===//
#ifndef DSC_DIALECT_TD
#define DSC_DIALECT_TD

include "mlir/IR/OpBase.td"

def Dsc_Dialect : Dialect {
  let name = "dsc";
  let cppNamespace = "::dsc";
  let summary = "ONNX graphs from import to kernels";
  let description = [{
    Every ONNX operator that the compiler knows is one op here, in the newest
    version of its semantics. Values are builtin tensors; a tensor with symbolic
    sizes carries them in a `#dsc.tensor` encoding. The assembly prints tensor
    types in short form: `f32[N,64,H floordiv 2]`. Unsigned integers are `u8`,
    signed ones `i8`, booleans `bool`.
  }];
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
  let extraClassDeclaration = [{
    void registerAttributes();
    void registerOps();
  }];
}

#endif
