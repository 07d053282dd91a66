//===- Recurrent.td - LSTM, GRU, RNN -----------------------*- tablegen -*-===//
//
// Their Specs are Recurrent: a RecurrentSpec (Spec.h) holds all that a kernel needs.
//
//===----------------------------------------------------------------------===//
#ifndef DSC_RECURRENT_TD
#define DSC_RECURRENT_TD

include "dsc/Dialect/IR/DscBase.td"

defvar Dsc_RecurrentOperands = (ins Dsc_Tensor:$x, Dsc_Tensor:$w, Dsc_Tensor:$r,
                                Dsc_OptionalTensor:$b, Dsc_OptionalTensor:$sequence_lens,
                                Dsc_OptionalTensor:$initial_h);
defvar Dsc_RecurrentAttributes = (ins OptionalAttr<I64Attr>:$hidden_size,
                                  DefaultValuedOptionalAttr<StrAttr, "\"forward\"">:$direction,
                                  OptionalAttr<StrArrayAttr>:$activations,
                                  OptionalAttr<DenseF32ArrayAttr>:$activation_alpha,
                                  OptionalAttr<DenseF32ArrayAttr>:$activation_beta,
                                  OptionalAttr<F32Attr>:$clip,
                                  DefaultValuedOptionalAttr<I64Attr, "0">:$layout);

class Dsc_RecurrentOp<string mnemonic, string onnx, dag operands = (ins), dag attributes = (ins)>
    : Dsc_Op<mnemonic, onnx, [], ["getSpec", "getResultCount"]> {
  let arguments = !con(Dsc_RecurrentOperands, operands, Dsc_RecurrentAttributes, attributes);
  let results = (outs Variadic<Dsc_Tensor>:$results);
}

def Dsc_RNNOp : Dsc_RecurrentOp<"rnn", "RNN">;
def Dsc_GRUOp
    : Dsc_RecurrentOp<"gru", "GRU", (ins),
                      (ins DefaultValuedOptionalAttr<I64Attr, "0">:$linear_before_reset)>;
def Dsc_LSTMOp
    : Dsc_RecurrentOp<"lstm", "LSTM", (ins Dsc_OptionalTensor:$initial_c, Dsc_OptionalTensor:$p),
                      (ins DefaultValuedOptionalAttr<I64Attr, "0">:$input_forget)>;

#endif
