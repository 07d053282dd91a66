//===- KernelEmitter.h - emits the function of one group ------------------===//
//
// What kernel templates build on: the function of a group with its buffers and
// sizes, loops, and the elements of tensors. A tensor that is computed inside the
// group is never stored unless it is a result: element() emits its scalar code in
// place.
//
// A kernel is `func.func @k(env, buffers, sizes) -> i32` as in KernelABI.h; the
// body is arith, math, scf and loads and stores of the llvm dialect.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/DscDialect.h"
#include "dsc/Dialect/Target/KnownTargets.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

#include <map>
#include <memory>

namespace dsc {

/// A group and the Specs of its ops, each asked for once.
class GroupInfo {
public:
  explicit GroupInfo(GroupOp group) : group(group) {}

  GroupOp getGroup() const { return group; }
  mlir::Block &getBody() const { return group->getRegion(0).front(); }
  mlir::OperandRange getYielded() const { return getBody().getTerminator()->getOperands(); }
  bool contains(mlir::Value value) const {
    return value.getDefiningOp() && value.getDefiningOp()->getBlock() == &getBody();
  }
  /// Null (after a diagnostic) for an op whose computation is not defined.
  const Spec *getSpec(mlir::Operation *op) const;

private:
  GroupOp group;
  mutable llvm::DenseMap<mlir::Operation *, std::optional<Spec>> specs;
};

/// Where a tensor's elements are: `ptr` plus, in elements, the sum of index times
/// stride over the axes.
struct BufferView {
  mlir::Value ptr;
  mlir::Type element; ///< storage type; i8 for bool
  llvm::SmallVector<mlir::Value> strides;
  mlir::ArrayAttr aliasScopes, noaliasScopes;
};

/// Attribute of loads of what a kernel reads and does not write: a load may move out of
/// loops in which its address does not change.
inline constexpr llvm::StringLiteral kReadAttr = "dsc.read";

/// An index of a Spec's body that is a loop's, less `begin`; or that is so where this is
/// inside of the axis, and something else where it is not (`value` is the shifted index).
struct ShiftedIndex {
  mlir::BlockArgument loop;
  Dim begin;
  mlir::Value value;
};
std::optional<ShiftedIndex> matchShiftedIndex(mlir::Value index);

/// 1 where no operand of the group's ops is broadcast along an axis along which it only
/// may be, as the run's sizes say.
Dim broadcastsNothing(const GroupInfo &group);

class KernelEmitter {
public:
  /// Starts the function `name` at the end of `module`.
  KernelEmitter(mlir::ModuleOp module, llvm::StringRef name, const GroupInfo &group,
                const Target &target);

  /// Ends the function.
  mlir::func::FuncOp finish();

  /// What the launch passes: tensors, and sizes in the order of their numbers.
  llvm::ArrayRef<mlir::Value> getBuffers() const { return bufferValues; }
  llvm::SmallVector<Dim> getSizes() const;

  /// Number of independent parts; the kernel computes part `part` of `parts`. Set
  /// by the template.
  Dim partCount;
  /// Bytes of scratch memory that each thread needs; empty: none.
  Dim scratchBytes;

  const GroupInfo &group;
  const Target &target;
  mlir::OpBuilder builder;
  mlir::Location loc;

  mlir::Value part, parts, scratch; // index, index, !llvm.ptr

  // Sizes and constants; emitted at the function's entry, so usable everywhere.
  mlir::Value size(Dim dim);
  /// A size that the launch passes though it be constant: kernels that differ in nothing
  /// else are one.
  mlir::Value sizeOfLaunch(Dim dim) { return loadSize(dim); }
  mlir::Value index(int64_t value);
  Dim constant(int64_t value) const { return Dim::constant(builder.getContext(), value); }

  // Index arithmetic that folds constants.
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  mlir::Value apply(mlir::AffineExpr expr, mlir::ValueRange dims, llvm::ArrayRef<Dim> symbols);

  /// for (i = from; i < to; i += step): `body` receives i and the carried values
  /// and returns the new ones.
  using LoopBody =
      llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)>;
  llvm::SmallVector<mlir::Value> loop(mlir::Value from, mlir::Value to, mlir::Value step,
                                      mlir::ValueRange carried, LoopBody body);
  /// The same without carried values; without `step`, by 1.
  void loop(mlir::Value from, mlir::Value to, mlir::Value step,
            llvm::function_ref<void(mlir::Value)> body);
  void loop(mlir::Value from, mlir::Value to, llvm::function_ref<void(mlir::Value)> body);
  /// if (condition) `then` else `otherwise`; both return values of `types`.
  llvm::SmallVector<mlir::Value>
  branch(mlir::Value condition, mlir::TypeRange types,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> then,
         llvm::function_ref<llvm::SmallVector<mlir::Value>()> otherwise);
  /// The same without values.
  void branch(mlir::Value condition, llvm::function_ref<void()> then,
              llvm::function_ref<void()> otherwise = nullptr);
  /// i1: the size, of the run, is not 0.
  mlir::Value isNonzero(Dim dim);

  /// First and end of this part's share of `total` iterations.
  std::pair<mlir::Value, mlir::Value> share(mlir::Value total);
  /// Indices of the row-major point number `linear` of a space of these sizes.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value linear, llvm::ArrayRef<Dim> sizes);

