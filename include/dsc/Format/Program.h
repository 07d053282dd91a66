//===- Program.h - a compiled model as data -------------------------------===//
//
// What the compiler writes and the runtime executes: sizes as expressions,
// values as places in memory, steps that launch kernels. Plain data; neither
// LLVM nor the operating system is needed to read it.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "dsc/Format/DType.h"

#include <cstdint>
#include <string>
#include <vector>

namespace dsc::format {

/// Index into Program::exprs.
using ExprId = uint32_t;
/// Index into Program::values.
using ValueId = uint32_t;
/// Index into Program::blocks.
using BlockId = uint32_t;
inline constexpr uint32_t kNone = ~0u;

/// One node of the size expressions. Operands are earlier nodes, so evaluating
/// the nodes in order evaluates every expression. Arithmetic is on int64; the
/// comparisons and logical operators give 0 or 1.
///
/// An expression always has the value that follows from the symbols bound at that
/// moment: binding a symbol updates whatever depends on it, and no step has to ask
/// for it. An expression has no value while a symbol that it needs is not bound, on
/// overflow and on division by zero. That is an error where the value is used (as
/// a size, a dim, a number of parts, by Let or Guard), not before. Select needs the
/// operand that it selects; And and Or need no more than one operand that decides.
struct Expr {
  enum Op : uint8_t {
    Const,  // imm
    Symbol, // symbol number imm
    Add,
    Sub,
    Mul,
    FloorDiv,
    CeilDiv,
    Mod, // a - floor(a / b) * b
    Min,
    Max,
    Eq,
    Lt,
    Le,
    And,
    Or,
    Not,    // a
    Select, // a != 0 ? b : c
  };
  Op op = Const;
  uint32_t a = 0, b = 0, c = 0;
  int64_t imm = 0;
  bool operator==(const Expr &) const = default;
};

/// A tensor and where it lives. Tensors are dense, row-major and contiguous
/// unless a kernel that reads them knows better.
struct Value {
  enum Kind : uint8_t {
    Input,  // the caller's buffer, read only
    Output, // the caller's buffer, or one that the context owns
    Weight, // in the weights section, read only; shared by all contexts
    Arena,  // planned by the frame that defines it
    Alias,  // a part of another value: root + byteOffset
  };
  Kind kind = Arena;
  DType dtype = DType::Undefined;
  std::string name;         // inputs and outputs: the model's name; others: may be empty
  std::vector<ExprId> dims; // elements along each axis
  ExprId bytes = kNone; // storage in bytes; for layouts with padding more than the product of dims
  ValueId root = kNone; // Alias: the value it is a part of (never itself an alias)
  ExprId byteOffset = kNone; // Alias
  uint64_t weightOffset = 0; // Weight: offset into the weights section, in bytes, a multiple of 64
};

/// Work of one kernel on some buffers. `parts` says into how many independent
/// parts it is cut: a function of shape and target only, never of threads.
struct Launch {
  uint32_t kernel = 0;          // index into Program::kernels
  std::vector<ValueId> buffers; // what the kernel receives, in this order
  std::vector<ExprId> sizes;    // likewise
  ExprId scratch = kNone;       // bytes of scratch memory for each thread; kNone: none
  uint32_t origin = kNone;      // index into Program::origins: the ONNX nodes it computes
};

// Scopes and storage
//
// A block is a scope. Frames that are pushed, values that are placed and symbols
// that are bound in a block last until it ends (a loop's body: until the iteration
// ends); nested blocks see all that is placed and bound around them. A symbol that
// is bound again has its earlier value back after the block.
//
// A Frame or the step that defines it places a value, before the first step that
// touches it:
//   - Frame places the values that it lists. Their sizes must be known then.
//   - If and Loop place their results that no Frame lists, when they end: in the
//     output's memory, or in memory that the step keeps for it. These need not have
//     a known size before. Results that a Frame has placed are copied there.
//   - Loop places its parameters.
//
// Where a step matches a value to another one whose size is known (a result to what
// a branch gives, a parameter to what the loop carries), each dim that is a symbol
// not yet bound is bound to the actual dim; any other dim must equal it. Ranks and
// element types are the same.

/// A result of an If: what each branch gives, and where it goes. `result` is
/// matched to the branch's value in the scope around the If. A branch's value may be
/// any value it sees; the result itself, if a Frame around the If has placed it: then
/// the branch has written it in place.
struct IfResult {
  ValueId thenValue = kNone, elseValue = kNone, result = kNone;
};

/// A value that a loop carries from one iteration to the next. When an iteration
/// starts, `param` is matched to init or to the last next; when the loop ends,
/// `result` likewise. The body does not write `param`.
///
/// `next` may be any value that the body sees, `param` included. If it is an arena
/// value that nothing else places, the loop places it when the iteration starts,
/// where the next one expects it; its size must follow from what is bound then. All
/// other values are copied there.
struct LoopCarried {
  ValueId init = kNone;   // outside: the value before the first iteration
  ValueId param = kNone;  // inside: the value at the start of an iteration
  ValueId next = kNone;   // inside: the value at its end
  ValueId result = kNone; // outside: the value after the last iteration
};

/// A value that each iteration adds one slice to; the result's axis 0 counts
/// iterations. All slices of a loop have one shape. `result` is matched to the
/// number of iterations and the slice's dims; those are 0 if there was no iteration
/// and nothing else says what they are.
struct LoopScan {
  ValueId slice = kNone;  // inside
  ValueId result = kNone; // outside
};

/// One step of a block; which members count depends on the kind.
struct Step {
  enum Kind : uint8_t {
    // Places `values` (arena values, and outputs) in a new frame on top of the
    // block's earlier frames. All frames of a block end with it.
    Frame,
    // Runs launches [launchBegin, launchEnd) as one phase of `parts` parts: a
    // thread that claims a part runs all the launches of that part, in order.
    Phase,
    // Copies value a to value b: bytes of b, which must not exceed a's.
    Copy,
    // symbol <- element `index` of integer or bool value a. (The smallest int64,
    // which stands for "no value", becomes the next larger one.)
    Bind,
    // symbol <- expression expr.
    Let,
    // Fails with `message` unless expr is not zero.
    Guard,
    // Runs thenBlock or elseBlock by the first element of bool value a.
    If,
    // Runs `body` while fewer than trip count a (int64; kNone: no limit)
    // iterations are done and the condition holds: before the first iteration b
    // (bool; kNone: true), then conditionNext (bool; kNone: true).
    Loop,
  };
  Kind kind = Frame;
  // Frame
  std::vector<ValueId> values;
  // For each of `values`: the index, within this block, of the first and the
  // last step that touches it (nested blocks count as their If or Loop step).
  // A last of kNone: until the block ends, as for what the enclosing If or Loop
  // reads then: branch values, next, slice and conditionNext.
  std::vector<uint32_t> firstUse, lastUse;
  // Phase
  uint32_t launchBegin = 0, launchEnd = 0;
  ExprId parts = kNone;
  // Copy, Bind, Let, Guard, If, Loop
  ValueId a = kNone, b = kNone;
  uint32_t symbol = kNone;
  uint64_t index = 0;
  ExprId expr = kNone;
  std::string message; // Guard: what is wrong. If, Loop: the node, for errors
  BlockId thenBlock = kNone, elseBlock = kNone, body = kNone;
  std::vector<IfResult> ifResults;
  // Loop: iteration number (int64 scalar) and condition, seen by the body.
  ValueId iterationParam = kNone, conditionParam = kNone, conditionNext = kNone;
  std::vector<LoopCarried> carried;
  std::vector<LoopScan> scans;
};

struct Block {
  std::vector<Step> steps;
};

/// A compiled model. Block 0 is the main block; each other one belongs to one step.
/// Inputs are matched (see above) to what the caller gives before it starts.
struct Program {
  std::vector<std::string> symbols; // names for messages: "batch", "seq"
  std::vector<Expr> exprs;
  std::vector<Value> values;
  std::vector<ValueId> inputs, outputs; // in the model's order
  std::vector<std::string> kernels;     // symbol names in the image
  std::vector<std::string> origins;     // "node 12 '/layer1/Conv' (Conv)"
  std::vector<Launch> launches;
  std::vector<Block> blocks;
};

} // namespace dsc::format
