//===- Importing.h - imports models written as text or built by hand --------===//
#pragma once

#include "dsc/Dialect/Import/ImportModel.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <gmock/gmock.h>
#include <onnx/defs/parser.h>

namespace dsc::import {

class Importing : public testing::Test {
protected:
  /// The module's text, or the problems' if there is none.
  std::string importText(const std::string &graph, const ImportOptions &options = {}) {
    onnx::ModelProto model;
    // The parser keeps a pointer to the text.
    std::string text = "<ir_version: 10, opset_import: [\"\": 21]>\n" + graph;
    onnx::OnnxParser parser(text.c_str());
    onnx::Common::Status status = parser.Parse(model);
    EXPECT_TRUE(status.IsOK()) << status.ErrorMessage();
    for (int i = 0; i < model.graph().node_size(); ++i)
      model.mutable_graph()->mutable_node(i)->set_name("n" + std::to_string(i));
    return importProto(model, options);
  }

  std::string importProto(const onnx::ModelProto &model, const ImportOptions &options = {}) {
    return importBytes(model.SerializeAsString(), options);
  }

  std::string importBytes(const std::string &bytes, const ImportOptions &options = {}) {
    llvm::SmallString<128> path;
    EXPECT_FALSE(llvm::sys::fs::createTemporaryFile("import", "onnx", path));
    {
      std::error_code error;
      llvm::raw_fd_ostream file(path, error);
      file << bytes;
    }
    problems = ProblemList();
    module = importModel(path.str().str(), context, options, weights, problems);
    // The file stays mapped, and is gone afterwards.
    llvm::sys::fs::remove(path);
    EXPECT_NE(!module, problems.empty());
    if (!module)
      return problems.render();
    std::string text;
    llvm::raw_string_ostream os(text);
    module->print(os, mlir::OpPrintingFlags().enableDebugInfo(locations, /*prettyForm=*/true));
    return text;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  WeightStore weights;
  ProblemList problems;
  bool locations = false;
};

} // namespace dsc::import
