//===- WireScanner.cpp - a model's structure without its weights ------------===//
//
// A recursive copy of the wire format. Only the fields that lead to tensors or
// that nest are descended into; all others are copied as they are.
//
//===----------------------------------------------------------------------===//
#include "dsc/Dialect/Import/WireScanner.h"

#include <cstring>
#include <limits>

namespace dsc::import {

namespace {

/// The messages of onnx.proto that matter here.
enum class Message {
  Opaque,
  Model,
  Graph,
  Node,
  Attribute,
  Tensor,
  SparseTensor,
  Function,
  TrainingInfo,
  ValueInfo,
  Type,
  TypeSequence,
  TypeMap,
};

struct Child {
  Message parent;
  uint32_t field;
  Message message;
};

/// Field numbers are those of onnx.proto.
constexpr Child kChildren[] = {
    {Message::Model, 7, Message::Graph},
    {Message::Model, 20, Message::TrainingInfo},
    {Message::Model, 25, Message::Function},
    {Message::TrainingInfo, 1, Message::Graph},
    {Message::TrainingInfo, 2, Message::Graph},
    {Message::Function, 7, Message::Node},
    {Message::Function, 11, Message::Attribute},
    {Message::Function, 12, Message::ValueInfo},
    {Message::Graph, 1, Message::Node},
    {Message::Graph, 5, Message::Tensor},
    {Message::Graph, 11, Message::ValueInfo},
    {Message::Graph, 12, Message::ValueInfo},
    {Message::Graph, 13, Message::ValueInfo},
    {Message::Graph, 15, Message::SparseTensor},
    {Message::Node, 5, Message::Attribute},
    {Message::Attribute, 5, Message::Tensor},
    {Message::Attribute, 6, Message::Graph},
    {Message::Attribute, 10, Message::Tensor},
    {Message::Attribute, 11, Message::Graph},
    {Message::Attribute, 14, Message::Type},
    {Message::Attribute, 15, Message::Type},
    {Message::Attribute, 22, Message::SparseTensor},
    {Message::Attribute, 23, Message::SparseTensor},
    {Message::SparseTensor, 1, Message::Tensor},
    {Message::SparseTensor, 2, Message::Tensor},
    {Message::ValueInfo, 2, Message::Type},
    {Message::Type, 4, Message::TypeSequence},
    {Message::Type, 5, Message::TypeMap},
    {Message::Type, 9, Message::TypeSequence}, // optional_type has the same layout
    {Message::TypeSequence, 1, Message::Type},
    {Message::TypeMap, 2, Message::Type},
};

Message childOf(Message parent, uint32_t field) {
  for (const Child &child : kChildren)
    if (child.parent == parent && child.field == field)
      return child.message;
  return Message::Opaque;
}

// Fields of TensorProto and of its external_data entries.
constexpr uint32_t kRawData = 9;
constexpr uint32_t kExternalData = 13;
constexpr uint32_t kDataLocation = 14;
constexpr uint32_t kEntryKey = 1;
constexpr uint32_t kEntryValue = 2;

enum WireType : uint32_t { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

/// One field of a message: bytes [begin, end) with the tag, [payload, end) of them
/// the contents of a Bytes field.
struct Field {
  uint32_t number = 0;
  uint32_t wireType = 0;
  uint64_t begin = 0, payload = 0, end = 0;
  uint64_t value = 0; ///< of a Varint field

