//===- Convolution.cpp - convolutions -------------------------------------===//
#include "Contraction.h"
#include "Window.h"
#include "dsc/Dialect/IR/Decomposer.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

namespace {

struct ConvShape {
  Window window;
  Dim batch, outChannels;
  /// Channels of one group.
  Dim groupInputs, groupOutputs;
  int64_t group;

  SmallVector<Dim> result() const {
    SmallVector<Dim> dims = {batch, outChannels};
    dims.append(window.output.begin(), window.output.end());
    return dims;
  }
};

/// The loops over a ConvShape, result axes first.
struct ConvLoops {
  ConvLoops(LoopSpecBuilder &spec, const ConvShape &shape)
      : n(spec.parallel(shape.batch)), co(spec.parallel(shape.outChannels)),
        o(spec.parallel(shape.window.output)), ci(spec.reduction(shape.groupInputs)) {
    for (Dim size : shape.window.kernel)
      k.push_back(spec.reduction(size));
    // The channel of x: the ci-th of its group.
    channel = ci;
    if (shape.groupInputs.isConstant(1) && shape.groupOutputs.isConstant(1))
      channel = co;
    else if (shape.group != 1)
      channel = co.floorDiv(spec.size(shape.groupOutputs)) * spec.size(shape.groupInputs) + ci;
  }

  AffineExpr n, co;
  SmallVector<AffineExpr> o;
  AffineExpr ci;
  SmallVector<AffineExpr> k;
  AffineExpr channel;
};

} // namespace

/// Checks x [N, C, ...], w of the same rank and the kernel_shape attribute; gives
/// the kernel's sizes.
static FailureOr<SmallVector<Dim>> kernelSizes(TypeInference &inference, Value x, Value w,
                                               std::optional<ArrayRef<int64_t>> attribute) {
  if (getRank(x) < 3 || getRank(w) != getRank(x))
    return inference.error() << "needs an input and a kernel of the same rank, at least 3, not "
                             << shortTypeName(x.getType()) << " and " << shortTypeName(w.getType()),
           failure();
  SmallVector<Dim> kernel(llvm::drop_begin(getDims(w), 2));
  if (!attribute)
    return kernel;
  if (attribute->size() != kernel.size())
    return inference.error() << "kernel_shape has " << attribute->size() << " entries for "
                             << kernel.size() << " spatial axes",
           failure();
  for (auto [size, given] : llvm::zip(kernel, *attribute))
    if (failed(inference.requireEqual(size, inference.constant(given),
                                      "kernel_shape does not fit the kernel")))
      return failure();
  return kernel;
}

static LogicalResult checkGroups(TypeInference &inference, int64_t group, Dim channels) {
  if (group < 1)
    return inference.error() << "group must be positive, not " << group;
  return inference.require(Dim::eq(channels.mod(inference.constant(group)), inference.constant(0)),
                           channels.str() + " channels cannot be divided into " + Twine(group) +
                               " groups");
}

template <typename OpTy> static FailureOr<ConvShape> convShape(OpTy op, TypeInference &inference) {
  FailureOr<SmallVector<Dim>> kernel =
      kernelSizes(inference, op.getX(), op.getW(), op.getKernelShape());
  if (failed(kernel))
    return failure();
  SmallVector<Dim> x = getDims(op.getX()), w = getDims(op.getW());
  ConvShape shape;
  shape.group = op.getGroup();
  shape.batch = x[0];
  shape.outChannels = w[0];
  shape.groupInputs = w[1];
  if (failed(checkGroups(inference, shape.group, shape.outChannels)) ||
      failed(inference.requireEqual(x[1], w[1] * shape.group,
                                    "input has another number of channels than the kernel")))
    return failure();
  shape.groupOutputs = shape.outChannels.floorDiv(shape.group);
  FailureOr<Window> window =
      slideWindow(inference, windowAttributes(op), ArrayRef(x).drop_front(2), *kernel);
  if (failed(window))
    return failure();
  shape.window = *window;
  return shape;
}

static LogicalResult checkBias(TypeInference &inference, Value bias, Dim channels) {
  if (isAbsent(bias))
    return success();
  if (getRank(bias) != 1)
    return inference.error() << "bias must have one axis, not " << shortTypeName(bias.getType());
  return inference.requireEqual(getDims(bias)[0], channels,
                                "bias has another size than there are output channels");
}

