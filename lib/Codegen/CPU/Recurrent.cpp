//===- Recurrent.cpp - the template of RNN, GRU and LSTM ------------------===//
//
// An item of work is one direction of a block of sequences. It runs through the
// steps in chunks:
//   gates[step, n] = x[step, n] W^T + bias     for a whole chunk: a matrix product
//   for each step:  gates += h R^T;  h, c = cell(gates, c)
// Weights are read where they are: their rows lie along the sum, so that products
// are dot products, several rows and sequences at once. The state and the gates of
// a chunk are in scratch memory.
//
// Sequences with lengths are taken longest first: at each step those that have not
// ended are the first ones, and nothing is computed for the others. The item ends
// with its longest sequence.
//
//===----------------------------------------------------------------------===//
#include "Activations.h"
#include "Templates.h"
#include "dsc/Codegen/Common/VectorCode.h"

#include "dsc/Format/KernelABI.h"

using namespace mlir;

namespace dsc {

/// Sequences of an item, at most.
static constexpr int64_t kBlock = 16;
/// Rows of x (steps times sequences) in a chunk, about.
static constexpr int64_t kChunkRows = 48;
/// Multiply-adds that a part should have at least.
static constexpr int64_t kWorkPerPart = 1 << 16;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

namespace {

/// Emits the kernel of one op.
class RecurrentKernel {
public:
  RecurrentKernel(KernelEmitter &kernel, Operation *op, const RecurrentSpec &spec);
  void emit();

private:
  using Direction = RecurrentSpec::Direction;
  /// Sums of products, a row of weights each, for the rows of some input:
  ///   target(i)[row] = start(row) + sum over k of weights[direction, row, k] * input(i)[k]
  struct Product {
    const BufferView *weights, *input, *target;
    Value first, end;                                       ///< rows
    Value count, depth;                                     ///< of the input
    llvm::function_ref<Value(Value i)> inputRow, targetRow; ///< addresses
    /// Null: what the target holds.
    llvm::function_ref<Value(Value row, int64_t width)> start;
    int64_t rowTile, inputTile;
  };

  void makeBuffers();
  void emitItem(Value item);
  void emitDirection(const Direction &one);
  void readLengths();
  void sortByLength();
  Value countLive(Value step);
  void clearBehindEnds();
  void initializeState();
  void forSequences(llvm::function_ref<void(Value n)> body);
  void forLive(llvm::function_ref<void(Value n)> body);
  void emitChunk(const Direction &one, Value firstStep, Value count);
  Value makeRowTable(Value firstStep, Value count);
  void emitInputProducts(Value rows);
  void emitStep(const Direction &one, Value step, Value firstRow);
  void emitProduct(const Product &product);
  void recurrentProduct(Value firstRow, Value first, Value end, const BufferView &input);
  Value outputRow(const BufferView &y, Value time, Value n);
  void emitCell(const Direction &one, Value gates, Value n, Value target, Value j, int64_t width);
  Value emitLstm(const Direction &one, Value gates, Value n, Value j, int64_t width);
  Value emitGru(const Direction &one, Value gates, Value n, Value j, int64_t width);
  void emitResetState(const Direction &one, Value firstRow);
  void storeState(std::optional<unsigned> result, const BufferView &state);

  std::optional<unsigned> yielded(std::optional<unsigned> result) const;
  BufferView viewOf(std::optional<unsigned> operand) {
    return operand ? kernel.view(op->getOperand(*operand)) : BufferView();
  }
  /// Indices into a tensor over directions and sequences.
  SmallVector<Value> stateIndices(Value n) {
    Value sequence = sequenceOf(n);
    return spec.batchFirst ? SmallVector<Value>{sequence, direction, kernel.index(0)}
                           : SmallVector<Value>{direction, sequence, kernel.index(0)};
  }
  Value bias(Value row, int64_t width, bool recurrent) {
    Value at = recurrent ? kernel.add(gateRows, row) : row;
    return code.load(b, kernel.address(b, {direction, at}), width);
  }
  Value gate(Value gates, unsigned number, Value j, int64_t width) {
    Value offset = kernel.add(kernel.mul(kernel.index(number), hidden), j);
    return code.load(gateBuffer, code.advance(gateBuffer, gates, offset), width);
  }
  Value peephole(unsigned number, Value j, int64_t width) {
    Value at = kernel.add(kernel.mul(kernel.index(number), hidden), j);
    return code.load(p, kernel.address(p, {direction, at}), width);
  }
  Value activate(const Direction &one, unsigned number, Value x);
  Value lengthOf(Value n);
  Value sequenceOf(Value n);
  Value timeOf(Value step, Value n);

