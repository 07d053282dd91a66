//===- Npy.cpp - writing NumPy's .npy files ---------------------------------===//
//
// Format 1.0: a magic, the length of the header, the header as a Python literal,
// padded so that the data begins at a multiple of 64 bytes.
//
//===----------------------------------------------------------------------===//
#include "common/Npy.h"

#include <fstream>
#include <stdexcept>

namespace examples {

static const char *descriptor(dsc_dtype dtype) {
  switch (dtype) {
  case DSC_FLOAT32:
    return "<f4";
  case DSC_INT32:
    return "<i4";
  case DSC_INT64:
    return "<i8";
  default:
    throw std::runtime_error(std::string("no .npy for ") + dsc_dtype_name(dtype));
  }
}

void writeNpy(const std::string &path, const void *data, dsc_dtype dtype,
              const std::vector<int64_t> &dims) {
  std::string header =
      "{'descr': '" + std::string(descriptor(dtype)) + "', 'fortran_order': False, 'shape': (";
  size_t bytes = dsc_dtype_size(dtype);
  for (int64_t dim : dims) {
    header += std::to_string(dim) + ",";
    bytes *= dim;
  }
  header += "), }";
  constexpr size_t prefix = 10;
  header.append(64 - (prefix + header.size() + 1) % 64, ' ').push_back('\n');

  std::ofstream file(path, std::ios::binary);
  file.write("\x93NUMPY\x01\x00", 8);
  file.put(static_cast<char>(header.size() & 0xff)).put(static_cast<char>(header.size() >> 8));
  file << header;
  file.write(static_cast<const char *>(data), bytes);
  if (!file.flush())
    throw std::runtime_error("cannot write " + path);
}

} // namespace examples
