//===- Passes.td - passes on dsc IR ----------------------------*- tablegen -*-===//
#ifndef DSC_TRANSFORMS_PASSES_TD
#define DSC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def PrintSpecs : Pass<"dsc-print-specs"> {
  let summary = "prints what each operator computes (its Spec)";
  let description = [{
    Writes to standard output; for tests and for looking at operators. Fails
    where an operator has no Spec.
  }];
}

#endif
