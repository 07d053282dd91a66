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
  using enum ProblemCode;
  bool missing = error == MappedFile::Error::Missing;
  ProblemCode code = missing                                ? FileMissing
                     : error == MappedFile::Error::NoMemory ? OutOfMemory
                                                            : FileUnreadable;
  problems.add(code, missing ? "the file does not exist" : "the file cannot be read: " + reason);
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

/// Copies the elements; an empty text, or what is wrong with them.
static std::string takeElements(const TensorProto &tensor, TensorContents &contents) {
  if (tensor.data_location() == TensorProto::EXTERNAL || tensor.has_segment())
    return "are in another file (external data), which is not supported here";
  int64_t count = countElements(contents.dims);
  if (count < 0)
    return "have a size that is negative or overflows 64 bits";
  std::optional<uint64_t> bytes = expectedBytes(tensor.data_type(), count);
  if (!bytes)
    return "have a size that overflows 64 bits";
  if (tensor.has_raw_data()) {
    contents.data.assign(tensor.raw_data().begin(), tensor.raw_data().end());
    return contents.data.size() == *bytes ? ""
                                          : "need " + std::to_string(*bytes) + " bytes but have " +
                                                std::to_string(contents.data.size());
  }
  std::optional<std::vector<uint8_t>> packed = packTypedData(tensor, count);
  if (!packed)
    return "are another number of elements";
  contents.data = std::move(*packed);
  return "";
}

static bool takeData(const TensorProto &tensor, TensorContents &contents, ProblemList &problems) {
  contents.dtype = static_cast<format::DType>(tensor.data_type());
  size_t elementSize = tensor.data_type() <= 0xff ? format::byteSize(contents.dtype) : 0;
  if (!elementSize) {
    bool known = nameOfElement(tensor.data_type()) != "?";
    problems.add(ProblemCode::UnsupportedType,
                 known ? "the tensor has the type " + typeText(tensor) + ", which is not supported"
                       : "the tensor has the unknown element type " +
                             std::to_string(tensor.data_type()));
    return false;
  }
  std::string fault = takeElements(tensor, contents);
  if (!fault.empty())
    problems.add(ProblemCode::BadTensor,
                 "the elements of the tensor " + typeText(tensor) + " " + fault);
  return fault.empty();
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