  KernelEmitter &kernel;
  Operation *op;
  const RecurrentSpec &spec;
  VectorCode code;
  Value hidden, gateRows, steps;
  /// Of the item.
  Value direction, isReverse, firstSequence, sequences;
  /// Steps of the item's longest sequence; sequences that have the current step.
  Value longest, live;
  Dim blocks, blockSize, chunk;
  BufferView x, w, r, b, p;
  /// Scratch: h, c and a product's input [block, H], gates [rows of a chunk, gates *
  /// H], GRU's recurrent product [block, H], where each row of x starts; with lengths
  /// [block], of the item's sequences as they are given, longest first, and which
  /// sequence has which place in that order.
  BufferView h, c, reset, gateBuffer, hiddenGate, rowTable, givenLengths, lengths, order;
};

} // namespace

RecurrentKernel::RecurrentKernel(KernelEmitter &kernel, Operation *op, const RecurrentSpec &spec)
    : kernel(kernel), op(op), spec(spec), code(kernel, getElementType(op->getOperand(spec.x))) {
  hidden = kernel.size(spec.hiddenSize);
  gateRows = kernel.size(spec.hiddenSize * spec.numGates());
  steps = kernel.size(spec.steps);
  x = viewOf(spec.x);
  w = viewOf(spec.w);
  r = viewOf(spec.r);
  b = viewOf(spec.b);
  p = viewOf(spec.p);
}

std::optional<unsigned> RecurrentKernel::yielded(std::optional<unsigned> result) const {
  if (!result)
    return std::nullopt;
  for (auto [i, value] : llvm::enumerate(kernel.group.getYielded()))
    if (value == op->getResult(*result))
      return i;
  return std::nullopt;
}

void RecurrentKernel::makeBuffers() {
  Dim one = kernel.constant(1), size = spec.hiddenSize;
  blockSize = Dim::max(one, Dim::min(spec.batch, kernel.constant(kBlock)));
  chunk = kernel.constant(kChunkRows).floorDiv(blockSize);
  if (spec.steps.isConstant())
    chunk = Dim::max(one, Dim::min(chunk, spec.steps));
  Dim rows = chunk * blockSize, gates = size * spec.numGates();
  h = code.scratch(blockSize * size, {size, one});
  if (spec.cell == RecurrentSpec::Lstm)
    c = code.scratch(blockSize * size, {size, one});
  if (spec.cell == RecurrentSpec::Gru && spec.linearBeforeReset)
    hiddenGate = code.scratch(blockSize * size, {size, one});
  else if (spec.cell == RecurrentSpec::Gru)
    reset = code.scratch(blockSize * size, {size, one});
  gateBuffer = code.scratch(rows * gates, {gates, one});
  Type i64 = kernel.builder.getI64Type();
  rowTable = code.scratch(i64, rows, {one});
  if (!spec.sequenceLengths)
    return;
  for (BufferView *view : {&givenLengths, &lengths, &order})
    *view = code.scratch(i64, blockSize, {one});
}

void RecurrentKernel::forSequences(function_ref<void(Value)> body) {
  kernel.loop(kernel.index(0), sequences, body);
}

void RecurrentKernel::forLive(function_ref<void(Value)> body) {
  kernel.loop(kernel.index(0), live, body);
}

//===----------------------------------------------------------------------===//
// Steps and times
//===----------------------------------------------------------------------===//

static Value loadIndex(KernelEmitter &kernel, const BufferView &view, Value at) {
  Value loaded = kernel.loadAt(view, kernel.address(view, {at}));
  return arith::IndexCastOp::create(kernel.builder, kernel.loc, kernel.builder.getIndexType(),
                                    loaded);
}

static void storeIndex(KernelEmitter &kernel, const BufferView &view, Value at, Value value) {
  Value wide =
      arith::IndexCastOp::create(kernel.builder, kernel.loc, kernel.builder.getI64Type(), value);
  kernel.storeAt(view, kernel.address(view, {at}), wide);
}

/// Copies the lengths of the item's sequences to scratch; those that are not in
/// [0, steps] end the kernel with an error.
void RecurrentKernel::readLengths() {
  BufferView given = viewOf(spec.sequenceLengths);
  forSequences([&](Value n) {
    Value length = loadIndex(kernel, given, kernel.add(firstSequence, n));
    Value isBad =
        arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::ugt, length, steps);
    kernel.recordError(isBad, DSC_KERNEL_BAD_VALUE);
    storeIndex(kernel, givenLengths, n,
               arith::SelectOp::create(kernel.builder, kernel.loc, isBad, kernel.index(0), length));
  });
}

