//===- Movement.td - operators that move elements: Reshape, Slice, Concat ---*- tablegen -*-===//
//
// Operands whose contents decide a shape are attributes here (`#dsc.dims`); the
// importer fills them in, see ContentOperand.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_MOVEMENT_TD
#define DSC_MOVEMENT_TD

include "dsc/Dialect/IR/DscBase.td"

//===----------------------------------------------------------------------===//
// Another shape for the same elements (Views.cpp)
//===----------------------------------------------------------------------===//

class Dsc_ViewOp<string mnemonic, string onnx, list<string> methods = ["getContentOperands"]>
    : Dsc_Op<mnemonic, onnx, [], methods # ["getViewSource"]> {
  let results = (outs Dsc_Tensor:$result);
  let definitions = [{
    ::mlir::Value $cppClass::getViewSource() { return getOperand(); }
  }];
}

def Dsc_ReshapeOp : Dsc_ViewOp<"reshape", "Reshape"> {
  let summary = "shape 0 copies the input's size, -1 is what is left";
  let arguments = (ins Dsc_Tensor:$data, Dsc_DimsAttr:$shape,
                       DefaultValuedAttr<I64Attr, "0">:$allowzero);
}
def Dsc_SqueezeOp : Dsc_ViewOp<"squeeze", "Squeeze"> {
  let summary = "drops axes of size 1";
  let arguments = (ins Dsc_Tensor:$data, OptionalAttr<Dsc_DimsAttr>:$axes);
}
def Dsc_UnsqueezeOp : Dsc_ViewOp<"unsqueeze", "Unsqueeze"> {
  let summary = "inserts axes of size 1";
  let arguments = (ins Dsc_Tensor:$data, Dsc_DimsAttr:$axes);
}
def Dsc_FlattenOp : Dsc_ViewOp<"flatten", "Flatten", []> {
  let summary = "a matrix: the axes before `axis`, the others";
  let arguments = (ins Dsc_Tensor:$input, DefaultValuedAttr<I64Attr, "1">:$axis);
}

//===----------------------------------------------------------------------===//
// Elements at other places (Movement.cpp)
//===----------------------------------------------------------------------===//

