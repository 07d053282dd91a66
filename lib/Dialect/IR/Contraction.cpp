//===- Contraction.cpp - sums of products: MatMul, Gemm -------------------===//
#include "Contraction.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Scalar code
//===----------------------------------------------------------------------===//

bool areFactors(Type a, Type b) { return a == b || (a.isF32() && (b.isF16() || b.isBF16())); }

void accumulateFromZero(LoopSpecBuilder &spec, Type element) {
  Builder builder(element.getContext());
  bool isShort = element.isF16() || element.isBF16();
  Type type = isShort ? builder.getF32Type() : storageType(element);
  spec.accumulator(cast<TypedAttr>(builder.getZeroAttr(type)));
}

Value multiplyAdd(ScalarBuilder &s, Value a, Value b, Value accumulator) {
  return s.add(accumulator, s.mul(s.compute(a), s.compute(b)));
}

void finishRounded(LoopSpecBuilder &spec, Type element) {
  if (!element.isF16() && !element.isBF16())
    return;
  spec.finish(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) {
    return llvm::map_to_vector(args.accumulators, [&](Value value) { return s.round(value); });
  });
}

Value centered(ScalarBuilder &s, Value stored, Value zeroPoint, Type type) {
  ScalarBuilder wide = s.with(s.builder.getI32Type());
  Value value = s.cast(stored, type, wide.type);
  return zeroPoint ? wide.sub(value, s.cast(zeroPoint, type, wide.type)) : value;
}

Value requantize(ScalarBuilder &s, Value accumulator, const Requantization &parameters) {
  ScalarBuilder f = s.with(s.builder.getF32Type());
  ScalarBuilder scale = s.with(parameters.scaleType);
  Value multiplier =
      f.div(f.mul(scale.compute(parameters.scaleA), scale.compute(parameters.scaleB)),
            scale.compute(parameters.scaleY));
  Value scaled = f.mul(s.cast(accumulator, s.builder.getI32Type(), f.type), multiplier);
  Value zeroPoint = s.cast(parameters.zeroPointY, parameters.resultType, f.type);
  Value shifted = f.add(f.math<math::RoundEvenOp>(scaled), zeroPoint);
  // The cast saturates.
  return s.cast(shifted, f.type, parameters.resultType);
}

Value multiplyAddPairs(ScalarBuilder &s, Value a, Value b, Value accumulator) {
  Value half = s.integer(16);
  auto high = [&](Value x) -> Value { return arith::ShRSIOp::create(s.builder, s.loc, x, half); };
  auto low = [&](Value x) { return high(arith::ShLIOp::create(s.builder, s.loc, x, half)); };
  return s.add(accumulator, s.add(s.mul(low(a), low(b)), s.mul(high(a), high(b))));
}

Value buildRequantized(Decomposer &build, Value sums, Value scaleA, Value scaleB, Value scaleY,
                       Value zeroPointY) {
  Type f32 = Float32Type::get(sums.getContext());
  Value scale = build.op("dsc.mul", {build.cast(scaleA, f32), build.cast(scaleB, f32)});
  Value multiplier = build.op("dsc.div", {scale, build.cast(scaleY, f32)});
  return build.op("dsc.requantize", {sums, multiplier, zeroPointY});
}

void readParameter(LoopSpecBuilder &spec, Operation *op, unsigned operand,
                   ArrayRef<AffineExpr> loops, bool inFinish) {
  SmallVector<Dim> dims = getDims(op->getOperand(operand));
  bool isOne = areAllOne(dims);
  if (isOne) {
    SmallVector<AffineExpr> zeros(dims.size(), spec.number(0));
    inFinish ? spec.readInFinish(operand, zeros) : spec.read(operand, zeros);
    return;
  }
  inFinish ? spec.readBroadcastInFinish(operand, loops) : spec.readBroadcast(operand, loops);
}

//===----------------------------------------------------------------------===//
// Shapes of matrix products
//===----------------------------------------------------------------------===//