/// Fills `order` and `lengths`: a sequence's place is the number of those that are
/// longer, or as long and in front of it.
void RecurrentKernel::sortByLength() {
  OpBuilder &builder = kernel.builder;
  Location loc = kernel.loc;
  auto compare = [&](arith::CmpIPredicate predicate, Value x, Value y) -> Value {
    return arith::CmpIOp::create(builder, loc, predicate, x, y);
  };
  Value zero = kernel.index(0), one = kernel.index(1);
  forSequences([&](Value n) {
    Value length = loadIndex(kernel, givenLengths, n);
    Value place = kernel.loop(zero, sequences, one, {zero}, [&](Value other, ValueRange carried) {
      Value otherLength = loadIndex(kernel, givenLengths, other);
      Value isBefore = arith::AndIOp::create(builder, loc,
                                             compare(arith::CmpIPredicate::eq, otherLength, length),
                                             compare(arith::CmpIPredicate::ult, other, n));
      isBefore = arith::OrIOp::create(builder, loc, isBefore,
                                      compare(arith::CmpIPredicate::sgt, otherLength, length));
      Value step = arith::SelectOp::create(builder, loc, isBefore, one, zero);
      return SmallVector<Value>{kernel.add(carried[0], step)};
    })[0];
    storeIndex(kernel, order, place, n);
    storeIndex(kernel, lengths, place, length);
  });
}

/// Sequences that have the step: the first ones.
Value RecurrentKernel::countLive(Value step) {
  if (!spec.sequenceLengths)
    return sequences;
  Value zero = kernel.index(0), one = kernel.index(1);
  return kernel.loop(zero, sequences, one, {zero}, [&](Value n, ValueRange carried) {
    Value isLive = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::slt,
                                         step, lengthOf(n));
    Value more = arith::SelectOp::create(kernel.builder, kernel.loc, isLive, one, zero);
    return SmallVector<Value>{kernel.add(carried[0], more)};
  })[0];
}

Value RecurrentKernel::lengthOf(Value n) {
  return spec.sequenceLengths ? loadIndex(kernel, lengths, n) : steps;
}

/// The sequence at place n of the item.
Value RecurrentKernel::sequenceOf(Value n) {
  return kernel.add(firstSequence, spec.sequenceLengths ? loadIndex(kernel, order, n) : n);
}

