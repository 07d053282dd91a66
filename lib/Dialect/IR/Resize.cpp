//===- Resize.cpp - other sizes by interpolation --------------------------===//
//
// Coordinates are computed in float32 for any element type.
//
//===----------------------------------------------------------------------===//
#include "Sampling.h"
#include "dsc/Dialect/IR/Decomposer.h"

#include "llvm/ADT/StringSwitch.h"

#include <cmath>

using namespace mlir;

namespace dsc {

namespace {

enum class CoordinateMode {
  HalfPixel,
  HalfPixelSymmetric,
  PytorchHalfPixel,
  AlignCorners,
  Asymmetric,
  CropAndResize,
};

/// One axis that changes.
struct ResizedAxis {
  unsigned axis;
  Dim input, output;
  /// Absent: output / input.
  std::optional<float> scale;
  float roiBegin = 0, roiEnd = 1;
};

struct ResizePlan {
  SmallVector<Dim> result;
  SmallVector<ResizedAxis> axes;
};

} // namespace

static std::optional<CoordinateMode> coordinateMode(StringRef name) {
  return llvm::StringSwitch<std::optional<CoordinateMode>>(name)
      .Case("half_pixel", CoordinateMode::HalfPixel)
      .Case("half_pixel_symmetric", CoordinateMode::HalfPixelSymmetric)
      .Case("pytorch_half_pixel", CoordinateMode::PytorchHalfPixel)
      .Case("align_corners", CoordinateMode::AlignCorners)
      .Case("asymmetric", CoordinateMode::Asymmetric)
      .Case("tf_crop_and_resize", CoordinateMode::CropAndResize)
      .Default(std::nullopt);
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

/// floor(size * scale). A symbolic size needs a scale that is a simple fraction.
static FailureOr<Dim> scaledSize(Dim size, float scale, TypeInference &inference) {
  if (!(scale > 0) || !std::isfinite(scale))
    return inference.error() << "scale must be positive, not " << scale, failure();
  if (size.isConstant())
    return inference.constant(
        static_cast<int64_t>(std::floor(static_cast<float>(size.getConstant()) * scale)));
  constexpr int64_t maxDenominator = 64;
  for (int64_t denominator = 1; denominator <= maxDenominator; ++denominator) {
    auto numerator = static_cast<int64_t>(std::llround(static_cast<double>(scale) * denominator));
    if (static_cast<float>(numerator) / static_cast<float>(denominator) == scale)
      return (size * numerator).floorDiv(denominator);
  }
  return inference.error() << "scale " << scale << " of the symbolic size " << size.str()
                           << " is not a fraction with a denominator up to " << maxDenominator,
         failure();
}

/// Fits sizes to the input's aspect ratio, as `policy` says: one scale for all.
static LogicalResult keepAspectRatio(StringRef policy, MutableArrayRef<ResizedAxis> axes,
                                     TypeInference &inference) {
  if (policy != "not_larger" && policy != "not_smaller")
    return inference.error() << "keep_aspect_ratio_policy has unknown value '" << policy << "'";
  std::optional<double> best;
  for (const ResizedAxis &axis : axes) {
    if (!axis.input.isConstant() || !axis.output.isConstant())
      return inference.error() << "keep_aspect_ratio_policy '" << policy
                               << "' needs constant sizes, not " << axis.input.str() << " to "
                               << axis.output.str();
    double ratio = static_cast<double>(axis.output.getConstant()) /
                   static_cast<double>(axis.input.getConstant());
    if (!best || (policy == "not_larger" ? ratio < *best : ratio > *best))
      best = ratio;
  }
  for (ResizedAxis &axis : axes) {
    double size = *best * static_cast<double>(axis.input.getConstant());
    axis.output = inference.constant(static_cast<int64_t>(std::floor(size + 0.5)));
    axis.scale = static_cast<float>(*best);
  }
  return success();
}

static FailureOr<SmallVector<ResizedAxis>> listAxes(ResizeOp op, TypeInference &inference) {
  SmallVector<Dim> input = getDims(op.getX());
  SmallVector<ResizedAxis> axes;
  if (std::optional<ArrayRef<int64_t>> given = op.getAxes()) {
    for (int64_t axis : *given) {
      FailureOr<int64_t> normal = inference.normalizeAxis(axis, input.size());
      if (failed(normal))
        return failure();
      axes.push_back({static_cast<unsigned>(*normal), input[*normal], {}, {}});
    }
  } else {
    for (auto [axis, size] : llvm::enumerate(input))
      axes.push_back({static_cast<unsigned>(axis), size, {}, {}});
  }
  std::optional<ArrayRef<float>> roi = op.getRoi();
  if (!roi || roi->empty() || op.getCoordinateTransformationMode() != "tf_crop_and_resize")
    return axes;
  if (roi->size() != 2 * axes.size())
    return inference.error() << "roi has " << roi->size() << " entries, expected "
                             << 2 * axes.size(),
           failure();
  for (auto [i, axis] : llvm::enumerate(axes)) {
    axis.roiBegin = (*roi)[i];
    axis.roiEnd = (*roi)[axes.size() + i];
  }
  return axes;
}

/// Sets the output sizes of all axes from `scales` or `sizes`.
static LogicalResult sizeAxes(ResizeOp op, MutableArrayRef<ResizedAxis> axes,
                              TypeInference &inference) {
  std::optional<DimsAttr> sizes = op.getSizes();
  std::optional<ArrayRef<float>> scales = op.getScales();
  bool hasSizes = sizes && sizes->size() > 0, hasScales = scales && !scales->empty();
  if (hasSizes == hasScales)
    return inference.error() << "needs either scales or sizes";
  size_t entries = hasSizes ? sizes->size() : scales->size();
  if (entries != axes.size())
    return inference.error() << (hasSizes ? "sizes" : "scales") << " has " << entries
                             << " entries for " << axes.size() << " axes";
  if (hasSizes) {
    for (auto [axis, size] : llvm::zip(axes, sizes->getDims())) {
      if (failed(inference.require(Dim::le(inference.constant(0), size),
                                   "sizes has the size " + size.str())))
        return failure();
      axis.output = size;
    }
    if (op.getKeepAspectRatioPolicy() == "stretch")
      return success();
    return keepAspectRatio(op.getKeepAspectRatioPolicy(), axes, inference);
  }
  for (auto [axis, scale] : llvm::zip(axes, *scales)) {
    FailureOr<Dim> size = scaledSize(axis.input, scale * (axis.roiEnd - axis.roiBegin), inference);
    if (failed(size))
      return failure();
    axis.output = *size;
    axis.scale = scale;
  }
  return success();
}

static FailureOr<ResizePlan> planResize(ResizeOp op, TypeInference &inference) {
  bool isNearest = op.getMode() == "nearest";
  if (!isNearest && op.getMode() != "linear" && op.getMode() != "cubic")
    return inference.error() << "mode has unknown value '" << op.getMode() << "'", failure();
  if (!coordinateMode(op.getCoordinateTransformationMode()))
    return inference.error() << "coordinate_transformation_mode has unknown value '"
                             << op.getCoordinateTransformationMode() << "'",
           failure();
  if (op.getAntialias())
    return inference.error() << "antialias is not supported", failure();
  FailureOr<SmallVector<ResizedAxis>> axes = listAxes(op, inference);
  if (failed(axes) || failed(sizeAxes(op, *axes, inference)))
    return failure();
  ResizePlan plan;
  plan.result = getDims(op.getX());
  for (const ResizedAxis &axis : *axes) {
    plan.result[axis.axis] = axis.output;
    bool isWhole = axis.roiBegin == 0 && axis.roiEnd == 1;
    bool isSame = axis.input == axis.output && axis.scale.value_or(1) == 1;
    if (!isWhole || !isSame)
      plan.axes.push_back(axis);
  }
  return plan;
}

ArrayRef<ContentOperand> ResizeOp::getContentOperands() {
  static constexpr ContentOperand operands[] = {
      {1, "roi", ContentOperand::Floats}, {2, "scales", ContentOperand::Floats}, {3, "sizes"}};
  return operands;
}

LogicalResult ResizeOp::inferTypes(TypeInference &inference) {
  FailureOr<ResizePlan> plan = planResize(*this, inference);
  if (failed(plan))
    return failure();
  inference.addResult(getElementType(getX()), plan->result);
  return success();
}

//===----------------------------------------------------------------------===//
// Coordinates, in float32
//===----------------------------------------------------------------------===//

static Value scaleOf(ScalarBuilder &f, const ResizedAxis &axis) {
  if (axis.scale)
    return f.constant(*axis.scale);
  if (axis.input.isConstant() && axis.output.isConstant())
    return f.constant(static_cast<float>(axis.output.getConstant()) /
                      static_cast<float>(axis.input.getConstant()));
  return f.div(floatSize(f, axis.output), floatSize(f, axis.input));
}

/// The output's length before it was rounded down.
static Value widthOf(ScalarBuilder &f, const ResizedAxis &axis) {
  if (!axis.scale)
    return floatSize(f, axis.output);
  return f.mul(f.constant(*axis.scale), floatSize(f, axis.input));
}

/// The place in the input that output position `o` is taken from.
static Value originalCoordinate(ScalarBuilder &f, const ResizedAxis &axis, CoordinateMode mode,
                                Value o) {
  Value x = f.fromIndex(o), half = f.constant(0.5), one = f.constant(1);
  auto halfPixel = [&] { return f.sub(f.div(f.add(x, half), scaleOf(f, axis)), half); };
  auto isSingle = [&] { return f.eq(widthOf(f, axis), one); };
  auto spread = [&](Value length) {
    Value steps = f.sub(widthOf(f, axis), one);
    return f.div(f.mul(x, length), steps);
  };
  Value last = f.sub(floatSize(f, axis.input), one);
  switch (mode) {
  case CoordinateMode::Asymmetric:
    return f.div(x, scaleOf(f, axis));
  case CoordinateMode::HalfPixel:
    return halfPixel();
  case CoordinateMode::PytorchHalfPixel:
    return f.select(isSingle(), f.constant(0), halfPixel());
  case CoordinateMode::HalfPixelSymmetric: {
    Value adjustment = f.div(floatSize(f, axis.output), widthOf(f, axis));
    Value center = f.mul(floatSize(f, axis.input), half);
    return f.add(f.mul(center, f.sub(one, adjustment)), halfPixel());
  }
  case CoordinateMode::AlignCorners:
    return f.select(isSingle(), f.constant(0), spread(last));
  case CoordinateMode::CropAndResize: {
    Value length = f.mul(f.constant(axis.roiEnd - axis.roiBegin), last);
    Value x0 = f.mul(f.constant(axis.roiBegin), last);
    return f.add(f.select(isSingle(), f.mul(length, half), spread(length)), x0);
  }
  }
  llvm_unreachable("covered");
}

static Value nearestIndex(ScalarBuilder &f, Value x, StringRef mode) {
  if (mode == "round_prefer_floor")
    x = f.math<math::CeilOp>(f.sub(x, f.constant(0.5)));
  else if (mode == "round_prefer_ceil")
    x = f.math<math::FloorOp>(f.add(x, f.constant(0.5)));
  else if (mode == "ceil")
    x = f.math<math::CeilOp>(x);
  return floorIndex(f, x);
}

//===----------------------------------------------------------------------===//
// The Spec
//===----------------------------------------------------------------------===//

/// Weights 0 where a tap is outside, and a sum of 1 for the others.
static void excludeOutside(ScalarBuilder &v, AxisTaps &taps, Dim size) {
  ScalarBuilder onIndex = v.with(v.builder.getIndexType());
  Value sum;
  for (auto [index, weight] : llvm::zip(taps.indices, taps.weights)) {
    Value inside = v.logicalAnd(onIndex.le(v.index(0), index), onIndex.lt(index, v.size(size)));
    weight = v.select(inside, weight, v.constant(0));
    sum = sum ? v.add(sum, weight) : weight;
  }
  for (Value &weight : taps.weights)
    weight = v.div(weight, sum);
}

/// The taps of one axis at coordinate x (float32); weights in `v`'s type.
static AxisTaps tapsAt(ScalarBuilder &v, ResizeOp op, const ResizedAxis &axis, Value x) {
  ScalarBuilder f = v.with(v.builder.getF32Type());
  AxisTaps taps;
  if (op.getMode() == "nearest") {
    taps.indices = {nearestIndex(f, x, op.getNearestMode())};
  } else {
    Value coordinate = v.cast(x, f.type, v.type);
    taps = op.getMode() == "linear"
               ? linearTaps(v, coordinate)
               : cubicTaps(v, coordinate, op.getCubicCoeffA().convertToFloat());
    if (op.getExcludeOutside())
      excludeOutside(v, taps, axis.input);
  }
  for (Value &index : taps.indices)
    index = clampIndex(v, index, axis.input);
  return taps;
}

/// An interpolated value as an element: integers are rounded.
static Value toElement(ScalarBuilder &v, Value value, Type element) {
  if (isa<FloatType>(element))
    return v.with(element).round(value);
  return v.cast(v.math<math::RoundEvenOp>(value), v.type, element);
}

/// The whole number k for which position o of the output is position o / k, rounded down,
/// of the input.
static std::optional<int64_t> nearestFactor(ResizeOp op, const ResizedAxis &axis) {
  constexpr int64_t largest = 8;
  int64_t factor = 2;
  while (factor <= largest && axis.output != axis.input * factor)
    ++factor;
  if (factor > largest || axis.scale.value_or(factor) != static_cast<float>(factor))
    return std::nullopt;
  StringRef rounding = op.getNearestMode();
  switch (*coordinateMode(op.getCoordinateTransformationMode())) {
  case CoordinateMode::HalfPixel:
  case CoordinateMode::PytorchHalfPixel:
    // Less than a half from the middle of the input's pixel.
    if (rounding == "round_prefer_floor" || rounding == "round_prefer_ceil")
      return factor;
    return std::nullopt;
  case CoordinateMode::Asymmetric:
    if (rounding == "floor" || (rounding == "round_prefer_floor" && factor == 2))
      return factor;
    return std::nullopt;
  default:
    return std::nullopt;
  }
}

/// Repeated elements: a Spec whose reads are affine. Empty: not a whole factor.
static std::optional<Spec> repeatSpec(ResizeOp op, const ResizePlan &plan) {
  LoopSpecBuilder spec(op, SpecKind::Move);
  SmallVector<AffineExpr> indices = spec.parallel(ArrayRef<Dim>(plan.result));
  for (const ResizedAxis &axis : plan.axes) {
    std::optional<int64_t> factor = nearestFactor(op, axis);
    if (!factor)
      return std::nullopt;
    indices[axis.axis] = indices[axis.axis].floorDiv(*factor);
  }
  spec.read(0, indices);
  spec.body(getElementType(op.getX()),
            [](ScalarBuilder &, LoopSpecBuilder::Args args) -> SmallVector<Value> {
              return {args.operands[0]};
            });
  return spec.take();
}

/// How many times longer an axis becomes; sizes that only the run knows count as equal.
static double growth(const ResizedAxis &axis) {
  if (axis.scale)
    return *axis.scale;
  std::optional<int64_t> input = axis.input.tryConstant(), output = axis.output.tryConstant();
  return input && output && *input > 0 ? static_cast<double>(*output) / static_cast<double>(*input)
                                       : 1.0;
}

LogicalResult ResizeOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  TypeInference inference(*this);
  FailureOr<ResizePlan> plan = planResize(*this, inference);
  Type element = getElementType(getX());
  bool isSeparable = (element.isF32() || element.isF64()) && getMode() != "nearest" &&
                     getCoordinateTransformationMode() != "tf_crop_and_resize" &&
                     getKeepAspectRatioPolicy() == "stretch";
  if (failed(plan) || !isSeparable || plan->axes.size() < 2)
    return failure();
  // First the axes that shrink, so that less is left to do: the outermost is the cheapest.
  // Of those that grow the innermost is the dearest and comes first.
  llvm::sort(plan->axes, [](const ResizedAxis &a, const ResizedAxis &b) {
    bool aShrinks = growth(a) < 1, bShrinks = growth(b) < 1;
    if (aShrinks != bShrinks)
      return aShrinks;
    return aShrinks ? a.axis < b.axis : a.axis > b.axis;
  });
  Decomposer d(builder, getLoc());
  Value value = getX();
  for (const ResizedAxis &axis : plan->axes) {
    SmallVector<Decomposer::Attribute> attributes = {
        {"axes", builder.getDenseI64ArrayAttr(axis.axis)},
        {"mode", builder.getStringAttr(getMode())},
        {"coordinate_transformation_mode",
         builder.getStringAttr(getCoordinateTransformationMode())},
        {"cubic_coeff_a", builder.getFloatAttr(builder.getF32Type(), getCubicCoeffA())},
        {"exclude_outside", d.number(static_cast<int64_t>(getExcludeOutside()))}};
    if (axis.scale)
      attributes.push_back({"scales", builder.getDenseF32ArrayAttr(*axis.scale)});
    else
      attributes.push_back({"sizes", d.dims(axis.output)});
    value = d.op("dsc.resize", {value}, attributes);
  }
  values.push_back(value);
  return success(static_cast<bool>(value));
}

FailureOr<Spec> ResizeOp::getSpec() {
  TypeInference inference(*this);
  FailureOr<ResizePlan> plan = planResize(*this, inference);
  if (failed(plan))
    return failure();
  if (getMode() == "nearest")
    if (std::optional<Spec> repeated = repeatSpec(*this, *plan))
      return std::move(*repeated);
  CoordinateMode mode = *coordinateMode(getCoordinateTransformationMode());
  bool isNearest = getMode() == "nearest";
  Type element = getElementType(getX());
  // Nearest copies elements; other modes compute in float32, or double for doubles.
  Type compute = element.isF64() ? element : Float32Type::get(getContext());

  LoopSpecBuilder spec(*this, SpecKind::Map);
  spec.parallel(ArrayRef<Dim>(plan->result));
  spec.readAnywhere(0);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    ScalarBuilder v = s.with(compute), f = s.with(s.builder.getF32Type());
    SmallVector<AxisTaps> taps(args.indices.size());
    for (auto [axis, index] : llvm::enumerate(args.indices))
      taps[axis].indices = {index};
    Value isOutside;
    for (const ResizedAxis &axis : plan->axes) {
      Value x = originalCoordinate(f, axis, mode, args.indices[axis.axis]);
      taps[axis.axis] = tapsAt(v, *this, axis, x);
      if (mode != CoordinateMode::CropAndResize)
        continue;
      Value last = f.sub(floatSize(f, axis.input), f.constant(1));
      Value outside = f.logicalOr(f.lt(x, f.constant(0)), f.gt(x, last));
      isOutside = isOutside ? f.logicalOr(isOutside, outside) : outside;
    }
    Value result;
    if (isNearest) {
      Value value = interpolate(s, taps, [&](ValueRange at) { return s.at(args.operands[0], at); });
      result = s.round(value);
    } else {
      Value value = interpolate(v, taps, [&](ValueRange at) {
        return s.cast(s.at(args.operands[0], at), element, compute);
      });
      result = toElement(v, value, element);
    }
    if (isOutside) {
      Value constant = v.constant(getExtrapolationValue().convertToFloat());
      result = s.select(isOutside, s.round(s.cast(constant, compute, element)), result);
    }
    return {result};
  });
  return spec.take();
}

} // namespace dsc
