//===- Reduction.td - reductions and scans along axes ------*- tablegen -*-===//
//
// A reduction is told by three pieces of scalar code in terms of ScalarBuilder
// (`s`, whose type is the accumulator's): what an element `x` contributes, how
// it joins the accumulator, and what the accumulator becomes at the end.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_REDUCTION_TD
#define DSC_REDUCTION_TD

include "dsc/Dialect/IR/DscBase.td"

class Dsc_ReductionBase<string mnemonic, string onnx>
    : Dsc_Op<mnemonic, onnx, [], ["getSpec", "getContentOperands", "decompose"]> {
  let arguments = (ins Dsc_Tensor:$data, OptionalAttr<Dsc_DimsAttr>:$axes,
                       DefaultValuedAttr<I64Attr, "1">:$keepdims,
                       DefaultValuedAttr<I64Attr, "0">:$noop_with_empty_axes);
  let results = (outs Dsc_Tensor:$result);
  code common = [{
    ::llvm::LogicalResult $cppClass::inferTypes(::dsc::TypeInference &inference) {
      return ::dsc::inferReduction(*this, inference);
    }
    ::llvm::ArrayRef<::dsc::ContentOperand> $cppClass::getContentOperands() {
      static constexpr ::dsc::ContentOperand operands[] = {{1, "axes"}};
      return operands;
    }
  }];
  let definitions = common;
}

/// `identity`: the accumulator of an empty set. `finish` sees the accumulator as
/// `x` and the number of elements as `count` (index). `wide`: integers are
/// accumulated in float64. `nests`: reducing the results of parts of the elements
/// gives the result of all.
class Dsc_ReductionOp<string mnemonic, string onnx, string identity, code element, code combine,
                      code finish = "return x;", string wide = "false", string nests = "false">
    : Dsc_ReductionBase<mnemonic, onnx> {
  let definitions = common # [{
    ::llvm::FailureOr<::dsc::Spec> $cppClass::getSpec() {
      using ::dsc::ScalarBuilder;
      using ::mlir::Value;
      ::dsc::Reduction reduction;
      reduction.identity = ::dsc::Reduction::}] # identity # [{;
      reduction.wide = }] # wide # [{;
      reduction.element = [](ScalarBuilder &s, Value x) -> Value { }] # element # [{ };
      reduction.combine = [](ScalarBuilder &s, Value acc, Value x) -> Value { }] # combine # [{ };
      reduction.finish = [](ScalarBuilder &s, Value x, Value count) -> Value { }] # finish # [{ };
      return ::dsc::reductionSpec(*this, reduction);
    }
    ::llvm::LogicalResult $cppClass::decompose(::mlir::OpBuilder &builder,
                                               ::llvm::SmallVectorImpl<::mlir::Value> &values) {
      return ::llvm::success(}] # nests # [{ &&
                             ::llvm::succeeded(::dsc::splitReduction(*this, builder, values)));
    }
  }];
}

def Dsc_ReduceSumOp : Dsc_ReductionOp<"reduce_sum", "ReduceSum", "Zero",
  "return x;", "return s.add(acc, x);", "return x;", "false", /*nests=*/"true">;
def Dsc_ReduceMeanOp : Dsc_ReductionOp<"reduce_mean", "ReduceMean", "Zero",
  "return x;", "return s.add(acc, x);", "return s.div(x, s.fromIndex(count));",
  "false", /*nests=*/"true">;
def Dsc_ReduceProdOp : Dsc_ReductionOp<"reduce_prod", "ReduceProd", "One",
  "return x;", "return s.mul(acc, x);", "return x;", "false", /*nests=*/"true">;
def Dsc_ReduceMaxOp : Dsc_ReductionOp<"reduce_max", "ReduceMax", "Lowest",
  "return x;", "return s.max(acc, x);", "return x;", "false", /*nests=*/"true">;
def Dsc_ReduceMinOp : Dsc_ReductionOp<"reduce_min", "ReduceMin", "Highest",
  "return x;", "return s.min(acc, x);", "return x;", "false", /*nests=*/"true">;
def Dsc_ReduceL1Op : Dsc_ReductionOp<"reduce_l1", "ReduceL1", "Zero",
  "return s.abs(x);", "return s.add(acc, x);">;
def Dsc_ReduceSumSquareOp : Dsc_ReductionOp<"reduce_sum_square", "ReduceSumSquare", "Zero",
  "return s.mul(x, x);", "return s.add(acc, x);">;
def Dsc_ReduceL2Op : Dsc_ReductionOp<"reduce_l2", "ReduceL2", "Zero",
  "return s.mul(x, x);", "return s.add(acc, x);",
  "return s.math<::mlir::math::SqrtOp>(x);", /*wide=*/"true">;
def Dsc_ReduceLogSumOp : Dsc_ReductionOp<"reduce_log_sum", "ReduceLogSum", "Zero",
  "return x;", "return s.add(acc, x);", "return s.math<::mlir::math::LogOp>(x);">;

def Dsc_ReduceLogSumExpOp : Dsc_ReductionBase<"reduce_log_sum_exp", "ReduceLogSumExp"> {
  let summary = "log(sum(exp(x))), without overflow: the sum is kept relative to the largest x";
  let description = [{
    Decomposes into the largest, the sum relative to it, and the rest.
  }];
}

class Dsc_CumulativeOp<string mnemonic, string onnx, string identity, code combine>
    : Dsc_Op<mnemonic, onnx, [], ["getSpec", "getContentOperands"]> {
  let arguments = (ins Dsc_Tensor:$x, Dsc_DimsAttr:$axis, DefaultValuedAttr<I64Attr, "0">:$exclusive,
                       DefaultValuedAttr<I64Attr, "0">:$reverse);
  let results = (outs Dsc_Tensor:$result);
  let definitions = [{
    ::llvm::LogicalResult $cppClass::inferTypes(::dsc::TypeInference &inference) {
      return ::dsc::inferCumulative(*this, inference);
    }
    ::llvm::ArrayRef<::dsc::ContentOperand> $cppClass::getContentOperands() {
      static constexpr ::dsc::ContentOperand operands[] = {{1, "axis"}};
      return operands;
    }
    ::llvm::FailureOr<::dsc::Spec> $cppClass::getSpec() {
      using ::dsc::ScalarBuilder;
      using ::mlir::Value;
      ::dsc::Reduction reduction;
      reduction.identity = ::dsc::Reduction::}] # identity # [{;
      reduction.combine = [](ScalarBuilder &s, Value acc, Value x) -> Value { }] # combine # [{ };
      return ::dsc::cumulativeSpec(*this, reduction, getExclusive() != 0, getReverse() != 0);
    }
  }];
}
def Dsc_CumSumOp : Dsc_CumulativeOp<"cumsum", "CumSum", "Zero", "return s.add(acc, x);">;
def Dsc_CumProdOp : Dsc_CumulativeOp<"cumprod", "CumProd", "One", "return s.mul(acc, x);">;

#endif