namespace {

/// The sizes of a product of matrices or stacks of them. A vector has no row (m)
/// or no column (n).
struct MatMulShape {
  SmallVector<Dim> batch;
  Dim m, n, k;
  SmallVector<Dim> result() const {
    SmallVector<Dim> dims = batch;
    if (m)
      dims.push_back(m);
    if (n)
      dims.push_back(n);
    return dims;
  }
};

/// The loops over a MatMulShape; the axes of a result are `batch`, m, n.
struct MatMulLoops {
  MatMulLoops(LoopSpecBuilder &spec, const MatMulShape &shape) : batch(spec.parallel(shape.batch)) {
    if (shape.m)
      m = spec.parallel(shape.m);
    if (shape.n)
      n = spec.parallel(shape.n);
    k = spec.reduction(shape.k);
  }
  SmallVector<AffineExpr> ofA() const {
    SmallVector<AffineExpr> loops = batch;
    if (m)
      loops.push_back(m);
    loops.push_back(k);
    return loops;
  }
  SmallVector<AffineExpr> ofB() const {
    SmallVector<AffineExpr> loops = batch;
    loops.push_back(k);
    if (n)
      loops.push_back(n);
    return loops;
  }

  SmallVector<AffineExpr> batch;
  AffineExpr m, n, k;
};

} // namespace

static FailureOr<MatMulShape> matMulShape(Value a, Value b, TypeInference &inference) {
  SmallVector<Dim> dimsA = getDims(a), dimsB = getDims(b);
  if (dimsA.empty() || dimsB.empty())
    return inference.error() << "needs inputs with at least one axis, not "
                             << shortTypeName(a.getType()) << " and " << shortTypeName(b.getType()),
           failure();
  MatMulShape shape;
  shape.k = dimsA.pop_back_val();
  if (!dimsA.empty())
    shape.m = dimsA.pop_back_val();
  if (dimsB.size() > 1)
    shape.n = dimsB.pop_back_val();
  Dim otherK = dimsB.pop_back_val();
  if (failed(inference.requireEqual(shape.k, otherK,
                                    "columns of the first input and rows of the second differ")))
    return failure();
  if (otherK.isConstant())
    shape.k = otherK;
  FailureOr<SmallVector<Dim>> batch = inference.broadcastShapes({dimsA, dimsB});
  if (failed(batch))
    return failure();
  shape.batch = *batch;
  return shape;
}

static LogicalResult requireSameElements(TypeInference &inference, ValueRange values) {
  for (Value value : values)
    if (getElementType(value) != getElementType(values.front()))
      return inference.error() << "inputs have different element types ("
                               << shortTypeName(values.front().getType()) << " and "
                               << shortTypeName(value.getType()) << ")";
  return success();
}

//===----------------------------------------------------------------------===//
// MatMul
//===----------------------------------------------------------------------===//

bool MatMulOp::mayReadShort(unsigned operand) { return operand == 1; }

LogicalResult MatMulOp::inferTypes(TypeInference &inference) {
  if (!areFactors(getElementType(getA()), getElementType(getB())))
    return requireSameElements(inference, getOperands());
  FailureOr<MatMulShape> shape = matMulShape(getA(), getB(), inference);
  if (failed(shape))
    return failure();
  inference.addResult(getElementType(getA()), shape->result());
  return success();
}

using Multiply = Value (*)(ScalarBuilder &, Value a, Value b, Value sum);

/// The sums of products of a and b, operands 0 and 1.
template <typename OpTy>
static LogicalResult addProducts(LoopSpecBuilder &spec, OpTy op, Multiply multiply) {
  TypeInference inference(op);
  FailureOr<MatMulShape> shape = matMulShape(op.getA(), op.getB(), inference);
  if (failed(shape))
    return failure();
  MatMulLoops loops(spec, *shape);
  spec.readBroadcast(0, loops.ofA());
  spec.readBroadcast(1, loops.ofB());
  Type element = getElementType(op.getA());
  accumulateFromZero(spec, element);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {multiply(s, args.operands[0], args.operands[1], args.accumulators[0])};
  });
  return success();
}

