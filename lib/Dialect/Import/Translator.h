//===- Translator.h - from a normalised ONNX graph to dsc ops ---------------===//
//
// One op for each node. Shape arithmetic disappears on the way: for each small
// integer tensor the translator keeps its elements as sizes (its "contents"), and
// where all are known, the op that computes it is not built. Where an operator
// needs contents that only data gives, dsc.bind names them.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "OperatorTable.h"
#include "SymbolNames.h"
#include "dsc/Dialect/IR/Interpreter.h"
#include "dsc/Dialect/Import/ImportModel.h"
#include "dsc/Dialect/Import/NormalizeModel.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"

#include <array>
#include <set>

namespace dsc::import {

class Translator {
public:
  Translator(mlir::MLIRContext &context, const OperatorTable &operators,
             const ImportOptions &options, NormalizedModel model, WeightStore &weights,
             ProblemList &problems);

  /// The module; null after adding problems.
  mlir::OwningOpRef<mlir::ModuleOp> run();

  /// Keys of operators that failed although ONNX defines them by others.
  const std::set<std::string> &getFailedFunctions() const { return failedFunctions; }

private:
  /// What the nodes of a graph see: its own values and those of the graphs around.
  struct Scope {
    const Scope *parent = nullptr;
    /// Null values: not translated, the reason has been reported.
    llvm::StringMap<mlir::Value> values;
    llvm::DenseMap<mlir::Value, SizeContents> contents;
    /// Integers that are never negative: iteration numbers and counts.
    llvm::DenseSet<mlir::Value> nonNegative;
    /// Conditions that a guard of this scope has checked.
    llvm::DenseSet<mlir::Attribute> guarded;
  };
  using Values = llvm::SmallVector<mlir::Value>;
  using Attributes = llvm::SmallVector<mlir::NamedAttribute>;

  // Graphs (TranslateGraph.cpp).
  void reportUnsupportedOperators();
  bool fixSizesOfInputs();
  mlir::Type inputType(const onnx::ValueInfoProto &input);
  bool translateMain(mlir::func::FuncOp function);
  void translateInitializers(const onnx::GraphProto &graph);
  /// Initializers and nodes; goes on after failures.
  void translateBody(const onnx::GraphProto &graph);
  /// The graph's outputs; null ones have been reported.
  Values outputsOf(const onnx::GraphProto &graph);
  mlir::Value translateTensor(const onnx::TensorProto &tensor, mlir::Location loc,
                              llvm::StringRef name);
  WeightAttr weightFor(const WeightRef &ref);
  mlir::Value lookup(const std::string &name) const;
  void define(const std::string &name, mlir::Value value);

  // Nodes (TranslateNode.cpp).
  void translateNode(const onnx::NodeProto &node);
  /// Whether the result called `name` can exist on any machine; reports if not.
  bool checkSize(const onnx::NodeProto &node, const std::string &name, mlir::Value value);
  bool translateSpecial(const onnx::NodeProto &node, llvm::ArrayRef<mlir::Value> inputs,
                        Values &results);
  bool translateOperator(const onnx::NodeProto &node, const OperatorInfo &info,
                         llvm::ArrayRef<mlir::Value> inputs, Values &results);
  bool takeContents(const onnx::NodeProto &node, const OperatorInfo &info,
                    llvm::ArrayRef<mlir::Value> inputs, Attributes &attributes);
  bool countResults(const onnx::NodeProto &node, const OperatorInfo &info,
                    llvm::ArrayRef<mlir::Value> inputs, Attributes &attributes);
  /// Builds guards for conditions that no guard of this scope has checked.
  void buildGuards(const onnx::NodeProto &node, llvm::ArrayRef<TypeInference::Guard> guards);
  bool build(const onnx::NodeProto &node, llvm::StringRef opName, mlir::ValueRange operands,
             const Attributes &attributes, unsigned numResults, Values &results);
  mlir::Value none();
  mlir::Location locationOf(const onnx::NodeProto &node);
  Problem &report(const onnx::NodeProto &node, ProblemCode code, const llvm::Twine &message);

  // Contents (TranslateContents.cpp).
  const SizeContents *findContents(mlir::Value value) const;
  void setContents(mlir::Value value, SizeContents contents);
  /// Contents of a value, if need be by naming its elements after `hint`. Empty
  /// where the value is no small integer tensor of a known number of elements.
  std::optional<SizeContents> needContents(mlir::Value value, llvm::StringRef hint, int depth = 0);
  std::optional<SizeContents> deriveContents(mlir::Value value, llvm::StringRef hint, int depth);
  SizeContents bindContents(mlir::Value value, llvm::StringRef hint);
  /// Evaluates an op that has just been built on sizes; drops it if that gives all
  /// its results.
  void simplify(mlir::Operation *op, Values &results);
  mlir::Value buildSizes(mlir::Location loc, mlir::RankedTensorType type,
                         llvm::ArrayRef<Dim> sizes);
  /// The elements of a value that is computed from constants.
  std::optional<Array> foldConstant(mlir::Value value, int depth = 0);

