//===- Passes.td - the passes between import and code generation -*- tablegen -*-===//
#ifndef DSC_TRANSFORMS_PASSES_TD
#define DSC_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def Decompose : Pass<"dsc-decompose"> {
  let summary = "Replace ops that have no Spec by simpler ops";
  let description = [{
    Runs `ComputeOp::decompose` on every op whose decomposition is defined, again
    on what comes out of it, until nothing is left to decompose.
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

#endif
