//===- ReportTables.cpp - a compilation's report for people ---------------===//
#include "ReportTables.h"

#include "dsc/Dialect/Import/Problem.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace dsc::cli {

using Json = nlohmann::ordered_json;

static std::string asText(const Json &value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

static std::string member(const Json &object, const char *key) {
  auto found = object.find(key);
  return found == object.end() ? "" : asText(*found);
}

static std::string joined(const Json &object, const char *key, const char *separator) {
  std::vector<std::string> parts;
  for (const Json &part : object.value(key, Json::array()))
    parts.push_back(asText(part));
  return fmt::format("{}", fmt::join(parts, separator));
}

/// A member in millions.
static std::string millions(const Json &object, const char *key) {
  return fmt::format("{:.3f}", object.value(key, 0.0) * 1e-6);
}

static std::string microseconds(const Json &object) {
  return fmt::format("{:.4g}", object.value("ns", 0.0) * 1e-3);
}

//===----------------------------------------------------------------------===//
// Tables
//===----------------------------------------------------------------------===//

/// What the report says about the whole model.
static ReportTable factTable(const Json &report) {
  ReportTable table{"model", {}, {}};
  for (const auto &[key, entry] : report.items()) {
    if (entry.is_object())
      for (const auto &[name, inner] : entry.items())
        table.lines.push_back({fmt::format("{}.{}", key, name), asText(inner)});
    else if (!entry.is_array())
      table.lines.push_back({key, asText(entry)});
  }
  return table;
}

static ReportTable variantTable(const Json &report) {
  ReportTable table{"variants, best first",
                    {"target", "kind", "architecture", "kernels", "code kB", "needs"},
                    {}};
  for (const Json &variant : report.value("variants", Json::array()))
    table.lines.push_back({member(variant, "target"), member(variant, "kind"),
                           member(variant, "architecture"), member(variant, "kernels"),
                           fmt::format("{:.1f}", variant.value("code_bytes", 0.0) * 1e-3),
                           joined(variant, "features", " ")});
  return table;
}

static ReportTable valueTable(const Json &report, const char *key) {
  ReportTable table{key, {}, {}};
  for (const Json &entry : report.value(key, Json::array()))
    table.lines.push_back({fmt::format("{} {}[{}]", member(entry, "name"), member(entry, "type"),
                                       joined(entry, "dims", ","))});
  return table;
}

/// "node 3 'conv1' (opset 21)" without what is the same for all.
static std::string shortNodes(const Json &kernel) {
  std::vector<std::string> names;
  for (const Json &node : kernel.value("nodes", Json::array())) {
    std::string text = asText(node);
    size_t begin = text.find('\''), end = text.rfind('\'');
    names.push_back(begin < end ? text.substr(begin + 1, end - begin - 1) : text);
  }
  return fmt::format("{}", fmt::join(names, " "));
}

static ReportTable kernelTable(const Json &report) {
  ReportTable table{"kernels, in order",
                    {"kernel", "template", "expected us", "MFLOP", "MB", "precision", "sparsity",
                     "operators", "nodes", "parts"},
                    {}};
  for (const Json &kernel : report.value("kernels", Json::array()))
    table.lines.push_back({member(kernel, "name"), member(kernel, "template"), microseconds(kernel),
                           millions(kernel, "flops"), millions(kernel, "bytes"),
                           member(kernel, "precision"), member(kernel, "sparsity"),
                           joined(kernel, "ops", " "), shortNodes(kernel),
                           member(kernel, "parts")});
  return table;
}

/// What the templates that did not win said of a kernel: the best time of each that
/// could compute it, the reasons of the others.
static std::string describeLosers(const Json &kernel) {
  std::string winner = member(kernel, "template"), text;
  std::vector<std::string> names;
  Json best = Json::object();
  for (const Json &candidate : kernel.value("candidates", Json::array())) {
    std::string name = member(candidate, "template");
    if (name == winner)
      continue;
    bool isBetter =
        !best.contains(name) || candidate.value("ns", 0.0) < best[name].value("ns", 0.0);
    if (!best.contains(name))
      names.push_back(name);
    if (isBetter)
      best[name] = candidate;
  }
  for (const std::string &name : names) {
    bool can = member(best[name], "verdict") == "ok";
    text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", name,
                        can ? microseconds(best[name]) + " us" : member(best[name], "reason"));
  }
  return text;
}

static ReportTable choiceTable(const Json &report) {
  ReportTable table{"why these templates", {"kernel", "chosen", "expected us", "the others"}, {}};
  for (const Json &kernel : report.value("kernels", Json::array()))
    table.lines.push_back({member(kernel, "name"), member(kernel, "template"), microseconds(kernel),
                           describeLosers(kernel)});
  return table;
}

std::vector<ReportTable> makeTables(const Json &report) {
  return {factTable(report),
          variantTable(report),
          valueTable(report, "inputs"),
          valueTable(report, "outputs"),
          kernelTable(report),
          choiceTable(report)};
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

/// Names in cells may hold anything; a terminal must not obey them.
static ReportTable printable(ReportTable table) {
  for (std::vector<std::string> &line : table.lines)
    for (std::string &cell : line)
      cell = import::printable(cell);
  return table;
}

/// In columns; a cell longer than `kWidest` moves what follows it in its own line only.
static std::string toText(const ReportTable &table) {
  constexpr size_t kWidest = 40;
  std::vector<size_t> widths;
  auto widen = [&](const std::vector<std::string> &line) {
    widths.resize(std::max(widths.size(), line.size()));
    for (size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], std::min(line[i].size(), kWidest));
  };
  widen(table.head);
  std::for_each(table.lines.begin(), table.lines.end(), widen);
  std::string text = table.title + "\n";
  auto print = [&](const std::vector<std::string> &line) {
    std::string row = "  ";
    for (size_t i = 0; i < line.size(); ++i)
      row += fmt::format("{:<{}}  ", line[i], widths[i]);
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  };
  if (!table.head.empty())
    print(table.head);
  std::for_each(table.lines.begin(), table.lines.end(), print);
  return text;
}

std::string toText(const std::vector<ReportTable> &tables) {
  std::string text;
  for (const ReportTable &table : tables)
    if (!table.lines.empty())
      text += toText(printable(table));
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
    case '"':
      result += "&quot;";
      break;
    default:
      // Other control characters are not allowed in a page.
      result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  }
  return result;
}

static std::string toHtml(const ReportTable &table) {
  std::string text = fmt::format("<h2>{}</h2>\n<table>\n", escape(table.title));
  auto print = [&](const std::vector<std::string> &line, const char *cell) {
    text += "<tr>";
    for (const std::string &contents : line)
      text += fmt::format("<{0}>{1}</{0}>", cell, escape(contents));
    text += "</tr>\n";
  };
  if (!table.head.empty())
    print(table.head, "th");
  for (const std::vector<std::string> &line : table.lines)
    print(line, "td");
  return text + "</table>\n";
}

std::string toPage(const std::string &title, const std::vector<ReportTable> &tables) {
  std::string text = fmt::format(
      "<!DOCTYPE html>\n"
      "<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>{0}</title>\n"
      "<style>body{{font-family:sans-serif;margin:2em}} table{{border-collapse:collapse}}\n"
      "th,td{{text-align:left;padding:2px 12px 2px 0;border-bottom:1px solid #ddd;"
      "vertical-align:top}}</style></head>\n"
      "<body><h1>{0}</h1>\n",
      escape(title));
  for (const ReportTable &table : tables)
    if (!table.lines.empty())
      text += toHtml(table);
  return text + "</body></html>\n";
}

} // namespace dsc::cli