/// Where in x and y a step of a sequence is.
Value RecurrentKernel::timeOf(Value step, Value n) {
  Value last = arith::SubIOp::create(kernel.builder, kernel.loc, lengthOf(n), kernel.index(1));
  Value backward = arith::SubIOp::create(kernel.builder, kernel.loc, last, step);
  return arith::SelectOp::create(kernel.builder, kernel.loc, isReverse, backward, step);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

void RecurrentKernel::emitProduct(const Product &product) {
  code.forVectors(product.first, product.end, product.rowTile, [&](Value row, int64_t width) {
    VectorCode::Rows weights{product.weights, {}};
    // The next rows of the weights, which come from far away.
    weights.prefetch = kernel.mul(kernel.index(product.rowTile), product.weights->strides[1]);
    for (int64_t i = 0; i < width; ++i) {
      Value at = kernel.add(row, kernel.index(i));
      weights.addresses.push_back(
          kernel.address(*product.weights, {direction, at, kernel.index(0)}));
    }
    Value start = product.start ? product.start(row, width) : Value();
    code.forTiles(product.count, product.inputTile, [&](Value first, int64_t count) {
      VectorCode::Rows inputs{product.input, {}};
      SmallVector<Value> targets;
      for (int64_t i = 0; i < count; ++i) {
        Value at = kernel.add(first, kernel.index(i));
        inputs.addresses.push_back(product.inputRow(at));
        targets.push_back(code.advance(*product.target, product.targetRow(at), row));
      }
      SmallVector<Value> sums = code.dotProducts(weights, inputs, product.depth);
      for (auto [target, sum] : llvm::zip(targets, sums)) {
        Value old = product.start ? start : code.load(*product.target, target, width);
        code.store(*product.target, target, old ? code.add(old, sum) : sum);
      }
    });
  });
}

/// Where the rows of x of a chunk start, step by step; returns how many there are.
Value RecurrentKernel::makeRowTable(Value firstStep, Value count) {
  Value zero = kernel.index(0), one = kernel.index(1);
  return kernel.loop(zero, count, one, {zero}, [&](Value number, ValueRange carried) {
    Value step = kernel.add(firstStep, number), firstRow = carried[0];
    live = countLive(step);
    forLive([&](Value n) {
      Value sequence = sequenceOf(n), time = timeOf(step, n);
      Value outer = spec.batchFirst ? sequence : time, inner = spec.batchFirst ? time : sequence;
      Value offset = kernel.add(kernel.mul(outer, x.strides[0]), kernel.mul(inner, x.strides[1]));
      storeIndex(kernel, rowTable, kernel.add(firstRow, n), offset);
    });
    return SmallVector<Value>{kernel.add(firstRow, live)};
  })[0];
}

/// gates = x W^T + bias for `rows` rows.
void RecurrentKernel::emitInputProducts(Value rows) {
  Value boundary = kernel.mul(kernel.index(spec.numGates() - 1), hidden);
  bool separate = spec.cell == RecurrentSpec::Gru && spec.linearBeforeReset;
  auto rowOf = [&](Value i) { return code.advance(x, x.ptr, loadIndex(kernel, rowTable, i)); };
  auto gatesOf = [&](Value i) { return kernel.address(gateBuffer, {i, kernel.index(0)}); };
  auto both = [&](Value row, int64_t width) {
    if (!spec.b)
      return code.constant(0, width);
    return code.add(bias(row, width, false), bias(row, width, true));
  };
  // The recurrent bias of GRU's hidden gate is inside of the reset product.
  auto input = [&](Value row, int64_t width) {
    return spec.b ? bias(row, width, false) : code.constant(0, width);
  };
  int64_t rowTile = kernel.target.vectorRegisters >= 32 && code.lanes >= 8 ? 8 : 4;
  Value depth = kernel.size(spec.inputSize), first = kernel.index(0);
  Product product = {&w,    &x,    &gateBuffer, first, gateRows, rows,
                     depth, rowOf, gatesOf,     both,  rowTile,  /*inputTile=*/3};
  if (separate)
    product.end = boundary;
  emitProduct(product);
  if (!separate)
    return;
  product.first = boundary;
  product.end = gateRows;
  product.start = input;
  emitProduct(product);
}

/// gates += input R^T for the rows [first, end) of R, of the sequences that have the step.
void RecurrentKernel::recurrentProduct(Value firstRow, Value first, Value end,
                                       const BufferView &input) {
  auto rowOf = [&](Value n) { return kernel.address(input, {n, kernel.index(0)}); };
  auto gatesOf = [&](Value n) {
    return kernel.address(gateBuffer, {kernel.add(firstRow, n), kernel.index(0)});
  };
  // One sequence: more rows at once, to have sums enough in flight.
  bool isSingle = spec.batch.isConstant(1);
  bool manyRegisters = kernel.target.vectorRegisters >= 32;
  int64_t rowTile = (isSingle || manyRegisters) && code.lanes >= 8 ? 8 : 4;
  emitProduct({&r, &input, &gateBuffer, first, end, live, hidden, rowOf, gatesOf, nullptr, rowTile,
               isSingle ? 1 : 3});
}

//===----------------------------------------------------------------------===//
// Cells
//===----------------------------------------------------------------------===//

Value RecurrentKernel::activate(const Direction &one, unsigned number, Value x) {
  if (spec.clip) {
    auto vector = dyn_cast<VectorType>(x.getType());
    int64_t width = vector ? vector.getNumElements() : 1;
    x = code.max(code.min(x, code.constant(*spec.clip, width)), code.constant(-*spec.clip, width));
  }
  return emitActivation(code, one.activations[number], x);
}

Value RecurrentKernel::emitLstm(const Direction &one, Value gates, Value n, Value j,
                                int64_t width) {
  Value at = kernel.address(c, {n, j});
  Value old = code.load(c, at, width);
  auto look = [&](Value sum, unsigned number, Value cell) {
    return spec.p ? code.fma(peephole(number, j, width), cell, sum) : sum;
  };
  Value input = activate(one, 0, look(gate(gates, 0, j, width), 0, old));
  Value forget = spec.inputForget ? code.sub(code.constant(1, width), input)
                                  : activate(one, 0, look(gate(gates, 2, j, width), 2, old));
  Value candidate = activate(one, 1, gate(gates, 3, j, width));
  Value next = code.fma(forget, old, code.mul(input, candidate));
  code.store(c, at, next);
  Value output = activate(one, 0, look(gate(gates, 1, j, width), 1, next));
  return code.mul(output, emitActivation(code, one.activations[2], next));
}

Value RecurrentKernel::emitGru(const Direction &one, Value gates, Value n, Value j, int64_t width) {
  Value update = activate(one, 0, gate(gates, 0, j, width));
  Value sum = gate(gates, 2, j, width);
  if (spec.linearBeforeReset) {
    Value reset = activate(one, 0, gate(gates, 1, j, width));
    sum = code.fma(reset, code.load(hiddenGate, kernel.address(hiddenGate, {n, j}), width), sum);
  }
  Value candidate = activate(one, 1, sum);
  Value old = code.load(h, kernel.address(h, {n, j}), width);
  // (1 - update) * candidate + update * old
  return code.fma(update, code.sub(old, candidate), candidate);
}

/// New state and output of hidden units j ... j + width - 1 of sequence n.
void RecurrentKernel::emitCell(const Direction &one, Value gates, Value n, Value target, Value j,
                               int64_t width) {
  Value next = spec.cell == RecurrentSpec::Lstm  ? emitLstm(one, gates, n, j, width)
               : spec.cell == RecurrentSpec::Gru ? emitGru(one, gates, n, j, width)
                                                 : activate(one, 0, gate(gates, 0, j, width));
  code.store(h, kernel.address(h, {n, j}), next);
  if (target) {
    BufferView y = kernel.resultView(*yielded(spec.y));
    code.store(y, code.advance(y, target, j), next);
  }
}

/// GRU: reset = r * h, the input of the hidden gate's product.
void RecurrentKernel::emitResetState(const Direction &one, Value firstRow) {
  forLive([&](Value n) {
    Value gates = kernel.address(gateBuffer, {kernel.add(firstRow, n), kernel.index(0)});
    code.forVectors(kernel.index(0), hidden, code.lanes, [&](Value j, int64_t width) {
      Value factor = activate(one, 0, gate(gates, 1, j, width));
      Value old = code.load(h, kernel.address(h, {n, j}), width);
      code.store(reset, kernel.address(reset, {n, j}), code.mul(factor, old));
    });
  });
}

//===----------------------------------------------------------------------===//
// Steps
//===----------------------------------------------------------------------===//

void RecurrentKernel::emitStep(const Direction &one, Value step, Value firstRow) {
  Value zero = kernel.index(0);
  Value boundary = kernel.mul(kernel.index(spec.numGates() - 1), hidden);
  if (spec.cell != RecurrentSpec::Gru) {
    recurrentProduct(firstRow, zero, gateRows, h);
  } else if (!spec.linearBeforeReset) {
    recurrentProduct(firstRow, zero, boundary, h);
    emitResetState(one, firstRow);
    recurrentProduct(firstRow, boundary, gateRows, reset);
  } else {
    recurrentProduct(firstRow, zero, boundary, h);
    // The hidden gate's part, with its bias, is scaled by the reset gate: apart.
    auto rowOf = [&](Value n) { return kernel.address(h, {n, zero}); };
    auto targetOf = [&](Value n) {
      Value back = arith::SubIOp::create(kernel.builder, kernel.loc, zero, boundary);
      return code.advance(hiddenGate, kernel.address(hiddenGate, {n, zero}), back);
    };
    auto start = [&](Value row, int64_t width) {
      return spec.b ? bias(row, width, true) : code.constant(0, width);
    };
    emitProduct({&r, &h, &hiddenGate, boundary, gateRows, live, hidden, rowOf, targetOf, start, 4,
                 spec.batch.isConstant(1) ? 1 : 3});
  }
  std::optional<unsigned> output = yielded(spec.y);
  forLive([&](Value n) {
    Value target = output ? outputRow(kernel.resultView(*output), timeOf(step, n), n) : Value();
    Value gates = kernel.address(gateBuffer, {kernel.add(firstRow, n), zero});
    code.forVectors(zero, hidden, code.lanes,
                    [&](Value j, int64_t width) { emitCell(one, gates, n, target, j, width); });
  });
}

/// Address of the item's part of y at a time of the sequence at place n.
Value RecurrentKernel::outputRow(const BufferView &y, Value time, Value n) {
  Value sequence = sequenceOf(n), zero = kernel.index(0);
  return spec.batchFirst ? kernel.address(y, {sequence, time, direction, zero})
                         : kernel.address(y, {time, direction, sequence, zero});
}

/// Zeros in y behind the end of each sequence.
void RecurrentKernel::clearBehindEnds() {
  std::optional<unsigned> output = yielded(spec.y);
  if (!output || !spec.sequenceLengths)
    return;
  BufferView y = kernel.resultView(*output);
  forSequences([&](Value n) {
    kernel.loop(lengthOf(n), steps, [&](Value time) {
      Value row = outputRow(y, time, n);
      code.forVectors(kernel.index(0), hidden, code.lanes, [&](Value j, int64_t width) {
        code.store(y, code.advance(y, row, j), code.constant(0, width));
      });
    });
  });
}

void RecurrentKernel::emitChunk(const Direction &one, Value firstStep, Value count) {
  Value zero = kernel.index(0), rows = makeRowTable(firstStep, count);
  emitInputProducts(rows);
  kernel.loop(zero, count, kernel.index(1), {zero}, [&](Value number, ValueRange carried) {
    Value step = kernel.add(firstStep, number);
    live = countLive(step);
    emitStep(one, step, carried[0]);
    return SmallVector<Value>{kernel.add(carried[0], live)};
  });
}

void RecurrentKernel::initializeState() {
  auto initialize = [&](const BufferView &state, std::optional<unsigned> operand) {
    BufferView given = viewOf(operand);
    forSequences([&](Value n) {
      Value isEmpty;
      if (operand && spec.sequenceLengths)
        isEmpty = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::eq,
                                        lengthOf(n), kernel.index(0));
      code.forVectors(kernel.index(0), hidden, code.lanes, [&](Value j, int64_t width) {
        Value value = code.constant(0, width);
        if (operand) {
          Value row = kernel.address(given, stateIndices(n));
          Value loaded = code.load(given, code.advance(given, row, j), width);
          // No step will replace it.
          value = isEmpty ? code.select(isEmpty, value, loaded) : loaded;
        }
        code.store(state, kernel.address(state, {n, j}), value);
      });
    });
  };
  initialize(h, spec.initialH);
  if (spec.cell == RecurrentSpec::Lstm)
    initialize(c, spec.initialC);
}

