//===- Recurrent.cpp - LSTM, GRU, RNN -------------------------------------===//
#include "dsc/Dialect/IR/DscDialect.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

namespace {

/// A function's name in ONNX (any case), and its parameters' defaults where it has them.
struct ActivationInfo {
  StringLiteral name;
  Activation::Kind kind;
  std::optional<float> alpha, beta;
};

} // namespace

static const ActivationInfo *findActivation(StringRef name) {
  static constexpr ActivationInfo known[] = {
      {"Relu", Activation::Relu, {}, {}},
      {"Tanh", Activation::Tanh, {}, {}},
      {"Sigmoid", Activation::Sigmoid, {}, {}},
      {"Affine", Activation::Affine, 1.0f, 0.0f},
      {"LeakyRelu", Activation::LeakyRelu, 0.01f, {}},
      {"ThresholdedRelu", Activation::ThresholdedRelu, 1.0f, {}},
      {"ScaledTanh", Activation::ScaledTanh, 1.0f, 1.0f},
      {"HardSigmoid", Activation::HardSigmoid, 0.2f, 0.5f},
      {"Elu", Activation::Elu, 1.0f, {}},
      {"Softsign", Activation::Softsign, {}, {}},
      {"Softplus", Activation::Softplus, {}, {}},
  };
  const auto *it = llvm::find_if(
      known, [&](const ActivationInfo &info) { return name.equals_insensitive(info.name); });
  return it == std::end(known) ? nullptr : it;
}

