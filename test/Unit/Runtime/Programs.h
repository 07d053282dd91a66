//===- Programs.h - small programs for tests of the runtime ---------------===//
//
// A builder for programs, kernels that are C++ functions, and a context that is
// fed with vectors.
//
//===----------------------------------------------------------------------===//
#pragma once

#include "Handles.h"
#include "dsc/Format/Program.h"

#include <gtest/gtest.h>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace dsc::test {

using format::BlockId;
using format::DType;
using format::Expr;
using format::ExprId;
using format::kNone;
using format::Program;
using format::Step;
using format::Value;
using format::ValueId;

class ProgramMaker {
public:
  ProgramMaker() { program.blocks.emplace_back(); }

  Program program;
  std::vector<dsc_kernel_fn> kernels;
  std::vector<uint8_t> weights;

  ExprId constant(int64_t value) { return expr({.op = Expr::Const, .imm = value}); }
  ExprId symbol(const std::string &name) {
    return expr({.op = Expr::Symbol, .imm = symbolId(name)});
  }
  ExprId binary(Expr::Op op, ExprId a, ExprId b) { return expr({.op = op, .a = a, .b = b}); }
  int64_t symbolId(const std::string &name) {
    for (size_t i = 0; i < program.symbols.size(); ++i)
      if (program.symbols[i] == name)
        return i;
    program.symbols.push_back(name);
    return program.symbols.size() - 1;
  }

  ValueId arena(DType dtype, std::vector<ExprId> dims) { return value(Value::Arena, dtype, dims); }
  ValueId input(const std::string &name, DType dtype, std::vector<ExprId> dims) {
    ValueId id = value(Value::Input, dtype, dims);
    program.values[id].name = name;
    program.inputs.push_back(id);
    return id;
  }
  ValueId output(const std::string &name, DType dtype, std::vector<ExprId> dims) {
    ValueId id = value(Value::Output, dtype, dims);
    program.values[id].name = name;
    program.outputs.push_back(id);
    return id;
  }
  template <typename T> ValueId weight(DType dtype, const std::vector<T> &elements) {
    ValueId id = value(Value::Weight, dtype, {constant(elements.size())});
    weights.resize((weights.size() + 63) / 64 * 64);
    program.values[id].weightOffset = weights.size();
    auto *bytes = reinterpret_cast<const uint8_t *>(elements.data());
    weights.insert(weights.end(), bytes, bytes + elements.size() * sizeof(T));
    return id;
  }
  ValueId alias(ValueId root, std::vector<ExprId> dims, ExprId byteOffset) {
    ValueId id = value(Value::Alias, program.values[root].dtype, dims);
    program.values[id].root = root;
    program.values[id].byteOffset = byteOffset;
    return id;
  }