void RecurrentKernel::storeState(std::optional<unsigned> result, const BufferView &state) {
  std::optional<unsigned> number = yielded(result);
  if (!number)
    return;
  BufferView target = kernel.resultView(*number);
  forSequences([&](Value n) {
    Value row = kernel.address(target, stateIndices(n));
    code.forVectors(kernel.index(0), hidden, code.lanes, [&](Value j, int64_t width) {
      code.store(target, code.advance(target, row, j),
                 code.load(state, kernel.address(state, {n, j}), width));
    });
  });
}

void RecurrentKernel::emitDirection(const Direction &one) {
  longest = steps;
  if (spec.sequenceLengths) {
    readLengths();
    sortByLength();
    longest = lengthOf(kernel.index(0));
  }
  initializeState();
  Value chunkSize = kernel.size(chunk);
  kernel.loop(kernel.index(0), longest, chunkSize, [&](Value firstStep) {
    Value left = arith::SubIOp::create(kernel.builder, kernel.loc, longest, firstStep);
    Value count = arith::MinSIOp::create(kernel.builder, kernel.loc, left, chunkSize);
    emitChunk(one, firstStep, count);
  });
  clearBehindEnds();
  storeState(spec.lastH, h);
  storeState(spec.lastC, c);
}

/// Whether the code of both directions is the same.
static bool haveSameActivations(const RecurrentSpec &spec) {
  auto same = [](const Activation &a, const Activation &b) {
    return a.kind == b.kind && a.alpha == b.alpha && a.beta == b.beta;
  };
  const auto &first = spec.directions.front().activations;
  return llvm::all_of(spec.directions, [&](const RecurrentSpec::Direction &one) {
    return llvm::equal(one.activations, first, same);
  });
}