/// Reads x at the window's positions and w.
static void readOperands(LoopSpecBuilder &spec, const ConvShape &shape, const ConvLoops &loops,
                         unsigned x, unsigned w) {
  SmallVector<AffineExpr> indices = {loops.n, loops.channel};
  for (unsigned i = 0; i < shape.window.rank(); ++i)
    indices.push_back(shape.window.position(spec, i, loops.o[i], loops.k[i]));
  spec.read(x, indices, shape.window.bounds());
  SmallVector<AffineExpr> kernel = {loops.co, loops.ci};
  llvm::append_range(kernel, loops.k);
  spec.read(w, kernel);
}

/// Adds a finish: accumulator + bias (null: none), rounded.
static void finishWithBias(LoopSpecBuilder &spec, Operation *op, unsigned bias, AffineExpr channel,
                           Type element) {
  if (isAbsent(op->getOperand(bias))) {
    finishRounded(spec, element);
    return;
  }
  spec.readInFinish(bias, {channel});
  spec.finish(element, [](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {s.round(s.add(args.accumulators[0], s.compute(args.operands[0])))};
  });
}

//===----------------------------------------------------------------------===//
// Conv
//===----------------------------------------------------------------------===//

using Multiply = Value (*)(ScalarBuilder &, Value a, Value b, Value sum);

/// The sums of products of x and w, operands 0 and 1; returns the output channel's loop.
template <typename OpTy>
static FailureOr<AffineExpr> addProducts(LoopSpecBuilder &spec, OpTy op, Multiply multiply) {
  TypeInference inference(op);
  FailureOr<ConvShape> shape = convShape(op, inference);
  if (failed(shape))
    return failure();
  ConvLoops loops(spec, *shape);
  readOperands(spec, *shape, loops, 0, 1);
  Type element = getElementType(op.getX());
  accumulateFromZero(spec, element);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    return {multiply(s, args.operands[0], args.operands[1], args.accumulators[0])};
  });
  return loops.co;
}

LogicalResult ConvOp::inferTypes(TypeInference &inference) {
  FailureOr<ConvShape> shape = convShape(*this, inference);
  if (failed(shape) || failed(checkBias(inference, getB(), shape->outChannels)))
    return failure();
  if (getElementType(getX()) != getElementType(getW()))
    return inference.error() << "input and kernel have different element types ("
                             << shortTypeName(getX().getType()) << " and "
                             << shortTypeName(getW().getType()) << ")";
  inference.addResult(getElementType(getX()), shape->result());
  return success();
}

FailureOr<Spec> ConvOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Window);
  FailureOr<AffineExpr> channel = addProducts(spec, *this, multiplyAdd);
  if (failed(channel))
    return failure();
  finishWithBias(spec, *this, 2, *channel, getElementType(getX()));
  return spec.take();
}

//===----------------------------------------------------------------------===//
// Quantized convolutions
//===----------------------------------------------------------------------===//

/// A quantization parameter of the kernel: one value, or one for each output channel.
static LogicalResult checkPerChannel(TypeInference &inference, Value parameter, Dim channels,
                                     StringRef what) {
  SmallVector<Dim> dims = getDims(parameter);
  if (areAllOne(dims))
    return success();
  if (dims.size() != 1)
    return inference.error() << what << " must have at most one axis, not "
                             << shortTypeName(parameter.getType());
  return inference.requireEqual(dims[0], channels, what + " does not fit the output channels");
}

static LogicalResult checkSingle(TypeInference &inference, Value parameter, StringRef what) {
  if (isOneElement(parameter))
    return success();
  return inference.error() << what << " must be one value, not "
                           << shortTypeName(parameter.getType());
}

static LogicalResult requireInteger8(TypeInference &inference, ValueRange values) {
  for (Value value : values)
    if (!getElementType(value).isInteger(8))
      return inference.error() << "is computed on 8-bit integers, not "
                               << shortTypeName(value.getType());
  return success();
}

