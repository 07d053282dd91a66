//===- InterpreterSort.cpp - runs SortSpecs -------------------------------===//
#include "InterpreterBody.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;

namespace dsc::interpreter {

namespace {
/// The elements of an array as numbers that can be compared.
struct Keys {
  explicit Keys(const Array &array);

  /// Whether element `a` comes before element `b` by their values.
  bool isLess(int64_t a, int64_t b) const {
    if (!integers.empty())
      return isUnsigned ? static_cast<uint64_t>(integers[a]) < static_cast<uint64_t>(integers[b])
                        : integers[a] < integers[b];
    return floats[a] < floats[b] || (!std::isnan(floats[a]) && std::isnan(floats[b]));
  }

  bool isUnsigned;
  std::vector<int64_t> integers;
  std::vector<double> floats;
};
} // namespace

Keys::Keys(const Array &array) : isUnsigned(array.type.getElementType().isUnsignedInteger()) {
  Column column(array.type.getElementType());
  std::vector<int64_t> offsets(kLanes);
  for (int64_t first = 0, total = array.numElements(); first < total; first += kLanes) {
    int64_t count = std::min<int64_t>(kLanes, total - first);
    std::iota(offsets.begin(), offsets.end(), first);
    column.load(array.data.data(), offsets.data(), count);
    if (column.kind == Column::Integer)
      integers.insert(integers.end(), column.integers.begin(), column.integers.begin() + count);
    else if (column.kind == Column::Single)
      floats.insert(floats.end(), column.singles.begin(), column.singles.begin() + count);
    else
      floats.insert(floats.end(), column.doubles.begin(), column.doubles.begin() + count);
  }
}

LogicalResult runSort(Operation *, const SortSpec &spec, ArrayRef<const Array *> operands,
                      MutableArrayRef<Array> results) {
  const Array &x = *operands[0];
  Keys keys(x);
  Column values(x.type.getElementType()), indices(results[1].type.getElementType());
  ArrayRef<int64_t> shape = x.type.getShape();
  int64_t length = shape[spec.axis], count = results[0].type.getShape()[spec.axis];
  int64_t stride = 1;
  for (int64_t size : shape.drop_front(spec.axis + 1))
    stride *= size;
  std::vector<int64_t> order(length);
  for (int64_t line = 0, lines = length ? x.numElements() / length : 0; line < lines; ++line) {
    int64_t outer = line / stride, inner = line % stride;
    int64_t start = outer * length * stride + inner, to = outer * count * stride + inner;
    std::iota(order.begin(), order.end(), int64_t(0));
    std::partial_sort(order.begin(), order.begin() + count, order.end(), [&](int64_t a, int64_t b) {
      int64_t left = start + a * stride, right = start + b * stride;
      if (keys.isLess(left, right) || keys.isLess(right, left))
        return spec.largest ? keys.isLess(right, left) : keys.isLess(left, right);
      return a < b;
    });
    for (int64_t i = 0; i < count; ++i) {
      int64_t from = start + order[i] * stride, place = to + i * stride;
      values.load(x.data.data(), &from, 1);
      values.store(results[0].data.data(), &place, 1, nullptr);
      indices.integers[0] = order[i];
      indices.store(results[1].data.data(), &place, 1, nullptr);
    }
  }
  return success();
}

} // namespace dsc::interpreter