void RecurrentKernel::emitItem(Value item) {
  Value count = kernel.size(blocks);
  direction = kernel.index(0);
  if (spec.directions.size() > 1) {
    direction = arith::DivUIOp::create(kernel.builder, kernel.loc, item, count);
    item = arith::RemUIOp::create(kernel.builder, kernel.loc, item, count);
  }
  auto boundary = [&](Value i) -> Value {
    if (spec.batch.isConstant(1))
      return i;
    return arith::DivUIOp::create(kernel.builder, kernel.loc,
                                  kernel.mul(i, kernel.size(spec.batch)), count);
  };
  firstSequence = boundary(item);
  sequences = arith::SubIOp::create(kernel.builder, kernel.loc,
                                    boundary(kernel.add(item, kernel.index(1))), firstSequence);
  if (spec.batch.isConstant(1))
    sequences = kernel.index(1);
  auto reverseFlag = [&](bool flag) -> Value {
    return arith::ConstantOp::create(kernel.builder, kernel.loc, kernel.builder.getBoolAttr(flag));
  };
  if (spec.directions.size() == 1) {
    isReverse = reverseFlag(spec.directions.front().reverse);
    return emitDirection(spec.directions.front());
  }
  Value isSecond = arith::CmpIOp::create(kernel.builder, kernel.loc, arith::CmpIPredicate::ne,
                                         direction, kernel.index(0));
  if (haveSameActivations(spec)) {
    isReverse = isSecond;
    return emitDirection(spec.directions.front());
  }
  auto run = [&](unsigned number) {
    isReverse = reverseFlag(spec.directions[number].reverse);
    emitDirection(spec.directions[number]);
  };
  kernel.branch(isSecond, [&] { return run(1); }, [&] { return run(0); });
}

