//===- Spec.h - what an operator computes ---------------------------------===//
//
// A Spec says what an op computes in one of a small closed set of structured
// forms, so that passes, kernel templates and the interpreter never ask for an
// op by name. Scalar code is a region of arith, math, dsc.at, dsc.size.
//
// Most Specs are a LoopSpec: for each point of an iteration space, elements of
// the operands are read through affine maps, the body runs, and its results go to
// the result tensors:
//   parallel loops   the result's axes, in order
//   reduction loops  the body receives and returns the accumulators
//   scan loops       like a reduction, but the accumulator after each step (or
//                    before it, if exclusive) is stored: a result axis
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Dim.h"

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/Region.h"
#include "llvm/ADT/APFloat.h"
#include "llvm/ADT/SmallVector.h"

#include <array>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace dsc {

class ScalarBuilder;
enum class AtMode : uint32_t;

enum class SpecKind {
  Map,       // parallel loops only, operands read at projections of them
  Move,      // parallel loops only; the body only moves elements
  Reduce,    // reductions over projections
  Contract,  // sum of products over projections: matmul
  Window,    // reductions (pooling) or sums of products (convolution) over shifted windows
  Scan,      // one loop carries state: cumulative sums
  Scatter,   // a copy of operand 0, then updates in order
  Sort,      // the first elements along an axis
  Row,       // stages over one row: softmax, normalisation
  Attention, // softmax(Q K^T) V
  Recurrent, // LSTM, GRU, RNN
  Call,      // a library kernel
};
llvm::StringRef stringify(SpecKind kind);

enum class Iterator { Parallel, Reduction, Scan };

/// What a read outside the operand means.
enum class Bounds {
  Inside, // cannot happen
  Skip,   // the iteration point contributes nothing (reductions)
};

/// How an operand is read.
struct Access {
  /// Operand (number in the op's operand list).
  unsigned operand = 0;
  /// From loop indices d_i and symbols s_i (LoopSpec::symbols) to the operand's
  /// axes. Empty: the body reads it with dsc.at at computed indices.
  std::optional<mlir::AffineMap> map;
  Bounds bounds = Bounds::Inside;
  /// Axes of the operand that may have size 1 at run time where the loop is
  /// longer: their index is then 0.
  llvm::SmallVector<bool> mayBroadcast;
};

/// See the head of this file. Block arguments of the body: an index for each
/// loop; for each access the element (mapped) or the tensor (not mapped); for
/// reductions and scans an accumulator for each result. It ends with dsc.yield of
/// the results' elements or the new accumulators.
struct LoopSpec {
  llvm::SmallVector<Dim> extents;
  llvm::SmallVector<Iterator> iterators;
  llvm::SmallVector<Dim> symbols;
  llvm::SmallVector<Access> accesses;
  std::unique_ptr<mlir::Region> body;
  /// Initial accumulators (reductions and scans), of the accumulators' types.
  llvm::SmallVector<mlir::TypedAttr> init;
  /// Arguments: an index for each loop that is not a reduction; for each of
  /// `finishAccesses` the element (mapped) or the tensor (not mapped); the
  /// accumulators. Yields the results' elements. Null: accumulators are the results.
  std::unique_ptr<mlir::Region> finish;
  /// What `finish` reads (a bias, scales). Their maps have a dimension for every
  /// loop, as those of `accesses`, but use no reduction loop.
  llvm::SmallVector<Access> finishAccesses;
  /// Scan: store the accumulator before the step, and run from the end.
  bool exclusive = false, reverse = false;

  bool hasReduction() const;
  unsigned numLoops() const { return extents.size(); }
};

