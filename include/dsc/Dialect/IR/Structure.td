//===- Structure.td - ops that are not ONNX operators ----------*- tablegen -*-===//
#ifndef DSC_STRUCTURE_TD
#define DSC_STRUCTURE_TD

include "dsc/Dialect/IR/DscBase.td"

def Dsc_None : Type<CPred<"::llvm::isa<::mlir::NoneType>($_self)">, "none">,
               BuildableType<"$_builder.getNoneType()">;

def Dsc_NoneOp : Op<Dsc_Dialect, "none", [Pure]> {
  let summary = "stands for an optional ONNX input that is left out";
  let results = (outs Dsc_None:$result);
  let assemblyFormat = "attr-dict";
}

def Dsc_ConstantOp : Op<Dsc_Dialect, "constant", [Pure, ConstantLike]> {
  let summary = "a small constant tensor, its elements in the IR";
  let description = [{
    For contents up to a few kilobytes; larger ones are `dsc.weight`.
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Dsc_Tensor:$result);
  let hasFolder = 1;
  let hasCustomAssemblyFormat = 1;
  let builders = [OpBuilder<(ins "::mlir::ElementsAttr":$value), [{
    build($_builder, $_state, value.getType(), value);
  }]>];
}

def Dsc_WeightOp : Op<Dsc_Dialect, "weight", [Pure]> {
  let summary = "a constant tensor whose elements are in the weight store";
  let arguments = (ins Dsc_WeightAttr:$source, OptionalAttr<StrAttr>:$name);
  let results = (outs Dsc_Tensor:$result);
  let hasCustomAssemblyFormat = 1;
}

def Dsc_BindOp : Op<Dsc_Dialect, "bind", []> {
  let summary = "names the elements of an integer tensor as symbols";
  let description = [{
    Where a shape depends on data, the data's elements become symbols: after
    `dsc.bind %shape {symbols = ["s0", "s1"]} : i64[2]` types may use s0 and s1.
    Everything that is sized by them runs after it, in a new frame.
  }];
  let arguments = (ins Dsc_Tensor:$source, StrArrayAttr:$symbols);
  let hasVerifier = 1;
  let hasCustomAssemblyFormat = 1;
}

def Dsc_GuardOp : Op<Dsc_Dialect, "guard", []> {
  let summary = "ends the run with an error unless a condition on sizes holds";
  let description = [{
    What type inference could not prove: `dsc.guard eq(N, M), "message"`.
    Not pure, so that it stays although it has no result.
  }];
  let arguments = (ins Dsc_DimAttr:$condition, StrAttr:$message);
  let hasCustomAssemblyFormat = 1;
}

def Dsc_SizesOp : Op<Dsc_Dialect, "sizes", [Pure, DeclareOpInterfaceMethods<Dsc_ComputeOp, ["getSpec"]>]> {
  let summary = "an int64 or int32 tensor of sizes: what a shape computation gives";
  let arguments = (ins Dsc_DimsAttr:$sizes);
  let results = (outs Dsc_Tensor:$result);
  let hasCustomAssemblyFormat = 1;
  let extraClassDefinition = [{
    ::llvm::StringRef $cppClass::getOnnxName() { return ""; }
  }];
}

def Dsc_GroupOp : Op<Dsc_Dialect, "group", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "operators that one kernel computes";
  let description = [{
    Captures outer values implicitly. Ends with `dsc.yield` of what is used
    outside. `schedule` is set by the schedule choice.
  }];
  let arguments = (ins OptionalAttr<Dsc_ScheduleAttr>:$schedule);
  let results = (outs Variadic<Dsc_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Dsc_YieldOp : Op<Dsc_Dialect, "yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a group, a scalar body or a branch with its results";
  let arguments = (ins Variadic<AnyType>:$values);
  let hasCustomAssemblyFormat = 1;
}

//===----------------------------------------------------------------------===//
// Inside the scalar code of Specs
//===----------------------------------------------------------------------===//

def Dsc_AtOp : Op<Dsc_Dialect, "at", [Pure, AttrSizedOperandSegments]> {
  let summary = "one element of a tensor, at computed indices";
  let description = [{
    `in_bounds`: the indices are known to be inside. `checked`: an index outside
    ends the kernel with a status. `or_else`: outside, the result is `otherwise`.
  }];
  let arguments = (ins Dsc_Tensor:$source, Variadic<Index>:$indices, Optional<AnyType>:$otherwise,
                       DefaultValuedAttr<Dsc_AtMode, "::dsc::AtMode::InBounds">:$mode);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$mode $source `[` $indices `]` (`else` $otherwise^)? attr-dict `:` functional-type(operands, results)";
}

def Dsc_SizeOp : Op<Dsc_Dialect, "size", [Pure]> {
  let summary = "the value of a size expression, as an index";
  let arguments = (ins Dsc_DimAttr:$size);
  let results = (outs Index:$result);
  let hasCustomAssemblyFormat = 1;
}

#endif
