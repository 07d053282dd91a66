//===- Recurrent.td - LSTM, GRU, RNN -----------------------*- tablegen -*-===//
#ifndef DSC_RECURRENT_TD
#define DSC_RECURRENT_TD

include "dsc/Dialect/IR/DscBase.td"

#endif
