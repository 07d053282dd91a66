//===- Inspect.cpp - dsc inspect ------------------------------------------===//
//
// Shows what the compiler made of a model: its report, which every artifact holds.
//
//===----------------------------------------------------------------------===//
#include "ArtifactReport.h"
#include "ModelCompiler.h"
#include "ReportTables.h"
#include "Session.h"
#include "Verbs.h"

#include "dsc/Dialect/Import/MappedFile.h"

#include <fmt/format.h>
#include <memory>

namespace dsc::cli {

using Json = nlohmann::ordered_json;

namespace {
struct InspectCommand {
  std::string model, html;
  ModelOptions options;

  int run(const Globals &globals);
};
} // namespace

/// The report in an artifact, which may be for another kind of CPU.
static Json readReport(const std::string &path, const std::string &target) {
  import::MappedFile file;
  std::string reason;
  if (file.open(path, /*followSymlink=*/true, reason) != import::MappedFile::Error::None)
    fail(Code::File, fmt::format("cannot read '{}': {}", path, reason));
  format::ContainerView view;
  format::Status status = format::readContainer(file.bytes(), view);
  if (!status.ok())
    fail(Code::BadArtifact, fmt::format("{}: {}", path, status.error),
         "compile the model again with this version of dsc");
  return reportOf(view, target);
}

int InspectCommand::run(const Globals &globals) {
  Json report;
  if (isArtifact(model)) {
    report = readReport(model, options.target);
  } else {
    ModelCompiler compiler(model, options);
    report = reportOf(*compiler.compile());
  }
  if (!html.empty())
    writeFile(html, toPage(model, makeTables(report)), {model});
  else if (globals.json)
    printJson(report);
  else
    print(toText(makeTables(report)));
  return kDone;
}

Verb addInspect(CLI::App &app) {
  auto command = std::make_shared<InspectCommand>();
  CLI::App *verb = app.add_subcommand("inspect", "Show what the compiler made of a model");
  verb->add_option("model", command->model, "An artifact (.dsc) or an ONNX model")->required();
  verb->add_option("--html", command->html, "Write a page instead of text")->type_name("FILE");
  command->options.addTo(*verb);
  verb->footer("Examples:\n"
               "  dsc inspect model.dsc\n"
               "  dsc inspect model.onnx --json | jq '.kernels[] | [.template, .flops]'\n");
  return {verb, [command](const Globals &globals) { return command->run(globals); }};
}

} // namespace dsc::cli
