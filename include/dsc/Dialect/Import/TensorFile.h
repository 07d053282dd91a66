//===- TensorFile.h - tensors in files of their own -------------------------===//
//
// ONNX's test data and inputs: a file holds one TensorProto (.pb).
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Dialect/Import/Problem.h"
#include "dsc/Format/DType.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dsc::import {

/// A dense tensor, row-major and little endian.
struct TensorContents {
  std::string name; ///< may be empty
  format::DType dtype = format::DType::Undefined;
  std::vector<int64_t> dims;
  std::vector<uint8_t> data; ///< product of dims times the element's size
};

/// Reads a serialized TensorProto. Returns false after adding a problem, also for
/// sequences, optionals and element types that TensorContents cannot hold. Never
/// throws.
bool readTensorFile(const std::string &path, TensorContents &contents, ProblemList &problems);

/// The same tensor as bytes of a TensorProto.
std::string serializeTensor(const TensorContents &contents);

/// Product of the sizes; -1 if one is negative or the product overflows.
int64_t countElements(const std::vector<int64_t> &dims);

} // namespace dsc::import
