//===- Elementwise.td - operators that work on single elements -*- tablegen -*-===//
//
// An operator here is one line: its name, ONNX's name, and the scalar code in
// terms of ScalarBuilder (`s`) and the operands' elements (`x`). Operands are
// broadcast as ONNX says; 16-bit floats are computed in float32 and rounded.
// What takes more than a line of scalar code is in ScalarFunctions.h.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_ELEMENTWISE_TD
#define DSC_ELEMENTWISE_TD

include "dsc/Dialect/IR/DscBase.td"

//===----------------------------------------------------------------------===//
// Element types as ONNX groups them
//===----------------------------------------------------------------------===//

defvar floatTypes = [F16, BF16, F32, F64];
defvar signedTypes = [I8, I16, I32, I64];
defvar unsignedTypes = [UI8, UI16, UI32, UI64];

def Dsc_FloatTensor : RankedTensorOf<floatTypes>;
def Dsc_IntegerTensor : RankedTensorOf<signedTypes # unsignedTypes>;
/// Numbers that may be negative.
def Dsc_SignedTensor : RankedTensorOf<floatTypes # signedTypes>;
def Dsc_NumberTensor : RankedTensorOf<floatTypes # signedTypes # unsignedTypes>;
def Dsc_BoolTensor : RankedTensorOf<[I1]>;
/// All that are computed with.
def Dsc_ElementTensor : RankedTensorOf<floatTypes # signedTypes # unsignedTypes # [I1]>;

defvar boolResult = "::mlir::IntegerType::get(getContext(), 1)";

//===----------------------------------------------------------------------===//
// Classes
//===----------------------------------------------------------------------===//

/// `resultType`: text giving the result's element type from the first operand's
/// `type`; a null type means that it reported an error.
class Dsc_ElementwiseOp<string mnemonic, string onnx, dag args, code scalar, code resultType = "type",
                        list<Trait> traits = []>
    : Dsc_Op<mnemonic, onnx, traits> {
  let arguments = args;
  let results = (outs Dsc_Tensor:$result);
  /// Whether operands may have different element types.
  bit allowMixed = 0;
  let definitions = [{
    ::llvm::LogicalResult $cppClass::inferTypes(::dsc::TypeInference &inference) {
      return ::dsc::inferElementwise(getOperation(), inference, [&](::mlir::Type type) -> ::mlir::Type {
        return }] # resultType # [{;
      }, }] # !if(allowMixed, "true", "false") # [{);
    }
    ::llvm::FailureOr<::dsc::Spec> $cppClass::getSpec() {
      return ::dsc::elementwiseSpec(getOperation(), [&](::dsc::ScalarBuilder &s, ::mlir::ValueRange x) -> ::mlir::Value {
        }] # scalar # [{
      });
    }
  }];
}

class Dsc_UnaryOp<string mnemonic, string onnx, TypeConstraint tensor, code scalar,
                  dag attributes = (ins), code resultType = "type">
    : Dsc_ElementwiseOp<mnemonic, onnx, !con((ins tensor:$x), attributes), scalar, resultType>;
/// A function of floats that the math dialect has.
class Dsc_MathOp<string mnemonic, string onnx, string mathOp>
    : Dsc_UnaryOp<mnemonic, onnx, Dsc_FloatTensor, "return s.math<::mlir::math::" # mathOp # ">(x[0]);">;
class Dsc_BinaryOp<string mnemonic, string onnx, TypeConstraint tensor, code scalar,
                   dag attributes = (ins), code resultType = "type">
    : Dsc_ElementwiseOp<mnemonic, onnx, !con((ins tensor:$a, tensor:$b), attributes), scalar, resultType>;
class Dsc_CompareOp<string mnemonic, string onnx, TypeConstraint tensor, code scalar>
    : Dsc_BinaryOp<mnemonic, onnx, tensor, scalar, (ins), boolResult>;
/// Any number of operands, combined from left to right: `step` gives the new
/// `result` from the old one and the `next` element, `last` what is returned.
class Dsc_VariadicOp<string mnemonic, string onnx, Type tensor, code step, code last = "result">
    : Dsc_ElementwiseOp<mnemonic, onnx, (ins Variadic<tensor>:$inputs), [{
        ::mlir::Value result = x.front();
        for (::mlir::Value next : x.drop_front())
          result = }] # step # [{;
        return }] # last # ";">;