/// Scatter: operand 0 is copied to the result; then, for each point of the
/// iteration space in order (outermost loop slowest), the body says where to write
/// what. Its arguments are those of a LoopSpec's body, with an accumulator for each
/// of `updates.init`, carried from each point to the next. It yields
///   if `conditional`, an i1: false writes nothing at this point
///   an index for each axis of the result; outside, the kernel ends with a status
///   the new element
///   the new accumulators
/// The loops are all Parallel; `updates.finish` is not used.
struct ScatterSpec {
  LoopSpec updates;
  /// The element that is written, from the old and the new one (both as stored).
  /// Null: the new one.
  std::unique_ptr<mlir::Region> combine;
  bool conditional = false;
  /// Not null: the result starts with this value everywhere instead of operand 0.
  mlir::TypedAttr fill;
};

/// Operand 0's first `count` elements along `axis` in order (result 0), and where along
/// the axis they were (result 1, int64). NaN is larger than any number; of equal
/// elements that with the lower index comes first.
struct SortSpec {
  unsigned axis = 0;
  bool largest = true; ///< the largest comes first, otherwise the smallest
  Dim length, count;   ///< of the axis, before and after
};

/// Call of a kernel of runtime/ops: buffers are the operands that are present,
/// then the results; `sizes` are passed in order.
struct CallSpec {
  std::string function;
  llvm::SmallVector<unsigned> operands;
  llvm::SmallVector<Dim> sizes;
  /// Scratch memory in bytes; empty: none.
  Dim scratch;
};

/// The functions of recurrent cells; `alpha` and `beta` are their parameters.
struct Activation {
  enum Kind {
    Relu,            // max(0, x)
    Tanh,            // tanh(x)
    Sigmoid,         // 1 / (1 + exp(-x))
    Affine,          // alpha * x + beta
    LeakyRelu,       // x >= 0 ? x : alpha * x
    ThresholdedRelu, // x >= alpha ? x : 0
    ScaledTanh,      // alpha * tanh(beta * x)
    HardSigmoid,     // min(max(alpha * x + beta, 0), 1)
    Elu,             // x >= 0 ? x : alpha * (exp(x) - 1)
    Softsign,        // x / (1 + |x|)
    Softplus,        // log(1 + exp(x))
  };
  Kind kind = Tanh;
  float alpha = 0, beta = 0;
};

/// A recurrent layer with the equations of ONNX's RNN, GRU and LSTM: everything a
/// kernel needs. T steps, N sequences, I inputs, H hidden, D directions.
/// Operands (numbers in the op's operand list; empty: absent):
///   x [T, N, I], w [D, gates * H, I], r [D, gates * H, H], b [D, 2 * gates * H],
///   sequenceLengths [N] of int32, initialH and initialC [D, N, H], p [D, 3 * H]
/// Gates lie in ONNX's order: RNN i; GRU z, r, h; LSTM i, o, f, c. Results: y
/// [T, D, N, H], lastH and lastC [D, N, H]. With `batchFirst` (layout 1) x is
/// [N, T, I], initialH, initialC, lastH and lastC are [N, D, H], y is [N, T, D, H].
/// Steps from a sequence's length on give zeros in y and leave the state alone; a
/// reversed direction starts at the last step of each sequence. A sequence of length 0
/// ends with a state of zeros, as in onnxruntime.
struct RecurrentSpec {
  enum Cell { Rnn, Gru, Lstm };
  /// Activations in ONNX's order: RNN f; GRU f, g; LSTM f, g, h.
  struct Direction {
    bool reverse = false;
    llvm::SmallVector<Activation, 3> activations;
  };

  Cell cell = Rnn;
  llvm::SmallVector<Direction, 2> directions;
  Dim steps, batch, inputSize, hiddenSize;
  unsigned x = 0, w = 1, r = 2;
  std::optional<unsigned> b, sequenceLengths, initialH, initialC, p;
  /// Results (numbers in the op's result list; empty: not wanted).
  std::optional<unsigned> y, lastH, lastC;
  /// Bound on the magnitude of what goes into an activation; empty: none.
  std::optional<float> clip;
  bool batchFirst = false;
  bool linearBeforeReset = false; // GRU
  bool inputForget = false;       // LSTM: f = 1 - i
  unsigned numGates() const { return cell == Rnn ? 1 : cell == Gru ? 3 : 4; }
};

