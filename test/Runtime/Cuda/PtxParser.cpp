//===- PtxParser.cpp - the text of PTX as instructions --------------------===//
#include "Ptx.h"

#include <cctype>
#include <cstring>
#include <optional>
#include <stdexcept>

namespace ptx {

bool Instruction::has(std::string_view word) const {
  for (const std::string &each : words)
    if (each == word)
      return true;
  return false;
}

namespace {

[[noreturn]] void fail(const std::string &what) { throw std::runtime_error("PTX: " + what); }

std::optional<Type> typeOf(std::string_view word) {
  static const std::map<std::string_view, Type> known = {
      {"b8", {Kind::Bits, 1}},      {"b16", {Kind::Bits, 2}},     {"b32", {Kind::Bits, 4}},
      {"b64", {Kind::Bits, 8}},     {"u8", {Kind::Unsigned, 1}},  {"u16", {Kind::Unsigned, 2}},
      {"u32", {Kind::Unsigned, 4}}, {"u64", {Kind::Unsigned, 8}}, {"s8", {Kind::Signed, 1}},
      {"s16", {Kind::Signed, 2}},   {"s32", {Kind::Signed, 4}},   {"s64", {Kind::Signed, 8}},
      {"f16", {Kind::Float, 2}},    {"f32", {Kind::Float, 4}},    {"f64", {Kind::Float, 8}},
      {"bf16", {Kind::BFloat, 2}},  {"tf32", {Kind::Tf32, 4}},    {"pred", {Kind::Predicate, 1}},
  };
  auto it = known.find(word);
  return it == known.end() ? std::nullopt : std::optional(it->second);
}

Op operationOf(const std::string &word) {
  static const std::map<std::string, Op> known = {{"abs", Op::Abs},     {"add", Op::Add},
                                                  {"and", Op::And},     {"atom", Op::Atom},
                                                  {"bar", Op::Bar},     {"barrier", Op::Barrier},
                                                  {"bfe", Op::Bfe},     {"bra", Op::Bra},
                                                  {"clz", Op::Clz},     {"copysign", Op::Copysign},
                                                  {"cp", Op::Cp},       {"cvt", Op::Cvt},
                                                  {"cvta", Op::Cvta},   {"div", Op::Div},
                                                  {"ex2", Op::Ex2},     {"exit", Op::Exit},
                                                  {"fence", Op::Fence}, {"fma", Op::Fma},
                                                  {"ld", Op::Ld},       {"ldmatrix", Op::Ldmatrix},
                                                  {"ldu", Op::Ldu},     {"lg2", Op::Lg2},
                                                  {"lop3", Op::Lop3},   {"mad", Op::Mad},
                                                  {"max", Op::Max},     {"membar", Op::Membar},
                                                  {"min", Op::Min},     {"mma", Op::Mma},
                                                  {"mov", Op::Mov},     {"mul", Op::Mul},
                                                  {"neg", Op::Neg},     {"not", Op::Not},
                                                  {"or", Op::Or},       {"popc", Op::Popc},
                                                  {"prmt", Op::Prmt},   {"rcp", Op::Rcp},
                                                  {"red", Op::Red},     {"rem", Op::Rem},
                                                  {"ret", Op::Ret},     {"rsqrt", Op::Rsqrt},
                                                  {"selp", Op::Selp},   {"setp", Op::Setp},
                                                  {"shf", Op::Shf},     {"shfl", Op::Shfl},
                                                  {"shl", Op::Shl},     {"shr", Op::Shr},
                                                  {"sqrt", Op::Sqrt},   {"st", Op::St},
                                                  {"sub", Op::Sub},     {"tanh", Op::Tanh},
                                                  {"xor", Op::Xor}};
  auto it = known.find(word);
  return it == known.end() ? Op::Unknown : it->second;
}

/// Cuts the text into tokens: names (with their dots), numbers, punctuation.
class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) { next(); }
  const std::string &peek() const { return token; }
  std::string take() {
    std::string taken = token;
    next();
    return taken;
  }
  bool skip(std::string_view wanted) {
    if (token != wanted)
      return false;
    next();
    return true;
  }
  void expect(std::string_view wanted) {
    if (!skip(wanted))
      fail("'" + std::string(wanted) + "' expected, not '" + token + "'");
  }
  bool atEnd() const { return token.empty(); }

private:
  void skipBlanks() {
    while (at < text.size()) {
      if (std::isspace(static_cast<unsigned char>(text[at])))
        ++at;
      else if (text.substr(at, 2) == "//")
        at = std::min(text.find('\n', at), text.size());
      else if (text.substr(at, 2) == "/*")
        at = std::min(text.find("*/", at), text.size() - 2) + 2;
      else
        return;
    }
  }
  void next() {
    skipBlanks();
    size_t start = at;
    auto isName = [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '$' || c == '.' ||
             c == '%';
    };
    while (at < text.size() && isName(text[at]))
      ++at;
    if (at == start && at < text.size())
      ++at;
    token = std::string(text.substr(start, at - start));
  }

  std::string_view text;
  size_t at = 0;
  std::string token;
};

