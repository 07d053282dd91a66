//===- TensorFile.cpp - tensors in files of their own -----------------------===//
#include "dsc/Dialect/Import/TensorFile.h"

#include "TensorData.h"
#include "dsc/Dialect/Import/MappedFile.h"

#include <exception>
#include <onnx/onnx-data.pb.h>

namespace dsc::import {

using onnx::TensorProto;

int64_t countElements(const std::vector<int64_t> &dims) { return elementCount(dims).value_or(-1); }

static bool mapFile(const std::string &path, MappedFile &file, ProblemList &problems) {
  std::string reason;
  MappedFile::Error error = file.open(path, /*followSymlink=*/true, reason);
  if (error == MappedFile::Error::None)
    return true;
  bool missing = error == MappedFile::Error::Missing;
  problems.add(missing ? ProblemCode::FileMissing : ProblemCode::FileUnreadable,
               missing ? "the file does not exist" : "the file cannot be read: " + reason);
  return false;
}

/// What bytes that are no TensorProto may be instead.
static std::string describeOther(const MappedFile &file) {
  int size = static_cast<int>(file.size());
  onnx::SequenceProto sequence;
  if (sequence.ParseFromArray(file.bytes().data(), size) && sequence.elem_type() != 0)
    return "holds a sequence, which is not supported";
  onnx::OptionalProto optional;
  if (optional.ParseFromArray(file.bytes().data(), size) && optional.elem_type() != 0)
    return "holds an optional value, which is not supported";
  return "holds no tensor (a serialized TensorProto is expected)";
}

static bool takeData(const TensorProto &tensor, TensorContents &contents, ProblemList &problems) {
  contents.dtype = static_cast<format::DType>(tensor.data_type());
  size_t elementSize = tensor.data_type() <= 0xff ? format::byteSize(contents.dtype) : 0;
  if (!elementSize) {
    problems.add(ProblemCode::UnsupportedType,
                 "the tensor has the type " + typeText(tensor) + ", which is not supported");
    return false;
  }
  int64_t count = countElements(contents.dims);
  std::optional<uint64_t> bytes = expectedBytes(tensor.data_type(), count);
  bool ok = count >= 0 && bytes.has_value();
  if (ok && tensor.has_raw_data()) {
    contents.data.assign(tensor.raw_data().begin(), tensor.raw_data().end());
    ok = contents.data.size() == *bytes;
  } else if (ok) {
    std::optional<std::vector<uint8_t>> packed = packTypedData(tensor, count);
    ok = packed.has_value();
    if (ok)
      contents.data = std::move(*packed);
  }
  if (!ok)
    problems.add(ProblemCode::BadTensor,
                 "the tensor's data do not fit its type " + typeText(tensor));
  return ok;
}

bool readTensorFile(const std::string &path, TensorContents &contents, ProblemList &problems) {
  problems.setFile(path);
  MappedFile file;
  if (!mapFile(path, file, problems))
    return false;
  if (file.size() > INT32_MAX) {
    problems.add(ProblemCode::TooLarge, "the file is larger than the 2 GiB that protobuf can read");
    return false;
  }
  try {
    TensorProto tensor;
    bool parsed = tensor.ParseFromArray(file.bytes().data(), static_cast<int>(file.size()));
    // Fields of other messages are unknown fields of this one.
    if (!parsed || !tensor.has_data_type() || tensor.data_type() == 0) {
      problems.add(ProblemCode::BadTensor, "the file " + describeOther(file));
      return false;
    }
    contents = {};
    contents.name = tensor.name();
    contents.dims.assign(tensor.dims().begin(), tensor.dims().end());
    return takeData(tensor, contents, problems);
  } catch (const std::exception &error) {
    problems.add(ProblemCode::BadTensor, std::string("the file cannot be read: ") + error.what());
    return false;
  }
}

std::string serializeTensor(const TensorContents &contents) {
  TensorProto tensor;
  tensor.set_name(contents.name);
  tensor.set_data_type(static_cast<int32_t>(contents.dtype));
  for (int64_t dim : contents.dims)
    tensor.add_dims(dim);
  tensor.set_raw_data(contents.data.data(), contents.data.size());
  return tensor.SerializeAsString();
}

} // namespace dsc::import
