//===- Ptx.h - kernels in PTX, parsed and run on the CPU ------------------===//
//
// An emulator of as much of PTX as the compiler's templates emit, warp-wide
// instructions (mma.sync, ldmatrix, shfl) and cp.async included. It is a test's
// judge, so it is strict: an address outside of an allocation, shared memory read
// before its cp.async was waited for, threads that do not meet at a barrier, or an
// unknown instruction end the launch with a text.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace ptx {

enum class Kind : uint8_t { Bits, Unsigned, Signed, Float, BFloat, Tf32, Predicate };

/// .b32, .f64, .bf16x2 ...
struct Type {
  Kind kind = Kind::Bits;
  uint8_t bytes = 4;
  bool operator==(const Type &) const = default;
};

struct Operand {
  enum Form : uint8_t { Register, Number, Vector, Address, Special };
  Form form = Number;
  int32_t reg = -1;           // Register; Address: the base, -1 for none
  uint64_t bits = 0;          // Number; Address: the offset
  std::string name;           // Special; Address: symbol added to the offset
  std::vector<Operand> parts; // Vector; shfl's second result
};

/// The first words of the instructions that are known.
enum class Op : uint8_t {
  Unknown,
  Abs,
  Add,
  And,
  Atom,
  Bar,
  Barrier,
  Bfe,
  Bra,
  Clz,
  Copysign,
  Cp,
  Cvt,
  Cvta,
  Div,
  Ex2,
  Exit,
  Fence,
  Fma,
  Ld,
  Ldmatrix,
  Ldu,
  Lg2,
  Lop3,
  Mad,
  Max,
  Membar,
  Min,
  Mma,
  Mov,
  Mul,
  Neg,
  Not,
  Or,
  Popc,
  Prmt,
  Rcp,
  Red,
  Rem,
  Ret,
  Rsqrt,
  Selp,
  Setp,
  Shf,
  Shfl,
  Shl,
  Shr,
  Sqrt,
  St,
  Sub,
  Tanh,
  Xor
};

struct Instruction {
  std::string text; // for messages
  Op op = Op::Unknown;
  std::vector<std::string> words; // what follows: "lo", "s32"
  std::vector<Type> types;        // those of the words that are types
  std::vector<Operand> operands;
  int32_t predicate = -1;
  bool isNegated = false;
  int32_t target = -1; // of a branch
  bool has(std::string_view word) const;
};

struct Parameter {
  std::string name;
  uint64_t bytes = 8, offset = 0;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  uint64_t parameterBytes = 0, localBytes = 0;
  int requiredThreads = 0; // .reqntid; 0: any
  int registers = 0;
  std::vector<Instruction> code;
};

struct Module {
  std::string target; // "sm_80"
  std::map<std::string, Kernel> kernels;
  std::map<std::string, std::vector<uint8_t>> constants; // .global and .const tables
};

/// Throws std::runtime_error.
Module parse(std::string_view text);

struct Launch {
  unsigned blocks = 1, threads = 1, sharedBytes = 0;
  unsigned number = 0; // of this launch; the order of threads changes with it
  std::vector<uint8_t> parameters;
  /// Whether [address, address + bytes) may be touched.
  std::function<bool(uint64_t address, uint64_t bytes)> isMapped;
};

/// Throws std::runtime_error.
void run(const Module &module, const Kernel &kernel, const Launch &launch);

} // namespace ptx