void RecurrentKernel::emit() {
  makeBuffers();
  Dim one = kernel.constant(1);
  blocks = spec.batch.ceilDiv(kBlock);
  Dim items = blocks * static_cast<int64_t>(spec.directions.size());
  Dim work = spec.steps * spec.batch * spec.hiddenSize * (spec.hiddenSize + spec.inputSize) *
             static_cast<int64_t>(spec.numGates() * spec.directions.size());
  kernel.partCount = Dim::max(one, Dim::min(items, work.floorDiv(kWorkPerPart)));
  auto [first, end] = kernel.share(kernel.size(items));
  kernel.loop(first, end, [&](Value item) { emitItem(item); });
}

//===----------------------------------------------------------------------===//
// The template
//===----------------------------------------------------------------------===//

namespace {
class RecurrentTemplate : public Template {
public:
  StringRef getName() const override { return "recurrent"; }
  bool laysOutRegisters() const override { return true; }
  Match match(const GroupInfo &group, const Target &target) const override;
  SmallVector<ScheduleAttr> candidates(const GroupInfo &group, const Target &target) const override;
  Cost cost(const GroupInfo &group, ScheduleAttr schedule, const Target &target) const override;
  LogicalResult emit(KernelEmitter &kernel, ScheduleAttr schedule) const override;
};
} // namespace

