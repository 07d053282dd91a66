//===- InterpreterBody.cpp - columns, and scalar code as steps on them ----===//
#include "InterpreterBody.h"

#include "llvm/ADT/bit.h"

#include <cmath>
#include <cstring>

using namespace mlir;

namespace dsc::interpreter {

//===----------------------------------------------------------------------===//
// Narrow floats
//===----------------------------------------------------------------------===//

namespace {
/// A float format as in IEEE 754: precision with the hidden bit, smallest exponent.
struct Format {
  int precision, minExponent, width;
  double largest;
};
} // namespace

static std::optional<Format> ieeeFormat(FloatType type) {
  if (type.isF16())
    return Format{11, -14, 16, 65504.0};
  if (type.isBF16())
    return Format{8, -126, 16, std::ldexp(255.0, 120)};
  return std::nullopt;
}

// In place of functions of libm, for these run for each element of a weight.
static constexpr int kDoubleBias = 1023, kDoubleFraction = 52;

/// 2^exponent, a normal number.
static double powerOfTwo(int exponent) {
  return llvm::bit_cast<double>(static_cast<uint64_t>(exponent + kDoubleBias) << kDoubleFraction);
}

/// The exponent of a finite number; of denormal ones, something smaller than any other.
static int exponentOf(double value) {
  constexpr uint64_t mask = 0x7ff;
  uint64_t field = llvm::bit_cast<uint64_t>(value) >> kDoubleFraction & mask;
  return static_cast<int>(field) - kDoubleBias;
}

static double roundTo(double value, const Format &format) {
  if (!std::isfinite(value) || value == 0)
    return value;
  int exponent = std::max(exponentOf(value), format.minExponent);
  int scale = exponent - (format.precision - 1);
  double rounded = std::nearbyint(value * powerOfTwo(-scale)) * powerOfTwo(scale);
  return std::fabs(rounded) > format.largest ? std::copysign(INFINITY, value) : rounded;
}

static APFloat toAPFloat(double value, FloatType type) {
  APFloat result(value);
  bool losesInfo;
  result.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &losesInfo);
  return result;
}

static double toDouble(APFloat value) {
  bool losesInfo;
  value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &losesInfo);
  return value.convertToDouble();
}

double roundTo(double value, FloatType type) {
  if (type.isF64())
    return value;
  if (type.isF32())
    return static_cast<float>(value);
  if (std::optional<Format> format = ieeeFormat(type))
    return roundTo(value, *format);
  return toDouble(toAPFloat(value, type));
}

static uint64_t encode(double value, const Format &format) {
  uint64_t sign = static_cast<uint64_t>(std::signbit(value)) << (format.width - 1);
  int fraction = format.precision - 1;
  uint64_t infinity = ((uint64_t(1) << (format.width - 1 - fraction)) - 1) << fraction;
  if (std::isnan(value))
    return sign | infinity | (uint64_t(1) << (fraction - 1));
  double magnitude = std::fabs(roundTo(value, format));
  if (std::isinf(magnitude))
    return sign | infinity;
  if (magnitude == 0)
    return sign;
  int exponent = std::max(exponentOf(magnitude), format.minExponent);
  auto significand = static_cast<uint64_t>(magnitude * powerOfTwo(fraction - exponent));
  // The hidden bit of a normal number adds one to the exponent field.
  return sign | ((static_cast<uint64_t>(exponent - format.minExponent) << fraction) + significand);
}

static double decode(uint64_t bits, const Format &format) {
  int fraction = format.precision - 1;
  uint64_t significand = bits & ((uint64_t(1) << fraction) - 1);
  uint64_t largestExponent = (uint64_t(1) << (format.width - 1 - fraction)) - 1;
  uint64_t exponent = (bits >> fraction) & largestExponent;
  double magnitude;
  if (exponent == largestExponent) {
    magnitude = significand ? NAN : INFINITY;
  } else {
    if (exponent != 0)
      significand |= uint64_t(1) << fraction;
    int power = static_cast<int>(std::max<uint64_t>(exponent, 1)) - 1 + format.minExponent;
    magnitude = static_cast<double>(significand) * powerOfTwo(power - fraction);
  }
  return bits >> (format.width - 1) & 1 ? -magnitude : magnitude;
}

static uint64_t encode(double value, FloatType type) {
  if (std::optional<Format> format = ieeeFormat(type))
    return encode(value, *format);
  return toAPFloat(value, type).bitcastToAPInt().getZExtValue();
}

static double decode(uint64_t bits, FloatType type) {
  if (std::optional<Format> format = ieeeFormat(type))
    return decode(bits, *format);
  unsigned width = type.getWidth();
  return toDouble(APFloat(type.getFloatSemantics(), APInt(width, bits, false, true)));
}