/// Products of the elements less their zero points, in int32. What padding adds is
/// the zero point: nothing.
static void addCenteredProduct(LoopSpecBuilder &spec, Operation *op, const ConvLoops &loops,
                               Type typeX, Type typeW, std::optional<unsigned> zeroX,
                               std::optional<unsigned> zeroW) {
  if (zeroX)
    readParameter(spec, op, *zeroX, {});
  if (zeroW)
    readParameter(spec, op, *zeroW, {loops.co});
  Type wide = IntegerType::get(op->getContext(), 32);
  accumulateFromZero(spec, wide);
  spec.body(wide, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    unsigned next = 2;
    Value zeroPointX = zeroX ? args.operands[next++] : Value();
    Value zeroPointW = zeroW ? args.operands[next++] : Value();
    return {multiplyAdd(s, centered(s, args.operands[0], zeroPointX, typeX),
                        centered(s, args.operands[1], zeroPointW, typeW), args.accumulators[0])};
  });
}

LogicalResult ConvIntegerOp::inferTypes(TypeInference &inference) {
  if (failed(requireInteger8(inference, {getX(), getW()})))
    return failure();
  FailureOr<ConvShape> shape = convShape(*this, inference);
  if (failed(shape))
    return failure();
  Value zeroX = getXZeroPoint(), zeroW = getWZeroPoint();
  if (!isAbsent(zeroX) && failed(checkSingle(inference, zeroX, "zero point of the input")))
    return failure();
  if (!isAbsent(zeroW) &&
      failed(checkPerChannel(inference, zeroW, shape->outChannels, "zero point of the kernel")))
    return failure();
  inference.addResult(IntegerType::get(getContext(), 32), shape->result());
  return success();
}

FailureOr<Spec> ConvIntegerOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<ConvShape> shape = convShape(*this, inference);
  if (failed(shape))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  ConvLoops loops(spec, *shape);
  readOperands(spec, *shape, loops, 0, 1);
  auto present = [](Value value, unsigned operand) {
    return isAbsent(value) ? std::nullopt : std::optional<unsigned>(operand);
  };
  addCenteredProduct(spec, *this, loops, getElementType(getX()), getElementType(getW()),
                     present(getXZeroPoint(), 2), present(getWZeroPoint(), 3));
  return spec.take();
}

LogicalResult QLinearConvOp::inferTypes(TypeInference &inference) {
  if (failed(requireInteger8(inference,
                             {getX(), getXZeroPoint(), getW(), getWZeroPoint(), getYZeroPoint()})))
    return failure();
  FailureOr<ConvShape> shape = convShape(*this, inference);
  if (failed(shape) || failed(checkBias(inference, getB(), shape->outChannels)) ||
      failed(checkSingle(inference, getXScale(), "scale of the input")) ||
      failed(checkSingle(inference, getXZeroPoint(), "zero point of the input")) ||
      failed(checkSingle(inference, getYScale(), "scale of the result")) ||
      failed(checkSingle(inference, getYZeroPoint(), "zero point of the result")) ||
      failed(checkPerChannel(inference, getWScale(), shape->outChannels, "scale of the kernel")) ||
      failed(checkPerChannel(inference, getWZeroPoint(), shape->outChannels,
                             "zero point of the kernel")))
    return failure();
  inference.addResult(getElementType(getYZeroPoint()), shape->result());
  return success();
}

FailureOr<Spec> QLinearConvOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<ConvShape> shape = convShape(*this, inference);
  if (failed(shape))
    return failure();
  LoopSpecBuilder spec(*this, SpecKind::Window);
  ConvLoops loops(spec, *shape);
  readOperands(spec, *shape, loops, 0, 3);
  addCenteredProduct(spec, *this, loops, getElementType(getX()), getElementType(getW()), 2, 5);
  for (unsigned operand : {1, 4, 6, 7})
    readParameter(spec, *this, operand, {loops.co}, /*inFinish=*/true);
  bool hasBias = !isAbsent(getB());
  if (hasBias)
    spec.readInFinish(8, {loops.co});
  Requantization parameters;
  parameters.scaleType = getElementType(getXScale());
  parameters.resultType = getElementType(getYZeroPoint());
  spec.finish(IntegerType::get(getContext(), 32),
              [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
                parameters.scaleA = args.operands[0];
                parameters.scaleB = args.operands[1];
                parameters.scaleY = args.operands[2];
                parameters.zeroPointY = args.operands[3];
                Value sum = args.accumulators[0];
                if (hasBias)
                  sum = s.add(sum, args.operands[4]);
                return {requantize(s, sum, parameters)};
              });
  return spec.take();
}

