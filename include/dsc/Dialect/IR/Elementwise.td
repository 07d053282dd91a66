//===- Elementwise.td - operators that work on single elements -*- tablegen -*-===//
//
// An operator here is one line: its name, ONNX's name, and the scalar code in
// terms of ScalarBuilder (`s`) and the operands' elements (`x`). Operands are
// broadcast as ONNX says; 16-bit floats are computed in float32 and rounded.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_ELEMENTWISE_TD
#define DSC_ELEMENTWISE_TD

include "dsc/Dialect/IR/DscBase.td"

/// `resultType`: text giving the result's element type from the first operand's `type`.
class Dsc_ElementwiseOp<string mnemonic, string onnx, code scalar, code resultType = "type",
                        list<Trait> traits = []>
    : Dsc_Op<mnemonic, onnx, traits> {
  let results = (outs Dsc_Tensor:$result);
  let definitions = [{
    ::llvm::LogicalResult $cppClass::inferTypes(::dsc::TypeInference &inference) {
      return ::dsc::inferElementwise(getOperation(), inference, [&](::mlir::Type type) -> ::mlir::Type {
        return }] # resultType # [{;
      });
    }
    ::llvm::FailureOr<::dsc::Spec> $cppClass::getSpec() {
      return ::dsc::elementwiseSpec(getOperation(), [&](::dsc::ScalarBuilder &s, ::mlir::ValueRange x) -> ::mlir::Value {
        }] # scalar # [{
      });
    }
  }];
}

class Dsc_UnaryOp<string mnemonic, string onnx, code scalar, code resultType = "type">
    : Dsc_ElementwiseOp<mnemonic, onnx, scalar, resultType> {
  let arguments = (ins Dsc_Tensor:$x);
}
class Dsc_BinaryOp<string mnemonic, string onnx, code scalar, code resultType = "type">
    : Dsc_ElementwiseOp<mnemonic, onnx, scalar, resultType> {
  let arguments = (ins Dsc_Tensor:$a, Dsc_Tensor:$b);
}
class Dsc_CompareOp<string mnemonic, string onnx, code scalar>
    : Dsc_BinaryOp<mnemonic, onnx, scalar, "::mlir::IntegerType::get(getContext(), 1)">;
/// Any number of operands, combined from left to right.
class Dsc_VariadicOp<string mnemonic, string onnx, code scalar>
    : Dsc_ElementwiseOp<mnemonic, onnx, scalar> {
  let arguments = (ins Variadic<Dsc_Tensor>:$inputs);
}

def Dsc_AddOp : Dsc_BinaryOp<"add", "Add", "return s.add(x[0], x[1]);">;
def Dsc_SubOp : Dsc_BinaryOp<"sub", "Sub", "return s.sub(x[0], x[1]);">;
def Dsc_MulOp : Dsc_BinaryOp<"mul", "Mul", "return s.mul(x[0], x[1]);">;
def Dsc_DivOp : Dsc_BinaryOp<"div", "Div", "return s.div(x[0], x[1]);">;

#endif
