//===- InterpreterRecurrent.cpp - runs RNN, GRU and LSTM ------------------===//
//
// The equations of ONNX as they are written there, in double; results are rounded
// to their type.
//
//===----------------------------------------------------------------------===//
#include "InterpreterBody.h"

#include <algorithm>
#include <cmath>

using namespace mlir;

namespace dsc::interpreter {

static std::vector<double> decode(const Array &array) {
  Column column(array.type.getElementType());
  std::vector<double> values(array.numElements());
  std::vector<int64_t> offsets(kLanes);
  for (int64_t first = 0, total = array.numElements(); first < total; first += kLanes) {
    int64_t count = std::min<int64_t>(kLanes, total - first);
    for (int64_t i = 0; i < count; ++i)
      offsets[i] = first + i;
    column.load(array.data.data(), offsets.data(), count);
    for (int64_t i = 0; i < count; ++i)
      values[first + i] = column.kind == Column::Double   ? column.doubles[i]
                          : column.kind == Column::Single ? column.singles[i]
                                                          : double(column.integers[i]);
  }
  return values;
}

static void encode(ArrayRef<double> values, Array &array) {
  Column column(array.type.getElementType());
  for (auto [i, value] : llvm::enumerate(values)) {
    if (column.kind == Column::Double)
      column.doubles[0] = value;
    else
      column.singles[0] = static_cast<float>(value);
    int64_t offset = i;
    column.store(array.data.data(), &offset, 1, nullptr);
  }
}

static double apply(const Activation &activation, double x) {
  double alpha = activation.alpha, beta = activation.beta;
  switch (activation.kind) {
  case Activation::Relu:
    return std::max(x, 0.0);
  case Activation::Tanh:
    return std::tanh(x);
  case Activation::Sigmoid:
    return 1 / (1 + std::exp(-x));
  case Activation::Affine:
    return alpha * x + beta;
  case Activation::LeakyRelu:
    return x >= 0 ? x : alpha * x;
  case Activation::ThresholdedRelu:
    return x >= alpha ? x : 0;
  case Activation::ScaledTanh:
    return alpha * std::tanh(beta * x);
  case Activation::HardSigmoid:
    return std::clamp(alpha * x + beta, 0.0, 1.0);
  case Activation::Elu:
    return x >= 0 ? x : alpha * std::expm1(x);
  case Activation::Softsign:
    return x / (1 + std::abs(x));
  case Activation::Softplus:
    return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
  }
  llvm_unreachable("all kinds are above");
}

namespace {
/// One layer: all directions and sequences. Arrays are row-major, as in RecurrentSpec.
class RecurrentRunner {
public:
  RecurrentRunner(const RecurrentSpec &spec, ArrayRef<const Array *> operands,
                  const SymbolValues &symbols);
  bool hasSizes() const { return sizesKnown; }
  void run();
  void store(MutableArrayRef<Array> results);

private:
  std::vector<double> read(std::optional<unsigned> operand) const {
    return operand && operands[*operand] ? decode(*operands[*operand]) : std::vector<double>();
  }
  void runSequence(int64_t direction, int64_t sequence);
  /// gates[g * hidden + j] = x W^T + its bias; `recurrent`: h R^T + its bias.
  std::vector<double> inputGates(int64_t direction, int64_t sequence, int64_t step) const;
  double recurrentGate(int64_t direction, int64_t row, ArrayRef<double> h) const;
  void stepRnn(int64_t direction, ArrayRef<double> gates);
  void stepGru(int64_t direction, ArrayRef<double> gates);
  void stepLstm(int64_t direction, ArrayRef<double> gates);
  double activate(int64_t direction, unsigned function, double x) const {
    if (spec.clip)
      x = std::clamp(x, -double(*spec.clip), double(*spec.clip));
    return apply(spec.directions[direction].activations[function], x);
  }
  /// Offset of the state of a sequence in lastH, lastC and the initial values.
  int64_t stateAt(int64_t direction, int64_t sequence) const {
    int64_t numDirections = spec.directions.size();
    return hidden *
           (spec.batchFirst ? sequence * numDirections + direction : direction * batch + sequence);
  }

