//===- Window.cpp - where sliding windows lie -----------------------------===//
#include "Window.h"

using namespace mlir;

namespace dsc {

AffineExpr Window::position(LoopSpecBuilder &spec, unsigned axis, AffineExpr o,
                            AffineExpr k) const {
  return o * strides[axis] + k * dilations[axis] - spec.size(padBegin[axis]);
}

Value Window::position(ScalarBuilder &s, unsigned axis, Value o, Value k) const {
  Value start = s.indexMul(o, s.index(strides[axis]));
  Value offset = s.indexMul(k, s.index(dilations[axis]));
  return s.indexSub(s.indexAdd(start, offset), s.size(padBegin[axis]));
}

Bounds Window::bounds() const {
  for (unsigned i = 0; i < rank(); ++i) {
    Dim last = (output[i] - 1) * strides[i] + extent(i);
    if (!padBegin[i].isConstant(0) || !Dim::le(last, input[i]).isConstant(1))
      return Bounds::Skip;
  }
  return Bounds::Inside;
}

std::pair<Dim, Dim> splitPadding(Dim total, bool upper) {
  Dim half = total.floorDiv(2);
  return upper ? std::pair(half, total - half) : std::pair(total - half, half);
}

/// An attribute with one entry for each axis, or 1s.
static FailureOr<SmallVector<int64_t>> perAxis(TypeInference &inference, StringRef name,
                                               std::optional<ArrayRef<int64_t>> values,
                                               size_t rank) {
  if (!values)
    return SmallVector<int64_t>(rank, 1);
  if (values->size() != rank)
    return inference.error() << name << " has " << values->size() << " entries for " << rank
                             << " spatial axes",
           failure();
  for (int64_t value : *values)
    if (value < 1)
      return inference.error() << name << " must be positive, not " << value, failure();
  return SmallVector<int64_t>(*values);
}

FailureOr<Window> makeWindow(TypeInference &inference, const WindowAttributes &attributes,
                             ArrayRef<Dim> input, ArrayRef<Dim> kernel) {
  size_t rank = input.size();
  if (kernel.size() != rank)
    return inference.error() << "kernel has " << kernel.size() << " axes for " << rank
                             << " spatial axes",
           failure();
  FailureOr<SmallVector<int64_t>> strides = perAxis(inference, "strides", attributes.strides, rank);
  FailureOr<SmallVector<int64_t>> dilations =
      perAxis(inference, "dilations", attributes.dilations, rank);
  if (failed(strides) || failed(dilations))
    return failure();
  if (attributes.pads && attributes.pads->size() != 2 * rank)
    return inference.error() << "pads has " << attributes.pads->size() << " entries, expected "
                             << 2 * rank,
           failure();
  Window window;
  window.input.assign(input.begin(), input.end());
  window.kernel.assign(kernel.begin(), kernel.end());
  window.strides = *strides;
  window.dilations = *dilations;
  for (size_t i = 0; i < rank; ++i) {
    window.padBegin.push_back(inference.constant(attributes.pads ? (*attributes.pads)[i] : 0));
    window.padEnd.push_back(inference.constant(attributes.pads ? (*attributes.pads)[rank + i] : 0));
  }
  return window;
}

/// Number of windows on an axis with padding that is known.
static FailureOr<Dim> countWindows(TypeInference &inference, const Window &window, unsigned axis,
                                   bool ceilMode) {
  Dim padded = window.input[axis] + window.padBegin[axis] + window.padEnd[axis];
  Dim extent = window.extent(axis);
  if (failed(inference.require(Dim::le(extent, padded),
                               "window of size " + extent.str() + " is larger than axis " +
                                   Twine(axis + 2) + " of size " + padded.str())))
    return failure();
  Dim room = padded - extent;
  int64_t stride = window.strides[axis];
  if (!ceilMode)
    return room.floorDiv(stride) + 1;
  // A window that would start behind the input is left out.
  Dim count = room.ceilDiv(stride) + 1;
  Dim startsInside = Dim::lt((count - 1) * stride, window.input[axis] + window.padBegin[axis]);
  return Dim::select(startsInside, count, count - 1);
}

FailureOr<Window> slideWindow(TypeInference &inference, const WindowAttributes &attributes,
                              ArrayRef<Dim> input, ArrayRef<Dim> kernel) {
  StringRef mode = attributes.autoPad;
  bool isSame = mode == "SAME_UPPER" || mode == "SAME_LOWER";
  if (!isSame && mode != "NOTSET" && mode != "VALID" && !mode.empty())
    return inference.error() << "auto_pad has unknown value '" << mode << "'", failure();
  WindowAttributes used = attributes;
  if (isSame || mode == "VALID")
    used.pads.reset();
  FailureOr<Window> window = makeWindow(inference, used, input, kernel);
  if (failed(window))
    return failure();
  for (unsigned i = 0; i < window->rank(); ++i) {
    if (!isSame) {
      FailureOr<Dim> count = countWindows(inference, *window, i, attributes.ceilMode);
      if (failed(count))
        return failure();
      window->output.push_back(*count);
      continue;
    }
    Dim count = window->input[i].ceilDiv(window->strides[i]);
    Dim covered = (count - 1) * window->strides[i] + window->extent(i);
    Dim missing = Dim::max(covered - window->input[i], inference.constant(0));
    std::tie(window->padBegin[i], window->padEnd[i]) = splitPadding(missing, mode == "SAME_UPPER");
    window->output.push_back(count);
  }
  return window;
}

} // namespace dsc
