//===- Passes.td - the passes between import and code generation -*- tablegen -*-===//
#ifndef DSC_TRANSFORMS_PASSES_TD
#define DSC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def RaiseQuantized : Pass<"dsc-raise-quantized", "::mlir::ModuleOp"> {
  let summary = "Compute products of dequantized tensors in integers";
  let description = [{
    Products and convolutions whose operands are dequantized 8-bit integers become
    exact sums in int32 and one scaling; with a quantization behind them, a
    `dsc.requantize`. Sums of two dequantized tensors that are quantized again
    become a `dsc.quantized_sum`. Without the model's weights (created by name) a
    bias whose scale is not at hand is added in float32.
  }];
  let dependentDialects = ["::dsc::DscDialect"];
}

def PairProducts : Pass<"dsc-pair-products"> {
  let summary = "Bring integer products into the form that has a fast kernel";
  let description = [{
    Operands are widened to int16, less their zero points, in pairs along the summed
    axis (`dsc.pair`), whose products and their sum are one instruction. Depthwise
    convolutions, which sum up less than float32 holds exactly, are computed in
    float32.
  }];
}

def Decompose : Pass<"dsc-decompose"> {
  let summary = "Replace ops that have no Spec by simpler ops";
  let description = [{
    Runs `ComputeOp::decompose` on every op whose decomposition is defined, again
    on what comes out of it, until nothing is left to decompose. An op that has a
    Spec, too, stays if a template takes it whole; created by name, the pass knows
    no templates.
  }];
}

def RaiseActivations : Pass<"dsc-raise-activations"> {
  let summary = "Recognise GELU, SiLU and hard swish in the formulas that exporters write";
}

def RaiseSoftmax : Pass<"dsc-raise-softmax"> {
  let summary = "Recognise softmax in exp(x - max) / sum";
}

def RaiseNormalizations : Pass<"dsc-raise-normalizations"> {
  let summary = "Recognise layer and RMS normalisation";
}

def FoldBatchNorms : Pass<"dsc-fold-batch-norms"> {
  let summary = "Multiply batch normalisations into the weights of the convolution before them";
}

def RemoveIdentities : Pass<"dsc-remove-identities"> {
  let summary = "Remove operators that give their operand: casts to the same type and the like";
}

def SplitHeads : Pass<"dsc-split-heads"> {
  let summary = "Give attention over [B * H, rows, columns] the four axes of RaiseAttention";
}

def MoveTransposes : Pass<"dsc-move-transposes"> {
  let summary = "Move transpositions behind elementwise operators until they meet their inverse";
  let description = [{
    Models whose pictures are [N, H, W, C] transpose around every convolution. What is
    between a transposition and its inverse is computed on the elements as they lay
    before; then neither is left.
  }];
}

def RaiseAttention : Pass<"dsc-raise-attention"> {
  let summary = "Recognise attention: products around a softmax, as exporters write it";
  let description = [{
    Takes in the scale, the mask, the transpositions of operands and result, the
    repetition of shared heads, and what replaces rows without keys by zeros.
    Attention is computed in float32 and rounded once; of shorter floats, whose
    scores and weights the ops round each, it is recognised only if asked.
  }];
  let options = [
    Option<"shortFloats", "short-floats", "bool", /*default=*/"false",
           "also recognise attention of 16-bit floats">,
  ];
}

def WidenShortFloats : Pass<"dsc-widen-short-floats"> {
  let summary = "Compute what the model computes in 16-bit floats in float32";
  let description = [{
    Results of ops become float32; casts stand where a value comes from outside or
    leaves: inputs, constants, results of the model, edges of regions. A cast to a
    16-bit float that the model itself has still rounds. What is only moved
    keeps its type, as do constant operands that an op extends when it reads
    them (`mayReadShort`).
  }];
}

def FormGroups : Pass<"dsc-form-groups"> {
  let summary = "Put ops that one kernel computes into dsc.group";
  let description = [{
    Operator fusion. Every op that computes becomes part of a `dsc.group`:
    elementwise and data-movement ops join their consumers or the anchor whose
    results they continue; reductions along the last axes join the ops on the same
    rows. Views (reshapes) stay between groups.
  }];
}

def ReadInPlace : Pass<"dsc-read-in-place"> {
  let summary = "Let attention read through transpositions, slices and reshapes";
  let description = [{
    After `dsc-form-groups`. Ops in front of attention that only move elements join
    its group, where no code is emitted for them: rows are read at their distances.
  }];
}

def ShareStorage : Pass<"dsc-share-storage"> {
  let summary = "Leave slices and concatenations without a kernel where memory can be shared";
  let description = [{
    After `dsc-form-groups`. A slice that is a place in its operand stays outside of
    groups, as views do; so does a concatenation along the outermost axis, in whose
    storage the groups before it compute its inputs. Where this would prolong large
    storage, and so need more memory, they get kernels.
  }];
}

def FoldConstants : Pass<"dsc-fold-constants", "::mlir::ModuleOp"> {
  let summary = "computes operators whose operands are all constant";
  let description = [{
    Runs the interpreter. Leaves alone what costs too much, and what only spreads
    a small constant over a far bigger tensor. A view of a weight becomes a weight
    of another type, with the same bytes.
  }];
  let dependentDialects = ["::dsc::DscDialect"];
  let options = [
    Option<"maxCost", "max-cost", "int64_t", /*default=*/"20000000",
           "most scalar operations for one operator">,
    Option<"maxBytes", "max-bytes", "int64_t", /*default=*/"64 << 20",
           "most bytes of one operator's results">,
  ];
}

def FindSparsity : Pass<"dsc-find-sparsity", "::mlir::ModuleOp"> {
  let summary = "Count the zeros in the constants of matrix products";
  let description = [{
    Records the number of nonzeros at the constant, as its `storage`, for the
    templates to choose by (SparseEncoding.h).
  }];
  let options = [
    Option<"minZeros", "min-zeros", "double", /*default=*/"0.1",
           "smallest share of zeros that is recorded">,
  ];
}

def PrintSpecs : Pass<"dsc-print-specs"> {
  let summary = "prints what each operator computes (its Spec)";
  let description = [{
    Writes to standard output; for tests and for looking at operators. Fails
    where an operator has no Spec.
  }];
}

#endif