/// softmax(scale * q k^T, capped, masked) v for each head. Operands (numbers in the
/// op's operand list): q [B, H, M, D], k [B, Hk, N, D], v [B, Hk, N, Dv], mask that
/// broadcasts to [B, H, M, N]; result y [B, H, M, Dv]. Head h uses head h / (H / Hk)
/// of k and v.
struct AttentionSpec {
  /// What a row becomes whose softmax is not defined.
  enum UndefinedRows {
    Nan,        // NaN, as computed
    MaskedZero, // 0 where all keys are hidden
    Zero,       // 0 also where the sum is NaN
  };

  unsigned q = 0, k = 1, v = 2, y = 0;
  std::optional<unsigned> mask;
  /// The axis of the tensor that is axis 0, 1, 2, 3 above.
  std::array<int64_t, 4> qAxes = {0, 1, 2, 3}, kAxes = qAxes, vAxes = qAxes, yAxes = qAxes;
  Dim batch, heads, sharedHeads, queries, keys, headSize, valueSize;
  float scale = 1;
  float softcap = 0; ///< not 0: scores become softcap * tanh(score / softcap)
  /// Query m sees keys up to m + causalOffset; empty: all.
  Dim causalOffset;
  UndefinedRows undefinedRows = Nan;
};

struct Spec {
  SpecKind kind = SpecKind::Map;
  /// Map ... Scan. Row: see stages.
  std::shared_ptr<LoopSpec> loops;
  std::shared_ptr<ScatterSpec> scatter;
  std::shared_ptr<SortSpec> sort;
  std::shared_ptr<CallSpec> call;
  std::shared_ptr<RecurrentSpec> recurrent;
  std::shared_ptr<AttentionSpec> attention;
};

/// Builds scalar code with the semantics of an ONNX element type. Values have
/// signless integer types; which sign an operation uses follows from the builder's
/// element type. 16-bit floats are computed in float32: `compute` extends,
/// `round` goes back.
class ScalarBuilder {
public:
  ScalarBuilder(mlir::OpBuilder &builder, mlir::Location loc, mlir::Type elementType);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  /// The ONNX element type whose arithmetic is meant (may be ui8 or f16).
  mlir::Type type;
  bool isFloat() const;
  bool isUnsigned() const;
  bool isBool() const;
  /// The type that values of `type` have while computing.
  mlir::Type computeType() const;
  ScalarBuilder with(mlir::Type otherType) const { return {builder, loc, otherType}; }

  mlir::Value constant(double value) const; // of computeType
  mlir::Value constant(const llvm::APFloat &value) const {
    return constant(value.convertToDouble());
  }
  mlir::Value integer(int64_t value) const; // of computeType
  mlir::Value index(int64_t value) const;
  mlir::Value boolean(bool value) const;
  mlir::Value size(Dim dim) const;               // index
  mlir::Value compute(mlir::Value stored) const; // storage -> compute type
  mlir::Value round(mlir::Value computed) const; // compute -> storage type
  /// ONNX Cast between element types, both in compute form. Out-of-range floats
  /// saturate for integers narrower than the float can hold.
  mlir::Value cast(mlir::Value value, mlir::Type from, mlir::Type to) const;
  mlir::Value toIndex(mlir::Value integerValue) const;
  mlir::Value fromIndex(mlir::Value indexValue) const; // to computeType

