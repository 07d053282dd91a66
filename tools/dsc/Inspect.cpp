//===- Inspect.cpp - dsc inspect ------------------------------------------===//
//
// Shows what the compiler made of a model: its report, which every artifact holds.
//
//===----------------------------------------------------------------------===//
#include "ModelCompiler.h"
#include "Session.h"
#include "Verbs.h"

#include "dsc/Dialect/Import/MappedFile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>

namespace dsc::cli {

using Json = nlohmann::ordered_json;

namespace {
struct InspectCommand {
  std::string model, html;
  ModelOptions options;

  int run(const Globals &globals);
};

/// Lines of cells, as text or as HTML.
using Table = std::vector<std::vector<std::string>>;
} // namespace

/// The report in an artifact, which may be for another kind of CPU.
static std::string readReport(const std::string &path) {
  import::MappedFile file;
  std::string reason;
  if (file.open(path, /*followSymlink=*/true, reason) != import::MappedFile::Error::None)
    fail(Code::File, fmt::format("cannot read '{}': {}", path, reason));
  format::ContainerView view;
  format::Status status = format::readContainer(file.bytes(), view);
  if (!status.ok())
    fail(Code::BadArtifact, fmt::format("{}: {}", path, status.error),
         "compile the model again with this version of dsc");
  return view.artifact.variants.front().manifestJson;
}

static std::string value(const Json &object, const char *key) {
  auto found = object.find(key);
  if (found == object.end())
    return "";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

static std::string joined(const Json &object, const char *key, const char *separator) {
  std::vector<std::string> parts;
  for (const Json &part : object.value(key, Json::array()))
    parts.push_back(part.is_string() ? part.get<std::string>() : part.dump());
  return fmt::format("{}", fmt::join(parts, separator));
}

/// "node 3 'conv1' (opset 21)" without what is the same for all.
static std::string shortNodes(const Json &kernel) {
  std::vector<std::string> names;
  for (const Json &node : kernel.value("nodes", Json::array())) {
    std::string text = node.is_string() ? node.get<std::string>() : "";
    size_t begin = text.find('\''), end = text.rfind('\'');
    names.push_back(begin < end ? text.substr(begin + 1, end - begin - 1) : text);
  }
  return fmt::format("{}", fmt::join(names, " "));
}

static Table valueTable(const Json &report, const char *key) {
  Table table;
  for (const Json &entry : report.value(key, Json::array()))
    table.push_back({value(entry, "name"),
                     fmt::format("{}[{}]", value(entry, "type"), joined(entry, "dims", ","))});
  return table;
}

static Table kernelTable(const Json &report) {
  Table table = {{"kernel", "template", "parts", "MFLOP", "MB", "operators", "nodes"}};
  for (const Json &kernel : report.value("kernels", Json::array()))
    table.push_back({value(kernel, "name"), value(kernel, "template"), value(kernel, "parts"),
                     fmt::format("{:.3f}", kernel.value("flops", 0.0) * 1e-6),
                     fmt::format("{:.3f}", kernel.value("bytes", 0.0) * 1e-6),
                     joined(kernel, "ops", " "), shortNodes(kernel)});
  return table;
}

/// Everything else that the report says, as names and values.
static Table factTable(const Json &report) {
  Table table;
  for (const auto &[key, entry] : report.items()) {
    if (entry.is_object())
      for (const auto &[name, inner] : entry.items())
        table.push_back(
            {key + "." + name, inner.is_string() ? inner.get<std::string>() : inner.dump()});
    else if (!entry.is_array())
      table.push_back({key, entry.is_string() ? entry.get<std::string>() : entry.dump()});
  }
  return table;
}

static std::string toText(const Table &table, const std::string &indent) {
  std::vector<size_t> widths;
  for (const auto &line : table) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], line[i].size());
  }
  std::string text;
  for (const auto &line : table) {
    std::string row = indent;
    for (size_t i = 0; i < line.size(); ++i)
      row += fmt::format("{:<{}}  ", line[i], widths[i]);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

//===----------------------------------------------------------------------===//
// HTML
//===----------------------------------------------------------------------===//

static std::string escape(const std::string &text) {
  std::string result;
  for (char c : text) {
    switch (c) {
    case '<':
      result += "&lt;";
      break;
    case '>':
      result += "&gt;";
      break;
    case '&':
      result += "&amp;";
      break;
    default:
      result += c;
    }
  }
  return result;
}

static std::string toHtml(const std::string &title, const Table &table) {
  std::string text = fmt::format("<h2>{}</h2>\n<table>\n", escape(title));
  for (const auto &line : table) {
    text += "<tr>";
    for (const std::string &cell : line)
      text += fmt::format("<td>{}</td>", escape(cell));
    text += "</tr>\n";
  }
  return text + "</table>\n";
}

/// A page that needs nothing from anywhere else.
static std::string makePage(const std::string &model, const Json &report) {
  return fmt::format("<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>{0}</title>\n"
                     "<style>body{{font-family:sans-serif}} td{{padding:2px 12px 2px 0;"
                     "border-bottom:1px solid #ddd;vertical-align:top}}</style></head>\n"
                     "<body><h1>{0}</h1>\n",
                     escape(model)) +
         toHtml("Model", factTable(report)) + toHtml("Inputs", valueTable(report, "inputs")) +
         toHtml("Outputs", valueTable(report, "outputs")) + toHtml("Kernels", kernelTable(report)) +
         "</body></html>\n";
}

int InspectCommand::run(const Globals &globals) {
  std::string text;
  if (isArtifact(model)) {
    text = readReport(model);
  } else {
    ModelCompiler compiler(model, options);
    text = compiler.compile()->getReport();
  }
  Json report = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!report.is_object())
    fail(Code::BadArtifact, fmt::format("{}: its report is no JSON object", model));
  if (!html.empty()) {
    writeFile(html, makePage(model, report), {model});
    return kDone;
  }
  if (globals.json)
    printJson(report);
  else
    print(toText(factTable(report), "") + "inputs\n" + toText(valueTable(report, "inputs"), "  ") +
          "outputs\n" + toText(valueTable(report, "outputs"), "  ") + "kernels, in order\n" +
          toText(kernelTable(report), "  "));
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