  BlockId block() {
    program.blocks.emplace_back();
    return program.blocks.size() - 1;
  }
  Step &add(BlockId block, Step step) {
    program.blocks[block].steps.push_back(std::move(step));
    return program.blocks[block].steps.back();
  }
  Step &frame(BlockId block, std::vector<ValueId> values) {
    Step step;
    step.kind = Step::Frame;
    step.firstUse.assign(values.size(), 0);
    step.lastUse.assign(values.size(), kNone);
    step.values = std::move(values);
    return add(block, step);
  }
  /// A phase with one launch; parts 0: one part.
  void phase(BlockId block, dsc_kernel_fn kernel, std::vector<ValueId> buffers,
             std::vector<ExprId> sizes = {}, ExprId parts = kNone, ExprId scratch = kNone) {
    program.kernels.push_back("kernel" + std::to_string(kernels.size()));
    program.origins.push_back("node " + std::to_string(kernels.size()) + " 'test' (Test)");
    uint32_t number = kernels.size();
    kernels.push_back(kernel);
    program.launches.push_back({number, std::move(buffers), std::move(sizes), scratch, number});
    Step step;
    step.kind = Step::Phase;
    step.launchEnd = program.launches.size();
    step.launchBegin = step.launchEnd - 1;
    step.parts = parts == kNone ? constant(1) : parts;
    add(block, step);
  }
  void copy(BlockId block, ValueId from, ValueId to) {
    Step step;
    step.kind = Step::Copy;
    step.a = from;
    step.b = to;
    add(block, step);
  }
  void bind(BlockId block, const std::string &symbol, ValueId from, uint64_t index = 0) {
    Step step;
    step.kind = Step::Bind;
    step.symbol = symbolId(symbol);
    step.a = from;
    step.index = index;
    add(block, step);
  }
  void let(BlockId block, const std::string &symbol, ExprId expr) {
    Step step;
    step.kind = Step::Let;
    step.symbol = symbolId(symbol);
    step.expr = expr;
    add(block, step);
  }
  void guard(BlockId block, ExprId expr, const std::string &message) {
    Step step;
    step.kind = Step::Guard;
    step.expr = expr;
    step.message = message;
    add(block, step);
  }
  void branch(BlockId block, ValueId condition, BlockId thenBlock, BlockId elseBlock,
              std::vector<format::IfResult> results) {
    Step step;
    step.kind = Step::If;
    step.a = condition;
    step.thenBlock = thenBlock;
    step.elseBlock = elseBlock;
    step.ifResults = std::move(results);
    add(block, step);
  }

  runtime::Error make(std::shared_ptr<const runtime::Model> &model) const {
    return runtime::Model::fromProgram(program, kernels, weights, model);
  }

private:
  ExprId expr(Expr e) {
    program.exprs.push_back(e);
    return program.exprs.size() - 1;
  }
  ValueId value(Value::Kind kind, DType dtype, const std::vector<ExprId> &dims) {
    Value v;
    v.kind = kind;
    v.dtype = dtype;
    v.dims = dims;
    program.values.push_back(v);
    return program.values.size() - 1;
  }
};

/// A context of a model without an artifact.
class Runner {
public:
  explicit Runner(const ProgramMaker &maker, dsc_context_options options = {}) {
    std::shared_ptr<const runtime::Model> model;
    runtime::Error error = maker.make(model);
    EXPECT_EQ(error.text, "");
    handle.model = model;
    options.struct_size = sizeof(options);
    if (options.threads == 0)
      options.threads = 1;
    if (model)
      EXPECT_EQ(dsc_context_create(&handle, &options, &context), DSC_OK);
  }
  ~Runner() { dsc_context_destroy(context); }
  Runner(const Runner &) = delete;

  template <typename T>
  void set(size_t index, DType dtype, const std::vector<T> &data, std::vector<int64_t> dims) {
    EXPECT_EQ(dsc_context_set_input(context, index, data.data(), dsc_dtype(dtype), dims.size(),
                                    dims.data(), data.size() * sizeof(T)),
              DSC_OK);
  }
  dsc_status run() { return dsc_context_run(context); }
  dsc_tensor tensor(size_t index) {
    dsc_tensor tensor = {};
    EXPECT_EQ(dsc_context_get_output(context, index, &tensor), DSC_OK);
    return tensor;
  }
  template <typename T> std::vector<T> get(size_t index) {
    dsc_tensor t = tensor(index);
    auto *data = static_cast<const T *>(t.data);
    return std::vector<T>(data, data + t.bytes / sizeof(T));
  }
  std::vector<int64_t> dims(size_t index) {
    dsc_tensor t = tensor(index);
    return std::vector<int64_t>(t.dims, t.dims + t.rank);
  }

  dsc_model handle;
  dsc_context *context = nullptr;
};

//===----------------------------------------------------------------------===//
// Kernels. Each part computes its share of sizes[0] elements.
//===----------------------------------------------------------------------===//

struct Share {
  int64_t begin, end;
};
inline Share shareOf(const dsc_kernel_env *env, int64_t count) {
  return {count * env->part / env->parts, count * (env->part + 1) / env->parts};
}