def Dsc_TransposeOp : Dsc_Op<"transpose", "Transpose"> {
  let summary = "axes in another order; without `perm`, reversed";
  let arguments = (ins Dsc_Tensor:$data, OptionalAttr<DenseI64ArrayAttr>:$perm);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_ConcatOp : Dsc_Op<"concat", "Concat"> {
  let summary = "tensors behind each other along one axis";
  let arguments = (ins Variadic<Dsc_Tensor>:$inputs, I64Attr:$axis);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_SplitOp : Dsc_Op<"split", "Split", [],
                         ["getContentOperands", "getResultCount", "decompose"]> {
  let summary = "parts of a tensor along one axis: decomposes into slices";
  let arguments = (ins Dsc_Tensor:$input, OptionalAttr<Dsc_DimsAttr>:$split,
                       OptionalAttr<I64Attr>:$num_outputs, DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs Variadic<Dsc_Tensor>:$outputs);
}

def Dsc_SliceOp : Dsc_Op<"slice", "Slice", [], ["getSpec", "getContentOperands"]> {
  let summary = "elements from `starts` to before `ends`, in `steps`";
  let arguments = (ins Dsc_Tensor:$data, Dsc_DimsAttr:$starts, Dsc_DimsAttr:$ends,
                       OptionalAttr<Dsc_DimsAttr>:$axes, OptionalAttr<Dsc_DimsAttr>:$steps);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_ExpandOp : Dsc_Op<"expand", "Expand", [], ["getSpec", "getContentOperands"]> {
  let summary = "broadcast with a shape";
  let arguments = (ins Dsc_Tensor:$input, Dsc_DimsAttr:$shape);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_TileOp : Dsc_Op<"tile", "Tile", [], ["getSpec", "getContentOperands"]> {
  let summary = "a tensor repeated along its axes";
  let arguments = (ins Dsc_Tensor:$input, Dsc_DimsAttr:$repeats);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_PadOp : Dsc_Op<"pad", "Pad", [], ["getSpec", "getContentOperands"]> {
  let summary = "elements added around a tensor, or taken away where negative";
  let arguments = (ins Dsc_Tensor:$data, Dsc_OptionalTensor:$constant_value, Dsc_DimsAttr:$pads,
                       OptionalAttr<Dsc_DimsAttr>:$axes,
                       DefaultValuedStrAttr<StrAttr, "constant">:$mode);
  let results = (outs Dsc_Tensor:$result);
}

class Dsc_BlockOp<string mnemonic, string onnx> : Dsc_Op<mnemonic, onnx> {
  let arguments = (ins Dsc_Tensor:$input, I64Attr:$blocksize,
                       DefaultValuedStrAttr<StrAttr, "DCR">:$mode);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_DepthToSpaceOp : Dsc_BlockOp<"depth_to_space", "DepthToSpace">;
def Dsc_SpaceToDepthOp : Dsc_BlockOp<"space_to_depth", "SpaceToDepth">;

def Dsc_ReverseSequenceOp : Dsc_Op<"reverse_sequence", "ReverseSequence"> {
  let summary = "the first elements of each sequence in reverse order";
  let arguments = (ins Dsc_Tensor:$input, Dsc_Tensor:$sequence_lens,
                       DefaultValuedAttr<I64Attr, "1">:$batch_axis,
                       DefaultValuedAttr<I64Attr, "0">:$time_axis);
  let results = (outs Dsc_Tensor:$result);
}

//===----------------------------------------------------------------------===//
// Elements made from sizes and positions (Fill.cpp)
//===----------------------------------------------------------------------===//

def Dsc_ShapeOp : Dsc_Op<"shape", "Shape"> {
  let arguments = (ins Dsc_Tensor:$data, DefaultValuedAttr<I64Attr, "0">:$start,
                       OptionalAttr<I64Attr>:$end);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_ElementCountOp : Dsc_Op<"element_count", "Size"> {
  let summary = "ONNX Size (dsc.size is a size in scalar code)";
  let arguments = (ins Dsc_Tensor:$data);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_ConstantOfShapeOp : Dsc_Op<"constant_of_shape", "ConstantOfShape", [],
                                   ["getSpec", "getContentOperands"]> {
  let arguments = (ins Dsc_DimsAttr:$shape, OptionalAttr<ElementsAttr>:$value);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_RangeOp : Dsc_Op<"range", "Range", [], ["getSpec", "getContentOperands"]> {
  let summary = "start, start + delta, ... before limit";
  let description = [{
    The number of elements follows from the contents, the elements are computed
    from the operands in their type. Of integers the contents are `start`, `limit`
    and `delta`, of floats `start_value`, `limit_value` and `delta_value`.
  }];
  let arguments = (ins Dsc_Tensor:$start_operand, Dsc_Tensor:$limit_operand,
                       Dsc_Tensor:$delta_operand, OptionalAttr<Dsc_DimsAttr>:$start,
                       OptionalAttr<Dsc_DimsAttr>:$limit, OptionalAttr<Dsc_DimsAttr>:$delta,
                       OptionalAttr<DenseF32ArrayAttr>:$start_value,
                       OptionalAttr<DenseF32ArrayAttr>:$limit_value,
                       OptionalAttr<DenseF32ArrayAttr>:$delta_value,
                       DefaultValuedAttr<I64Attr, "1">:$stash_type);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_EyeLikeOp : Dsc_Op<"eye_like", "EyeLike"> {
  let summary = "ones on a diagonal; only the input's type matters";
  let arguments = (ins Dsc_Tensor:$input, OptionalAttr<I64Attr>:$dtype,
                       DefaultValuedAttr<I64Attr, "0">:$k);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_TriluOp : Dsc_Op<"trilu", "Trilu", [], ["getSpec", "getContentOperands"]> {
  let summary = "the upper or lower triangle, zeros in the other";
  let arguments = (ins Dsc_Tensor:$input, OptionalAttr<Dsc_DimsAttr>:$k,
                       DefaultValuedAttr<I64Attr, "1">:$upper);
  let results = (outs Dsc_Tensor:$result);
}

//===----------------------------------------------------------------------===//
// Sizes that depend on data (Selection.cpp)
//===----------------------------------------------------------------------===//

def Dsc_CountNonZeroOp : Dsc_Op<"count_nonzero", ""> {
  let summary = "how many elements are not zero: i64[1], to be bound to a symbol";
  let arguments = (ins Dsc_Tensor:$x);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_NonZeroOp : Dsc_Op<"nonzero", "NonZero", [], ["getSpec", "getCountedOperand"]> {
  let summary = "the indices of the `count` elements that are not zero, a row per axis";
  let arguments = (ins Dsc_Tensor:$x, Dsc_DimAttr:$count);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_CompressOp : Dsc_Op<"compress", "Compress", [], ["decompose", "getCountedOperand"]> {
  let summary = "the `count` slices whose condition is true: a gather";
  let arguments = (ins Dsc_Tensor:$input, Dsc_Tensor:$condition, Dsc_DimAttr:$count,
                       OptionalAttr<I64Attr>:$axis);
  let results = (outs Dsc_Tensor:$result);
}

#endif
