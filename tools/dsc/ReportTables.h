//===- ReportTables.h - a compilation's report for people -----------------===//
//
// The report of `dsc inspect` as titled tables, and these as text or as a page.
//
//===----------------------------------------------------------------------===//
#pragma once

#include <nlohmann/json.hpp>

#include <string>
#include <vector>

namespace dsc::cli {

struct ReportTable {
  std::string title;
  std::vector<std::string> head; ///< empty: no line of titles
  std::vector<std::vector<std::string>> lines;
};

/// The parts of a report (see dsc/Codegen/Report.h), in the order to show them in.
std::vector<ReportTable> makeTables(const nlohmann::ordered_json &report);

std::string toText(const std::vector<ReportTable> &tables);
/// A page that needs nothing from anywhere else.
std::string toPage(const std::string &title, const std::vector<ReportTable> &tables);

} // namespace dsc::cli