/// buffers[1][i] = buffers[0][i] + sizes[1]
template <typename T>
int32_t addKernel(const dsc_kernel_env *env, void *const *buffers, const int64_t *sizes) {
  Share share = shareOf(env, sizes[0]);
  for (int64_t i = share.begin; i < share.end; ++i)
    static_cast<T *>(buffers[1])[i] = static_cast<const T *>(buffers[0])[i] + T(sizes[1]);
  return 0;
}

/// buffers[0][i] = sizes[1]
template <typename T>
int32_t fillKernel(const dsc_kernel_env *env, void *const *buffers, const int64_t *sizes) {
  Share share = shareOf(env, sizes[0]);
  for (int64_t i = share.begin; i < share.end; ++i)
    static_cast<T *>(buffers[0])[i] = T(sizes[1]);
  return 0;
}

/// buffers[2][i] = buffers[0][i] + buffers[1][i]
template <typename T>
int32_t sumKernel(const dsc_kernel_env *env, void *const *buffers, const int64_t *sizes) {
  Share share = shareOf(env, sizes[0]);
  for (int64_t i = share.begin; i < share.end; ++i)
    static_cast<T *>(buffers[2])[i] =
        static_cast<const T *>(buffers[0])[i] + static_cast<const T *>(buffers[1])[i];
  return 0;
}

/// buffers[1] = number of elements of buffers[0] that are not zero
inline int32_t countKernel(const dsc_kernel_env *, void *const *buffers, const int64_t *sizes) {
  int64_t count = 0;
  for (int64_t i = 0; i < sizes[0]; ++i)
    count += static_cast<const int64_t *>(buffers[0])[i] != 0;
  *static_cast<int64_t *>(buffers[1]) = count;
  return 0;
}

/// Fails with the code sizes[1] in part sizes[0].
inline int32_t failKernel(const dsc_kernel_env *env, void *const *, const int64_t *sizes) {
  return env->part == sizes[0] ? int32_t(sizes[1]) : 0;
}

/// A frame, a second one whose size depends on data, scratch, and a loop whose
/// carried value and scan grow, with an If inside.
inline ProgramMaker everything() {
  ProgramMaker m;
  ExprId n = m.symbol("N"), k = m.symbol("K"), t = m.symbol("T"), one = m.constant(1);
  ValueId x = m.input("x", DType::Int64, {n});
  ValueId count = m.arena(DType::Int64, {}), work = m.arena(DType::Int64, {n});
  ValueId filled = m.arena(DType::Int64, {k});
  ValueId isLong = m.arena(DType::Bool, {});
  ValueId y = m.output("y", DType::Int64, {k}), scan = m.output("scan", DType::Int64, {t, k});
  ValueId chosen = m.output("chosen", DType::Int64, {m.symbol("C")});
  m.frame(0, {count, work, isLong});
  m.phase(0, addKernel<int64_t>, {x, work}, {n, m.constant(0)}, m.constant(7), n);
  m.phase(0, countKernel, {work, count}, {n});
  m.bind(0, "K", count);
  m.frame(0, {filled});
  m.phase(0, fillKernel<int64_t>, {filled}, {k, one}, m.constant(7));
  BlockId body = m.block();
  ValueId state = m.arena(DType::Int64, {k}), next = m.arena(DType::Int64, {k});
  m.frame(body, {next});
  m.phase(body, addKernel<int64_t>, {state, next}, {k, one}, m.constant(7));
  Step loop;
  loop.kind = Step::Loop;
  loop.a = count;
  loop.body = body;
  loop.carried = {{filled, state, next, y}};
  loop.scans = {{next, scan}};
  m.add(0, loop);
  m.phase(0, fillKernel<uint8_t>, {isLong}, {one, m.binary(Expr::Lt, m.constant(3), k)});
  m.branch(0, isLong, m.block(), m.block(), {{filled, x, chosen}});
  return m;
}

} // namespace dsc::test