LogicalResult QLinearConvOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Decomposer build(builder, getLoc());
  SmallVector<Decomposer::Attribute> attributes;
  for (NamedAttribute attribute : (*this)->getAttrs())
    attributes.push_back({attribute.getName(), attribute.getValue()});
  Value sums =
      build.op("dsc.conv_integer", {getX(), getW(), getXZeroPoint(), getWZeroPoint()}, attributes);
  auto perChannel = [&](Value vector) { return build.alongAxis(vector, 1, getRank(getX())); };
  auto scalar = [&](Value value) { return getRank(value) == 0 ? value : build.reshape(value, {}); };
  if (!isAbsent(getB()))
    sums = build.op("dsc.add", {sums, perChannel(getB())});
  values.push_back(buildRequantized(build, sums, scalar(getXScale()), perChannel(getWScale()),
                                    scalar(getYScale()), scalar(getYZeroPoint())));
  return success(values.back() && values.back().getType() == getY().getType());
}

//===----------------------------------------------------------------------===//
// Products of pairs
//===----------------------------------------------------------------------===//

LogicalResult ConvPairsOp::inferTypes(TypeInference &inference) {
  FailureOr<ConvShape> shape = convShape(*this, inference);
  if (failed(shape))
    return failure();
  inference.addResult(getElementType(getX()), shape->result());
  return success();
}

FailureOr<Spec> ConvPairsOp::getSpec() {
  LoopSpecBuilder spec(*this, SpecKind::Window);
  if (failed(addProducts(spec, *this, multiplyAddPairs)))
    return failure();
  return spec.take();
}

//===----------------------------------------------------------------------===//
// ConvTranspose
//===----------------------------------------------------------------------===//

/// Padding and output sizes of a ConvTranspose.
static LogicalResult sizeTransposed(ConvTransposeOp op, Window &window, TypeInference &inference) {
  unsigned rank = window.rank();
  std::optional<ArrayRef<int64_t>> padding = op.getOutputPadding(), given = op.getOutputShape();
  if (padding && padding->size() != rank)
    return inference.error() << "output_padding has " << padding->size() << " entries for " << rank
                             << " spatial axes";
  if (given && given->size() != rank)
    return inference.error() << "output_shape has " << given->size() << " entries for " << rank
                             << " spatial axes";
  bool isUpper = op.getAutoPad() == "SAME_UPPER";
  bool isSame = isUpper || op.getAutoPad() == "SAME_LOWER";
  for (unsigned i = 0; i < rank; ++i) {
    Dim full = (window.input[i] - 1) * window.strides[i] + window.extent(i) +
               (padding ? (*padding)[i] : 0);
    if (!given && !isSame) {
      window.output.push_back(full - window.padBegin[i] - window.padEnd[i]);
      continue;
    }
    Dim size = given ? inference.constant((*given)[i]) : window.input[i] * window.strides[i];
    // Where more is wanted than there is, the rest is a border without products.
    Dim total = Dim::max(full - size, inference.constant(0));
    std::tie(window.padBegin[i], window.padEnd[i]) = splitPadding(total, isUpper);
    window.output.push_back(size);
  }
  return success();
}

static FailureOr<ConvShape> transposedShape(ConvTransposeOp op, TypeInference &inference) {
  FailureOr<SmallVector<Dim>> kernel =
      kernelSizes(inference, op.getX(), op.getW(), op.getKernelShape());
  if (failed(kernel))
    return failure();
  SmallVector<Dim> x = getDims(op.getX()), w = getDims(op.getW());
  ConvShape shape;
  shape.group = op.getGroup();
  if (failed(checkGroups(inference, shape.group, x[1])) ||
      failed(inference.requireEqual(x[1], w[0],
                                    "input has another number of channels than the kernel")))
    return failure();
  shape.batch = x[0];
  shape.groupInputs = w[0].floorDiv(shape.group);
  shape.groupOutputs = w[1];
  shape.outChannels = w[1] * shape.group;
  FailureOr<Window> window =
      makeWindow(inference, windowAttributes(op), ArrayRef(x).drop_front(2), *kernel);
  if (failed(window) || failed(sizeTransposed(op, *window, inference)))
    return failure();
  shape.window = *window;
  return shape;
}

