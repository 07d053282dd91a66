//===- DscAttrs.td - attributes of the dsc dialect -------------*- tablegen -*-===//
#ifndef DSC_ATTRS_TD
#define DSC_ATTRS_TD

include "dsc/Dialect/IR/DscDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/EnumAttr.td"

class Dsc_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Dsc_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

def Dsc_DimAttr : Dsc_Attr<"Dim", "dim"> {
  let summary = "a size: a number or an expression of symbols";
  let description = [{
    Storage of `dsc::Dim` (Dim.h), which is the type to work with:
    `#dsc.dim<(H - 1) floordiv 2 + 1>`.
  }];
  let parameters = (ins "::dsc::DimKind":$kind, "int64_t":$value, StringRefParameter<>:$name,
                        ArrayRefParameter<"::mlir::Attribute">:$operands);
  let hasCustomAssemblyFormat = 1;
}

def Dsc_DimsAttr : Dsc_Attr<"Dims", "dims"> {
  let summary = "a list of sizes: `#dsc.dims<N, 64, H floordiv 2>`";
  let parameters = (ins ArrayRefParameter<"::mlir::Attribute">:$elements);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    static DimsAttr get(::mlir::MLIRContext *context, ::llvm::ArrayRef<::dsc::Dim> dims);
    ::llvm::SmallVector<::dsc::Dim> getDims() const;
    size_t size() const { return getElements().size(); }
  }];
}

def Dsc_LayoutAttr : Dsc_Attr<"Layout", "layout"> {
  let summary = "how a tensor's elements lie in memory";
  let description = [{
    `perm` lists the logical axes from the outermost to the innermost; `block`
    splits each logical axis into blocks of that many elements that become the
    innermost axes (0 or 1: not split); `halo` is the number of zeroed elements
    kept around each axis. A tensor without a layout is dense and row-major.
  }];
  let parameters = (ins ArrayRefParameter<"int64_t">:$perm, ArrayRefParameter<"int64_t">:$block,
                        OptionalArrayRefParameter<"int64_t">:$halo);
  let assemblyFormat = "`<` `perm` `=` `[` $perm `]` `,` `block` `=` `[` $block `]` "
                       "(`,` `halo` `=` `[` $halo^ `]`)? `>`";
}

def Dsc_StorageKind : I32EnumAttr<"StorageKind", "which elements of a tensor are stored", [
    I32EnumAttrCase<"Dense", 0, "dense">, I32EnumAttrCase<"NM", 1, "nm">,
    I32EnumAttrCase<"Block", 2, "block">, I32EnumAttrCase<"Csr", 3, "csr">]> {
  let cppNamespace = "::dsc";
}

def Dsc_StorageAttr : Dsc_Attr<"Storage", "storage"> {
  let summary = "which elements are stored: dense, nm<2,4>, block<4,1> or csr";
  let parameters = (ins EnumParameter<Dsc_StorageKind>:$kind, DefaultValuedParameter<"int64_t", "0">:$a,
                        DefaultValuedParameter<"int64_t", "0">:$b, DefaultValuedParameter<"int64_t", "0">:$nonzeros);
  let assemblyFormat = "`<` $kind (`,` struct($a, $b, $nonzeros)^)? `>`";
}

def Dsc_TensorAttr : Dsc_Attr<"Tensor", "tensor", [
    DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "encoding of a tensor: symbolic sizes, layout, storage";
  let description = [{
    Present only where something is to be said: a dense row-major tensor of
    constant sizes has no encoding. Stripped when a group is lowered.
  }];
  let parameters = (ins "::dsc::DimsAttr":$dims, OptionalParameter<"::dsc::LayoutAttr">:$layout,
                        OptionalParameter<"::dsc::StorageAttr">:$storage);
  let assemblyFormat = "`<` struct($dims, $layout, $storage) `>`";
}

def Dsc_ScheduleAttr : Dsc_Attr<"Schedule", "schedule"> {
  let summary = "how a group is computed: chosen template and its parameters";
  let description = [{
    A function of shape and target only. `tile` and `block` are the register and
    cache tiles of the anchor's loops, `parallel` the loops that are cut into
    parts, `params` what only this template knows.
  }];
  let parameters = (ins StringRefParameter<>:$templateName, OptionalArrayRefParameter<"int64_t">:$tile,
                        OptionalArrayRefParameter<"int64_t">:$block, DefaultValuedParameter<"int64_t", "1">:$ksplit,
                        OptionalArrayRefParameter<"int64_t">:$parallel,
                        DefaultValuedParameter<"int64_t", "1">:$stages,
                        OptionalParameter<"::mlir::DictionaryAttr">:$params);
  let assemblyFormat = "`<` $templateName (`,` struct(custom<IntegerList>($tile), "
                       "custom<IntegerList>($block), $ksplit, custom<IntegerList>($parallel), "
                       "$stages, $params)^)? `>`";
}

def Dsc_NumericsAttr : Dsc_Attr<"Numerics", "numerics"> {
  let summary = "the arithmetic of a contraction";
  let description = [{
    Operand type of the multiplications, number of `parts` that each operand is
    split into (1, 3 or 6 products), accumulator type, error bound as a power of
    two (-21 for 2^-21), and whether denormals may be flushed.
  }];
  let parameters = (ins "::mlir::Type":$operand, "int64_t":$parts, "::mlir::Type":$acc, "int64_t":$bound, "bool":$ftz);
  let assemblyFormat = "`<` $operand `,` `parts` `=` $parts `,` `acc` `=` $acc `,` `bound` `=` $bound `,` `ftz` `=` $ftz `>`";
}

def Dsc_SpaceKind : I32EnumAttr<"SpaceKind", "where a buffer lives", [
    I32EnumAttrCase<"Host", 0, "host">, I32EnumAttrCase<"Device", 1, "device">,
    I32EnumAttrCase<"Weights", 2, "weights">, I32EnumAttrCase<"Arena", 3, "arena">,
    I32EnumAttrCase<"Io", 4, "io">]> {
  let cppNamespace = "::dsc";
}

def Dsc_SpaceAttr : Dsc_Attr<"Space", "space"> {
  let summary = "the memory a buffer lives in; arenas have a frame";
  let parameters = (ins EnumParameter<Dsc_SpaceKind>:$kind, DefaultValuedParameter<"int64_t", "0">:$frame);
  let assemblyFormat = "`<` $kind (`,` `frame` `=` $frame^)? `>`";
}

def Dsc_WeightAttr : Dsc_Attr<"Weight", "weight"> {
  let summary = "constant data kept outside the IR";
  let description = [{
    `length` bytes at `offset` of the module's weight source number `source` (the
    file and its place are in the WeightStore of the compilation, see Weights.h).
    A weight's bytes are never an attribute.
  }];
  let parameters = (ins "int64_t":$source, "int64_t":$offset, "int64_t":$length);
  let assemblyFormat = "`<` $source `,` $offset `,` $length `>`";
}

def Dsc_AtMode : I32EnumAttr<"AtMode", "what happens outside the tensor", [
    I32EnumAttrCase<"InBounds", 0, "in_bounds">, I32EnumAttrCase<"Checked", 1, "checked">,
    I32EnumAttrCase<"OrElse", 2, "or_else">]> {
  let cppNamespace = "::dsc";
}

#endif
