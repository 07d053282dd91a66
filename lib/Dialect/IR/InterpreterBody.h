//===- InterpreterBody.h - scalar code on columns of values ---------------===//
//
// A body is translated once into steps, each of which computes one SSA value for
// up to kLanes iteration points at a time. Internal to the interpreter.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Interpreter.h"

#include "llvm/ADT/DenseMap.h"

#include <functional>
#include <string>
#include <type_traits>

namespace dsc::interpreter {

/// Iteration points that are computed at a time.
constexpr int64_t kLanes = 512;

/// The values of one SSA value, typed by its MLIR type. Integers and indices are
/// kept sign-extended (a true i1 is -1), floats of up to 32 bits as float.
struct Column {
  enum Kind { Integer, Single, Double };

  explicit Column(mlir::Type type);

  mlir::Type type;
  Kind kind;
  unsigned width; ///< in bits; 64 for index
  std::vector<int64_t> integers;
  std::vector<float> singles;
  std::vector<double> doubles;

  template <typename T> T *data() {
    if constexpr (std::is_same_v<T, int64_t>)
      return integers.data();
    else if constexpr (std::is_same_v<T, float>)
      return singles.data();
    else
      return doubles.data();
  }

  void fill(mlir::TypedAttr value);
  /// out[i] = elements[offsets[i]], in the storage form of `type`.
  void load(const uint8_t *elements, const int64_t *offsets, int64_t count);
  /// elements[offsets[i]] = value i, where `active` (null: everywhere).
  void store(uint8_t *elements, const int64_t *offsets, int64_t count, const uint8_t *active) const;
  /// Copies values where `active` (null: everywhere).
  void assign(const Column &from, int64_t count, const uint8_t *active);
  /// Copies one value.
  void assignOne(int64_t to, const Column &from, int64_t at);
};

/// The low `width` bits of a value, sign-extended.
inline int64_t wrap(uint64_t value, unsigned width) {
  return static_cast<int64_t>(value << (64 - width)) >> (64 - width);
}
/// The low `width` bits of a value as an unsigned number.
inline uint64_t unsignedBits(int64_t value, unsigned width) {
  return static_cast<uint64_t>(value) << (64 - width) >> (64 - width);
}

/// The value rounded to a float type, to the nearest, ties to even.
double roundTo(double value, mlir::FloatType type);

/// The scalar code of one region with its columns.
class BodyProgram {
public:
  /// `tensors[i]` is what argument i of the region stands for if it is a tensor.
  /// Fails with a diagnostic at `op` for code that cannot be run.
  static llvm::FailureOr<std::unique_ptr<BodyProgram>>
  compile(mlir::Operation *op, mlir::Region &region, llvm::ArrayRef<const Array *> tensors,
          const SymbolValues &symbols);

  Column &argument(unsigned i) { return *columns.at(block->getArgument(i)); }
  Column &result(unsigned i) { return *columns.at(block->getTerminator()->getOperand(i)); }
  unsigned numResults() const { return block->getTerminator()->getNumOperands(); }

  /// Computes the results from the arguments. Points that are not `active` (null:
  /// all are) get some value. Fails with a diagnostic for an index out of range.
  mlir::LogicalResult run(int64_t count, const uint8_t *active);

private:
  using Step = std::function<void(int64_t count)>;

  BodyProgram(mlir::Operation *op, mlir::Block *block, const SymbolValues &symbols)
      : op(op), block(block), symbols(symbols) {}

  mlir::LogicalResult compileOp(mlir::Operation &inner);
  mlir::LogicalResult compileDsc(mlir::Operation &inner, bool &handled);
  bool compileIntegers(mlir::Operation &inner);
  bool compileFloats(mlir::Operation &inner);
  bool compileMath(mlir::Operation &inner);
  bool compileConversions(mlir::Operation &inner);
  void compileAt(AtOp at);

  Column &column(mlir::Value value);
  /// Adds the step result = fn(operands...), where all have C++ types as given.
  template <typename Out, typename... In, typename Fn> void add(mlir::Operation &inner, Fn fn);
  /// The same for floats of the result's width, or from floats to i1.
  template <typename... Same, typename Fn> void addFloat(mlir::Operation &inner, Fn fn);
  template <typename... Same, typename Fn> void addTest(mlir::Operation &inner, Fn fn);
  void addRounding(Column &column);
  void addSelect(mlir::Operation &inner);
  void convertFloat(mlir::Operation &inner);
  void reinterpret(Column &from, Column &to);

  mlir::Operation *op;
  mlir::Block *block;
  const SymbolValues &symbols;
  llvm::DenseMap<mlir::Value, std::unique_ptr<Column>> columns;
  llvm::DenseMap<mlir::Value, const Array *> tensors;
  std::vector<Step> steps;
  const uint8_t *active = nullptr;
  std::string problem;
};

/// Runs loops (all kinds from Map to Scan) and scatters.
mlir::LogicalResult runLoops(mlir::Operation *op, LoopSpec &spec,
                             llvm::ArrayRef<const Array *> operands, const SymbolValues &symbols,
                             llvm::MutableArrayRef<Array> results);
mlir::LogicalResult runScatter(mlir::Operation *op, ScatterSpec &spec,
                               llvm::ArrayRef<const Array *> operands, const SymbolValues &symbols,
                               llvm::MutableArrayRef<Array> results);

mlir::LogicalResult runSort(mlir::Operation *op, const SortSpec &spec,
                            llvm::ArrayRef<const Array *> operands,
                            llvm::MutableArrayRef<Array> results);

mlir::LogicalResult runRecurrent(mlir::Operation *op, const RecurrentSpec &spec,
                                 llvm::ArrayRef<const Array *> operands,
                                 const SymbolValues &symbols, llvm::MutableArrayRef<Array> results);

/// Builds the decomposition of an op into a scratch block. Null where there is none.
class Decomposition {
public:
  static std::unique_ptr<Decomposition> create(mlir::Operation *op);
  ~Decomposition();
  mlir::Block block;
  llvm::SmallVector<mlir::Value> results;
};

/// The Spec of an op; none, without a diagnostic, where it has none.
std::optional<Spec> specOf(mlir::Operation *op);

} // namespace dsc::interpreter