class Parser {
public:
  explicit Parser(std::string_view text) : lexer(text) {}
  Module parse();

private:
  void parseKernel();
  void parseBody();
  void parseVariable();
  void parseRegisters();
  void parseInstruction(int32_t predicate, bool isNegated);
  Operand parseOperand();
  Operand parseAddress();
  uint64_t parseNumber(const std::string &token);
  int32_t registerNumber(const std::string &name);
  bool isRegister(const std::string &name) const;
  void skipStatement() {
    while (!lexer.atEnd() && !lexer.skip(";"))
      lexer.take();
  }

  Lexer lexer;
  Module module;
  Kernel *kernel = nullptr;
  std::map<std::string, int32_t> registers;
  std::map<std::string, int32_t> labels;
  std::map<std::string, uint64_t> locals;
  std::vector<std::string> prefixes; // of declared ranges: "%rd"
};

bool Parser::isRegister(const std::string &name) const {
  if (name.empty() || name[0] != '%')
    return false;
  if (registers.count(name))
    return true;
  for (const std::string &prefix : prefixes)
    if (name.compare(0, prefix.size(), prefix) == 0 && name.size() > prefix.size() &&
        std::isdigit(static_cast<unsigned char>(name[prefix.size()])))
      return true;
  return false;
}

int32_t Parser::registerNumber(const std::string &name) {
  auto [it, isNew] = registers.try_emplace(name, kernel->registers);
  kernel->registers += isNew;
  return it->second;
}

/// Integers, 0f3F800000, 0d3FF0000000000000.
uint64_t Parser::parseNumber(const std::string &token) {
  if (token.size() > 2 && token[0] == '0' &&
      (token[1] == 'f' || token[1] == 'F' || token[1] == 'd' || token[1] == 'D'))
    return std::strtoull(token.c_str() + 2, nullptr, 16);
  return std::strtoull(token.c_str(), nullptr, 0);
}

Operand Parser::parseAddress() {
  Operand address;
  address.form = Operand::Address;
  bool isNegative = false;
  while (!lexer.skip("]")) {
    if (lexer.skip("+"))
      continue;
    if (lexer.skip("-")) {
      isNegative = true;
      continue;
    }
    std::string token = lexer.take();
    if (isRegister(token))
      address.reg = registerNumber(token);
    else if (std::isdigit(static_cast<unsigned char>(token[0])))
      address.bits += isNegative ? -parseNumber(token) : parseNumber(token);
    else
      address.name = token;
    isNegative = false;
  }
  if (auto it = locals.find(address.name); it != locals.end()) {
    address.bits += it->second;
    address.name.clear();
  }
  return address;
}

Operand Parser::parseOperand() {
  Operand operand;
  if (lexer.skip("[")) {
    operand = parseAddress();
  } else if (lexer.skip("{")) {
    operand.form = Operand::Vector;
    while (!lexer.skip("}"))
      if (!lexer.skip(","))
        operand.parts.push_back(parseOperand());
  } else if (lexer.skip("-")) {
    operand.bits = -parseNumber(lexer.take());
  } else {
    std::string token = lexer.take();
    if (token == "_") {
      operand.form = Operand::Register;
      operand.reg = registerNumber("%discarded");
    } else if (isRegister(token)) {
      operand.form = Operand::Register;
      operand.reg = registerNumber(token);
    } else if (std::isdigit(static_cast<unsigned char>(token[0]))) {
      operand.bits = parseNumber(token);
    } else if (auto it = locals.find(token); it != locals.end()) {
      operand.bits = it->second;
    } else {
      operand.form = Operand::Special;
      operand.name = token;
    }
  }
  if (lexer.skip("|"))
    operand.parts.push_back(parseOperand());
  return operand;
}

void Parser::parseInstruction(int32_t predicate, bool isNegated) {
  Instruction instruction;
  instruction.predicate = predicate;
  instruction.isNegated = isNegated;
  std::string word = lexer.take();
  instruction.text = word;
  for (size_t start = 0; start <= word.size();) {
    size_t dot = std::min(word.find('.', start), word.size());
    std::string piece = word.substr(start, dot - start);
    if (start == 0)
      instruction.op = operationOf(piece);
    else
      instruction.words.push_back(piece);
    start = dot + 1;
    // "::" as in shared::cta
  }
  while (lexer.skip(":")) { // shared::cta
    lexer.expect(":");
    std::string rest = lexer.take();
    for (size_t start = rest.find('.'); start != std::string::npos;) {
      size_t dot = rest.find('.', start + 1);
      instruction.words.push_back(
          rest.substr(start + 1, dot == std::string::npos ? dot : dot - start - 1));
      start = dot;
    }
  }
  for (const std::string &each : instruction.words)
    if (std::optional<Type> type = typeOf(each))
      instruction.types.push_back(*type);
  if (instruction.op == Op::Bra) {
    instruction.operands.emplace_back();
    instruction.operands.back().name = lexer.take();
    lexer.expect(";");
  } else {
    while (!lexer.skip(";"))
      if (!lexer.skip(","))
        instruction.operands.push_back(parseOperand());
  }
  kernel->code.push_back(std::move(instruction));
}