  const RecurrentSpec &spec;
  ArrayRef<const Array *> operands;
  bool sizesKnown = true;
  int64_t steps = 0, batch = 0, inputSize = 0, hidden = 0, gates = 0;
  std::vector<double> x, w, r, b, lengths, initialH, initialC, p;
  std::vector<double> h, c;          ///< of the current sequence
  std::vector<double> y, allH, allC; ///< results
};
} // namespace

RecurrentRunner::RecurrentRunner(const RecurrentSpec &spec, ArrayRef<const Array *> operands,
                                 const SymbolValues &symbols)
    : spec(spec), operands(operands) {
  auto size = [&](Dim dim) {
    std::optional<int64_t> value = evaluateDim(dim, symbols);
    sizesKnown &= value.has_value();
    return value.value_or(0);
  };
  steps = size(spec.steps);
  batch = size(spec.batch);
  inputSize = size(spec.inputSize);
  hidden = size(spec.hiddenSize);
  gates = spec.numGates();
}

void RecurrentRunner::run() {
  x = read(spec.x);
  w = read(spec.w);
  r = read(spec.r);
  b = read(spec.b);
  lengths = read(spec.sequenceLengths);
  initialH = read(spec.initialH);
  initialC = read(spec.initialC);
  p = read(spec.p);
  int64_t numDirections = spec.directions.size();
  y.assign(steps * numDirections * batch * hidden, 0);
  allH.assign(numDirections * batch * hidden, 0);
  allC = allH;
  for (int64_t direction = 0; direction < numDirections; ++direction)
    for (int64_t sequence = 0; sequence < batch; ++sequence)
      runSequence(direction, sequence);
}

void RecurrentRunner::runSequence(int64_t direction, int64_t sequence) {
  int64_t numDirections = spec.directions.size(), state = stateAt(direction, sequence);
  h.assign(hidden, 0);
  c.assign(hidden, 0);
  int64_t length =
      lengths.empty() ? steps : std::clamp<int64_t>(int64_t(lengths[sequence]), 0, steps);
  bool keepsState = lengths.empty() || length > 0;
  if (keepsState && !initialH.empty())
    std::copy_n(initialH.begin() + state, hidden, h.begin());
  if (keepsState && !initialC.empty())
    std::copy_n(initialC.begin() + state, hidden, c.begin());
  for (int64_t i = 0; i < length; ++i) {
    int64_t step = spec.directions[direction].reverse ? length - 1 - i : i;
    std::vector<double> fromInput = inputGates(direction, sequence, step);
    if (spec.cell == RecurrentSpec::Rnn)
      stepRnn(direction, fromInput);
    else if (spec.cell == RecurrentSpec::Gru)
      stepGru(direction, fromInput);
    else
      stepLstm(direction, fromInput);
    int64_t at = spec.batchFirst ? (sequence * steps + step) * numDirections + direction
                                 : (step * numDirections + direction) * batch + sequence;
    llvm::copy(h, y.begin() + at * hidden);
  }
  llvm::copy(h, allH.begin() + state);
  llvm::copy(c, allC.begin() + state);
}

std::vector<double> RecurrentRunner::inputGates(int64_t direction, int64_t sequence,
                                                int64_t step) const {
  int64_t row = spec.batchFirst ? sequence * steps + step : step * batch + sequence;
  const double *input = x.data() + row * inputSize;
  std::vector<double> result(gates * hidden);
  for (int64_t g = 0; g < gates * hidden; ++g) {
    const double *weights = w.data() + (direction * gates * hidden + g) * inputSize;
    double sum = b.empty() ? 0 : b[direction * 2 * gates * hidden + g];
    for (int64_t i = 0; i < inputSize; ++i)
      sum += input[i] * weights[i];
    result[g] = sum;
  }
  return result;
}

double RecurrentRunner::recurrentGate(int64_t direction, int64_t row,
                                      ArrayRef<double> state) const {
  const double *weights = r.data() + (direction * gates * hidden + row) * hidden;
  double sum = b.empty() ? 0 : b[(direction * 2 + 1) * gates * hidden + row];
  for (int64_t i = 0; i < hidden; ++i)
    sum += state[i] * weights[i];
  return sum;
}

void RecurrentRunner::stepRnn(int64_t direction, ArrayRef<double> fromInput) {
  std::vector<double> next(hidden);
  for (int64_t j = 0; j < hidden; ++j)
    next[j] = activate(direction, 0, fromInput[j] + recurrentGate(direction, j, h));
  h = std::move(next);
}

void RecurrentRunner::stepGru(int64_t direction, ArrayRef<double> fromInput) {
  std::vector<double> z(hidden), reset(hidden), resetH(hidden), next(hidden);
  for (int64_t j = 0; j < hidden; ++j) {
    z[j] = activate(direction, 0, fromInput[j] + recurrentGate(direction, j, h));
    reset[j] =
        activate(direction, 0, fromInput[hidden + j] + recurrentGate(direction, hidden + j, h));
    resetH[j] = reset[j] * h[j];
  }
  for (int64_t j = 0; j < hidden; ++j) {
    int64_t row = 2 * hidden + j;
    double fromState = spec.linearBeforeReset ? reset[j] * recurrentGate(direction, row, h)
                                              : recurrentGate(direction, row, resetH);
    double candidate = activate(direction, 1, fromInput[row] + fromState);
    next[j] = (1 - z[j]) * candidate + z[j] * h[j];
  }
  h = std::move(next);
}

void RecurrentRunner::stepLstm(int64_t direction, ArrayRef<double> fromInput) {
  std::vector<double> nextH(hidden), nextC(hidden);
  // Peepholes lie in the order i, o, f.
  auto peephole = [&](int64_t gate, int64_t j, double cell) {
    return p.empty() ? 0 : p[(direction * 3 + gate) * hidden + j] * cell;
  };
  for (int64_t j = 0; j < hidden; ++j) {
    auto gate = [&](int64_t number) {
      int64_t row = number * hidden + j;
      return fromInput[row] + recurrentGate(direction, row, h);
    };
    double i = activate(direction, 0, gate(0) + peephole(0, j, c[j]));
    double f = spec.inputForget ? 1 - i : activate(direction, 0, gate(2) + peephole(2, j, c[j]));
    double candidate = activate(direction, 1, gate(3));
    nextC[j] = f * c[j] + i * candidate;
    double o = activate(direction, 0, gate(1) + peephole(1, j, nextC[j]));
    nextH[j] = o * apply(spec.directions[direction].activations[2], nextC[j]);
  }
  h = std::move(nextH);
  c = std::move(nextC);
}

void RecurrentRunner::store(MutableArrayRef<Array> results) {
  if (spec.y)
    encode(y, results[*spec.y]);
  if (spec.lastH)
    encode(allH, results[*spec.lastH]);
  if (spec.lastC)
    encode(allC, results[*spec.lastC]);
}

LogicalResult runRecurrent(Operation *op, const RecurrentSpec &spec,
                           ArrayRef<const Array *> operands, const SymbolValues &symbols,
                           MutableArrayRef<Array> results) {
  RecurrentRunner runner(spec, operands, symbols);
  if (!runner.hasSizes())
    return op->emitOpError("not interpretable: a size has no value");
  runner.run();
  runner.store(results);
  return success();
}

} // namespace dsc::interpreter