  // Arithmetic on values of computeType.
  mlir::Value add(mlir::Value a, mlir::Value b) const;
  mlir::Value sub(mlir::Value a, mlir::Value b) const;
  mlir::Value mul(mlir::Value a, mlir::Value b) const;
  /// Integers: towards zero; division by zero and the smallest by -1 give some value.
  mlir::Value div(mlir::Value a, mlir::Value b) const;
  /// Remainder with the dividend's sign (C) / the divisor's sign (Python).
  mlir::Value rem(mlir::Value a, mlir::Value b) const;
  mlir::Value mod(mlir::Value a, mlir::Value b) const;
  mlir::Value neg(mlir::Value a) const;
  mlir::Value abs(mlir::Value a) const;
  /// NaN if an operand is.
  mlir::Value min(mlir::Value a, mlir::Value b) const;
  mlir::Value max(mlir::Value a, mlir::Value b) const;
  mlir::Value bitAnd(mlir::Value a, mlir::Value b) const;
  mlir::Value bitOr(mlir::Value a, mlir::Value b) const;
  mlir::Value bitXor(mlir::Value a, mlir::Value b) const;
  mlir::Value bitNot(mlir::Value a) const;
  /// Shifts by the bit width or more give 0 (or the sign).
  mlir::Value shiftLeft(mlir::Value a, mlir::Value b) const;
  mlir::Value shiftRight(mlir::Value a, mlir::Value b) const;
  // Comparisons give i1. NaN compares false but for ne.
  mlir::Value eq(mlir::Value a, mlir::Value b) const;
  mlir::Value ne(mlir::Value a, mlir::Value b) const;
  mlir::Value lt(mlir::Value a, mlir::Value b) const;
  mlir::Value le(mlir::Value a, mlir::Value b) const;
  mlir::Value gt(mlir::Value a, mlir::Value b) const { return lt(b, a); }
  mlir::Value ge(mlir::Value a, mlir::Value b) const { return le(b, a); }
  mlir::Value isNan(mlir::Value a) const;
  mlir::Value select(mlir::Value condition, mlir::Value a, mlir::Value b) const;
  mlir::Value logicalNot(mlir::Value a) const;
  mlir::Value logicalAnd(mlir::Value a, mlir::Value b) const;
  mlir::Value logicalOr(mlir::Value a, mlir::Value b) const;
  mlir::Value logicalXor(mlir::Value a, mlir::Value b) const;

  /// A float function of the math dialect.
  template <typename MathOp> mlir::Value math(mlir::Value a) const {
    return MathOp::create(builder, loc, a).getResult();
  }
  template <typename MathOp> mlir::Value math(mlir::Value a, mlir::Value b) const {
    return MathOp::create(builder, loc, a, b).getResult();
  }
  /// a * b + c.
  mlir::Value fma(mlir::Value a, mlir::Value b, mlir::Value c) const;

  /// An element of a tensor argument of the body, in compute form.
  mlir::Value at(mlir::Value tensor, mlir::ValueRange indices) const;
  /// The same where an index may be outside: ends the kernel with an error.
  mlir::Value atChecked(mlir::Value tensor, mlir::ValueRange indices) const;
  /// The same where outside gives `otherwise` (compute form).
  mlir::Value atOrElse(mlir::Value tensor, mlir::ValueRange indices, mlir::Value otherwise) const;
  /// The element as it is stored, for code that only moves it; `otherwise` (stored
  /// form) with OrElse.
  mlir::Value stored(mlir::Value tensor, mlir::ValueRange indices, AtMode mode,
                     mlir::Value otherwise = {}) const;
  // Index arithmetic.
  mlir::Value indexAdd(mlir::Value a, mlir::Value b) const;
  mlir::Value indexSub(mlir::Value a, mlir::Value b) const;
  mlir::Value indexMul(mlir::Value a, mlir::Value b) const;
  mlir::Value indexDiv(mlir::Value a, mlir::Value b) const; // floor, b > 0
  mlir::Value indexMod(mlir::Value a, mlir::Value b) const; // not negative, b > 0
};

/// Assembles a LoopSpec.
class LoopSpecBuilder {
public:
  LoopSpecBuilder(mlir::Operation *op, SpecKind kind);