/// .reg .b32 %r<10>;   .reg .b64 %SP;
void Parser::parseRegisters() {
  lexer.take();
  do {
    std::string name = lexer.take();
    if (lexer.skip("<")) {
      lexer.take();
      lexer.expect(">");
      prefixes.push_back(name);
    } else {
      registerNumber(name);
    }
  } while (lexer.skip(","));
  lexer.expect(";");
}

/// .local .align 8 .b8 name[16];   .global .align 4 .b8 name[3] = {1, 2, 3};
void Parser::parseVariable() {
  std::string space;
  uint64_t elementBytes = 1;
  while (lexer.peek()[0] == '.') {
    std::string word = lexer.take();
    if (word == ".align")
      lexer.take();
    else if (std::optional<Type> type = typeOf(std::string_view(word).substr(1)))
      elementBytes = type->bytes;
    else
      space = word;
  }
  std::string name = lexer.take();
  uint64_t count = 1;
  if (lexer.skip("[")) {
    count = lexer.peek() == "]" ? 0 : parseNumber(lexer.take());
    lexer.expect("]");
  }
  if (space == ".local") {
    locals[name] = kernel->localBytes;
    kernel->localBytes += (count * elementBytes + 15) / 16 * 16;
  } else if (space != ".shared") {
    std::vector<uint8_t> &bytes = module.constants[name];
    bytes.resize(count * elementBytes);
    if (lexer.skip("=")) {
      bool isList = lexer.skip("{");
      for (uint64_t i = 0; lexer.peek() != "}" && lexer.peek() != ";"; ++i) {
        bool isNegative = lexer.skip("-");
        uint64_t value = parseNumber(lexer.take());
        value = isNegative ? -value : value;
        if ((i + 1) * elementBytes > bytes.size())
          fail(name + " has too many elements");
        std::memcpy(bytes.data() + i * elementBytes, &value, elementBytes);
        lexer.skip(",");
      }
      if (isList)
        lexer.expect("}");
    }
  }
  lexer.expect(";");
}

void Parser::parseBody() {
  int depth = 1;
  while (depth > 0) {
    const std::string &token = lexer.peek();
    if (lexer.atEnd())
      fail("the kernel does not end");
    if (lexer.skip("{")) {
      ++depth;
    } else if (lexer.skip("}")) {
      --depth;
    } else if (token == ".reg") {
      lexer.take();
      parseRegisters();
    } else if (token == ".local") {
      parseVariable();
    } else if (token[0] == '.') {
      skipStatement();
    } else if (token == "@") {
      lexer.take();
      bool isNegated = lexer.skip("!");
      int32_t predicate = registerNumber(lexer.take());
      parseInstruction(predicate, isNegated);
    } else if (token[0] == '$') {
      labels[lexer.take()] = static_cast<int32_t>(kernel->code.size());
      lexer.expect(":");
    } else {
      parseInstruction(-1, false);
    }
  }
}

void Parser::parseKernel() {
  Kernel made;
  made.name = lexer.take();
  kernel = &made;
  registers.clear();
  labels.clear();
  locals.clear();
  prefixes.clear();
  lexer.expect("(");
  while (!lexer.skip(")")) {
    Parameter parameter;
    while (lexer.peek() != "," && lexer.peek() != ")") {
      std::string word = lexer.take();
      if (word == ".align")
        lexer.take();
      else if (std::optional<Type> type = typeOf(std::string_view(word).substr(1)))
        parameter.bytes = type->bytes;
      else if (word[0] != '.')
        parameter.name = word;
    }
    lexer.skip(",");
    made.parameterBytes =
        (made.parameterBytes + parameter.bytes - 1) / parameter.bytes * parameter.bytes;
    parameter.offset = made.parameterBytes;
    made.parameterBytes += parameter.bytes;
    made.parameters.push_back(parameter);
  }
  while (!lexer.skip("{")) {
    if (lexer.take() == ".reqntid")
      made.requiredThreads = static_cast<int>(parseNumber(lexer.take()));
  }
  parseBody();
  for (Instruction &instruction : made.code) {
    if (instruction.op != Op::Bra)
      continue;
    auto it = labels.find(instruction.operands[0].name);
    if (it == labels.end())
      fail("no label " + instruction.operands[0].name);
    instruction.target = it->second;
  }
  kernel = nullptr;
  module.kernels[made.name] = std::move(made);
}

Module Parser::parse() {
  while (!lexer.atEnd()) {
    std::string token = lexer.take();
    if (token == ".target")
      module.target = lexer.take();
    else if (token == ".version" || token == ".address_size")
      lexer.take();
    else if (token == ".entry")
      parseKernel();
    else if (token == ".func")
      fail("functions are not supported");
    else if (token == ".global" || token == ".const")
      parseVariable();
    else if (token == ".shared") // all of it is the dynamic part, which starts at 0
      skipStatement();
    // .visible, .extern and the like say nothing here
  }
  return std::move(module);
}

} // namespace

Module parse(std::string_view text) { return Parser(text).parse(); }

} // namespace ptx
