//===- GridSample.cpp - images read at computed positions -----------------===//
//
// GridSample takes the positions from a tensor, RoiAlign from rectangles.
//
//===----------------------------------------------------------------------===//
#include "Contraction.h"
#include "Sampling.h"
#include "dsc/Dialect/IR/Decomposer.h"

using namespace mlir;

namespace dsc {

//===----------------------------------------------------------------------===//
// GridSample
//===----------------------------------------------------------------------===//

LogicalResult GridSampleOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> x = getDims(getX()), grid = getDims(getGrid());
  if (x.size() < 3 || grid.size() != x.size())
    return inference.error() << "needs an input and a grid of the same rank, at least 3, not "
                             << shortTypeName(getX().getType()) << " and "
                             << shortTypeName(getGrid().getType());
  if (getMode() != "linear" && getMode() != "nearest" && getMode() != "cubic")
    return inference.error() << "mode has unknown value '" << getMode() << "'";
  if (getPaddingMode() != "zeros" && getPaddingMode() != "border" &&
      getPaddingMode() != "reflection")
    return inference.error() << "padding_mode has unknown value '" << getPaddingMode() << "'";
  int64_t spatial = x.size() - 2;
  if (failed(inference.requireEqual(grid[0], x[0], "grid has another batch size")) ||
      failed(inference.requireEqual(grid.back(), inference.constant(spatial),
                                    "last axis of the grid is not the number of spatial axes")))
    return failure();
  SmallVector<Dim> shape = {x[0], x[1]};
  shape.append(grid.begin() + 1, grid.end() - 1);
  inference.addResult(getElementType(getX()), shape);
  return success();
}

namespace {

/// The positions between which an axis has elements, in element coordinates.
struct Border {
  Value low, high;
};

} // namespace

static Border borderOf(ScalarBuilder &f, Dim size, bool alignCorners) {
  double margin = alignCorners ? 0 : 0.5;
  return {f.constant(-margin), f.sub(floatSize(f, size), f.constant(1 - margin))};
}

/// Mirrors x at the border as often as needed.
static Value reflect(ScalarBuilder &f, Value x, Border border) {
  Value range = f.sub(border.high, border.low);
  Value isLow = f.lt(x, border.low);
  Value distance = f.select(isLow, f.sub(border.low, x), f.sub(x, border.high));
  Value turns = f.math<math::FloorOp>(f.div(distance, range));
  Value rest = f.sub(distance, f.mul(turns, range));
  Value halves = f.mul(turns, f.constant(0.5));
  Value isEven = f.eq(f.math<math::FloorOp>(halves), halves);
  // An even number of turns ends next to the border that was crossed.
  Value nearLow = f.logicalNot(f.logicalXor(isLow, isEven));
  Value reflected = f.select(nearLow, f.add(border.low, rest), f.sub(border.high, rest));
  Value isInside = f.logicalNot(f.logicalOr(isLow, f.gt(x, border.high)));
  return f.select(isInside, x, reflected);
}

/// A coordinate from [-1, 1] in elements, moved inside where the padding mode says so.
static Value gridCoordinate(ScalarBuilder &f, GridSampleOp op, Dim size, Value normalized) {
  bool alignCorners = op.getAlignCorners() != 0;
  Value length = floatSize(f, size), one = f.constant(1), half = f.constant(0.5);
  Value shifted = f.add(normalized, one), x;
  if (alignCorners)
    x = f.mul(f.mul(shifted, half), f.sub(length, one));
  else
    x = f.mul(f.sub(f.mul(shifted, length), one), half);
  if (op.getMode() == "nearest")
    x = f.math<math::RoundEvenOp>(x);
  Border border = borderOf(f, size, alignCorners);
  if (op.getPaddingMode() == "reflection")
    return reflect(f, x, border);
  if (op.getPaddingMode() != "border")
    return x;
  Value isOutside = f.logicalOr(f.lt(x, border.low), f.gt(x, border.high));
  Value clamped = f.max(f.min(x, f.sub(length, one)), f.constant(0));
  return f.select(isOutside, clamped, x);
}

/// Moves an element's index inside; zeros are handled by the read.
static Value paddedIndex(ScalarBuilder &f, GridSampleOp op, Dim size, Value index) {
  if (op.getPaddingMode() == "zeros")
    return index;
  if (op.getPaddingMode() == "reflection") {
    Border border = borderOf(f, size, op.getAlignCorners() != 0);
    index = floorIndex(f, reflect(f, f.fromIndex(index), border));
  }
  return clampIndex(f, index, size);
}