  /// Adds a loop and returns its index as an affine expression.
  mlir::AffineExpr parallel(Dim extent) { return addLoop(extent, Iterator::Parallel); }
  mlir::AffineExpr reduction(Dim extent) { return addLoop(extent, Iterator::Reduction); }
  mlir::AffineExpr scan(Dim extent) { return addLoop(extent, Iterator::Scan); }
  /// One parallel loop for each axis of a shape.
  llvm::SmallVector<mlir::AffineExpr> parallel(llvm::ArrayRef<Dim> shape);
  /// A size as an affine expression (a symbol of the maps, or a constant).
  mlir::AffineExpr size(Dim dim);
  mlir::AffineExpr number(int64_t value);

  /// Reads operand `operand` at `indices` (one per axis).
  void read(unsigned operand, llvm::ArrayRef<mlir::AffineExpr> indices,
            Bounds bounds = Bounds::Inside);
  /// Reads an operand at the loops `loops` (of a result whose last axes they are)
  /// with ONNX's broadcasting: axes align at the right.
  void readBroadcast(unsigned operand, llvm::ArrayRef<mlir::AffineExpr> loops);
  /// Makes an operand available to dsc.at.
  void readAnywhere(unsigned operand);
  /// The same for `finish`: indices without reduction loops. A reduction loop among
  /// `loops` stands for an axis of size 1.
  void readInFinish(unsigned operand, llvm::ArrayRef<mlir::AffineExpr> indices);
  void readBroadcastInFinish(unsigned operand, llvm::ArrayRef<mlir::AffineExpr> loops);

  /// Arguments of a body.
  struct Args {
    mlir::ValueRange indices, operands, accumulators;
  };
  /// `element` is the ONNX element type that the ScalarBuilder starts with.
  using BodyFn = llvm::function_ref<llvm::SmallVector<mlir::Value>(ScalarBuilder &, Args)>;

  /// Accumulators: their element types (compute types, no 16-bit floats) and
  /// initial values.
  void accumulator(mlir::TypedAttr init) { spec->init.push_back(init); }
  void body(mlir::Type element, BodyFn fn);
  /// Args: indices of the loops that are not reductions, what readInFinish() and
  /// the like gave, accumulators.
  void finish(mlir::Type element, BodyFn fn);
  void exclusive(bool on) { spec->exclusive = on; }
  void reverse(bool on) { spec->reverse = on; }

  Spec take();
  std::unique_ptr<LoopSpec> takeLoops();
  /// What `combine` yields: the element from the old and the new one, in compute form.
  using CombineFn =
      llvm::function_ref<mlir::Value(ScalarBuilder &, mlir::Value old, mlir::Value update)>;
  /// The loops and the body as the updates of a scatter (see ScatterSpec).
  Spec takeScatter(CombineFn combine = nullptr);

private:
  mlir::AffineExpr addLoop(Dim extent, Iterator iterator);
  Access makeAccess(unsigned operand, llvm::ArrayRef<mlir::AffineExpr> indices);
  Access makeBroadcast(unsigned operand, llvm::ArrayRef<mlir::AffineExpr> loops);

  mlir::Operation *op;
  SpecKind kind;
  std::unique_ptr<LoopSpec> spec;
};

/// Elementwise operators with broadcasting over all operands that are present
/// (`x` lists only those). The scalar code sees values in compute form and returns
/// one; rounding to the result's type is added. The builder's type is the first
/// operand's element type.
mlir::FailureOr<Spec>
elementwiseSpec(mlir::Operation *op,
                llvm::function_ref<mlir::Value(ScalarBuilder &, mlir::ValueRange)> scalar);

/// A result (int64 or int32, one axis or none) that holds `sizes`.
Spec sizesSpec(mlir::Operation *op, llvm::ArrayRef<Dim> sizes);

/// The type that a value of ONNX element type `type` has in scalar code as it is
/// stored: signless integers, i1 for bool.
mlir::Type storageType(mlir::Type type);

/// What ops without a Spec return: a failure with a diagnostic.
mlir::FailureOr<Spec> specNotDefined(mlir::Operation *op);

} // namespace dsc