static const RecurrentSpec *recurrentSpec(const GroupInfo &group) {
  Block &body = group.getBody();
  if (!llvm::hasNItems(body.without_terminator(), 1))
    return nullptr;
  const Spec *spec = group.getSpec(&body.front());
  return spec ? spec->recurrent.get() : nullptr;
}

Match RecurrentTemplate::match(const GroupInfo &group, const Target &) const {
  const RecurrentSpec *spec = recurrentSpec(group);
  if (!spec)
    return Match::no("not a recurrent layer alone");
  Type element = getElementType(group.getBody().front().getOperand(spec->x));
  if (!isa<FloatType>(element))
    return Match::no("elements are not floats");
  return Match::yes();
}

SmallVector<ScheduleAttr> RecurrentTemplate::candidates(const GroupInfo &group,
                                                        const Target &) const {
  return {ScheduleAttr::get(group.getGroup()->getContext(), getName(), {}, {}, 1, {}, 1, {})};
}

Cost RecurrentTemplate::cost(const GroupInfo &group, ScheduleAttr, const Target &target) const {
  const RecurrentSpec &spec = *recurrentSpec(group);
  Cost cost = estimateWork(group);
  double rows = estimateSize({spec.steps, spec.batch}), directions = spec.directions.size();
  double weights = directions * spec.numGates() * estimateSize({spec.hiddenSize}) *
                   (estimateSize({spec.hiddenSize}) + estimateSize({spec.inputSize}));
  cost.flops = 2 * rows * weights;
  // Each step streams the weights once more for each block of sequences.
  double blocks = std::ceil(estimateSize({spec.batch}) / kBlock);
  double streamed = 4 * weights * estimateSize({spec.steps}) * blocks;
  cost.ns = std::max(cost.flops / target.peakF32(), streamed / target.l3GBs);
  return cost;
}

LogicalResult RecurrentTemplate::emit(KernelEmitter &kernel, ScheduleAttr) const {
  RecurrentKernel(kernel, &kernel.group.getBody().front(), *recurrentSpec(kernel.group)).emit();
  return success();
}

const Template &recurrentTemplate() {
  static const RecurrentTemplate instance;
  return instance;
}

} // namespace dsc
