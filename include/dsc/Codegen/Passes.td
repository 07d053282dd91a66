//===- Passes.td - passes of code generation -------------------*- tablegen -*-===//
#ifndef DSC_CODEGEN_PASSES_TD
#define DSC_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def ChooseSchedules : Pass<"dsc-choose-schedules"> {
  let summary = "Choose the template and schedule of each group by cost";
  let description = [{
    Asks every template of the target whether it computes the group, and takes the
    candidate of least cost. With `explain`, the verdicts of all templates stay on
    the group as the attribute `verdicts`.
  }];
  let options = [
    Option<"targetName", "target", "std::string", "\"native\"", "Name of the target">,
    Option<"precision", "precision", "std::string", "\"f32\"", "strict: only schedules that compute in the operators' own types">,
    Option<"explain", "explain", "bool", "false", "Keep the verdicts on the groups">,
  ];
}

#endif