FailureOr<Spec> GridSampleOp::getSpec() {
  SmallVector<Dim> x = getDims(getX());
  unsigned spatial = x.size() - 2;
  LoopSpecBuilder spec(*this, SpecKind::Map);
  SmallVector<AffineExpr> loops = spec.parallel(ArrayRef<Dim>(getDims(getY())));
  spec.readAnywhere(0);
  SmallVector<AffineExpr> grid = {loops[0]};
  grid.append(loops.begin() + 2, loops.end());
  grid.push_back(spec.number(0));
  for (unsigned i = 0; i < spatial; ++i) {
    grid.back() = spec.number(i);
    spec.read(1, grid);
  }
  Type element = getElementType(getX()), gridElement = getElementType(getGrid());
  bool isDouble = element.isF64() || gridElement.isF64();
  Type compute = isDouble ? Type(Float64Type::get(getContext())) : Float32Type::get(getContext());
  bool isNearest = getMode() == "nearest";
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    ScalarBuilder f = s.with(compute), g = s.with(gridElement);
    SmallVector<AxisTaps> taps(2 + spatial);
    taps[0].indices = {args.indices[0]};
    taps[1].indices = {args.indices[1]};
    for (unsigned i = 0; i < spatial; ++i) {
      // The grid has the last axis first.
      Value normalized = f.cast(g.compute(args.operands[spatial - i]), gridElement, compute);
      Value at = gridCoordinate(f, *this, x[2 + i], normalized);
      AxisTaps &axis = taps[2 + i];
      if (isNearest)
        axis.indices = {floorIndex(f, at)};
      else
        axis = getMode() == "linear" ? linearTaps(f, at) : cubicTaps(f, at, -0.75);
      for (Value &index : axis.indices)
        index = paddedIndex(f, *this, x[2 + i], index);
    }
    auto read = [&](ValueRange at) { return s.atOrElse(args.operands[0], at, s.constant(0)); };
    if (isNearest)
      return {s.round(interpolate(s, taps, read))};
    Value value =
        interpolate(f, taps, [&](ValueRange at) { return s.cast(read(at), element, compute); });
    return {s.round(s.cast(value, compute, element))};
  });
  return spec.take();
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

LogicalResult RoiAlignOp::inferTypes(TypeInference &inference) {
  SmallVector<Dim> x = getDims(getX()), rois = getDims(getRois());
  if (x.size() != 4 || rois.size() != 2 || getRank(getBatchIndices()) != 1)
    return inference.error() << "needs an input of rank 4, rois of rank 2 and batch indices of "
                                "rank 1, not "
                             << shortTypeName(getX().getType()) << ", "
                             << shortTypeName(getRois().getType()) << ", "
                             << shortTypeName(getBatchIndices().getType());
  if (getMode() != "avg" && getMode() != "max")
    return inference.error() << "mode has unknown value '" << getMode() << "'";
  if (failed(inference.requireEqual(rois[1], inference.constant(4), "a roi has 4 coordinates")) ||
      failed(inference.requireEqual(rois[0], getDims(getBatchIndices())[0],
                                    "there are not as many batch indices as rois")))
    return failure();
  SmallVector<Dim> bins = {inference.constant(getOutputHeight()),
                           inference.constant(getOutputWidth())};
  if (getChannelsLast())
    inference.addResult(getElementType(getX()), {rois[0], bins[0], bins[1], x[3]});
  else
    inference.addResult(getElementType(getX()), {rois[0], x[1], bins[0], bins[1]});
  return success();
}

namespace {

/// One axis of a roi, in elements of the input.
struct RoiAxis {
  Value start, binSize;
  /// Samples of a bin.
  Value samples;
};

} // namespace

/// `corners`: a roi's x1, y1, x2, y2 as stored. Axis 0 is the height.
static RoiAxis roiAxis(ScalarBuilder &s, RoiAlignOp op, ValueRange corners, unsigned axis) {
  bool halfPixel = op.getCoordinateTransformationMode() == "half_pixel";
  Value scale = s.constant(op.getSpatialScale().convertToFloat());
  auto place = [&](Value corner) {
    return s.sub(s.mul(s.compute(corner), scale), s.constant(halfPixel ? 0.5 : 0));
  };
  RoiAxis result;
  result.start = place(corners[1 - axis]);
  Value size = s.sub(place(corners[3 - axis]), result.start);
  if (!halfPixel)
    size = s.max(size, s.constant(1));
  int64_t bins = axis == 0 ? op.getOutputHeight() : op.getOutputWidth();
  result.binSize = s.div(size, s.constant(bins));
  auto ratio = static_cast<int64_t>(op.getSamplingRatio());
  result.samples = ratio > 0 ? s.constant(ratio) : s.math<math::CeilOp>(result.binSize);
  return result;
}

/// The two elements around a sample; outside by more than one: none (`isOutside`).
static AxisTaps roiTaps(ScalarBuilder &s, const RoiAxis &axis, Dim size, Value bin, Value sample,
                        Value &isOutside) {
  Value inBin = s.div(s.add(s.fromIndex(sample), s.constant(0.5)), axis.samples);
  Value x = s.add(axis.start, s.mul(axis.binSize, s.add(s.fromIndex(bin), inBin)));
  isOutside =
      s.logicalOr(isOutside, s.logicalOr(s.lt(x, s.constant(-1)), s.gt(x, floatSize(s, size))));
  Value last = s.sub(floatSize(s, size), s.constant(1));
  AxisTaps taps = linearTaps(s, s.min(s.max(x, s.constant(0)), last));
  for (Value &index : taps.indices)
    index = clampIndex(s, index, size);
  return taps;
}