  uint64_t payloadSize() const { return end - payload; }
};

void appendVarint(std::string &out, uint64_t value) {
  for (; value >= 0x80; value >>= 7)
    out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void appendBytes(std::string &out, uint32_t field, std::string_view bytes) {
  appendVarint(out, field << 3 | Bytes);
  appendVarint(out, bytes.size());
  out += bytes;
}

void appendEntry(std::string &out, std::string_view key, std::string_view value) {
  std::string entry;
  appendBytes(entry, kEntryKey, key);
  appendBytes(entry, kEntryValue, value);
  appendBytes(out, kExternalData, entry);
}

class Scanner {
public:
  explicit Scanner(std::span<const uint8_t> file) : file(file) {}

  /// Appends the message in [begin, end) to `out`; false with `error` set if it
  /// is malformed.
  bool copyMessage(Message message, uint64_t begin, uint64_t end, int depth, std::string &out);

  ProblemCode errorCode = ProblemCode::Corrupt;
  std::string error;
  bool sawGraph = false;

private:
  bool readVarint(uint64_t &position, uint64_t end, uint64_t &value);
  bool readField(uint64_t position, uint64_t end, Field &field);
  bool leavesInFile(uint64_t begin, uint64_t end, bool &result);
  bool fail(ProblemCode code, std::string text);

  void copy(uint64_t begin, uint64_t end, std::string &out) {
    out.append(reinterpret_cast<const char *>(file.data() + begin), end - begin);
  }

  std::span<const uint8_t> file;
};

bool Scanner::fail(ProblemCode code, std::string text) {
  if (error.empty()) {
    errorCode = code;
    error = std::move(text);
  }
  return false;
}

bool Scanner::readVarint(uint64_t &position, uint64_t end, uint64_t &value) {
  value = 0;
  for (int shift = 0; shift < 70; shift += 7) {
    if (position >= end)
      return fail(ProblemCode::Corrupt, "a number is cut off at byte " + std::to_string(position));
    uint8_t byte = file[position++];
    if (shift < 64)
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return fail(ProblemCode::Corrupt,
              "a number has more than ten bytes at byte " + std::to_string(position));
}

bool Scanner::readField(uint64_t position, uint64_t end, Field &field) {
  field.begin = position;
  uint64_t tag;
  if (!readVarint(position, end, tag))
    return false;
  field.number = static_cast<uint32_t>(tag >> 3);
  field.wireType = tag & 7;
  auto where = [&] { return " at byte " + std::to_string(field.begin); };
  if (tag > std::numeric_limits<uint32_t>::max() || field.number == 0)
    return fail(ProblemCode::Corrupt, "there is an invalid field" + where());

  uint64_t length = 0;
  switch (field.wireType) {
  case Varint:
    if (!readVarint(position, end, field.value))
      return false;
    break;
  case Fixed64:
    length = 8;
    break;
  case Fixed32:
    length = 4;
    break;
  case Bytes:
    if (!readVarint(position, end, length))
      return false;
    break;
  default:
    return fail(ProblemCode::Corrupt, "there is an invalid field" + where());
  }
  field.payload = position;
  if (length > end - position)
    return fail(ProblemCode::Corrupt, "a field of " + std::to_string(length) + " bytes" + where() +
                                          " is longer than what holds it, which ends at byte " +
                                          std::to_string(end));
  field.end = position + length;
  return true;
}

/// Whether the TensorProto in [begin, end) has just one raw_data, a large one, and
/// no external data of its own. (Anything else is left for the checks to judge.)
bool Scanner::leavesInFile(uint64_t begin, uint64_t end, bool &result) {
  int rawFields = 0;
  uint64_t rawSize = 0;
  bool external = false;
  for (uint64_t position = begin; position < end;) {
    Field field;
    if (!readField(position, end, field))
      return false;
    position = field.end;
    if (field.number == kRawData && field.wireType == Bytes) {
      ++rawFields;
      rawSize = field.payloadSize();
    }
    external |= field.number == kExternalData;
    external |= field.number == kDataLocation && field.value != 0;
  }
  result = rawFields == 1 && rawSize > kInlineBytes && !external;
  return true;
}

bool Scanner::copyMessage(Message message, uint64_t begin, uint64_t end, int depth,
                          std::string &out) {
  if (depth > kMaxMessageDepth)
    return fail(ProblemCode::NestedTooDeep, "graphs or types are nested more than " +
                                                std::to_string(kMaxMessageDepth) +
                                                " messages deep at byte " + std::to_string(begin));
  bool leave = false;
  if (message == Message::Tensor && !leavesInFile(begin, end, leave))
    return false;

  for (uint64_t position = begin; position < end;) {
    Field field;
    if (!readField(position, end, field))
      return false;
    position = field.end;
    if (leave && field.number == kRawData) {
      appendEntry(out, "location", "");
      appendEntry(out, "offset", std::to_string(field.payload));
      appendEntry(out, "length", std::to_string(field.payloadSize()));
      appendEntry(out, kSelfReferenceKey, "1");
      appendVarint(out, kDataLocation << 3 | Varint);
      appendVarint(out, 1); // TensorProto.EXTERNAL
      continue;
    }
    Message child = field.wireType == Bytes ? childOf(message, field.number) : Message::Opaque;
    if (child == Message::Opaque) {
      copy(field.begin, field.end, out);
      continue;
    }
    sawGraph |= child == Message::Graph;
    std::string contents;
    if (!copyMessage(child, field.payload, field.end, depth + 1, contents))
      return false;
    appendBytes(out, field.number, contents);
  }
  return true;
}

} // namespace

bool scanModel(std::span<const uint8_t> file, std::string &reduced, ProblemList &problems) {
  reduced.clear();
  Scanner scanner(file);
  if (!scanner.copyMessage(Message::Model, 0, file.size(), 0, reduced)) {
    // Without a graph in sight it is more likely another kind of file.
    if (scanner.errorCode == ProblemCode::Corrupt && !scanner.sawGraph) {
      problems.add(ProblemCode::NotOnnx, "this is not an ONNX model: " + scanner.error).help =
          "give a file that holds an onnx.ModelProto";
      return false;
    }
    bool corrupt = scanner.errorCode == ProblemCode::Corrupt;
    problems.add(scanner.errorCode,
                 (corrupt ? "the model is truncated or corrupt: " : "") + scanner.error);
    return false;
  }
  if (reduced.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    problems
        .add(ProblemCode::TooLarge, "the model has " + std::to_string(reduced.size()) +
                                        " bytes besides raw_data; the limit is 2 GiB")
        .help = "store weights as raw_data or as external data";
    return false;
  }
  return true;
}

} // namespace dsc::import