  // Control flow (TranslateIf.cpp, TranslateLoop.cpp, ScanToLoop.cpp).
  struct LoopBody; // LoopBody.h
  /// An input of Scan: each iteration sees one slice of it.
  struct ScannedInput {
    mlir::Value tensor;
    int64_t axis;
    bool reverse;
  };
  bool translateIf(const onnx::NodeProto &node, mlir::Value condition, Values &results);
  bool inlineBranch(const onnx::GraphProto &graph, Values &results);
  bool assumeThenBranch(const onnx::NodeProto &node, Dim condition, const onnx::GraphProto &graph,
                        Values &results);
  bool translateBranch(const onnx::GraphProto &graph, mlir::Region &region, Values &results,
                       ProblemList &found);
  void buildImpossibleBranch(const onnx::NodeProto &node, const Problem &problem,
                             mlir::Region &region, llvm::ArrayRef<mlir::Value> like, size_t mark,
                             Values &results);
  bool translateBranches(const onnx::NodeProto &node, size_t mark,
                         std::array<const onnx::GraphProto *, 2> graphs,
                         std::array<mlir::Region *, 2> regions, std::array<Values, 2> &results);
  bool translateLoop(const onnx::NodeProto &node, llvm::ArrayRef<mlir::Value> inputs,
                     Values &results);
  /// The graph `body`; null after reporting that it has other numbers of inputs and
  /// outputs, or fewer outputs than `carried`.
  const onnx::GraphProto *loopGraph(const onnx::NodeProto &node, size_t inputs, size_t outputs,
                                    size_t carried);
  /// Translates the body and builds the loop; `inputs` are those of dsc.loop, null
  /// where absent.
  bool buildLoop(const onnx::NodeProto &node, llvm::ArrayRef<mlir::Value> inputs, LoopBody &body,
                 Values &results);
  bool defineLoopInputs(const onnx::NodeProto &node, LoopBody &body);
  bool translateLoopBody(const onnx::NodeProto &node, LoopBody &body);
  Dim carriedSymbol(const onnx::NodeProto &node, LoopBody &body, size_t carried, size_t axis);
  bool widenCarriedTypes(const onnx::NodeProto &node, LoopBody &body, bool &changed);
  bool settleLoopBody(const onnx::NodeProto &node, LoopBody &body);
  std::optional<Dim> knownTripCount(llvm::ArrayRef<mlir::Value> inputs, const LoopBody &body);
  llvm::SmallVector<mlir::Type> loopResultTypes(const onnx::NodeProto &node,
                                                llvm::ArrayRef<mlir::Value> inputs,
                                                const LoopBody &body,
                                                llvm::SmallVectorImpl<mlir::Attribute> &names);
  bool translateScan(const onnx::NodeProto &node, llvm::ArrayRef<mlir::Value> inputs,
                     Values &results);
  struct ScanAttributes;
  bool readScanAttributes(const onnx::NodeProto &node, llvm::ArrayRef<mlir::Value> inputs,
                          ScanAttributes &attributes);
  bool scanSteps(const onnx::NodeProto &node, LoopBody &body);
  /// The slice of a scanned input that an iteration sees; null after a report.
  mlir::Value scanSlice(const onnx::NodeProto &node, LoopBody &body, const ScannedInput &scanned);
  /// Slices stacked along the first axis, as an output of Scan.
  mlir::Value scanOutput(const onnx::NodeProto &node, mlir::Value stacked, int64_t axis,
                         bool reverse);
  /// Whether two types have the same element type and rank; reports if not.
  bool checkMerge(const onnx::NodeProto &node, const llvm::Twine &what, mlir::Type a, mlir::Type b);

  mlir::MLIRContext &context;
  const OperatorTable &operators;
  const ImportOptions &options;
  std::shared_ptr<WeightFiles> files;
  onnx::ModelProto model;
  WeightStore &weights;
  ProblemList *problems;
  SymbolNames symbols;
  mlir::OpBuilder builder;
  Scope *scope = nullptr;
  mlir::Block *entry = nullptr;
  mlir::Value noneValue;
  /// Sizes for the names of dimensions (dim_param).
  std::map<std::string, Dim> parameters;
  /// File -> number of its weight source.
  std::map<std::string, int64_t> sources;
  std::set<std::string> failedFunctions;
  /// Axes of carried values (number, axis) that have become symbols of a loop. The
  /// body of a loop around it translates it again: then they start as symbols, or
  /// each level of nesting would double the work.
  std::map<const onnx::NodeProto *, std::set<std::pair<size_t, size_t>>> widened;
};

} // namespace dsc::import