FailureOr<Spec> MatMulOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Contract);
  if (failed(addProducts(spec, *this, multiplyAdd)))
    return failure();
  finishRounded(spec, getElementType(getA()));
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Gemm
//===----------------------------------------------------------------------===//

bool GemmOp::mayReadShort(unsigned operand) { return operand == 1; }

LogicalResult GemmOp::inferTypes(TypeInference &inference) {
  if (!areFactors(getElementType(getA()), getElementType(getB())))
    return requireSameElements(inference, {getA(), getB()});
  if (!isAbsent(getC()) && failed(requireSameElements(inference, {getA(), getC()})))
    return failure();
  if (getRank(getA()) != 2 || getRank(getB()) != 2)
    return inference.error() << "needs matrices, not " << shortTypeName(getA().getType()) << " and "
                             << shortTypeName(getB().getType());
  SmallVector<Dim> a = getDims(getA()), b = getDims(getB());
  if (getTransA())
    std::swap(a[0], a[1]);
  if (getTransB())
    std::swap(b[0], b[1]);
  SmallVector<Dim> result = {a[0], b[1]};
  if (failed(inference.requireEqual(a[1], b[0],
                                    "columns of the first input and rows of the second differ")))
    return failure();
  if (!isAbsent(getC())) {
    SmallVector<Dim> c = getDims(getC());
    if (c.size() > 2)
      return inference.error() << "bias " << shortTypeName(getC().getType())
                               << " has more than two axes";
    for (auto [i, dim] : llvm::enumerate(c)) {
      Dim size = result[2 - c.size() + i];
      Dim fits = Dim::logicalOr(Dim::eq(dim, size), Dim::eq(dim, inference.constant(1)));
      if (failed(inference.require(fits, "bias size " + dim.str() + " on axis " + Twine(i) +
                                             " does not broadcast to " + size.str())))
        return failure();
    }
  }
  inference.addResult(getElementType(getA()), result);
  return success();
}

/// A factor of Gemm; integers are scaled in double, as numpy does.
static Value scaled(ScalarBuilder &s, Value value, float factor) {
  if (factor == 1)
    return value;
  if (s.isFloat())
    return s.mul(value, s.constant(factor));
  ScalarBuilder wide = s.with(s.builder.getF64Type());
  Value product = wide.mul(s.cast(value, s.type, wide.type), wide.constant(factor));
  return s.cast(product, wide.type, s.type);
}

FailureOr<Spec> GemmOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Contract);
  SmallVector<Dim> a = getDims(getA()), b = getDims(getB());
  AffineExpr m = spec.parallel(a[getTransA() ? 1 : 0]);
  AffineExpr n = spec.parallel(b[getTransB() ? 0 : 1]);
  AffineExpr k = spec.reduction(a[getTransA() ? 0 : 1]);
  if (getTransA())
    spec.read(0, {k, m});
  else
    spec.read(0, {m, k});
  if (getTransB())
    spec.read(1, {n, k});
  else
    spec.read(1, {k, n});
  Type element = getElementType(getA());
  accumulateFromZero(spec, element);
  spec.body(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {multiplyAdd(s, args.operands[0], args.operands[1], args.accumulators[0])};
  });
  float alpha = getAlpha().convertToFloat(), beta = getBeta().convertToFloat();
  bool hasBias = !isAbsent(getC()) && beta != 0;
  if (!hasBias && alpha == 1) {
    finishRounded(spec, element);
    return spec.take();
  }
  if (hasBias)
    spec.readBroadcastInFinish(2, {m, n});
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value result = scaled(s, args.accumulators[0], alpha);
    if (hasBias)
      result = s.add(result, scaled(s, s.compute(args.operands[0]), beta));
    return {s.round(result)};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Quantized products
//===----------------------------------------------------------------------===//

static LogicalResult requireInteger8(TypeInference &inference, ValueRange values) {
  for (Value value : values)
    if (Type type = getElementType(value); !type.isInteger(8))
      return inference.error() << "is computed on 8-bit integers, not "
                               << shortTypeName(value.getType());
  return success();
}

