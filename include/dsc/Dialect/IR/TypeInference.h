//===- TypeInference.h - result types and run-time conditions -------------===//
//
// What an op's inferTypes() works with, and helpers on tensor types.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/IR/Dim.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

#include <optional>
#include <string>

namespace dsc {

/// An operand of an ONNX operator whose contents are needed when compiling. The
/// importer replaces it by the attribute `attribute`, which is left out where the
/// ONNX input is left out: a `#dsc.dims` for Dims; an `array<f32>` for Floats
/// (which must then be constant). An operand that is listed once for each kind is
/// Floats where its element type is a float.
struct ContentOperand {
  enum Kind { Dims, Floats };
  unsigned index;
  llvm::StringLiteral attribute;
  Kind kind = Dims;
  /// The operand stays: the attribute is set in addition.
  bool keep = false;
};

/// The sizes of a ranked tensor type, one per axis.
llvm::SmallVector<Dim> getDims(mlir::Type type);
inline llvm::SmallVector<Dim> getDims(mlir::Value value) { return getDims(value.getType()); }
inline bool isOneElement(mlir::Value value) { return areAllOne(getDims(value)); }
int64_t getRank(mlir::Type type);
inline int64_t getRank(mlir::Value value) { return getRank(value.getType()); }
mlir::Type getElementType(mlir::Value value);
/// A tensor type; it has an encoding only where a size is not a constant.
mlir::RankedTensorType makeTensorType(mlir::Type elementType, llvm::ArrayRef<Dim> dims);
/// The element type for a TensorProto.DataType; null for those that are not
/// elements of tensors here (strings, complex numbers).
mlir::Type elementTypeOfOnnx(mlir::MLIRContext *context, int64_t dataType);
/// The TensorProto.DataType of an element type; 0 (undefined) if there is none.
int64_t onnxTypeOf(mlir::Type elementType);
/// True for the value of an ONNX input that is left out.
bool isAbsent(mlir::Value value);

/// Collects what inferTypes() finds out about one op.
class TypeInference {
public:
  /// A condition that must hold at run time: not zero, or `message` is the error.
  struct Guard {
    Dim condition;
    std::string message;
  };

  explicit TypeInference(mlir::Operation *op) : op(op) {}

  mlir::MLIRContext *getContext() const { return op->getContext(); }
  Dim constant(int64_t value) const { return Dim::constant(getContext(), value); }

  /// Adds the type of the next result.
  void addResult(mlir::Type type) { results.push_back(type); }
  void addResult(mlir::Type elementType, llvm::ArrayRef<Dim> dims) {
    addResult(makeTensorType(elementType, dims));
  }

  /// Reports an error at the op.
  mlir::InFlightDiagnostic error() const { return op->emitOpError(); }

  /// Requires a size condition: an error at once where it is known not to hold,
  /// a guard where it is not known.
  mlir::LogicalResult require(Dim condition, const llvm::Twine &message);
  mlir::LogicalResult requireEqual(Dim a, Dim b, const llvm::Twine &what);

  /// Multidirectional broadcast of shapes, with its conditions.
  mlir::FailureOr<llvm::SmallVector<Dim>> broadcastShapes(llvm::ArrayRef<mlir::Value> values);
  mlir::FailureOr<llvm::SmallVector<Dim>>
  broadcastShapes(llvm::ArrayRef<llvm::SmallVector<Dim>> shapes);

  /// Brings an axis from [-rank, rank) into [0, rank), or reports.
  mlir::FailureOr<int64_t> normalizeAxis(int64_t axis, int64_t rank);
  /// The same for a list, which must not name an axis twice and must be constant.
  mlir::FailureOr<llvm::SmallVector<int64_t>> normalizeAxes(llvm::ArrayRef<Dim> axes, int64_t rank);

  llvm::ArrayRef<mlir::Type> getResults() const { return results; }
  llvm::ArrayRef<Guard> getGuards() const { return guards; }

private:
  mlir::Operation *op;
  llvm::SmallVector<mlir::Type> results;
  llvm::SmallVector<Guard> guards;
};

/// Builds the op `name` with the result types that it infers, and adds the guards
/// of the inference to `guards` if that is not null. On failure the op has
/// reported why, and nothing is built.
mlir::FailureOr<mlir::Operation *>
buildOp(mlir::OpBuilder &builder, mlir::Location loc, llvm::StringRef name,
        mlir::ValueRange operands, llvm::ArrayRef<mlir::NamedAttribute> attributes = {},
        unsigned numResults = 1, llvm::SmallVectorImpl<TypeInference::Guard> *guards = nullptr);

/// Verifier of every ComputeOp: the types are what inferTypes() says.
mlir::LogicalResult verifyComputeOp(mlir::Operation *op);

/// Elementwise operators: broadcast of all operands that are present;
/// `resultElement` maps the first operand's element type to the result's (null:
/// it reported an error). All operands must have one element type unless `allowMixed`.
mlir::LogicalResult inferElementwise(mlir::Operation *op, TypeInference &inference,
                                     llvm::function_ref<mlir::Type(mlir::Type)> resultElement,
                                     bool allowMixed = false);

} // namespace dsc
