//===- Inputs.cpp - inputs given on the command line ----------------------===//
#include "Inputs.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

namespace dsc::cli {

/// "'images' f32[N,3,224,224], 'mask' bool[N]"
static std::string listInputs(const Session &session) {
  std::vector<std::string> names;
  for (const ValueInfo &input : session.getInputs())
    names.push_back(fmt::format("'{}' {}", input.name, input.describe()));
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

std::pair<std::string, std::string> splitInput(const std::string &argument) {
  size_t equals = argument.rfind('=');
  std::error_code ignored;
  if (equals == std::string::npos || std::filesystem::exists(argument, ignored))
    return {"", argument};
  return {argument.substr(0, equals), argument.substr(equals + 1)};
}

std::vector<Tensor> readInputs(const Session &session, const std::vector<std::string> &arguments) {
  const std::vector<ValueInfo> &infos = session.getInputs();
  std::vector<std::optional<Tensor>> given(infos.size());
  for (const std::string &argument : arguments) {
    auto [name, path] = splitInput(argument);
    // A bare file fills the first input that has none.
    size_t index = name.empty()
                       ? std::find(given.begin(), given.end(), std::nullopt) - given.begin()
                       : std::find_if(infos.begin(), infos.end(), [&](const ValueInfo &info) {
                           return info.name == name;
                         }) - infos.begin();
    if (index == infos.size())
      fail(Code::InputMismatch,
           name.empty() ? fmt::format("--input {}: the model has no more inputs", argument)
                        : fmt::format("'{}' is no input of the model", name),
           "its inputs are " + listInputs(session));
    if (given[index])
      fail(Code::Usage, fmt::format("input '{}' is given twice", infos[index].name));
    given[index] = readTensor(path);
    given[index]->name = infos[index].name;
  }
  std::vector<Tensor> tensors;
  for (size_t i = 0; i < infos.size(); ++i) {
    if (!given[i])
      fail(Code::InputMismatch,
           fmt::format("no data for input '{}' {}", infos[i].name, infos[i].describe()),
           fmt::format("give --input {}=FILE, or --random SEED", infos[i].name));
    tensors.push_back(std::move(*given[i]));
  }
  return tensors;
}

} // namespace dsc::cli