/// Reads the zero points `a` and `b` (operands; absent ones are left out) and returns
/// the body: products of what is left without them.
static void addCenteredProduct(LoopSpecBuilder &spec, Operation *op, const MatMulLoops &loops,
                               unsigned operandB, std::optional<unsigned> zeroA,
                               std::optional<unsigned> zeroB) {
  spec.readBroadcast(0, loops.ofA());
  spec.readBroadcast(operandB, loops.ofB());
  // One zero point for each row of A or column of B has no axis for k.
  if (zeroA)
    readParameter(spec, op, *zeroA,
                  getRank(op->getOperand(*zeroA)) == 1 ? SmallVector<AffineExpr>{loops.m}
                                                       : loops.ofA());
  if (zeroB)
    readParameter(spec, op, *zeroB,
                  getRank(op->getOperand(*zeroB)) == 1 ? SmallVector<AffineExpr>{loops.n}
                                                       : loops.ofB());
  Type typeA = getElementType(op->getOperand(0)), typeB = getElementType(op->getOperand(operandB));
  Type wide = IntegerType::get(op->getContext(), 32);
  accumulateFromZero(spec, wide);
  spec.body(wide, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    unsigned next = 2;
    Value zeroPointA = zeroA ? args.operands[next++] : Value();
    Value zeroPointB = zeroB ? args.operands[next++] : Value();
    return {multiplyAdd(s, centered(s, args.operands[0], zeroPointA, typeA),
                        centered(s, args.operands[1], zeroPointB, typeB), args.accumulators[0])};
  });
}

/// Checks a zero point or a scale: one element, one for each row (column), or a
/// tensor of `other`'s rank with size 1 on the axis of k.
static LogicalResult checkParameter(TypeInference &inference, Value parameter, Value other,
                                    Dim perLine, StringRef what) {
  int64_t rank = getRank(parameter);
  SmallVector<Dim> dims = getDims(parameter);
  if (areAllOne(dims))
    return success();
  if (rank == 1 && perLine)
    return inference.requireEqual(dims[0], perLine, what + " does not fit");
  if (rank > 1 && rank == getRank(other))
    return success();
  return inference.error() << what << " " << shortTypeName(parameter.getType()) << " does not fit "
                           << shortTypeName(other.getType());
}

LogicalResult MatMulIntegerOp::inferTypes(TypeInference &inference) {
  if (failed(requireInteger8(inference, {getA(), getB()})))
    return failure();
  FailureOr<MatMulShape> shape = matMulShape(getA(), getB(), inference);
  if (failed(shape))
    return failure();
  Value zeroA = getAZeroPoint(), zeroB = getBZeroPoint();
  if (!isAbsent(zeroA) &&
      (failed(requireSameElements(inference, {getA(), zeroA})) ||
       failed(checkParameter(inference, zeroA, getA(), shape->m, "zero point of the first input"))))
    return failure();
  if (!isAbsent(zeroB) && (failed(requireSameElements(inference, {getB(), zeroB})) ||
                           failed(checkParameter(inference, zeroB, getB(), shape->n,
                                                 "zero point of the second input"))))
    return failure();
  inference.addResult(IntegerType::get(getContext(), 32), shape->result());
  return success();
}

FailureOr<Spec> MatMulIntegerOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<MatMulShape> shape = matMulShape(getA(), getB(), inference);
  if (failed(shape))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Contract);
  MatMulLoops loops(spec, *shape);
  auto present = [](Value value, unsigned operand) {
    return isAbsent(value) ? std::nullopt : std::optional<unsigned>(operand);
  };
  addCenteredProduct(spec, *this, loops, 1, present(getAZeroPoint(), 2),
                     present(getBZeroPoint(), 3));
  return spec.take();
}