LogicalResult ConvTransposeOp::inferTypes(TypeInference &inference) {
  FailureOr<ConvShape> shape = transposedShape(*this, inference);
  if (failed(shape) || failed(checkBias(inference, getB(), shape->outChannels)))
    return failure();
  inference.addResult(getElementType(getX()), shape->result());
  return success();
}

FailureOr<Spec> ConvTransposeOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<ConvShape> shape = transposedShape(*this, inference);
  if (failed(shape))
    return failure();
  const Window &window = shape->window;
  LoopSpecBuilder spec(*this, SpecKind::Window);
  ConvLoops loops(spec, *shape);
  SmallVector<AffineExpr> x = {loops.n, loops.channel};
  for (unsigned i = 0; i < window.rank(); ++i) {
    AffineExpr moved =
        loops.o[i] + spec.size(window.padBegin[i]) - loops.k[i] * window.dilations[i];
    x.push_back(moved.floorDiv(window.strides[i]));
  }
  spec.read(0, x, Bounds::Skip);
  AffineExpr inGroup = shape->group == 1 ? loops.co : loops.co % spec.size(shape->groupOutputs);
  SmallVector<AffineExpr> w = {loops.channel, inGroup};
  llvm::append_range(w, loops.k);
  spec.read(1, w);
  Type element = getElementType(getX());
  accumulateFromZero(spec, element);
  unsigned firstK = 3 + window.rank();
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value result = multiplyAdd(s, args.operands[0], args.operands[1], args.accumulators[0]);
    ScalarBuilder onIndex = s.with(s.builder.getIndexType());
    for (unsigned i = 0; i < window.rank(); ++i) {
      if (window.strides[i] == 1)
        continue;
      Value o = s.indexAdd(args.indices[2 + i], s.size(window.padBegin[i]));
      Value k = s.indexMul(args.indices[firstK + i], s.index(window.dilations[i]));
      Value rest = s.indexMod(s.indexSub(o, k), s.index(window.strides[i]));
      result = s.select(onIndex.eq(rest, s.index(0)), result, args.accumulators[0]);
    }
    return {result};
  });
  finishWithBias(spec, *this, 2, loops.co, element);
  return spec.take();
}

/// How many input pixels reach an output pixel along each axis. Empty where a
/// convolution cannot give all of the output: kernels of sizes that only the run
/// knows, with holes, or an output that goes beyond what their windows cover.
static SmallVector<int64_t> tapsByPixel(const Window &window) {
  SmallVector<int64_t> taps;
  for (unsigned i = 0; i < window.rank(); ++i) {
    std::optional<int64_t> kernel = window.kernel[i].tryConstant(),
                           begin = window.padBegin[i].tryConstant();
    if (!kernel || *kernel == 0 || window.dilations[i] != 1 || !begin || *begin < 0)
      return {};
    taps.push_back(llvm::divideCeil(*kernel, window.strides[i]));
    Dim covered = (window.input[i] + (taps.back() - 1)) * window.strides[i];
    std::optional<int64_t> left = (covered - (window.output[i] + *begin)).tryConstant();
    if (!left || *left < 0)
      return {};
  }
  return taps;
}

