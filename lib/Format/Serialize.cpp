//===- Serialize.cpp - programs as bytes ----------------------------------===//
//
// The fields of each structure, in the order of the file.
//
//===----------------------------------------------------------------------===//

#include "Archive.h"
#include "Validate.h"

namespace dsc::format {

template <typename A> static void fields(A &archive, typename A::template Ref<Expr> e) {
  archive(e.op, e.a, e.b, e.c, e.imm);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Value> v) {
  archive(v.kind, v.dtype, v.name, v.dims, v.bytes, v.root, v.byteOffset, v.weightOffset);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Launch> l) {
  archive(l.kernel, l.buffers, l.sizes, l.scratch, l.origin);
}

template <typename A> static void fields(A &archive, typename A::template Ref<IfResult> r) {
  archive(r.thenValue, r.elseValue, r.result);
}

template <typename A> static void fields(A &archive, typename A::template Ref<LoopCarried> c) {
  archive(c.init, c.param, c.next, c.result);
}

template <typename A> static void fields(A &archive, typename A::template Ref<LoopScan> s) {
  archive(s.slice, s.result);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Step> s) {
  archive(s.kind, s.values, s.firstUse, s.lastUse);
  archive(s.launchBegin, s.launchEnd, s.parts);
  archive(s.a, s.b, s.symbol, s.index, s.expr, s.message);
  archive(s.thenBlock, s.elseBlock, s.body, s.ifResults);
  archive(s.iterationParam, s.conditionParam, s.conditionNext, s.carried, s.scans);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Block> b) {
  archive(b.steps);
}

template <typename A> static void fields(A &archive, typename A::template Ref<Program> p) {
  archive(p.symbols, p.exprs, p.values, p.inputs, p.outputs, p.kernels, p.origins, p.launches,
          p.blocks);
}

std::vector<uint8_t> serialize(const Program &program) {
  Writer writer;
  fields(writer, program);
  return std::move(writer.bytes);
}

Status deserialize(std::span<const uint8_t> bytes, Program &program) {
  Reader reader(bytes);
  fields(reader, program);
  if (reader.failed() || !reader.atEnd())
    return Status::failure("the program section is malformed");
  return validate(program);
}

} // namespace dsc::format