LogicalResult QLinearMatMulOp::inferTypes(TypeInference &inference) {
  if (failed(requireInteger8(inference, {getA(), getB(), getYZeroPoint()})) ||
      failed(requireSameElements(inference, {getA(), getAZeroPoint()})) ||
      failed(requireSameElements(inference, {getB(), getBZeroPoint()})) ||
      failed(requireSameElements(inference, {getAScale(), getBScale(), getYScale()})))
    return failure();
  FailureOr<MatMulShape> shape = matMulShape(getA(), getB(), inference);
  if (failed(shape))
    return failure();
  auto check = [&](Value parameter, Value other, Dim perLine, StringRef what) {
    return checkParameter(inference, parameter, other, perLine, what);
  };
  if (failed(check(getAZeroPoint(), getA(), shape->m, "zero point of the first input")) ||
      failed(check(getAScale(), getA(), shape->m, "scale of the first input")) ||
      failed(check(getBZeroPoint(), getB(), shape->n, "zero point of the second input")) ||
      failed(check(getBScale(), getB(), shape->n, "scale of the second input")) ||
      failed(check(getYScale(), getA(), shape->m, "scale of the result")) ||
      failed(check(getYZeroPoint(), getA(), shape->m, "zero point of the result")))
    return failure();
  inference.addResult(getElementType(getYZeroPoint()), shape->result());
  return success();
}

FailureOr<Spec> QLinearMatMulOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<MatMulShape> shape = matMulShape(getA(), getB(), inference);
  if (failed(shape))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Contract);
  MatMulLoops loops(spec, *shape);
  addCenteredProduct(spec, *this, loops, 3, 2, 5);
  // A parameter with an axis for k has size 1 there: any loop will do, it is not read.
  auto read = [&](unsigned operand, AffineExpr line, bool isColumn) {
    bool isVector = getRank(getOperand(operand)) <= 1;
    SmallVector<AffineExpr> axes = isVector ? SmallVector<AffineExpr>{} : loops.batch;
    if (!isVector && isColumn)
      axes.push_back(loops.k);
    axes.push_back(line);
    if (!isVector && !isColumn)
      axes.push_back(loops.k);
    readParameter(spec, *this, operand, axes, /*inFinish=*/true);
  };
  read(1, loops.m, false);
  read(4, loops.n, true);
  read(6, loops.m, false);
  read(7, loops.m, false);
  Requantization parameters;
  parameters.scaleType = getElementType(getAScale());
  parameters.resultType = getElementType(getYZeroPoint());
  spec.finish(IntegerType::get(getContext(), 32),
              [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
                parameters.scaleA = args.operands[0];
                parameters.scaleB = args.operands[1];
                parameters.scaleY = args.operands[2];
                parameters.zeroPointY = args.operands[3];
                return {requantize(s, args.accumulators[0], parameters)};
              });
  return spec.take();
}

LogicalResult QLinearMatMulOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  if (!isOneElement(getYScale()) || !isOneElement(getYZeroPoint()))
    return failure();
  Decomposer build(builder, getLoc());
  Value sums = build.op("dsc.matmul_integer", {getA(), getB(), getAZeroPoint(), getBZeroPoint()});
  // One scale for each row.
  Value scaleA = getAScale();
  if (getRank(scaleA) == 1 && !isOneElement(scaleA) && getRank(getA()) > 1)
    scaleA = build.reshape(scaleA, {getDims(scaleA)[0], Dim::constant(getContext(), 1)});
  if (getRank(getB()) == 1 && !isOneElement(getBScale()))
    return failure();
  values.push_back(
      buildRequantized(build, sums, scaleA, getBScale(), getYScale(), getYZeroPoint()));
  return success(values.back() && values.back().getType() == getY().getType());
}

//===----------------------------------------------------------------------===//
// Products of pairs
//===----------------------------------------------------------------------===//

LogicalResult MatMulPairsOp::inferTypes(TypeInference &inference) {
  FailureOr<MatMulShape> shape = matMulShape(getA(), getB(), inference);
  if (failed(shape))
    return failure();
  inference.addResult(getElementType(getA()), shape->result());
  return success();
}

FailureOr<Spec> MatMulPairsOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Contract);
  if (failed(addProducts(spec, *this, multiplyAddPairs)))
    return failure();
  return spec.take();
}

} // namespace dsc