/// Activations of all directions, one behind the other.
template <typename OpTy>
static FailureOr<SmallVector<Activation>> parseActivations(OpTy op, unsigned directions,
                                                           ArrayRef<StringRef> defaults,
                                                           TypeInference &inference) {
  SmallVector<StringRef> names;
  if (std::optional<ArrayAttr> given = op.getActivations())
    llvm::append_range(names, given->template getAsValueRange<StringAttr>());
  else
    for (unsigned i = 0; i < directions; ++i)
      names.append(defaults.begin(), defaults.end());
  // RNN's default in the ONNX schema lists both directions.
  if (names.size() < directions * defaults.size())
    return inference.error() << "has " << names.size() << " activations, expected "
                             << directions * defaults.size(),
           failure();
  names.truncate(directions * defaults.size());
  // The lists hold values only for those functions that have the parameter.
  ArrayRef<float> alphas = op.getActivationAlpha().value_or(ArrayRef<float>());
  ArrayRef<float> betas = op.getActivationBeta().value_or(ArrayRef<float>());
  auto take = [](std::optional<float> standard, ArrayRef<float> &values) {
    if (!standard || values.empty())
      return standard.value_or(0);
    float value = values.front();
    values = values.drop_front();
    return value;
  };
  SmallVector<Activation> result;
  for (StringRef name : names) {
    const ActivationInfo *info = findActivation(name);
    if (!info)
      return inference.error() << "activation '" << name << "' is unknown", failure();
    result.push_back({info->kind, take(info->alpha, alphas), take(info->beta, betas)});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Shapes and the Spec
//===----------------------------------------------------------------------===//

/// Checks that an operand has the sizes `expected`, if it is present.
static LogicalResult checkShape(TypeInference &inference, Value operand, ArrayRef<Dim> expected,
                                StringRef name) {
  if (isAbsent(operand))
    return success();
  SmallVector<Dim> dims = getDims(operand);
  if (dims.size() != expected.size())
    return inference.error() << name << " must have rank " << expected.size() << ", not "
                             << shortTypeName(operand.getType());
  for (auto [axis, dim] : llvm::enumerate(dims))
    if (failed(inference.requireEqual(dim, expected[axis],
                                      name + " has a wrong size on axis " + Twine(axis))))
      return failure();
  return success();
}

template <typename OpTy>
static LogicalResult checkOperands(OpTy op, const RecurrentSpec &spec, TypeInference &inference) {
  auto number = [&](int64_t value) { return inference.constant(value); };
  Dim directions = number(spec.directions.size()), hidden = spec.hiddenSize;
  Dim rows = hidden * spec.numGates();
  SmallVector<Dim> state = spec.batchFirst ? SmallVector<Dim>{spec.batch, directions, hidden}
                                           : SmallVector<Dim>{directions, spec.batch, hidden};
  if (failed(checkShape(inference, op.getW(), {directions, rows, spec.inputSize}, "W")) ||
      failed(checkShape(inference, op.getR(), {directions, rows, hidden}, "R")) ||
      failed(checkShape(inference, op.getB(), {directions, rows * 2}, "B")) ||
      failed(checkShape(inference, op.getSequenceLens(), {spec.batch}, "sequence_lens")) ||
      failed(checkShape(inference, op.getInitialH(), state, "initial_h")))
    return failure();
  if constexpr (std::is_same_v<OpTy, LSTMOp>)
    if (failed(checkShape(inference, op.getInitialC(), state, "initial_c")) ||
        failed(checkShape(inference, op.getP(), {directions, hidden * 3}, "P")))
      return failure();
  for (Value operand : {op.getW(), op.getR()})
    if (getElementType(operand) != getElementType(op.getX()))
      return inference.error() << "inputs have different element types ("
                               << shortTypeName(op.getX().getType()) << " and "
                               << shortTypeName(operand.getType()) << ")";
  return success();
}

/// Everything but the cell's own flags; reports what does not fit.
template <typename OpTy>
static FailureOr<RecurrentSpec> recurrentSpec(OpTy op, RecurrentSpec::Cell cell,
                                              ArrayRef<StringRef> defaults,
                                              TypeInference &inference) {
  if (getRank(op.getX()) != 3 || getRank(op.getW()) != 3 || getRank(op.getR()) != 3)
    return inference.error() << "needs X, W and R of rank 3, not "
                             << shortTypeName(op.getX().getType()) << ", "
                             << shortTypeName(op.getW().getType()) << " and "
                             << shortTypeName(op.getR().getType()),
           failure();
  RecurrentSpec spec;
  spec.cell = cell;
  spec.batchFirst = op.getLayout() != 0;
  StringRef direction = op.getDirection();
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional")
    return inference.error() << "direction has unknown value '" << direction << "'", failure();
  unsigned count = direction == "bidirectional" ? 2 : 1;
  FailureOr<SmallVector<Activation>> activations = parseActivations(op, count, defaults, inference);
  if (failed(activations))
    return failure();
  for (unsigned i = 0; i < count; ++i) {
    RecurrentSpec::Direction &one = spec.directions.emplace_back();
    one.reverse = i == 1 || direction == "reverse";
    one.activations.assign(activations->begin() + i * defaults.size(),
                           activations->begin() + (i + 1) * defaults.size());
  }
  SmallVector<Dim> x = getDims(op.getX());
  spec.steps = x[spec.batchFirst ? 1 : 0];
  spec.batch = x[spec.batchFirst ? 0 : 1];
  spec.inputSize = x[2];
  spec.hiddenSize = getDims(op.getR())[2];
  if (std::optional<uint64_t> hidden = op.getHiddenSize())
    if (failed(inference.requireEqual(spec.hiddenSize, inference.constant(*hidden),
                                      "hidden_size does not fit R")))
      return failure();
  if (std::optional<APFloat> clip = op.getClip())
    spec.clip = clip->convertToFloat();
  auto operand = [&](unsigned i) {
    bool isPresent = i < op->getNumOperands() && !isAbsent(op->getOperand(i));
    return isPresent ? std::optional<unsigned>(i) : std::nullopt;
  };
  spec.b = operand(3);
  spec.sequenceLengths = operand(4);
  spec.initialH = operand(5);
  spec.initialC = operand(6);
  spec.p = operand(7);
  auto result = [&](unsigned i) {
    return i < op->getNumResults() ? std::optional<unsigned>(i) : std::nullopt;
  };
  spec.y = result(0);
  spec.lastH = result(1);
  spec.lastC = result(2);
  return spec;
}

static FailureOr<RecurrentSpec> recurrentSpec(RNNOp op, TypeInference &inference) {
  return recurrentSpec(op, RecurrentSpec::Rnn, {"Tanh"}, inference);
}

static FailureOr<RecurrentSpec> recurrentSpec(GRUOp op, TypeInference &inference) {
  FailureOr<RecurrentSpec> spec =
      recurrentSpec(op, RecurrentSpec::Gru, {"Sigmoid", "Tanh"}, inference);
  if (succeeded(spec))
    spec->linearBeforeReset = op.getLinearBeforeReset() != 0;
  return spec;
}

static FailureOr<RecurrentSpec> recurrentSpec(LSTMOp op, TypeInference &inference) {
  FailureOr<RecurrentSpec> spec =
      recurrentSpec(op, RecurrentSpec::Lstm, {"Sigmoid", "Tanh", "Tanh"}, inference);
  if (succeeded(spec))
    spec->inputForget = op.getInputForget() != 0;
  return spec;
}

template <typename OpTy> static LogicalResult inferRecurrent(OpTy op, TypeInference &inference) {
  FailureOr<RecurrentSpec> spec = recurrentSpec(op, inference);
  if (failed(spec) || failed(checkOperands(op, *spec, inference)))
    return failure();
  Type element = getElementType(op.getX());
  Dim directions = inference.constant(spec->directions.size());
  auto add = [&](ArrayRef<Dim> dims) { inference.addResult(element, dims); };
  for (unsigned i = 0; i < op->getNumResults(); ++i) {
    if (i == 0 && spec->batchFirst)
      add({spec->batch, spec->steps, directions, spec->hiddenSize});
    else if (i == 0)
      add({spec->steps, directions, spec->batch, spec->hiddenSize});
    else if (spec->batchFirst)
      add({spec->batch, directions, spec->hiddenSize});
    else
      add({directions, spec->batch, spec->hiddenSize});
  }
  return success();
}

template <typename OpTy> static FailureOr<Spec> makeSpec(OpTy op) {
  TypeInference inference(op);
  FailureOr<RecurrentSpec> recurrent = recurrentSpec(op, inference);
  if (failed(recurrent))
    return failure();
  Spec spec;
  spec.kind = SpecKind::Recurrent;
  spec.recurrent = std::make_shared<RecurrentSpec>(*recurrent);
  return spec;
}

unsigned RNNOp::getResultCount(unsigned numOutputs) { return numOutputs; }
LogicalResult RNNOp::inferTypes(TypeInference &inference) {
  return inferRecurrent(*this, inference);
}
FailureOr<Spec> RNNOp::getSpec() { return makeSpec(*this); }

unsigned GRUOp::getResultCount(unsigned numOutputs) { return numOutputs; }
LogicalResult GRUOp::inferTypes(TypeInference &inference) {
  return inferRecurrent(*this, inference);
}
FailureOr<Spec> GRUOp::getSpec() { return makeSpec(*this); }

unsigned LSTMOp::getResultCount(unsigned numOutputs) { return numOutputs; }
LogicalResult LSTMOp::inferTypes(TypeInference &inference) {
  return inferRecurrent(*this, inference);
}
FailureOr<Spec> LSTMOp::getSpec() { return makeSpec(*this); }

} // namespace dsc
