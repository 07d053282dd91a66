//===- Indexing.td - operators with computed indices: Gather, Scatter, TopK ---*- tablegen -*-===//
//
// An index outside its axis ends the kernel with a status, unless ONNX gives it a
// meaning; negative indices count from the end.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_INDEXING_TD
#define DSC_INDEXING_TD

include "dsc/Dialect/IR/DscBase.td"

//===----------------------------------------------------------------------===//
// Gather and scatter (Indexing.cpp)
//===----------------------------------------------------------------------===//

def Dsc_GatherOp : Dsc_Op<"gather", "Gather"> {
  let arguments = (ins Dsc_Tensor:$data, Dsc_Tensor:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_GatherElementsOp : Dsc_Op<"gather_elements", "GatherElements"> {
  let arguments = (ins Dsc_Tensor:$data, Dsc_Tensor:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$axis);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_GatherNDOp : Dsc_Op<"gather_nd", "GatherND"> {
  let arguments = (ins Dsc_Tensor:$data, Dsc_Tensor:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$batch_dims);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_ScatterElementsOp : Dsc_Op<"scatter_elements", "ScatterElements", [], ["getSpec", "decompose"]> {
  let arguments = (ins Dsc_Tensor:$data, Dsc_Tensor:$indices, Dsc_Tensor:$updates,
                       DefaultValuedAttr<I64Attr, "0">:$axis,
                       DefaultValuedStrAttr<StrAttr, "none">:$reduction);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_ScatterNDOp : Dsc_Op<"scatter_nd", "ScatterND"> {
  let arguments = (ins Dsc_Tensor:$data, Dsc_Tensor:$indices, Dsc_Tensor:$updates,
                       DefaultValuedStrAttr<StrAttr, "none">:$reduction);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_TensorScatterOp : Dsc_Op<"tensor_scatter", "TensorScatter"> {
  let summary = "writes new entries into a cache, at one position for each sample";
  let arguments = (ins Dsc_Tensor:$past_cache, Dsc_Tensor:$update,
                       Dsc_OptionalTensor:$write_indices, DefaultValuedAttr<I64Attr, "-2">:$axis,
                       DefaultValuedStrAttr<StrAttr, "linear">:$mode);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_OneHotOp : Dsc_Op<"one_hot", "OneHot", [], ["getSpec", "getContentOperands"]> {
  let summary = "values[1] where the new axis's index is the operand's element, else values[0]";
  let arguments = (ins Dsc_Tensor:$indices, Dsc_Tensor:$values, Dsc_DimsAttr:$depth,
                       DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Dsc_Tensor:$result);
}

//===----------------------------------------------------------------------===//
// The order of elements (Selection.cpp)
//===----------------------------------------------------------------------===//

class Dsc_ArgExtremumOp<string mnemonic, string onnx>
    : Dsc_Op<mnemonic, onnx, [], ["getSpec", "decompose"]> {
  let description = [{
    NaN wins. Along the innermost axis decomposes into the extremum and index_of.
  }];
  let arguments = (ins Dsc_Tensor:$data, DefaultValuedAttr<I64Attr, "0">:$axis,
                       DefaultValuedAttr<I64Attr, "1">:$keepdims,
                       DefaultValuedAttr<I64Attr, "0">:$select_last_index);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_ArgMaxOp : Dsc_ArgExtremumOp<"argmax", "ArgMax">;
def Dsc_ArgMinOp : Dsc_ArgExtremumOp<"argmin", "ArgMin">;

def Dsc_IndexOfOp : Dsc_Op<"index_of", ""> {
  let summary = "the first (or the last) index along `axis` at which `data` is `wanted`";
  let description = [{
    `wanted` has one element along the axis. NaN is NaN.
  }];
  let arguments = (ins Dsc_Tensor:$data, Dsc_Tensor:$wanted, I64Attr:$axis, I64Attr:$keepdims,
                       I64Attr:$select_last_index);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_HardmaxOp : Dsc_Op<"hardmax", "Hardmax", [], ["decompose"]> {
  let summary = "1 at the first largest element along `axis`, else 0";
  let arguments = (ins Dsc_Tensor:$input, DefaultValuedAttr<I64Attr, "-1">:$axis);
  let results = (outs Dsc_Tensor:$result);
}

def Dsc_TopKOp : Dsc_Op<"topk", "TopK", [],
                        ["getSpec", "getContentOperands", "getResultCount", "decompose"]> {
  let summary = "the first `k` elements in order, and their indices";
  let description = [{
    Of equal elements the one with the lower index is first; the results are
    always sorted. Where no template sorts, decomposes into sort_rank, sort_order and
    gather_elements.
  }];
  let arguments = (ins Dsc_Tensor:$x, Dsc_DimsAttr:$k, DefaultValuedAttr<I64Attr, "-1">:$axis,
                       DefaultValuedAttr<I64Attr, "1">:$largest,
                       DefaultValuedAttr<I64Attr, "1">:$sorted);
  let results = (outs Dsc_Tensor:$values, Dsc_Tensor:$indices);
}
def Dsc_SortRankOp : Dsc_Op<"sort_rank", ""> {
  let summary = "for each element, how many come before it along `axis`";
  let arguments = (ins Dsc_Tensor:$x, I64Attr:$axis, I64Attr:$largest);
  let results = (outs Dsc_Tensor:$result);
}
def Dsc_SortOrderOp : Dsc_Op<"sort_order", ""> {
  let summary = "the indices of the elements with ranks 0 to `count` - 1";
  let arguments = (ins Dsc_Tensor:$ranks, I64Attr:$axis, Dsc_DimAttr:$count);
  let results = (outs Dsc_Tensor:$result);
}

#endif