/// As loops, the channels are the innermost: transposed where they are not.
LogicalResult RoiAlignOp::decompose(OpBuilder &builder, SmallVectorImpl<Value> &values) {
  Dim channels = getDims(getX())[1];
  // Vectors of a few channels gain nothing.
  constexpr int64_t few = 4;
  if (getChannelsLast() || (channels.isConstant() && channels.getConstant() < few))
    return failure();
  Decomposer d(builder, getLoc());
  auto transpose = [&](Value value, ArrayRef<int64_t> perm) {
    return d.op("dsc.transpose", value, {{"perm", builder.getDenseI64ArrayAttr(perm)}});
  };
  SmallVector<Decomposer::Attribute> attributes = {{"channels_last", d.number(1)}};
  for (NamedAttribute attribute : (*this)->getAttrs())
    if (attribute.getName().getValue() != "channels_last")
      attributes.push_back({attribute.getName().getValue(), attribute.getValue()});
  Value y = d.op("dsc.roi_align", {transpose(getX(), {0, 2, 3, 1}), getRois(), getBatchIndices()},
                 attributes);
  values.push_back(transpose(y, {0, 3, 1, 2}));
  return success(values.back() != nullptr);
}

FailureOr<Spec> RoiAlignOp::getSpec() {
  SmallVector<Dim> x = getDims(getX());
  // Of x and of y.
  unsigned firstSpatial = getChannelsLast() ? 1 : 2, channel = getChannelsLast() ? 3 : 1;
  bool isMax = getMode() == "max", isAdaptive = static_cast<int64_t>(getSamplingRatio()) <= 0;
  LoopSpecBuilder spec(*this, SpecKind::Window);
  SmallVector<AffineExpr> loops = spec.parallel(ArrayRef<Dim>(getDims(getY())));
  for (unsigned i = 0; i < 2; ++i) {
    // The number of samples depends on the roi. One that lies in the input has at
    // most one for each element of a bin; the body checks that.
    unsigned axis = firstSpatial + i;
    Dim samples = isAdaptive ? x[axis].ceilDiv(getDims(getY())[axis]) + 1
                             : Dim::constant(getContext(), getSamplingRatio());
    spec.reduction(samples);
  }
  spec.readAnywhere(0);
  spec.read(2, {loops[0]});
  for (int64_t i = 0; i < 4; ++i)
    spec.read(1, {loops[0], spec.number(i)});
  for (int64_t i = 0; i < 4; ++i)
    spec.readInFinish(1, {loops[0], spec.number(i)});
  Type element = getElementType(getX());
  Type compute = element.isF64() ? element : Float32Type::get(getContext());
  if (isMax)
    spec.accumulator(FloatAttr::get(compute, -std::numeric_limits<double>::infinity()));
  else
    accumulateFromZero(spec, element);
  spec.body(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value batch = s.with(s.builder.getI64Type()).toIndex(args.operands[1]);
    Value isOutside = s.boolean(false), isSample = s.boolean(true);
    SmallVector<AxisTaps> taps(2);
    for (unsigned i = 0; i < 2; ++i) {
      RoiAxis axis = roiAxis(s, *this, args.operands.drop_front(2), i);
      Value sample = args.indices[4 + i];
      unsigned number = firstSpatial + i;
      taps[i] = roiTaps(s, axis, x[number], args.indices[number], sample, isOutside);
      if (!isAdaptive)
        continue;
      isSample = s.logicalAnd(isSample, s.lt(s.fromIndex(sample), axis.samples));
      // A roi with more samples than there are loops reads outside, which ends the run.
      Dim limit = x[number].ceilDiv(getDims(getY())[number]) + 1;
      Value tooMany = s.gt(axis.samples, floatSize(s, limit));
      batch = s.select(tooMany, s.index(-1), batch);
    }
    auto read = [&](unsigned row, unsigned column) {
      SmallVector<Value> at = {batch, taps[0].indices[row], taps[1].indices[column]};
      at.insert(at.begin() + channel, args.indices[channel]);
      Value value = s.atChecked(args.operands[0], at);
      return s.mul(s.mul(taps[0].weights[row], taps[1].weights[column]), value);
    };
    Value parts[] = {read(0, 0), read(0, 1), read(1, 0), read(1, 1)};
    // Mode max takes the largest of the weighted elements.
    auto join = [&](Value a, Value b) { return isMax ? s.max(a, b) : s.add(a, b); };
    Value value = join(join(parts[0], parts[1]), join(parts[2], parts[3]));
    value = join(args.accumulators[0], s.select(isOutside, s.constant(0), value));
    return {s.select(isSample, value, args.accumulators[0])};
  });
  spec.finish(element, [&](ScalarBuilder &s, LoopSpecBuilder::Args args) -> SmallVector<Value> {
    Value count = s.mul(roiAxis(s, *this, args.operands, 0).samples,
                        roiAxis(s, *this, args.operands, 1).samples);
    Value result = args.accumulators[0];
    if (isMax)
      result = s.select(s.lt(count, s.constant(1)), s.constant(0), result);
    else
      result = s.div(result, s.max(count, s.constant(1)));
    return {s.round(result)};
  });
  return spec.take();
}

} // namespace dsc