  // What is known about an index, so that there is no code to find it out.
  /// `boundaries` cut a loop into pieces; the index is in the piece from number `piece`
  /// on. Reads with dsc.at that are inside, or outside, for a whole piece test nothing.
  void assumeInPiece(mlir::Value index, llvm::ArrayRef<Dim> boundaries, unsigned piece);
  /// Operands have the sizes of the loops that read them: none is broadcast that only
  /// may be. For code behind a test of `broadcastsNothing(group)`.
  bool assumesNoBroadcast = false;
  /// index floordiv divisor = quotient.
  void assumeQuotient(mlir::Value index, int64_t divisor, mlir::Value quotient);

  /// `value`, of an op's body, is in `table` at the index of loop `loop` (an argument of
  /// the body): code emitted from here on reads it there instead of computing it.
  void tabulate(mlir::Value value, mlir::BlockArgument loop, const BufferView &table);

  /// An element in storage form (i1 for bool). Tensors of the group are computed.
  mlir::Value element(mlir::Value tensor, mlir::ValueRange indices);
  /// Makes element() of the tensor at these indices give `value`, in the loop body
  /// (or branch) that is being emitted.
  void provide(mlir::Value tensor, mlir::ValueRange indices, mlir::Value value);
  /// All results of an op of the group at one point of its parallel loops.
  llvm::SmallVector<mlir::Value> computeAt(mlir::Operation *op, mlir::ValueRange indices);
  /// Emits the scalar code of a region and returns what it yields.
  llvm::SmallVector<mlir::Value> inlineRegion(mlir::Region &region, mlir::ValueRange arguments);
  /// Block arguments of a LoopSpec's body at a point: indices, elements, tensors.
  llvm::SmallVector<mlir::Value> bodyArguments(mlir::Operation *op, const LoopSpec &spec,
                                               mlir::ValueRange point);
  /// Where an access reads its operand at a point of all loops.
  llvm::SmallVector<mlir::Value> accessIndices(mlir::Operation *op, const LoopSpec &spec,
                                               const Access &access, mlir::ValueRange point);
  /// The results at a point of all loops (reduction loops do not count) from the
  /// final accumulators.
  llvm::SmallVector<mlir::Value> finishPoint(mlir::Operation *op, const LoopSpec &spec,
                                             mlir::ValueRange point, mlir::ValueRange accumulators);

  /// The accumulators of a reduction after one more point of all loops.
  llvm::SmallVector<mlir::Value> reductionStep(mlir::Operation *op, const LoopSpec &spec,
                                               mlir::ValueRange point, mlir::ValueRange carried);

  const BufferView &view(mlir::Value tensor);
  mlir::Value address(const BufferView &view, mlir::ValueRange indices);
  mlir::Value loadAt(const BufferView &view, mlir::Value address);
  void storeAt(const BufferView &view, mlir::Value address, mlir::Value stored);
  /// Stores into a result of the group: number `result` of what it yields.
  void store(unsigned result, mlir::ValueRange indices, mlir::Value stored);
  /// The buffer of result number `result`.
  const BufferView &resultView(unsigned result);

  /// Gives a view of scratch memory the fact that no tensor overlaps it.
  void markScratch(BufferView &view);

  /// Makes the kernel return `code` unless one is recorded already.
  void recordError(mlir::Value condition, int32_t code);

private:
  friend class MemoScope;
  using MemoKey = std::pair<void *, std::vector<void *>>;
  struct Memo {
    std::map<MemoKey, mlir::Value> values;
  };

  BufferView makeView(mlir::Value tensor, unsigned buffer);
  void readAccesses(mlir::Operation *op, const LoopSpec &spec, llvm::ArrayRef<Access> accesses,
                    mlir::ValueRange point, llvm::SmallVectorImpl<mlir::Value> &arguments);
  mlir::Value loadElement(mlir::Value tensor, mlir::ValueRange indices);
  mlir::Value loadSize(Dim dim);
  mlir::Value splatElement(mlir::DenseElementsAttr splat);
  mlir::Value atElement(AtOp op, const mlir::IRMapping &map);
  std::optional<bool> isKnownInside(AtOp op, unsigned axis, const mlir::IRMapping &map) const;
  llvm::SmallVector<mlir::Value> reduceAt(mlir::Operation *op, const LoopSpec &spec,
                                          mlir::ValueRange indices);
  mlir::Value viewElement(mlir::Operation *op, mlir::Value source, mlir::ValueRange indices);
  mlir::Value insideAxis(mlir::Value tensor, unsigned axis, mlir::Value index);
  mlir::Value inside(mlir::Value tensor, mlir::ValueRange indices);
  MemoKey memoKey(mlir::Value tensor, mlir::ValueRange indices) const;

  mlir::func::FuncOp function;
  mlir::Operation *entryEnd = nullptr; // entry code goes before it
  mlir::Value buffersPtr, sizesPtr, statusPtr;
  llvm::SmallVector<mlir::Value> bufferValues;
  llvm::DenseMap<mlir::Value, BufferView> views;
  llvm::DenseMap<unsigned, BufferView> resultViews;
  llvm::SmallVector<mlir::Attribute> resultScopes;
  mlir::Attribute scratchScope;
  llvm::SetVector<mlir::Attribute> sizeDims;
  llvm::SmallVector<mlir::Value> sizeValues;
  std::map<int64_t, mlir::Value> constants;
  std::vector<Memo> memos;
  struct Piece {
    llvm::SmallVector<Dim> boundaries;
    unsigned number;
  };
  llvm::DenseMap<mlir::Value, Piece> pieces;
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> quotients;
  llvm::DenseMap<mlir::Value, std::pair<mlir::BlockArgument, BufferView>> tables;
};

} // namespace dsc
