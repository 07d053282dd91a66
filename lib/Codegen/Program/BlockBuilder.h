//===- BlockBuilder.h - the steps of one block of a program ---------------===//
#pragma once

#include "dsc/Codegen/Program/ProgramBuilder.h"

#include "llvm/ADT/DenseMap.h"

namespace dsc {

/// What all blocks of a program share.
class ProgramState {
public:
  ProgramState(BuiltProgram &built, KernelLibrary &kernels) : built(built), kernels(kernels) {}

  BuiltProgram &built;
  KernelLibrary &kernels;

  format::Program &program() { return built.program; }
  format::ExprId expr(Dim dim);
  uint32_t symbol(llvm::StringRef name);
  /// A new value with the tensor's type; `tensor` may be null for none in the IR.
  format::ValueId declare(mlir::Value tensor, format::Value::Kind kind);
  format::ValueId declare(mlir::Type type, format::Value::Kind kind);
  /// A new value that lies within another one, from element `offset` of it on.
  format::ValueId declareWithin(mlir::Value tensor, mlir::Value whole, Dim offset);
  /// The tensor's value; constants get theirs when they are first asked for.
  format::ValueId id(mlir::Value tensor);
  bool isDeclared(mlir::Value tensor) const { return ids.contains(tensor); }
  /// The value whose storage `id` is.
  format::ValueId root(format::ValueId id) const;
  uint32_t origin(mlir::Location loc);

private:
  format::ExprId makeExpr(Dim dim);
  format::ValueId placeWeight(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, format::ValueId> ids;
  llvm::DenseMap<mlir::Attribute, format::ExprId> exprs;
  llvm::StringMap<uint32_t> symbols, origins;
  llvm::DenseMap<mlir::Attribute, uint64_t> weightOffsets;
};

/// The result of another group whose storage the only result of this one may take, as
/// far as the ops show; null for none. See InPlace.cpp.
mlir::Value findOverwritten(GroupOp group);
/// The tensors in which what the group reads lies: results of groups, concats, inputs.
llvm::SetVector<mlir::Value> readStorage(GroupOp group);

/// "node 12 '/layer1/Conv' (opset 17)"; several with commas between; empty for none.
std::string nodesOf(mlir::Location loc);

/// Builds one block: the main block, a branch or a loop's body.
class BlockBuilder {
public:
  BlockBuilder(ProgramState &state, mlir::Block &block, format::BlockId id, BlockBuilder *parent)
      : state(state), block(block), id(id), parent(parent) {}

  llvm::LogicalResult buildMain(llvm::ArrayRef<std::string> outputNames);
  llvm::LogicalResult buildBody();

private:
  struct Use {
    uint32_t first, last;
  };
  /// A Frame step whose values are still being collected.
  struct OpenFrame {
    uint32_t step = 0;
    std::vector<format::ValueId> values;
  };

  void build();
  void buildOp(mlir::Operation &op);
  void buildGroup(GroupOp group);
  void buildBind(BindOp op);
  void buildGuard(GuardOp op);
  void buildIf(IfOp op);
  void buildLoop(LoopOp op);
  format::BlockId buildNested(mlir::Block &nested);
  void addCopy(format::ValueId from, format::ValueId to);
  uint32_t addStep(format::Step step);
  /// The running step uses the value, here and in all blocks around.
  void touch(format::ValueId value);
  format::ValueId declareResult(mlir::Value result);
  void declareConcat(ConcatOp concat);
  void declareGroup(GroupOp group);
  bool canTakeStorage(GroupOp group, mlir::Value tensor);
  void startSegment(mlir::Block::iterator from);
  void openFrame();
  void finishFrames();
  format::Step &step(uint32_t index) { return state.program().blocks[id].steps[index]; }
  uint32_t stepCount() const { return state.built.program.blocks[id].steps.size(); }

  ProgramState &state;
  mlir::Block &block;
  format::BlockId id;
  BlockBuilder *parent;
  bool failed = false;
  std::vector<OpenFrame> frames;
  llvm::DenseMap<format::ValueId, Use> uses;
  /// Results of the main block that are outputs of the model, by their number.
  llvm::DenseMap<mlir::Value, format::ValueId> outputs;
};

} // namespace dsc