//===----------------------------------------------------------------------===//
// Column
//===----------------------------------------------------------------------===//

static bool isColumnType(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.getWidth() >= 1 && integer.getWidth() <= 64;
  auto floating = dyn_cast<FloatType>(type);
  return type.isIndex() || (floating && floating.getWidth() <= 64);
}

Column::Column(Type type) : type(type) {
  width = type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
  if (!isa<FloatType>(type)) {
    kind = Integer;
    integers.resize(kLanes);
  } else if (type.isF64()) {
    kind = Double;
    doubles.resize(kLanes);
  } else {
    kind = Single;
    singles.resize(kLanes);
  }
}

void Column::fill(TypedAttr value) {
  if (kind == Integer) {
    llvm::fill(integers, cast<IntegerAttr>(value).getValue().getSExtValue());
    return;
  }
  double number = cast<FloatAttr>(value).getValueAsDouble();
  llvm::fill(singles, static_cast<float>(number));
  llvm::fill(doubles, number);
}

template <typename T, typename Out, typename Convert>
static void gather(const uint8_t *elements, const int64_t *offsets, int64_t count, Out *out,
                   Convert convert) {
  for (int64_t i = 0; i < count; ++i) {
    T element;
    std::memcpy(&element, elements + offsets[i] * sizeof(T), sizeof(T));
    out[i] = convert(element);
  }
}

template <typename T, typename In, typename Convert>
static void scatter(uint8_t *elements, const int64_t *offsets, int64_t count, const uint8_t *active,
                    const In *in, Convert convert) {
  for (int64_t i = 0; i < count; ++i) {
    if (active && !active[i])
      continue;
    T element = static_cast<T>(convert(in[i]));
    std::memcpy(elements + offsets[i] * sizeof(T), &element, sizeof(T));
  }
}

/// Calls `fn` with a value of the unsigned integer type of `bytes` bytes.
template <typename Fn> static void withStorage(int64_t bytes, Fn fn) {
  switch (bytes) {
  case 1:
    return fn(uint8_t());
  case 2:
    return fn(uint16_t());
  case 4:
    return fn(uint32_t());
  default:
    return fn(uint64_t());
  }
}

void Column::load(const uint8_t *elements, const int64_t *offsets, int64_t count) {
  auto same = [](auto value) { return value; };
  if (kind == Double)
    return gather<double>(elements, offsets, count, doubles.data(), same);
  if (type.isF32())
    return gather<float>(elements, offsets, count, singles.data(), same);
  withStorage(elementBytes(type), [&](auto storage) {
    using T = decltype(storage);
    if (kind == Integer)
      return gather<T>(elements, offsets, count, integers.data(),
                       [width = width](T bits) { return wrap(bits, width); });
    auto floating = cast<FloatType>(type);
    gather<T>(elements, offsets, count, singles.data(),
              [&](T bits) { return static_cast<float>(decode(bits, floating)); });
  });
}

void Column::store(uint8_t *elements, const int64_t *offsets, int64_t count,
                   const uint8_t *active) const {
  auto same = [](auto value) { return value; };
  if (kind == Double)
    return scatter<double>(elements, offsets, count, active, doubles.data(), same);
  if (type.isF32())
    return scatter<float>(elements, offsets, count, active, singles.data(), same);
  withStorage(elementBytes(type), [&](auto storage) {
    using T = decltype(storage);
    if (kind == Integer)
      return scatter<T>(elements, offsets, count, active, integers.data(),
                        [width = width](int64_t value) { return unsignedBits(value, width); });
    auto floating = cast<FloatType>(type);
    scatter<T>(elements, offsets, count, active, singles.data(),
               [&](float value) { return encode(value, floating); });
  });
}

