//===- Activations.cpp - the functions inside of recurrent cells ----------===//
#include "Activations.h"

using namespace mlir;

namespace dsc {

Value emitActivation(VectorCode &code, const Activation &activation, Value x) {
  OpBuilder &b = code.builder;
  Location loc = code.loc;
  auto vector = dyn_cast<VectorType>(x.getType());
  auto number = [&](double value) {
    return code.constant(value, vector ? vector.getNumElements() : 1);
  };
  auto compare = [&](arith::CmpFPredicate predicate, double value) -> Value {
    return arith::CmpFOp::create(b, loc, predicate, x, number(value));
  };
  Value alpha = number(activation.alpha), beta = number(activation.beta);
  auto tanh = [&](Value v) -> Value { return math::TanhOp::create(b, loc, v); };
  auto exp = [&](Value v) -> Value { return math::ExpOp::create(b, loc, v); };
  switch (activation.kind) {
  case Activation::Relu:
    return code.max(x, number(0));
  case Activation::Tanh:
    return tanh(x);
  case Activation::Sigmoid:
    return code.div(number(1), code.add(number(1), exp(code.sub(number(0), x))));
  case Activation::Affine:
    return code.fma(alpha, x, beta);
  case Activation::LeakyRelu:
    return code.select(compare(arith::CmpFPredicate::OGE, 0), x, code.mul(alpha, x));
  case Activation::ThresholdedRelu:
    return code.select(compare(arith::CmpFPredicate::OGE, activation.alpha), x, number(0));
  case Activation::ScaledTanh:
    return code.mul(alpha, tanh(code.mul(beta, x)));
  case Activation::HardSigmoid:
    return code.max(code.min(code.fma(alpha, x, beta), number(1)), number(0));
  case Activation::Elu: {
    Value negative = code.mul(alpha, math::ExpM1Op::create(b, loc, x));
    return code.select(compare(arith::CmpFPredicate::OGE, 0), x, negative);
  }
  case Activation::Softsign:
    return code.div(x, code.add(number(1), math::AbsFOp::create(b, loc, x)));
  case Activation::Softplus: {
    // log(1 + exp(x)) without overflow.
    Value small = exp(code.sub(number(0), math::AbsFOp::create(b, loc, x)));
    return code.add(code.max(x, number(0)), math::Log1pOp::create(b, loc, small));
  }
  }
  llvm_unreachable("covered");
}

} // namespace dsc
