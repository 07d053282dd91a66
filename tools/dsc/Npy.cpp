//===- Npy.cpp - NumPy's file format --------------------------------------===//
//
// Versions 1 to 3 of the format in numpy.lib.format, little endian; Fortran order
// is transposed while reading.
//
//===----------------------------------------------------------------------===//
#include "Tensor.h"

#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <string_view>

using dsc::format::DType;

namespace dsc::cli {

namespace {
struct Descriptor {
  DType dtype;
  const char *text;
};
constexpr Descriptor kDescriptors[] = {
    {DType::Float32, "<f4"},   {DType::UInt8, "|u1"},       {DType::Int8, "|i1"},
    {DType::UInt16, "<u2"},    {DType::Int16, "<i2"},       {DType::Int32, "<i4"},
    {DType::Int64, "<i8"},     {DType::Bool, "|b1"},        {DType::Float16, "<f2"},
    {DType::Float64, "<f8"},   {DType::UInt32, "<u4"},      {DType::UInt64, "<u8"},
    {DType::Complex64, "<c8"}, {DType::Complex128, "<c16"},
};
constexpr char kMagic[] = "\x93NUMPY";
constexpr size_t kMagicSize = 6;
} // namespace

static const char *descriptorOf(DType dtype) {
  for (const Descriptor &descriptor : kDescriptors)
    if (descriptor.dtype == dtype)
      return descriptor.text;
  return nullptr;
}

bool hasNpyForm(DType dtype) { return descriptorOf(dtype) != nullptr; }

std::string toNpy(const Tensor &tensor) {
  std::string shape;
  for (int64_t dim : tensor.dims)
    shape += fmt::format("{},", dim);
  std::string header = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                   descriptorOf(tensor.dtype), shape);
  // Magic, version, a 16-bit length and the header take a multiple of 64 bytes.
  size_t prefix = kMagicSize + 4;
  header.resize((prefix + header.size() + 64) / 64 * 64 - prefix, ' ');
  header.back() = '\n';
  std::string bytes(kMagic, kMagicSize);
  bytes += {'\x01', '\x00', static_cast<char>(header.size() & 0xff),
            static_cast<char>(header.size() >> 8)};
  bytes += header;
  bytes.append(reinterpret_cast<const char *>(tensor.data.data()), tensor.data.size());
  return bytes;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace {
/// Takes a header apart; every function returns an empty optional on failure.
struct Header {
  std::string_view text;

  /// What follows "'key':".
  std::string_view find(std::string_view key) const {
    size_t at = text.find(fmt::format("'{}'", key));
    at = at == text.npos ? at : text.find(':', at);
    if (at == text.npos)
      return {};
    at = text.find_first_not_of(' ', at + 1);
    return at == text.npos ? std::string_view() : text.substr(at);
  }
};
} // namespace

/// `text` begins with "(2, 3, ...)".
static bool parseShape(std::string_view text, std::vector<int64_t> &dims) {
  size_t end = text.find(')');
  if (!text.starts_with('(') || end == text.npos)
    return false;
  const char *at = text.data() + 1, *stop = text.data() + end;
  while (at != stop) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int64_t dim;
    auto [next, error] = std::from_chars(at, stop, dim);
    if (error != std::errc() || dim < 0)
      return false;
    dims.push_back(dim);
    at = next;
  }
  return true;
}

/// The elements of a column-major array, in row-major order.
static std::vector<uint8_t> fromFortranOrder(const Tensor &tensor) {
  size_t size = byteSize(tensor.dtype), rank = tensor.dims.size();
  std::vector<uint8_t> result(tensor.data.size());
  std::vector<int64_t> index(rank, 0);
  for (size_t i = 0; i < result.size() / size; ++i) {
    size_t from = 0;
    for (size_t axis = rank; axis-- > 0;)
      from = from * tensor.dims[axis] + index[axis];
    std::memcpy(result.data() + i * size, tensor.data.data() + from * size, size);
    for (size_t axis = rank; axis-- > 0;) {
      if (++index[axis] < tensor.dims[axis])
        break;
      index[axis] = 0;
    }
  }
  return result;
}

Tensor fromNpy(const std::string &bytes, const std::string &path) {
  auto bad = [&](const std::string &why) {
    fail(Code::BadTensorFile, fmt::format("'{}' is not an array in npy format: {}", path, why));
  };
  if (bytes.size() < kMagicSize + 4 || bytes.compare(0, kMagicSize, kMagic, kMagicSize) != 0)
    bad("its first bytes are others");
  auto byteAt = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
  bool isFirst = byteAt(kMagicSize) == 1;
  size_t begin = kMagicSize + (isFirst ? 4 : 6), length = 0;
  if (bytes.size() < begin)
    bad("it is truncated");
  for (size_t i = begin; i-- > kMagicSize + 2;)
    length = length << 8 | byteAt(i);
  if (length > bytes.size() - begin)
    bad("it is truncated");
  Header header{std::string_view(bytes).substr(begin, length)};

  Tensor tensor;
  std::string_view type = header.find("descr");
  for (const Descriptor &descriptor : kDescriptors)
    for (char quote : {'\'', '"'})
      if (type.starts_with(fmt::format("{0}{1}{0}", quote, descriptor.text)))
        tensor.dtype = descriptor.dtype;
  if (tensor.dtype == DType::Undefined)
    bad(fmt::format("its type {} is not supported", type.substr(0, type.find(','))));
  if (!parseShape(header.find("shape"), tensor.dims))
    bad("its shape cannot be read");
  int64_t count = import::countElements(tensor.dims);
  size_t available = bytes.size() - begin - length;
  if (count < 0 || static_cast<uint64_t>(count) > available / byteSize(tensor.dtype))
    bad(fmt::format("it holds fewer bytes than {} needs", describe(tensor)));
  const uint8_t *data = reinterpret_cast<const uint8_t *>(bytes.data()) + begin + length;
  tensor.data.assign(data, data + count * byteSize(tensor.dtype));
  if (header.find("fortran_order").starts_with("True"))
    tensor.data = fromFortranOrder(tensor);
  return tensor;
}

} // namespace dsc::cli
