//===- Passes.td - passes on dsc IR ----------------------------*- tablegen -*-===//
#ifndef DSC_TRANSFORMS_PASSES_TD
#define DSC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

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

def PrintSpecs : Pass<"dsc-print-specs"> {
  let summary = "prints what each operator computes (its Spec)";
  let description = [{
    Writes to standard output; for tests and for looking at operators. Fails
    where an operator has no Spec.
  }];
}

#endif