/// A float attribute with ONNX's default, a C++ literal.
class Dsc_Float<string default> : DefaultValuedAttr<F32Attr, default>;
/// An integer attribute with ONNX's default.
class Dsc_Int<string default> : DefaultValuedAttr<I64Attr, default>;
class Dsc_OneOf<list<string> values>
    : AttrConstraint<Or<!foreach(value, values,
                                 CPred<"::llvm::cast<::mlir::StringAttr>($_self).getValue() == \"" # value # "\"">)>,
                     "one of " # !interleave(values, ", ")>;

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

def Dsc_AddOp : Dsc_BinaryOp<"add", "Add", Dsc_NumberTensor, "return s.add(x[0], x[1]);">;
def Dsc_SubOp : Dsc_BinaryOp<"sub", "Sub", Dsc_NumberTensor, "return s.sub(x[0], x[1]);">;
def Dsc_MulOp : Dsc_BinaryOp<"mul", "Mul", Dsc_NumberTensor, "return s.mul(x[0], x[1]);">;
def Dsc_DivOp : Dsc_BinaryOp<"div", "Div", Dsc_NumberTensor, "return s.div(x[0], x[1]);">;
def Dsc_ModOp : Dsc_BinaryOp<"mod", "Mod", Dsc_NumberTensor,
    "return getFmod() ? s.rem(x[0], x[1]) : floorMod(s, x[0], x[1]);", (ins Dsc_Int<"0">:$fmod)>;
/// The result has the base's type.
def Dsc_PowOp : Dsc_ElementwiseOp<"pow", "Pow", (ins Dsc_SignedTensor:$x, Dsc_NumberTensor:$y),
    "return power(s, x[0], x[1], getElementType(getY()));"> {
  let allowMixed = 1;
}

def Dsc_MinOp : Dsc_VariadicOp<"min", "Min", Dsc_NumberTensor, "s.min(result, next)">;
def Dsc_MaxOp : Dsc_VariadicOp<"max", "Max", Dsc_NumberTensor, "s.max(result, next)">;
def Dsc_SumOp : Dsc_VariadicOp<"sum", "Sum", Dsc_FloatTensor, "s.add(result, next)">;
def Dsc_MeanOp : Dsc_VariadicOp<"mean", "Mean", Dsc_FloatTensor, "s.add(result, next)",
                                "s.div(result, s.constant(x.size()))">;

def Dsc_AbsOp : Dsc_UnaryOp<"abs", "Abs", Dsc_NumberTensor, "return s.abs(x[0]);">;
def Dsc_NegOp : Dsc_UnaryOp<"neg", "Neg", Dsc_SignedTensor, "return s.neg(x[0]);">;
def Dsc_SignOp : Dsc_UnaryOp<"sign", "Sign", Dsc_NumberTensor, "return sign(s, x[0]);">;
def Dsc_ReciprocalOp : Dsc_UnaryOp<"reciprocal", "Reciprocal", Dsc_FloatTensor,
    "return s.div(s.constant(1), x[0]);">;

def Dsc_ClipOp : Dsc_ElementwiseOp<"clip", "Clip",
    (ins Dsc_NumberTensor:$input, Dsc_OptionalTensor:$min, Dsc_OptionalTensor:$max), [{
      ::mlir::Value result = x[0];
      if (!isAbsent(getMin()))
        result = s.max(result, x[1]);
      return isAbsent(getMax()) ? result : s.min(result, x.back());
    }]>;

//===----------------------------------------------------------------------===//
// Functions of floats
//===----------------------------------------------------------------------===//

def Dsc_SqrtOp : Dsc_MathOp<"sqrt", "Sqrt", "SqrtOp">;
def Dsc_ExpOp : Dsc_MathOp<"exp", "Exp", "ExpOp">;
def Dsc_LogOp : Dsc_MathOp<"log", "Log", "LogOp">;
def Dsc_CeilOp : Dsc_MathOp<"ceil", "Ceil", "CeilOp">;
def Dsc_FloorOp : Dsc_MathOp<"floor", "Floor", "FloorOp">;
def Dsc_RoundOp : Dsc_MathOp<"round", "Round", "RoundEvenOp">;
def Dsc_SinOp : Dsc_MathOp<"sin", "Sin", "SinOp">;
def Dsc_CosOp : Dsc_MathOp<"cos", "Cos", "CosOp">;
def Dsc_TanOp : Dsc_MathOp<"tan", "Tan", "TanOp">;
def Dsc_AsinOp : Dsc_MathOp<"asin", "Asin", "AsinOp">;
def Dsc_AcosOp : Dsc_MathOp<"acos", "Acos", "AcosOp">;
def Dsc_AtanOp : Dsc_MathOp<"atan", "Atan", "AtanOp">;
def Dsc_SinhOp : Dsc_MathOp<"sinh", "Sinh", "SinhOp">;
def Dsc_CoshOp : Dsc_MathOp<"cosh", "Cosh", "CoshOp">;
def Dsc_TanhOp : Dsc_MathOp<"tanh", "Tanh", "TanhOp">;
def Dsc_AsinhOp : Dsc_MathOp<"asinh", "Asinh", "AsinhOp">;
def Dsc_AcoshOp : Dsc_MathOp<"acosh", "Acosh", "AcoshOp">;
def Dsc_AtanhOp : Dsc_MathOp<"atanh", "Atanh", "AtanhOp">;
def Dsc_ErfOp : Dsc_MathOp<"erf", "Erf", "ErfOp">;

def Dsc_IsNaNOp : Dsc_UnaryOp<"is_nan", "IsNaN", Dsc_FloatTensor, "return s.isNan(x[0]);", (ins), boolResult>;
def Dsc_IsInfOp : Dsc_UnaryOp<"is_inf", "IsInf", Dsc_FloatTensor,
    "return isInf(s, x[0], getDetectNegative(), getDetectPositive());",
    (ins Dsc_Int<"1">:$detect_negative, Dsc_Int<"1">:$detect_positive), boolResult>;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

def Dsc_ReluOp : Dsc_UnaryOp<"relu", "Relu", Dsc_SignedTensor, "return s.max(x[0], s.constant(0));">;
def Dsc_LeakyReluOp : Dsc_UnaryOp<"leaky_relu", "LeakyRelu", Dsc_FloatTensor,
    "return whereNegative(s, x[0], s.mul(x[0], s.constant(getAlpha())), x[0]);", (ins Dsc_Float<"0.01f">:$alpha)>;
def Dsc_PReluOp : Dsc_ElementwiseOp<"prelu", "PRelu", (ins Dsc_NumberTensor:$x, Dsc_NumberTensor:$slope),
    "return whereNegative(s, x[0], s.mul(x[0], x[1]), x[0]);">;
def Dsc_EluOp : Dsc_UnaryOp<"elu", "Elu", Dsc_FloatTensor,
    "return elu(s, x[0], getAlpha());", (ins Dsc_Float<"1.0f">:$alpha)>;
def Dsc_SeluOp : Dsc_UnaryOp<"selu", "Selu", Dsc_FloatTensor,
    "return s.mul(elu(s, x[0], getAlpha()), s.constant(getGamma()));",
    (ins Dsc_Float<"1.67326319f">:$alpha, Dsc_Float<"1.05070102f">:$gamma)>;
def Dsc_CeluOp : Dsc_UnaryOp<"celu", "Celu", Dsc_FloatTensor,
    "return celu(s, x[0], getAlpha());", (ins Dsc_Float<"1.0f">:$alpha)>;
def Dsc_ThresholdedReluOp : Dsc_UnaryOp<"thresholded_relu", "ThresholdedRelu", Dsc_FloatTensor,
    "return s.select(s.gt(x[0], s.constant(getAlpha())), x[0], s.constant(0));", (ins Dsc_Float<"1.0f">:$alpha)>;
def Dsc_ShrinkOp : Dsc_UnaryOp<"shrink", "Shrink", Dsc_NumberTensor,
    "return shrink(s, x[0], getLambd(), getBias());", (ins Dsc_Float<"0.5f">:$lambd, Dsc_Float<"0.0f">:$bias)>;
def Dsc_SigmoidOp : Dsc_UnaryOp<"sigmoid", "Sigmoid", Dsc_FloatTensor, "return sigmoid(s, x[0]);">;
def Dsc_HardSigmoidOp : Dsc_UnaryOp<"hard_sigmoid", "HardSigmoid", Dsc_FloatTensor,
    "return hardSigmoid(s, x[0], getAlpha().convertToDouble(), getBeta().convertToDouble());",
    (ins Dsc_Float<"0.2f">:$alpha, Dsc_Float<"0.5f">:$beta)>;
def Dsc_HardSwishOp : Dsc_UnaryOp<"hard_swish", "HardSwish", Dsc_FloatTensor,
    "return s.mul(x[0], hardSigmoid(s, x[0], 1.0 / 6, 0.5));">;
def Dsc_SwishOp : Dsc_UnaryOp<"swish", "Swish", Dsc_FloatTensor,
    "return s.mul(x[0], sigmoid(s, s.mul(x[0], s.constant(getAlpha()))));", (ins Dsc_Float<"1.0f">:$alpha)>;
def Dsc_MishOp : Dsc_UnaryOp<"mish", "Mish", Dsc_FloatTensor,
    "return s.mul(x[0], s.math<::mlir::math::TanhOp>(softplus(s, x[0])));">;
def Dsc_GeluOp : Dsc_UnaryOp<"gelu", "Gelu", Dsc_FloatTensor,
    "return getApproximate() == \"tanh\" ? geluTanh(s, x[0]) : gelu(s, x[0]);",
    (ins ConfinedAttr<DefaultValuedStrAttr<StrAttr, "none">, [Dsc_OneOf<["none", "tanh"]>]>:$approximate)>;
def Dsc_SoftplusOp : Dsc_UnaryOp<"softplus", "Softplus", Dsc_FloatTensor, "return softplus(s, x[0]);">;
def Dsc_SoftsignOp : Dsc_UnaryOp<"softsign", "Softsign", Dsc_FloatTensor,
    "return s.div(x[0], s.add(s.abs(x[0]), s.constant(1)));">;

//===----------------------------------------------------------------------===//
// Logic, bits, comparisons
//===----------------------------------------------------------------------===//

def Dsc_NotOp : Dsc_UnaryOp<"not", "Not", Dsc_BoolTensor, "return s.logicalNot(x[0]);">;
def Dsc_AndOp : Dsc_BinaryOp<"and", "And", Dsc_BoolTensor, "return s.logicalAnd(x[0], x[1]);">;
def Dsc_OrOp : Dsc_BinaryOp<"or", "Or", Dsc_BoolTensor, "return s.logicalOr(x[0], x[1]);">;
def Dsc_XorOp : Dsc_BinaryOp<"xor", "Xor", Dsc_BoolTensor, "return s.logicalXor(x[0], x[1]);">;

def Dsc_BitwiseNotOp : Dsc_UnaryOp<"bitwise_not", "BitwiseNot", Dsc_IntegerTensor, "return s.bitNot(x[0]);">;
def Dsc_BitwiseAndOp : Dsc_BinaryOp<"bitwise_and", "BitwiseAnd", Dsc_IntegerTensor, "return s.bitAnd(x[0], x[1]);">;
def Dsc_BitwiseOrOp : Dsc_BinaryOp<"bitwise_or", "BitwiseOr", Dsc_IntegerTensor, "return s.bitOr(x[0], x[1]);">;
def Dsc_BitwiseXorOp : Dsc_BinaryOp<"bitwise_xor", "BitwiseXor", Dsc_IntegerTensor, "return s.bitXor(x[0], x[1]);">;
def Dsc_BitShiftOp : Dsc_BinaryOp<"bit_shift", "BitShift", Dsc_IntegerTensor,
    "return getDirection() == \"LEFT\" ? s.shiftLeft(x[0], x[1]) : s.shiftRight(x[0], x[1]);",
    (ins ConfinedAttr<StrAttr, [Dsc_OneOf<["LEFT", "RIGHT"]>]>:$direction)>;

def Dsc_EqualOp : Dsc_CompareOp<"equal", "Equal", Dsc_ElementTensor, "return s.eq(x[0], x[1]);">;
def Dsc_GreaterOp : Dsc_CompareOp<"greater", "Greater", Dsc_NumberTensor, "return s.gt(x[0], x[1]);">;
def Dsc_GreaterOrEqualOp : Dsc_CompareOp<"greater_or_equal", "GreaterOrEqual", Dsc_NumberTensor,
    "return s.ge(x[0], x[1]);">;
def Dsc_LessOp : Dsc_CompareOp<"less", "Less", Dsc_NumberTensor, "return s.lt(x[0], x[1]);">;
def Dsc_LessOrEqualOp : Dsc_CompareOp<"less_or_equal", "LessOrEqual", Dsc_NumberTensor, "return s.le(x[0], x[1]);">;

def Dsc_WhereOp : Dsc_ElementwiseOp<"where", "Where",
    (ins Dsc_BoolTensor:$condition, Dsc_ElementTensor:$x, Dsc_ElementTensor:$y),
    "return s.select(x[0], x[1], x[2]);", "getElementType(getX())", [AllElementTypesMatch<["x", "y"]>]> {
  let allowMixed = 1;
}

//===----------------------------------------------------------------------===//
// Conversions and copies
//===----------------------------------------------------------------------===//

/// `to` is a TensorProto.DataType. `saturate` and `round_mode` only concern
/// 8-bit floats, which are not computed with.
def Dsc_CastOp : Dsc_UnaryOp<"cast", "Cast", Dsc_ElementTensor,
    "return s.cast(x[0], s.type, getElementType(getResult()));",
    (ins I64Attr:$to, Dsc_Int<"1">:$saturate, DefaultValuedStrAttr<StrAttr, "up">:$round_mode),
    "conversionTarget(inference, getTo())">;

def Dsc_CastLikeOp : Dsc_Op<"cast_like", "CastLike"> {
  let summary = "converts to the element type of `target_type`, whose elements are not read";
  let arguments = (ins Dsc_ElementTensor:$input, Dsc_ElementTensor:$target_type, Dsc_Int<"1">:$saturate,
                       DefaultValuedStrAttr<StrAttr, "up">:$round_mode);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_BitCastOp : Dsc_Op<"bit_cast", "BitCast"> {
  let summary = "the same bits as another type of the same width";
  let arguments = (ins Dsc_ElementTensor:$input, I64Attr:$to);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_IdentityOp : Dsc_Op<"identity", "Identity", [], ["getViewSource"]> {
  let arguments = (ins Dsc_Tensor:$input);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_DropoutOp : Dsc_Op<"dropout", "Dropout", [], ["getSpec", "getResultCount"]> {
  let summary = "what it does in inference: a copy, and a mask of ones where that is used";
  let arguments = (ins Dsc_FloatTensor:$data, Dsc_OptionalTensor:$ratio, Dsc_OptionalTensor:$training_mode,
                       OptionalAttr<I64Attr>:$seed);
  let results = (outs Dsc_Tensor:$output, Optional<Dsc_Tensor>:$mask);
}

//===----------------------------------------------------------------------===//
// With operands for each channel
//===----------------------------------------------------------------------===//

def Dsc_BatchNormalizationOp : Dsc_Op<"batch_normalization", "BatchNormalization"> {
  let summary = "inference: (x - mean) / sqrt(var + epsilon) * scale + b, by channel (axis 1)";
  let arguments = (ins Dsc_FloatTensor:$x, Dsc_FloatTensor:$scale, Dsc_FloatTensor:$b, Dsc_FloatTensor:$input_mean,
                       Dsc_FloatTensor:$input_var, Dsc_Float<"1e-5f">:$epsilon, Dsc_Float<"0.9f">:$momentum,
                       Dsc_Int<"0">:$training_mode);
  let results = (outs Dsc_Tensor:$y);
}

#endif
