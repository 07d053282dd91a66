//===- Session.cpp - a model and its context, with a record of their runs ---===//
#include "common/Session.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "common/Npy.h"

namespace examples {

Session::Session(const std::string &path, const SessionOptions &options)
    : model(path), context(model, dsc::Options(options.threads)), inputs(model.inputCount()) {
  if (!options.recordDir.empty())
    recordDir = options.recordDir + "/" + std::filesystem::path(path).stem().string();
}

bool Session::hasInput(const std::string &name) const {
  for (size_t i = 0; i < model.inputCount(); ++i)
    if (model.input(i).name == name)
      return true;
  return false;
}

void Session::run() {
  context.run();
  if (!recordDir.empty())
    record();
}

/// RECORD_DIR/MODEL/0000/input-NAME.npy and output-NAME.npy.
void Session::record() {
  char number[16];
  std::snprintf(number, sizeof(number), "/%04d/", runs++);
  std::string dir = recordDir + number;
  std::filesystem::create_directories(dir);
  auto file = [&](const char *kind, std::string name) {
    std::replace(name.begin(), name.end(), '/', '_');
    return dir + kind + name + ".npy";
  };
  for (size_t i = 0; i < inputs.size(); ++i) {
    dsc::TensorInfo info = model.input(i);
    writeNpy(file("input-", info.name), inputs[i].data, info.dtype, inputs[i].dims);
  }
  for (size_t i = 0; i < model.outputCount(); ++i) {
    dsc::TensorView output = context.output(i);
    writeNpy(file("output-", model.output(i).name), output.data(), output.dtype(), dimsOf(output));
  }
}

} // namespace examples
