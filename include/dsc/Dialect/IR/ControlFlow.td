//===- ControlFlow.td - If and Loop ------------------------*- tablegen -*-===//
//
// Regions capture outer values implicitly and end with dsc.yield. Both ops may
// bind symbols: sizes that are only known when a branch or an iteration has run.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_CONTROLFLOW_TD
#define DSC_CONTROLFLOW_TD

include "dsc/Dialect/IR/DscBase.td"

def Dsc_IfOp : Op<Dsc_Dialect, "if", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "runs one of two branches";
  let description = [{
        %r = dsc.if %c {symbols = ["n"]} : bool[] -> f32[n,4] {
          dsc.yield %a : f32[2,4]
        } else {
          dsc.yield %b : f32[M,4]
        }

    Where the branches' sizes differ, the result's size is a symbol listed in
    `symbols`; it gets its value from what the branch yields.
  }];
  let arguments = (ins Dsc_Tensor:$condition, OptionalAttr<StrArrayAttr>:$symbols);
  let results = (outs Variadic<Dsc_Tensor>:$results);
  let regions = (region SizedRegion<1>:$thenRegion, SizedRegion<1>:$elseRegion);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Dsc_LoopOp : Op<Dsc_Dialect, "loop", [RecursiveMemoryEffects, SingleBlock]> {
  let summary = "repeats its body; values are carried and slices collected";
  let description = [{
        %y, %all = dsc.loop %trips, %c, %x {symbols = ["k"]} : i64[], bool[], f32[N] -> f32[N], f32[k,N]
            (%i : i64[], %again : bool[], %acc : f32[N]) {
          ...
          dsc.yield %next_c, %next, %slice : bool[], f32[N], f32[N]
        }

    Operands: the trip count (`none`: no bound), the condition (`none`: true),
    the initial carried values. Arguments of the body: iteration number,
    condition, carried values; it yields the next condition, the next carried
    values, and slices. Results: the last carried values, then the slices of all
    iterations stacked along a new first axis.

    A size of a carried value that changes between iterations is a symbol for the
    body (`argSymbols`, new in each iteration) and another for the result
    (`symbols`, which also names the numbers of slices).
  }];
  let arguments = (ins Dsc_OptionalTensor:$tripCount, Dsc_OptionalTensor:$condition,
                       Variadic<Dsc_Tensor>:$inits, OptionalAttr<StrArrayAttr>:$symbols,
                       OptionalAttr<StrArrayAttr>:$argSymbols);
  let results = (outs Variadic<Dsc_Tensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    unsigned getNumCarried() { return getInits().size(); }
    ::mlir::ResultRange getCarriedResults() { return getResults().take_front(getNumCarried()); }
    ::mlir::ResultRange getScanResults() { return getResults().drop_front(getNumCarried()); }
    ::mlir::BlockArgument getIteration() { return getBody().getArgument(0); }
    ::mlir::BlockArgument getConditionArgument() { return getBody().getArgument(1); }
    ::mlir::Block::BlockArgListType getCarriedArguments() { return getBody().getArguments().drop_front(2); }
  }];
}

#endif