template <typename T>
static void assignValues(T *to, const T *from, int64_t count, const uint8_t *active) {
  if (!active) {
    std::copy_n(from, count, to);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    if (active[i])
      to[i] = from[i];
}

void Column::assign(const Column &from, int64_t count, const uint8_t *active) {
  assert(kind == from.kind && "columns of one type");
  switch (kind) {
  case Integer:
    return assignValues(integers.data(), from.integers.data(), count, active);
  case Single:
    return assignValues(singles.data(), from.singles.data(), count, active);
  case Double:
    return assignValues(doubles.data(), from.doubles.data(), count, active);
  }
}

void Column::assignOne(int64_t to, const Column &from, int64_t at) {
  assert(kind == from.kind && "columns of one type");
  switch (kind) {
  case Integer:
    integers[to] = from.integers[at];
    return;
  case Single:
    singles[to] = from.singles[at];
    return;
  case Double:
    doubles[to] = from.doubles[at];
    return;
  }
}

//===----------------------------------------------------------------------===//
// BodyProgram
//===----------------------------------------------------------------------===//

FailureOr<std::unique_ptr<BodyProgram>> BodyProgram::compile(Operation *op, Region &region,
                                                             ArrayRef<const Array *> tensors,
                                                             const SymbolValues &symbols) {
  std::unique_ptr<BodyProgram> program(new BodyProgram(op, &region.front(), symbols));
  for (BlockArgument argument : region.front().getArguments()) {
    if (isa<TensorType>(argument.getType()))
      program->tensors[argument] = tensors[argument.getArgNumber()];
    else if (isColumnType(argument.getType()))
      program->column(argument);
    else
      return op->emitOpError() << "not interpretable: values of type " << argument.getType(),
             failure();
  }
  for (Operation &inner : region.front().without_terminator())
    if (failed(program->compileOp(inner)))
      return failure();
  return program;
}

Column &BodyProgram::column(Value value) {
  std::unique_ptr<Column> &column = columns[value];
  if (!column)
    column = std::make_unique<Column>(value.getType());
  return *column;
}

LogicalResult BodyProgram::compileOp(Operation &inner) {
  for (Type type : inner.getResultTypes())
    if (!isColumnType(type))
      return op->emitOpError() << "not interpretable: values of type " << type;
  bool handled = false;
  if (failed(compileDsc(inner, handled)))
    return failure();
  if (handled)
    return success();
  if (!llvm::all_of(inner.getOperandTypes(), isColumnType))
    return op->emitOpError() << "not interpretable: " << inner.getName() << " in scalar code";
  if (compileIntegers(inner) || compileFloats(inner) || compileMath(inner) ||
      compileConversions(inner))
    return success();
  return op->emitOpError() << "not interpretable: " << inner.getName() << " in scalar code";
}

LogicalResult BodyProgram::compileDsc(Operation &inner, bool &handled) {
  handled = true;
  if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
    column(constant).fill(constant.getValue());
  } else if (auto size = dyn_cast<SizeOp>(inner)) {
    std::optional<int64_t> value = evaluateDim(Dim(size.getSize()), symbols);
    if (!value)
      return op->emitOpError() << "the size " << Dim(size.getSize()).str() << " has no value";
    llvm::fill(column(size).integers, *value);
  } else if (auto at = dyn_cast<AtOp>(inner)) {
    if (!tensors.lookup(at.getSource()))
      return op->emitOpError() << "not interpretable: dsc.at of a computed tensor";
    compileAt(at);
  } else {
    handled = false;
  }
  return success();
}

void BodyProgram::compileAt(AtOp at) {
  const Array *array = tensors.lookup(at.getSource());
  Column *out = &column(at.getResult());
  Column *otherwise = at.getOtherwise() ? &column(at.getOtherwise()) : nullptr;
  SmallVector<const int64_t *> indices;
  for (Value index : at.getIndices())
    indices.push_back(column(index).data<int64_t>());
  SmallVector<int64_t> shape(array->type.getShape());
  // A body may read an empty tensor where the value is not used.
  bool mayFail = !otherwise && (at.getMode() == AtMode::Checked || array->numElements() > 0);

  steps.push_back([=, this](int64_t count) {
    int64_t offsets[kLanes];
    uint8_t outside[kLanes];
    for (int64_t i = 0; i < count; ++i) {
      offsets[i] = 0;
      outside[i] = array->data.empty();
      for (auto [index, size] : llvm::zip_equal(indices, shape)) {
        offsets[i] = offsets[i] * size + index[i];
        outside[i] |= index[i] < 0 || index[i] >= size;
      }
      if (!outside[i])
        continue;
      offsets[i] = 0;
      if (mayFail && (!active || active[i]) && problem.empty()) {
        llvm::raw_string_ostream text(problem);
        text << "index (";
        llvm::interleaveComma(indices, text, [&](const int64_t *index) { text << index[i]; });
        text << ") is outside a tensor of shape (";
        llvm::interleaveComma(shape, text);
        text << ")";
      }
    }
    if (array->data.empty())
      *out = Column(out->type);
    else
      out->load(array->data.data(), offsets, count);
    if (otherwise)
      out->assign(*otherwise, count, outside);
  });
}

LogicalResult BodyProgram::run(int64_t count, const uint8_t *activePoints) {
  active = activePoints;
  problem.clear();
  for (const Step &step : steps)
    step(count);
  if (!problem.empty())
    return op->emitOpError() << problem;
  return success();
}

} // namespace dsc::interpreter
