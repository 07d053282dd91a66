//===- PixelStrips.cpp - the input lines under a line of output pixels ----===//
#include "PixelStrips.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace dsc {

bool PixelStrips::canRead(const ConvolutionShape &shape) {
  constexpr int64_t mostSteps = 16; // the code of each is repeated
  const Axis &line = shape.axes.back();
  return line.kernel > 1 && line.kernel <= mostSteps && line.stride <= 2 &&
         line.output.tryConstant().value_or(1) > 0;
}

PanelRows PixelStrips::rowsOf(const ConvolutionShape &shape, int64_t lanes) {
  const Axis &line = shape.axes.back();
  PanelRows rows;
  rows.steps.clear();
  for (int64_t tap = 0; tap < line.kernel; ++tap) {
    int64_t position = tap * line.dilation;
    rows.steps.push_back({position % line.stride, position / line.stride});
    rows.parts = std::max(rows.parts, rows.steps.back().part + 1);
  }
  rows.extraVectors = llvm::divideCeil(rows.steps.back().element, lanes);
  return rows;
}

PixelStrips::PixelStrips(VectorCode &code, const ConvolutionShape &shape, const BufferView &x,
                         Value channel0)
    : code(code), kernel(code.kernel), builder(code.builder), loc(code.loc), shape(shape), x(x),
      channel0(channel0), rows(rowsOf(shape, code.lanes)),
      outerTaps(shape.taps() / shape.axes.back().kernel),
      pixels(code, x, shape.axes.back().stride) {}

/// Input position of the first tap.
Value PixelStrips::start(const Axis &axis, Value output) {
  Value begin = kernel.apply(axis.begin, {}, shape.loops->symbols);
  return kernel.add(kernel.mul(output, kernel.index(axis.stride)), begin);
}

void PixelStrips::emit(const BufferView &panel, int64_t vectorCount, PanelColumn first, Value depth,
                       Value count) {
  vectors = vectorCount;
  std::tie(firstChannel, channels) = shape.channelsOf(kernel, depth, count);
  auto sizes = llvm::map_to_vector(outerAxes(), [](const Axis &axis) { return axis.output; });
  SmallVector<Value> outer = kernel.delinearize(first.line, sizes);
  for (auto [axis, position] : llvm::zip(outerAxes(), outer))
    position = start(axis, position);
  for (int64_t number = 0; number < outerTaps; ++number)
    emitRow(panel, number, outer, start(shape.axes.back(), first.column));
}

/// Calls `body` with the address of the row of each channel and the channel's offset.
void PixelStrips::forChannels(const BufferView &panel, int64_t number,
                              function_ref<void(Value, Value)> body) {
  kernel.loop(kernel.index(0), channels, [&](Value channel) {
    Value row = kernel.add(kernel.mul(channel, kernel.index(outerTaps)), kernel.index(number));
    body(kernel.address(panel, {row, kernel.index(0)}),
         kernel.mul(kernel.add(firstChannel, channel), x.strides[1]));
  });
}

/// The rows of all channels for one combination of outer taps. `outer`: input positions
/// of the first; `position`: that of the panel's first element in its line.
void PixelStrips::emitRow(const BufferView &panel, int64_t number, ArrayRef<Value> outer,
                          Value position) {
  Value offset = position, isInside;
  int64_t left = number;
  for (size_t i = outer.size(); i-- > 0;) {
    const Axis &axis = shape.axes[i];
    Value at = kernel.add(outer[i], kernel.index(left % axis.kernel * axis.dilation));
    left /= axis.kernel;
    offset = kernel.add(offset, kernel.mul(at, x.strides[2 + i]));
    // Unsigned: what is before the first line is above any size.
    Value fits =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult, at, kernel.size(axis.input));
    isInside = isInside ? arith::AndIOp::create(builder, loc, isInside, fits).getResult() : fits;
  }
  const Axis &line = shape.axes.back();
  int64_t count = vectors + rows.extraVectors, step = code.lanes * line.stride;
  Value address = code.advance(x, channel0, offset), size = kernel.size(line.input);
  auto store = [&](Value row, int64_t part, int64_t v, Value value) {
    code.store(panel, code.advance(panel, row, kernel.index((part * count + v) * code.lanes)),
               value);
  };
  auto copy = [&](bool areInside) {
    forChannels(panel, number, [&](Value row, Value channel) {
      for (int64_t v = 0; v < count; ++v) {
        Value further = kernel.index(v * step);
        Value at = code.advance(x, code.advance(x, address, channel), further);
        SmallVector<Value> loaded =
            pixels.loadPhases(at, kernel.add(position, further), size, areInside);
        for (int64_t part = 0; part < rows.parts; ++part)
          store(row, part, v, loaded[part]);
      }
    });
  };
  auto copyLine = [&] {
    Value end = kernel.add(position, kernel.index(count * step));
    Value above =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sge, position, kernel.index(0));
    Value below = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::sle, end, size);
    Value areInside = arith::AndIOp::create(builder, loc, above, below);
    kernel.branch(areInside, [&] { return copy(true); }, [&] { return copy(false); });
  };
  auto clear = [&] {
    forChannels(panel, number, [&](Value row, Value) {
      for (int64_t v = 0; v < rows.parts * count; ++v)
        store(row, 0, v, code.constant(0, code.lanes));
    });
  };
  if (isInside)
    kernel.branch(isInside, copyLine, clear);
  else
    copyLine();
}

} // namespace dsc
