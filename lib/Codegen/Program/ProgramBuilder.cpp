//===- ProgramBuilder.cpp - from scheduled groups to a format::Program ----===//
#include "dsc/Codegen/Program/ProgramBuilder.h"

#include "BlockBuilder.h"

using namespace mlir;

namespace dsc {

format::DType dtypeOf(Type type) {
  using format::DType;
  if (type.isF32())
    return DType::Float32;
  if (type.isF64())
    return DType::Float64;
  if (type.isF16())
    return DType::Float16;
  if (type.isBF16())
    return DType::BFloat16;
  auto integer = dyn_cast<IntegerType>(type);
  if (!integer)
    return DType::Undefined;
  bool isUnsigned = integer.isUnsigned();
  switch (integer.getWidth()) {
  case 1:
    return DType::Bool;
  case 8:
    return isUnsigned ? DType::UInt8 : DType::Int8;
  case 16:
    return isUnsigned ? DType::UInt16 : DType::Int16;
  case 32:
    return isUnsigned ? DType::UInt32 : DType::Int32;
  case 64:
    return isUnsigned ? DType::UInt64 : DType::Int64;
  default:
    return DType::Undefined;
  }
}

static std::string nameOf(DictionaryAttr attributes, StringRef kind, unsigned number) {
  if (attributes)
    if (auto name = attributes.getAs<StringAttr>("dsc.name"))
      return name.str();
  return (kind + Twine(number)).str();
}

FailureOr<BuiltProgram> buildProgram(func::FuncOp main, KernelLibrary &kernels) {
  BuiltProgram built;
  ProgramState state(built, kernels);
  built.program.blocks.emplace_back();
  for (BlockArgument argument : main.getArguments()) {
    unsigned number = argument.getArgNumber();
    format::ValueId id = state.declare(argument, format::Value::Input);
    built.program.values[id].name = nameOf(main.getArgAttrDict(number), "input", number);
    built.program.inputs.push_back(id);
  }
  Block &body = main.getBody().front();
  BlockBuilder block(state, body, /*id=*/0, /*parent=*/nullptr);
  SmallVector<std::string> names;
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    names.push_back(nameOf(main.getResultAttrDict(i), "output", i));
  if (failed(block.buildMain(names)))
    return failure();
  for (const std::string &name : kernels.getNames())
    built.program.kernels.push_back(name);
  return built;
}

} // namespace dsc