/// The kernel of the convolution that gives all s outputs of each pixel:
/// [g * ci, co, k] => [g * co * s, ci, t], k = s * t after zeros are added, t backwards.
static Value kernelByPixel(Decomposer &d, OpBuilder &builder, Value w, const ConvShape &shape,
                           ArrayRef<int64_t> taps) {
  const Window &window = shape.window;
  unsigned rank = window.rank();
  auto constant = [&](int64_t value) { return Dim::constant(builder.getContext(), value); };
  SmallVector<Dim> pads(2 * (rank + 2), constant(0));
  SmallVector<Dim> apart = {constant(shape.group), shape.groupInputs, shape.groupOutputs};
  SmallVector<Dim> together = {shape.outChannels, shape.groupInputs};
  SmallVector<int64_t> order = {0, 2};
  SmallVector<Dim> last, before, axes, back;
  for (unsigned i = 0; i < rank; ++i) {
    pads[rank + 4 + i] = constant(taps[i] * window.strides[i]) - window.kernel[i];
    apart.append({constant(taps[i]), constant(window.strides[i])});
    together[0] = together[0] * window.strides[i];
    together.push_back(constant(taps[i]));
    order.push_back(4 + 2 * i);
    last.push_back(constant(-1));
    before.push_back(constant(INT64_MIN + 1));
    axes.push_back(constant(2 + i));
  }
  order.push_back(1);
  for (unsigned i = 0; i < rank; ++i)
    order.push_back(3 + 2 * i);
  if (llvm::any_of(pads, [](Dim pad) { return !pad.isConstant(0); }))
    w = d.op("dsc.pad", {w, d.none()}, {{"pads", d.dims(pads)}});
  w = d.reshape(w, apart);
  w = d.op("dsc.transpose", w, {{"perm", builder.getDenseI64ArrayAttr(order)}});
  w = d.reshape(w, together);
  if (llvm::all_of(taps, [](int64_t count) { return count == 1; }))
    return w;
  return d.op("dsc.slice", w,
              {{"starts", d.dims(last)},
               {"ends", d.dims(before)},
               {"axes", d.dims(axes)},
               {"steps", d.dims(last)}});
}

//   y[n, o, h * s + i] = conv(x, w', b')[n, o * s + i, h], without the padding
LogicalResult ConvTransposeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  TypeInference inference(*this);
  FailureOr<ConvShape> shape = transposedShape(*this, inference);
  SmallVector<int64_t> taps =
      succeeded(shape) ? tapsByPixel(shape->window) : SmallVector<int64_t>();
  if (taps.empty())
    return failure();
  const Window &window = shape->window;
  Decomposer d(builder, getLoc());
  Value w = kernelByPixel(d, builder, getW(), *shape, taps);
  // [n, co, s..., pixels...] -> [n, co, pixels, s, ...]
  SmallVector<Dim> apart = {shape->batch, shape->outChannels}, whole = apart, starts, ends, axes;
  SmallVector<int64_t> order = {0, 1}, pads;
  Dim outputs = inference.constant(1);
  for (unsigned i = 0; i < window.rank(); ++i) {
    pads.push_back(taps[i] - 1);
    outputs = outputs * window.strides[i];
    apart.push_back(inference.constant(window.strides[i]));
    whole.push_back((window.input[i] + (taps[i] - 1)) * window.strides[i]);
    order.append({2 + window.rank() + i, 2 + i});
    starts.push_back(window.padBegin[i]);
    ends.push_back(window.padBegin[i] + window.output[i]);
    axes.push_back(inference.constant(2 + i));
  }
  for (unsigned i = 0; i < window.rank(); ++i)
    apart.push_back(window.input[i] + (taps[i] - 1));
  pads.append(pads.begin(), pads.end());
  Value b = d.none();
  if (!isAbsent(getB())) {
    b = d.reshape(getB(), {shape->outChannels, inference.constant(1)});
    b = d.op("dsc.expand", b, {{"shape", d.dims({shape->outChannels, outputs})}});
    b = d.reshape(b, {shape->outChannels * outputs});
  }
  Value y = d.op("dsc.conv", {getX(), w, b},
                 {{"group", d.number(shape->group)}, {"pads", builder.getDenseI64ArrayAttr(pads)}});
  y = d.reshape(y, apart);
  y = d.op("dsc.transpose", y, {{"perm", builder.getDenseI64ArrayAttr(order)}});
  y = d.reshape(y, whole);
  if (ArrayRef(whole) != ArrayRef(shape->result()))
    y = d.op("dsc.slice", y,
             {{"starts", d.dims(starts)}, {"ends", d.dims(ends)}, {"axes", d.dims(axes)}});
  // A size that might be negative is clamped in the slice's type.
  if (y && getDims(y) != shape->result())
    y = d.reshape(y, shape->result());
  values.push_back(y);
  return success(y != nullptr);
}

} // namespace dsc
