//===- Tensor.h - tensors of inputs and outputs ---------------------------===//
#pragma once

#include "Diagnostics.h"

#include "dsc/Dialect/Import/TensorFile.h"
#include "dsc/Format/DType.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dsc::cli {

using Tensor = import::TensorContents;

/// "f32[1,3,224,224]"
std::string describe(format::DType dtype, const std::vector<int64_t> &dims);
std::string describe(const Tensor &tensor);

bool isFloat(format::DType dtype);
bool isComplex(format::DType dtype);

/// Element `index` as a number; a complex number's part by `index` into the parts.
double valueAt(const Tensor &tensor, size_t index);
/// Numbers that valueAt counts: elements, or twice as many if complex.
size_t numberCount(const Tensor &tensor);

/// Reads .npy, or a TensorProto with any other ending. Throws Failure.
Tensor readTensor(const std::string &path);

/// Writes FOLDER/NAME.npy, or .pb for what npy cannot hold, with '/' in the name as
/// '_'. Returns the path. Refuses to replace one of `inputs`.
std::string writeTensor(const Tensor &tensor, const std::string &folder, const std::string &name,
                        const std::vector<std::string> &inputs);

/// A tensor that depends on `seed` only: normally distributed floats, zeros and
/// ones of the wider integers (an index of anything), 8-bit integers of all values.
Tensor randomTensor(format::DType dtype, std::vector<int64_t> dims, uint64_t seed);

/// The .npy form; what it cannot hold has no descriptor.
bool hasNpyForm(format::DType dtype);
std::string toNpy(const Tensor &tensor);
/// Throws Failure, naming `path`.
Tensor fromNpy(const std::string &bytes, const std::string &path);

} // namespace dsc::cli
